//! Evidence: the lines that `ip rule`, `ip route` and `sysctl` print.

use super::scene::Scene;
use crate::sample::{Neighbour, Reading, Route, Rule, Text};

/// A rule as `ip rule` prints it.
pub(super) fn rule(scene: &Scene<'_>, rule: &Rule) -> Text {
    scene.fib.rule_line(rule).into()
}

/// The name of a table, else its number.
pub(super) fn table(scene: &Scene<'_>, id: u32) -> Text {
    let named = scene.routing.table_names.iter().find(|(n, _)| *n == id).map(|(_, t)| t.clone());
    named.unwrap_or_else(|| match id {
        253 => "default".into(),
        254 => "main".into(),
        255 => "local".into(),
        id => id.to_string().into(),
    })
}

/// A route as `ip route show table all` prints it.
pub(super) fn route(scene: &Scene<'_>, route: &Route) -> Text {
    scene.fib.route_line(route).into()
}

/// A sysctl as `sysctl` prints it.
pub(super) fn sysctl(interface: &str, name: &str, value: &Reading<i64>) -> Option<Text> {
    let value = value.as_ref().ok()?;
    Some(format!("net.ipv4.conf.{}.{name} = {value}", interface.replace('.', "/")).into())
}

/// A neighbour as `ip neigh` prints it.
pub(super) fn neighbour(scene: &Scene<'_>, neighbour: &Neighbour) -> Text {
    let dev = scene.dev(neighbour.ifindex);
    let lladdr = neighbour.lladdr.as_deref().unwrap_or("-");
    format!("{} dev {dev} lladdr {lladdr}", neighbour.dst).into()
}
