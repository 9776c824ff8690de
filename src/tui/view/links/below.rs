//! The selected rail: what is wrong, counters, limits, and what ibstat, ibstatus and ibdev2netdev
//! tell.

use super::counters;
use crate::check::Assessment;
use crate::node::{CeilingBy, CounterGroup, Node, PcieLink, Rail, RailRdma, Training, counter};
use crate::sample::{CounterSet, Enumerated, Reading, Text};
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::tui::view::Context;
use crate::tui::view::paint::{self, Pair, pad, wrap};
use crate::tui::view::rail::counter_pairs;
use crate::units::{self, UNKNOWN};
use ratatui::text::{Line, Span};

/// From this width on limits and ibstat stand side by side.
const WIDE: usize = 138;
/// Then the left side has this much.
const LEFT: usize = 84;
/// Findings that are told of a rail; the others are on their own screen.
const FINDINGS: usize = 3;

pub(super) struct Page<'a> {
    pub node: &'a Node,
    pub rail: &'a Rail,
    pub assessment: &'a Assessment,
    pub context: &'a Context<'a>,
}

/// Everything of the rail.
pub(super) fn lines(page: &Page<'_>, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width.saturating_sub(2));
    let mut lines = page.findings(width);
    lines.push(page.heading(&format!("{}: COUNTERS, those that moved first", page.rail.name)));
    lines.extend(counters::lines(page, width));
    lines.extend(page.congestion(width));
    lines.push(Line::default());
    if width >= WIDE {
        let right = width - LEFT - 4;
        let mut left = page.limits(LEFT);
        left.push(Line::default());
        left.extend(page.others(LEFT));
        lines.extend(paint::beside(left, page.ibstat(right), LEFT + 4));
    } else {
        lines.extend(page.limits(width));
        lines.push(Line::default());
        lines.extend(page.ibstat(width));
        lines.extend(page.others(width));
    }
    lines
}

impl Page<'_> {
    fn heading(&self, words: &str) -> Line<'static> {
        Line::styled(words.to_owned(), self.context.style(Role::Dim))
    }

    /// `label  value`, broken where it is too long.
    fn entry(&self, label: &str, value: &str, width: usize) -> Vec<Line<'static>> {
        let mut head = label;
        let mut lines = Vec::new();
        for part in wrap(value, width.saturating_sub(14).max(20)) {
            let label = Span::styled(pad(head, 14), self.context.style(Role::Dim));
            lines.push(Line::from(vec![label, Span::raw(part)]));
            head = "";
        }
        lines
    }

    /// What is wrong with it; what follows from that is on its own screen.
    fn findings(&self, width: usize) -> Vec<Line<'static>> {
        let own = |f: &&crate::check::Finding| f.rails.contains(&self.rail.name);
        let own: Vec<_> = self.assessment.findings.iter().filter(own).collect();
        let follows = own.iter().filter(|f| f.caused_by.is_some()).count();
        let roots = own.len() - follows;
        let mut lines = Vec::new();
        for finding in own.iter().filter(|f| f.caused_by.is_none()).take(FINDINGS) {
            let verdict = finding.severity.into();
            let style = self.context.style(Role::Verdict(verdict));
            let words = format!("{}  {}", finding.summary, finding.id);
            let mut sign = glyphs::verdict(verdict);
            for part in wrap(&words, width.saturating_sub(2)) {
                let head = Span::styled(format!("{sign:<2}"), style);
                lines.push(Line::from(vec![head, Span::raw(part)]));
                sign = "";
            }
        }
        let more = roots.saturating_sub(FINDINGS);
        let words = match (more, follows) {
            (0, 0) => None,
            (0, 1) => Some("  and 1 that follows from it: 5 shows all".into()),
            (0, n) => Some(format!("  and {n} that follow from it: 5 shows all")),
            (n, _) => Some(format!("  and {n} more: 5 shows all")),
        };
        lines.extend(words.map(|w| self.heading(&w)));
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines
    }

    fn congestion(&self, width: usize) -> Vec<Line<'static>> {
        let congestion = &self.rail.health.congestion;
        let mut lines = Vec::new();
        match &congestion.wait_ticks_per_second.value {
            Ok(ticks) => {
                let words = format!(
                    "{} ticks/s waited to send, index {} (ticks by ticks and words; compare rails with it)",
                    units::count(ticks.round() as u64),
                    format::percent(&congestion.wait_index_ratio)
                );
                lines.extend(self.entry("congestion", &words, width));
            }
            Err(unknown) if self.rail.health.get("port_xmit_wait").is_some() => {
                lines.extend(self.entry("congestion", &format::why_not(unknown), width));
            }
            Err(_) => {}
        }
        let lost = self.rail.health.losses.in_last_hour(self.node.time.mono);
        if lost > 0 {
            lines.extend(self.entry("lost links", &format!("{lost} in the last hour"), width));
        }
        lines
    }

    fn limits(&self, width: usize) -> Vec<Line<'static>> {
        let (rail, limits) = (self.rail, &self.rail.limits);
        let mut lines = vec![self.heading(&format!("{}: WHAT IT CAN CARRY", rail.name))];
        let gigabits = |bits: f64| format!("{} Gb/s", units::gbits(bits));
        let link =
            match (&rail.rate.usable_bits_per_second.value, &rail.rate.nominal_bits_per_second) {
                (Ok(bits), nominal) => match nominal.ok() {
                    Some(nominal) if (nominal - bits).abs() > 1e6 => {
                        format!("{} for data, {} nominal", gigabits(*bits), gigabits(*nominal))
                    }
                    _ => gigabits(*bits),
                },
                (Err(unknown), _) => format::why_not(unknown),
            };
        lines.extend(self.entry("link", &link, width));
        let links = limits.pcie.iter().flat_map(|p| &p.links);
        for (n, link) in links.enumerate() {
            let label = if n == 0 { "PCIe" } else { "" };
            lines.extend(self.entry(label, &pcie_words(link), width));
        }
        let ceiling = match (&limits.ceiling_bits_per_second.value, limits.ceiling_by) {
            (Ok(bits), Some(CeilingBy::Pcie)) => format!("{}, limited by PCIe", gigabits(*bits)),
            (Ok(bits), _) => format!("{}, limited by the link", gigabits(*bits)),
            (Err(unknown), _) => format::why_not(unknown),
        };
        lines.extend(self.entry("ceiling", &ceiling, width));
        let names = |places: &[usize]| -> Vec<&str> {
            let rails = places.iter().filter_map(|at| self.node.rails.get(*at));
            rails.map(|r| r.name.as_str()).collect()
        };
        for (label, places) in
            [("same cable", &limits.same_cable), ("same slot", &limits.same_slot)]
        {
            if !places.is_empty() {
                lines.extend(self.entry(label, &names(places).join(", "), width));
            }
        }
        lines
    }

    fn ibstat(&self, width: usize) -> Vec<Line<'static>> {
        let Some(rdma) = &self.rail.rdma else { return Vec::new() };
        let words = "as ibstat, ibstatus and ibdev2netdev tell it";
        let heading = format!("{} PORT {}, {words}", rdma.device, rdma.port);
        let mut lines = vec![self.heading(&heading)];
        lines.extend(paint::pairs(&ibstat(rdma), self.context, width));
        lines.push(Line::raw(self.ibdev2netdev(rdma)));
        lines.push(Line::default());
        lines
    }

    /// `mlx5_0 port 1 ==> ib0 (Up)`: the state is the interface's.
    fn ibdev2netdev(&self, rdma: &RailRdma) -> String {
        let netdev = self.rail.netdev.as_ref();
        let to = netdev.map_or(UNKNOWN.to_owned(), |n| {
            let state = match n.operstate.as_deref() {
                Ok("up") => "Up",
                Ok(_) => "Down",
                Err(_) => UNKNOWN,
            };
            format!("{} ({state})", n.name)
        });
        format!("{} port {} ==> {to}", rdma.device, rdma.port)
    }

    /// Counters without a judgement: bytes, packets, statistics.
    fn others(&self, width: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let mut section = |heading: &str, pairs: Vec<Pair>| {
            if !pairs.is_empty() {
                lines.push(self.heading(heading));
                lines.extend(paint::pairs(&pairs, self.context, width));
                lines.push(Line::default());
            }
        };
        if let Some(rdma) = &self.rail.rdma {
            let rest = |set: &CounterSet, group| without_known(set, group);
            section(
                "OTHER PORT COUNTERS",
                counter_pairs(&rest(&rdma.counters, CounterGroup::Port)),
            );
            section(
                "OTHER HARDWARE COUNTERS",
                counter_pairs(&rest(&rdma.hw_counters, CounterGroup::Hardware)),
            );
        }
        if let Some(stats) = self.rail.netdev.as_ref().and_then(|n| n.stats.as_ref()) {
            section("NETDEV STATISTICS", counter_pairs(stats));
        }
        lines
    }
}

/// Those that the table above does not show.
fn without_known(set: &CounterSet, group: CounterGroup) -> CounterSet {
    let items = set.items.iter().filter(|c| counter(&c.name, group).is_none());
    CounterSet { at: set.at, items: items.cloned().collect() }
}

/// `0000:3b:00.0 to 0000:3a:01.0: 16 GT/s x8 of 16 GT/s x16, lanes are missing`.
fn pcie_words(link: &PcieLink) -> String {
    let ends = match &link.upper {
        Some(upper) => format!("{} to {upper}", link.lower),
        None => link.lower.to_string(),
    };
    let now = match &link.current {
        Ok(now) => now,
        Err(unknown) => return format!("{ends}: {}", format::why_not(unknown)),
    };
    let of = link.possible.as_ref().map_or(String::new(), |can| format!(" of {can}"));
    let rest = match link.training {
        Training::Full => String::new(),
        Training::Narrower => format!("{of}, lanes are missing"),
        Training::Slower => format!("{of}, slower than it can"),
        Training::SlowerAtIdle => format!("{of} while idle"),
        Training::Unknown => ", the other end is not known".into(),
    };
    format!("{ends}: {now}{rest}, {} Gb/s", units::gbits(now.bits_per_second()))
}

/// The fields of ibstat(8) in its words, and the raw ones of ibstatus(8).
fn ibstat(rdma: &RailRdma) -> Vec<Pair> {
    let (device, port) = (&rdma.device_attrs, &rdma.port_attrs);
    let text = |name: &str, r: &Reading<Text>| Pair::reading(name, r, ToString::to_string);
    let number = |name: &str, r: &Reading<u32>| Pair::reading(name, r, ToString::to_string);
    let raw = |name: &str, r: &Reading<Enumerated>| {
        Pair::reading(name, r, |e| format!("{}: {}", e.code, e.word))
    };
    vec![
        raw("Node type", &device.node_type),
        text("CA type", &device.hca_type),
        Pair::new("Number of ports", rdma.port_count.to_string()),
        text("Firmware version", &device.fw_ver),
        text("Hardware version", &device.hw_rev),
        text("PSID", &device.board_id),
        text("Node GUID", &device.node_guid),
        text("System image GUID", &device.sys_image_guid),
        text("Port GUID", &port.port_guid()),
        raw("State", &rdma.raw_state),
        raw("Physical state", &rdma.phys_state),
        text("Rate", &port.rate),
        text("Link layer", &rdma.link_layer),
        number("Base lid", &port.lid),
        number("SM lid", &port.sm_lid),
        number("LMC", &port.lmc),
        Pair::reading("Capability mask", &port.cap_mask, |mask| format!("{mask:#010x}")),
        text("Default gid", &port.default_gid),
    ]
}
