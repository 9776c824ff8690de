//! ifupdown and its hook.

use super::*;

/// Runs sh in a namespace on an /etc/network of its own.
fn on_tree(ns: &Ns, tree: &Path, line: &str) -> String {
    let script = "set -e
        mount --bind \"$1/etc/network\" /etc/network
        mount --bind \"$1/run/network\" /run
        mkdir -p /run/network
        exec sh -c \"$2\"";
    let out = ns
        .command("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(tree)
        .arg(line)
        .output()
        .expect("unshare runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{line}: {said}{}", String::from_utf8_lossy(&out.stdout));
    assert_eq!(said, "", "{line}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn ifup_runs_the_hook_and_makes_what_the_commands_make() {
    needs!("ifup_runs_the_hook_and_makes_what_the_commands_make", "ifup", "run-parts");
    let wanted = by_commands();
    let tree = tempfile::tempdir().unwrap();
    let etc = tree.path().join("etc/network");
    fs::create_dir_all(tree.path().join("run/network")).unwrap();
    for dir in ["if-pre-up.d", "if-up.d", "if-down.d", "if-post-down.d"] {
        fs::create_dir_all(etc.join(dir)).unwrap();
    }
    let stanza = |(name, v4, v6): (&str, &str, &str)| {
        format!(
            "auto {name}\niface {name} inet static\n  address {v4}\n\
             iface {name} inet6 static\n  address {v6}\n  dad-attempts 0\n"
        )
    };
    let interfaces: String = RAILS.into_iter().map(stanza).collect();
    fs::write(etc.join("interfaces"), interfaces).unwrap();
    let out = persist::render(Manager::Ifupdown, &plan(|_| None));
    write(&out, tree.path());

    let ns = Ns::new();
    rails(&ns);
    let empty = state(&ns);
    let runs = on_tree(&ns, tree.path(), "run-parts --test /etc/network/if-up.d");
    assert_eq!(runs, "/etc/network/if-up.d/railtop-rails\n");
    assert_eq!(on_tree(&ns, tree.path(), "ifquery --list"), "lo\nib0\nib1\n");
    on_tree(&ns, tree.path(), "ifup -a");
    assert_eq!(state(&ns), wanted);
    assert_eq!(ns.sh("sysctl -n net.ipv4.conf.ib0.arp_ignore"), "1\n");

    // Its own rules once, whatever was there before; others stay.
    let hook = |interface: &str, dir: &str| {
        let line = format!("IFACE={interface} /etc/network/{dir}/railtop-rails");
        assert_eq!(on_tree(&ns, tree.path(), &line), "", "{line}");
    };
    ns.ip("rule add from 172.16.34.1 lookup 941");
    ns.ip("rule add pref 5 from 172.16.34.1 lookup 941");
    ns.ip("rule add pref 6 from 172.16.34.1 lookup 941 suppress_prefixlength 0");
    hook("ib0", "if-up.d");
    let with_other = wanted.replacen(
        "0: from all lookup local",
        "0: from all lookup local\n6: from 172.16.34.1 lookup 941 suppress_prefixlength 0",
        1,
    );
    assert_eq!(state(&ns), with_other);
    ns.ip("rule del pref 6");

    // A bounce empties the tables; the hook fills them again.
    ns.ip("link set ib0 down");
    ns.ip("link set ib0 up");
    ns.ip("-6 addr replace fd00::1/64 dev ib0 nodad");
    assert_ne!(state(&ns), wanted);
    hook("--all", "if-up.d");
    assert_eq!(state(&ns), wanted);
    for interface in ["ib0", "ib1", "--all", "eth0", ""] {
        hook(interface, "if-up.d");
        assert_eq!(state(&ns), wanted, "IFACE={interface}");
    }

    // A rail that is down gets nothing, and no complaint.
    on_tree(&ns, tree.path(), "ifdown -a 2>/dev/null");
    hook("ib0", "if-post-down.d");
    let rules = |text: &str| text.split("-4 route").next().unwrap_or_default().to_owned();
    assert_eq!(rules(&state(&ns)), rules(&empty));
    hook("ib0", "if-up.d");
    assert_eq!(rules(&state(&ns)), rules(&empty));
}
