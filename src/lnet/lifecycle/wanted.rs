//! What says on this node that LNet should run.

use crate::lnet::config::{Configured, LNET_CONF};
use crate::sample::{LnetLocal, Text};

/// Everything on the node that speaks of LNet's nets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `lnet.service` is enabled: it starts LNet at boot.
    pub service: bool,
    /// What `/etc/lnet.conf` says of nets, a line each.
    pub lnet_conf: Vec<Text>,
    /// What files of modprobe.d set: `networks`, `ip2nets`.
    pub modprobe: Vec<Text>,
    /// Parameters of the loaded module that name nets.
    pub parameters: Vec<Text>,
}

impl Wanted {
    /// As far as it was read.
    pub(super) fn of(local: &LnetLocal, files: &Configured) -> Self {
        let mut lnet_conf: Vec<Text> = Vec::new();
        for net in files.nets.iter().filter(|n| !n.by.is_parameter()) {
            lnet_conf
                .push(format!("{}: {}", net.path, net_words(&net.name, &net.interfaces)).into());
        }
        let refused = files.problems.iter().filter(|p| p.id == "NOT_YAML");
        lnet_conf.extend(refused.map(|p| Text::from(format!("{}: {}", p.path, p.summary))));
        let modprobe = [files.networks(), files.ip2nets()].into_iter().flatten();
        let modprobe = modprobe
            .map(|s| Text::from(format!("{}: options lnet {}=\"{}\"", s.path, s.name, s.value)))
            .collect();
        let loaded = ["networks", "ip2nets"].into_iter().filter_map(|name| {
            let value = set(local, name)?;
            Some(Text::from(format!("/sys/module/lnet/parameters/{name}: {value}")))
        });
        Self {
            service: local.service_enabled == Some(true),
            lnet_conf,
            modprobe,
            parameters: loaded.collect(),
        }
    }

    /// Everything, a line each.
    pub fn lines(&self) -> Vec<Text> {
        let service = self.service.then(|| Text::new("lnet.service: enabled"));
        let files = self.lnet_conf.iter().chain(&self.modprobe).chain(&self.parameters);
        service.into_iter().chain(files.cloned()).collect()
    }
}

/// `o2ib(ib0,ib1)`.
pub(super) fn net_words(name: &str, interfaces: &[Text]) -> String {
    if interfaces.is_empty() {
        return name.to_owned();
    }
    let names: Vec<&str> = interfaces.iter().map(Text::as_str).collect();
    format!("{name}({})", names.join(","))
}

/// Does `/etc/lnet.conf` say anything of nets? The file that is shipped has comments alone.
pub(super) fn has_lnet_conf(wanted: &Wanted) -> bool {
    wanted.lnet_conf.iter().any(|line| line.starts_with(LNET_CONF))
}

/// A parameter of the loaded module that has a value.
pub(crate) fn set<'a>(local: &'a LnetLocal, name: &str) -> Option<&'a str> {
    let value = local.parameter("lnet", name)?.trim();
    // How the kernel prints a string parameter that nobody set.
    (!value.is_empty() && value != "(null)").then_some(value)
}
