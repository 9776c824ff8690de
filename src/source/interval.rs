//! The time between samples, as people write it.

use crate::source::live::SHORTEST_INTERVAL;
use std::time::Duration;

const LONGEST: Duration = Duration::from_hours(1);

/// `500ms`, `2s`, `1m 30s`; a bare number is seconds.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let interval = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| OUTSIDE.to_owned())?,
        Err(_) => humantime::parse_duration(text)
            .map_err(|_| "not a time: write it like 500ms, 2s or 1m".to_owned())?,
    };
    if (SHORTEST_INTERVAL..=LONGEST).contains(&interval) {
        Ok(interval)
    } else {
        Err(OUTSIDE.into())
    }
}

const OUTSIDE: &str = "must be from 50ms to 1h";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_as_people_write_them() {
        let ms = |text| parse(text).map(|d| d.as_millis());
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("2s"), Ok(2000));
        assert_eq!(ms("2"), Ok(2000));
        assert_eq!(ms("0.25"), Ok(250));
        assert_eq!(ms("1m 30s"), Ok(90_000));
        assert_eq!(ms("1h"), Ok(3_600_000));
        assert_eq!(ms(" 50ms "), Ok(50));
    }

    #[test]
    fn what_is_no_interval() {
        for text in ["0", "0s", "49ms", "-1", "3601", "2h", "nan", "inf", "1e300"] {
            assert_eq!(parse(text), Err(OUTSIDE.to_owned()), "{text}");
        }
        for text in ["", "fast", "1 fortnight", "s", "1,5"] {
            assert!(parse(text).is_err_and(|e| e.contains("500ms")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_interval_in_range_or_an_error(text in ".*") {
            if let Ok(interval) = parse(&text) {
                prop_assert!(interval >= SHORTEST_INTERVAL && interval <= LONGEST);
            }
        }
    }
}
