//! Next-hop groups that lost a rail.

use super::lines;
use super::scene::{Scene, Set};
use super::tell::{Told, listed};
use crate::check::Severity;
use crate::check::catalogue::routing as id;
use crate::fix::{Action, Change};
use crate::sample::{Family, NextHopObject};

/// One finding per group.
pub(super) fn find(scene: &Scene<'_>) -> Vec<Told> {
    scene.sets.iter().flat_map(|set| lost(scene, set)).collect()
}

/// A group of next hops has all rails of a set but one that is well: carrier loss deletes the
/// object of a rail for good.
fn lost(scene: &Scene<'_>, set: &Set) -> Vec<Told> {
    let Ok(objects) = &scene.routing.nexthops else { return Vec::new() };
    let object = |id: u32| objects.iter().find(|o| o.id == id);
    let mut told = Vec::new();
    let groups = objects.iter().filter(|o| !o.group.is_empty());
    for group in groups {
        let members: Vec<&NextHopObject> =
            group.group.iter().filter_map(|m| object(m.id)).collect();
        let has = |index: u32| members.iter().any(|m| m.ifindex == Some(index));
        let rails = || set.ifaces.iter().copied().filter_map(|i| Some((i, scene.iface(i)?)));
        let missing: Vec<usize> = rails()
            .filter(|(_, i)| i.has_carrier() && !has(i.index))
            .filter(|(_, i)| !objects.iter().any(|o| o.ifindex == Some(i.index)))
            .map(|(at, _)| at)
            .collect();
        let of_set = members.iter().all(|m| {
            m.ifindex.is_some_and(|d| rails().any(|(_, i)| i.index == d)) && m.gateway.is_none()
        });
        let present = rails().filter(|(_, i)| has(i.index)).count();
        let families = [Family::Inet, Family::Inet6];
        let mut routes = families.into_iter().flat_map(|f| scene.routes(f));
        let used = routes.find(|(_, r)| r.nexthop_id == Some(group.id)).map(|(_, r)| r);
        let (Some(route), [lost], true) = (used, missing.as_slice(), of_set) else { continue };
        if present == 0 || present + 1 != set.ifaces.len() {
            continue;
        }
        let Some(iface) = scene.iface(*lost) else { continue };
        let what = format!(
            "next-hop group {} has {} and no longer {}: losing the carrier deleted its object for good",
            group.id,
            listed(members.iter().filter_map(|m| m.ifindex).map(|i| scene.dev(i))),
            iface.name()
        );
        let free = (1..u32::MAX).find(|id| object(*id).is_none()).unwrap_or(1);
        let before: Vec<(u32, u32)> = group.group.iter().map(|m| (m.id, m.weight)).collect();
        let now = before.iter().copied().chain([(free, 1)]).collect();
        let remedy = vec![
            Change::here(Action::NextHopAdd { id: free, dev: iface.name().clone() }),
            Change::here(Action::NextHopGroup {
                id: group.id,
                members: now,
                before: before.clone(),
            }),
        ];
        let ids: Vec<String> = before.iter().map(|(id, _)| id.to_string()).collect();
        told.push(
            Told::new(scene, id::NEXTHOP_OBJECT_LOST, Severity::Warning, &[*lost], what)
                .seen([
                    format!("id {} group {}", group.id, ids.join("/")).into(),
                    lines::route(scene, route),
                ])
                .mended(remedy),
        );
    }
    told
}
