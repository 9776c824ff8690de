//! A frame as text: the glyphs, then the styles as letters, then what the letters mean.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

fn style_of(cell: &ratatui::buffer::Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(format!("fg {}", cell.fg));
    }
    if cell.bg != Color::Reset {
        words.push(format!("bg {}", cell.bg));
    }
    if cell.modifier != Modifier::empty() {
        words.push(format!("{:?}", cell.modifier).to_lowercase());
    }
    words.join(" ")
}

/// Glyphs, styles, legend.
pub fn of(buffer: &Buffer) -> String {
    let mut glyphs = String::new();
    let mut styles = String::new();
    let mut legend: Vec<String> = Vec::new();
    for y in 0..buffer.area.height {
        let (mut glyph_row, mut style_row) = (String::new(), String::new());
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            if skip == 0 {
                glyph_row.push_str(cell.symbol());
                skip = ratatui::text::Span::raw(cell.symbol()).width().saturating_sub(1);
            } else {
                skip -= 1;
            }
            let style = style_of(cell);
            if style.is_empty() {
                style_row.push('.');
                continue;
            }
            let n = legend.iter().position(|s| *s == style).unwrap_or_else(|| {
                legend.push(style);
                legend.len() - 1
            });
            style_row.push(char::from(b'a' + n as u8));
        }
        writeln!(glyphs, "{}", glyph_row.trim_end()).unwrap();
        writeln!(styles, "{}", style_row.trim_end_matches('.')).unwrap();
    }
    let mut out = format!("{glyphs}--- styles\n{styles}--- legend\n");
    for (n, style) in legend.iter().enumerate() {
        writeln!(out, "{} {style}", char::from(b'a' + n as u8)).unwrap();
    }
    out
}
