//! Who this node talks to over its rails: named by the user, known to LNet.
//!
//! Neighbours are no part of it: that somebody was seen on a wire does not mean that anybody
//! here wants to reach them.

use crate::node::Node;
use crate::sample::{LnetNi, LnetPeer, LnetRoute, Prefix, Text, Timed};
use std::net::IpAddr;
use std::sync::Arc;

/// An address that somebody here wants to reach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// The address.
    pub ip: IpAddr,
    /// Who says so.
    pub known: Known,
}

/// How an address is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// The user named it.
    Named,
    /// It is a NID of a peer.
    Lnet {
        /// The net of the NID: one that this node has an NI in.
        net: Text,
        /// The primary NID of the peer, which all its NIDs share.
        peer: Text,
    },
    /// It is the gateway of an LNet route.
    Gateway {
        /// The net of its NID.
        net: Text,
        /// The net behind it.
        remote: Text,
    },
}

impl Known {
    /// The LNet net by which it is reached.
    pub fn net(&self) -> Option<&Text> {
        match self {
            Known::Named => None,
            Known::Lnet { net, .. } | Known::Gateway { net, .. } => Some(net),
        }
    }
}

/// All of them in the order of their addresses. An address that several nets or peers name is
/// there once for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    all: Vec<Peer>,
}

impl Peers {
    /// Those of a node. Peers in nets that this node has no NI in are reached through LNet's
    /// routers: their addresses mean nothing to the kernel here.
    pub fn of(node: &Node) -> Self {
        let mut all: Vec<Peer> =
            node.named_peers.iter().map(|&ip| Peer { ip, known: Known::Named }).collect();
        let nets: Vec<&str> = local_nis(node).map(LnetNi::net).collect();
        let here = |nid: &str| -> Option<(IpAddr, Text)> {
            let (ip, net) = address(nid)?;
            nets.contains(&net).then(|| (ip, Text::new(net)))
        };
        if let Ok(answer) = &node.lnet.more.peers {
            for peer in &answer.value {
                let nids = peer.nis.iter().filter_map(|ni| here(&ni.nid));
                all.extend(nids.map(|(ip, net)| Peer {
                    ip,
                    known: Known::Lnet { net, peer: peer.primary_nid.clone() },
                }));
            }
        }
        if let Ok(answer) = &node.lnet.more.routes {
            let gateways = answer.value.iter().filter_map(|r| Some((here(&r.gateway)?, &r.net)));
            all.extend(gateways.map(|((ip, net), remote)| Peer {
                ip,
                known: Known::Gateway { net, remote: remote.clone() },
            }));
        }
        all.sort_unstable();
        all.dedup();
        Self { all }
    }

    /// The same and some that are named besides.
    #[must_use]
    pub(super) fn and(mut self, named: impl IntoIterator<Item = IpAddr>) -> Self {
        self.all.extend(named.into_iter().map(|ip| Peer { ip, known: Known::Named }));
        self.all.sort_unstable();
        self.all.dedup();
        self
    }

    /// All of them.
    pub fn all(&self) -> &[Peer] {
        &self.all
    }

    /// Those inside a prefix, in the order of their addresses.
    pub fn inside(&self, prefix: &Prefix) -> &[Peer] {
        let first = prefix.network();
        let (len, same) = (first.len, |ip: &IpAddr| ip.is_ipv4() == first.addr.is_ipv4());
        // Addresses of one prefix stand together: IPv4 before IPv6, then by number.
        let before = |p: &Peer| p.ip < first.addr;
        let inside =
            |p: &Peer| before(p) || same(&p.ip) && Prefix { addr: first.addr, len }.contains(p.ip);
        let (start, end) = (self.all.partition_point(before), self.all.partition_point(inside));
        self.all.get(start..end).unwrap_or_default()
    }
}

/// A few of many: those at the ends and evenly between them, always the same ones.
pub fn few<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let count = all.len().min(most);
    (0..count).filter_map(move |n| {
        // The last one is the last of all.
        let place = if count < 2 { 0 } else { n * (all.len() - 1) / (count - 1) };
        all.get(place)
    })
}

/// The NIs of this node beyond the loopback.
pub(super) fn local_nis(node: &Node) -> impl Iterator<Item = &LnetNi> {
    let nets = node.lnet.answer.as_ref().map(|a| a.nets.as_slice()).unwrap_or_default();
    nets.iter().flat_map(|n| &n.nis).filter(|ni| !ni.is_lo())
}

/// The IP address and the net of a NID; other networks have other addresses.
pub(super) fn address(nid: &str) -> Option<(IpAddr, &str)> {
    let (address, net) = nid.rsplit_once('@')?;
    let kind = net.trim_end_matches(|c: char| c.is_ascii_digit());
    let by_ip = matches!(kind, "tcp" | "o2ib");
    Some((address.parse().ok().filter(|_| by_ip)?, net))
}

type Parts = (Option<Arc<Timed<Vec<LnetPeer>>>>, Option<Arc<Timed<Vec<LnetRoute>>>>, Vec<Text>);

/// The peers of a node as long as nothing they are made of was read anew; where the new answer
/// says the same, the same list.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    last: Option<(Parts, Arc<Peers>)>,
}

impl Remembered {
    /// Those of a node now.
    pub fn of(&mut self, node: &Node) -> Arc<Peers> {
        let parts = parts(node);
        if let Some((known, peers)) = &self.last
            && is_same(known, &parts)
        {
            return Arc::clone(peers);
        }
        let new = Peers::of(node);
        let peers = match &self.last {
            Some((_, old)) if **old == new => Arc::clone(old),
            _ => Arc::new(new),
        };
        self.last = Some((parts, Arc::clone(&peers)));
        peers
    }
}

fn parts(node: &Node) -> Parts {
    let nids = local_nis(node).map(|ni| ni.nid.clone());
    let more = &node.lnet.more;
    (more.peers.as_ref().ok().cloned(), more.routes.as_ref().ok().cloned(), nids.collect())
}

fn is_same(a: &Parts, b: &Parts) -> bool {
    fn shared<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }
    shared(a.0.as_ref(), b.0.as_ref()) && shared(a.1.as_ref(), b.1.as_ref()) && a.2 == b.2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn peers(ips: impl IntoIterator<Item = u32>) -> Peers {
        let one = |ip: u32| Peer { ip: Ipv4Addr::from(ip).into(), known: Known::Named };
        let mut all: Vec<Peer> = ips.into_iter().map(one).collect();
        all.sort();
        all.dedup();
        Peers { all }
    }

    #[test]
    fn nids_with_ip_addresses() {
        let told = |nid| address(nid).map(|(ip, net)| (ip.to_string(), net.to_owned()));
        assert_eq!(told("172.16.16.1@o2ib"), Some(("172.16.16.1".into(), "o2ib".into())));
        assert_eq!(told("10.0.0.1@tcp12"), Some(("10.0.0.1".into(), "tcp12".into())));
        assert_eq!(told("fd16::1@tcp"), Some(("fd16::1".into(), "tcp".into())));
        for nid in ["0@lo", "77@gni", "12@kfi3", "10.0.0.1", "x@tcp", "", "10.0.0.1@gip"] {
            assert_eq!(told(nid), None, "{nid}");
        }
    }

    proptest! {
        #[test]
        fn inside_is_what_the_prefix_contains(ips in prop::collection::vec(0u32..4096, 0..60), net in 0u32..4096, len in 20u8..=32) {
            let peers = peers(ips);
            let prefix = Prefix { addr: Ipv4Addr::from(net).into(), len };
            let filtered: Vec<Peer> =
                peers.all.iter().filter(|p| prefix.contains(p.ip)).cloned().collect();
            prop_assert_eq!(peers.inside(&prefix), filtered.as_slice());
        }

        #[test]
        fn a_few_are_spread_and_never_more(count in 0usize..200, most in 0usize..20) {
            let all: Vec<usize> = (0..count).collect();
            let chosen: Vec<usize> = few(&all, most).copied().collect();
            prop_assert_eq!(chosen.len(), count.min(most));
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
            if most > 1 && count > 0 {
                prop_assert_eq!((chosen[0], *chosen.last().unwrap()), (0, count - 1));
            }
        }
    }
}
