//! Routes.

use super::*;

#[test]
fn row_23_a_route_that_is_down() {
    let routed = |states: &[(&str, &str)]| {
        states
            .iter()
            .fold(Stand::new(2), |stand, (gateway, state)| stand.route("tcp9", gateway, state))
    };
    assert_eq!(routed(&[("10.1.9.1@o2ib", "up")]).roots(), []);
    let all = routed(&[("10.1.9.1@o2ib", "down")]).only();
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
    assert_eq!(two.roots(), [("LNET_ROUTE_DOWN", Severity::Critical)]);
}
