//! Mouths that write: JSON, text, forms for monitoring. They compute no facts.

pub mod event_log;
pub mod fix;
pub mod ibstat;
pub mod ip2nets;
pub mod json;
pub mod junit;
pub mod nagios;
pub mod paths;
pub mod run;
pub mod text;
pub mod why;

/// Breaks a paragraph at blanks; each line of the text is one paragraph.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / width);
    for paragraph in text.lines() {
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
        out.push('\n');
    }
    out
}
