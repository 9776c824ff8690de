//! NIs of one net that are not alike.

use super::kit::{Told, is_on, listed, nets, ni_line};
use crate::check::Severity;
use crate::check::catalogue::lnet::NI_SETTINGS_DIFFER;
use crate::check::fold::Found;
use crate::check::view::RailView;
use crate::fix::word;
use crate::node::Node;
use crate::sample::LnetNi;

/// What a setting is called, whatever version printed it where.
fn setting(path: &str) -> Option<&str> {
    path.strip_prefix("tunables/").or_else(|| path.strip_prefix("lnd tunables/"))
}

fn settings(ni: &LnetNi) -> Vec<(&str, String)> {
    let own = [("peer_credits", &ni.peer_credits), ("credits", &ni.credits)];
    let own = own.into_iter().filter_map(|(k, v)| Some((k, v.as_ref().ok()?.to_string())));
    let more = ni.more.iter().filter_map(|(path, v)| Some((setting(path)?, v.to_string())));
    own.chain(more).collect()
}

/// The settings in which NIs of a net differ.
pub(super) fn check(node: &Node, views: &[RailView<'_>]) -> Vec<Found> {
    nets(node).iter().filter_map(|(net, nis)| of_net(views, net, nis)).collect()
}

fn of_net(views: &[RailView<'_>], net: &str, nis: &[&LnetNi]) -> Option<Found> {
    let [first, rest @ ..] = nis else { return None };
    let reference = settings(first);
    let others: Vec<Vec<(&str, String)>> = rest.iter().map(|ni| settings(ni)).collect();
    // Only what every NI prints can be compared.
    let differs = |key: &str, value: &str| {
        let values: Option<Vec<&str>> = others
            .iter()
            .map(|s| s.iter().find(|(k, _)| *k == key).map(|(_, v)| v.as_str()))
            .collect();
        values.is_some_and(|v| v.iter().any(|other| *other != value))
    };
    let mut keys: Vec<&str> =
        reference.iter().filter(|(k, v)| differs(k, v)).map(|(k, _)| *k).collect();
    keys.dedup();
    if keys.is_empty() {
        return None;
    }
    let lines = nis.iter().map(|ni| {
        let own = settings(ni);
        ni_line(
            ni,
            keys.iter()
                .map(|key| (*key, own.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()))),
        )
    });
    let summary = format!("the NIs of {net} differ in {}", listed(&keys));
    let on: Vec<&RailView<'_>> =
        views.iter().filter(|v| nis.iter().any(|ni| is_on(v.rail, ni))).collect();
    Some(
        Told::new(NI_SETTINGS_DIFFER, Severity::Note, summary)
            .about(on.iter().map(|v| v.rail.name.clone()))
            .seen(lines)
            .verify([
                format!("lnetctl net show --net {} -v 4", word(net)),
                "cat /etc/lnet.conf".to_owned(),
            ])
            .found(),
    )
}
