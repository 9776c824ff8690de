//! netplan's generator, for either daemon.

use super::networkd::networkd_makes;
use super::*;

/// Runs netplan's generator on a tree.
fn netplan(tree: &Path) -> String {
    let out = Command::new("netplan")
        .args(["generate", "--root-dir"])
        .arg(tree)
        .output()
        .expect("netplan runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "netplan generate: {said}");
    said
}

#[test]
fn networkd_makes_of_netplans_files_what_the_commands_make() {
    needs!("networkd_makes_of_netplans_files_what_the_commands_make", NETWORKD, "netplan");
    let wanted = by_commands();
    let whole = tempfile::tempdir().unwrap();
    write(&persist::render(Manager::Netplan, &plan(|_| None)), whole.path());
    assert_eq!(netplan(whole.path()), "");
    networkd_makes("netplan, a file of its own", whole.path(), &wanted);

    let adds = tempfile::tempdir().unwrap();
    let base = "network:\n  version: 2\n  renderer: networkd\n  ethernets:\n    \
        ib0: {addresses: [172.16.34.1/16, \"fd00::1/64\"]}\n    \
        ib1: {addresses: [172.16.34.2/16, \"fd00::2/64\"]}\n";
    let dir = adds.path().join("etc/netplan");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("50-base.yaml"), base).unwrap();
    let kept = |name: &str| {
        let file = format!("/run/systemd/network/10-netplan-{name}.network");
        Some(managed(Manager::Netplan, Some(Manager::Networkd), &file))
    };
    let out = persist::render(Manager::Netplan, &plan(kept));
    write(&out, adds.path());
    netplan(adds.path());
    networkd_makes("netplan, beside another file", adds.path(), &wanted);
}

#[test]
fn netplan_for_network_manager_is_as_bad_as_said() {
    needs!("netplan_for_network_manager_is_as_bad_as_said", "netplan");
    let tree = tempfile::tempdir().unwrap();
    let dir = tree.path().join("etc/netplan");
    fs::create_dir_all(&dir).unwrap();
    let base = "network:\n  version: 2\n  renderer: NetworkManager\n  ethernets:\n    \
        ib0: {addresses: [172.16.34.1/16]}\n";
    fs::write(dir.join("50-base.yaml"), base).unwrap();
    // Without the refusal, which netplan does not take for NetworkManager: also said.
    let changes: Vec<Change> = changes()
        .into_iter()
        .filter(
            |c| !matches!(&c.action, Action::RouteReplace { route, .. } if route.kind.is_some()),
        )
        .filter(|c| c.action.target().contains("941") || c.action.command().contains("941"))
        .collect();
    let kept = |name: &str| {
        (name == "ib0").then(|| managed(Manager::Netplan, Some(Manager::NetworkManager), "u"))
    };
    let plan = persist::plan(&changes, &states(kept));
    let out = persist::render(Manager::Netplan, &plan);
    write(&out, tree.path());
    netplan(tree.path());
    let keyfile =
        tree.path().join("run/NetworkManager/system-connections/netplan-ib0.nmconnection");
    let keyfile = fs::read_to_string(keyfile).unwrap();
    assert!(keyfile.contains("172.16.0.0/16"), "{keyfile}");
    let dropped = !keyfile.contains("9410");
    let said = out.warnings.iter().any(|w| w.contains("silently drops routing-policy"));
    assert!(said || !dropped, "{keyfile}");
}
