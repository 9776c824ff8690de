//! How far the memory of a message and a device are apart.

use super::{Candidate, absent};
use crate::sample::{Host, Lnet, LnetNi, NumaNode, Reading, Unknown, Why};
use std::collections::BTreeSet;

/// Distances between CPTs, as LNet has them.
///
/// With `cpu_pattern=N`, the default, a CPT is a NUMA node. A device without a CPT (`dev cpt: -1`)
/// is as far as the farthest node (`cfs_cpt_distance()` of Lustre's `libcfs`).
#[derive(Clone, Debug, PartialEq)]
pub struct Numa {
    /// Distances below it are equal; 0 is the default.
    pub range: Reading<u32>,
    /// From CPT to CPT.
    pub distances: Reading<Vec<Vec<u32>>>,
    /// The CPTs that memory can be on. Never empty.
    pub cpts: Vec<u32>,
}

impl Numa {
    /// Of this node.
    pub(super) fn of<'a>(lnet: &Lnet, host: &Host, nis: impl Iterator<Item = &'a LnetNi>) -> Self {
        let mut cpts: BTreeSet<u32> = BTreeSet::new();
        for ni in nis {
            cpts.extend(ni.dev_cpt.as_ref().ok().and_then(|cpt| u32::try_from(*cpt).ok()));
            cpts.extend(ni.cpt.as_ref().into_iter().flat_map(|text| listed(text)));
        }
        let distances = distances(lnet, host, cpts.last().copied());
        if let Ok(table) = &distances {
            cpts.extend((0..).zip(table).map(|(cpt, _)| cpt));
        }
        if cpts.is_empty() {
            cpts.insert(0);
        }
        Self { range: range(lnet), distances, cpts: cpts.into_iter().collect() }
    }

    /// The distance from a CPT to a device on another, −1: on none.
    pub fn distance(&self, from: u32, dev_cpt: i32) -> Reading<u32> {
        let table = self.distances.as_ref().map_err(Clone::clone)?;
        let Ok(to) = usize::try_from(dev_cpt) else {
            return table.iter().flatten().max().copied().ok_or_else(|| absent("no NUMA node"));
        };
        let row = usize::try_from(from).ok().and_then(|from| table.get(from));
        let found = row.and_then(|row| row.get(to)).copied();
        found.ok_or_else(|| absent(&format!("no distance from CPT {from} to CPT {dev_cpt}")))
    }

    /// What LNet compares, of each NI.
    pub(super) fn ranks(&self, from: u32, nis: &[Candidate]) -> Vec<Reading<i64>> {
        let first = nis.first().map(|ni| &ni.dev_cpt);
        if first.is_some_and(|f| f.is_ok() && nis.iter().all(|ni| ni.dev_cpt == *f)) {
            // One place is as far from everywhere, whatever the distance.
            return nis.iter().map(|_| Ok(0)).collect();
        }
        let rank = |ni: &Candidate| {
            let cpt = ni.dev_cpt.as_ref().map_err(Clone::clone)?;
            let range = self.range.as_ref().map_err(Clone::clone)?;
            Ok(i64::from(self.distance(from, *cpt)?.max(*range)))
        };
        nis.iter().map(rank).collect()
    }
}

/// `numa_range`: as set now, else as the module was loaded.
fn range(lnet: &Lnet) -> Reading<u32> {
    let global = lnet.more.global.as_ref();
    let now = global.ok().and_then(|g| g.value.number("numa_range"));
    let loaded =
        || lnet.local.parameter("lnet", "lnet_numa_range").and_then(|v| v.trim().parse().ok());
    let range = now.or_else(loaded).and_then(|range: i64| u32::try_from(range).ok());
    range.ok_or_else(|| match global {
        Err(why) => why.clone(),
        Ok(_) => absent("lnetctl global show printed no numa_range"),
    })
}

fn distances(lnet: &Lnet, host: &Host, last: Option<u32>) -> Reading<Vec<Vec<u32>>> {
    let nodes = host.numa.as_ref().map_err(Clone::clone)?;
    let parameter = |name: &str| {
        ["lnet", "libcfs"].iter().find_map(|module| lnet.local.parameter(module, name))
    };
    let pattern = parameter("cpu_pattern").map_or("N", str::trim);
    let partitions = parameter("cpu_npartitions").map_or("0", str::trim);
    if !matches!(pattern, "N" | "n") && !pattern.is_empty() || partitions != "0" {
        let what = format!("cpu_pattern {pattern:?}: CPTs are no NUMA nodes");
        return Err(Unknown::new(Why::Unsupported, what));
    }
    let table = table(nodes)?;
    if last.is_some_and(|last| usize::try_from(last).is_ok_and(|last| last >= table.len())) {
        let what = "LNet has more CPTs than there are NUMA nodes";
        return Err(Unknown::new(Why::Unsupported, what));
    }
    Ok(table)
}

fn table(nodes: &[NumaNode]) -> Reading<Vec<Vec<u32>>> {
    if nodes.is_empty() || nodes.iter().any(|node| node.distances.len() != nodes.len()) {
        return Err(absent("the table of distances between NUMA nodes is not complete"));
    }
    Ok(nodes.iter().map(|node| node.distances.clone()).collect())
}

/// `[0,1]`, as `CPT` is printed.
fn listed(text: &str) -> Vec<u32> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    inner.split(',').filter_map(|cpt| cpt.trim().parse().ok()).collect()
}
