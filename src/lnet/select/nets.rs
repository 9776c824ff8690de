//! Which net LNet takes to a peer that is on several.

use super::{Criterion, Order, priority_rank, race};
use crate::sample::{Lnet, LnetNet, LnetNi, LnetPeer, LnetPeerNi, Reading, Text};

/// How a net stands against the node's other nets, over the peers that are on both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Peers with several rails that are on this net and on another one of this node.
    pub peers: usize,
    /// Of those: reached over this net alone.
    pub alone: usize,
    /// Of those: never reached over this net, and why, and over which net instead.
    pub beaten: Vec<(Criterion, Text, usize)>,
    /// It cannot be told of so many.
    pub unknown: usize,
}

/// The standing of a net; `None` where no peer is on another one too, or before 2.15, which
/// ranks the NIs of all nets together.
pub fn standing(lnet: &Lnet, order: Order, net: &str) -> Option<Standing> {
    if order != Order::Policies {
        return None;
    }
    let answer = lnet.answer.as_ref().ok()?;
    let peers = &lnet.more.peers.as_ref().ok()?.value;
    let locals: Vec<&LnetNet> = answer.nets.iter().filter(|n| n.name != "lo").collect();
    // There may be many thousand peers.
    if locals.len() < 2 {
        return None;
    }
    let mut standing = Standing::default();
    for peer in peers.iter().filter(|p| p.multi_rail == Ok(true)) {
        let shared: Vec<&LnetNet> = locals
            .iter()
            .filter(|local| peer.nis.iter().any(|ni| ni.net() == &*local.name))
            .copied()
            .collect();
        let Some(own) = shared.iter().position(|local| local.name == net) else { continue };
        if shared.len() < 2 {
            continue;
        }
        standing.peers += 1;
        let race = race(shared.len(), &criteria(peer, &shared));
        match race.out(own) {
            Some(criterion) => {
                let instead = race.left.first().and_then(|place| shared.get(*place));
                let instead = instead.map(|n| n.name.clone()).unwrap_or_default();
                add(&mut standing.beaten, criterion, instead);
            }
            None if race.stopped.is_some() => standing.unknown += 1,
            None if race.left.len() == 1 => standing.alone += 1,
            None => {}
        }
    }
    (standing.peers > 0).then_some(standing)
}

fn add(beaten: &mut Vec<(Criterion, Text, usize)>, criterion: Criterion, instead: Text) {
    match beaten.iter_mut().find(|(c, net, _)| *c == criterion && *net == instead) {
        Some((.., count)) => *count += 1,
        None => beaten.push((criterion, instead, 1)),
    }
}

/// `lnet_find_best_ni_on_local_net()`.
fn criteria(peer: &LnetPeer, nets: &[&LnetNet]) -> Vec<(Criterion, Vec<Reading<i64>>)> {
    let of = |rank: &dyn Fn(&LnetNet) -> Reading<i64>| nets.iter().map(|n| rank(n)).collect();
    let theirs = |net: &LnetNet| -> Vec<&LnetPeerNi> {
        peer.nis.iter().filter(|ni| ni.net() == &*net.name).collect()
    };
    let best = |ranks: Reading<Vec<i64>>| Ok(ranks?.into_iter().min().unwrap_or(i64::MAX));
    vec![
        (
            Criterion::PeerNetHealth,
            of(&|net| best(theirs(net).iter().map(|ni| health(&ni.health)).collect())),
        ),
        (
            Criterion::PeerNetUdsp,
            of(&|net| best(theirs(net).iter().map(|ni| priority(&ni.net_priority)).collect())),
        ),
        (
            Criterion::NetHealth,
            // The best of those without a fatal error.
            of(&|net| {
                best(net.nis.iter().filter(|ni| works(ni)).map(|ni| health(&ni.health)).collect())
            }),
        ),
        (
            Criterion::NetUdsp,
            of(&|net| {
                let own = net.nis.iter().map(|ni| priority(&ni.number("udsp info/net priority")));
                best(own.collect())
            }),
        ),
    ]
}

fn works(ni: &LnetNi) -> bool {
    ni.fatal_error.as_ref().is_ok_and(|fatal| *fatal == 0)
}

fn health(value: &Reading<u32>) -> Reading<i64> {
    super::known(value, |health| -i64::from(*health))
}

fn priority(value: &Reading<i64>) -> Reading<i64> {
    super::known(value, |priority| priority_rank(*priority))
}
