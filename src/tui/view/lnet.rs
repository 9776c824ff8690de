//! LNet: where it stands, its nets and NIs, and of the selected NI everything it says.

use super::paint::{right, scrolled, text};
use super::rail::per_second;
use super::{Context, Extent};
use crate::check::Verdict;
use crate::node::{Node, Rail, RailNi};
use crate::sample::{Lnet, LnetFailure, LnetNi};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

/// Health of an NI that nothing went wrong with (LNET_MAX_HEALTH_VALUE of Lustre's lnet).
const FULL_HEALTH: u32 = 1000;

/// LNet in the head: `LNet 2.15.8 up, o2ib 4 NIs`.
pub(crate) fn stage_words(lnet: &Lnet) -> String {
    let version = lnet.version.as_ref().map_or(String::new(), |v| format!(" {v}"));
    let stage = match &lnet.answer {
        Ok(answer) => {
            let nets: Vec<String> = answer
                .nets
                .iter()
                .filter(|net| &*net.name != "lo")
                .map(|net| match net.nis.len() {
                    1 => format!("{} 1 NI", net.name),
                    n => format!("{} {n} NIs", net.name),
                })
                .collect();
            if nets.is_empty() {
                "configured, no net".to_owned()
            } else {
                format!("up, {}", nets.join(", "))
            }
        }
        Err(LnetFailure::NotInstalled) if lnet.modules.lnet == Some(true) => {
            "loaded, no lnetctl".to_owned()
        }
        Err(LnetFailure::NotInstalled) => return "no LNet".to_owned(),
        Err(LnetFailure::NotLoaded) => "not loaded".to_owned(),
        Err(LnetFailure::NotConfigured) => "loaded, not configured".to_owned(),
        Err(LnetFailure::Denied(_)) => "needs root".to_owned(),
        Err(LnetFailure::Timeout(_)) => "does not answer".to_owned(),
        Err(LnetFailure::Failed(_)) => "cannot be read".to_owned(),
        Err(LnetFailure::Pending) => "asked …".to_owned(),
    };
    format!("LNet{version} {stage}")
}

/// The LNET column of a rail, and whether it is bad.
pub(crate) fn rail_words(node: &Node, rail: &Rail) -> (String, bool) {
    let down = |ni: &&RailNi| ni.ni.status.as_ref().is_ok_and(|s| s != "up");
    let unhealthy = |ni: &RailNi| ni.ni.health.as_ref().ok().copied().filter(|h| *h < FULL_HEALTH);
    match rail.lnet.as_slice() {
        [] if node.lnet.answer.is_ok() => ("no NI".to_owned(), false),
        [] => (glyphs::UNKNOWN.to_owned(), false),
        [one] if down(&one) => ("NI down".to_owned(), true),
        [one] => match (&one.ni.status, unhealthy(one)) {
            (Ok(status), Some(health)) => (format!("{status} {health}"), true),
            (status, _) => (format::reading(status), false),
        },
        many => match many.iter().filter(down).count() {
            0 => (format!("{} up", many.len()), false),
            n => (format!("{n} of {} down", many.len()), true),
        },
    }
}

/// Heading, width; most useful first.
const COLUMNS: [(&str, u16); 10] = [
    ("NID", 24),
    ("ON", 8),
    ("STATUS", 6),
    ("HEALTH", 6),
    ("FATAL", 5),
    ("CREDITS", 7),
    ("SENT/S", 8),
    ("RECV/S", 8),
    ("DROPS", 8),
    ("CPT", 10),
];

struct Entry<'a> {
    ni: &'a LnetNi,
    joined: Option<(&'a Rail, &'a RailNi)>,
}

/// Draws the screen.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, context: &Context<'_>, node: &Node) -> Extent {
    let words = full_stage(&node.lnet);
    text(buffer, area.x + 1, area.y, area.width - 2, &words, Style::new());
    let nis = nis(node, context);
    let cursor = context.view.cursor.min(nis.len().saturating_sub(1));
    let table = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    let most = usize::from(table.height.saturating_sub(1) / 2).max(1);
    let rows = nis.len().min(most);
    let first = (cursor + 1).saturating_sub(rows);
    let mut y = table.y;
    if !nis.is_empty() {
        row(buffer, table, y, &COLUMNS.map(|(name, _)| name.to_owned()), context.style(Role::Dim));
        y += 1;
    }
    for (n, one) in nis.iter().enumerate().skip(first).take(rows) {
        if y >= area.bottom() {
            break;
        }
        ni_row(buffer, table, y, context, one, n == cursor);
        y += 1;
    }
    if nis.len() > rows {
        let words = format!("… {} NIs in all: j and k show the others", nis.len());
        text(buffer, area.x + 4, y, area.width.saturating_sub(5), &words, context.style(Role::Dim));
        y += 1;
    }
    let rest = Rect { y: y + 1, height: area.bottom().saturating_sub(y + 1), ..area };
    let lines = nis.get(cursor).map_or_else(Vec::new, |one| more(one.ni, context, area.width));
    let extent = scrolled(buffer, rest, &lines, context);
    Extent { choices: nis.len(), ..extent }
}

fn full_stage(lnet: &Lnet) -> String {
    let mut words = stage_words(lnet);
    if let Err(LnetFailure::Denied(why) | LnetFailure::Timeout(why) | LnetFailure::Failed(why)) =
        &lnet.answer
    {
        words.push_str(": ");
        words.push_str(why);
    }
    let module = |name: &str, there: Option<bool>| match there {
        Some(true) => format!("{name} loaded"),
        Some(false) => format!("{name} not loaded"),
        None => format!("{name} {}", glyphs::UNKNOWN),
    };
    let modules = &lnet.modules;
    let parts = [
        module("lnet", modules.lnet),
        module("ko2iblnd", modules.ko2iblnd),
        module("ksocklnd", modules.ksocklnd),
    ];
    format!("{words}   ({})", parts.join(", "))
}

fn nis<'a>(node: &'a Node, context: &Context<'_>) -> Vec<Entry<'a>> {
    let Ok(answer) = &node.lnet.answer else { return Vec::new() };
    answer
        .nets
        .iter()
        .flat_map(|net| &net.nis)
        .filter(|ni| {
            context.passes(&ni.nid) || ni.interfaces.iter().any(|name| context.passes(name))
        })
        .map(|ni| {
            let joined = node.rails.iter().find_map(|rail| {
                let own = rail.lnet.iter().find(|own| own.ni.nid == ni.nid)?;
                Some((rail, own))
            });
            Entry { ni, joined }
        })
        .collect()
}

fn row(buffer: &mut Buffer, area: Rect, y: u16, fields: &[String; 10], style: Style) {
    let mut x = area.x + 4;
    for (n, (field, (_, width))) in fields.iter().zip(COLUMNS).enumerate() {
        if x + width >= area.right() {
            break;
        }
        if (3..=8).contains(&n) {
            right(buffer, x, y, width, field, style);
        } else {
            text(buffer, x, y, width, field, style);
        }
        x += width + 1;
    }
}

fn ni_row(
    buffer: &mut Buffer,
    area: Rect,
    y: u16,
    context: &Context<'_>,
    one: &Entry<'_>,
    selected: bool,
) {
    let ni = one.ni;
    let verdict = match (&ni.status, &ni.health) {
        _ if ni.is_lo() => Verdict::NotApplicable,
        (Ok(status), _) if status != "up" => Verdict::Critical,
        (Ok(_), Ok(health)) if *health < FULL_HEALTH => Verdict::Warning,
        (Ok(_), _) => Verdict::Ok,
        (Err(_), _) => Verdict::Unknown,
    };
    let sign =
        format!("{}{}", if selected { glyphs::SELECTED } else { " " }, glyphs::verdict(verdict));
    text(buffer, area.x + 1, y, 2, &sign, context.style(Role::Verdict(verdict)));
    let on = one.joined.map_or_else(
        || ni.interfaces.first().map_or(glyphs::UNKNOWN.to_owned(), ToString::to_string),
        |(rail, _)| rail.name.to_string(),
    );
    let rate = |pick: fn(&RailNi) -> &crate::node::Figure| {
        one.joined.map_or(glyphs::UNKNOWN.to_owned(), |(_, own)| per_second(pick(own)))
    };
    let fields = [
        ni.nid.to_string(),
        on,
        format::reading(&ni.status),
        format::reading(&ni.health),
        format::reading(&ni.fatal_error),
        format::reading(&ni.credits),
        rate(|own| &own.sent_per_second),
        rate(|own| &own.received_per_second),
        ni.drop_count.as_ref().map_or(glyphs::UNKNOWN.to_owned(), |n| format::count((*n).into())),
        format::reading(&ni.cpt),
    ];
    let judged = context.style(Role::Verdict(verdict));
    let style = if matches!(verdict, Verdict::Critical) { judged } else { Style::new() };
    row(buffer, area, y, &fields, style);
    if selected {
        let style = context.style(Role::Selected);
        text(buffer, area.x + 4, y, COLUMNS.first().map_or(24, |c| c.1), &ni.nid, style);
    }
}

fn more(ni: &LnetNi, context: &Context<'_>, width: u16) -> Vec<Line<'static>> {
    const CELL: usize = 38;
    let mut lines = vec![Line::styled(format!("ALL OF {}", ni.nid), context.style(Role::Dim))];
    let mut values: Vec<(String, String)> = vec![
        (
            "interfaces".into(),
            ni.interfaces.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" "),
        ),
        ("send_count".into(), format::explained(&ni.send_count)),
        ("recv_count".into(), format::explained(&ni.recv_count)),
        ("peer_credits".into(), format::explained(&ni.peer_credits)),
        ("dev cpt".into(), format::explained(&ni.dev_cpt)),
    ];
    values.extend(ni.more.iter().map(|(path, value)| (path.to_string(), value.to_string())));
    let columns = (usize::from(width.saturating_sub(2)) / CELL).max(1);
    for chunk in values.chunks(columns) {
        let mut words = String::new();
        for (name, value) in chunk {
            words.push_str(&super::paint::pad(&format!("{name}  {value}"), CELL));
        }
        lines.push(Line::raw(words.trim_end().to_owned()));
    }
    lines
}
