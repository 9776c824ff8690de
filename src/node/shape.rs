//! What decides how a sample is joined: while it stays the same, nothing is joined anew.

use crate::sample::{Link, Lnet, Netdev, RdmaDevice, Reading, Routing, Sample, Text};
use std::sync::Arc;

/// The parts of a sample that decide what belongs together.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    netdevs: Reading<Vec<Arc<Netdev>>>,
    rdma: Reading<Vec<Arc<RdmaDevice>>>,
    links: Reading<Arc<Vec<Link>>>,
    routing: Arc<Routing>,
    lnet: Arc<Lnet>,
}

impl Shape {
    pub(super) fn of(sample: &Sample) -> Self {
        Self {
            netdevs: sample.netdevs.clone(),
            rdma: sample.rdma.clone(),
            links: sample.links.clone(),
            routing: Arc::clone(&sample.routing),
            lnet: Arc::clone(&sample.lnet),
        }
    }

    /// Would the sample be joined as this one was?
    pub(super) fn fits(&self, sample: &Sample) -> bool {
        same_list(&self.netdevs, &sample.netdevs, |a, b| {
            a.name == b.name && (Arc::ptr_eq(&a.attrs, &b.attrs) || a.attrs == b.attrs)
        }) && same_list(&self.rdma, &sample.rdma, |a, b| Arc::ptr_eq(a, b) || same_device(a, b))
            && same_links(&self.links, &sample.links)
            && (Arc::ptr_eq(&self.routing, &sample.routing)
                || self.routing.addresses == sample.routing.addresses)
            && (Arc::ptr_eq(&self.lnet, &sample.lnet) || same_nis(&self.lnet, &sample.lnet))
    }
}

fn same_list<T>(a: &Reading<Vec<T>>, b: &Reading<Vec<T>>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Err(a), Err(b)) => a.why == b.why,
        _ => false,
    }
}

fn same_device(a: &RdmaDevice, b: &RdmaDevice) -> bool {
    a.name == b.name
        && (Arc::ptr_eq(&a.attrs, &b.attrs) || a.attrs == b.attrs)
        && a.ports.len() == b.ports.len()
        && a.ports.iter().zip(&b.ports).all(|(a, b)| {
            a.number == b.number
                && (Arc::ptr_eq(&a.attrs, &b.attrs)
                    || a.attrs.link_layer == b.attrs.link_layer
                        && a.attrs.gids == b.attrs.gids
                        && a.attrs.default_gid == b.attrs.default_gid)
        })
}

fn same_links(a: &Reading<Arc<Vec<Link>>>, b: &Reading<Arc<Vec<Link>>>) -> bool {
    let same = |a: &Link, b: &Link| {
        (a.index, a.kind, a.master, a.parent) == (b.index, b.kind, b.master, b.parent)
            && a.name == b.name
            && a.address == b.address
            && a.info_kind == b.info_kind
            && a.slave_kind == b.slave_kind
    };
    match (a, b) {
        (Ok(a), Ok(b)) => {
            Arc::ptr_eq(a, b)
                || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Err(a), Err(b)) => a.why == b.why,
        _ => false,
    }
}

fn same_nis(a: &Lnet, b: &Lnet) -> bool {
    let nis = |l: &'_ Lnet| -> Vec<(Text, Vec<Text>)> {
        let nets = l.answer.iter().flat_map(|a| &a.nets);
        nets.flat_map(|n| &n.nis).map(|ni| (ni.nid.clone(), ni.interfaces.clone())).collect()
    };
    nis(a) == nis(b)
}
