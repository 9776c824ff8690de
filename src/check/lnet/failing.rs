//! Messages that fail or are dropped now: judged over a minute, not from one answer.

use super::kit::{Told, count, kind, listed, nets, ni_line, printed, rails_of};
use super::ni::is_fatal;
use crate::check::Severity;
use crate::check::catalogue::lnet::{LNET_DROPS_RISING, LNET_QUEUE_TIMEOUTS, NI_FAILURES_UNSEEN};
use crate::check::fold::Found;
use crate::check::view::RailView;
use crate::fix::word;
use crate::node::{NiGrowth, Node};
use crate::sample::{LnetNi, MAX_HEALTH, Text};
use crate::units;

/// So many dropped messages in a minute are worth a word.
const DROPS: u64 = 10;
/// So many failed ones are.
const FAILURES: u64 = 3;

pub(super) fn check(node: &Node, views: &[RailView<'_>]) -> Vec<Found> {
    let nets = nets(node);
    let mut found: Vec<Found> = Vec::new();
    for (net, nis) in &nets {
        let queue = queue_timeouts(node, views, net, nis);
        let told = queue.is_some();
        found.extend(queue);
        let alone = nets.len() == 1 && nis.len() == 1;
        for ni in nis {
            let Some(growth) = node.lnet_growth(&ni.nid) else { continue };
            found.extend(drops(views, ni, &growth));
            if alone && !told {
                found.extend(unseen(views, ni, &growth));
            }
        }
    }
    found
}

fn over(growth: &NiGrowth) -> String {
    units::duration_words(growth.over)
}

fn number(ni: &LnetNi, path: &str) -> Option<String> {
    ni.more.iter().find(|(key, _)| &**key == path).map(|(_, value)| value.to_string())
}

/// `drop_count` rises: nobody waits for what arrives.
fn drops(views: &[RailView<'_>], ni: &LnetNi, growth: &NiGrowth) -> Option<Found> {
    let dropped = *growth.dropped.as_ref().ok()?;
    if dropped < DROPS || is_fatal(ni) {
        return None;
    }
    let summary = format!(
        "NI {} dropped {dropped} messages within {}: no one waits for them here",
        ni.nid,
        over(growth)
    );
    let kinds = ["put", "get", "reply", "ack"];
    let by_kind = kinds.iter().map(|k| (*k, number(ni, &format!("dropped_stats/{k}"))));
    let drop_count = [("drop_count", printed(&ni.drop_count))];
    Some(
        Told::new(LNET_DROPS_RISING, Severity::Warning, summary)
            .on(rails_of(views, ni))
            .seen([ni_line(ni, drop_count.into_iter().chain(by_kind))])
            .verify([
                format!("lnetctl net show --net {} -v 4", word(ni.net())),
                "lnetctl stats show".to_owned(),
                "lnetctl route show -v".to_owned(),
            ])
            .found(),
    )
}

/// The only NI of a node: LNet does not lower its health (Lustre 2.13.55 to 2.16).
fn unseen(views: &[RailView<'_>], ni: &LnetNi, growth: &NiGrowth) -> Option<Found> {
    let failed = *growth.failures.as_ref().ok()?;
    if failed < FAILURES || is_fatal(ni) || ni.health != Ok(MAX_HEALTH) {
        return None;
    }
    let summary = format!(
        "{failed} messages failed on NI {} within {}, and its health stays 1000: LNet does not \
         lower that of an only NI",
        ni.nid,
        over(growth)
    );
    let kinds = ["timeouts", "dropped", "error", "no route", "aborted", "interrupts"];
    let values = kinds.iter().map(|k| (*k, number(ni, &format!("health stats/{k}"))));
    Some(
        Told::new(NI_FAILURES_UNSEEN, Severity::Warning, summary)
            .on(rails_of(views, ni))
            .seen([ni_line(ni, [("health value", printed(&ni.health))].into_iter().chain(values))])
            .verify(["lnetctl peer show -v 3", "lctl get_param -n '*.*.import'"])
            .found(),
    )
}

/// Messages time out in the queues of every NI of a net, and credits are short: the queue, not a
/// rail.
fn queue_timeouts(
    node: &Node,
    views: &[RailView<'_>],
    net: &str,
    nis: &[&LnetNi],
) -> Option<Found> {
    let live: Vec<&&LnetNi> = nis.iter().filter(|ni| !is_fatal(ni)).collect();
    let timed_out = |ni: &LnetNi| {
        let growth = node.lnet_growth(&ni.nid)?;
        growth.timeouts.ok().filter(|n| *n > 0)
    };
    let growths: Option<Vec<u64>> = live.iter().map(|ni| timed_out(ni)).collect();
    let growths = growths.filter(|g| !g.is_empty())?;
    let waiting = waiting(node, net);
    if waiting.is_empty() {
        return None;
    }
    let total: u64 = growths.iter().sum();
    let summary = format!(
        "{total} messages waited for too long on all {} of {net}: LNet has too few credits, or \
         the peers are slow",
        count(live.len(), "NI")
    );
    let lines =
        live.iter().map(|ni| ni_line(ni, [("timeouts", number(ni, "health stats/timeouts"))]));
    let here: Vec<&RailView<'_>> =
        views.iter().filter(|v| live.iter().any(|ni| super::kit::is_on(v.rail, ni))).collect();
    Some(
        Told::new(LNET_QUEUE_TIMEOUTS, Severity::Warning, summary)
            .on(here.iter().copied())
            .seen(lines)
            .seen(waiting)
            .verify([
                format!("lnetctl net show --net {} -v 4", word(net)),
                "lnetctl peer show -v 2".to_owned(),
                format!("grep . /sys/module/k{}*/parameters/*credits*", lnd(net)),
            ])
            .found(),
    )
}

/// `ko2iblnd`, `ksocklnd`: the letters behind the k.
fn lnd(net: &str) -> &str {
    match kind(net) {
        "tcp" => "socklnd",
        other => other,
    }
}

/// Queues with messages in them now.
fn waiting(node: &Node, net: &str) -> Vec<Text> {
    let more = &node.lnet.more;
    let on_net = |nid: &str| nid.rsplit_once('@').is_some_and(|(_, n)| n == net);
    let own = more.credits.iter().flat_map(|c| &c.value).filter(|c| c.tx < 0 && on_net(&c.nid));
    let mut lines: Vec<Text> = own
        .map(|c| format!("debugfs lnet/nis: {}, max {}, tx {}, min {}", c.nid, c.max, c.tx, c.min))
        .map(Text::from)
        .collect();
    let short = |tx: &crate::sample::Reading<i32>| tx.as_ref().is_ok_and(|tx| *tx < 0);
    let peers: Vec<&str> = more
        .peers
        .iter()
        .flat_map(|p| &p.value)
        .flat_map(|p| &p.nis)
        .filter(|ni| on_net(&ni.nid) && short(&ni.tx_credits))
        .map(|ni| ni.nid.as_str())
        .collect();
    if !peers.is_empty() {
        let words = format!(
            "lnetctl peer show -v 4: available_tx_credits below 0: {}",
            listed(peers.iter())
        );
        lines.push(words.into());
    }
    lines
}
