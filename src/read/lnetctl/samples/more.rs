//! Recorded answers to everything but the nets; sums and cuts of all.

use super::super::answer::{More, Refusal};
use super::*;

/// All rows of an INDEX.tsv that ask LNet something, as `(row, question)`.
fn all_rows(folder: &Path) -> Vec<(Row, Question)> {
    let words = |q: Question| format!("lnetctl {} {}", q.arguments()[0], q.arguments()[1]);
    let asks = |line: &str| {
        let command = line.split('\t').next().unwrap();
        let plain = command.trim_start_matches("(uid 1000) ");
        Question::COMMANDS[1..]
            .iter()
            .copied()
            .find(|q| plain.starts_with(&words(*q)) && !plain.contains("--nid"))
    };
    let index = fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let questions: Vec<Question> = index.lines().filter_map(asks).collect();
    let rows = rows_where(folder, |line| asks(line).is_some());
    assert_eq!(rows.len(), questions.len());
    rows.into_iter().zip(questions).collect()
}

/// Every recorded answer to every question beside the nets: the right failure, or as many things
/// as the text has.
#[test]
fn every_other_question_of_every_index() {
    let Some(dir) = samples("lnetctl") else { return };
    let (mut judged, mut good) = (0, 0);
    for folder in fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()) {
        if !folder.join("INDEX.tsv").is_file() {
            continue;
        }
        for (row, question) in all_rows(&folder) {
            let name = format!("{}: {} ({})", folder.display(), row.command, row.situation);
            let unloaded = row.situation.starts_with("not_loaded");
            let modules = LnetModules { lnet: Some(!unloaded), ..LnetModules::default() };
            let user = row.command.starts_with("(uid 1000)");
            let run = Run {
                modules: &modules,
                root: Some(!user),
                end: Some(row.end),
                stdout: &row.stdout,
                stderr: &row.stderr,
            };
            let result = answer::judge(question, &run, true);
            let s = row.situation.as_str();
            let why = result.as_ref().err().map(|r| r.unknown().why);
            let lacks = folder.ends_with("2.10.8") && question == Question::Global;
            let configured = !unloaded
                && !s.contains("loaded_not_configured")
                && s != "unconfigured_again"
                && !user;
            if lacks {
                assert_eq!(why, Some(Why::Unsupported), "{name}: {result:?}");
            } else if unloaded {
                assert_eq!(result, Err(Refusal::Failure(LnetFailure::NotLoaded)), "{name}");
            } else if user {
                assert_eq!(why, Some(Why::Denied), "{name}: {result:?}");
            } else if !configured && row.end == End::Exit(234) && row.stderr.is_empty() {
                // From 2.16 `peer show` says nothing; the nets tell why.
                assert_eq!(why, Some(Why::Unparsable), "{name}: {result:?}");
            } else if !configured {
                assert_eq!(result, Err(Refusal::Failure(LnetFailure::NotConfigured)), "{name}");
            } else {
                check_more(&name, &row, &result.unwrap_or_else(|e| panic!("{name}: {e:?}")));
                good += 1;
            }
            judged += 1;
        }
    }
    println!("{judged} answers, {good} of them good");
    assert!(judged > 150 && good > 80, "only {judged}, {good}");
}

/// What can be said of any good answer.
fn check_more(name: &str, row: &Row, more: &More) {
    let text = String::from_utf8_lossy(&row.stdout);
    let count = |word: &str| {
        text.lines().filter(|l| l.trim_start_matches(['-', ' ']).starts_with(word)).count()
    };
    match more {
        More::Peers(peers) => {
            assert_eq!(peers.len(), count("primary nid: "), "{name}");
            let nis: Vec<_> = peers.iter().flat_map(|p| &p.nis).collect();
            assert_eq!(nis.len(), count("nid: "), "{name}");
            let known = |f: &dyn Fn(&crate::sample::LnetPeerNi) -> bool| {
                nis.iter().filter(|ni| f(ni)).count()
            };
            assert_eq!(known(&|ni| ni.health.is_ok()), count("health value: "), "{name}");
            assert_eq!(known(&|ni| ni.send_count.is_ok()), count("send_count: "), "{name}");
            assert_eq!(known(&|ni| ni.queued_bytes.is_ok()), count("tx_q_num_of_buf: "), "{name}");
            assert_eq!(known(&|ni| ni.next_ping.is_ok()), count("next_ping: "), "{name}");
            assert_eq!(
                nis.iter().map(|ni| ni.preferred_sources.len()).sum::<usize>(),
                count("NID-"),
                "{name}"
            );
            assert!(peers.iter().all(|p| p.multi_rail.is_ok()), "{name}");
        }
        More::Stats(stats) => {
            assert_eq!(stats.all.len(), text.lines().count() - 1, "{name}");
            let number = |key: &str| stats.get(key).unwrap().parse::<u64>().unwrap();
            assert_eq!(stats.send_bytes, Ok(number("send_length")), "{name}");
            assert_eq!(stats.recv_bytes, Ok(number("recv_length")), "{name}");
            assert!(stats.drop_bytes.is_ok() && stats.route_bytes.is_ok(), "{name}");
        }
        More::Global(global) => {
            assert_eq!(global.all.len(), text.lines().count() - 1, "{name}");
            assert!(global.number("numa_range").is_some(), "{name}");
        }
        More::Routes(routes) => {
            assert_eq!(routes.len(), count("gateway: "), "{name}");
            assert_eq!(routes.iter().filter(|r| r.kind.is_ok()).count(), count("type: "), "{name}");
        }
        More::Routing(routing) => {
            assert_eq!(routing.buffers.len(), count("npages: "), "{name}");
            assert_eq!(usize::from(routing.enable.is_some()), count("enable: "), "{name}");
        }
        More::Udsp(udsps) => {
            assert_eq!(udsps.len(), count("idx: "), "{name}");
            let ranked = udsps.iter().filter(|u| u.priority.is_some()).count();
            assert_eq!(ranked, count("priority: "), "{name}");
        }
        More::Credits(_) => {}
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml")
}

/// `sent_stats` are the messages of `send_count` by kind, and so on, wherever both are printed.
#[test]
fn kinds_of_messages_add_up() {
    let Some(dir) = samples("lnetctl") else { return };
    let (mut sums, mut odd) = (0, Vec::new());
    for folder in fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        // Of 2.12 and 2.14 the numbers are invented, and those of 2.16 with `--net` are wrong.
        let real = ["2.15.8", "2.16.1", "2.17.0"].iter().any(|v| folder.ends_with(v));
        for path in fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !real || !name.starts_with("net_show_-v_") || !is_yaml(&path) {
                continue;
            }
            for ni in net_show(&fs::read(&path).unwrap()).unwrap().iter().flat_map(|n| &n.nis) {
                for (section, total) in [
                    ("sent_stats", &ni.send_count),
                    ("received_stats", &ni.recv_count),
                    ("dropped_stats", &ni.drop_count),
                ] {
                    let kinds = ["put", "get", "reply", "ack", "hello"];
                    let parts: Vec<u32> = kinds
                        .iter()
                        .filter_map(|k| ni.number(&format!("{section}/{k}")).ok())
                        .collect();
                    if let (5, Ok(total)) = (parts.len(), total) {
                        sums += 1;
                        let sum = parts.iter().fold(0_u32, |a, b| a.wrapping_add(*b));
                        if sum != *total {
                            odd.push((name.clone(), ni.nid.clone(), section, sum, *total));
                        }
                    }
                }
            }
        }
    }
    assert!(sums > 200, "only {sums}");
    // The five are read one after the other while messages go on.
    assert!(odd.iter().all(|(_, _, _, sum, total)| sum.abs_diff(*total) <= 4), "{odd:?}");
}

#[test]
fn values_of_other_answers() {
    let Some(dir) = samples("lnetctl") else { return };
    let text = |file: &str| fs::read(dir.join(file)).unwrap();
    let peers = |file: &str| peer_show(&text(file)).unwrap();

    let old = peers("2.10.8/peer_show_-v__two_rails.yaml");
    assert_eq!((&*old[0].primary_nid, old[0].nis.len()), ("10.20.1.12@o2ib", 2));
    assert_eq!((&old[0].nis[1].tx_credits, &old[0].nis[1].send_count), (&Ok(29), &Ok(459_180)));
    let mid = peers("2.14.0/peer_show_-v_3__two_rails.yaml");
    assert_eq!((&mid[0].state_bits, &mid[0].nis[1].health), (&Ok(273), &Ok(900)));
    let load = peers("2.16.1/peer_show_-v_4__tcp_load_running.yaml");
    let ni = &load[0].nis[1];
    assert_eq!(
        (&*ni.nid, &ni.tx_credits, &ni.queued_bytes),
        ("10.10.1.112@tcp", &Ok(4), &Ok(4_194_592))
    );
    assert_eq!((&load[0].state_bits, &ni.next_ping), (&Ok(131_349), &Ok(190)));
    let fixed = peers("2.15.8/peer_show_-v_4__peer_discovered.yaml");
    let lone = fixed.iter().find(|p| *p.primary_nid == *"10.10.1.99@tcp").unwrap();
    assert_eq!(
        (&lone.multi_rail, &*lone.nis[0].preferred_sources[0]),
        (&Ok(false), "10.10.1.11@tcp")
    );
    let manual = peers("public/manual_2.11__peer_show_-v__mr_peer.yaml");
    assert_eq!(manual[0].nis[1].send_count, Ok(1));

    let busy = stats_show(&text("public/ddn__stats_show__busy__lustrefs-exporter.yaml")).unwrap();
    assert!(busy.send_bytes.unwrap() > 0 && busy.recv_bytes.unwrap() > 0);
    let printed =
        stats_show(&text("public/manual_2.12__stats_show__indent_as_printed_in_manual.txt"));
    assert_eq!(printed.unwrap().send_bytes, Ok(425_791_628));
    let ddn = global_show(&text(
        "public/ddn__global_show__max_intf_and_recovery_ping__lustrefs-exporter.yaml",
    ));
    assert!(ddn.unwrap().number("max_intf").is_some());
    let new = global_show(&text("2.17.0/global_show__configured_no_nets.yaml")).unwrap();
    assert_eq!(
        (new.number("transaction_timeout"), new.number("lnd_timeout")),
        (Some(150), Some(49))
    );
    let old = global_show(&text("2.15.8/global_show__configured_no_nets.yaml")).unwrap();
    assert_eq!(
        (old.number("transaction_timeout"), old.number("lnd_timeout")),
        (Some(50), Some(16))
    );

    let routes = route_show(&text("public/manual_2.7__route_show_--verbose.yaml")).unwrap();
    assert_eq!((&*routes[0].gateway, &routes[0].hop), ("192.168.205.130@tcp1", &Ok(2)));
    for (version, kind) in
        [("2.15.8", "multi-hop"), ("2.16.1", "single-hop"), ("2.17.0", "multi-hop")]
    {
        let file = format!("{version}/route_show_-v__peer_discovered.yaml");
        let routes = route_show(&text(&file)).unwrap();
        assert_eq!((&*routes[0].net, &routes[0].hop), ("tcp9", &Ok(-1)), "{version}");
        assert_eq!(routes[0].kind.as_deref(), Ok(kind), "{version}");
    }
    for (version, enable) in [("2.15.8", 1), ("2.16.1", 1), ("2.17.0", 3)] {
        let file = format!("{version}/routing_show__routing_enabled.yaml");
        let routing = routing_show(&text(&file)).unwrap();
        assert_eq!((routing.enable, routing.buffers.len()), (Some(enable), 3), "{version}");
        assert_eq!((&*routing.buffers[2].size, &routing.buffers[2].buffers), ("large", &Ok(1024)));
        let nis_file = format!("{version}/debugfs_nis__routing_enabled.txt");
        assert_eq!(nis(&text(&nis_file)).unwrap().len(), 5, "{version}");
    }
    for version in ["2.15.8", "2.16.1", "2.17.0"] {
        let udsp = udsp_show(&text(&format!("{version}/udsp_show__udsp_rules.yaml"))).unwrap();
        assert_eq!(udsp.len(), 3, "{version}");
        assert_eq!((udsp[0].src.as_deref(), udsp[0].priority), (Some("tcp"), Some(0)));
        assert_eq!((&udsp[0].dst, udsp[2].dst.as_deref()), (&None, Some("10.10.1.112@tcp")));
        assert_eq!((udsp[1].priority, udsp[2].priority), (Some(1), None));
    }
    let rows = nis(&text("2.16.1/debugfs_nis__tcp_load_running.txt")).unwrap();
    let row = rows.iter().find(|r| *r.nid == *"10.10.1.111@tcp").unwrap();
    assert_eq!((row.max, row.tx, row.min), (256, 252, 251));
}

/// The lab's own names for the outputs of the questions.
#[test]
fn every_other_answer_of_the_lab() {
    let Some(dir) = samples("lab") else { return };
    let names = [
        ("lnetctl-peer-show-v4.out", Question::Peers),
        ("lnetctl-stats-show.out", Question::Stats),
        ("lnetctl-route-show-v4.out", Question::Routes),
        ("lnetctl-routing-show.out", Question::Routing),
        ("lnetctl-udsp-show.out", Question::Udsp),
        ("lnetctl-global-show.out", Question::Global),
    ];
    let (mut todo, mut judged) = (vec![dir], 0);
    while let Some(folder) = todo.pop() {
        for path in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let Some((_, question)) = names.iter().find(|(n, _)| *n == name) else { continue };
            let stdout = fs::read(&path).unwrap();
            if stdout.trim_ascii().is_empty() || stdout.windows(6).any(|w| w == b"errno:") {
                continue;
            }
            let shown = path.display().to_string();
            let more = answer::parse(*question, &stdout).unwrap_or_else(|e| panic!("{shown}: {e}"));
            let row = Row {
                command: name,
                situation: String::new(),
                end: End::Exit(0),
                stdout,
                stderr: Vec::new(),
            };
            check_more(&shown, &row, &more);
            judged += 1;
        }
    }
    println!("{judged} other answers of the lab");
    assert!(judged > 20, "only {judged}");
}

/// Cut anywhere, a recorded answer gives nothing that it does not give whole.
#[test]
fn cut_recordings_invent_nothing() {
    let Some(dir) = samples("lnetctl") else { return };
    for version in ["2.10.8", "2.14.0", "2.15.8", "2.16.1", "2.17.0"] {
        for path in fs::read_dir(dir.join(version)).unwrap().map(|e| e.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let (net, peer) = (name.starts_with("net_show_-v"), name.starts_with("peer_show_-v"));
            if !(net || peer) || !is_yaml(&path) {
                continue;
            }
            let text = fs::read(&path).unwrap();
            for end in (0..text.len()).step_by(97) {
                let cut = &text[..end];
                if net && let (Ok(cut), Ok(whole)) = (net_show(cut), net_show(&text)) {
                    for one in cut.iter().flat_map(|n| &n.nis) {
                        let full = ni(&whole, &one.nid);
                        assert!(one.health.is_err() || one.health == full.health, "{name}");
                        assert!(one.recv_count.is_err() || one.recv_count == full.recv_count);
                        assert!(one.more.iter().all(|pair| full.more.contains(pair)), "{name}");
                    }
                }
                if peer && let (Ok(cut), Ok(whole)) = (peer_show(cut), peer_show(&text)) {
                    for (one, full) in cut.iter().zip(&whole) {
                        assert_eq!(one.primary_nid, full.primary_nid, "{name}");
                        for (one, full) in one.nis.iter().zip(&full.nis) {
                            assert_eq!(one.nid, full.nid, "{name}");
                            assert!(one.health.is_err() || one.health == full.health, "{name}");
                            assert!(one.send_count.is_err() || one.send_count == full.send_count);
                            assert!(one.tx_credits.is_err() || one.tx_credits == full.tx_credits);
                        }
                    }
                }
            }
        }
    }
}
