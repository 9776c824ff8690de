//! Routes, and two nodes side by side.

use super::*;

#[test]
fn row_23_a_route_that_is_down() {
    let routed = |states: &[(&str, &str)]| {
        states
            .iter()
            .fold(Stand::new(2), |stand, (gateway, state)| stand.route("tcp9", gateway, state))
    };
    assert_eq!(routed(&[("10.1.9.1@o2ib", "up")]).roots(), []);
    // A route that nobody uses is only a line too much.
    let unused = routed(&[("10.1.9.1@o2ib", "down")]);
    assert_eq!(unused.roots(), [("LNET_ROUTE_DOWN", Severity::Warning)]);
    let server = nets::peer("10.9.1.1@tcp9", &["10.9.1.1@tcp9"]);
    let all = nets::peers(unused, vec![server]).judged();
    let all = all.findings.into_iter().find(|f| f.id == "LNET_ROUTE_DOWN").unwrap();
    assert_eq!((all.id, all.severity), ("LNET_ROUTE_DOWN", Severity::Critical));
    assert_eq!(all.verify[0].command, "lnetctl ping 10.1.9.1@o2ib");
    let one = routed(&[("10.1.9.1@o2ib", "up"), ("10.1.9.2@o2ib", "down")]).only();
    assert_eq!((one.id, one.severity), ("LNET_ROUTE_DOWN", Severity::Warning));
    assert_eq!(one.summary, "1 of 2 routes to net tcp9 is down: gateway 10.1.9.2@o2ib");
}

#[test]
fn a_route_behind_a_dead_port_follows_from_it() {
    let mut stand = Stand::new(1).route("tcp9", "10.1.9.1@o2ib", "down");
    stand.world.state(0, 1, 2);
    stand.nis()[0].status = Ok("down".into());
    stand.nis()[0].fatal_error = Ok(1);
    let judged = stand.judged();
    assert_eq!(roots(&judged), []);
    let of_port = |id: &str| {
        let one = judged.findings.iter().find(|f| f.id == id).unwrap();
        assert_eq!(one.caused_by, Some("PORT_DOWN"), "{id}");
    };
    of_port("NI_DOWN");
    of_port("LNET_ROUTE_DOWN");
    // With another NI of that net the gateway could be reached: the route is down by itself.
    let mut two = Stand::new(2).route("tcp9", "10.1.9.1@o2ib", "down");
    two.world.state(0, 1, 2);
    two.nis()[0].fatal_error = Ok(1);
    assert_eq!(two.roots(), [("LNET_ROUTE_DOWN", Severity::Warning)]);
}

#[test]
fn row_25_two_nodes_that_try_for_different_times() {
    use crate::check::assess_with;
    use crate::sample::LnetGlobal;
    let with = |timeout: &str, credits: u32| {
        let mut stand = Stand::new(2);
        let all = [("transaction_timeout", timeout), ("retry_count", "2")];
        let all = all.map(|(k, v)| (Text::new(k), Text::new(v))).into();
        stand.more.global = answered(LnetGlobal { all });
        for ni in stand.nis() {
            ni.peer_credits = Ok(credits);
        }
        stand.node()
    };
    let ids = |a: &Node, b: &Node| {
        let judged = assess_with(a, std::slice::from_ref(b));
        judged.findings.into_iter().filter(is_of_lnet).collect::<Vec<_>>()
    };
    assert_eq!(ids(&with("50", 32), &with("50", 32)), []);
    let one = ids(&with("50", 32), &with("150", 8));
    assert_eq!(one.len(), 1);
    assert_eq!((one[0].id, one[0].severity), ("LNET_PEER_SETTINGS_DIFFER", Severity::Note));
    assert_eq!(one[0].evidence.len(), 2);
    assert!(one[0].summary.ends_with("another transaction_timeout and peer_credits"));
    // What one of them did not say is not compared.
    assert_eq!(ids(&Stand::new(2).node(), &with("150", 8)), []);
}
