//! On the real kernel, in namespaces of the test's own.

mod support;

use support::ns::{self, Ns, Rail};
use support::{railtop, skip};

#[test]
fn emulated_rail_is_of_type_infiniband() {
    if let Some(why) = ns::unavailable() {
        return skip("emulated_rail_is_of_type_infiniband", &why);
    }
    let ns = Ns::new();
    let rail = Rail::new(&ns, "ib0", "172.16.34.1/16");
    rail.receive(10, 1500);
    assert_eq!(ns.sh("cat /sys/class/net/ib0/type").trim(), "32");
    assert_eq!(ns.sh("cat /sys/class/net/ib0/statistics/rx_bytes").trim(), "15000");
    assert!(railtop().exists());
}
