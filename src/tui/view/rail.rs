//! One rail, opened: the joined row unfolded, the ladder from cable to traffic, every counter.

mod sharing;

use super::paint::{self, Pair, pad, scrolled, wrap};
use super::{Context, Extent, order, plot};
use crate::check::{Assessment, Rung, SelectionRung, Verdict};
use crate::node::{CeilingBy, Figure, Flow, FlowSource, Node, Rail, RailNetdev, RailRdma};
use crate::sample::CounterSet;
use crate::tui::format;
use crate::tui::glyphs;
use crate::tui::theme::Role;
use crate::units::{self, RateUnit, UNKNOWN};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// From this width on the sides of a rail stand beside its ladder.
const WIDE: usize = 138;
/// Then the ladder has this much.
const LEFT: usize = 78;
/// Columns of the table of LNet's choice.
const CRITERION: usize = 16;
const VALUE: usize = 20;

/// Draws the screen.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    context: &Context<'_>,
    node: &Node,
    assessment: &Assessment,
) -> Extent {
    let rails = order::rails(node, assessment, context.view);
    let index = plot::selected_rail(node, &rails, context.view);
    let Some((index, rail)) = index.and_then(|n| node.rails.get(n).map(|rail| (n, rail))) else {
        let lines = [Line::raw("no rail to show: Esc goes back")];
        return scrolled(buffer, area, &lines, context);
    };
    let width = usize::from(area.width.saturating_sub(2));
    let whole = Page { context, width };
    let mut lines = whole.identity(rail, order::verdict_of(assessment, index));
    lines.push(Line::default());
    let state = |page: &Page<'_>| {
        let mut lines = page.ladder(assessment, index);
        lines.push(Line::default());
        lines.extend(page.selection(rail, assessment, index));
        lines.extend(page.rates(node, rail, context.unit(node)));
        lines
    };
    let sides = |page: &Page<'_>| {
        let mut lines = page.netdevs(rail);
        lines.extend(page.nis(rail));
        lines.extend(rail.rdma.iter().flat_map(|rdma| page.rdma(rdma)));
        lines
    };
    if width >= WIDE {
        let (left, right) =
            (Page { context, width: LEFT }, Page { context, width: width - LEFT - 4 });
        lines.extend(paint::beside(state(&left), sides(&right), LEFT + 4));
    } else {
        lines.extend(state(&whole));
        lines.push(Line::default());
        lines.extend(sides(&whole));
    }
    if let Some(rdma) = &rail.rdma {
        lines.extend(whole.counters("PORT COUNTERS", &rdma.counters));
        lines.extend(whole.counters("HARDWARE COUNTERS", &rdma.hw_counters));
    }
    if let Some(stats) = rail.netdev.as_ref().and_then(|n| n.stats.as_ref()) {
        lines.extend(whole.counters("NETDEV STATISTICS", stats));
    }
    scrolled(buffer, area, &lines, context)
}

struct Page<'a> {
    context: &'a Context<'a>,
    width: usize,
}

impl Page<'_> {
    fn heading(&self, words: &'static str) -> Line<'static> {
        Line::styled(words, self.context.style(Role::Dim))
    }

    /// `label  value`, broken where it is too long.
    fn entry(&self, label: &str, value: &str) -> Vec<Line<'static>> {
        let room = self.width.saturating_sub(16).max(20);
        let mut head = label;
        let mut lines = Vec::new();
        for part in wrap(value, room) {
            lines.push(Line::from(vec![
                Span::styled(pad(head, 16), self.context.style(Role::Dim)),
                Span::raw(part),
            ]));
            head = "";
        }
        lines
    }

    fn identity(&self, rail: &Rail, verdict: Verdict) -> Vec<Line<'static>> {
        let mut spans = vec![
            Span::styled(
                format!("{} ", glyphs::verdict(verdict)),
                self.context.style(Role::Verdict(verdict)),
            ),
            Span::styled(rail.name.to_string(), self.context.style(Role::Title)),
        ];
        if let Some(rdma) = &rail.rdma {
            spans.push(Span::raw(format!("   {} port {}", rdma.device, rdma.port)));
        }
        if let Some(pci) = &rail.pci {
            let numa = format::reading(&pci.numa_node);
            spans.push(Span::raw(format!("   PCI {}   NUMA {numa}", pci.address)));
        }
        if let Some(rdma) = &rail.rdma {
            let attrs = &rdma.device_attrs;
            let (kind, fw) = (format::reading(&attrs.hca_type), format::reading(&attrs.fw_ver));
            spans.push(Span::raw(format!("   {kind} fw {fw}")));
        }
        let mut lines = vec![Line::from(spans)];
        if let Some(since) = rail.state_since {
            let clock = units::clock(since.wall, &self.context.look.zone);
            lines.push(Line::raw(format!("  in this state since {clock}")));
        }
        lines
    }

    fn ladder(&self, assessment: &Assessment, index: usize) -> Vec<Line<'static>> {
        let Some(judged) = assessment.rails.get(index) else {
            return vec![Line::raw("not judged yet")];
        };
        let mut lines = vec![self.heading("LADDER, from cable to traffic")];
        for rung in &judged.ladder {
            lines.extend(self.rung(rung, judged.first_failing == Some(rung.layer)));
        }
        lines
    }

    fn rung(&self, rung: &Rung, first: bool) -> Vec<Line<'static>> {
        let verdict = rung.verdict;
        let word = match verdict {
            Verdict::Ok => "well",
            Verdict::Note => "note",
            Verdict::Warning => "WARNING",
            Verdict::Critical => "FAILS",
            Verdict::Unknown => "unknown",
            Verdict::NotApplicable => "–",
        };
        let mut spans = vec![
            Span::styled(
                format!("{} ", glyphs::verdict(verdict)),
                self.context.style(Role::Verdict(verdict)),
            ),
            Span::raw(pad(rung.layer.words(), 15)),
            Span::styled(pad(word, 9), self.context.style(Role::Verdict(verdict))),
        ];
        let mark = if first { "  ⟵ first that fails" } else { "" };
        let finding = rung.finding.map_or(String::new(), |id| format!("  {id}"));
        let room = self.width.saturating_sub(26).max(20);
        let mut parts = wrap(&rung.detail, room).into_iter();
        spans.push(Span::raw(parts.next().unwrap_or_default()));
        let mut lines = vec![Line::from(spans)];
        let mut more: Vec<Span<'static>> = Vec::new();
        for part in parts {
            lines.push(Line::raw(format!("{}{part}", " ".repeat(26))));
        }
        if !finding.is_empty() || first {
            more.push(Span::styled(finding, self.context.style(Role::Key)));
            more.push(Span::styled(mark, self.context.style(Role::Verdict(verdict))));
            let added = Line::from(more);
            let fits = lines.last().is_some_and(|l| l.width() + added.width() <= self.width);
            if let Some(last) = lines.last_mut().filter(|_| fits) {
                last.spans.extend(added.spans);
            } else {
                let mut own = vec![Span::raw(" ".repeat(24))];
                own.extend(added.spans);
                lines.push(Line::from(own));
            }
        }
        lines
    }

    /// LNet's choice: each criterion with the values of this rail and of the others.
    fn selection(&self, rail: &Rail, assessment: &Assessment, index: usize) -> Vec<Line<'static>> {
        let rungs = assessment.rails.get(index).map_or(&[][..], |judged| &judged.selection);
        let mut lines = Vec::new();
        let mut nid = None;
        for rung in rungs {
            if nid.replace(&rung.nid) != Some(&rung.nid) {
                let words = format!(
                    "SELECTION in {} ({}): the first difference decides",
                    rung.net, rung.order
                );
                lines.push(Line::styled(words, self.context.style(Role::Dim)));
                lines.push(self.criterion("", &rail.name, "others", self.context.style(Role::Dim)));
            }
            lines.extend(self.criterion_lines(rung));
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines
    }

    fn criterion(&self, name: &str, value: &str, rest: &str, style: Style) -> Line<'static> {
        Line::from(vec![
            Span::styled(pad(name, CRITERION), self.context.style(Role::Dim)),
            Span::raw(pad(value, VALUE)),
            Span::styled(rest.to_owned(), style),
        ])
    }

    fn criterion_lines(&self, rung: &SelectionRung) -> Vec<Line<'static>> {
        let room = self.width.saturating_sub(CRITERION + VALUE).max(20);
        let mut words: Vec<String> =
            rung.others.iter().map(|(who, value)| format!("{who}: {value}")).collect();
        words.push(rung.detail.to_string());
        let style = if rung.decides {
            words.push("⟵ decides".to_owned());
            self.context.style(Role::Title)
        } else {
            Style::new()
        };
        let value = rung.told();
        let (mut name, mut value) = (rung.name, value.as_str());
        let mut lines = Vec::new();
        for part in wrap(&words.join("; "), room) {
            lines.push(self.criterion(name, value, &part, style));
            (name, value) = ("", "");
        }
        lines
    }

    /// Both directions in columns; below them why a figure is not known or weak.
    fn rates(&self, node: &Node, rail: &Rail, unit: RateUnit) -> Vec<Line<'static>> {
        let head = ["", unit.label, "OF LINK", "OF GROUP", "IP PART", "TOTAL", "FROM"];
        let mut lines =
            vec![self.heading("TRAFFIC"), self.flow_line(head.map(str::to_owned), true)];
        let mut reasons: Vec<String> = Vec::new();
        for (name, flow) in [("received", &rail.rx), ("sent", &rail.tx)] {
            let ip = match flow.source {
                // All that a netdev counts is IP.
                Some(FlowSource::Netdev) => String::new(),
                _ => format::rate(unit, &flow.ip_bytes_per_second),
            };
            let fields = [
                name.to_owned(),
                format::rate(unit, &flow.bytes_per_second),
                format::percent(&flow.utilisation_ratio),
                format::percent(&flow.share_ratio),
                ip,
                units::size(flow.total_bytes),
                flow.source.map_or("no counter", FlowSource::word).replace('_', " "),
            ];
            lines.push(self.flow_line(fields, false));
            reasons_of(flow, &mut reasons);
        }
        for reason in reasons {
            lines.extend(self.entry("", &reason));
        }
        for (name, words) in sharing::entries(node, rail, unit) {
            lines.extend(self.entry(&name, &words));
        }
        let rate = &rail.rate;
        let usable = match &rate.usable_bits_per_second.value {
            Ok(bits) => format!("{} Gb/s usable", units::gbits(*bits)),
            Err(unknown) => format::why_not(unknown),
        };
        let nominal = match &rate.nominal_bits_per_second.value {
            Ok(bits) => format!("{} Gb/s nominal, ", units::gbits(*bits)),
            Err(_) => String::new(),
        };
        lines.extend(self.entry("link", &format!("{nominal}{usable}")));
        if let (Some(CeilingBy::Pcie), Some(bits)) =
            (rail.limits.ceiling_by, rail.limits.ceiling_bits_per_second.ok())
        {
            let words = format!("{} Gb/s: PCIe carries less than the link", units::gbits(*bits));
            lines.extend(self.entry("ceiling", &words));
        }
        lines
    }

    fn flow_line(&self, fields: [String; 7], heading: bool) -> Line<'static> {
        let [name, rate, link, group, ip, total, source] = fields;
        let figures = format!("{rate:>8}  {link:>7}  {group:>8}  {ip:>8}  {total:>8}  {source}");
        let dim = self.context.style(Role::Dim);
        Line::from(vec![
            Span::styled(pad(&name, 10), dim),
            Span::styled(figures, if heading { dim } else { ratatui::style::Style::new() }),
        ])
    }

    fn netdevs(&self, rail: &Rail) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for netdev in rail.netdev.iter().chain(&rail.children) {
            lines.push(self.heading("NETDEV"));
            lines.extend(self.netdev(netdev));
        }
        if let Some(bond) = &rail.bond {
            lines.extend(self.entry("bond", bond));
        }
        for address in &rail.addresses {
            let words = format!("{} on {}", address.prefix, address.interface);
            lines.extend(self.entry("address", &words));
        }
        lines
    }

    fn netdev(&self, netdev: &RailNetdev) -> Vec<Line<'static>> {
        let flag = |reading: &crate::sample::Reading<bool>, yes: &str, no: &str| match reading {
            Ok(true) => yes.to_owned(),
            Ok(false) => no.to_owned(),
            Err(unknown) => format::why_not(unknown),
        };
        let state = format!(
            "{}, {}, operstate {}",
            flag(&netdev.admin_up, "up", "administratively down"),
            flag(&netdev.carrier, "carrier", "no carrier"),
            format::explained(&netdev.operstate)
        );
        let mut lines = self.entry(&netdev.name, &state);
        lines.extend(self.entry("mtu", &format::explained(&netdev.mtu)));
        lines.extend(self.entry("hw address", &format::explained(&netdev.address)));
        lines.extend(self.entry("mode", &format::explained(&netdev.mode)));
        lines.extend(self.entry("pkey", &format::explained(&netdev.pkey)));
        lines.extend(self.entry("carrier losses", &format::explained(&netdev.carrier_down_count)));
        lines
    }

    fn nis(&self, rail: &Rail) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for ni in &rail.lnet {
            lines.extend([Line::default(), self.heading("LNET NI")]);
            lines.extend(self.entry("nid", &ni.ni.nid));
            lines.extend(self.entry("status", &format::explained(&ni.ni.status)));
            lines.extend(self.entry("health", &format::explained(&ni.ni.health)));
            lines.extend(self.entry("fatal_error", &format::explained(&ni.ni.fatal_error)));
            let messages = format!(
                "{} sent, {} received a second",
                per_second(&ni.sent_per_second),
                per_second(&ni.received_per_second)
            );
            lines.extend(self.entry("messages", &messages));
        }
        lines
    }

    fn rdma(&self, rdma: &RailRdma) -> Vec<Line<'static>> {
        let mut lines = vec![Line::default(), self.heading("PORT")];
        let word = |r: &crate::sample::Reading<crate::sample::Enumerated>| match r {
            Ok(e) => format!("{}: {}", e.code, e.word),
            Err(unknown) => format::why_not(unknown),
        };
        let port = &rdma.port_attrs;
        let device = &rdma.device_attrs;
        let entries = [
            ("state", word(&rdma.raw_state)),
            ("phys_state", word(&rdma.phys_state)),
            ("link layer", format::explained(&rdma.link_layer)),
            ("rate", format::explained(&port.rate)),
            ("lid", format::explained(&port.lid)),
            ("sm lid", format::explained(&port.sm_lid)),
            ("gid 0", format::explained(&port.default_gid)),
            ("node guid", format::explained(&device.node_guid)),
            ("board id", format::explained(&device.board_id)),
            ("driver", format::explained(&device.driver)),
        ];
        for (label, value) in entries {
            lines.extend(self.entry(label, &value));
        }
        if let Some(since) = rdma.stuck_since {
            let clock = units::clock(since.wall, &self.context.look.zone);
            lines.extend(self.entry("reads hang", &format!("since {clock}")));
        }
        lines
    }

    fn counters(&self, heading: &'static str, set: &CounterSet) -> Vec<Line<'static>> {
        if set.items.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![Line::default(), self.heading(heading)];
        lines.extend(paint::pairs(&counter_pairs(set), self.context, self.width));
        lines
    }
}

/// Counters by name; one that is not known says why.
pub(crate) fn counter_pairs(set: &CounterSet) -> Vec<Pair> {
    let pair = |c: &crate::sample::Counter| Pair::reading(&c.name, &c.value, |n| units::count(*n));
    set.items.iter().map(pair).collect()
}

/// Why figures are not known or weak, each reason once.
fn reasons_of(flow: &Flow, reasons: &mut Vec<String>) {
    let figures = [
        ("rate", &flow.bytes_per_second),
        ("of link", &flow.utilisation_ratio),
        ("of group", &flow.share_ratio),
        ("IP part", &flow.ip_bytes_per_second),
    ];
    for (name, figure) in figures {
        let words = match (&figure.value, &figure.qualified) {
            (Err(unknown), _) => format!("{name} {}", format::why_not(unknown)),
            (Ok(_), Some(weak)) => format!("{name} ({}: {})", weak.how.word(), weak.detail),
            (Ok(_), None) => continue,
        };
        if !reasons.contains(&words) {
            reasons.push(words);
        }
        // The others follow from the rate.
        if name == "rate" && figure.value.is_err() {
            return;
        }
    }
}

/// Messages a second.
pub(crate) fn per_second(figure: &Figure) -> String {
    figure.ok().map_or(UNKNOWN.to_owned(), |rate| units::count(rate.round() as u64))
}
