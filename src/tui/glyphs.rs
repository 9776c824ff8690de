//! Shapes. Views draw with Unicode; one pass over the finished frame turns it into ASCII where
//! the terminal wants that, so that no text from the model can slip through.

use crate::check::Verdict;
use ratatui::buffer::Buffer;

/// The selected row.
pub(crate) const SELECTED: &str = "▸";
/// Text was cut here.
pub(crate) const ELLIPSIS: &str = "…";

/// The sign of a verdict, one cell wide.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "●",
        Verdict::Note => "◆",
        Verdict::Warning => "▲",
        Verdict::Critical => "✖",
        Verdict::Unknown => "?",
        Verdict::NotApplicable => "·",
    }
}

/// Does the locale say UTF-8? `TERM=linux` has UTF-8 but a font without these shapes.
pub(crate) fn wants_ascii(get: impl Fn(&str) -> Option<String>) -> bool {
    if get("TERM").as_deref() == Some("linux") {
        return true;
    }
    // POSIX: the first of these that is set and not empty decides.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| get(name).filter(|v| !v.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    !(locale.contains("utf-8") || locale.contains("utf8"))
}

const EIGHTHS: [&str; 8] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A horizontal bar: the filled part and the empty part.
pub(crate) fn bar(ratio: f64, width: usize) -> (String, String) {
    let ratio = if ratio.is_finite() { ratio.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (ratio * width as f64 * 8.0).round() as usize;
    let mut filled = "█".repeat((eighths / 8).min(width));
    let mut cells = eighths / 8;
    if let Some(part) =
        EIGHTHS.get(eighths % 8).filter(|_| !eighths.is_multiple_of(8) && cells < width)
    {
        filled.push_str(part);
        cells += 1;
    }
    (filled, "░".repeat(width.saturating_sub(cells)))
}

/// One cell of a sparkline, `ratio` of the full height.
pub(crate) fn level(ratio: f64) -> &'static str {
    let ratio = if ratio.is_finite() { ratio.clamp(0.0, 1.0) } else { 0.0 };
    LEVELS.get((ratio * 7.0).round() as usize).copied().unwrap_or("█")
}

/// Replaces everything that is not ASCII.
pub(crate) fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let plain = ascii_of(symbol);
        cell.set_symbol(plain);
    }
}

fn ascii_of(symbol: &str) -> &'static str {
    match symbol {
        "●" | "✔" | "▆" => "*",
        "▲" => "!",
        "✖" => "X",
        "–" | "—" | "─" | "−" | "▄" => "-",
        "·" | "▂" | "░" => ".",
        "▁" => "_",
        "…" => "~",
        "↑" => "^",
        "↓" => "v",
        "│" | "┤" => "|",
        "◆" | "▅" | "┼" | "├" | "└" | "┌" => "+",
        "█" | "▉" | "▊" | "▋" | "▌" => "#",
        "▍" | "▎" | "▏" | "▃" | "▇" => "=",
        "▸" | "→" | "▶" | "≥" => ">",
        "◀" | "←" | "⟵" | "≤" => "<",
        "×" => "x",
        "µ" => "u",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_locale_decides() {
        let ascii = |vars: &'static [(&str, &str)]| {
            wants_ascii(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert!(!ascii(&[("LANG", "en_US.UTF-8")]));
        assert!(!ascii(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
        assert!(ascii(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(ascii(&[]));
        assert!(ascii(&[("LANG", "en_US.UTF-8"), ("TERM", "linux")]));
    }

    proptest! {
        #[test]
        fn a_bar_keeps_its_width(ratio: f64, width in 0usize..40) {
            let (full, empty) = bar(ratio, width);
            prop_assert_eq!(full.chars().count() + empty.chars().count(), width);
        }

        #[test]
        fn a_level_exists_for_every_ratio(ratio: f64) {
            prop_assert_eq!(level(ratio).chars().count(), 1);
        }
    }
}
