//! Each rung by what was read, before findings decide.

use crate::check::link::phys_words;
use crate::check::lnet;
use crate::check::routing::Rungs;
use crate::check::selection;
use crate::check::view::{Iface, RailView};
use crate::check::{Layer, Rung, Verdict};
use crate::node::{PortState, RailAddress, RailRdma, SourceKind, Training};
use crate::sample::{Fact, LnetFailure, Reading, Text, Why};
use crate::units;
use std::fmt::Write;

/// What a rung says of itself.
type Said = (Verdict, String);

/// All rungs in order.
pub(super) fn all(
    view: &RailView<'_>,
    routed: Option<&Rungs>,
    scene: &selection::Scene<'_>,
) -> Vec<Rung> {
    Layer::ALL
        .into_iter()
        .map(|layer| {
            let (verdict, detail) = rung(view, layer, routed, scene);
            Rung { layer, verdict, detail: detail.into(), finding: None }
        })
        .collect()
}

fn rung(
    view: &RailView<'_>,
    layer: Layer,
    routed: Option<&Rungs>,
    scene: &selection::Scene<'_>,
) -> Said {
    if let Some(since) = view.gone_since() {
        return (Verdict::Unknown, format!("gone since {}", units::time_of_day(since.wall)));
    }
    match layer {
        Layer::Cable => cable(view),
        Layer::SubnetManager => subnet_manager(view),
        Layer::Pcie => pcie(view),
        Layer::Netdev => netdev(view),
        Layer::Address => address(view),
        Layer::Rule => routing(view, routed.and_then(|r| r.rule.as_ref())),
        Layer::Table => routing(view, routed.and_then(|r| r.table.as_ref())),
        Layer::Neighbour => routing(view, routed.and_then(|r| r.neighbour.as_ref())),
        Layer::Ni => ni(view),
        Layer::Health => without_lnet(view).unwrap_or_else(|| selection::health_rung(scene, view)),
        Layer::Selection => {
            without_lnet(view).unwrap_or_else(|| selection::selection_rung(scene, view))
        }
        Layer::Traffic => traffic(view),
    }
}

fn ok(detail: impl Into<String>) -> Said {
    (Verdict::Ok, detail.into())
}

fn unknown(detail: impl Into<String>) -> Said {
    (Verdict::Unknown, detail.into())
}

fn not_applicable(detail: impl Into<String>) -> Said {
    (Verdict::NotApplicable, detail.into())
}

fn cable(view: &RailView<'_>) -> Said {
    let Some(rdma) = &view.rail.rdma else {
        return match view.iface() {
            Iface::Up => ok(format!("carrier{}", link_words(view))),
            Iface::NoCarrier => unknown("no carrier"),
            Iface::AdminDown => unknown("interface is administratively down"),
            Iface::None | Iface::Unknown => unknown("carrier unknown"),
        };
    };
    let phys = phys_words(rdma);
    match rdma.state {
        PortState::Unknown => unknown(why(&rdma.raw_state, "port state not understood")),
        PortState::NoSubnetManager | PortState::Armed => ok(phys),
        state if state.is_active() => ok(format!("{phys}{}", link_words(view))),
        _ => unknown(format!("DOWN, {phys}")),
    }
}

/// ", 200 Gb/s 4X HDR", as far as known.
fn link_words(view: &RailView<'_>) -> String {
    let rate = &view.rail.rate;
    let Some(bits) = rate.nominal_bits_per_second.ok() else { return String::new() };
    let mut words = format!(", {} Gb/s", units::gbits(*bits));
    if let Some(width) = rate.width.ok() {
        let _ = write!(words, " {width}X");
    }
    if let Some(speed) = rate.speed.ok().filter(|s| !s.is_empty()) {
        words.push(' ');
        words.push_str(speed);
    }
    words
}

fn subnet_manager(view: &RailView<'_>) -> Said {
    let Some(rdma) = &view.rail.rdma else { return not_applicable("no RDMA port") };
    if rdma.is_ethernet() {
        return not_applicable("none on Ethernet");
    }
    match &rdma.link_layer {
        Ok(layer) if layer.eq_ignore_ascii_case("infiniband") => {}
        Ok(layer) => return not_applicable(format!("none on {layer}")),
        Err(_) => {}
    }
    match rdma.state {
        PortState::Unknown => unknown(why(&rdma.raw_state, "port state not understood")),
        PortState::NoSubnetManager => unknown("INIT"),
        PortState::Armed => unknown("ARMED"),
        state if state.is_active() => ok(format!("ACTIVE{}", lids(rdma))),
        _ => unknown("needs a link first"),
    }
}

fn lids(rdma: &RailRdma) -> String {
    let attrs = &rdma.port_attrs;
    let one = |name: &str, lid: &Reading<u32>| {
        lid.as_ref().map_or_else(|_| String::new(), |lid| format!(", {name} {lid}"))
    };
    one("LID", &attrs.lid) + &one("SM LID", &attrs.sm_lid)
}

fn pcie(view: &RailView<'_>) -> Said {
    let Some(path) = &view.rail.limits.pcie else { return not_applicable("no PCI function") };
    let Some(link) = path.links.first() else { return unknown("link not known") };
    // The link that limits the rail; the card's own where none is known.
    let link = path.carries().map_or(link, |(link, _)| link);
    match (&link.current, &link.possible, link.training) {
        (Err(unread), ..) => unknown(unread.to_string()),
        (Ok(now), Ok(can), Training::SlowerAtIdle) => ok(format!("{now} of {can}, idle")),
        (Ok(now), Ok(can), Training::Narrower | Training::Slower) => {
            (Verdict::Note, format!("{now} of {can}"))
        }
        (Ok(now), ..) => ok(format!("{now}, {} Gb/s", units::gbits(now.bits_per_second()))),
    }
}

fn netdev(view: &RailView<'_>) -> Said {
    let Some(netdev) = &view.rail.netdev else { return not_applicable("no interface") };
    let name = &netdev.name;
    match view.iface() {
        Iface::Up => {
            let mut words = format!("{name} up");
            if let Ok(mtu) = &netdev.mtu {
                let _ = write!(words, ", MTU {mtu}");
            }
            if let Ok(mode) = &netdev.mode {
                words.push(' ');
                words.push_str(mode);
            }
            ok(words)
        }
        // Nodes that use RDMA alone leave IPoIB down on purpose.
        Iface::AdminDown if view.is_relied_on() => {
            not_applicable(format!("{name} is administratively down"))
        }
        Iface::AdminDown => not_applicable(format!("{name} is administratively down: not in use")),
        Iface::NoCarrier => unknown(format!("{name} up, no carrier")),
        Iface::None | Iface::Unknown => unknown(
            netdev
                .admin_up
                .as_ref()
                .err()
                .or(netdev.carrier.as_ref().err())
                .map_or_else(|| "not known".to_owned(), ToString::to_string),
        ),
    }
}

/// `RT_SCOPE_LINK` of linux/rtnetlink.h: from here on an address is not for others.
const LINK_SCOPE: u8 = 253;

/// `IFA_F_DADFAILED` of linux/if_addr.h: another host has this address.
const DAD_FAILED: u32 = 0x08;

fn address(view: &RailView<'_>) -> Said {
    let addresses = &view.rail.addresses;
    if addresses.is_empty() {
        return match &view.node.routing.addresses {
            Err(why) => unknown(why.to_string()),
            Ok(_) => not_applicable("none"),
        };
    }
    if let Some(double) = addresses.iter().find(|a| a.flags & DAD_FAILED != 0) {
        return (Verdict::Note, format!("{}: another host has it too", double.prefix));
    }
    ok(listed(addresses))
}

/// Those that peers use first: every interface has a link-local one.
fn listed(addresses: &[RailAddress]) -> String {
    let mut order: Vec<&RailAddress> = addresses.iter().collect();
    order.sort_by_key(|a| a.scope >= LINK_SCOPE);
    let first: Vec<String> = order.iter().take(2).map(|a| a.prefix.to_string()).collect();
    let more = addresses.len().saturating_sub(first.len());
    let rest = if more > 0 { format!(", {more} more") } else { String::new() };
    first.join(", ") + &rest
}

fn routing(view: &RailView<'_>, judged: Option<&(Verdict, Text)>) -> Said {
    let routing = &view.node.routing;
    match judged {
        Some((verdict, words)) => (*verdict, words.to_string()),
        None if view.rail.addresses.is_empty() && routing.addresses.is_ok() => {
            not_applicable("no address")
        }
        None => match (&view.node.links, &routing.addresses, view.iface()) {
            (Err(why), ..) | (_, Err(why), _) => unknown(why.to_string()),
            (.., Iface::AdminDown) => not_applicable("interface is administratively down"),
            _ => not_applicable("no address that has peers"),
        },
    }
}

/// Why LNet's rungs cannot be told, if so.
fn without_lnet(view: &RailView<'_>) -> Option<Said> {
    let failure = match &view.node.lnet.answer {
        Ok(_) if view.rail.lnet.is_empty() => return Some(not_applicable("no NI on this rail")),
        Ok(_) => return None,
        Err(failure) => failure,
    };
    let loaded = view.node.lnet.modules.lnet == Some(true);
    Some(match failure {
        LnetFailure::NotInstalled if loaded => unknown("lnetctl is not installed"),
        LnetFailure::NotInstalled => not_applicable("no LNet here"),
        LnetFailure::NotLoaded => not_applicable("LNet is not loaded"),
        LnetFailure::NotConfigured => not_applicable("LNet is not configured"),
        LnetFailure::Denied(_) => unknown("needs root"),
        LnetFailure::Timeout(_) => unknown("lnetctl did not answer"),
        LnetFailure::Failed(words) | LnetFailure::CannotRun(words) => {
            unknown(format!("lnetctl failed: {words}"))
        }
        LnetFailure::Pending if view.node.lnet.modules.lnet == Some(false) => {
            not_applicable("LNet is not loaded")
        }
        LnetFailure::Pending if view.node.source == SourceKind::Capture => {
            unknown("the capture holds no answer of lnetctl")
        }
        LnetFailure::Pending => unknown("not asked yet"),
    })
}

fn ni(view: &RailView<'_>) -> Said {
    if let Some(said) = without_lnet(view) {
        return said;
    }
    let status =
        |s: &Reading<Text>| s.as_ref().map_or_else(|_| "?".to_owned(), ToString::to_string);
    let words: Vec<String> =
        view.rail.lnet.iter().map(|n| format!("{} {}", n.ni.nid, status(&n.ni.status))).collect();
    if view.rail.lnet.iter().any(|n| lnet::is_held(view.node, &n.ni)) {
        let words = words.join(", ");
        return unknown(format!("{words}: LNet's answer is from before the link came back"));
    }
    let known = view.rail.lnet.iter().all(|n| n.ni.status.is_ok());
    if known { ok(words.join(", ")) } else { unknown(words.join(", ")) }
}

fn traffic(view: &RailView<'_>) -> Said {
    let (rx, tx) = (&view.rail.rx.bytes_per_second, &view.rail.tx.bytes_per_second);
    let words = |name: &str, f: &Fact<f64>| {
        f.ok().map_or_else(|| format!("{name} –"), |r| format!("{name} {}", units::rate(*r, false)))
    };
    if rx.ok().is_none() && tx.ok().is_none() {
        let first = rx.value.as_ref().err();
        return match first {
            Some(u) if u.why == Why::FirstSample => unknown("needs a second sample"),
            Some(u) if u.why == Why::Inactive => unknown("nothing: no link"),
            Some(u) => unknown(u.to_string()),
            None => unknown("not known"),
        };
    }
    ok(format!("{}, {}", words("rx", rx), words("tx", tx)))
}

fn why<T>(reading: &Reading<T>, otherwise: &str) -> String {
    reading.as_ref().err().map_or_else(|| otherwise.to_owned(), ToString::to_string)
}
