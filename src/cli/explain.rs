//! `railtop explain`.

use super::error::Failure;
use crate::check::{CATALOGUE, Entry, entry};
use crate::lnet::ip2nets::surprise::KINDS;
use crate::node::{COUNTERS, CounterInfo, counter_named};
use crate::report::wrap;
use crate::sample::Text;
use std::fmt::Write;

/// The explanation of one finding, or the list of all.
pub(super) fn text(id: Option<&str>) -> Result<String, Failure> {
    let Some(id) = id else { return Ok(list()) };
    let wanted = id.to_ascii_uppercase();
    let surprise = || KINDS.iter().find(|(id, _)| *id == wanted);
    match entry(&wanted) {
        Some(entry) => Ok(whole(entry)),
        None if let Some((id, meaning)) = surprise() => {
            Ok(format!("{id}: {meaning} (a surprise of railtop ip2nets)\n"))
        }
        None if let Some(counter) = counter_named(id) => Ok(of_counter(counter)),
        None => Err(Failure::Usage(Text::new(&format!(
            "no finding has the id {id:?}, and no counter the name; railtop explain lists all"
        )))),
    }
}

/// What a counter means.
fn of_counter(info: &CounterInfo) -> String {
    let CounterInfo { name, unit, meaning, cause, source, .. } = info;
    let width = match (info.bits, info.sticks_at()) {
        (Some(bits), Some(max)) => {
            format!("{bits} bits; it stands still at {max} until it is reset (perfquery -R)")
        }
        (Some(bits), None) => format!("{bits} bits"),
        (None, _) => "32 bits that wrap on mlx5, else a matter of the driver".into(),
    };
    let judged = match info.alarm {
        None => "It is shown and never judged.".to_owned(),
        Some(alarm) => {
            let word = if alarm.is_warning { "warning" } else { "note" };
            let up_to_edr = match alarm.more_than_up_to_edr {
                more if more == alarm.more_than => String::new(),
                more => format!(", on links up to EDR more than {more}"),
            };
            let more = alarm.more_than;
            format!("ERRORS_RISING ({word}) at more than {more} in ten minutes{up_to_edr}.")
        }
    };
    let text = format!("It tells: {meaning}.\nLook at: {cause}.\nRegister: {width}.\n{judged}");
    format!(
        "{name}: counts {unit} ({})\n\n{}\nSource: {source}\n",
        info.group.word(),
        wrap(&text, 78)
    )
}

fn list() -> String {
    let width = CATALOGUE.iter().map(|e| e.id.len()).max().unwrap_or_default();
    let mut all = CATALOGUE.iter().fold(String::new(), |mut all, e| {
        let _ = writeln!(all, "{:width$}  {}: {}", e.id, e.layer.word(), e.title);
        all
    });
    let names: Vec<&str> = COUNTERS.iter().map(|c| c.name).collect();
    let _ = write!(all, "\nCounters: {}", wrap(&names.join(", "), 78));
    all
}

fn whole(entry: &Entry) -> String {
    let Entry { id, layer, title, explanation, source } = entry;
    let explanation = wrap(explanation, 78);
    format!("{id}: {title} (layer: {})\n\n{explanation}\nSource: {source}\n", layer.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_listed_and_told_in_lines_that_fit() {
        let all = text(None).unwrap();
        for entry in CATALOGUE {
            assert!(all.contains(entry.id));
            let told = text(Some(&entry.id.to_lowercase())).unwrap();
            assert!(told.starts_with(entry.id) && told.contains("Source: "), "{told}");
            let body = told.split("\nSource: ").next().unwrap_or_default();
            assert!(body.lines().skip(1).all(|l| l.chars().count() <= 78), "{told}");
        }
    }

    #[test]
    fn every_counter_is_told_too() {
        let all = text(None).unwrap();
        for info in COUNTERS {
            assert!(all.contains(info.name));
            let told = text(Some(info.name)).unwrap();
            assert!(told.starts_with(info.name) && told.contains(info.source), "{told}");
        }
        let told = text(Some("symbol_error")).unwrap();
        assert!(told.contains("stands still at 65535") && told.contains("more than 0"), "{told}");
    }

    #[test]
    fn surprises_of_ip2nets_are_told_too() {
        assert!(text(Some("octal")).unwrap().starts_with("OCTAL: `010` is 8"));
        let finding = |(id, _): &&(&str, &str)| entry(id).is_some();
        assert_eq!(KINDS.iter().filter(finding).count(), 0);
    }

    #[test]
    fn an_unknown_id_is_a_usage_error() {
        assert_eq!(text(Some("NO_SUCH")).unwrap_err().code(), 64);
    }
}
