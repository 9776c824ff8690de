//! What LNet goes through while it is watched: through the stand-in for `lnetctl`, the real
//! reader, the stream, the dashboard on a terminal, and `check`.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};
use support::lnetctl::{COMMANDS, Stand, answered, both_up, is_running, net_show, ni};
use support::pty::Pty;
use support::shots::{roots, why};
use support::stream::rail;
use support::{law, railtop, skip, wait_for};

const SOON: Duration = Duration::from_secs(10);
const DOWN: &str = "show:\n    - net:\n          errno: -100\n          descr: \"cannot get networks: Network is down\"\n";
const DENIED: &str =
    "---\nshow:\n-     net:\n      errno: -1\n      descr: ! \"Operation not permitted\"\n...\n";

fn up() -> Stand {
    let stand = Stand::new();
    stand.says(&both_up(), "", 0);
    stand
}

fn health(object: &Value, name: &str) -> Value {
    rail(object, name)["lnet"][0]["health"].clone()
}

/// The same nets as 2.16 prints them: six columns, dashes in the column of their key.
fn as_2_16(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let body = line.trim_start();
        let (columns, item) = match line.len() - body.len() {
            0 => (0, false),
            4 => (0, true),
            6 => (6, false),
            8 => (6, true),
            10 => (12, false),
            _ => (18, false),
        };
        let body = body.trim_start_matches("- ");
        let dash = if item { "-     " } else { "" };
        let _ = writeln!(out, "{}{dash}{body}", " ".repeat(columns));
    }
    out
}

#[test]
fn health_falls_and_recovers() {
    let stand = up();
    let stream = stand.stream();
    answered(&stream);
    for value in [900, 0, 100, 1000] {
        stand.says(&net_show(&[ni(0, "up", 0, 1000, 100), ni(1, "up", 0, value, 100)]), "", 0);
        let (_, object) = stream.until("its health", |o| health(o, "ibt1") == json!(value));
        assert_eq!(health(&object, "ibt0"), 1000);
        assert!(law::broken(&object).is_empty());
    }
}

#[test]
fn an_ni_is_deleted_and_added_again() {
    let stand = up();
    let stream = stand.stream();
    answered(&stream);
    stand.says(&net_show(&[ni(0, "up", 0, 1000, 200)]), "", 0);
    let (_, object) = stream.until("it is gone", |o| rail(o, "ibt1")["lnet"] == json!([]));
    assert_eq!(rail(&object, "ibt0")["lnet"][0]["send_count"], 200);
    // Its counters begin anew: that is no rate.
    stand.says(&net_show(&[ni(0, "up", 0, 1000, 300), ni(1, "up", 0, 1000, 7)]), "", 0);
    let (_, object) = stream.until("it is back", |o| rail(o, "ibt1")["lnet"] != json!([]));
    let ni = &rail(&object, "ibt1")["lnet"][0];
    assert_eq!(
        (&ni["send_count"], why(ni, "sent_messages_per_second")),
        (&json!(7), "first_sample")
    );
}

#[test]
fn counters_wrap_at_32_bits() {
    let stand = Stand::new();
    // Both counters: one that goes back while the other does not is a new beginning.
    let show = |sent: u32| {
        let received = |n: u32| format!("recv_count: {n}\n");
        let one = ni(0, "up", 0, 1000, sent).replace(&received(sent / 2), &received(sent));
        net_show(&[one, ni(1, "up", 0, 1000, 1)])
    };
    stand.says(&show(u32::MAX - 99), "", 0);
    let stream = stand.stream();
    answered(&stream);
    stand.says(&show(100), "", 0);
    let (_, object) =
        stream.until("it wrapped", |o| rail(o, "ibt0")["lnet"][0]["send_count"] == 100);
    let ni = &rail(&object, "ibt0")["lnet"][0];
    let rate = ni["sent_messages_per_second"].as_f64().unwrap_or_else(|| panic!("{ni}"));
    assert!(rate > 0.0 && rate < 250.0, "{rate}");
    // Backwards for another reason: no rate at all, never a negative one.
    stand.says(&show(50), "", 0);
    let (_, object) =
        stream.until("it went back", |o| rail(o, "ibt0")["lnet"][0]["send_count"] == 50);
    let ni = &rail(&object, "ibt0")["lnet"][0];
    assert_eq!(ni["sent_messages_per_second"], Value::Null, "{ni}");
}

#[test]
fn lnet_is_stopped_and_started() {
    let stand = up();
    let stream = stand.stream();
    answered(&stream);
    stand.says("", DOWN, 156);
    let (_, object) = stream.until("it is down", |o| o["lnet"]["stage"] == "loaded");
    assert_eq!(rail(&object, "ibt0")["lnet"], json!([]));
    stand.says(&both_up(), "", 0);
    stream.until("it is up", |o| o["lnet"]["stage"] == "up");

    // Unloaded: from 2.16 in these words.
    stand.tree.remove("sys/module/lnet");
    stand.says("", "Writer error: failed to resolve Netlink family id\n", 234);
    stream.until("it is not loaded", |o| o["lnet"]["stage"] == "not_loaded");
    stand.tree.dir("sys/module/lnet");
    stand.says(&both_up(), "", 0);
    stream.until("it is back", |o| o["lnet"]["stage"] == "up");
}

#[test]
fn permission_is_lost() {
    let stand = up();
    let stream = stand.stream();
    answered(&stream);
    stand.says("", DENIED, 234);
    let (_, object) = stream.until("it is denied", |o| o["lnet"]["stage"] == "unknown");
    assert_eq!(why(&object["lnet"], "nets"), "denied");
    assert_eq!(why(rail(&object, "ibt0"), "lnet"), "denied");
}

#[test]
fn the_version_changes_in_flight() {
    let stand = up();
    let stream = stand.stream();
    let before = answered(&stream);
    let other = net_show(&[ni(0, "up", 0, 1000, 150), ni(1, "up", 0, 1000, 100)]);
    stand.says(&as_2_16(&other), "", 0);
    let (_, after) =
        stream.until("the new shape", |o| rail(o, "ibt0")["lnet"][0]["send_count"] == 150);
    assert_eq!(before["lnet"]["stage"], after["lnet"]["stage"]);
    for key in ["nid", "status", "health", "fatal_error", "credits", "peer_credits", "cpt"] {
        let of = |o: &Value| rail(o, "ibt1")["lnet"][0][key].clone();
        assert_eq!(of(&before), of(&after), "{key}");
    }
}

/// Whatever the other questions do, the nets come in every pass, and there is one child at a time.
#[test]
fn the_other_questions_cannot_harm_the_nets() {
    let stand = up();
    stand.script_for("stats", "head -c 50000000 /dev/zero");
    stand.script_for("peer", "head -c 3000000 /dev/urandom");
    stand.script_for("global", "kill -SEGV $$");
    stand
        .script_for("route", "trap '' TERM INT HUP; echo $$ >> hung; while :; do sleep 1000; done");
    // Alone: whoever comes while another is there says so.
    let lines = "mkdir busy || echo \"$*\" >> crowd; cat out; rmdir busy; exit 0";
    stand.script(lines);
    let stream = stand.stream();
    let object = answered(&stream);
    assert_eq!(object["lnet"]["stage"], "up");
    let hung = stand.at("hung");
    wait_for("a question hangs", SOON, || hung.exists().then_some(()));
    let since = Instant::now();
    // While it hangs the nets are those from before, and are said to be old.
    let (_, late) =
        stream.until("it is said", |o| o["lnet"]["qualified"]["nets"]["how"] == "stale");
    assert_eq!(late["lnet"]["stage"], "up");
    let fresh = |o: &Value| o["lnet"]["qualified"]["nets"].is_null();
    stream.until("it is killed, and the nets go on", fresh);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    let pid: u32 = fs::read_to_string(&hung).unwrap().trim().parse().unwrap();
    wait_for("it is gone", SOON, || (!is_running(pid)).then_some(()));
    // None of those that wait for the same lock is tried for half a minute.
    let before = stand.runs().len();
    wait_for("three more passes", SOON, || (stand.runs().len() >= before + 3).then_some(()));
    assert_eq!(fs::read_to_string(&hung).unwrap().lines().count(), 1);
    assert!(!stand.at("crowd").exists());
    let asked = fs::read_to_string(stand.at("asked")).unwrap();
    assert!(asked.lines().all(|line| COMMANDS.contains(&line)), "{asked}");
}

/// What the host says without lnetctl is there for everyone.
#[test]
fn p17_what_the_host_says_is_read_while_lnetctl_is_denied() {
    let stand = Stand::new();
    stand.says("", DENIED, 234);
    stand.tree.file(
        "proc/modules",
        "lustre 1 2 - Live 0x0\nptlrpc 1 2 lustre, Live 0x0\nlnet 1 5 ptlrpc,ko2iblnd, Live 0x0\n\
         ko2iblnd 1 1 - Live 0x0\n",
    );
    stand.tree.file("proc/mounts", "10.0.0.9@o2ib:/fs /fs lustre rw 0 0\n");
    let stream = stand.stream();
    let users = |o: &Value| o["lnet"]["lifecycle"]["users"].to_string();
    let denied = |o: &Value| o["lnet"]["unknown"]["nets"]["why"] == "denied";
    let (_, object) = stream.until("its users", |o| denied(o) && users(o).contains("/fs"));
    assert!(users(&object).contains("ptlrpc"), "{object:#}");
}

fn check(stand: &Stand, args: &[&str]) -> (Duration, Value) {
    let mut command = Command::new(railtop());
    command.args(["check", "--json", "--rail", "ibt*", "--root"]).arg(stand.tree.path());
    command.arg("--lnetctl").arg(stand.at("lnetctl")).args(args);
    let start = Instant::now();
    let out = command.output().unwrap();
    let took = start.elapsed();
    let object: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(law::broken(&object).is_empty());
    (took, object)
}

#[test]
fn a_check_asks_everything_and_does_not_wait_for_it() {
    let stand = up();
    let mut best = SOON;
    for _ in 0..5 {
        let (took, object) = check(&stand, &[]);
        assert_eq!(object["lnet"]["stage"], "up");
        best = best.min(took);
        if best < Duration::from_millis(1500) {
            break;
        }
    }
    assert!(best < Duration::from_millis(1500), "{best:?}");
    let asked = fs::read_to_string(stand.at("asked")).unwrap();
    for command in COMMANDS {
        assert!(asked.lines().any(|line| line == command), "{command} in {asked}");
    }
}

#[test]
fn a_check_of_an_lnet_that_hangs_says_so_in_time() {
    let stand = Stand::new();
    stand.script("trap '' TERM INT HUP; while :; do sleep 1000; done");
    let (took, object) = check(&stand, &[]);
    assert!(took < Duration::from_secs(8), "{took:?}");
    let gaps = object["not_checked"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["what"] == "LNet" || gap["what"] == "lnetctl"), "{gaps:?}");
    assert_eq!(rail(&object, "ibt0")["rdma"]["state"], "ACTIVE");
    for pid in stand.runs() {
        wait_for("no child is left", SOON, || (!is_running(pid)).then_some(()));
    }
}

/// Something else that hangs is named, and the report has all that was said before.
#[test]
fn a_check_names_the_question_that_hangs() {
    let stand = up();
    stand.script_for("peer", "sleep 1000");
    let (took, object) = check(&stand, &[]);
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_eq!(object["lnet"]["stage"], "up");
    assert_eq!(roots(&object).iter().filter(|r| r.starts_with("NI")).count(), 0);
    // What rests because of it is a gap as well.
    let gaps = object["not_checked"].to_string();
    assert!(gaps.contains("LNet's peers") || gaps.contains("lnetctl peer show -v 4"), "{gaps}");
}

#[test]
fn the_dashboard_goes_on_while_lnet_hangs_and_names_it() {
    let stand = up();
    stand.tree.dir("proc/sys/kernel");
    let root = stand.tree.path().display().to_string();
    let lnetctl = stand.at("lnetctl").display().to_string();
    let args = ["--interval", "250ms", "--rail", "ibt*", "--root", &root, "--lnetctl", &lnetctl];
    let mut pty = Pty::spawn(&railtop(), &args, 160, 50);
    pty.wait_screen("LNet is up", SOON, |s| s.contains("LNet") && s.contains("up"));
    pty.keys("4");
    pty.wait_text("172.16.34.2@o2ib", SOON);

    // The link of a rail is cut.
    stand.says(&net_show(&[ni(0, "up", 0, 1000, 200), ni(1, "down", 1, 900, 100)]), "", 0);
    pty.wait_screen("the NI is down", SOON, |s| s.contains("fatal_error") || s.contains("down"));
    stand.says(&both_up(), "", 0);

    stand.script("trap '' TERM INT HUP; while :; do sleep 1000; done");
    let before = stand.runs().len();
    wait_for("it hangs", SOON, || (stand.runs().len() > before).then_some(()));
    let pid = *stand.runs().last().unwrap();
    pty.keys("5");
    pty.wait_text("has not answered yet", SOON);
    assert!(is_running(pid));
    // Keys are answered as ever, also in the middle of it.
    for (key, word) in [("1", "ibt0"), ("4", "172.16.34.2@o2ib"), ("1", "ibt1")] {
        let start = Instant::now();
        pty.keys(key);
        pty.wait_text(word, SOON);
        assert!(start.elapsed() < Duration::from_secs(1), "{key}: {:?}", start.elapsed());
    }
    wait_for("it is killed", SOON, || (!is_running(pid)).then_some(()));
    pty.keys("q");
    assert_eq!(pty.wait_exit(SOON), 0);
}

/// As root in a test: railtop runs as another user, below a tree that has its own sudo.
#[test]
fn an_ordinary_user_asks_through_sudo_only_when_told_to() {
    const NAME: &str = "an_ordinary_user_asks_through_sudo_only_when_told_to";
    if !rustix::process::geteuid().is_root() {
        return skip(NAME, "it needs root to become somebody else");
    }
    let stand = Stand::new();
    // Only through sudo it answers.
    stand.script("if [ -n \"$BY_SUDO\" ]; then cat out; else cat err >&2; exit 234; fi");
    stand.says(&both_up(), DENIED, 0);
    let sudo = "#!/bin/sh\n[ \"$1\" = -n ] || exit 9\nshift\n\
                BY_SUDO=1 exec \"$@\"\n";
    stand.tree.file("usr/bin/sudo", sudo);
    stand.tree.file("etc/passwd", "ana:x:65534:65534::/:/bin/sh\n");
    // Everyone may read the tree, write the notes of the stand-in, and run the program.
    let open = format!(
        "chmod -R a+rwX '{0}'; chmod a+x '{0}/usr/bin/sudo' '{0}/stand/lnetctl'",
        stand.tree.path().display()
    );
    assert!(Command::new("sh").args(["-c", &open]).status().unwrap().success());
    let copy = stand.tree.path().join("railtop");
    fs::copy(railtop(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();

    let as_user = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&copy);
        command.args(["check", "--json", "--rail", "ibt*", "--root"]).arg(stand.tree.path());
        command.arg("--lnetctl").arg(stand.at("lnetctl")).args(args);
        // Root's own settings are out of that user's reach.
        command.env("HOME", stand.tree.path()).env_remove("XDG_CONFIG_HOME");
        let out = command.output().unwrap();
        serde_json::from_slice::<Value>(&out.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))
    };
    let denied = as_user(&[]);
    assert_eq!(why(&denied["lnet"], "nets"), "denied");
    let gaps = denied["not_checked"].as_array().unwrap();
    let gap = gaps.iter().find(|gap| gap["what"] == "LNet").unwrap();
    let line = gap["why"].as_str().unwrap();
    let program = stand.at("lnetctl");
    let program = program.display();
    let commands: Vec<String> = COMMANDS.iter().map(|c| format!("{program} {c}")).collect();
    let (_, allowed) = line.split_once("ana ALL=(root) NOPASSWD: ").unwrap();
    let mut allowed: Vec<&str> = allowed.split(", ").collect();
    allowed.sort_unstable();
    let mut commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    commands.sort_unstable();
    assert_eq!(allowed, commands);

    let through = as_user(&["--sudo"]);
    assert_eq!(through["lnet"]["stage"], "up", "{through:#}");

    // A sudo that wants a password.
    let sudo = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n";
    stand.tree.file("usr/bin/sudo", sudo);
    let refused = as_user(&["--sudo"]);
    assert_eq!(why(&refused["lnet"], "nets"), "denied");
    let gaps = refused["not_checked"].to_string();
    assert!(gaps.contains("NOPASSWD"), "{gaps}");
}
