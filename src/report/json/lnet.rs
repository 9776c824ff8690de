//! LNet and its NIs.

use super::object::Object;
use crate::node::{LnetStage, RailNi};
use crate::sample::{Lnet, LnetFailure, LnetNet, LnetNi, Unknown, Why};
use serde_json::Value;

pub(super) fn object(lnet: &Lnet) -> Value {
    let mut o = Object::new();
    o.put("version", &lnet.version);
    let stage = LnetStage::of(lnet);
    o.set("stage", stage.word());
    match (&lnet.answer, stage) {
        (Ok(answer), _) => o.list("nets", answer.nets.iter().map(net)),
        (Err(failure), LnetStage::Unknown) => {
            let unknown = reason(lnet, failure).unwrap_or_else(|| {
                Unknown::new(Why::Absent, "no lnetctl, and whether the module is loaded is unknown")
            });
            o.explain("stage", unknown.why, &unknown.detail);
            o.unknown("nets", &unknown);
        }
        (Err(_), _) => o.list("nets", std::iter::empty()),
    }
    o.finish()
}

/// Why the nets are not known; `None` where it is known that there are none.
pub(super) fn reason(lnet: &Lnet, failure: &LnetFailure) -> Option<Unknown> {
    let unknown = match failure {
        // Without lnetctl nobody can say what a loaded module does.
        LnetFailure::NotInstalled if lnet.modules.lnet == Some(true) => {
            Unknown::new(Why::Absent, "the lnet module is loaded, lnetctl is not installed")
        }
        LnetFailure::NotInstalled | LnetFailure::NotLoaded | LnetFailure::NotConfigured => {
            return None;
        }
        LnetFailure::Denied(detail) => Unknown::new(Why::Denied, detail.clone()),
        LnetFailure::Timeout(detail) => Unknown::new(Why::Timeout, detail.clone()),
        LnetFailure::Failed(detail) => Unknown::new(Why::Unparsable, detail.clone()),
        LnetFailure::Pending => Unknown::new(Why::FirstSample, "lnetctl has not answered yet"),
    };
    Some(unknown)
}

fn net(net: &LnetNet) -> Value {
    let mut o = Object::new();
    o.set("name", &net.name);
    o.list("nis", net.nis.iter().map(|n| ni(n).finish()));
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
