//! A frame as SVG: one rectangle per run of background, one text per run of style. Boxes, blocks
//! and braille are drawn as shapes, so that no font decides how they look.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use ratatui::text::Span;
use std::fmt::Write;

const CELL: (f64, f64) = (8.4, 17.0);
const PAPER: &str = "#11151c";
const INK: &str = "#d8dee9";
const MARGIN: f64 = 8.0;

const ANSI: [&str; 16] = [
    "#2e3440", "#d75f00", "#00af87", "#d7af00", "#0072b2", "#cc79a7", "#56b4e9", "#d8dee9",
    "#4c566a", "#ff8700", "#5fd7af", "#f0e442", "#5fafff", "#ffafd7", "#87d7ff", "#ffffff",
];

fn hex(color: Color, default: &str) -> String {
    match color {
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(n) => indexed(n),
        Color::Reset => default.to_owned(),
        named => ANSI[named_index(named)].to_owned(),
    }
}

fn named_index(color: Color) -> usize {
    match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        _ => 7,
    }
}

fn indexed(n: u8) -> String {
    match n {
        0..16 => ANSI[usize::from(n)].to_owned(),
        16..232 => {
            let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            format!("#{:02x}{:02x}{:02x}", level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        _ => {
            let grey = 8 + 10 * (n - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    paper: String,
    bold: bool,
    dim: bool,
}

fn look(cell: &Cell) -> Look {
    let (mut ink, mut paper) = (hex(cell.fg, INK), hex(cell.bg, PAPER));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    Look {
        ink,
        paper,
        bold: cell.modifier.contains(Modifier::BOLD),
        dim: cell.modifier.contains(Modifier::DIM),
    }
}

struct Run {
    x: u16,
    cells: u16,
    text: String,
    look: Look,
}

/// The picture.
pub fn of(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let width = f64::from(columns) * CELL.0 + 2.0 * MARGIN;
    let height = f64::from(rows) * CELL.1 + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace\" \
         font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n"
    );
    for y in 0..rows {
        row(&mut svg, buffer, y, columns);
    }
    svg.push_str("</svg>\n");
    svg
}

fn left(x: u16) -> f64 {
    MARGIN + f64::from(x) * CELL.0
}

fn top(y: u16) -> f64 {
    MARGIN + f64::from(y) * CELL.1
}

fn row(svg: &mut String, buffer: &Buffer, y: u16, columns: u16) {
    let mut runs: Vec<Run> = Vec::new();
    let mut shapes = String::new();
    let mut x = 0;
    while x < columns {
        let cell = &buffer[(x, y)];
        let own = look(cell);
        let cells = (Span::raw(cell.symbol()).width().max(1) as u16).min(columns - x);
        background(svg, x, y, cells, &own);
        if shape(&mut shapes, cell.symbol(), x, y, &own) {
            x += cells;
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.look == own && run.x + run.cells == x => {
                run.text.push_str(cell.symbol());
                run.cells += cells;
            }
            _ => runs.push(Run { x, cells, text: cell.symbol().to_owned(), look: own }),
        }
        x += cells;
    }
    svg.push_str(&shapes);
    for run in runs {
        let text = run.text.trim_end();
        if text.trim().is_empty() {
            continue;
        }
        let lead = text.len() - text.trim_start().len();
        let text = text.trim_start();
        let cells = Span::raw(text).width() as f64;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" fill=\"{}\"{}{} \
             xml:space=\"preserve\">{}</text>",
            left(run.x + lead as u16),
            top(y) + 12.8,
            cells * CELL.0,
            run.look.ink,
            if run.look.bold { " font-weight=\"bold\"" } else { "" },
            if run.look.dim { " opacity=\"0.6\"" } else { "" },
            escape(text)
        );
    }
}

fn background(svg: &mut String, x: u16, y: u16, cells: u16, look: &Look) {
    if look.paper != PAPER {
        rect(svg, left(x), top(y), f64::from(cells) * CELL.0, CELL.1, &look.paper, 1.0);
    }
}

fn rect(svg: &mut String, x: f64, y: f64, w: f64, h: f64, fill: &str, opacity: f64) {
    let fade = if opacity < 1.0 { format!(" opacity=\"{opacity:.2}\"") } else { String::new() };
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{fill}\"{fade}/>"
    );
}

/// Draws what a font may not have; false if it is text.
#[expect(clippy::many_single_char_names, reason = "left, top, width, height of a cell")]
fn shape(svg: &mut String, symbol: &str, x: u16, y: u16, look: &Look) -> bool {
    let Some(glyph) = symbol.chars().next() else { return true };
    let (l, t, (w, h)) = (left(x), top(y), CELL);
    let fade = if look.dim { 0.6 } else { 1.0 };
    let ink = look.ink.as_str();
    match glyph {
        '█' => rect(svg, l, t + 2.0, w, h - 4.0, ink, fade),
        '▉'..='▏' => {
            let eighths = f64::from(0x2590 - glyph as u32);
            rect(svg, l, t + 2.0, w, h - 4.0, ink, 0.15);
            rect(svg, l, t + 2.0, w * eighths / 8.0, h - 4.0, ink, fade);
        }
        '▁'..='▇' => {
            let part = f64::from(glyph as u32 - 0x2580) / 8.0 * (h - 2.0);
            rect(svg, l, t + h - 1.0 - part, w - 0.8, part, ink, fade);
        }
        '░' => rect(svg, l, t + 2.0, w, h - 4.0, ink, 0.15),
        '│' | '┤' | '┼' => {
            rect(svg, l + w / 2.0 - 0.5, t, 1.0, h, ink, fade);
            if glyph != '│' {
                let wide = if glyph == '┼' { w } else { w / 2.0 };
                rect(svg, l, t + h / 2.0 - 0.5, wide, 1.0, ink, fade);
            }
        }
        '\u{2800}'..='\u{28ff}' => braille(svg, glyph as u32 - 0x2800, l, t, ink),
        _ => return false,
    }
    true
}

fn braille(svg: &mut String, dots: u32, l: f64, t: f64, ink: &str) {
    const PLACES: [(u32, f64, f64); 8] = [
        (0x01, 0.0, 0.0),
        (0x02, 0.0, 1.0),
        (0x04, 0.0, 2.0),
        (0x40, 0.0, 3.0),
        (0x08, 1.0, 0.0),
        (0x10, 1.0, 1.0),
        (0x20, 1.0, 2.0),
        (0x80, 1.0, 3.0),
    ];
    for (bit, column, row) in PLACES {
        if dots & bit != 0 {
            let (x, y) = (l + CELL.0 * (0.25 + column * 0.5), t + CELL.1 * (0.125 + row * 0.25));
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"1.5\" fill=\"{ink}\"/>");
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
