//! What stays: LNet's settings, its routes, the files that configure it, what uses it.

use super::super::scenario::Scenario;
use super::super::world::World;
use super::answered;
use crate::sample::{
    LnetFile, LnetGlobal, LnetLocal, LnetMore, LnetParameter, LnetRoute, LnetRouting, LoadedModule,
    LustreMount, Mono, Text,
};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// It is asked again after this.
const PACE: Duration = Duration::from_secs(30);

/// What is asked seldom.
#[derive(Debug)]
pub(in super::super) struct Settings {
    at: Mono,
    pub(super) more: LnetMore,
    pub(super) local: Arc<LnetLocal>,
}

impl Settings {
    /// As they are now.
    pub(in super::super) fn of(world: &World, at: Mono) -> Self {
        Self { at, more: more(&world.scenario, at), local: Arc::new(local(&world.scenario)) }
    }

    /// Asks again where it is time to.
    pub(in super::super) fn refresh(&mut self, world: &World, at: Mono) {
        if at.since(self.at) >= PACE {
            self.at = at;
            self.more = more(&world.scenario, at);
        }
    }
}

fn more(scenario: &Scenario, at: Mono) -> LnetMore {
    LnetMore {
        global: answered(at, global(scenario)),
        routes: answered(at, routes(scenario)),
        // Nothing printed: no router.
        routing: answered(at, LnetRouting::default()),
        udsp: answered(at, Vec::new()),
        ..LnetMore::default()
    }
}

/// As 2.15 prints it.
fn global(scenario: &Scenario) -> LnetGlobal {
    let all = [
        ("numa_range", scenario.lnet.numa_range),
        ("max_interfaces", 200),
        ("discovery", 1),
        ("drop_asym_route", 0),
        ("retry_count", 2),
        ("transaction_timeout", 50),
        ("health_sensitivity", 100),
        ("recovery_interval", 1),
        ("router_sensitivity", 100),
        ("lnd_timeout", 16),
        ("response_tracking", 3),
        ("recovery_limit", 0),
    ];
    LnetGlobal {
        all: all.map(|(name, value)| (Text::new(name), Text::from(value.to_string()))).into(),
    }
}

fn routes(scenario: &Scenario) -> Vec<LnetRoute> {
    let route = |r: &super::super::scenario::LnetRoute| LnetRoute {
        net: Text::new(&r.net),
        gateway: Text::new(&r.gateway),
        hop: Ok(-1),
        priority: Ok(0),
        state: Ok(Text::new("up")),
        kind: Ok(Text::new("single-hop")),
    };
    scenario.lnet.routes.iter().map(route).collect()
}

fn local(scenario: &Scenario) -> LnetLocal {
    let parameter = |(module, name, value): (&str, &str, &str)| LnetParameter {
        module: Text::new(module),
        name: Text::new(name),
        value: Ok(Text::new(value)),
    };
    let numa_range = scenario.lnet.numa_range.to_string();
    let parameters = [
        ("lnet", "networks", ""),
        ("lnet", "ip2nets", ""),
        ("lnet", "routes", ""),
        ("lnet", "config_on_load", "0"),
        ("lnet", "lnet_numa_range", &numa_range),
        ("lnet", "lnet_health_sensitivity", "100"),
        ("lnet", "lnet_retry_count", "2"),
        ("lnet", "lnet_transaction_timeout", "50"),
        ("lnet", "lnet_peer_discovery_disabled", "0"),
        ("lnet", "lnet_recovery_limit", "0"),
        ("lnet", "cpu_pattern", "N"),
        ("ko2iblnd", "peer_credits", "32"),
        ("ko2iblnd", "credits", "256"),
        ("ko2iblnd", "conns_per_peer", "1"),
    ];
    LnetLocal {
        parameters: parameters.map(parameter).into(),
        files: vec![LnetFile {
            path: Text::new("/etc/lnet.conf"),
            lines: Ok(lnet_conf(scenario).lines().map(Text::new).collect()),
        }],
        modules: modules(scenario.lnet.server),
        mounts: mounts(scenario),
        service_enabled: Some(true),
    }
}

/// As `lnetctl export --backup` writes it.
fn lnet_conf(scenario: &Scenario) -> String {
    let net = |nid: &str| nid.rsplit_once('@').map_or_else(String::new, |(_, net)| net.to_owned());
    let mut nets: Vec<String> = scenario.rails.iter().map(|r| net(&r.nid)).collect();
    nets.dedup();
    let mut text = String::from("net:\n");
    for name in nets {
        let _ = write!(text, "    - net type: {name}\n      local NI(s):\n");
        for rail in scenario.rails.iter().filter(|r| net(&r.nid) == name) {
            let _ = write!(
                text,
                "        - interfaces:\n              0: {}\n          tunables:\n              \
                 peer_timeout: 180\n              peer_credits: {}\n              credits: {}\n",
                rail.netdev,
                super::PEER_CREDITS,
                super::CREDITS
            );
        }
    }
    for (i, route) in scenario.lnet.routes.iter().enumerate() {
        let head = if i == 0 { "route:\n" } else { "" };
        let (net, gateway) = (&route.net, &route.gateway);
        let _ = write!(
            text,
            "{head}    - net: {net}\n      gateway: {gateway}\n      hop: -1\n      priority: 0\n"
        );
    }
    text
}

/// Who uses the modules.
fn modules(server: bool) -> Vec<LoadedModule> {
    let module = |(name, references, used_by): (&str, u32, &[&str])| LoadedModule {
        name: Text::new(name),
        references,
        used_by: used_by.iter().map(|user| Text::new(user)).collect(),
    };
    let common: [(&str, u32, &[&str]); 4] = [
        ("ko2iblnd", 1, &[]),
        ("ptlrpc", 9, &["lustre", "osc", "mdc", "lmv", "lov", "fld", "fid", "mgc"]),
        ("lnet", 8, &["ptlrpc", "ko2iblnd", "obdclass", "osc", "mgc"]),
        ("libcfs", 12, &["lnet", "ptlrpc", "ko2iblnd", "obdclass"]),
    ];
    let own: (&str, u32, &[&str]) = if server { ("ost", 3, &[]) } else { ("lustre", 2, &[]) };
    std::iter::once(own).chain(common).map(module).collect()
}

fn mounts(scenario: &Scenario) -> Vec<LustreMount> {
    let mount = |source: String, target: &str, kind: &str| LustreMount {
        source: source.into(),
        target: Text::new(target),
        kind: Text::new(kind),
    };
    if scenario.lnet.server {
        let target =
            |n| mount(format!("/dev/mapper/ost{n}"), &format!("/lustre/ost{n}"), "lustre_tgt");
        return (0..2).map(target).collect();
    }
    let servers = scenario.rails.first().map(|r| r.neighbours.as_slice()).unwrap_or_default();
    let nids: Vec<String> = servers.iter().take(2).map(|ip| format!("{ip}@o2ib")).collect();
    vec![mount(format!("{}:/scratch", nids.join(",")), "/scratch", "lustre")]
}
