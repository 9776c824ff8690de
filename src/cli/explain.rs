//! `railtop explain`.

use super::error::Failure;
use crate::check::{CATALOGUE, Entry, entry};
use crate::sample::Text;
use std::fmt::Write;

/// The explanation of one finding, or the list of all.
pub(super) fn text(id: Option<&str>) -> Result<String, Failure> {
    let Some(id) = id else { return Ok(list()) };
    entry(&id.to_ascii_uppercase()).map(told).ok_or_else(|| {
        let words = format!("no finding is called {id:?}: railtop explain lists them");
        Failure::Usage(Text::new(&words))
    })
}

fn list() -> String {
    let width = CATALOGUE.iter().map(|e| e.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for entry in CATALOGUE {
        let _ = writeln!(text, "{:width$}  {}", entry.id, entry.title);
    }
    text
}

fn told(entry: &Entry) -> String {
    let Entry { id, title, explanation, source, layer } = entry;
    let layer = layer.word().replace('_', " ");
    let explanation = folded(explanation);
    let source = folded(source);
    format!("{id}: {title} (layer: {layer})\n\n{explanation}\n\nSource:\n{source}\n")
}

/// Lines of a width that reads well on any terminal and in a mail.
fn folded(text: &str) -> String {
    const WIDTH: usize = 78;
    let mut out = String::with_capacity(text.len());
    let mut used = 0;
    for word in text.split(' ') {
        let cells = word.chars().count();
        if used > 0 && used + 1 + cells > WIDTH {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += cells;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_listed_and_told() {
        let list = text(None).unwrap();
        for entry in CATALOGUE {
            assert!(list.contains(entry.id));
            let told = text(Some(&entry.id.to_lowercase())).unwrap();
            assert!(told.starts_with(entry.id) && told.contains(entry.title));
            assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
        }
        let unknown = text(Some("PORT_DWON")).unwrap_err().to_string();
        assert!(unknown.contains("railtop explain"), "{unknown}");
    }
}
