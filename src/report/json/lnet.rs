//! LNet, its NIs, its peers in short.

mod figures;

use super::object::Object;
use crate::lnet::lifecycle::{Lifecycle, LnetStage};
use crate::node::{Node, RailNi};
use crate::sample::Fact;
use crate::sample::{How, LnetNet, LnetNi};
use serde_json::Value;

pub(super) fn object(node: &Node, life: &Lifecycle) -> Value {
    let mut o = Object::new();
    o.put("version", &node.lnet.version);
    o.set("stage", node.lnet_stage().word());
    match (&node.lnet.answer, node.lnet_unknown()) {
        (Ok(answer), _) => o.list("nets", answer.nets.iter().map(|n| net(node, n))),
        (Err(_), None) => o.list("nets", std::iter::empty()),
        (Err(_), Some(unknown)) => {
            o.explain("stage", unknown.why, &unknown.detail);
            o.unknown("nets", &unknown);
        }
    }
    if let Some(words) = node.lnet_aged() {
        o.qualify("stage", How::Stale.word(), &words);
        o.qualify("nets", How::Stale.word(), &words);
    }
    o.set("lifecycle", lifecycle(life));
    o.set("volume", figures::volume(&node.lnet_figures.volume));
    match figures::peers(node) {
        Ok(peers) => o.set("peers", peers),
        Err(unknown) => o.unknown("peers", &unknown),
    }
    o.finish()
}

fn lifecycle(life: &Lifecycle) -> Value {
    let mut o = Object::new();
    o.set("words", &life.words);
    if life.stage == LnetStage::Unknown {
        let words = |stage: &LnetStage| stage.word();
        let Fact { value, qualified } = &life.estimate;
        let value = value.as_ref().map(words).map_err(Clone::clone);
        o.put_fact("stage_estimate", &Fact { value, qualified: qualified.clone() });
    }
    o.set("next", &life.next);
    o.put_fact("started_by", &life.started_by);
    o.set("users", &life.users);
    let refused = life.rmmod_refused.value.as_ref();
    o.put("rmmod_refused", &refused.map(Option::is_some).map_err(Clone::clone));
    if let Ok(Some(because)) = refused {
        o.set("rmmod_refused_because", because);
    }
    o.put_fact("survives_reboot", &life.survives_reboot);
    o.set("after_reboot", &life.after_reboot);
    o.finish()
}

fn net(node: &Node, net: &LnetNet) -> Value {
    let mut o = Object::new();
    o.set("name", &net.name);
    if let Some(own) = node.lnet_figures.nets.iter().find(|own| own.name == net.name) {
        figures::net(&mut o, own);
    }
    o.list("nis", net.nis.iter().map(|n| net_ni(node, n)));
    o.finish()
}

/// An NI of a net: with all that its counts say. The loopback has no figures.
fn net_ni(node: &Node, of: &LnetNi) -> Value {
    let mut o = ni(of);
    let on = node.rails.iter().filter(|r| r.lnet.iter().any(|own| own.ni.nid == of.nid));
    o.set("rails", on.map(|r| &r.name).collect::<Vec<_>>());
    if let Some(own) = node.lnet_figures.ni(&of.nid) {
        figures::ni(&mut o, own);
    }
    o.finish()
}

/// An NI of a rail: with its rates.
pub(super) fn rail_ni(rail_ni: &RailNi) -> Value {
    let mut o = ni(&rail_ni.ni);
    o.set("net", &rail_ni.net);
    o.put_fact("sent_messages_per_second", &rail_ni.sent_per_second);
    o.put_fact("received_messages_per_second", &rail_ni.received_per_second);
    o.finish()
}

fn ni(ni: &LnetNi) -> Object {
    let mut o = Object::new();
    o.set("nid", &ni.nid);
    o.put("status", &ni.status);
    o.set("interfaces", &ni.interfaces);
    o.put("fatal_error", &ni.fatal_error);
    o.put("health", &ni.health);
    o.put("send_count", &ni.send_count);
    o.put("recv_count", &ni.recv_count);
    o.put("drop_count", &ni.drop_count);
    o.put("credits", &ni.credits);
    o.put("peer_credits", &ni.peer_credits);
    o.put("dev_cpt", &ni.dev_cpt);
    o.put("cpt", &ni.cpt);
    o
}
