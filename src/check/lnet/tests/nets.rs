//! Nets and rails.

use super::*;
use crate::node::testing::{absent, nic};
use crate::sample::{LnetPeer, LnetPeerNi};

pub(super) fn peer(primary: &str, nids: &[&str]) -> LnetPeer {
    let ni = |nid: &&str| LnetPeerNi {
        nid: Text::new(nid),
        state: Ok("NA".into()),
        max_tx_credits: Ok(8),
        tx_credits: Ok(8),
        min_tx_credits: Ok(2),
        queued_bytes: Ok(0),
        rtr_credits: Ok(8),
        min_rtr_credits: Ok(8),
        send_count: Ok(1),
        recv_count: Ok(1),
        drop_count: Ok(0),
        health: Ok(1000),
        dropped: Ok(0),
        timeouts: Ok(0),
        errors: Ok(0),
        network_timeouts: Ok(0),
        ping_count: Ok(0),
        next_ping: Ok(0),
        net_priority: absent(),
        nid_priority: absent(),
        preferred_sources: Vec::new(),
    };
    LnetPeer {
        primary_nid: primary.into(),
        multi_rail: Ok(true),
        state_bits: Ok(273),
        nis: nids.iter().map(ni).collect(),
    }
}

pub(super) fn peers(mut stand: Stand, peers: Vec<LnetPeer>) -> Stand {
    stand.more.peers = answered(peers);
    stand
}

#[test]
fn row_14_a_rail_without_an_ni() {
    // Of two, one may be left out on purpose.
    let mut two = Stand::new(2);
    two.nis().pop();
    let note = two.only();
    assert_eq!((note.id, note.severity), ("NI_MISSING", Severity::Note));
    assert_eq!(note.rails, ["ib1"]);
    assert_eq!(commands(&note), ["lnetctl net add --net o2ib --if ib1"]);
    // Of four, one was forgotten.
    let mut four = Stand::new(4);
    four.nis().pop();
    assert_eq!(four.roots(), [("NI_MISSING", Severity::Warning)]);
    // The file names it, whether or not a boot reads it.
    let mut unread = Stand::new(2).conf(&[("o2ib", &["ib0", "ib1"])]).service(false);
    unread.nis().pop();
    assert!(unread.roots().contains(&("NI_MISSING", Severity::Warning)));
    let mut named = Stand::new(2).conf(&[("o2ib", &["ib0", "ib1"])]).service(true);
    named.nis().pop();
    let warning = named.only();
    assert_eq!((warning.id, warning.severity), ("NI_MISSING", Severity::Warning));
    assert!(warning.evidence.contains(&"/etc/lnet.conf: o2ib(ib0,ib1)".into()));
}

#[test]
fn row_14_an_ni_that_was_there() {
    let mut stand = Stand::new(2);
    let mut node = stand.node();
    stand.nis().pop();
    node.advance(&stand.sample(2_000));
    let judged = assess(&node);
    assert_eq!(roots(&judged), [("NI_MISSING", Severity::Warning)]);
    assert!(judged.findings.iter().any(|f| f.summary.ends_with("any more; it had one")));
}

#[test]
fn rails_that_need_no_ni() {
    // Another subnet: another purpose.
    let mut other = Stand::new(2);
    other.nis().pop();
    other.world.addresses.pop();
    other.world.address(11, "10.2.0.2", 16);
    assert_eq!(other.roots(), []);
    // Another adapter.
    let mut card = Stand::new(2);
    card.nis().pop();
    let device = &mut card.world.rdma.as_mut().unwrap()[1];
    Arc::make_mut(&mut device.attrs).hca_type = Ok("MT4129".into());
    assert_eq!(card.roots(), []);
    // Dead: that is told of already.
    let mut dead = Stand::new(4);
    dead.nis().pop();
    dead.world.state(3, 1, 2);
    assert_eq!(dead.roots(), []);
    // No address yet, so no NI can be.
    let mut bare = Stand::new(2);
    bare.nis().pop();
    bare.world.addresses.pop();
    assert_eq!(bare.roots(), []);
    // A client with one rail.
    assert_eq!(Stand::new(1).roots(), []);
    // An NI of any net is one: two nets are another finding's matter.
    let mut tcp = Stand::new(2);
    tcp.nis()[1] = ni("10.1.0.2@tcp", &["ib1"]);
    assert_eq!(tcp.roots(), []);
}

#[test]
fn row_15_the_first_interface_was_taken() {
    let beside = || {
        let mut stand = Stand::new(2);
        stand.world.netdev(nic("eth0", 2, "0000:01:00.0"));
        *stand.nis() = vec![ni("192.168.7.1@tcp", &["eth0"])];
        stand
    };
    let default = beside().parameter("networks", "tcp");
    let note = default.only();
    assert_eq!((note.id, note.severity), ("NI_WRONG_DEVICE", Severity::Note));
    assert_eq!(note.rails, ["ib0", "ib1"]);
    // Named, or made with lnetctl: over Ethernet on purpose.
    assert_eq!(beside().parameter("networks", "tcp(eth0)").roots(), []);
    assert_eq!(beside().roots(), []);
    assert_eq!(Stand::new(2).parameter("networks", "o2ib").roots(), []);
}

#[test]
fn row_16_a_net_for_each_rail() {
    let two = || {
        let mut stand = Stand::new(2);
        stand.nis()[1] = ni("10.1.0.2@o2ib1", &["ib1"]);
        stand
    };
    let note = two().only();
    assert_eq!((note.id, note.severity), ("LNET_NETS_SPLIT", Severity::Note));
    assert_eq!(
        commands(&note),
        ["lnetctl net del --net o2ib1 --if ib1", "lnetctl net add --net o2ib --if ib1"]
    );
    // The same servers on both: one fabric.
    let server = || peer("10.1.9.1@o2ib", &["10.1.9.1@o2ib", "10.1.9.2@o2ib1"]);
    let warning = peers(two(), vec![server()]).only();
    assert_eq!((warning.id, warning.severity), ("LNET_NETS_SPLIT", Severity::Warning));
    assert!(warning.evidence.last().unwrap().contains("10.1.9.2@o2ib1"));
    // A net in use is not taken away below a mount.
    let mounted = peers(two(), vec![server()]).mounted("10.1.9.1@o2ib:/fs", "/mnt");
    assert_eq!(commands(&mounted.only()), Vec::<&str>::new());
}

#[test]
fn nets_that_are_meant() {
    // Two fabrics with servers of their own.
    let mut fabrics = Stand::new(2);
    fabrics.nis()[1] = ni("10.2.0.2@o2ib1", &["ib1"]);
    fabrics.world.addresses.pop();
    fabrics.world.address(11, "10.2.0.2", 16);
    let servers = vec![
        peer("10.1.9.1@o2ib", &["10.1.9.1@o2ib"]),
        peer("10.2.9.1@o2ib1", &["10.2.9.1@o2ib1"]),
    ];
    assert_eq!(peers(fabrics, servers).roots(), []);
    // tcp beside o2ib.
    let mut both = Stand::new(2);
    both.nis().push(ni("10.1.0.1@tcp", &["ib0"]));
    assert_eq!(both.roots(), []);
    // Two nets on one interface are no two rails.
    let mut one = Stand::new(1);
    one.nis().push(ni("10.1.0.1@o2ib1", &["ib0"]));
    assert_eq!(one.roots(), []);
    // Two nets with two rails each.
    let mut four = Stand::new(4);
    for i in 2..4 {
        four.nis()[i] = ni(&format!("10.1.0.{}@o2ib1", i + 1), &[&format!("ib{i}")]);
    }
    assert_eq!(four.roots(), []);
}

#[test]
fn row_24_an_unexpected_primary_nid() {
    let asked = "10.1.9.1@tcp";
    let mounted = |lock: &str, primary: &str| {
        let stand =
            Stand::new(2).mounted("10.1.9.1@tcp:/fs", "/mnt").parameter("lock_prim_nid", lock);
        peers(stand, vec![peer(primary, &["10.1.9.1@o2ib", asked])])
    };
    let note = mounted("1", "10.1.9.1@o2ib").only();
    assert_eq!((note.id, note.severity), ("LNET_PRIMARY_NID", Severity::Note));
    assert_eq!(mounted("1", asked).roots(), []);
    assert_eq!(mounted("0", "10.1.9.1@o2ib").roots(), []);
    // Several servers, one with an address that has colons.
    let stand = Stand::new(2)
        .mounted("fd00::1@tcp,10.1.9.1@tcp:10.1.9.2@tcp:/fs", "/mnt")
        .parameter("lock_prim_nid", "1");
    let wrong = peer("10.1.9.2@o2ib", &["10.1.9.2@o2ib", "10.1.9.2@tcp"]);
    assert!(peers(stand, vec![wrong]).only().summary.contains("mounted by 10.1.9.2@tcp"));
}

#[test]
fn row_21_credits_that_ran_out() {
    use crate::sample::LnetNiCredits;
    let row = |nid: &str, max, min| LnetNiCredits {
        nid: nid.into(),
        status: "up".into(),
        max,
        tx: max,
        min,
    };
    let own = |min| {
        let mut stand = Stand::new(2);
        stand.more.credits = answered(vec![row("0@lo", 0, 0), row("10.1.0.1@o2ib", 256, min)]);
        stand
    };
    let note = own(-300).only();
    assert_eq!((note.id, note.severity), ("LNET_CREDITS_STARVED", Severity::Note));
    for quiet in [256, 0, -40] {
        assert_eq!(own(quiet).roots(), [], "{quiet}");
    }
    let theirs = |nid: &str, max: i32, min: i32| {
        let mut one = peer(nid, &[nid]);
        (one.nis[0].max_tx_credits, one.nis[0].min_tx_credits) = (Ok(max), Ok(min));
        peers(Stand::new(2), vec![one])
    };
    assert_eq!(
        theirs("10.1.9.1@o2ib", 8, -200).roots(),
        [("LNET_CREDITS_STARVED", Severity::Note)]
    );
    assert_eq!(theirs("10.1.9.1@o2ib", 8, -15).roots(), []);
    // A net that this node does not have, and this node itself.
    assert_eq!(theirs("10.9.9.1@tcp9", 0, -200).roots(), []);
    assert_eq!(theirs("10.1.0.1@o2ib", 8, -200).roots(), []);
}

#[test]
fn row_32_settings_that_differ() {
    let with = |a: &[(&str, &str)], b: &[(&str, &str)]| {
        let mut stand = Stand::new(2);
        for (i, values) in [a, b].into_iter().enumerate() {
            let more = values.iter().map(|(k, v)| (Text::new(k), Text::new(v))).collect();
            stand.nis()[i].more = more;
        }
        stand
    };
    let alike = [("lnd tunables/map_on_demand", "1"), ("statistics/send_count", "9")];
    assert_eq!(with(&alike, &alike).roots(), []);
    let other = [("lnd tunables/map_on_demand", "0"), ("statistics/send_count", "12")];
    let note = with(&alike, &other).only();
    assert_eq!((note.id, note.severity), ("NI_SETTINGS_DIFFER", Severity::Note));
    assert_eq!(note.summary, "the NIs of o2ib differ in map_on_demand");
    // What only one prints cannot be compared.
    assert_eq!(with(&alike, &[]).roots(), []);
    let mut credits = Stand::new(2);
    (credits.nis()[0].peer_credits, credits.nis()[1].peer_credits) = (Ok(8), Ok(32));
    assert!(credits.only().summary.ends_with("peer_credits"));
    // Another net may well have other values.
    credits.nis()[1].nid = "10.1.0.2@tcp".into();
    assert_eq!(credits.roots(), []);
}
