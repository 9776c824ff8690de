//! `railtop ibstat` against the real one: recorded outputs, and the program itself on made trees.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::tree::{Port, Tree, scratch};
use support::{railtop, skip};

/// `railtop ibstat ARGS --from DIR`.
fn ours(capture: &Path, args: &[&str]) -> Output {
    Command::new(railtop()).arg("ibstat").args(args).arg("--from").arg(capture).output().unwrap()
}

/// The real ibstat with the tree's `sys` in the place of `/sys`.
fn theirs(tree: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /sys && exec ibstat \"$@\""]);
    command
        .arg(tree.join("sys"))
        .args(args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.output().unwrap()
}

/// Can a mount be made here, and is ibstat installed?
fn can_compare(test: &str) -> bool {
    let mount = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs none /mnt && ibstat -V"])
        .output();
    let can = mount.is_ok_and(|out| out.status.success());
    if !can {
        skip(test, "needs root and ibstat (infiniband-diags)");
    }
    can
}

/// Every rate string that kernels print, and what stands for one.
fn rates() -> Vec<String> {
    let lanes = [
        ("SDR", 2.5),
        ("DDR", 5.0),
        ("QDR", 10.0),
        ("FDR10", 10.0),
        ("FDR", 14.0),
        ("EDR", 25.0),
        ("HDR", 50.0),
        ("NDR", 100.0),
        ("XDR", 200.0),
    ];
    let mut all: Vec<String> = lanes
        .iter()
        .flat_map(|(speed, lane)| {
            [1, 2, 4, 8, 12]
                .map(|width| format!("{} Gb/sec ({width}X {speed})", lane * f64::from(width)))
        })
        .collect();
    all.extend(
        ["10 Gb/sec (4X)", "2.5 Gb/sec (1X)", "nothing", "12.5 Gb/sec (1X EDR)"].map(str::to_owned),
    );
    all
}

/// One device for each state, physical state and rate; devices that lack this or that.
fn zoo() -> Tree {
    let tree = Tree::new();
    tree.file("sys/class/infiniband_mad/abi_version", "5\n");
    let mut bus = 0;
    let mut make = |name: &str| {
        bus += 1;
        let pci = tree.pci(&format!("0000:{bus:02x}"), 0, "16.0 GT/s PCIe", "16");
        let hca = tree.hca(name, Some(&pci));
        let port = tree.port(&hca, 1, &Port::active("200 Gb/sec (4X HDR)"));
        tree.guid(&hca, 1, 0x100 + bus as u16);
        (hca, port)
    };
    let states =
        ["0: NOP", "1: DOWN", "2: INIT", "3: ARMED", "4: ACTIVE", "5: ACTIVE_DEFER", "6: UNKNOWN"];
    for (n, state) in states.iter().enumerate() {
        let (_, port) = make(&format!("state_{n}"));
        tree.file(format!("{port}/state"), &format!("{state}\n"));
    }
    let physical = [
        "0: <unknown>",
        "1: Sleep",
        "2: Polling",
        "3: Disabled",
        "4: PortConfigurationTraining",
        "5: LinkUp",
        "6: LinkErrorRecovery",
        "7: Phy Test",
        "8: <unknown>",
        "9: <unknown>",
        "11: <unknown>",
    ];
    for (n, state) in physical.iter().enumerate() {
        let (_, port) = make(&format!("phys_{n}"));
        tree.file(format!("{port}/phys_state"), &format!("{state}\n"));
    }
    for (n, rate) in rates().iter().enumerate() {
        let (_, port) = make(&format!("rate_{n}"));
        tree.file(format!("{port}/rate"), &format!("{rate}\n"));
    }
    for (name, file) in [
        ("no_type", "hca_type"),
        ("no_rev", "hw_rev"),
        ("no_fw", "fw_ver"),
        ("no_board", "board_id"),
    ] {
        let (hca, _) = make(name);
        tree.remove(format!("{hca}/{file}"));
    }
    let (hca, _) = make("empty_fw");
    tree.file(format!("{hca}/fw_ver"), "\n");
    let (hca, _) = make("long_names");
    tree.file(format!("{hca}/hca_type"), &format!("{}\n", "t".repeat(60)));
    tree.file(format!("{hca}/fw_ver"), &format!("{}\n", "f".repeat(60)));
    tree.file(format!("{hca}/hw_rev"), &format!("{}\n", "h".repeat(60)));
    let (_, port) = make("no_layer");
    tree.remove(format!("{port}/link_layer"));
    let (_, port) = make("odd_numbers");
    tree.file(format!("{port}/lid"), "0xffff\n");
    tree.file(format!("{port}/sm_lid"), "0\n");
    tree.file(format!("{port}/lid_mask_count"), "3\n");
    tree.file(format!("{port}/cap_mask"), "0x00010000\n");
    let (hca, _) = make("mlx4_0");
    tree.port(&hca, 2, &Port::roce("40 Gb/sec (4X QDR)"));
    let (hca, _) = make("switch0");
    tree.file(format!("{hca}/node_type"), "2: switch\n");
    tree.remove(format!("{hca}/ports/1"));
    tree.port(&hca, 0, &Port::active("100 Gb/sec (4X EDR)"));
    for (name, kind) in [
        ("router0", "3: router"),
        ("irdma0", "4: RNIC"),
        ("usnic0", "5: usNIC"),
        ("efa_0", "7: unspecified"),
        ("odd0", "0: <unknown>"),
    ] {
        let (hca, _) = make(name);
        tree.file(format!("{hca}/node_type"), &format!("{kind}\n"));
    }
    let (_, port) = make("no_gid");
    tree.file(format!("{port}/gids/0"), "0000:0000:0000:0000:0000:0000:0000:0000\n");
    for name in ["mlx5_1", "mlx5_2", "mlx5_10"] {
        make(name);
    }
    tree
}

#[test]
fn the_same_as_ibstat_in_every_state() {
    if !can_compare("the_same_as_ibstat_in_every_state") {
        return;
    }
    let tree = zoo();
    let cases: &[&[&str]] = &[
        &[],
        &["-l"],
        &["-s"],
        &["-p"],
        &["-l", "-s"],
        &["-p", "-l"],
        &["--short"],
        &["--list_of_cas"],
        &["--port_list"],
        &["mlx5_1"],
        &["mlx5_10"],
        &["mlx5_1", "1"],
        &["mlx5_1", "2"],
        &["mlx4_0"],
        &["mlx4_0", "2"],
        &["mlx4_0", "0"],
        &["switch0"],
        &["switch0", "0"],
        &["-s", "mlx4_0", "1"],
        &["-p", "mlx4_0"],
        &["-l", "mlx4_0"],
        &["efa_0"],
        &["irdma0"],
        &["nothing"],
        &["mlx5_"],
    ];
    for args in cases {
        let (real, own) = (theirs(tree.path(), args), ours(tree.path(), args));
        let text = |out: &Output| String::from_utf8(out.stdout.clone()).unwrap();
        assert_eq!(text(&own), text(&real), "{args:?}");
        assert_eq!(own.status.code(), real.status.code(), "{args:?}");
        assert_eq!(own.stderr.is_empty(), real.status.success(), "{args:?}");
        assert!(args.contains(&"nothing") || own.stdout.len() + own.stderr.len() > 0, "{args:?}");
    }
}

#[test]
fn what_ibstat_gives_up_at_is_told_the_same_way() {
    if !can_compare("what_ibstat_gives_up_at") {
        return;
    }
    for file in [
        "lid",
        "sm_lid",
        "sm_sl",
        "lid_mask_count",
        "state",
        "phys_state",
        "rate",
        "cap_mask",
        "gids/0",
        "pkeys",
    ] {
        let tree = Tree::new();
        tree.file("sys/class/infiniband_mad/abi_version", "5\n");
        let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
        tree.remove(format!("{port}/{file}"));
        for args in [&[][..], &["-s"], &["-p"], &["mlx5_0", "1"], &["-l"]] {
            let (real, own) = (theirs(tree.path(), args), ours(tree.path(), args));
            assert_eq!(own.status.code(), real.status.code(), "{file} {args:?}");
            assert_eq!(own.stdout, real.stdout, "{file} {args:?}");
        }
    }
}

#[test]
fn no_device_is_no_failure() {
    let tree = Tree::new();
    tree.dir("sys/class/net");
    for args in [&[][..], &["-l"], &["-s"], &["-p"]] {
        let own = ours(tree.path(), args);
        assert_eq!((own.status.code(), own.stdout.len(), own.stderr.len()), (Some(0), 0, 0));
    }
}

#[test]
fn the_demo_and_the_usage() {
    let run = |args: &[&str]| Command::new(railtop()).args(args).output().unwrap();
    let demo = run(&["ibstat", "--demo", "no-sm", "mlx5_1"]);
    let text = String::from_utf8(demo.stdout).unwrap();
    assert!(
        text.contains("\t\tState: Initializing\n") && text.starts_with("CA 'mlx5_1'\n"),
        "{text}"
    );
    assert_eq!(run(&["ibstat", "--demo", "--rail", "ib0"]).status.code(), Some(64));
    assert_eq!(run(&["ibstat", "--demo", "mlx5_0", "one"]).status.code(), Some(64));
}

/// Recorded outputs of ibstat beside the trees they were printed from.
fn recorded() -> Vec<PathBuf> {
    let Some(samples) = std::env::var_os("RAILTOP_SAMPLES").map(PathBuf::from) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for lab in ["ipoib-stub-provider-kernel-6.1", "rxe-kernel-6.1", "rxe-kernel-6.12"] {
        let steps = std::fs::read_dir(samples.join("lab").join(lab)).unwrap().flatten();
        found.extend(
            steps
                .map(|s| s.path())
                .filter(|s| s.join("sysfs.tar.gz").is_file() && s.join("ibstat.out").is_file()),
        );
    }
    found.sort();
    found
}

#[test]
fn the_recorded_outputs_of_real_kernels() {
    let folders = recorded();
    if folders.is_empty() {
        // The samples are not part of the project: without them nothing is missing.
        return;
    }
    assert!(folders.len() > 20, "{}", folders.len());
    for folder in folders {
        let dir = scratch();
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(folder.join("sysfs.tar.gz")).arg("-C").arg(dir.path());
        assert!(tar.arg("--no-same-permissions").status().unwrap().success());
        for (file, args) in
            [("ibstat.out", &[][..]), ("ibstat-l.out", &["-l"]), ("ibstat-p.out", &["-p"])]
        {
            let Ok(wanted) = std::fs::read_to_string(folder.join(file)) else { continue };
            let own = ours(dir.path(), args);
            let text = String::from_utf8(own.stdout).unwrap();
            assert_eq!(text, wanted, "{} {file}", folder.display());
            assert_eq!(own.status.code(), Some(0), "{}", folder.display());
        }
    }
}
