//! What a node should be: a manifest that `railtop expect --save` learns and a site keeps.
//!
//! TOML, meant to be read and changed by hand: a key that is left out is not compared. Pure: files
//! are read and written by the command line.

use crate::node::{Node, PortState, Presence, Rail};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The version of the format; a file of a later one is refused.
pub const FORMAT: u32 = 1;

/// What a node should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Where it was learned; told, not compared.
    #[serde(default)]
    pub host: Option<String>,
    /// Its rails.
    #[serde(default)]
    pub rail: Vec<ExpectedRail>,
}

/// What a rail should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedRail {
    /// Identity: PCI address + port, else GUID, else hardware address, else name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `port_guid`: tells an adapter in another slot.
    pub guid: Option<String>,
    /// Rate of the link, Gb/s.
    pub gbits: Option<f64>,
    /// Lanes of the link.
    pub width: Option<u32>,
    /// MTU of the interface, bytes.
    pub mtu: Option<u32>,
    /// IPoIB mode.
    pub mode: Option<String>,
    /// Addresses with their prefix length.
    pub addresses: Vec<String>,
    /// NIDs.
    pub nids: Vec<String>,
    /// Firmware of the adapter.
    pub firmware: Option<String>,
    /// Not asked for in this run, so that it is no finding if it is not there; never in a file.
    #[serde(skip)]
    pub aside: bool,
}

/// Why a text is no manifest: the line, from 1, where one is to blame, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line.
    pub line: Option<usize>,
    /// What.
    pub message: String,
}

impl Manifest {
    /// Learns from a node as it is. Rates are those of ports that are ACTIVE; a rail that is gone is
    /// not learned.
    pub fn learn(node: &Node) -> Self {
        let present = node.rails.iter().filter(|r| r.presence == Presence::Present);
        Self {
            format: FORMAT,
            host: node.host.name.as_ref().ok().map(ToString::to_string),
            rail: present.map(learn).collect(),
        }
    }

    /// What could not be learned because the node is not well, or does not tell, one sentence each.
    pub fn gaps(node: &Node) -> Vec<String> {
        let mut gaps = Vec::new();
        for rail in &node.rails {
            let name = &rail.name;
            if let Presence::Gone { .. } = rail.presence {
                gaps.push(format!("{name} is gone: it was not learned"));
            } else if learn(rail).gbits.is_none() {
                gaps.push(format!("{name} has no link that is up: its rate was not learned"));
            }
        }
        if node.routing.addresses.is_err() {
            gaps.push("addresses could not be read: they were not learned".into());
        }
        if let Some(unknown) = node.lnet_unknown() {
            gaps.push(format!("LNet did not tell ({unknown}): its NIs were not learned"));
        }
        gaps
    }

    /// Leaves the rails that are not chosen out of what must be there.
    pub fn set_aside(&mut self, chosen: impl Fn(&ExpectedRail) -> bool) {
        self.rail.iter_mut().for_each(|rail| rail.aside = !chosen(rail));
    }

    /// Understands a file.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let manifest: Self = toml::from_str(text).map_err(|e| Problem {
            line: e.span().map(|s| 1 + text.bytes().take(s.start).filter(|b| *b == b'\n').count()),
            message: e.message().lines().collect::<Vec<_>>().join("; "),
        })?;
        let wrong = |message: String| Err(Problem { line: None, message });
        if manifest.format != FORMAT {
            return wrong(format!("format {} is not known: this is for {FORMAT}", manifest.format));
        }
        if let Some(rail) = manifest.rail.iter().find(|r| r.id.is_empty()) {
            return wrong(format!("the rail named {:?} has no id", rail.name));
        }
        let mut ids: Vec<&str> = manifest.rail.iter().map(|r| r.id.as_str()).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|two| two[0] == two[1]) {
            Some(two) => wrong(format!("the id {:?} stands there twice", two[0])),
            None => Ok(manifest),
        }
    }

    /// The file.
    pub fn to_toml(&self) -> Result<String, String> {
        let mut out = String::from(
            "# What this node should be. Made by railtop expect --save; change it by hand as you like:\n\
             # a key that is left out is not compared.\n",
        );
        let body = toml::to_string(self).map_err(|e| e.to_string())?;
        let _ = write!(out, "{body}");
        Ok(out)
    }
}

fn learn(rail: &Rail) -> ExpectedRail {
    let rdma = rail.rdma.as_ref();
    let active = rdma.is_none_or(|r| r.state == PortState::Active);
    let netdev = rail.netdev.as_ref();
    let known = |text: &crate::sample::Reading<crate::sample::Text>| {
        text.as_ref().ok().filter(|t| !t.is_empty()).map(ToString::to_string)
    };
    // Addresses of link scope come by themselves.
    let global = rail.addresses.iter().filter(|a| a.scope < 200);
    ExpectedRail {
        id: rail.id.to_string(),
        name: rail.name.to_string(),
        guid: rdma.and_then(port_guid),
        gbits: rail.rate.nominal_bits_per_second.ok().filter(|_| active).map(|bits| bits / 1e9),
        width: rail.rate.width.ok().copied().filter(|_| active),
        mtu: netdev.and_then(|n| n.mtu.as_ref().ok().copied()),
        mode: netdev.and_then(|n| known(&n.mode)),
        addresses: global.map(|a| a.prefix.to_string()).collect(),
        nids: rail.lnet.iter().map(|n| n.ni.nid.to_string()).collect(),
        firmware: rdma.and_then(|r| known(&r.device_attrs.fw_ver)),
        aside: false,
    }
}

/// The GUID of a port, if it is known.
pub(crate) fn port_guid(rdma: &crate::node::RailRdma) -> Option<String> {
    rdma.port_attrs.port_guid().ok().map(|guid| guid.to_string())
}
