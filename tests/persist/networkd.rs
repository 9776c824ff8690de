//! systemd-networkd and its files.

use super::*;

/// systemd-networkd with its own /run and configuration; gone when dropped.
struct Networkd(Child);

impl Networkd {
    /// Starts it in a namespace on the `etc/systemd/network` and `run/systemd/network` of a tree.
    fn start(ns: &Ns, tree: &Path) -> Self {
        // A read-only /sys tells it that there is no udev to wait for (systemd, udev-util.c).
        let script = "set -e; tree=$1; shift
            mount -t tmpfs -o mode=755 none /run
            mount -t tmpfs -o mode=755 none /etc/systemd/network
            mount -o remount,bind,ro /sys
            mkdir -p /run/systemd/network
            for dir in etc run; do
                if [ -d \"$tree/$dir/systemd/network\" ]; then
                    cp -r \"$tree/$dir/systemd/network/.\" /$dir/systemd/network/
                fi
            done
            chmod -R a+rX /run/systemd /etc/systemd/network
            exec \"$@\"";
        let child = ns
            .command("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
            .arg(tree)
            .arg(NETWORKD)
            .stdout(Stdio::null())
            .stderr(fs::File::create(tree.join("log")).unwrap())
            .spawn()
            .expect("unshare runs");
        Self(child)
    }
}

impl Drop for Networkd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn networkd_makes(what: &str, tree: &Path, wanted: &str) {
    let ns = Ns::new();
    rails(&ns);
    let _networkd = Networkd::start(&ns, tree);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        becomes(what, &ns, wanted);
    }));
    let log = fs::read_to_string(tree.join("log")).unwrap_or_default();
    assert!(result.is_ok(), "{what}: {log}");
    let strange = |line: &&str| {
        ["gnor", "nknown", "nvalid", "Failed to parse"].iter().any(|word| line.contains(word))
            // Of netplan's making, and said: systemd 252 has no such section for a link that is
            // there.
            && !line.contains("Unknown section 'IPoIB'")
            && !line.contains("Scope= is specified for IPv6 route")
    };
    assert_eq!(log.lines().find(strange), None, "{what}: {log}");
}

#[test]
fn networkd_makes_of_its_files_what_the_commands_make() {
    needs!("networkd_makes_of_its_files_what_the_commands_make", NETWORKD);
    let wanted = by_commands();
    let whole = tempfile::tempdir().unwrap();
    write(&persist::render(Manager::Networkd, &plan(|_| None)), whole.path());
    networkd_makes("whole files", whole.path(), &wanted);

    let parts = tempfile::tempdir().unwrap();
    let base = parts.path().join("etc/systemd/network");
    fs::create_dir_all(&base).unwrap();
    for (name, v4, v6) in RAILS {
        let text = format!("[Match]\nName={name}\n[Network]\nAddress={v4}\nAddress={v6}\n");
        fs::write(base.join(format!("20-{name}.network")), text).unwrap();
    }
    let out = persist::render(
        Manager::Networkd,
        &plan(|name| {
            let file = format!("/etc/systemd/network/20-{name}.network");
            Some(managed(Manager::Networkd, None, &file))
        }),
    );
    assert!(out.files.iter().any(|f| f.path.ends_with("/20-ib1.network.d/90-railtop.conf")));
    write(&out, parts.path());
    networkd_makes("drop-ins", parts.path(), &wanted);
}

#[test]
fn the_run_time_files_of_networkd_are_understood() {
    needs!("the_run_time_files_of_networkd_are_understood", NETWORKD);
    let tree = tempfile::tempdir().unwrap();
    write(&persist::render(Manager::Networkd, &plan(|_| None)), tree.path());
    let ns = Ns::new();
    rails(&ns);
    let networkd = Networkd::start(&ns, tree.path());
    // Its /run is only in its own mount namespace.
    let root = Root::new(format!("/proc/{}/root", networkd.0.id()));
    let link = ns.ip("-o link show ib0");
    let index: u32 = link.split(':').next().unwrap().parse().unwrap();
    let found = wait_for("ib0 is configured", Duration::from_secs(20), || {
        let managers = railtop::read::manager::read(&root, &[(index, "ib0".into())]);
        let found = managers.of("ib0")?.clone().ok()?;
        found.evidence.contains("ADMIN_STATE=configured").then_some(found)
    });
    assert_eq!((found.manager, found.daemon, found.shared), (Manager::Networkd, None, false));
    assert_eq!(found.profile, Some("/etc/systemd/network/10-railtop-ib0.network".into()));
}
