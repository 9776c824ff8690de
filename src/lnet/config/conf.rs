//! `lnet.conf`: what `lnetctl import` is given at boot.

use super::tree::Tree;
use crate::sample::Text;

/// A YAML file for `lnetctl import`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conf {
    /// The `net:` sections, in order.
    pub nets: Vec<ConfNet>,
    /// The items of the `ip2nets:` sections, in order, as they stand there.
    pub rules: Vec<Tree>,
    /// Names of all sections.
    pub sections: Vec<Text>,
    /// What an NI lacks and another one behind it has: up to 2.15 it takes that one's
    /// (`cYAML_get_object_item()` of lnet/utils/lnetconfig/cyaml.c goes on into the siblings).
    pub leaks: Vec<Leak>,
}

/// Keys that an NI of a `net:` section takes from the one behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The net, as written.
    pub net: Text,
    /// The key: `tunables`, `lnd tunables`, `CPT`.
    pub key: &'static str,
}

/// A net of a `net:` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfNet {
    /// `tcp`, `o2ib1`, as written.
    pub name: Text,
    /// Devices of its NIs, in order.
    pub interfaces: Vec<Text>,
    /// NIDs of NIs that name no device.
    pub nids: Vec<Text>,
}

impl Conf {
    /// Reads the text of a file.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut conf = Self::default();
        for (name, section) in Tree::read(text)? {
            match name.as_str() {
                "net" => {
                    conf.nets.extend(section.items().iter().filter_map(net));
                    conf.leaks.extend(section.items().iter().flat_map(leaks));
                }
                "ip2nets" => conf.rules.extend(section.items().iter().cloned()),
                _ => {}
            }
            conf.sections.push(name.into());
        }
        Ok(conf)
    }

    /// Does it say anything of nets?
    pub fn is_empty(&self) -> bool {
        self.nets.is_empty() && self.rules.is_empty()
    }
}

/// `net type` with `local NI(s)`; before 2.9 `net` with `interfaces`.
fn net(item: &Tree) -> Option<ConfNet> {
    let name = item.get("net type").or_else(|| item.get("net"))?.scalar()?;
    let own = item.get("local NI(s)").map_or(std::slice::from_ref(item), Tree::items);
    let mut net = ConfNet { name: name.into(), interfaces: Vec::new(), nids: Vec::new() };
    for ni in own {
        match ni.get("interfaces").map(Tree::values) {
            Some(devices) if !devices.is_empty() => {
                net.interfaces.extend(devices.into_iter().map(|d| Text::from(without_cpts(&d))));
            }
            _ => net.nids.extend(ni.get("nid").and_then(Tree::scalar).map(Text::from)),
        }
    }
    Some(net)
}

/// The keys that an NI of this net lacks and the one behind it has.
fn leaks(item: &Tree) -> Vec<Leak> {
    let name = item.get("net type").and_then(Tree::scalar).unwrap_or_default();
    let nis = item.get("local NI(s)").map_or(&[][..], Tree::items);
    let leaks = |key: &&str| {
        nis.windows(2).any(
            |two| matches!(two, [one, next] if one.get(key).is_none() && next.get(key).is_some()),
        )
    };
    let keys = ["tunables", "lnd tunables", "CPT"].into_iter().filter(leaks);
    keys.map(|key| Leak { net: name.as_str().into(), key }).collect()
}

/// The name in `eth0[0,1]`.
pub fn without_cpts(device: &str) -> &str {
    device.split('[').next().unwrap_or(device).trim()
}
