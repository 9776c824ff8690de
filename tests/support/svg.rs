//! A frame as SVG. What a font may not have (bars, signs, axes, braille) is drawn as shapes, so
//! that no font decides how it looks; every run of letters is stretched to its cells.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use ratatui::text::Span;
use std::collections::BTreeMap;
use std::fmt::Write;

const CELL: (f64, f64) = (8.4, 17.0);
const PAPER: &str = "#11151c";
const INK: &str = "#d8dee9";
const MARGIN: f64 = 10.0;
const DIM: f64 = 0.62;

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

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
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

/// Cells side by side that look alike.
struct Run {
    x: u16,
    y: u16,
    cells: u16,
    text: String,
    look: Look,
}

#[derive(Default)]
struct Picture {
    papers: Vec<Run>,
    texts: Vec<Run>,
    /// Paths by colour and strength.
    filled: BTreeMap<(String, u8), String>,
    /// Braille dots by colour.
    dots: BTreeMap<String, String>,
}

/// The picture.
pub fn of(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let mut picture = Picture::default();
    for y in 0..rows {
        let mut x = 0;
        while x < columns {
            let cell = &buffer[(x, y)];
            let cells = (Span::raw(cell.symbol()).width().max(1) as u16).min(columns - x);
            picture.cell(cell, x, y, cells);
            x += cells;
        }
    }
    picture.svg(columns, rows)
}

fn left(x: u16) -> f64 {
    MARGIN + f64::from(x) * CELL.0
}

fn top(y: u16) -> f64 {
    MARGIN + f64::from(y) * CELL.1
}

/// Lengthens the last run, or begins one.
fn extend(runs: &mut Vec<Run>, x: u16, y: u16, cells: u16, symbol: &str, look: Look, alone: bool) {
    match runs.last_mut() {
        Some(run) if !alone && run.look == look && run.y == y && run.x + run.cells == x => {
            run.text.push_str(symbol);
            run.cells += cells;
        }
        _ => runs.push(Run { x, y, cells, text: symbol.to_owned(), look }),
    }
}

impl Picture {
    fn cell(&mut self, cell: &Cell, x: u16, y: u16, cells: u16) {
        let look = look(cell);
        if look.paper != PAPER {
            let paper = Look { ink: String::new(), bold: false, dim: false, ..look.clone() };
            extend(&mut self.papers, x, y, cells, "", paper, false);
        }
        if self.shape(cell.symbol(), x, y, &look) {
            return;
        }
        // A letter that comes from another font must not push those behind it.
        let foreign = |s: &str| !s.is_ascii();
        let alone = foreign(cell.symbol()) || self.texts.last().is_some_and(|r| foreign(&r.text));
        extend(&mut self.texts, x, y, cells, cell.symbol(), look, alone);
    }

    fn fill(&mut self, look: &Look, strength: f64, path: &str) {
        let strength = if look.dim { strength * DIM } else { strength };
        let key = (look.ink.clone(), (strength * 100.0).round() as u8);
        self.filled.entry(key).or_default().push_str(path);
    }

    fn bar(&mut self, look: &Look, strength: f64, x: f64, y: f64, w: f64, h: f64) {
        self.fill(look, strength, &format!("M{x:.1} {y:.1}h{w:.1}v{h:.1}h{:.1}z", -w));
    }

    /// Draws what a font may not have; false if it is text.
    #[expect(clippy::many_single_char_names, reason = "left, top, width, height of a cell")]
    fn shape(&mut self, symbol: &str, x: u16, y: u16, look: &Look) -> bool {
        let Some(glyph) = symbol.chars().next() else { return true };
        let (l, t, (w, h)) = (left(x), top(y), CELL);
        let (cx, cy) = (l + w / 2.0, t + h / 2.0);
        match glyph {
            '█' => self.bar(look, 1.0, l, t + 3.0, w, h - 6.0),
            '▉'..='▏' => {
                let eighths = f64::from(0x2590 - glyph as u32);
                self.bar(look, 0.15, l, t + 3.0, w, h - 6.0);
                self.bar(look, 1.0, l, t + 3.0, w * eighths / 8.0, h - 6.0);
            }
            '▁'..='▇' => {
                let part = f64::from(glyph as u32 - 0x2580) / 8.0 * (h - 4.0);
                self.bar(look, 1.0, l, t + h - 2.0 - part, w - 0.8, part);
            }
            '░' => self.bar(look, 0.15, l, t + 3.0, w, h - 6.0),
            '│' | '┤' | '┼' | '└' => {
                let reach = if glyph == '└' { h / 2.0 } else { h };
                self.bar(look, 1.0, cx - 0.5, t, 1.0, reach);
                match glyph {
                    '┤' => self.bar(look, 1.0, l, cy - 0.5, w / 2.0, 1.0),
                    '┼' => self.bar(look, 1.0, l, cy - 0.5, w, 1.0),
                    '└' => self.bar(look, 1.0, cx, cy - 0.5, w / 2.0, 1.0),
                    _ => {}
                }
            }
            '●' => self.fill(
                look,
                1.0,
                &format!("M{:.1} {cy:.1}a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z", cx - 3.6),
            ),
            '▲' => self.fill(look, 1.0, &format!("M{cx:.1} {:.1}l4.2 8h-8.4z", cy - 4.2)),
            '◆' => self.fill(
                look,
                1.0,
                &format!("M{cx:.1} {:.1}l4.2 4.6l-4.2 4.6l-4.2 -4.6z", cy - 4.6),
            ),
            '▸' => self.fill(look, 1.0, &format!("M{:.1} {:.1}l6 4l-6 4z", l + 1.5, cy - 4.0)),
            '✖' => self.fill(
                look,
                1.0,
                &format!(
                    "M{cx:.1} {:.1}l2.6 -2.6l1.8 1.8l-2.6 2.6l2.6 2.6l-1.8 1.8l-2.6 -2.6l-2.6 2.6\
                 l-1.8 -1.8l2.6 -2.6l-2.6 -2.6l1.8 -1.8z",
                    cy - 1.8
                ),
            ),
            '\u{2800}'..='\u{28ff}' => self.braille(glyph as u32 - 0x2800, l, t, &look.ink),
            _ => return false,
        }
        true
    }

    fn braille(&mut self, dots: u32, l: f64, t: f64, ink: &str) {
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
        let path = self.dots.entry(ink.to_owned()).or_default();
        for (bit, column, row) in PLACES {
            if dots & bit != 0 {
                let (x, y) =
                    (l + CELL.0 * (0.25 + column * 0.5), t + CELL.1 * (0.125 + row * 0.25));
                let _ = write!(path, "M{x:.1} {y:.1}h0");
            }
        }
    }

    fn svg(&self, columns: u16, rows: u16) -> String {
        let width = f64::from(columns) * CELL.0 + 2.0 * MARGIN;
        let height = f64::from(rows) * CELL.1 + 2.0 * MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.1} {height:.1}\" font-size=\"14\" \
             font-family=\"'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace\">\n\
             <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n"
        );
        for run in &self.papers {
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
                left(run.x),
                top(run.y),
                f64::from(run.cells) * CELL.0,
                CELL.1,
                run.look.paper
            );
        }
        for ((ink, strength), path) in &self.filled {
            let fade = match strength {
                100 => String::new(),
                part => format!(" opacity=\"{:.2}\"", f64::from(*part) / 100.0),
            };
            let _ = writeln!(svg, "<path fill=\"{ink}\"{fade} d=\"{path}\"/>");
        }
        for (ink, path) in &self.dots {
            let _ = writeln!(
                svg,
                "<path stroke=\"{ink}\" stroke-width=\"2.8\" stroke-linecap=\"round\" d=\"{path}\"/>"
            );
        }
        self.texts.iter().for_each(|run| text(&mut svg, run));
        svg.push_str("</svg>\n");
        svg
    }
}

fn text(svg: &mut String, run: &Run) {
    let text = run.text.trim_end();
    if text.trim().is_empty() {
        return;
    }
    let lead = text.len() - text.trim_start().len();
    let text = text.trim_start();
    let cells = Span::raw(text).width() as f64;
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" fill=\"{}\"{}{} \
         xml:space=\"preserve\">{}</text>",
        left(run.x + lead as u16),
        top(run.y) + 12.8,
        cells * CELL.0,
        run.look.ink,
        if run.look.bold { " font-weight=\"bold\"" } else { "" },
        if run.look.dim { format!(" opacity=\"{DIM}\"") } else { String::new() },
        escape(text)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
