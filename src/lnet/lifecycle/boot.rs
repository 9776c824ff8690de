//! What LNet would have after a boot, by the files of this node, against what runs.
//!
//! Where `lnet.service` is enabled it imports `/etc/lnet.conf` and leaves the module parameters
//! alone (but for `config_on_load`); where it is not, nothing starts LNet but a Lustre mount, and
//! that takes `networks=` or `ip2nets=` of modprobe.d, else tcp on the first interface
//! (`lnet_get_networks()` in lnet/lnet/api-ni.c).

use super::wanted::net_words;
use crate::lnet::config::{By, Configured, LNET_CONF};
use crate::sample::{Fact, How, Lnet, LnetLocal, LnetNi, Reading, Text, Unknown, Why};

/// An NI that the files of a node would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootNi {
    /// `tcp`, `o2ib1`; net 0 without its number.
    pub net: Text,
    /// The interface, where one is named.
    pub interface: Option<Text>,
    /// The NID, where that is named instead.
    pub nid: Option<Text>,
    /// Only if an address of the node matches a rule.
    pub conditional: bool,
    /// Where it says so.
    pub line: Text,
}

impl BootNi {
    /// Is this it?
    pub fn is(&self, ni: &LnetNi) -> bool {
        if ni.net() != &*self.net {
            return false;
        }
        match (&self.interface, &self.nid) {
            // LNet does not print the interface of an NI that was made without one.
            (Some(interface), _) => ni.interfaces.is_empty() || ni.interfaces.contains(interface),
            (None, Some(nid)) => ni.nid == *nid,
            // Whatever comes first.
            (None, None) => true,
        }
    }
}

/// What a boot would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The NIs.
    pub nis: Vec<BootNi>,
    /// Who makes them: `lnet.service imports /etc/lnet.conf`.
    pub by: Text,
    /// `/etc/lnet.conf` names nets, and nothing that is known reads it at boot: `lnet.service` is
    /// not enabled, and modprobe.d names none or not what runs.
    pub unread: bool,
    /// No file names a net: what is here is LNet's default.
    pub default: bool,
}

fn running(lnet: &Lnet) -> Vec<&LnetNi> {
    let nets = lnet.answer.iter().flat_map(|a| &a.nets);
    nets.flat_map(|n| &n.nis).filter(|ni| !ni.is_lo()).collect()
}

/// What a boot would make, as far as the files tell.
pub(super) fn of(lnet: &Lnet, files: &Configured) -> Reading<Boot> {
    let local = &lnet.local;
    let service = service(local)?;
    if let Some((path, why)) = files.unread.iter().find(|(path, _)| (path == LNET_CONF) == service)
    {
        return Err(Unknown::new(why.why, format!("{path}: {}", why.detail)));
    }
    let on_load = files.parameter("lnet", "config_on_load").is_some_and(|s| *s.value != *"0");
    let conf = from_conf(files);
    if service {
        let mut nis = conf;
        if on_load {
            nis.extend(from_parameters(files));
        }
        let by = "lnet.service imports /etc/lnet.conf".into();
        return Ok(Boot { nis, by, unread: false, default: false });
    }
    let nis = from_parameters(files);
    let running = running(lnet);
    let all_in = |nis: &[BootNi]| {
        !running.is_empty() && running.iter().all(|ni| nis.iter().any(|b| b.is(ni)))
    };
    let named = nis.is_empty() && !conf.is_empty();
    if !all_in(&nis) && (named || all_in(&conf)) {
        let by = "lnet.service, which imports /etc/lnet.conf, is not enabled".into();
        return Ok(Boot { nis: conf, by, unread: true, default: false });
    }
    if nis.is_empty() {
        // What names no net has not been seen to name none.
        if let Some((path, why)) = files.unread.iter().find(|(path, _)| path == LNET_CONF) {
            return Err(Unknown::new(why.why, format!("{path}: {}", why.detail)));
        }
        let line = "no file names a net: a mount starts LNet with tcp on the first interface";
        let tcp = BootNi {
            net: "tcp".into(),
            interface: None,
            nid: None,
            conditional: true,
            line: line.into(),
        };
        let by = "a Lustre mount starts LNet with its default".into();
        return Ok(Boot { nis: vec![tcp], by, unread: false, default: true });
    }
    let by = "a Lustre mount starts LNet from modprobe.d".into();
    Ok(Boot { nis, by, unread: false, default: false })
}

fn service(local: &LnetLocal) -> Reading<bool> {
    let unknown = || Unknown::new(Why::Absent, "whether lnet.service is enabled is not known");
    local.service_enabled.ok_or_else(unknown)
}

fn from_conf(files: &Configured) -> Vec<BootNi> {
    let mut all = Vec::new();
    // The sections as they were read have the NIDs of NIs without a device.
    let sections = files.conf.iter().flat_map(|c| &c.nets).filter(|n| &*n.name != "lo");
    let mut nids = sections.map(|n| n.nids.as_slice());
    for net in files.nets.iter().filter(|n| !n.by.is_parameter()) {
        let nids = if net.by == By::Conf { nids.next().unwrap_or_default() } else { &[] };
        all.extend(nis(net, nids));
    }
    all
}

fn from_parameters(files: &Configured) -> Vec<BootNi> {
    files.nets.iter().filter(|n| n.by.is_parameter()).flat_map(|net| nis(net, &[])).collect()
}

fn nis(net: &crate::lnet::config::ConfiguredNet, nids: &[Text]) -> Vec<BootNi> {
    let one = |interface: Option<&Text>, nid: Option<&Text>| BootNi {
        net: net.name.clone(),
        interface: interface.cloned(),
        nid: nid.cloned(),
        conditional: net.by.is_conditional(),
        line: format!("{}: {}", net.path, net_words(&net.name, &net.interfaces)).into(),
    };
    if net.interfaces.is_empty() && nids.is_empty() {
        return vec![one(None, None)];
    }
    let named = net.interfaces.iter().map(|i| one(Some(i), None));
    named.chain(nids.iter().map(|nid| one(None, Some(nid)))).collect()
}

/// Whether what runs would be there again; and what would not, or would be there in addition.
pub(super) fn compare(lnet: &Lnet, boot: &Reading<Boot>) -> (Fact<bool>, Vec<Text>) {
    let running = running(lnet);
    if lnet.answer.is_err() {
        return (Fact::unknown(Why::Absent, "what runs is not known"), Vec::new());
    }
    if running.is_empty() {
        return (Fact::unknown(Why::NotApplicable, "LNet has no net"), Vec::new());
    }
    let boot = match boot {
        Ok(boot) => boot,
        Err(why) => return (Err(why.clone()).into(), Vec::new()),
    };
    let mut lines: Vec<Text> = Vec::new();
    for ni in lost(boot, &running) {
        lines.push(format!("{} would be gone", ni.nid).into());
    }
    let survives = lines.is_empty();
    let added = |b: &&BootNi| !boot.unread && !b.conditional && !running.iter().any(|ni| b.is(ni));
    for missing in boot.nis.iter().filter(added) {
        let on = missing.interface.as_ref().map_or_else(String::new, |i| format!(" on {i}"));
        lines.push(format!("an NI of {}{on} would be there", missing.net).into());
    }
    let guessed = boot.default || boot.unread || boot.nis.iter().any(|b| b.conditional);
    let fact = Fact::known(survives);
    if guessed {
        return (fact.qualified(How::Estimate, boot.by.clone()), lines);
    }
    (fact, lines)
}

/// The running NIs that no file makes. A rule without a device makes one NI, not any number.
pub(super) fn lost<'a>(boot: &Boot, running: &[&'a LnetNi]) -> Vec<&'a LnetNi> {
    if boot.unread {
        return running.to_vec();
    }
    let mut left: Vec<&BootNi> = boot.nis.iter().collect();
    let mut lost = Vec::new();
    // Those that are named take what names them first.
    let mut open: Vec<&LnetNi> = Vec::new();
    for ni in running {
        let named =
            left.iter().position(|b| b.is(ni) && (b.interface.is_some() || b.nid.is_some()));
        match named {
            Some(at) => drop(left.remove(at)),
            None => open.push(ni),
        }
    }
    for ni in open {
        match left.iter().position(|b| b.is(ni)) {
            // YAML rules with a range alone make an NI of every interface that matches.
            Some(at) if left.get(at).is_some_and(|b| b.conditional && !boot.default) => {}
            Some(at) => drop(left.remove(at)),
            None => lost.push(ni),
        }
    }
    lost
}

impl Boot {
    /// The running NIs that a boot would not make.
    pub fn lost<'a>(&self, lnet: &'a Lnet) -> Vec<&'a LnetNi> {
        lost(self, &running(lnet))
    }
}
