//! Routes to other nets.

use super::kit::{Told, count, is_on, listed, nis};
use super::ni::is_fatal;
use crate::check::Severity;
use crate::check::catalogue::lnet::{LNET_ROUTE_DOWN, NI_ADDRESS_LOST, NI_DOWN};
use crate::check::fold::Found;
use crate::check::view::RailView;
use crate::fix::word;
use crate::node::Node;
use crate::sample::{LnetRoute, Text};

/// One finding for each remote net with a route that is down.
pub(super) fn check(node: &Node, views: &[RailView<'_>]) -> Vec<Found> {
    let Ok(routes) = &node.lnet.more.routes else { return Vec::new() };
    let mut nets: Vec<(&Text, Vec<&LnetRoute>)> = Vec::new();
    for route in &routes.value {
        match nets.iter_mut().find(|(net, _)| *net == &route.net) {
            Some((_, all)) => all.push(route),
            None => nets.push((&route.net, vec![route])),
        }
    }
    nets.iter().filter_map(|(net, all)| of_net(node, views, net, all)).collect()
}

fn is_down(route: &LnetRoute) -> bool {
    route.state.as_ref().is_ok_and(|s| *s == "down")
}

fn of_net(node: &Node, views: &[RailView<'_>], net: &str, routes: &[&LnetRoute]) -> Option<Found> {
    let down: Vec<&&LnetRoute> = routes.iter().filter(|r| is_down(r)).collect();
    let first = down.first()?;
    let gateways = listed(down.iter().map(|r| r.gateway.as_str()));
    let all = down.len() == routes.len();
    let severity = if all && is_used(node, net) { Severity::Critical } else { Severity::Warning };
    let summary = if all {
        format!("no route to net {net} is up: its gateway {gateways} does not answer")
    } else {
        format!(
            "{} of {} to net {net} is down: gateway {gateways}",
            down.len(),
            count(routes.len(), "route")
        )
    };
    let lines = down.iter().map(|r| {
        let kind = r.kind.as_ref().map_or_else(|_| String::new(), |k| format!(", type: {k}"));
        format!("lnetctl route show -v: net: {net}, gateway: {}, state: down{kind}", r.gateway)
    });
    let ping = format!("lnetctl ping {}", word(&first.gateway));
    let told = Told::new(LNET_ROUTE_DOWN, severity, summary)
        .seen(lines)
        .verify([ping, "lnetctl route show -v".to_owned()])
        .verify_peer("lnetctl routing show")
        .verify_peer("lnetctl net show");
    Some(told.on(behind(node, views, first)).found())
}

/// Does a peer have a NID there? A route that nobody uses any more is only a line too much.
fn is_used(node: &Node, net: &str) -> bool {
    let peers = node.lnet.more.peers.iter().flat_map(|p| &p.value);
    peers.flat_map(|p| &p.nis).any(|ni| ni.net() == net)
}

/// The rail that the gateway is behind, where every NI that leads there is dead: the route is
/// down because of it.
fn behind<'a>(
    node: &Node,
    views: &'a [RailView<'a>],
    route: &LnetRoute,
) -> Option<&'a RailView<'a>> {
    let net = route.gateway.rsplit_once('@').map_or("", |(_, net)| net);
    let mut own = nis(node).filter(|ni| ni.net() == net).peekable();
    own.peek()?;
    let own: Vec<_> = own.collect();
    if !own.iter().all(|ni| is_fatal(ni)) {
        return None;
    }
    views.iter().find(|view| own.iter().any(|ni| is_on(view.rail, ni)))
}

/// A route behind a dead NI follows from what killed the NI.
pub(super) fn tie(found: &mut [Found]) {
    let roots: Vec<(usize, &'static str)> = found
        .iter()
        .filter(|f| matches!(f.finding.id, NI_DOWN | NI_ADDRESS_LOST))
        .flat_map(|f| {
            let id = f.finding.caused_by.unwrap_or(f.finding.id);
            f.rails.iter().map(move |rail| (*rail, id))
        })
        .collect();
    for one in found.iter_mut().filter(|f| f.finding.id == LNET_ROUTE_DOWN) {
        let root = one.rails.first().and_then(|rail| roots.iter().find(|(r, _)| r == rail));
        one.finding.caused_by = root.map(|(_, id)| *id);
    }
}
