//! Times and durations.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

/// How long, as one would say it: `2 s`, `2 min 10 s`, `4 h 12 min`, `3 d 04:12`.
pub fn duration_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if seconds == 0 {
        "<1 s".into()
    } else if minutes == 0 {
        format!("{seconds} s")
    } else if hours == 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else if days == 0 {
        format!("{hours} h {} min", minutes % 60)
    } else {
        format!("{days} d {:02}:{:02}", hours % 24, minutes % 60)
    }
}

/// Wall-clock time in a zone: `14:03:27`.
pub fn clock(time: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(time).strftime("%H:%M:%S").to_string()
}

/// The same with its day: `2026-03-01 14:03:27`.
pub fn date_and_clock(time: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Wall-clock time in the local zone: `14:03:27`.
pub fn time_of_day(time: Timestamp) -> String {
    clock(time, &TimeZone::system())
}

/// RFC 3339 with milliseconds and the local offset: `2026-03-01T14:03:27.120+01:00`.
pub fn rfc3339(time: Timestamp) -> String {
    rfc3339_in(time, &TimeZone::system())
}

fn rfc3339_in(time: Timestamp, zone: &TimeZone) -> String {
    format!("{:.3}", time.display_with_offset(zone.to_offset(time)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    #[test]
    fn durations_in_words() {
        let words = |s| duration_words(Duration::from_secs(s));
        assert_eq!(duration_words(Duration::from_millis(300)), "<1 s");
        assert_eq!(words(2), "2 s");
        assert_eq!(words(130), "2 min 10 s");
        assert_eq!(words(4 * 3600 + 12 * 60), "4 h 12 min");
        assert_eq!(words(3 * 86_400 + 4 * 3600 + 12 * 60), "3 d 04:12");
        assert!(!duration_words(Duration::MAX).is_empty());
    }

    #[test]
    fn times_carry_their_zone() {
        let time: Timestamp = "2026-03-01T13:03:27.1204Z".parse().unwrap();
        let zone = TimeZone::fixed(Offset::constant(1));
        assert_eq!(clock(time, &zone), "14:03:27");
        assert_eq!(date_and_clock(time, &zone), "2026-03-01 14:03:27");
        assert_eq!(rfc3339_in(time, &zone), "2026-03-01T14:03:27.120+01:00");
        assert_eq!(rfc3339_in(time, &TimeZone::UTC), "2026-03-01T13:03:27.120+00:00");
        for extreme in [Timestamp::MIN, Timestamp::MAX] {
            assert!(!rfc3339(extreme).is_empty());
            assert_eq!(time_of_day(extreme).len(), 8);
        }
    }
}
