//! LNet through a stand-in for `lnetctl`: what it answers, what it fails with, and that nothing
//! ever waits for it.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};
use support::lnetctl::{COMMANDS, Stand, answered, both_up, is_running, net_show, ni};
use support::shots::{roots, why};
use support::stream::{Stream, rail};
use support::{law, railtop};

#[test]
fn two_nis_that_are_up() {
    let stand = Stand::new();
    stand.says(&both_up(), "", 0);
    let stream = stand.stream();
    let object = answered(&stream);
    let lnet = &object["lnet"];
    assert_eq!(lnet["stage"], "up");
    assert_eq!(lnet["nets"][1]["name"], "o2ib");
    assert_eq!(lnet["nets"][1]["nis"].as_array().unwrap().len(), 2);
    let ni = &rail(&object, "ibt1")["lnet"][0];
    assert_eq!((&ni["nid"], &ni["status"]), (&json!("172.16.34.2@o2ib"), &json!("up")));
    assert_eq!((&ni["fatal_error"], &ni["health"]), (&json!(0), &json!(1000)));
    assert_eq!(
        (&ni["credits"], &ni["peer_credits"], &ni["dev_cpt"]),
        (&json!(256), &json!(32), &json!(-1))
    );
    assert_eq!(
        (&ni["send_count"], &ni["recv_count"], &ni["drop_count"]),
        (&json!(100), &json!(50), &json!(3))
    );
    assert_eq!(why(ni, "sent_messages_per_second"), "first_sample");
    let group = &object["groups"][0];
    assert_eq!((&group["name"], &group["origin"]), (&json!("o2ib"), &json!("lnet_net")));
    assert_eq!(group["rails"], json!(["ibt0", "ibt1"]));
    let of_rails = |o: &Value| roots(o).iter().filter(|r| !r.starts_with("TRAFFIC")).count();
    assert_eq!(of_rails(&object), 0, "{:?}", roots(&object));
    let (_, later) = stream.until("its version", |o| o["lnet"]["version"] == "2.15.8");
    assert_eq!(later["lnet"]["stage"], "up");
    let asked = fs::read_to_string(stand.at("asked")).unwrap();
    assert!(asked.lines().all(|line| COMMANDS.contains(&line)), "{asked}");
}

#[test]
fn an_ni_goes_down_and_comes_back() {
    let stand = Stand::new();
    stand.says(&both_up(), "", 0);
    let stream = stand.stream();
    assert_eq!(answered(&stream)["lnet"]["stage"], "up");
    stand.says(&net_show(&[ni(0, "up", 0, 1000, 200), ni(1, "down", 1, 900, 100)]), "", 0);
    let (_, dead) = stream
        .until("the NI is down", |o| !roots(o).is_empty() && roots(o)[0].starts_with("NI_DOWN"));
    assert_eq!(roots(&dead)[0], "NI_DOWN critical");
    assert_eq!(dead["findings"][0]["rails"], json!(["ibt1"]));
    assert_eq!(rail(&dead, "ibt1")["first_failing_layer"], "ni");
    assert_eq!(rail(&dead, "ibt1")["lnet"][0]["fatal_error"], 1);
    assert_eq!(rail(&dead, "ibt0")["first_failing_layer"], Value::Null);
    assert_eq!(dead["lnet"]["stage"], "up", "the other NI is");
    let rate = &rail(&dead, "ibt0")["lnet"][0]["sent_messages_per_second"];
    assert!(rate.as_f64().is_some_and(|r| r > 0.0 && r < 200.0), "{rate}");
    stand.says(&both_up(), "", 0);
    stream.until("it is up again", |o| !roots(o).iter().any(|r| r.starts_with("NI_DOWN")));
}

#[test]
fn drops_that_rise_are_told() {
    let stand = Stand::new();
    stand.says(&both_up(), "", 0);
    let stream = stand.stream();
    let before = answered(&stream);
    assert!(!roots(&before).iter().any(|r| r.starts_with("LNET_DROPS")), "{:?}", roots(&before));
    stand.says(&both_up().replace("drop_count: 3", "drop_count: 503"), "", 0);
    let told = |o: &Value| roots(o).contains(&"LNET_DROPS_RISING warning".to_owned());
    let (_, object) = stream.until("the drops are told", told);
    let findings = object["findings"].as_array().unwrap();
    let drops: Vec<&Value> = findings.iter().filter(|f| f["id"] == "LNET_DROPS_RISING").collect();
    assert_eq!(drops.len(), 2);
    assert_eq!(drops[0]["rails"], json!(["ibt0"]));
    assert!(drops[0]["evidence"][0].as_str().unwrap().contains("drop_count: 503"), "{drops:?}");
}

#[test]
fn no_ni_is_up() {
    let stand = Stand::new();
    stand.says(&net_show(&[ni(0, "down", 1, 0, 1), ni(1, "down", 1, 0, 1)]), "", 0);
    let object = stand.answered();
    // The stage says how far LNet has come: it has its nets. That they are dead is told below.
    assert_eq!(object["lnet"]["stage"], "up");
    assert_eq!(roots(&object)[..2], ["NI_DOWN critical", "NI_DOWN critical"]);
}

#[test]
fn configured_without_any_net() {
    let stand = Stand::new();
    stand.says(
        "net:\n    - net type: lo\n      local NI(s):\n        - nid: 0@lo\n          status: up\n",
        "",
        0,
    );
    let object = stand.answered();
    assert_eq!(object["lnet"]["stage"], "configured");
    assert_eq!(rail(&object, "ibt0")["lnet"], json!([]));
}

#[test]
fn loaded_and_not_configured() {
    let stand = Stand::new();
    let err = "show:\n    - net:\n          errno: -100\n          descr: \"cannot get networks: Network is down\"\n";
    stand.says("", err, 156);
    let object = stand.answered();
    assert_eq!(object["lnet"]["stage"], "loaded");
    assert_eq!(object["lnet"]["nets"], json!([]));
    assert_eq!(rail(&object, "ibt0")["lnet"], json!([]));
}

#[test]
fn not_loaded() {
    let stand = Stand::new();
    stand.tree.remove("sys/module/lnet");
    stand.says(
        "",
        "opening /dev/lnet failed: No such device\nhint: the kernel modules may not be loaded\n",
        0,
    );
    let object = stand.answered();
    assert_eq!(object["lnet"]["stage"], "not_loaded");
    assert_eq!(object["lnet"]["nets"], json!([]));
}

#[test]
fn not_allowed() {
    let stand = Stand::new();
    let err = "show:\n    - net:\n          errno: -13\n          descr: \"cannot get networks: Permission denied\"\n";
    stand.says("", err, 243);
    let object = stand.answered();
    assert_eq!(object["lnet"]["stage"], "unknown");
    assert_eq!(object["lnet"]["unknown"]["stage"]["why"], "denied");
    assert_eq!(why(&object["lnet"], "nets"), "denied");
    assert_eq!(why(rail(&object, "ibt0"), "lnet"), "denied");
    let ni = &rail(&object, "ibt0")["layers"][8];
    assert_eq!((&ni["layer"], &ni["verdict"]), (&json!("ni"), &json!("unknown")));
    assert_eq!(rail(&object, "ibt0")["verdict"], "ok", "a rail is judged without it");
}

#[test]
fn no_such_program() {
    let stand = Stand::new();
    let stream = Stream::start(&mut stand.command_with(&stand.at("nowhere/lnetctl"), &[]));
    let object = answered(&stream);
    // Whoever names a program means that one.
    let detail = object["lnet"]["unknown"]["stage"]["detail"].as_str().unwrap();
    assert!(detail.starts_with("cannot run") && detail.ends_with("no such file"), "{detail}");
    stand.tree.remove("sys/module/lnet");
    stream.until("nothing of LNet is here", |o| o["lnet"]["stage"] == "not_loaded");
    let (text, _) = check(&stand, "nowhere/lnetctl");
    assert!(text.contains("LNet: lnetctl failed: cannot run") && !text.contains("LNET_"), "{text}");
}

#[test]
fn a_program_that_is_none() {
    let stand = Stand::new();
    for (text, mode) in [("not a program", 0o644), ("\x7fELF", 0o755)] {
        stand.tree.file("stand/odd", text);
        fs::set_permissions(stand.at("odd"), fs::Permissions::from_mode(mode)).unwrap();
        let object = answered(&Stream::start(&mut stand.command_with(&stand.at("odd"), &[])));
        assert_eq!(object["lnet"]["stage"], "unknown");
        assert_eq!(why(&object["lnet"], "nets"), "unparsable");
    }
}

#[test]
fn garbage_of_every_kind() {
    let deep = format!("net: {}", "[".repeat(5000));
    for (out, code) in [
        ("\x1b]0;title\x07\x1b[2J", 0),
        ("net: 7\n", 0),
        ("- - - :::: {{{", 0),
        ("net:\n    - net type: [o2ib\n", 0),
        ("a: &a [*a, *a]\n", 1),
        (&deep, 0),
        ("", 77),
    ] {
        let stand = Stand::new();
        stand.says(out, "\x1b[31mwhat?\x1b[0m\u{7}\n", code);
        let object = stand.answered();
        assert_eq!(object["lnet"]["stage"], "unknown", "{out:?}");
        assert!(!law::has_control(&object.to_string()), "{out:?}");
        assert_eq!(rail(&object, "ibt0")["rdma"]["state"], "ACTIVE");
    }
}

#[test]
fn fifty_megabytes() {
    let stand = Stand::new();
    stand.script("while :; do echo 'net: net: net: net: net: net: net: net: net: net: net:'; done | head -c 50000000");
    let object = stand.answered();
    assert_eq!(object["lnet"]["stage"], "unknown");
    let detail = object["lnet"]["unknown"]["nets"]["detail"].as_str().unwrap();
    assert!(detail.contains("MiB"), "{detail}");
    let first = stand.runs()[0];
    support::wait_for("its end", Duration::from_secs(5), || (!is_running(first)).then_some(()));
}

#[test]
fn a_crash_keeps_the_last_answer_and_says_how_old_it_is() {
    let stand = Stand::new();
    stand.says(&both_up(), "", 0);
    let stream = stand.stream();
    assert_eq!(answered(&stream)["lnet"]["stage"], "up");
    stand.script("kill -SEGV $$");
    let (_, object) = stream.until("its failure shows", |o| !o["lnet"]["qualified"].is_null());
    assert_eq!(
        (&object["lnet"]["stage"], &object["lnet"]["qualified"]["stage"]["how"]),
        (&json!("up"), &json!("stale"))
    );
    assert_eq!(object["lnet"]["qualified"]["nets"]["how"], "stale");
    assert!(object["lnet"]["nets"][1]["nis"].is_array());
}

#[test]
fn nothing_waits_for_one_that_hangs() {
    let stand = Stand::new();
    stand.says(&both_up(), "", 0);
    let stream = stand.stream();
    assert_eq!(answered(&stream)["lnet"]["stage"], "up");
    stand.script("trap '' TERM INT HUP; while :; do sleep 1000; done");
    let before = stand.runs().len();
    support::wait_for("it is asked", Duration::from_secs(10), || {
        (stand.runs().len() > before).then_some(())
    });
    let hangs = Instant::now();
    let pid = *stand.runs().last().unwrap();
    let (mut last, mut widest, mut count) = (None, Duration::ZERO, 0);
    let mut late = false;
    while hangs.elapsed() < Duration::from_secs(4) {
        let (at, object) = stream.next();
        if at >= hangs {
            widest = last.map_or(widest, |l: Instant| widest.max(at - l));
            last = Some(at);
            count += 1;
        }
        late |= object["lnet"]["qualified"]["stage"]["how"] == "stale";
        assert_eq!(object["lnet"]["stage"], "up", "the answer from before stands");
    }
    // Four times a second, with room for a busy machine.
    assert!(count >= 10 && widest < Duration::from_millis(900), "{count} objects, {widest:?}");
    assert!(late, "it is said that the answer is old");
    assert_eq!(stand.runs().len(), before + 1, "never a second child");
    assert!(is_running(pid));
    support::wait_for("it is killed after 5 s", Duration::from_secs(10), || {
        (!is_running(pid)).then_some(())
    });
}

#[test]
fn a_first_answer_that_never_comes() {
    let stand = Stand::new();
    stand.script("sleep 1000");
    let start = Instant::now();
    let out = stand.command(&["-n", "3"]).output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(out.status.code(), Some(0));
    let text = String::from_utf8(out.stdout).unwrap();
    assert_eq!(text.lines().count(), 3);
    for line in text.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["lnet"]["unknown"]["stage"]["why"], "first_sample");
        assert!(law::broken(&object).is_empty());
    }
    for pid in stand.runs() {
        support::wait_for("no child is left", Duration::from_secs(5), || {
            (!is_running(pid)).then_some(())
        });
    }
}

/// `railtop check` with this program, and how long it took.
fn check(stand: &Stand, program: &str) -> (String, Duration) {
    let start = Instant::now();
    let mut command = Command::new(railtop());
    command.args(["check", "--interval", "250ms", "--rail", "ibt*", "--root"]);
    let out = command.arg(stand.tree.path()).arg("--lnetctl").arg(stand.at(program)).output();
    (String::from_utf8(out.unwrap().stdout).unwrap(), start.elapsed())
}

#[test]
fn a_check_tells_of_one_that_hangs() {
    let stand = Stand::new();
    stand.script("sleep 1000");
    let (text, _) = check(&stand, "lnetctl");
    assert!(text.contains("LNet is loaded, and lnetctl does not answer"), "{text}");
    // Without the module nobody waits for it.
    stand.tree.remove("sys/module/lnet");
    let (text, took) = check(&stand, "lnetctl");
    assert!(!text.contains("does not answer"), "{text}");
    assert!(took < Duration::from_millis(4500), "{took:?}");
}

#[test]
fn a_timeout_says_so() {
    let stand = Stand::new();
    stand.script("sleep 1000");
    let object = stand.answered();
    assert_eq!(object["lnet"]["stage"], "unknown");
    assert_eq!(why(&object["lnet"], "nets"), "timeout");
    assert_eq!(why(rail(&object, "ibt1"), "lnet"), "timeout");
}

#[test]
fn why_a_rail_is_avoided_on_a_live_node() {
    let stand = Stand::new();
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split_whitespace().next().unwrap().parse().unwrap();
    let next = uptime as u64 + 600;
    let low = ni(1, "up", 0, 400, 100).replace(
        "              health value: 400\n",
        &format!(
            "              health value: 400\n              interrupts: 0\n              dropped: 0\n              \
             aborted: 0\n              no route: 0\n              timeouts: 6\n              error: 0\n              \
             ping_count: 6\n              next_ping: {next}\n"
        ),
    );
    stand.says(&net_show(&[ni(0, "up", 0, 1000, 100), low]), "", 0);
    stand.tree.file("stand/global", "echo 'global:'; echo '    numa_range: 7'\n");
    let why = |args: &[&str]| {
        let mut command = Command::new(railtop());
        command.args(["why", "--interval", "250ms"]).args(args);
        command.arg("--root").arg(stand.tree.path()).arg("--lnetctl").arg(stand.at("lnetctl"));
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let object: Value = serde_json::from_str(&why(&["--json", "ibt1"])).unwrap();
    let broken = law::broken(&object);
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(object["first_failing_layer"], "health", "{object:#}");
    let finding = &object["findings"][0];
    assert_eq!(
        (&finding["id"], &finding["severity"]),
        (&json!("NI_HEALTH_LOW"), &json!("warning"))
    );
    let summary = finding["summary"].as_str().unwrap();
    // The machine may be slow; it is not a minute slow.
    assert!(summary.contains("LNet tries it again in 9 min"), "{summary}");
    assert_eq!(
        finding["fix"],
        json!([{ "where": "here", "command": "lnetctl net set --nid 172.16.34.2@o2ib --health 1000" }])
    );
    let rungs = object["selection"].as_array().unwrap();
    let decides: Vec<&Value> =
        rungs.iter().filter(|r| r["decides"] == true).map(|r| &r["rung"]).collect();
    assert_eq!(decides, ["health"]);
    let numa = rungs.iter().find(|r| r["rung"] == "numa").unwrap();
    assert!(numa["detail"].as_str().unwrap().contains("numa_range 7"), "{numa}");
    let text = why(&["mlx5_0"]);
    assert!(text.starts_with("ibt0, mlx5_0 port 1"), "{text}");
    assert!(text.contains("takes all: LNet avoids the others"), "{text}");
}
