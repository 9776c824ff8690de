//! `railtop explain`.

use super::error::Failure;
use crate::check::{CATALOGUE, Entry, entry};
use crate::lnet::ip2nets::surprise::KINDS;
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
        None => Err(Failure::Usage(Text::new(&format!(
            "no finding has the id {id:?}; railtop explain lists all"
        )))),
    }
}

fn list() -> String {
    let width = CATALOGUE.iter().map(|e| e.id.len()).max().unwrap_or_default();
    CATALOGUE.iter().fold(String::new(), |mut all, e| {
        let _ = writeln!(all, "{:width$}  {}: {}", e.id, e.layer.word(), e.title);
        all
    })
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
