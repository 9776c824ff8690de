//! Rates, utilisation, shares, history.

use super::super::testing::{World, absent, ib_device, link, nic, software};
use super::super::{FlowSource, RateSource};
use super::{kinds, rail, start, why, with};
use crate::node::EventKind;
use crate::sample::{How, LinkFlags, Unknown, Why};
use proptest::prelude::*;
use std::sync::Arc;

const GB: u64 = 1_000_000_000;

#[test]
fn p01_words_are_four_bytes_whatever_the_width_and_eight_on_hfi1() {
    for rate in
        ["25 Gb/sec (1X EDR)", "100 Gb/sec (2X HDR)", "200 Gb/sec (4X HDR)", "400 Gb/sec (8X HDR)"]
    {
        for (driver, unit) in [("mlx5_core", 4.0), ("hfi1", 8.0)] {
            let mut world = World::rails(1);
            Arc::make_mut(&mut world.port(0).attrs).rate = Ok(rate.into());
            Arc::make_mut(&mut world.rdma.as_mut().unwrap()[0].attrs).driver = Ok(driver.into());
            let mut node = start(&world);
            world.count(0, 100_000_000, 0);
            node.advance(&world.at_ms(1_000));
            assert_eq!(node.rails[0].rx.bytes_per_second.value, Ok(unit * 1e8), "{rate} {driver}");
        }
    }
}

#[test]
fn p14_ip_is_inside_the_port_counters() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    world.count(0, GB, GB / 2);
    world.net("ib0").stats.rx_bytes.value = Ok(3 * GB);
    node.advance(&world.at_ms(1_000));
    let ib0 = &node.rails[0];
    assert_eq!(ib0.rx.bytes_per_second.value, Ok(4e9));
    assert_eq!(ib0.rx.ip_bytes_per_second.value, Ok(3e9));
    assert_eq!(ib0.rx.source, Some(FlowSource::Port));
    assert_eq!(ib0.rx.utilisation_ratio.value, Ok(4e9 * 8.0 / 200e9));
    assert_eq!(ib0.tx.utilisation_ratio.value, Ok(2e9 * 8.0 / 200e9), "each direction for itself");
    assert_eq!((ib0.rx.total_bytes, ib0.history.points.len()), (4 * GB, 2));
}

#[test]
fn p12_the_rate_of_a_down_port_means_nothing() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    assert_eq!(node.rails[0].rate.usable_bits_per_second.value, Ok(200e9));
    world.state(0, 1, 2);
    Arc::make_mut(&mut world.port(0).attrs).rate = Ok("10 Gb/sec (4X SDR)".into());
    node.advance(&world.at_ms(1_000));
    let ib0 = &node.rails[0];
    assert_eq!(why(&ib0.rate.nominal_bits_per_second), Some(Why::Inactive));
    assert_eq!(why(&ib0.rx.utilisation_ratio), Some(Why::Inactive));
    assert_eq!((ib0.rate.source, ib0.last_active_rate), (RateSource::Nothing, Some(200e9)));
    assert_eq!(kinds(&node), [EventKind::LinkDown], "no rate change");
}

#[test]
fn p05_a_rail_that_comes_back_has_no_spike() {
    let mut world = World::rails(2);
    let mut node = start(&world);
    let mut whole = world.clone();
    world.rdma.as_mut().unwrap().remove(1);
    world.netdevs.as_mut().unwrap().remove(1);
    node.advance(&world.at_ms(1_000));
    assert_eq!(why(&rail(&node, "ib1").rx.bytes_per_second), Some(Why::Absent));
    whole.count(1, 1 << 50, 1 << 50);
    node.advance(&whole.at_ms(2_000));
    assert_eq!(why(&rail(&node, "ib1").rx.bytes_per_second), Some(Why::FirstSample));
    whole.count(1, 250, 0);
    node.advance(&whole.at_ms(3_000));
    assert_eq!(rail(&node, "ib1").rx.bytes_per_second.value, Ok(1_000.0));
    assert_eq!(kinds(&node), [EventKind::RailBack, EventKind::RailGone]);
    assert_eq!(rail(&node, "ib1").history.points.iter().filter(|p| p.rx.is_none()).count(), 3);
}

#[test]
fn p04_a_reset_is_an_event_and_no_figure() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    world.port(0).data.rx[0].value = Ok(7);
    node.advance(&world.at_ms(1_000));
    assert_eq!(why(&node.rails[0].rx.bytes_per_second), Some(Why::Reset));
    assert_eq!(node.rails[0].tx.bytes_per_second.value, Ok(0.0));
    assert_eq!(kinds(&node), [EventKind::CounterReset]);
}

#[test]
fn p02_saturated_data_counters_are_no_silence() {
    let mut world = World::rails(1);
    world.port(0).counters = Arc::default();
    world.port(0).data.rx[0].value = Ok(u64::from(u32::MAX));
    let mut node = start(&world);
    node.advance(&world.at_ms(1_000));
    let unknown = node.rails[0].rx.bytes_per_second.value.clone().unwrap_err();
    assert_eq!(
        (unknown.why, unknown.detail.as_str()),
        (Why::Unsupported, "32-bit counter saturated")
    );
}

#[test]
fn p06_p08_one_unreadable_counter_hides_only_itself() {
    let mut world = World::rails(2);
    world.port(0).data.rx[0].value = Err(Unknown::new(Why::Unsupported, "EINVAL"));
    let mut node = start(&world);
    world.count(1, 250, 0);
    node.advance(&world.at_ms(1_000));
    assert_eq!(why(&node.rails[0].rx.bytes_per_second), Some(Why::Unsupported));
    assert_eq!(node.rails[1].rx.bytes_per_second.value, Ok(1_000.0));
    let jain = node.groups[0].balance.rx.jain_index.value.clone().unwrap_err();
    assert!(jain.detail.contains("ib0"), "{jain}");
}

#[test]
fn a_device_that_hangs_shows_an_aging_rate() {
    let mut world = World::rails(1);
    let mut node = start(&world);
    world.count(0, 250, 0);
    node.advance(&world.at_ms(1_000));
    let before = world.at_ms(1_000);
    let (mut held, hung_at) = (world.clone(), before.time.mono);
    let device = &mut held.rdma.as_mut().unwrap()[0];
    device.stuck_since = Some(hung_at);
    device.ports[0].data.rx[0].at = hung_at;
    device.ports[0].data.tx[0].at = hung_at;
    held.netdevs = absent();
    node.advance(&held.at_ms(2_000));
    let rx = |n: &super::Node| n.rails[0].rx.bytes_per_second.clone();
    assert_eq!((rx(&node).value, rx(&node).qualified), (Ok(1_000.0), None));
    node.advance(&held.at_ms(5_000));
    assert_eq!(rx(&node).qualified.map(|q| q.how), Some(How::Stale));
    let since = node.rails[0].rdma.as_ref().unwrap().stuck_since.unwrap();
    assert_eq!(since.wall, before.time.wall);
}

#[test]
fn without_port_counters_ip_stands_in_and_says_so() {
    let mut world = World::rails(1);
    world.port(0).data.rx.clear();
    world.port(0).data.tx.clear();
    let mut node = start(&world);
    world.net("ib0").stats.rx_bytes.value = Ok(1_000);
    node.advance(&world.at_ms(1_000));
    let rx = &node.rails[0].rx;
    assert_eq!(
        (rx.bytes_per_second.value.clone(), rx.source),
        (Ok(1_000.0), Some(FlowSource::Netdev))
    );
    assert!(rx.bytes_per_second.qualified.as_ref().unwrap().detail.starts_with("IP only"));
}

#[test]
fn p21_on_ethernet_the_larger_of_rdma_and_ip_is_shown() {
    let mut world = World::new();
    let mut device = ib_device(0);
    Arc::make_mut(&mut device.attrs).netdevs = vec!["eth0".into()];
    let port = Arc::make_mut(&mut device.ports[0].attrs);
    (port.link_layer, port.rate) = (Ok("Ethernet".into()), Ok("40 Gb/sec (4X QDR)".into()));
    world.device(device);
    world.netdev(nic("eth0", 2, "0000:10:00.0"));
    let mut node = start(&world);
    assert_eq!(node.rails[0].rate.usable_bits_per_second.value, Ok(100e9), "speed of the netdev");
    world.count(0, 1_000, 1_000);
    world.net("eth0").stats.rx_bytes.value = Ok(9_000);
    node.advance(&world.at_ms(1_000));
    let (rx, tx) = (&node.rails[0].rx, &node.rails[0].tx);
    assert_eq!(
        (rx.bytes_per_second.value.clone(), rx.source),
        (Ok(9_000.0), Some(FlowSource::Netdev))
    );
    assert_eq!(
        (tx.bytes_per_second.value.clone(), tx.source),
        (Ok(4_000.0), Some(FlowSource::Port))
    );
}

#[test]
fn hw_counters_are_bytes() {
    let mut world = World::rails(1);
    let data = &mut world.port(0).data;
    data.rx[0].file = "hw_counters/ip4InOctets".into();
    let mut second = data.rx[0].clone();
    second.file = "hw_counters/ip6InOctets".into();
    data.rx.push(second);
    let mut node = start(&world);
    for counter in &mut world.port(0).data.rx {
        counter.value = counter.value.clone().map(|v| v + 500);
    }
    node.advance(&world.at_ms(1_000));
    let rx = &node.rails[0].rx;
    assert_eq!(
        (rx.bytes_per_second.value.clone(), rx.source),
        (Ok(1_000.0), Some(FlowSource::HwCounters))
    );
}

#[test]
fn a_tun_of_type_32_is_measured_without_a_rate() {
    let mut world = World::new();
    for i in 0..2 {
        let mut tun = software(&format!("ib{i}"), 10 + i, 32);
        Arc::make_mut(&mut tun.attrs).speed_mbps = Ok(10);
        world.netdev(tun);
        world.address(10 + i, &format!("10.1.0.{}", i + 1), 16);
    }
    let mut node = start(&world);
    for name in ["ib0", "ib1"] {
        world.net(name).stats.rx_bytes.value = Ok(2 * GB);
    }
    node.advance(&world.at_ms(1_000));
    assert_eq!(node.rails[0].rx.bytes_per_second.value, Ok(2e9));
    assert_eq!(why(&node.rails[0].rx.utilisation_ratio), Some(Why::NotApplicable));
    let jain = &node.groups[0].balance.rx.jain_index;
    assert_eq!(jain.value, Ok(1.0));
    assert_eq!(jain.qualified.as_ref().map(|q| q.how), Some(How::Estimate));
    world.links = Ok(vec![link("ib0", 10, 32, Some("tun")), link("ib1", 11, 32, Some("tun"))]);
    world.links.as_mut().unwrap()[0].flags = LinkFlags(0x1003);
    node.advance(&world.at_ms(2_000));
    assert_eq!(why(&node.rails[0].rx.utilisation_ratio), Some(Why::Inactive), "netlink is fresher");
}

#[test]
fn shares_and_balance_of_a_group_with_a_dead_rail() {
    let mut world = World::rails(4);
    world.o2ib(4);
    let mut node = start(&world);
    world.state(2, 1, 2);
    for i in [0, 1, 3] {
        world.count(i, 2_500_000_000, 0);
    }
    node.advance(&world.at_ms(1_000));
    let group = &node.groups[0];
    assert!((group.balance.rx.jain_index.ok().unwrap() - 0.75).abs() < 1e-9);
    assert_eq!(group.balance.rx.slowest, Some(2));
    assert_eq!(group.usable_bytes_per_second.value, Ok(75e9));
    assert_eq!(why(&group.balance.tx.jain_index), Some(Why::BelowFloor));
    assert!((node.rails[0].rx.share_ratio.ok().unwrap() - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(why(&node.rails[2].rx.share_ratio), Some(Why::Inactive));
}

#[test]
fn the_other_nics_are_one_sum() {
    let mut world = World::rails(1);
    world.netdev(nic("eth10", 30, "0000:01:00.0"));
    world.netdev(nic("eth9", 31, "0000:02:00.0"));
    world.netdev(software("docker0", 32, 1));
    let mut node = start(&world);
    assert_eq!(node.other.names, ["eth9", "eth10"]);
    assert_eq!(why(&node.other.rx.bytes_per_second), Some(Why::FirstSample));
    world.net("eth9").stats.rx_bytes.value = Ok(100);
    world.net("eth10").stats.rx_bytes.value = Ok(900);
    world.net("docker0").stats.rx_bytes.value = Ok(5_000);
    node.advance(&world.at_ms(500));
    assert_eq!(node.other.rx.bytes_per_second.value, Ok(2_000.0));
    world.net("eth9").stats.rx_bytes.value = Err(Unknown::new(Why::Denied, ""));
    node.advance(&world.at_ms(1_000));
    let rx = &node.other.rx.bytes_per_second;
    assert_eq!(
        (rx.value.clone(), rx.qualified.as_ref().map(|q| q.how)),
        (Ok(0.0), Some(How::Estimate))
    );
}

#[test]
fn an_interface_made_anew_starts_again() {
    let mut world = World::new();
    world.netdev(software("ib0", 10, 32));
    world.net("ib0").stats.rx_bytes.value = Ok(500);
    let mut node = start(&world);
    world.attrs("ib0").ifindex = Ok(77);
    world.net("ib0").stats.rx_bytes.value = Ok(900);
    node.advance(&world.at_ms(1_000));
    assert_eq!(why(&node.rails[0].rx.bytes_per_second), Some(Why::FirstSample));
    assert_eq!(node.rails.len(), 1);
}

#[test]
fn names_in_rail_globs_match_like_the_rows_do() {
    let world = World::rails(2);
    assert_eq!(with(&world, &["mlx5_1"], &[]).rails.len(), 1);
}

proptest! {
    /// Whatever a counter does, no figure is negative, infinite or above what the link can carry.
    #[test]
    fn no_sequence_of_counters_makes_an_absurd_figure(
        steps in proptest::collection::vec((any::<u64>(), 0u64..3_000, 0u8..4), 1..30),
    ) {
        let mut world = World::rails(2);
        let mut node = start(&world);
        let mut now = 0;
        for (value, wait, what) in steps {
            now += wait;
            world.port(0).data.rx[0].value = match what {
                0 => Err(Unknown::new(Why::Denied, "EACCES")),
                1 => Ok(value >> 20),
                _ => Ok(value),
            };
            if what == 3 {
                world.state(0, 1, 2);
            } else {
                world.state(0, 4, 5);
            }
            node.advance(&world.at_ms(now));
            let rx = &node.rails[0].rx;
            if let Ok(rate) = rx.bytes_per_second.value {
                prop_assert!((0.0..=25e9 * 51.5).contains(&rate));
            }
            for rail in &node.rails {
                if let Ok(share) = rail.rx.share_ratio.value {
                    prop_assert!((0.0..=1.0 + 1e-9).contains(&share));
                }
            }
        }
    }
}
