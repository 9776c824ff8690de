//! Readers stamp what they read with this host's clock; in a capture the time is the sample's.

use crate::sample::{
    Answered, CounterSet, DataCounter, Mono, Netdev, RdmaDevice, RdmaPort, Sample,
};
use std::sync::Arc;

/// A file that says why the file beside it could not be copied; never a counter.
pub(super) const ERROR_SUFFIX: &str = ".error";

/// Gives all reads of a sample the sample's own time.
pub(super) fn restamp(sample: &mut Sample) {
    let at = sample.time.mono;
    if let Ok(netdevs) = &mut sample.netdevs {
        for one in netdevs {
            netdev(Arc::make_mut(one), at);
        }
    }
    if let Ok(devices) = &mut sample.rdma {
        for one in devices {
            device(Arc::make_mut(one), at);
        }
    }
    Arc::make_mut(&mut sample.routing).at = at;
    Arc::make_mut(&mut sample.sysctls).at = at;
    let lnet = Arc::make_mut(&mut sample.lnet);
    lnet.waiting_since = None;
    lnet.left = None;
    if let Ok(answer) = &mut lnet.answer {
        answer.at = at;
    }
    let more = &mut lnet.more;
    answered(&mut more.peers, at);
    answered(&mut more.stats, at);
    answered(&mut more.global, at);
    answered(&mut more.routes, at);
    answered(&mut more.routing, at);
    answered(&mut more.udsp, at);
    answered(&mut more.credits, at);
}

fn answered<T: Clone>(answer: &mut Answered<T>, at: Mono) {
    if let Ok(answer) = answer {
        Arc::make_mut(answer).at = at;
    }
}

fn netdev(netdev: &mut Netdev, at: Mono) {
    netdev.stats.rx_bytes.at = at;
    netdev.stats.tx_bytes.at = at;
    counters(&mut netdev.stats.slow, at);
}

fn device(device: &mut RdmaDevice, at: Mono) {
    device.stuck_since = None;
    device.attrs_at = at;
    counters(&mut device.hw_counters, at);
    device.ports.iter_mut().for_each(|p| port(p, at));
}

fn port(port: &mut RdmaPort, at: Mono) {
    port.state.at = at;
    port.phys_state.at = at;
    let data: [&mut Vec<DataCounter>; 2] = [&mut port.data.rx, &mut port.data.tx];
    data.into_iter().flatten().for_each(|c| c.at = at);
    counters(&mut port.counters, at);
    counters(&mut port.hw_counters, at);
}

fn counters(set: &mut Arc<CounterSet>, at: Mono) {
    let set = Arc::make_mut(set);
    set.at = at;
    set.items.retain(|c| !c.name.ends_with(ERROR_SUFFIX));
}
