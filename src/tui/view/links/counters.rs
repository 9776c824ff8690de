//! The counters of a rail as a health record: those that moved first, each with its meaning.

use super::below::Page;
use crate::check::Verdict;
use crate::node::{CounterRecord, Since};
use crate::sample::{How, Mono};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::tui::view::paint::{cells, pad, wrap};
use crate::units::{self, UNKNOWN};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// From this width on the meaning stands beside the figures.
const WIDE: usize = 120;
/// Indent of what is said below a row.
const INDENT: usize = 4;

/// By how much a counter rose in the last ten minutes; 0 where that is not known.
pub(super) fn recent(record: &CounterRecord, now: Mono) -> u64 {
    record.change(Since::TenMinutes, now).ok().copied().unwrap_or(0)
}

/// `+14`, `≥+3`, `0`, `–`.
pub(super) fn change(record: &CounterRecord, since: Since, now: Mono) -> String {
    let change = record.change(since, now);
    let least = change.qualified.as_ref().is_some_and(|q| q.how == How::Saturated);
    match change.value {
        Ok(0) => "0".into(),
        Ok(n) => format!("{}+{}", if least { "≥" } else { "" }, units::count(n)),
        Err(_) => UNKNOWN.into(),
    }
}

fn value(record: &CounterRecord) -> String {
    match &record.value {
        Ok(n) if record.is_saturated() => format!("≥{}", units::count(*n)),
        Ok(n) => units::count(*n),
        Err(_) => UNKNOWN.into(),
    }
}

/// Where a counter stands in the table; the least is first.
fn rank(record: &CounterRecord, now: Mono) -> (u8, std::cmp::Reverse<Option<Mono>>) {
    let moved = std::cmp::Reverse(record.moved().map(|t| t.mono));
    let warns = record.info.alarm.is_some_and(|a| a.is_warning);
    let rank = match (recent(record, now) > 0, record.info.alarm) {
        (true, Some(_)) if warns => 0,
        (true, Some(_)) => 1,
        (true, None) => 2,
        (false, _) if record.moved().is_some() => 3,
        (false, _) if record.is_saturated() => 4,
        (false, _) => 5,
    };
    (rank, moved)
}

/// The table, then what it leaves out.
pub(super) fn lines(page: &Page<'_>, width: usize) -> Vec<Line<'static>> {
    let now = page.node.time.mono;
    let mut shown: Vec<&CounterRecord> = page.rail.health.counters.iter().collect();
    if shown.is_empty() {
        return vec![Line::raw(
            "no counters: the driver has none, or they are hidden in a container",
        )];
    }
    shown.sort_by_key(|r| rank(r, now));
    let is_quiet = |r: &&CounterRecord| r.value == Ok(0) && r.moved().is_none();
    let quiet: Vec<&str> = shown.iter().copied().filter(is_quiet).map(|r| r.info.name).collect();
    let unread: Vec<&CounterRecord> = shown.iter().copied().filter(|r| r.value.is_err()).collect();
    shown.retain(|r| !is_quiet(r) && r.value.is_ok());
    let mut lines = Vec::new();
    if !shown.is_empty() {
        lines.extend(Rows { page, now, width, shown }.lines());
    }
    let dim = page.context.style(Role::Dim);
    let mut say = |words: String| {
        lines.extend(wrap(&words, width).into_iter().map(|part| Line::styled(part, dim)));
    };
    if !quiet.is_empty() {
        say(format!("0 and unmoved: {}", quiet.join(", ")));
    }
    let mut told: Vec<String> = Vec::new();
    for record in &unread {
        let Err(unknown) = &record.value else { continue };
        let why = format::why(unknown);
        if !told.contains(&why) {
            let same = |r: &&&CounterRecord| r.value.as_ref().is_err_and(|u| format::why(u) == why);
            let names: Vec<&str> = unread.iter().filter(same).map(|r| r.info.name).collect();
            say(format!("not known ({why}): {}", names.join(", ")));
            told.push(why);
        }
    }
    lines
}

struct Rows<'a> {
    page: &'a Page<'a>,
    now: Mono,
    width: usize,
    shown: Vec<&'a CounterRecord>,
}

impl Rows<'_> {
    /// Columns: name, bits, value, changes, time of the last move.
    fn fields(&self, record: &CounterRecord) -> [String; 7] {
        let clock =
            |t: crate::sample::SampleTime| units::clock(t.wall, &self.page.context.look.zone);
        let bits = record.bits().map_or(String::new(), |b| b.to_string());
        let reset = record.reset().map(|t| format!("reset {}", clock(t)));
        [
            record.info.name.to_owned(),
            bits,
            value(record),
            change(record, Since::TenMinutes, self.now),
            change(record, Since::Mark, self.now),
            change(record, Since::Start, self.now),
            record.moved().map(clock).or(reset).unwrap_or_else(|| UNKNOWN.to_owned()),
        ]
    }

    fn lines(&self) -> Vec<Line<'static>> {
        let marked = !self.page.node.marks.is_empty();
        let heads =
            ["COUNTER", "BITS", "NOW", "10 MIN", "MARK", "START", "MOVED"].map(str::to_owned);
        let rows: Vec<[String; 7]> = self.shown.iter().map(|r| self.fields(r)).collect();
        let mut widths = heads.clone().map(|h| cells(&h));
        for fields in &rows {
            for (width, field) in widths.iter_mut().zip(fields) {
                *width = (*width).max(cells(field));
            }
        }
        let line = |fields: &[String; 7]| -> String {
            let mut text = String::new();
            for (n, (field, width)) in fields.iter().zip(widths).enumerate() {
                if n == 4 && !marked {
                    continue;
                }
                if n == 0 {
                    text.push_str(&pad(field, width));
                } else {
                    text.push_str("  ");
                    text.push_str(&" ".repeat(width.saturating_sub(cells(field))));
                    text.push_str(field);
                }
            }
            text
        };
        let dim = self.page.context.style(Role::Dim);
        let head = line(&heads);
        let wide = self.width >= WIDE && cells(&head) + 30 < self.width;
        let meaning = if wide { "  WHAT IT TELLS" } else { "" };
        let mut lines = vec![Line::styled(format!("{head}{meaning}"), dim)];
        for (record, fields) in self.shown.iter().zip(&rows) {
            let style = self.style(record);
            let mut spans = vec![Span::styled(line(fields), style)];
            if wide {
                let room = self.width.saturating_sub(cells(&head) + 2);
                let mut parts = wrap(&self.words(record), room.saturating_sub(1)).into_iter();
                let mut first = parts.next().unwrap_or_default();
                let rest: Vec<String> = parts.collect();
                let is_told = recent(record, self.now) > 0;
                if !is_told && !rest.is_empty() {
                    first.push_str(glyphs::ELLIPSIS);
                }
                spans.push(Span::styled(format!("  {first}"), dim));
                lines.push(Line::from(spans));
                let lead = " ".repeat(cells(&head) + 2);
                let rest = rest.into_iter().filter(|_| is_told);
                lines.extend(rest.map(|p| Line::styled(format!("{lead}{p}"), dim)));
            } else {
                lines.push(Line::from(spans));
                if record.moved().is_some() || record.is_saturated() {
                    let room = self.width.saturating_sub(INDENT);
                    let lead = " ".repeat(INDENT);
                    let words = wrap(&self.words(record), room).into_iter();
                    lines.extend(words.map(|p| Line::styled(format!("{lead}{p}"), dim)));
                }
            }
        }
        lines
    }

    /// What it counts, and what to look at.
    fn words(&self, record: &CounterRecord) -> String {
        let why = record.change(Since::TenMinutes, self.now).value.err();
        let stands = if record.is_saturated() {
            "what is new is not counted until perfquery -R; "
        } else {
            ""
        };
        let reason = match why {
            Some(unknown) if !record.is_saturated() && !unknown.detail.is_empty() => {
                format!(" ({})", unknown.detail)
            }
            _ => String::new(),
        };
        format!("{stands}{}: {}{reason}", record.info.meaning, record.info.cause)
    }

    fn style(&self, record: &CounterRecord) -> Style {
        let context = self.page.context;
        match record.info.alarm {
            Some(alarm) if recent(record, self.now) > 0 && alarm.is_warning => {
                context.style(Role::Verdict(Verdict::Warning))
            }
            Some(_) if recent(record, self.now) > 0 || record.is_saturated() => {
                context.style(Role::Verdict(Verdict::Note))
            }
            _ if record.moved().is_some() => Style::new(),
            _ => context.style(Role::Dim),
        }
    }
}
