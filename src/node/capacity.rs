//! What the rails of a group carry together: no cable and no PCIe link is counted twice.

use super::{Presence, Rail, limits};
use crate::sample::Reading;
use std::collections::BTreeMap;

/// A PCIe link that rails share.
#[derive(Debug, Default)]
struct Shared<'a> {
    carries: Option<f64>,
    above: Option<&'a str>,
    /// Links between it and the root, the most of all paths.
    height: usize,
    flow: f64,
}

/// Bits per second and direction that these rails carry together; unknown where the rate of one
/// of them is.
pub(super) fn of(rails: &[Rail], members: &[usize]) -> Reading<f64> {
    let mut links: BTreeMap<&str, Shared<'_>> = BTreeMap::new();
    let mut total = 0.0;
    for (at, rail) in members.iter().filter_map(|m| Some((*m, rails.get(*m)?))) {
        let flow = alone(rails, members, at, rail)?;
        let path = rail.limits.pcie.as_ref().filter(|_| rail.presence == Presence::Present);
        let Some(path) = path.filter(|p| !p.links.is_empty()) else {
            total += flow;
            continue;
        };
        for (n, link) in path.links.iter().enumerate() {
            // The functions of a card share the link of their slot.
            let entry = links.entry(limits::slot(&link.lower).0).or_default();
            entry.carries = link.carries().or(entry.carries);
            entry.height = entry.height.max(path.links.len() - n);
            entry.above = path.links.get(n + 1).map(|l| limits::slot(&l.lower).0).or(entry.above);
            if n == 0 {
                entry.flow += flow;
            }
        }
    }
    let mut order: Vec<(usize, &str)> = links.iter().map(|(name, l)| (l.height, *name)).collect();
    order.sort_unstable_by(|a, b| b.cmp(a));
    for (height, name) in order {
        let Some(link) = links.get(name) else { continue };
        let flow = link.flow.min(link.carries.unwrap_or(f64::INFINITY));
        // A path that leads back to itself is made up: it ends there.
        let above = link.above.filter(|a| links.get(a).is_some_and(|l| l.height < height));
        match above.and_then(|a| links.get_mut(a)) {
            Some(above) => above.flow += flow,
            None => total += flow,
        }
    }
    Ok(total)
}

/// What one rail brings: its link's rate; of a cable that it shares with others its part.
fn alone(rails: &[Rail], members: &[usize], at: usize, rail: &Rail) -> Reading<f64> {
    let own = |r: &Rail| r.rate.usable_bits_per_second.value.clone();
    let reach = |r: &Rail| -> Reading<f64> {
        let pcie = r.limits.pcie.as_ref().and_then(|p| p.carries()).map(|(_, bits)| bits);
        Ok(own(r)?.min(pcie.unwrap_or(f64::INFINITY)))
    };
    let others = rail.limits.same_cable.iter().filter(|o| **o != at && members.contains(o));
    let others: Vec<&Rail> = others.filter_map(|o| rails.get(*o)).collect();
    let cable = own(rail)?;
    if others.is_empty() {
        return Ok(cable);
    }
    let mine = reach(rail)?;
    let mut all = mine;
    for other in others {
        all += reach(other)?;
    }
    Ok(if all > cable { mine * cable / all } else { mine })
}
