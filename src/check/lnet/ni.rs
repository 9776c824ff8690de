//! One NI: `status`, `fatal_error` and `health value` as what they are.

use super::kit::{here, ni_line, nis, printed};
use crate::check::catalogue::lnet::{
    LNET_ROUTER_IDLE, NI_ADDRESS_LOST, NI_DOWN, NI_ON_ALIAS, NI_STATUS_STALE,
};
use crate::check::catalogue::routing::RAIL_NO_ADDRESS;
use crate::check::fold::Found;
use crate::check::view::{Iface, RailView, works};
use crate::check::{Cause, Finding, Severity, Verdict};
use crate::fix::{self, Action, Change};
use crate::lnet::ip2nets::Version;
use crate::node::{Node, Presence, Rail, RailNi};
use crate::sample::{Address, LnetNi, MAX_HEALTH, Prefix, Text, Why};
use std::net::IpAddr;
use std::time::Duration;

/// The NIs of a rail.
pub(super) fn on_rail(view: &RailView<'_>, cause: Option<Cause>) -> Vec<Finding> {
    view.rail.lnet.iter().flat_map(|ni| one(view, ni, cause)).collect()
}

fn one(view: &RailView<'_>, ni: &RailNi, cause: Option<Cause>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(trouble) = trouble(view.node, &ni.ni, moves(ni)) {
        let lost = (trouble == Trouble::LinkGone && cause.is_none())
            .then(|| address_lost(view, &ni.ni))
            .flatten();
        let told = lost.unwrap_or_else(|| {
            let summary = match (cause, trouble) {
                (Some(_), Trouble::LinkGone) => {
                    format!("LNet NI {} is down; LNet avoids {}", ni.ni.nid, view.name())
                }
                (None, Trouble::LinkGone) => link_gone(view, &ni.ni),
                _ => words(&ni.ni, trouble),
            };
            finding(&ni.ni, trouble, summary)
        });
        found.push(told.on(view).because(cause));
    }
    found.extend(on_alias(&ni.ni).map(|f| f.on(view)));
    found
}

/// NIs that are down and on no rail: on a card that is none, or on an interface that is gone.
pub(super) fn off_rails(node: &Node) -> Vec<Found> {
    let on_a_rail = |ni: &LnetNi| node.rails.iter().any(|r| super::kit::is_on(r, ni));
    nis(node)
        .filter(|ni| !on_a_rail(ni))
        .filter_map(|ni| {
            let trouble = trouble(node, ni, false)?;
            Some(finding(ni, trouble, words(ni, trouble)))
        })
        .map(|finding| Found { rails: Vec::new(), finding })
        .collect()
}

/// An address that is gone from a rail without any address is told of once.
pub(super) fn tie(found: &mut [Found]) {
    let bare: Vec<usize> = found
        .iter()
        .filter(|f| f.finding.id == RAIL_NO_ADDRESS && f.finding.caused_by.is_none())
        .flat_map(|f| f.rails.iter().copied())
        .collect();
    for one in found.iter_mut() {
        let same = one.rails.iter().any(|rail| bare.contains(rail));
        if one.finding.id == NI_ADDRESS_LOST && one.finding.caused_by.is_none() && same {
            one.finding.caused_by = Some(RAIL_NO_ADDRESS);
        }
    }
}

/// The verdict on one NI: by the rules of the findings about it, then by its health. `rated` is
/// the same NI on its rail, with its message rates, if it is on one.
pub fn ni_verdict(node: &Node, ni: &LnetNi, rated: Option<&RailNi>) -> Verdict {
    if ni.is_lo() {
        return Verdict::NotApplicable;
    }
    if is_held(node, ni) {
        return Verdict::Unknown;
    }
    match (trouble(node, ni, rated.is_some_and(moves)), &ni.status, &ni.health) {
        (Some(trouble), _, _) => trouble.severity().into(),
        (None, Err(_), _) => Verdict::Unknown,
        (None, Ok(_), Ok(health)) if *health < MAX_HEALTH => Verdict::Note,
        (None, Ok(_), _) => Verdict::Ok,
    }
}

/// So long after a link came back LNet may not have heard of it.
const LATER: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// `fatal_error`: the driver below LNet says that link or address is gone.
    LinkGone,
    /// `status: down`, and health is gone or not known.
    Down,
    /// `status: down` with full health, of a Lustre that is not known.
    Unclear,
    /// `status: down` of an NI that works (LU-20093, Lustre 2.17.0).
    Stale,
    /// The same where it is not known whether the node routes.
    LikelyStale,
    /// `status: down` of a router's NI without traffic.
    Idle,
    /// The same by the version, where nobody said whether the node routes.
    LikelyIdle,
}

impl Trouble {
    fn severity(self) -> Severity {
        match self {
            Trouble::LinkGone => Severity::Critical,
            Trouble::Down | Trouble::Unclear => Severity::Warning,
            Trouble::Stale | Trouble::LikelyStale | Trouble::Idle | Trouble::LikelyIdle => {
                Severity::Note
            }
        }
    }

    fn id(self) -> &'static str {
        match self {
            Trouble::LinkGone | Trouble::Down | Trouble::Unclear => NI_DOWN,
            Trouble::Stale | Trouble::LikelyStale => NI_STATUS_STALE,
            Trouble::Idle | Trouble::LikelyIdle => LNET_ROUTER_IDLE,
        }
    }
}

/// Does the driver below LNet say that link or address is gone?
pub(super) fn is_fatal(ni: &LnetNi) -> bool {
    ni.fatal_error.as_ref().is_ok_and(|f| *f != 0)
}

/// Is the node a router? `None`: `lnetctl routing show` has not been asked.
pub(super) fn is_router(node: &Node) -> Option<bool> {
    let routing = node.lnet.more.routing.as_ref().ok()?;
    Some(routing.value.enable.is_some_and(|on| on != 0))
}

/// Does LNet's answer say that the link is gone, from before the link came back?
pub(in crate::check) fn is_held(node: &Node, ni: &LnetNi) -> bool {
    let Ok(answer) = &node.lnet.answer else { return false };
    // From when its child was started, and LNet itself may be a little later than the port.
    let before = |rail: &Rail| {
        rail.state_since.is_some_and(|since| since.mono + LATER + answer.took >= answer.at)
            && rail.presence == Presence::Present
            && works(rail)
    };
    is_fatal(ni) && node.rails.iter().any(|r| super::kit::is_on(r, ni) && before(r))
}

/// In Lustre 2.17.0 the status can stay down after a flap (LU-20093, fixed in 2.17.53).
fn is_stale_prone(version: Version) -> bool {
    (Version::new(2, 17, 0)..Version::new(2, 17, 53)).contains(&version)
}

fn trouble(node: &Node, ni: &LnetNi, moves: bool) -> Option<Trouble> {
    if ni.is_lo() || is_held(node, ni) {
        return None;
    }
    if is_fatal(ni) {
        return Some(Trouble::LinkGone);
    }
    if !ni.status.as_ref().is_ok_and(|s| *s == "down") {
        return None;
    }
    // Before 2.15 neither value says anything of this: only routers had a status.
    let absent = |why: Why| why == Why::Absent;
    let no_error = ni.fatal_error.as_ref().map_or_else(|u| absent(u.why), |f| *f == 0);
    let healthy = ni.health.as_ref().map_or_else(|u| absent(u.why), |h| *h == MAX_HEALTH);
    if !(no_error && healthy) {
        return Some(Trouble::Down);
    }
    let works = ni.fatal_error == Ok(0) && ni.health == Ok(MAX_HEALTH);
    Some(match is_router(node) {
        // Where nobody routes, nothing but an error or lost health takes an NI down.
        Some(false) if works => Trouble::Stale,
        _ if works && moves => Trouble::Stale,
        Some(true) => Trouble::Idle,
        Some(false) => Trouble::Down,
        // lnet_ni_get_status_locked() of each version.
        None => match node.lnet.version.as_ref().ok().and_then(|v| v.parse().ok()) {
            Some(version) if is_stale_prone(version) => Trouble::LikelyStale,
            Some(_) => Trouble::LikelyIdle,
            None => Trouble::Unclear,
        },
    })
}

fn moves(ni: &RailNi) -> bool {
    [&ni.sent_per_second, &ni.received_per_second]
        .into_iter()
        .any(|rate| rate.ok().is_some_and(|r| *r > 0.0))
}

/// The link is there, and the address of the NI is not.
fn address_lost(view: &RailView<'_>, ni: &LnetNi) -> Option<Finding> {
    let address: IpAddr = ni.address().parse().ok()?;
    let all = view.node.routing.addresses.as_deref();
    // An interface of another network namespace has addresses that are not to be seen from here.
    let in_sight = view.node.links.as_ref().map_or(true, |links| {
        view.rail.netdev.as_ref().is_some_and(|n| links.iter().any(|l| l.name == n.name))
    });
    let known = (all.is_ok() && in_sight) || !view.rail.addresses.is_empty();
    let usable = matches!(view.iface(), Iface::Up | Iface::Unknown);
    if !known || !usable || view.rail.addresses.iter().any(|a| a.ip() == address) {
        return None;
    }
    let (rail, nid) = (view.name(), &ni.nid);
    let elsewhere = all.unwrap_or_default().iter().find(|a| a.local.addr == address);
    let whereto = elsewhere
        .and_then(|a| interface(view.node, a))
        .map_or_else(String::new, |name| format!(", it is on {name}"));
    let summary = format!(
        "LNet took {nid} out of use: its address {address} is not on {rail} any more{whereto}"
    );
    let mut lines = vec![evidence(ni)];
    let own =
        view.rail.addresses.iter().map(|a| format!("ip addr: {} on {}", a.prefix, a.interface));
    lines.extend(own.map(Text::from));
    if view.rail.addresses.is_empty() {
        lines.push(format!("ip addr: no address on {rail}").into());
    }
    let mut finding = Finding::new(NI_ADDRESS_LOST, Severity::Critical, summary, lines);
    let device = ni.interfaces.first().map_or(rail, Text::as_str);
    mend(&mut finding, view, ni, address, device);
    finding.verify = vec![
        here(format!("ip addr show dev {}", fix::word(device))),
        here(format!("lnetctl net show --net {} -v 2", fix::word(ni.net()))),
    ];
    Some(finding)
}

/// Another address is there: the NI is made anew with it. None is there: it is put back, with the
/// length of the prefix that a sibling has.
fn mend(finding: &mut Finding, view: &RailView<'_>, ni: &LnetNi, address: IpAddr, device: &str) {
    let (net, dev) = (fix::word(ni.net()), fix::word(device));
    let new =
        view.rail.addresses.iter().any(|a| a.scope == 0 && a.ip().is_ipv4() == address.is_ipv4());
    if new {
        finding.fix = vec![
            here(format!("lnetctl net del --net {net} --if {dev}")),
            here(format!("lnetctl net add --net {net} --if {dev}")),
        ];
        return;
    }
    let rails = view.node.rails.iter().flat_map(|r: &Rail| &r.addresses);
    let Some(sibling) = rails.map(|a| a.prefix).find(|p| p.contains(address)) else { return };
    let prefix = Prefix { addr: address, len: sibling.len };
    let dev = Text::new(device);
    finding.remedy = vec![Change::here(Action::Address { prefix, dev, remove: false })];
    finding.fix = fix::commands(&finding.remedy);
    finding.undo = fix::undo(&finding.remedy);
    finding.verify = fix::proofs(&finding.remedy);
}

fn interface(node: &Node, address: &Address) -> Option<Text> {
    let links = node.links.as_ref().ok()?;
    links.iter().find(|l| l.index == address.ifindex).map(|l| l.name.clone())
}

/// An error of the LND whose cause is not to be seen from here.
fn link_gone(view: &RailView<'_>, ni: &LnetNi) -> String {
    let there = view.iface() == Iface::Up
        && ni
            .address()
            .parse::<IpAddr>()
            .is_ok_and(|address| view.rail.addresses.iter().any(|a| a.ip() == address));
    if there {
        format!(
            "LNet took {} out of use (fatal_error 1), though link and address of {} are there",
            ni.nid,
            view.name()
        )
    } else {
        words(ni, Trouble::LinkGone)
    }
}

fn words(ni: &LnetNi, trouble: Trouble) -> String {
    let nid = &ni.nid;
    match trouble {
        Trouble::LinkGone => {
            format!("LNet took {nid} out of use: link or address gone (fatal_error 1)")
        }
        Trouble::Down => {
            let because = match ni.health {
                Ok(0) => "its health is 0".to_owned(),
                Ok(health) if health < MAX_HEALTH => {
                    format!("its health is {health}; from 0 it comes back up at {MAX_HEALTH}")
                }
                _ => "why is not to be seen".to_owned(),
            };
            format!("LNet calls {nid} down without a link error: {because}")
        }
        Trouble::Unclear => format!(
            "LNet calls {nid} down {}: a router's net without traffic, or left from a flap \
             (LU-20093)",
            well(ni)
        ),
        Trouble::LikelyStale => format!(
            "LNet calls {nid} down {}: most likely left from a flap (LU-20093), unless this is a \
             router without traffic",
            well(ni)
        ),
        Trouble::LikelyIdle => format!(
            "LNet calls {nid} down {}: of this version a router does, of a net without traffic",
            well(ni)
        ),
        Trouble::Stale => {
            format!("LNet still calls {nid} down after a flap, and uses it (LU-20093)")
        }
        Trouble::Idle => {
            format!("{nid} had no traffic for two minutes; a router then calls its NI down")
        }
    }
}

fn well(ni: &LnetNi) -> &'static str {
    if ni.health.is_ok() { "with full health and no link error" } else { "and gives no error" }
}

fn finding(ni: &LnetNi, trouble: Trouble, summary: String) -> Finding {
    let mut finding = Finding::new(trouble.id(), trouble.severity(), summary, vec![evidence(ni)]);
    let device = ni.interfaces.first().map(|i| fix::word(i));
    finding.verify = match (trouble, device) {
        (Trouble::LinkGone, Some(dev)) => vec![here(format!("ip -br link show dev {dev}"))],
        (Trouble::Idle, _) => vec![here(format!("lnetctl ping {}", fix::word(&ni.nid)))],
        (Trouble::Unclear | Trouble::LikelyStale | Trouble::LikelyIdle, _) => {
            vec![here("lnetctl routing show")]
        }
        _ => Vec::new(),
    };
    let show = format!("lnetctl net show --net {} -v 2", fix::word(ni.net()));
    finding.verify.push(here(show));
    finding
}

/// Aliases are not watched: a link that drops raises no error there.
fn on_alias(ni: &LnetNi) -> Option<Finding> {
    let alias = ni.interfaces.iter().find(|i| i.contains(':'))?;
    let real = alias.split(':').next().unwrap_or(alias);
    let summary = format!(
        "NI {} is on the alias {alias}: LNet will not notice when the link of {real} drops",
        ni.nid
    );
    let line = ni_line(ni, [("interfaces", Some(alias.to_string()))]);
    Some(Finding::new(NI_ON_ALIAS, Severity::Note, summary, vec![line]))
}

pub(super) fn evidence(ni: &LnetNi) -> Text {
    ni_line(
        ni,
        [
            ("status", printed(&ni.status)),
            ("fatal_error", printed(&ni.fatal_error)),
            ("health value", printed(&ni.health)),
        ],
    )
}
