//! Who keeps each rail's configuration, and what stands in the files that survive a reboot.

use super::{Reading, Text, Unknown};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A program that configures interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// NetworkManager with keyfiles.
    NetworkManager,
    /// netplan, which writes for networkd or NetworkManager.
    Netplan,
    /// systemd-networkd.
    Networkd,
    /// Debian's ifupdown.
    Ifupdown,
    /// nmstate, which speaks to NetworkManager.
    Nmstate,
    /// `/etc/sysconfig/network-scripts` of RHEL.
    Ifcfg,
    /// wicked of SUSE.
    Wicked,
}

impl Manager {
    /// All of them.
    pub const ALL: [Manager; 7] = [
        Manager::NetworkManager,
        Manager::Netplan,
        Manager::Networkd,
        Manager::Ifupdown,
        Manager::Nmstate,
        Manager::Ifcfg,
        Manager::Wicked,
    ];

    /// The word of the machine contract and of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Manager::NetworkManager => "networkmanager",
            Manager::Netplan => "netplan",
            Manager::Networkd => "networkd",
            Manager::Ifupdown => "ifupdown",
            Manager::Nmstate => "nmstate",
            Manager::Ifcfg => "ifcfg",
            Manager::Wicked => "wicked",
        }
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Manager::NetworkManager => "NetworkManager",
            Manager::Netplan => "netplan",
            Manager::Networkd => "systemd-networkd",
            Manager::Ifupdown => "ifupdown",
            Manager::Nmstate => "nmstate",
            Manager::Ifcfg => "ifcfg files",
            Manager::Wicked => "wicked",
        })
    }
}

impl FromStr for Manager {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Manager::ALL.into_iter().find(|m| m.word() == word).ok_or_else(|| {
            let words: Vec<&str> = Manager::ALL.iter().map(|m| m.word()).collect();
            format!("no network manager {word:?}: one of {}", words.join(", "))
        })
    }
}

/// Who keeps the configuration of one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managed {
    /// The one whose files are to be changed.
    pub manager: Manager,
    /// The daemon behind netplan, nmstate or ifcfg files, where another one does the work.
    pub daemon: Option<Manager>,
    /// What applies to the interface: a connection's UUID, a `.network` file, an ifcfg file.
    pub profile: Option<Text>,
    /// The file of that profile, where it could be found.
    pub file: Option<Text>,
    /// The profile applies to other interfaces as well.
    pub shared: bool,
    /// The run-time file that says so, and its words.
    pub evidence: Text,
}

/// One interface and who keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RailManager {
    /// Interface.
    pub interface: Text,
    /// Who, or why that is not known.
    pub managed: Reading<Managed>,
}

/// What kind of file says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigKind {
    /// NetworkManager's keyfiles.
    Keyfile,
    /// netplan's YAML.
    Netplan,
    /// `.network` files and their drop-ins.
    Networkd,
    /// `/etc/network/interfaces` and its parts.
    Interfaces,
    /// `ifcfg-`, `route-`, `rule-`, `ifroute-`, `ifrule-` files.
    Ifcfg,
    /// A hook, a boot script, a unit, or what they call.
    Script,
    /// `sysctl.d`.
    Sysctl,
}

/// The lines of one file that may be about rules, routes, addresses or sysctls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFile {
    /// Its path on the node.
    pub path: Text,
    /// Its kind.
    pub kind: ConfigKind,
    /// The lines, without comments and without secrets; section headers are kept.
    pub lines: Vec<Text>,
}

/// Who keeps the rails, and what their files say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Managers {
    /// One per interface that was asked for.
    pub rails: Vec<RailManager>,
    /// Every file that has a line to keep.
    pub config: Vec<ConfigFile>,
    /// Files and directories that could not be read, or not whole.
    pub gaps: Vec<Unknown>,
}

impl Managers {
    /// Who keeps an interface; `None` if it was not asked for.
    pub fn of(&self, interface: &str) -> Option<&Reading<Managed>> {
        self.rails.iter().find(|r| &*r.interface == interface).map(|r| &r.managed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back() {
        for manager in Manager::ALL {
            assert_eq!(manager.word().parse(), Ok(manager));
            assert_eq!(serde_json::to_value(manager).unwrap(), manager.word());
        }
        assert!("sysv".parse::<Manager>().unwrap_err().contains("networkd"));
    }
}
