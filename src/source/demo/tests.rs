use super::*;
use crate::sample::{LnetNi, RdmaPort};

const SECOND: Duration = Duration::from_secs(1);

fn run(name: &str, interval: Duration, samples: usize) -> Vec<Sample> {
    let mut demo = Demo::simulate(name, interval).unwrap();
    (0..samples).map(|_| demo.next().unwrap().unwrap()).collect()
}

fn port<'a>(sample: &'a Sample, device: &str) -> &'a RdmaPort {
    let device = sample.rdma.as_ref().unwrap().iter().find(|d| &*d.name == device).unwrap();
    &device.ports[0]
}

fn ni<'a>(sample: &'a Sample, netdev: &str) -> &'a LnetNi {
    let nets = &sample.lnet.answer.as_ref().unwrap().nets;
    nets.iter().flat_map(|n| &n.nis).find(|n| n.interfaces == [Text::new(netdev)]).unwrap()
}

fn second(sample: &Sample) -> f64 {
    (sample.time.mono.0 - mono(0).0) as f64 / 1e9
}

/// Received bytes per second between two samples.
fn rx_rate(a: &Sample, b: &Sample, device: &str) -> f64 {
    let words = |s| *port(s, device).data.rx[0].value.as_ref().unwrap();
    (words(b) - words(a)) as f64 * 4.0 / b.time.mono.since(a.time.mono).as_secs_f64()
}

fn at(samples: &[Sample], time: f64) -> &Sample {
    samples.iter().find(|s| (second(s) - time).abs() < 1e-6).unwrap()
}

#[test]
fn every_scenario_loads_and_says_what_it_is() {
    for (name, description) in scenarios() {
        Scenario::parse(SCENARIOS.iter().find(|s| s.0 == name).unwrap().1).unwrap();
        assert!(description.len() > 20, "{name}");
        let samples = run(name, SECOND, 3);
        assert_eq!(samples[0].time.wall.to_string(), "2026-01-15T14:00:00Z");
    }
    let error = Demo::open("nonsense", SECOND).unwrap_err().to_string();
    assert_eq!(
        error,
        "no scenario \"nonsense\"; there are: balanced, dead-rail, one-subnet, no-sm, bad-cable, \
         lnet-numa-idle, lnet-health-low"
    );
}

#[test]
fn rates_are_as_the_scenario_tells() {
    let samples = run("balanced", SECOND, 130);
    for device in ["mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3"] {
        for (from, told) in [(6.0, 2.6e9), (22.0, 5.1e9), (40.0, 10.2e9), (80.0, 10.2e9)] {
            let rate = rx_rate(at(&samples, from), at(&samples, from + 1.0), device);
            assert!((rate / told - 1.0).abs() < 0.05, "{device} at {from}: {rate} of {told}");
        }
        let idle = rx_rate(at(&samples, 0.0), at(&samples, 1.0), device);
        assert!(idle < 1e5, "{device}: {idle}");
        let again = rx_rate(at(&samples, 106.0), at(&samples, 107.0), device);
        assert!((again / 2.6e9 - 1.0).abs() < 0.05, "the timeline repeats");
    }
}

#[test]
fn counters_never_fall_and_time_never_stands() {
    for (name, _) in SCENARIOS {
        let samples = run(name, Duration::from_millis(700), 200);
        for pair in samples.windows(2) {
            assert!(pair[0].time.mono < pair[1].time.mono && pair[0].time.wall < pair[1].time.wall);
            let devices = |s: &Sample| s.rdma.as_ref().unwrap().clone();
            for (a, b) in devices(&pair[0]).iter().zip(&devices(&pair[1])) {
                let (a, b) = (&a.ports[0].counters.items, &b.ports[0].counters.items);
                for (a, b) in a.iter().zip(b) {
                    assert!(a.value.as_ref().unwrap() <= b.value.as_ref().unwrap(), "{}", a.name);
                }
            }
            let netdevs = |s: &Sample| s.netdevs.as_ref().unwrap().clone();
            for (a, b) in netdevs(&pair[0]).iter().zip(&netdevs(&pair[1])) {
                assert!(
                    a.stats.rx_bytes.value.as_ref().unwrap()
                        <= b.stats.rx_bytes.value.as_ref().unwrap()
                );
            }
        }
    }
}

#[test]
fn the_dead_rail_dies_at_six_seconds_on_every_layer() {
    // No pass of its own falls on the sixth second: the step brings one.
    let samples = run("dead-rail", Duration::from_millis(700), 100);
    let before = samples.iter().rfind(|s| second(s) < 6.0).unwrap();
    let then = at(&samples, 6.0);
    let code = |s, device| port(s, device).state.value.as_ref().unwrap().code;
    assert_eq!((code(before, "mlx5_2"), code(then, "mlx5_2")), (4, 1));
    assert_eq!(&*port(then, "mlx5_2").phys_state.value.as_ref().unwrap().word, "Polling");
    assert_eq!(code(then, "mlx5_1"), 4);
    let ib2 = then.links.as_ref().unwrap().iter().find(|l| &*l.name == "ib2").unwrap().clone();
    assert!(ib2.flags.is_up() && !ib2.flags.has_carrier());
    let netdev = then.netdevs.as_ref().unwrap().iter().find(|n| &*n.name == "ib2").unwrap();
    assert_eq!(netdev.carrier, Ok(false));
    let down = |s: &Sample| {
        let routes = s.routing.routes4.as_ref().unwrap().iter();
        routes.flat_map(|r| &r.next_hops).filter(|h| h.flags.linkdown).count()
    };
    assert_eq!((down(before), down(then)), (0, 3));
    let later = samples.iter().find(|s| second(s) >= 7.2).unwrap();
    assert_eq!(
        (ni(later, "ib2").fatal_error.clone(), &*ni(later, "ib2").status.clone().unwrap()),
        (Ok(1), "down")
    );
    assert_eq!(ni(later, "ib1").fatal_error, Ok(0));
    let (a, b) = (samples.iter().find(|s| second(s) >= 10.0).unwrap(), at(&samples, 40.0));
    assert!(rx_rate(a, b, "mlx5_2") < 1.0);
    assert!(rx_rate(a, b, "mlx5_0") > 9.5e9);
    assert_eq!(code(b, "mlx5_2"), 2);
    assert_eq!(code(at(&samples, 43.0), "mlx5_2"), 4);
}

#[test]
fn the_dead_rail_comes_back_and_dies_again() {
    let samples = run("dead-rail", SECOND, 75);
    let rate = |t: f64| rx_rate(at(&samples, t), at(&samples, t + 1.0), "mlx5_2");
    assert!(rate(57.0) > 9.5e9 && rate(64.0) > 9.5e9);
    assert!(rate(67.0) < 1.0, "{}", rate(67.0));
    let downed =
        |t: f64| port(at(&samples, t), "mlx5_2").counters.get("link_downed").unwrap().clone();
    assert_eq!((downed(5.0), downed(7.0), downed(67.0)), (Ok(1), Ok(2), Ok(3)));
}

#[test]
fn one_subnet_has_equal_routes_and_no_rules() {
    let sample = run("one-subnet", SECOND, 8).pop().unwrap();
    let routes = sample.routing.routes4.as_ref().unwrap();
    let twice = routes.iter().filter(|r| r.table == 254 && r.dst.to_string() == "172.16.0.0/16");
    assert_eq!(twice.count(), 2);
    assert_eq!(sample.routing.rules4.as_ref().unwrap().len(), 3);
}

#[test]
fn no_sm_is_init_from_the_first_sample() {
    let sample = run("no-sm", SECOND, 1).pop().unwrap();
    let port = port(&sample, "mlx5_1");
    assert_eq!(port.state.value.as_ref().unwrap().code, 2);
    assert_eq!(port.phys_state.value.as_ref().unwrap().code, 5);
    assert_eq!(ni(&sample, "ib1").fatal_error, Ok(1));
}

#[test]
fn the_same_times_give_the_same_samples() {
    let json = |interval| {
        let last = run("balanced", interval, 1 + (20_000 / interval.as_millis()) as usize);
        let sample = last.into_iter().find(|s| second(s) >= 15.0).unwrap();
        serde_json::to_string(&sample).unwrap()
    };
    assert_eq!(json(SECOND), json(SECOND));
}

#[test]
fn a_day_goes_by_at_once() {
    let mut demo = Demo::simulate("balanced", Duration::from_mins(10)).unwrap();
    let last = (0..3000).map(|_| demo.next().unwrap().unwrap()).last().unwrap();
    assert!(second(&last) > 20_000.0);
}

#[test]
fn in_real_time_a_pass_waits_for_the_pace() {
    let begun = Instant::now();
    let mut demo = Demo::open("balanced", Duration::from_millis(20)).unwrap();
    let times: Vec<f64> = (0..4).map(|_| second(&demo.next().unwrap().unwrap())).collect();
    assert_eq!(times, [0.0, 0.02, 0.04, 0.06]);
    assert!(begun.elapsed() >= Duration::from_millis(59));
    assert_eq!(demo.label(), "demo balanced");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]
    #[test]
    fn the_pace_does_not_change_the_traffic(millis in 37u64..2500) {
        let total = |interval: Duration| {
            let mut demo = Demo::simulate("dead-rail", interval).unwrap();
            let sample = std::iter::from_fn(|| demo.next().unwrap());
            let at = sample.take(2000).find(|s| second(s) >= 43.0).unwrap();
            *port(&at, "mlx5_0").data.rx[0].value.as_ref().unwrap()
        };
        let (a, b) = (total(SECOND), total(Duration::from_millis(millis)));
        // The whole traffic until then is 10¹¹ words; noise is taken at the middle of a step.
        proptest::prop_assert!(a.abs_diff(b) < 20_000_000, "{a} {b}");
    }
}

#[test]
fn lnets_answers_agree_with_each_other_in_every_scenario() {
    let sum = |of: &dyn Fn(&LnetNi) -> u32, nis: &[&LnetNi]| {
        nis.iter().fold(0u32, |sum, ni| sum.wrapping_add(of(ni)))
    };
    for (name, _) in SCENARIOS {
        for sample in run(name, SECOND, 12) {
            let (answer, more) = (sample.lnet.answer.as_ref().unwrap(), &sample.lnet.more);
            let nis: Vec<&LnetNi> = answer.nets.iter().flat_map(|n| &n.nis).collect();
            let sent = sum(&|ni| ni.send_count.clone().unwrap(), &nis);
            let received = sum(&|ni| ni.recv_count.clone().unwrap(), &nis);
            let stats = &more.stats.as_ref().unwrap().value;
            assert_eq!(stats.get("send_count").unwrap(), sent.to_string(), "{name}");
            assert_eq!(stats.get("recv_count").unwrap(), received.to_string(), "{name}");
            for ni in nis.iter().filter(|ni| !ni.is_lo()) {
                let kinds = ["put", "get", "reply", "ack", "hello"];
                let sum = |group: &str| {
                    let counts = kinds.map(|k| ni.number::<u32>(&format!("{group}/{k}")).unwrap());
                    counts.into_iter().fold(0, u32::wrapping_add)
                };
                assert_eq!(Ok(sum("sent_stats")), ni.send_count, "{name}");
                assert_eq!(Ok(sum("received_stats")), ni.recv_count, "{name}");
            }
            let peers = &more.peers.as_ref().unwrap().value;
            let of_peers = peers
                .iter()
                .flat_map(|p| &p.nis)
                .filter(|ni| *ni.state.as_ref().unwrap() == "NA")
                .fold(0u32, |sum, ni| sum.wrapping_add(ni.send_count.clone().unwrap()));
            assert_eq!(of_peers, sent, "{name}");
            for row in &more.credits.as_ref().unwrap().value {
                assert!(row.min <= row.tx && row.tx <= row.max, "{name}: {row:?}");
            }
            assert!(more.global.as_ref().unwrap().value.number("numa_range").is_some());
            assert!(sample.lnet.local.parameter("lnet", "lnet_numa_range").is_some());
        }
    }
}

#[test]
fn a_rail_that_works_takes_credits() {
    let credits = |sample: &Sample| {
        let rows = &sample.lnet.more.credits.as_ref().unwrap().value;
        rows.iter().map(|row| row.max - row.tx).sum::<i64>()
    };
    let samples = run("balanced", SECOND, 60);
    assert_eq!(credits(at(&samples, 0.0)), 0);
    assert!(credits(at(&samples, 8.0)) > 0);
    assert!(credits(at(&samples, 50.0)) > credits(at(&samples, 8.0)));
}
