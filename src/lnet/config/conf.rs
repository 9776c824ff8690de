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
                "net" => conf.nets.extend(section.items().iter().filter_map(net)),
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

/// The name in `eth0[0,1]`.
pub fn without_cpts(device: &str) -> &str {
    device.split('[').next().unwrap_or(device).trim()
}
