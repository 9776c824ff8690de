//! Each state that must give one finding, and beside it the look-alike that must give none.

mod life;
mod nets;
mod nis;
mod over_time;
mod whole;

use crate::check::{Assessment, Finding, Severity, assess};
use crate::node::testing::{World, ni};
use crate::node::{Node, Settings, SourceKind};
use crate::sample::{
    Answered, LnetFailure, LnetFile, LnetLocal, LnetMore, LnetParameter, LnetRoute, LnetRouting,
    LoadedModule, LustreMount, Mono, Sample, Text, Timed,
};
use std::sync::Arc;

/// A node with LNet, and what it says besides its nets.
#[derive(Clone)]
struct Stand {
    world: World,
    local: LnetLocal,
    more: LnetMore,
    version: crate::sample::Reading<Text>,
}

#[expect(clippy::unnecessary_wraps, reason = "an answer that is known")]
fn answered<T>(value: T) -> Answered<T> {
    Ok(Arc::new(Timed { at: Mono(1_000_000_000_000), value }))
}

impl Stand {
    /// `n` rails in one subnet, each with an NI of o2ib.
    fn new(n: u32) -> Self {
        let mut world = World::rails(n);
        world.o2ib(n);
        Self {
            world,
            local: LnetLocal::default(),
            more: LnetMore::default(),
            version: crate::node::testing::absent(),
        }
    }

    /// The same, and LNet fails to answer with nets.
    fn fails(failure: LnetFailure) -> Self {
        let mut stand = Self::new(2);
        stand.world.nis = Err(failure);
        stand
    }

    fn nis(&mut self) -> &mut Vec<crate::sample::LnetNi> {
        self.world.nis.as_mut().unwrap()
    }

    fn file(mut self, path: &str, lines: &[&str]) -> Self {
        let lines = Ok(lines.iter().map(|l| Text::new(l)).collect());
        self.local.files.push(LnetFile { path: path.into(), lines });
        self
    }

    fn conf(self, nets: &[(&str, &[&str])]) -> Self {
        let mut lines = vec!["net:".to_owned()];
        for (net, interfaces) in nets {
            lines.push(format!("    - net type: {net}"));
            lines.push("      local NI(s):".into());
            for interface in *interfaces {
                lines.push("        - interfaces:".into());
                lines.push(format!("              0: {interface}"));
            }
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        self.file("/etc/lnet.conf", &lines)
    }

    fn modprobe(self, line: &str) -> Self {
        self.file("/etc/modprobe.d/lustre.conf", &[line])
    }

    fn service(mut self, enabled: bool) -> Self {
        self.local.service_enabled = Some(enabled);
        self
    }

    fn parameter(mut self, name: &str, value: &str) -> Self {
        let one =
            LnetParameter { module: "lnet".into(), name: name.into(), value: Ok(value.into()) };
        self.local.parameters.push(one);
        self
    }

    fn module(mut self, name: &str, references: u32, used_by: &[&str]) -> Self {
        let used_by = used_by.iter().map(|u| Text::new(u)).collect();
        self.local.modules.push(LoadedModule { name: name.into(), references, used_by });
        self
    }

    fn mounted(mut self, source: &str, target: &str) -> Self {
        let kind = "lustre".into();
        self.local.mounts.push(LustreMount { source: source.into(), target: target.into(), kind });
        self
    }

    fn routing(mut self, enable: Option<u32>) -> Self {
        self.more.routing = answered(LnetRouting { enable, buffers: Vec::new() });
        self
    }

    fn route(mut self, net: &str, gateway: &str, state: &str) -> Self {
        let mut routes = self.more.routes.map(|r| r.value.clone()).unwrap_or_default();
        routes.push(LnetRoute {
            net: net.into(),
            gateway: gateway.into(),
            hop: Ok(-1),
            priority: Ok(0),
            state: Ok(state.into()),
            kind: Ok("single-hop".into()),
        });
        self.more.routes = answered(routes);
        self
    }

    fn sample(&self, ms: u64) -> Sample {
        let mut sample = self.world.at_ms(ms);
        let lnet = Arc::make_mut(&mut sample.lnet);
        lnet.local = Arc::new(self.local.clone());
        lnet.more = self.more.clone();
        lnet.version = self.version.clone();
        sample
    }

    fn node(&self) -> Node {
        Node::new(Settings::default(), SourceKind::Live, &self.sample(0))
    }

    fn judged(&self) -> Assessment {
        assess(&self.node())
    }

    /// Roots of LNet alone: these rails share a subnet without source rules, which is another
    /// family's matter.
    #[track_caller]
    fn roots(&self) -> Vec<(&'static str, Severity)> {
        roots(&self.judged())
    }

    /// The only one.
    #[track_caller]
    fn only(&self) -> Finding {
        let judged = self.judged();
        let mut of_lnet = judged.findings.into_iter().filter(is_of_lnet);
        let one = of_lnet.next().expect("a finding about LNet");
        let more: Vec<Finding> = of_lnet.collect();
        assert!(more.is_empty(), "{one:?} and {more:?}");
        one
    }
}

fn is_of_lnet(f: &Finding) -> bool {
    f.id.starts_with("NI_") || f.id.starts_with("LNET_") && f.id != "LNET_TABLES"
}

fn roots(judged: &Assessment) -> Vec<(&'static str, Severity)> {
    let roots = judged.findings.iter().filter(|f| is_of_lnet(f) && f.caused_by.is_none());
    roots.map(|f| (f.id, f.severity)).collect()
}

fn commands(f: &Finding) -> Vec<&str> {
    f.fix.iter().map(|s| s.command.as_str()).collect()
}

#[test]
fn a_healthy_node_has_none() {
    assert_eq!(Stand::new(4).roots(), []);
    assert_eq!(Stand::new(1).roots(), []);
}

#[test]
fn a_node_without_lustre_has_none() {
    let stand = Stand::fails(LnetFailure::NotInstalled);
    assert_eq!(stand.roots(), []);
    assert_eq!(stand.judged().lnet.words, "not installed");
    // Files that some package left behind are nobody's business there.
    let stand = stand.modprobe("options lnet networks=tcp(eth0) ip2nets=\"tcp 10.*.*.*\"");
    assert_eq!(stand.roots(), []);
}
