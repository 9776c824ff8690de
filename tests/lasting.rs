//! Whether what works now lasts: judged live and from a capture, with the files of a made-up `/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use support::ns::{self, Ns};
use support::{railtop, skip};

/// Two rails with tables and rules, kept by systemd-networkd as far as its run-time files tell.
fn host(root: &Path) -> Ns {
    let host = Ns::new();
    for (name, address, table) in [("ib0", "172.16.34.1", 941), ("ib1", "172.16.34.2", 942)] {
        host.ip(&format!("link add {name} type veth peer name p{name}"));
        host.sh(&format!(
            "ip link set p{name} up; ip link set {name} up; ip addr add {address}/16 dev {name}
             ip route add 172.16.0.0/16 dev {name} scope link src {address} table {table}
             ip rule add pref {table}0 from {address} lookup {table} protocol static
             cd /proc/sys/net/ipv4/conf/{name}; echo 1 >arp_ignore; echo 2 >arp_announce"
        ));
        let index = host.sh(&format!("cat /sys/class/net/{name}/ifindex"));
        put(
            root,
            &format!("run/systemd/netif/links/{}", index.trim()),
            &format!("ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/{name}.network\n"),
        );
        put(
            root,
            &format!("etc/systemd/network/{name}.network"),
            &format!("[Match]\nName={name}\n[Network]\nAddress={address}/16\n"),
        );
    }
    for dir in ["sys", "proc"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    host
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// railtop in the namespace, with `root` for its `/` but for what the kernel shows.
fn run(host: &Ns, root: &Path, args: &str) -> (bool, String) {
    let line = format!(
        "mount --bind /sys {root}/sys && mount --bind /proc {root}/proc && \
         exec {railtop} --root {root} {args}",
        root = root.display(),
        railtop = railtop().display(),
    );
    let out = host.command("sh").args(["-c", &line]).output().expect("sh runs");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(!said.is_empty(), "{args}: {}", String::from_utf8_lossy(&out.stderr));
    (out.status.success(), said)
}

/// What is told of persistence, as `ID rail`.
fn told(report: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(report).unwrap_or_else(|e| panic!("{e}: {report}"));
    let ids = ["ROUTING_NOT_PERSISTENT", "RULES_NOT_OWNED_BY_MANAGER"];
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|f| ids.contains(&f["id"].as_str().unwrap()))
        .map(|f| format!("{} {}", f["id"].as_str().unwrap(), f["rails"][0].as_str().unwrap()))
        .collect()
}

const CHECK: &str = "check --json --rail 'ib*' --interval 50ms";

#[test]
fn rules_that_stand_in_no_file_are_told_live_and_from_a_capture() {
    let name = "rules_that_stand_in_no_file_are_told_live_and_from_a_capture";
    if let Some(why) = ns::unavailable() {
        return skip(name, &why);
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let host = host(&root);
    let both = ["ROUTING_NOT_PERSISTENT ib0", "ROUTING_NOT_PERSISTENT ib1"];
    let (_, live) = run(&host, &root, CHECK);
    assert_eq!(told(&live), both, "{live}");

    let from = |target: &str| {
        let path = dir.path().join(target);
        let (done, said) =
            run(&host, &root, &format!("capture -n 2 --interval 50ms {}", path.display()));
        assert!(done, "{said}");
        run(&host, &root, &format!("{CHECK} --from {}", path.display())).1
    };
    for target in ["before", "before.tar.zst"] {
        assert_eq!(told(&from(target)), both, "{target}");
    }

    // What `fix --persist` prints for this manager, put where it says, lasts.
    for (rail, address, table) in [("ib0", "172.16.34.1", 941), ("ib1", "172.16.34.2", 942)] {
        put(
            &root,
            &format!("etc/systemd/network/{rail}.network"),
            &format!(
                "[Match]\nName={rail}\n[Network]\nAddress={address}/16\n\
                 [Route]\nDestination=172.16.0.0/16\nPreferredSource={address}\nScope=link\nTable={table}\n\
                 [RoutingPolicyRule]\nFrom={address}\nTable={table}\nPriority={table}0\n"
            ),
        );
    }
    let sysctls: String = ["ib0", "ib1"]
        .iter()
        .map(|r| format!("net.ipv4.conf.{r}.arp_ignore = 1\nnet.ipv4.conf.{r}.arp_announce = 2\n"))
        .collect::<Vec<_>>()
        .concat();
    put(&root, "etc/sysctl.d/90-rails.conf", &sysctls);
    assert_eq!(told(&run(&host, &root, CHECK).1), [""; 0]);
    assert_eq!(told(&from("after")), [""; 0]);

    // A capture in which nobody looked for managers knows nothing of them.
    let bare = dir.path().join("before");
    fs::remove_file(bare.join("managers.txt")).unwrap();
    fs::remove_dir_all(bare.join("run")).unwrap();
    let report = run(&host, &root, &format!("{CHECK} --from {}", bare.display())).1;
    assert_eq!(told(&report), [""; 0]);
}

#[test]
fn a_capture_names_the_manager_for_fix() {
    if let Some(why) = ns::unavailable() {
        return skip("a_capture_names_the_manager_for_fix", &why);
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let host = host(&root);
    host.sh("ip rule del pref 9420; ip route flush table 942");
    let capture = dir.path().join("c.tar.zst");
    run(&host, &root, &format!("capture -n 1 {}", capture.display()));
    let args = format!("fix --persist --rail 'ib*' --from {}", capture.display());
    let (_, said) = run(&host, &root, &args);
    assert!(said.contains("to make it last, for systemd-networkd"), "{said}");
    assert!(said.contains("/etc/systemd/network/ib1.network"), "{said}");
}

/// Two rails of one subnet with nothing but addresses: the case of the README.
fn plain(root: &Path) -> Ns {
    let host = Ns::new();
    for (name, address) in [("ib0", "172.16.34.1"), ("ib1", "172.16.34.2")] {
        host.ip(&format!("link add {name} type veth peer name p{name}"));
        host.sh(&format!(
            "ip link set p{name} up; ip link set {name} up; ip addr add {address}/16 dev {name}"
        ));
    }
    for dir in ["sys", "proc"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    host
}

/// What is printed below "to make it last" without the sentences.
fn form(script: &str) -> Vec<String> {
    let lines = script.lines().skip_while(|l| !l.starts_with("# to make it last"));
    lines.take_while(|l| *l != "# mind").map(ToOwned::to_owned).collect()
}

#[test]
fn what_was_typed_by_hand_is_made_to_last_as_before() {
    if let Some(why) = ns::unavailable() {
        return skip("what_was_typed_by_hand_is_made_to_last_as_before", &why);
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let host = plain(&root);
    let fix = |manager: &str| {
        run(&host, &root, &format!("fix --persist={manager} --rail 'ib*' --interval 50ms")).1
    };
    let managers = ["networkd", "networkmanager", "ifupdown", "nmstate"];
    let before: Vec<String> = managers.iter().map(|m| fix(m)).collect();
    host.sh(&run(&host, &root, "fix --rail 'ib*' --interval 50ms").1);
    let after: Vec<String> = managers.iter().map(|m| fix(m)).collect();
    for ((manager, before), after) in managers.iter().zip(&before).zip(&after) {
        let wanted = form(before);
        assert!(wanted.iter().any(|l| l.contains("172.16.0.0/16")), "{manager}: {before}");
        assert!(wanted.iter().any(|l| l.contains("arp_announce")), "{manager}: {before}");
        assert_eq!(form(after), wanted, "{manager}: {after}");
        assert!(after.contains("# nothing to type"), "{manager}: {after}");
    }
}

#[test]
fn a_finding_about_persistence_leads_to_the_files() {
    if let Some(why) = ns::unavailable() {
        return skip("a_finding_about_persistence_leads_to_the_files", &why);
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let host = host(&root);
    let (_, why) = run(&host, &root, "why ib0 --rail 'ib*' --interval 50ms");
    assert!(why.contains("do        railtop fix --persist"), "{why}");
    let (_, script) = run(&host, &root, "fix --rail 'ib*' --interval 50ms");
    assert!(script.contains("# nothing to type"), "{script}");
    assert!(script.contains("# to make it last: railtop fix --persist"), "{script}");
    assert!(!script.lines().any(|l| l.starts_with("railtop")), "{script}");
    let (_, files) = run(&host, &root, "fix --persist --json --rail 'ib*' --interval 50ms");
    let files: Value = serde_json::from_str(&files).unwrap();
    assert_eq!(files["steps"].as_array().unwrap().len(), 0, "{files}");
    assert_eq!(files["persist"]["manager"], "networkd");
    for file in files["persist"]["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        put(&root, path.trim_start_matches('/'), file["content"].as_str().unwrap());
    }
    // Put where it says, all of it stands.
    let (_, report) = run(&host, &root, CHECK);
    assert_eq!(told(&report), [""; 0], "{files}");
    let (_, script) = run(&host, &root, "fix --persist --rail 'ib*' --interval 50ms");
    assert!(script.contains("stand in files already"), "{script}");
}

#[test]
fn without_a_known_manager_the_commands_stand_and_one_is_asked_for() {
    if let Some(why) = ns::unavailable() {
        return skip("without_a_known_manager_the_commands_stand_and_one_is_asked_for", &why);
    }
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let host = plain(&root);
    let (done, script) = run(&host, &root, "fix --persist --rail 'ib*' --interval 50ms");
    assert!(done && script.contains("\nip route replace 172.16.0.0/16 dev ib0"), "{script}");
    let last = script.lines().last().unwrap();
    assert!(last.starts_with("# to make it last: no network manager"), "{script}");
    assert!(last.contains("--persist=MANAGER"), "{script}");

    // With nothing that a file could keep no manager is asked for.
    host.sh("ip addr flush dev ib1");
    let (done, script) = run(&host, &root, "fix --persist --rail 'ib*' --interval 50ms");
    assert!(done && script.contains("# to make it last: nothing of this"), "{script}");
}
