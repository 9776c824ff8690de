//! A remedy sorted by interface: what the configuration of each rail has to say.

use super::rule::Policy;
use super::write::{Extra, is_plain_name};
use crate::check::Where;
use crate::fix::{Action, Change, RouteSpec, RuleSpec, SysctlKey};
use crate::sample::{Managed, Prefix, Text};

/// What an interface is: managers have a section for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPoIB.
    Infiniband {
        /// `datagram` or `connected`.
        mode: Option<Text>,
        /// The partition, of a child.
        pkey: Option<u16>,
        /// The parent, of a child.
        parent: Option<Text>,
    },
    /// A NIC, RoCE or not.
    Ethernet,
    /// A bond.
    Bond,
    /// A VLAN.
    Vlan,
}

/// An interface as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RailState {
    /// Its name.
    pub interface: Text,
    /// What it is.
    pub kind: Kind,
    /// Its global addresses.
    pub addresses: Vec<Prefix>,
    /// Who keeps its configuration, where that is known.
    pub managed: Option<Managed>,
}

/// What the configuration of one interface has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RailPlan {
    /// Its name.
    pub interface: Text,
    /// What it is.
    pub kind: Kind,
    /// Who keeps its configuration, where that is known.
    pub managed: Option<Managed>,
    /// All its addresses, after the remedy.
    pub addresses: Vec<Prefix>,
    /// Those that the remedy adds.
    pub added: Vec<Prefix>,
    /// Those that it takes away.
    pub removed: Vec<Prefix>,
    /// The MTU, if the remedy sets it.
    pub mtu: Option<u32>,
    /// Its routes.
    pub routes: Vec<RouteSpec>,
    /// Its rules.
    pub rules: Vec<Policy>,
    /// Its sysctls.
    pub sysctls: Vec<(SysctlKey, i64)>,
}

impl Plan {
    /// Is there nothing that a file could say?
    pub fn is_empty(&self) -> bool {
        self.rails.is_empty() && self.common.is_empty()
    }
}

impl RailPlan {
    /// Has it anything for a network manager, beside sysctls?
    pub(super) fn is_configured(&self) -> bool {
        let links = self.mtu.is_some() || !self.added.is_empty() || !self.removed.is_empty();
        links || !self.routes.is_empty() || !self.rules.is_empty()
    }

    /// Does this manager keep it already? Then only what is new has to be said.
    pub(super) fn kept_by(&self, manager: crate::sample::Manager) -> Option<&Managed> {
        self.managed.as_ref().filter(|m| m.manager == manager)
    }

    /// The routes of one family.
    pub(super) fn routes_of(
        &self,
        family: crate::sample::Family,
    ) -> impl Iterator<Item = &RouteSpec> {
        self.routes.iter().filter(move |r| r.dst.family() == family)
    }

    /// The rules of one family.
    pub(super) fn rules_of(&self, family: crate::sample::Family) -> impl Iterator<Item = &Policy> {
        self.rules.iter().filter(move |r| r.family == family)
    }
}

/// A remedy sorted by interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One per interface that has something to say, in the order of the states.
    pub rails: Vec<RailPlan>,
    /// The sysctls of `all` and `default`.
    pub common: Vec<(SysctlKey, i64)>,
    /// What no file can say, in sentences.
    pub left_out: Vec<String>,
}

/// What works now and is to stay, then the remedy: without what that replaces or takes away.
pub fn beside(live: &[Change], remedy: &[Change]) -> Vec<Change> {
    let stays = |change: &&Change| {
        let by =
            |other: &Change| other.place == Where::Here && undoes(&other.action, &change.action);
        !remedy.iter().any(by)
    };
    live.iter().filter(stays).chain(remedy).cloned().collect()
}

/// Is nothing left of the second after the first?
fn undoes(remedy: &Action, live: &Action) -> bool {
    let same_place = |a: &RouteSpec, b: &RouteSpec| {
        let key = |r: &RouteSpec| (r.table, r.dst.network(), r.from, r.tos, r.metric);
        key(a) == key(b)
    };
    match (remedy, live) {
        (
            Action::RouteReplace { route: new, .. } | Action::RouteDelete(new),
            Action::RouteReplace { route, .. },
        ) => same_place(new, route),
        (Action::RuleDelete(gone), Action::RuleAdd(rule)) => {
            Policy::of(gone).is_some_and(|gone| Policy::of(rule) == Some(gone))
        }
        _ => false,
    }
}

/// Sorts a remedy by interface. What is to be done on the peer is not part of it.
pub fn plan(changes: &[Change], rails: &[RailState]) -> Plan {
    let mut plan = Plan { rails: rails.iter().map(empty).collect(), ..Plan::default() };
    let here = || changes.iter().filter(|c| c.place == Where::Here);
    // Rules find their rail by its addresses and tables, so these come first.
    for change in here().filter(|c| !matches!(c.action, Action::RuleAdd(_))) {
        add(&mut plan, &change.action);
    }
    for change in here() {
        if let Action::RuleAdd(rule) = &change.action {
            add_rule(&mut plan, rule);
        }
    }
    plan.rails.retain(|r| r.is_configured() || !r.sysctls.is_empty());
    plan
}

fn empty(state: &RailState) -> RailPlan {
    RailPlan {
        interface: state.interface.clone(),
        kind: state.kind.clone(),
        managed: state.managed.clone(),
        addresses: state.addresses.clone(),
        added: Vec::new(),
        removed: Vec::new(),
        mtu: None,
        routes: Vec::new(),
        rules: Vec::new(),
        sysctls: Vec::new(),
    }
}

fn add(plan: &mut Plan, action: &Action) {
    match action {
        Action::Address { prefix, dev, remove } => with(plan, dev, |rail| {
            rail.addresses.retain(|a| a != prefix);
            if *remove {
                push(&mut rail.removed, *prefix);
            } else {
                rail.addresses.push(*prefix);
                push(&mut rail.added, *prefix);
            }
        }),
        Action::RouteReplace { route, .. } => add_route(plan, route),
        Action::LinkMtu { dev, mtu, .. } => with(plan, dev, |rail| rail.mtu = Some(*mtu)),
        Action::Sysctl { key, value, .. } => add_sysctl(plan, key, *value),
        Action::RouteDelete(_) | Action::RuleDelete(_) => plan.left_out.push(format!(
            "`{}` has no persistent form: take the line out of the file that puts it there",
            action.command()
        )),
        Action::NextHopAdd { .. } | Action::NextHopGroup { .. } => plan.left_out.push(format!(
            "`{}` is not written: next-hop objects vanish with the carrier, whoever made them",
            action.command()
        )),
        // Who keeps an interface brings it up by itself.
        Action::Other { command, .. } if command.starts_with("ip link set dev ") => {}
        Action::Other { command, .. } => {
            plan.left_out.push(format!("`{command}` has no persistent form here"));
        }
        // What the peer's addresses are is learnt anew after each boot.
        Action::NeighbourFlush { .. } | Action::RuleAdd(_) => {}
    }
}

/// Does it to the plan of an interface, if its name can stand in files.
fn with(plan: &mut Plan, dev: &Text, change: impl FnOnce(&mut RailPlan)) {
    if !is_plain_name(dev) {
        let left = format!("{dev}: this name cannot stand safely in configuration files");
        push(&mut plan.left_out, left);
        return;
    }
    match plan.rails.iter_mut().find(|r| r.interface == *dev) {
        Some(rail) => change(rail),
        None => push(&mut plan.left_out, format!("{dev}: no rail of that name")),
    }
}

fn add_route(plan: &mut Plan, route: &RouteSpec) {
    if route.nhid.is_some() {
        plan.left_out.push(format!(
            "`ip route replace {route}` is not written: next-hop objects vanish with the carrier, \
             whoever made them"
        ));
        return;
    }
    if Extra::of(route).is_none() {
        plan.left_out.push(format!("`ip route replace {route}` has words that no file can say"));
        return;
    }
    let owner = route.dev.clone().or_else(|| {
        let same = |r: &RailPlan| r.routes.iter().any(|other| other.table == route.table);
        plan.rails.iter().find(|r| same(r)).map(|r| r.interface.clone())
    });
    match owner {
        Some(dev) => with(plan, &dev, |rail| push(&mut rail.routes, route.clone())),
        None => plan.left_out.push(format!("`ip route replace {route}` belongs to no interface")),
    }
}

fn add_sysctl(plan: &mut Plan, key: &SysctlKey, value: i64) {
    let set = |list: &mut Vec<(SysctlKey, i64)>| {
        list.retain(|(other, _)| other != key);
        list.push((key.clone(), value));
    };
    if matches!(&*key.interface, "all" | "default") {
        set(&mut plan.common);
    } else {
        with(plan, &key.interface, |rail| set(&mut rail.sysctls));
    }
}

/// A rule belongs to the rail whose address it is about, else to the one whose table it names.
fn add_rule(plan: &mut Plan, spec: &RuleSpec) {
    let Some(policy) = Policy::of(spec) else {
        plan.left_out.push(format!(
            "`ip rule add pref {} {} {}` has words that not every file can say",
            spec.preference, spec.selectors, spec.action
        ));
        return;
    };
    let by_address = |r: &RailPlan| {
        policy.from.is_some_and(|from| r.addresses.iter().any(|a| a.addr == from.addr))
    };
    let by_table = |r: &RailPlan| r.routes.iter().any(|route| route.table == policy.table);
    let owner = plan
        .rails
        .iter()
        .position(by_address)
        .or_else(|| plan.rails.iter().position(by_table))
        .filter(|i| plan.rails.get(*i).is_some_and(|r| is_plain_name(&r.interface)));
    match owner.and_then(|i| plan.rails.get_mut(i)) {
        Some(rail) => push(&mut rail.rules, policy),
        None => plan.left_out.push(format!(
            "`ip rule add pref {} {} {}` belongs to no interface",
            spec.preference, spec.selectors, spec.action
        )),
    }
}

fn push<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}
