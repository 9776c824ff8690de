//! What the kernel took out of the tables when an interface was switched off, as far as the rules
//! that are left tell.

use super::cause::is_plain;
use super::plan::is_host_of;
use crate::fib::Fib;
use crate::fix::{Action, Change, RouteSpec};
use crate::node::Node;
use crate::sample::{Prefix, Rule, RuleAction, Text};

/// `ifa_scope` from which on an address is not for others.
const RT_SCOPE_LINK: u8 = 253;

/// Rules that lead from the addresses of an interface to tables of their own, and what those lack.
#[derive(Clone, Debug, Default)]
pub(in crate::check) struct Refill {
    /// The rules, as `ip rule` prints them, and the tables that are empty.
    pub evidence: Vec<Text>,
    /// The connected routes that the tables lack.
    pub routes: Vec<Change>,
}

/// What the tables of an interface lack. Its connected routes follow from its addresses; what else
/// stood there (a default route by a gateway) is known to nobody but who made it.
pub(in crate::check) fn of(node: &Node, interface: &str) -> Refill {
    let mut out = Refill::default();
    let (Ok(links), Ok(addresses)) = (&node.links, &node.routing.addresses) else { return out };
    let Some(link) = links.iter().find(|l| l.name == *interface) else { return out };
    let fib = Fib::new(links, &node.routing, &node.sysctls, node.host.kernel.as_deref().ok());
    let own = addresses.iter().filter(|a| a.ifindex == link.index && a.scope < RT_SCOPE_LINK);
    for address in own.map(|a| a.local) {
        let v4 = address.addr.is_ipv4();
        let (rules, routes) = if v4 {
            (&node.routing.rules4, &node.routing.routes4)
        } else {
            (&node.routing.rules6, &node.routing.routes6)
        };
        let (Ok(rules), Ok(routes)) = (rules, routes) else { continue };
        for (rule, table) in rules.iter().filter_map(|r| Some((r, table_for(r, &address)?))) {
            push(&mut out.evidence, fib.rule_line(rule).into());
            if !routes.iter().any(|r| r.table == table) {
                let ip = if v4 { "ip" } else { "ip -6" };
                push(&mut out.evidence, format!("{ip} route show table {table}: nothing").into());
            }
            let there = routes.iter().any(|r| r.table == table && r.dst == address.network());
            if !there {
                let dev = Text::new(interface);
                let route = RouteSpec::connected(address, dev, address.addr, table);
                push(&mut out.routes, Change::here(Action::RouteReplace { route, before: None }));
            }
        }
    }
    out
}

/// The table that a rule leads the packets of one address to.
fn table_for(rule: &Rule, address: &Prefix) -> Option<u32> {
    let from_it = rule.src.is_some_and(|src| is_host_of(&src, address.addr));
    match rule.action {
        RuleAction::Lookup(table) if from_it && is_plain(rule) => Some(table),
        _ => None,
    }
}

fn push<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}
