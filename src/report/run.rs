//! What a command, or the time between two marks, did to the rails: a table for a ticket.

use crate::node::{FlowSummary, GroupSummary, IntervalSummary, RailSummary};
use crate::sample::{Fact, How};
use crate::units::{self, RateUnit, UNKNOWN};
use std::fmt::Write;

/// One run of a command.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the user calls it, else the command.
    pub label: String,
    /// Its exit code; `None` for the time between two marks.
    pub exit_code: Option<u8>,
    /// What the rails did.
    pub summary: IntervalSummary,
}

/// The table: 80 columns, plain text.
pub fn text(run: &Run, bits: bool) -> String {
    let summary = &run.summary;
    let exit = run.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
    let seconds = summary.lasted.as_secs_f64();
    let mut out = format!("{}: {seconds:.1} s{exit}\n", run.label);
    out.push_str(&table(summary, bits));
    for group in &summary.groups {
        let _ = writeln!(out, "{}", balance(group, summary));
    }
    for event in &summary.events {
        let time = units::time_of_day(event.time.wall);
        let _ = writeln!(out, "{time}  {}  {}", event.subject, event.text);
    }
    out
}

/// Both directions, one after the other, one row per rail.
pub fn table(summary: &IntervalSummary, bits: bool) -> String {
    let unit = unit(summary, bits);
    let name = summary.rails.iter().map(|r| r.name.chars().count()).max().unwrap_or(0).max(5);
    let mut out = String::new();
    for (way, get) in WAYS {
        let head = format!("{way:name$}  {:>10}  {:>8} {}", "BYTES", "MEAN", unit.label);
        let _ = writeln!(out, "{head}  {:>8}  {:>8}  {:>6}", "P95", "PEAK", "SHARE");
        for rail in &summary.rails {
            let flow = get(rail);
            let gap = " ".repeat(unit.label.len() + 1);
            let _ = writeln!(
                out,
                "{:name$}  {:>10}  {:>8}{gap}  {:>8}  {:>8}  {:>6}",
                rail.name.as_str(),
                bytes(&flow.bytes),
                rate(unit, &flow.mean_bytes_per_second),
                rate(unit, &flow.p95_bytes_per_second),
                rate(unit, &flow.peak_bytes_per_second),
                flow.share_ratio.ok().map_or_else(|| UNKNOWN.into(), |s| units::percent(*s)),
            );
        }
    }
    out
}

/// A direction's name, and how to get it.
type Way = (&'static str, fn(&RailSummary) -> &FlowSummary);

const WAYS: [Way; 2] = [("RX", |rail| &rail.rx), ("TX", |rail| &rail.tx)];

/// One unit for the whole table, chosen by its greatest rate.
fn unit(summary: &IntervalSummary, bits: bool) -> RateUnit {
    let rates = summary.rails.iter().flat_map(|r| [&r.rx, &r.tx]);
    let rates = rates.flat_map(|f| [&f.mean_bytes_per_second, &f.peak_bytes_per_second]);
    let most = rates.filter_map(|f| f.ok().copied()).fold(0.0, f64::max);
    RateUnit::for_links(if most >= 1e8 { 8e9 } else { most }, bits)
}

fn rate(unit: RateUnit, figure: &Fact<f64>) -> String {
    figure.ok().map_or_else(|| UNKNOWN.into(), |r| format!("{}{}", mark(figure), unit.rate(*r)))
}

fn bytes(figure: &Fact<u64>) -> String {
    figure.ok().map_or_else(|| UNKNOWN.into(), |b| format!("{}{}", mark(figure), units::size(*b)))
}

/// `≥` in front of a lower bound.
fn mark<T>(figure: &Fact<T>) -> &'static str {
    let bound = figure.qualified.as_ref().is_some_and(|q| q.how == How::Saturated);
    if bound { "≥" } else { "" }
}

fn balance(group: &GroupSummary, summary: &IntervalSummary) -> String {
    let side = |side: &crate::node::BalanceSide| {
        let Some(jain) = side.jain_index.ok() else { return UNKNOWN.to_owned() };
        let slowest = side.slowest.and_then(|at| summary.rails.get(at));
        let part = side.slowest_share_of_fair_ratio.ok();
        match slowest.zip(part) {
            Some((rail, part)) => format!(
                "{} (slowest {} at {} of fair)",
                units::ratio(*jain),
                rail.name,
                units::percent(*part)
            ),
            None => units::ratio(*jain),
        }
    };
    let (rx, tx) = (side(&group.balance.rx), side(&group.balance.tx));
    format!("balance of {}: RX {rx}, TX {tx}", group.name)
}
