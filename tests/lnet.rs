//! LNet through a stand-in for `lnetctl`: what it answers, what it fails with, and that nothing
//! ever waits for it.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use support::law;
use support::lnetctl::{COMMANDS, Stand, answered, both_up, is_running, net_show, ni};
use support::shots::{roots, why};
use support::stream::{Stream, rail};

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
    assert_eq!(object["lnet"]["unknown"]["stage"]["why"], "absent");
    assert!(
        object["lnet"]["unknown"]["stage"]["detail"].as_str().unwrap().contains("not installed")
    );
    stand.tree.remove("sys/module/lnet");
    stream.until("nothing of LNet is here", |o| o["lnet"]["stage"] == "absent");
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

#[test]
fn a_timeout_says_so() {
    let stand = Stand::new();
    stand.script("sleep 1000");
    let object = stand.answered();
    assert_eq!(object["lnet"]["stage"], "unknown");
    assert_eq!(why(&object["lnet"], "nets"), "timeout");
    assert_eq!(why(rail(&object, "ibt1"), "lnet"), "timeout");
}
