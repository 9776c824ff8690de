//! What the files say that configure LNet at boot: `lnet.conf`, `modprobe.d`.
//!
//! The module parameters count when LNet is started by a mount, by `lctl network up`, by
//! `lnetctl lnet configure --all` or with `config_on_load`; `lnet.service` leaves them alone and
//! imports `lnet.conf`.

pub mod conf;
pub mod modprobe;
pub mod tree;

pub use conf::{Conf, ConfNet, Leak};
pub use modprobe::Setting;
pub use tree::Tree;

use super::ip2nets::{Context, Net, Version, kernel, networks};
use crate::sample::{LnetFile, LnetLocal, Text, Unknown};

/// Where `lnet.service` looks (`lustre/scripts/systemd/lnet.service.in`).
pub const LNET_CONF: &str = "/etc/lnet.conf";

/// What the files say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configured {
    /// Nets, in the order of the module parameter and then of `lnet.conf`.
    pub nets: Vec<ConfiguredNet>,
    /// All module parameters that files set, in the order in which the kernel gets them: the
    /// last of a name counts.
    pub settings: Vec<Setting>,
    /// `lnet.conf`, if it is there and YAML.
    pub conf: Option<Conf>,
    /// What is not understood, or is not what was meant.
    pub problems: Vec<Problem>,
    /// Files that could not be read, and why. While there are any, a net that is not in `nets`
    /// may be configured all the same.
    pub unread: Vec<(Text, Unknown)>,
}

/// A net that a file configures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredNet {
    /// Its name as LNet prints it: `tcp`, not `tcp0`.
    pub name: Text,
    /// Devices of its NIs; none: LNet's default (tcp: the first interface; o2ib: `ipif_name`).
    pub interfaces: Vec<Text>,
    /// Which kind of line says so.
    pub by: By,
    /// The file.
    pub path: Text,
}

/// What configures a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `options lnet networks=`: always.
    Networks,
    /// `options lnet ip2nets=`: if a pattern matches an address of the host.
    Ip2nets,
    /// The `net:` section of `lnet.conf`: always.
    Conf,
    /// Its `ip2nets:` section: if a range matches.
    ConfRules,
}

impl By {
    /// Only where the host's addresses match.
    pub fn is_conditional(self) -> bool {
        matches!(self, By::Ip2nets | By::ConfRules)
    }

    /// A module parameter, which `lnet.service` leaves alone.
    pub fn is_parameter(self) -> bool {
        matches!(self, By::Networks | By::Ip2nets)
    }
}

/// Something in a file that will not do what it seems to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind, in capitals.
    pub id: &'static str,
    /// The file.
    pub path: Text,
    /// One sentence.
    pub summary: String,
}

impl Configured {
    /// The value of a parameter that counts.
    pub fn parameter(&self, module: &str, name: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|s| s.module == *module && s.name == *name)
    }

    /// `networks=`, if it is not empty.
    pub fn networks(&self) -> Option<&Setting> {
        self.parameter("lnet", "networks").filter(|s| !s.value.is_empty())
    }

    /// `ip2nets=`, if it is not empty.
    pub fn ip2nets(&self) -> Option<&Setting> {
        self.parameter("lnet", "ip2nets").filter(|s| !s.value.is_empty())
    }

    /// Does any file say anything of nets?
    pub fn is_empty(&self) -> bool {
        self.networks().is_none()
            && self.ip2nets().is_none()
            && self.conf.as_ref().is_none_or(Conf::is_empty)
    }
}

/// Reads what the files of a host say.
pub fn configured(local: &LnetLocal) -> Configured {
    let mut out = Configured::default();
    for file in modprobe::ordered(&local.files) {
        match &file.lines {
            Ok(lines) => {
                let read = |line: &Text| modprobe::line(line, &file.path, &mut out.problems);
                let settings: Vec<Setting> = lines.iter().flat_map(read).collect();
                out.settings.extend(settings);
            }
            Err(why) => out.unread.push((file.path.clone(), why.clone())),
        }
    }
    overridden(&mut out);
    parameters(&mut out);
    if let Some(file) = local.files.iter().find(|f| f.path == LNET_CONF) {
        conf_file(file, &mut out);
    }
    out
}

/// Reads one modprobe file or YAML file given by hand.
pub fn of_lines(path: &Text, lines: &[&str]) -> Configured {
    let mut out = Configured::default();
    for line in lines {
        let settings = modprobe::line(line, path, &mut out.problems);
        out.settings.extend(settings);
    }
    overridden(&mut out);
    parameters(&mut out);
    out
}

/// Parameters of lnet that a later line sets otherwise.
fn overridden(out: &mut Configured) {
    for name in ["networks", "ip2nets"] {
        let Some(last) = out.parameter("lnet", name) else { continue };
        let all = out.settings.iter().filter(|s| s.module == "lnet" && s.name == name);
        let differing: Vec<&str> =
            all.filter(|s| s.value != last.value).map(|s| s.path.as_str()).collect();
        let [first, ..] = differing.as_slice() else { continue };
        let summary = if *first == last.path.as_str() {
            format!("{name} is set more than once: only the last line counts")
        } else {
            format!("{name} of {first} does not count: {} sets it later", last.path)
        };
        out.problems.push(Problem { id: "SET_TWICE", path: last.path.clone(), summary });
    }
    if let (Some(networks), Some(_)) = (out.networks(), out.ip2nets()) {
        let summary = "both networks and ip2nets are set: LNet does not start with both".into();
        let path = networks.path.clone();
        out.problems.push(Problem { id: "NETWORKS_AND_IP2NETS", path, summary });
    }
}

/// Nets that the module parameters name.
fn parameters(out: &mut Configured) {
    let context = Context::new(Version::NEWEST);
    let mut nets = Vec::new();
    let mut problems = Vec::new();
    let unparsable = |setting: &Setting, what: &str| Problem {
        id: "STRING_REFUSED",
        path: setting.path.clone(),
        summary: format!("{}: {what}", setting.name),
    };
    if let Some(setting) = out.networks() {
        match networks::parse(setting.value.as_bytes(), &context) {
            Ok(parsed) => add(&mut nets, &parsed.wanted, By::Networks, &setting.path),
            Err(error) => problems.push(unparsable(setting, error.message())),
        }
    }
    if let Some(setting) = out.ip2nets() {
        for entry in kernel::entries(setting.value.as_bytes()) {
            let specs = entry.netspecs();
            match networks::parse(specs, &context) {
                Ok(parsed) => add(&mut nets, &parsed.wanted, By::Ip2nets, &setting.path),
                Err(error) => problems.push(unparsable(setting, error.message())),
            }
        }
    }
    out.nets.extend(nets);
    out.problems.extend(problems);
}

fn add(nets: &mut Vec<ConfiguredNet>, wanted: &[networks::Wanted], by: By, path: &Text) {
    for ni in wanted {
        let name = Text::new(&ni.net.to_string());
        let device = ni.device.as_deref().map(Text::new);
        match nets.iter_mut().find(|n| n.name == name && n.by == by) {
            Some(net) => net.interfaces.extend(device),
            None => nets.push(ConfiguredNet {
                name,
                interfaces: device.into_iter().collect(),
                by,
                path: path.clone(),
            }),
        }
    }
}

fn conf_file(file: &LnetFile, out: &mut Configured) {
    let lines = match &file.lines {
        Ok(lines) => lines,
        Err(why) => {
            out.unread.push((file.path.clone(), why.clone()));
            return;
        }
    };
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let conf = match Conf::read(&text) {
        Ok(conf) => conf,
        Err(what) => {
            let summary = format!("not the YAML that lnetctl imports: {what}");
            out.problems.push(Problem { id: "NOT_YAML", path: file.path.clone(), summary });
            return;
        }
    };
    let canonical = |name: &str| {
        Net::parse(name, Version::NEWEST).map_or_else(|| name.into(), |n| Text::new(&n.to_string()))
    };
    for net in conf.nets.iter().filter(|n| n.name != "lo") {
        out.nets.push(ConfiguredNet {
            name: canonical(&net.name),
            interfaces: net.interfaces.clone(),
            by: By::Conf,
            path: file.path.clone(),
        });
    }
    for rule in &conf.rules {
        let Some(name) = rule.get("net-spec").and_then(Tree::scalar) else { continue };
        let devices = rule.get("interfaces").map(Tree::values).unwrap_or_default();
        out.nets.push(ConfiguredNet {
            name: canonical(&name),
            interfaces: devices.iter().map(|d| conf::without_cpts(d).into()).collect(),
            by: By::ConfRules,
            path: file.path.clone(),
        });
    }
    out.conf = Some(conf);
}

#[cfg(test)]
mod tests;
