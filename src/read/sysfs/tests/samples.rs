//! Trees of real hosts, where there are any.

use crate::read::Due;
use crate::read::root::Root;
use crate::read::sysfs::tree::scratch;
use crate::read::sysfs::{DeviceReader, NetReader, devices};
use crate::sample::{Netdev, RdmaDevice, Why};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

fn samples() -> Option<PathBuf> {
    let dir = std::env::var_os("RAILTOP_SAMPLES").map(PathBuf::from);
    if dir.is_none() {
        println!("skipped: RAILTOP_SAMPLES is not set");
    }
    dir
}

fn read(root: &Root) -> (Vec<RdmaDevice>, Vec<Arc<Netdev>>) {
    let rdma = devices(root)
        .unwrap_or_default()
        .iter()
        .map(|name| DeviceReader::new(root, name).pass(Due::ALL).unwrap())
        .collect();
    (rdma, NetReader::new(root).pass(Due::ALL).unwrap_or_default())
}

/// A folder `class/…` as the `/sys` of a root.
fn as_sys(sample: &Path) -> TempDir {
    let dir = scratch();
    symlink(sample, dir.path().join("sys")).unwrap();
    dir
}

fn unpack(archive: &Path) -> TempDir {
    let dir = scratch();
    let status = Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(dir.path())
        .arg("--no-same-permissions")
        .status()
        .unwrap();
    assert!(status.success(), "{}", archive.display());
    dir
}

#[test]
fn eight_h100_rails_and_a_bond() {
    let Some(samples) = samples() else { return };
    let dir = as_sys(&samples.join("sysfs/gpud-h100-8xmlx5-ndr-bond"));
    let (rdma, _) = read(&Root::new(dir.path()));
    let rate = |device: &RdmaDevice| device.ports[0].attrs.rate.clone().unwrap();
    let ndr: Vec<_> = rdma.iter().filter(|d| rate(d) == *"400 Gb/sec (4X NDR)").collect();
    assert_eq!((rdma.len(), ndr.len()), (9, 8));
    for device in ndr {
        let port = &device.ports[0];
        assert_eq!(port.state.value.as_ref().unwrap().code, 4);
        assert_eq!(port.phys_state.value.as_ref().unwrap().code, 5);
        assert_eq!(*port.attrs.link_layer.as_ref().unwrap(), *"InfiniBand");
        assert_eq!(*device.attrs.hca_type.as_ref().unwrap(), *"MT4129");
        assert_eq!(port.data.rx[0].file, *"counters/port_rcv_data");
        assert!(port.data.rx[0].value.is_ok());
        assert!(port.counters.items.iter().all(|c| c.value.is_ok()));
    }
    let bond = rdma.iter().find(|d| d.name == *"mlx5_bond_0").unwrap();
    assert_eq!(*bond.ports[0].attrs.link_layer.as_ref().unwrap(), *"Ethernet");
    assert_eq!(rate(bond), *"200 Gb/sec (2X NDR)");
}

#[test]
fn other_hosts() {
    let Some(samples) = samples() else { return };
    let dir = as_sys(&samples.join("sysfs/node_exporter-i40iw0-mlx4_0"));
    let (rdma, _) = read(&Root::new(dir.path()));
    let i40iw = rdma.iter().find(|d| d.name == *"i40iw0").unwrap();
    let refusal = i40iw.ports[0].counters.get("symbol_error").unwrap().as_ref().unwrap_err();
    assert_eq!(refusal.why, Why::Unsupported);
    let mlx4 = rdma.iter().find(|d| d.name == *"mlx4_0").unwrap();
    assert_eq!(mlx4.ports[0].data.rx[0].file, *"counters_ext/port_rcv_data_64");

    let dir = as_sys(&samples.join("sysfs/procfs-mlx4_0-mlx5_0-hfi1_0"));
    let (rdma, _) = read(&Root::new(dir.path()));
    let names: Vec<&str> = rdma.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["hfi1_0", "mlx4_0", "mlx5_0"]);
    assert!(rdma.iter().all(|d| d.ports[0].data.rx[0].value.is_ok()));
}

/// State, phys_state of the port and flags, operstate of the netdev of the second rail.
fn second_rail(archive: &Path, device: &str, netdev: &str) -> (u32, u32, u32, String) {
    let dir = unpack(archive);
    let (rdma, netdevs) = read(&Root::new(dir.path()));
    let port = &rdma.iter().find(|d| d.name == *device).unwrap().ports[0];
    let netdev = netdevs.iter().find(|n| n.name == *netdev).unwrap();
    (
        port.state.value.as_ref().unwrap().code,
        port.phys_state.value.as_ref().unwrap().code,
        netdev.flags.clone().unwrap() & 1,
        netdev.operstate.as_ref().unwrap().to_string(),
    )
}

#[test]
fn ipoib_in_every_state() {
    let Some(samples) = samples() else { return };
    let lab = samples.join("lab/ipoib-stub-provider-kernel-6.1");
    for (folder, expect) in [
        ("10-ipoib-two-rails-active", (4, 5, 1, "up")),
        ("30-rail2-port-down-polling", (1, 2, 1, "down")),
        ("31-rail2-port-init", (2, 5, 1, "down")),
        ("32-rail2-port-armed", (3, 5, 1, "down")),
        ("42-ipoib-netdev-admin-down", (2, 5, 0, "down")),
    ] {
        let archive = lab.join(folder).join("sysfs.tar.gz");
        let (state, phys, up, operstate) = second_rail(&archive, "fakeib1", "ib1");
        assert_eq!((state, phys, up, operstate.as_str()), expect, "{folder}");
    }
}

#[test]
fn soft_roce_rails() {
    let Some(samples) = samples() else { return };
    let archive = samples.join("lab/rxe-kernel-6.1/10-two-rails-up/sysfs.tar.gz");
    let dir = unpack(&archive);
    let (rdma, netdevs) = read(&Root::new(dir.path()));
    let rxe0 = rdma.iter().find(|d| d.name == *"rxe0").unwrap();
    assert_eq!(*rxe0.attrs.driver.as_ref().unwrap(), *"rxe");
    assert_eq!(rxe0.attrs.parent.as_deref(), Some("eth1"));
    assert_eq!(rxe0.ports[0].attrs.gids[0].netdev.as_deref(), Some("eth1"));
    assert!(rxe0.ports[0].data.rx.is_empty());
    let eth1 = netdevs.iter().find(|n| n.name == *"eth1").unwrap();
    assert!(!eth1.attrs.is_virtual);
    assert!(eth1.stats.rx_bytes.value.is_ok());
}

#[test]
fn every_captured_tree_is_read() {
    let Some(samples) = samples() else { return };
    let folders = std::fs::read_dir(samples.join("lab")).unwrap().flatten();
    let archives = folders
        .filter_map(|folder| std::fs::read_dir(folder.path()).ok())
        .flat_map(|inner| inner.flatten().map(|step| step.path().join("sysfs.tar.gz")))
        .filter(|archive| archive.is_file());
    let mut count = 0;
    for archive in archives {
        let dir = unpack(&archive);
        let (rdma, netdevs) = read(&Root::new(dir.path()));
        count += 1;
        for netdev in &netdevs {
            assert!(netdev.attrs.ifindex.is_ok(), "{} {}", archive.display(), netdev.name);
            assert!(netdev.stats.rx_bytes.value.is_ok(), "{} {}", archive.display(), netdev.name);
        }
        for device in &rdma {
            assert!(device.attrs.node_guid.is_ok(), "{} {}", archive.display(), device.name);
            assert!(device.ports[0].state.value.is_ok(), "{}", archive.display());
        }
    }
    println!("{count} trees");
}
