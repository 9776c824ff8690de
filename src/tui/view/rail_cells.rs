//! What stands in the cells of a rail's row.

use super::Context;
use crate::check::Assessment;
use crate::node::{Flow, Presence, Rail};
use crate::tui::format;
use crate::units::{self, UNKNOWN};

/// `200 HDR` while the link is good for traffic, else what is wrong with it.
pub(super) fn link_words(
    context: &Context<'_>,
    assessment: &Assessment,
    index: usize,
    rail: &Rail,
) -> String {
    if let Presence::Gone { since } = rail.presence {
        return format!("gone {}", units::clock(since.wall, &context.look.zone));
    }
    let word = assessment.rails.get(index).map(|a| a.state_word.as_str()).unwrap_or_default();
    let active = rail.rdma.as_ref().map(|rdma| rdma.state.is_active());
    let carries = active
        .unwrap_or_else(|| rail.netdev.as_ref().is_some_and(|netdev| netdev.carrier == Ok(true)));
    match (carries, rail.rate.nominal_bits_per_second.ok()) {
        (true, Some(bits)) if word.is_empty() || word == "ACTIVE" || word == "up" => {
            let speed = rail.rate.speed.ok().map(AsRef::as_ref).unwrap_or_default();
            format!("{} {speed}", units::gbits(*bits)).trim_end().to_owned()
        }
        _ if word.is_empty() => UNKNOWN.to_owned(),
        _ => word.to_owned(),
    }
}

/// The share of the direction that carries more.
pub(super) fn busier_share(rail: &Rail) -> String {
    let rate = |flow: &Flow| flow.bytes_per_second.ok().copied().unwrap_or(0.0);
    let flow = if rate(&rail.tx) > rate(&rail.rx) { &rail.tx } else { &rail.rx };
    format::percent(&flow.share_ratio)
}

pub(super) fn address(rail: &Rail) -> String {
    let mut global = rail.addresses.iter().filter(|a| a.scope == 0);
    match (global.next(), global.count()) {
        (None, _) => UNKNOWN.to_owned(),
        (Some(one), 0) => one.prefix.to_string(),
        (Some(one), more) => format!("{} +{more}", one.ip()),
    }
}
