use crate::read::Due;
use crate::read::root::Root;
use crate::read::sysfs::tree::{MLX5_HW, PMA, Port, Tree};
use crate::read::sysfs::{DeviceReader, devices};
use crate::sample::{RdmaDevice, Reading, Why};
use proptest::prelude::*;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

const DATA: Due = Due { state: true, data: true, slow: false, rare: false };
const SLOW: Due = Due { slow: true, ..DATA };

fn reader(tree: &Tree, name: &str) -> DeviceReader {
    DeviceReader::new(&Root::new(tree.path()), OsStr::new(name))
}

fn read(tree: &Tree, name: &str) -> RdmaDevice {
    reader(tree, name).pass(Due::ALL).unwrap()
}

fn why<T>(reading: &Reading<T>) -> Option<Why> {
    reading.as_ref().err().map(|unknown| unknown.why)
}

#[test]
fn no_rdma_at_all() {
    let tree = Tree::new();
    assert_eq!(why(&devices(&Root::new(tree.path()))), Some(Why::Absent));
    let unknown = reader(&tree, "mlx5_0").pass(Due::ALL).unwrap_err();
    assert_eq!(unknown.why, Why::Absent);
    assert_eq!(unknown.detail, *"/sys/class/infiniband/mlx5_0: ENOENT");
}

#[test]
fn devices_are_in_natural_order() {
    let tree = Tree::new();
    for name in ["mlx5_10", "mlx5_9", "mlx5_bond_0"] {
        tree.hca(name, None);
    }
    tree.file("sys/class/infiniband/stray", "");
    tree.link("sys/class/infiniband/dangling", "../../devices/nowhere");
    let names = devices(&Root::new(tree.path())).unwrap();
    assert_eq!(names, ["mlx5_9", "mlx5_10", "mlx5_bond_0"]);
}

#[test]
fn an_active_hdr_port() {
    let tree = Tree::new();
    tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    let device = read(&tree, "mlx5_0");
    assert_eq!(device.name, *"mlx5_0");
    let attrs = &device.attrs;
    assert_eq!(attrs.node_type.as_ref().unwrap().code, 1);
    assert_eq!(*attrs.hca_type.as_ref().unwrap(), *"MT4123");
    assert_eq!(*attrs.driver.as_ref().unwrap(), *"mlx5_core");
    let port = &device.ports[0];
    assert_eq!(port.number, 1);
    assert_eq!(port.state.value.as_ref().unwrap().code, 4);
    assert_eq!(port.phys_state.value.as_ref().unwrap().word, *"LinkUp");
    assert_eq!(*port.attrs.rate.as_ref().unwrap(), *"200 Gb/sec (4X HDR)");
    assert_eq!((port.attrs.lid.clone(), port.attrs.sm_lid.clone()), (Ok(50), Ok(1)));
    assert_eq!(port.attrs.cap_mask, Ok(0xa751_e848));
    assert_eq!(port.attrs.gids.len(), 1);
    assert_eq!(port.attrs.pkeys.as_ref().unwrap().len(), 1);
    assert_eq!(port.data.rx[0].file, *"counters/port_rcv_data");
    assert_eq!(port.data.tx[0].value, Ok(1000));
    assert!(port.data.tx[0].at.0 > 0);
    assert_eq!(port.counters.items.len(), PMA.len());
    assert_eq!(port.hw_counters.items.len(), MLX5_HW.len());
    assert!(port.hw_counters.get("lifespan").is_none());
    let names: Vec<&str> = port.hw_counters.items.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, MLX5_HW);
}

#[test]
fn the_pci_path_goes_up_to_the_root_port() {
    let tree = Tree::new();
    tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    let device = read(&tree, "mlx5_0");
    let pci = device.attrs.pci.as_ref().unwrap();
    assert_eq!(pci.address, *"0000:1a:0a.0");
    assert_eq!(pci.numa_node, Ok(1));
    assert_eq!(pci.physfn, None);
    let path: Vec<_> =
        pci.path.iter().map(|l| (l.address.as_str(), l.current_speed.clone())).collect();
    assert_eq!(path, [("0000:1a:0a.0", Ok(16.0)), ("0000:1a:01.0", Ok(16.0))]);
    assert_eq!(pci.path[0].max_width, Ok(16));
}

#[test]
fn the_link_of_a_vf_is_its_pfs() {
    let tree = Tree::new();
    let pf = tree.pci("0000:1a", 0, "16.0 GT/s PCIe", "8");
    let vf = tree.vf(&pf, 2);
    tree.hca("mlx5_2", Some(&vf));
    let device = read(&tree, "mlx5_2");
    let pci = device.attrs.pci.as_ref().unwrap();
    assert_eq!(pci.address, *"0000:1a:0a.2");
    assert_eq!(pci.physfn.as_deref(), Some("0000:1a:0a.0"));
    assert_eq!(pci.path[0].address, *"0000:1a:0a.0");
    assert_eq!(pci.path[0].current_width, Ok(8));
}

#[test]
fn a_guests_vf_has_no_link() {
    let tree = Tree::new();
    let vf = tree.vf(&tree.pci("0000:1a", 0, "16.0 GT/s PCIe", "8"), 2);
    tree.remove(format!("{vf}/physfn"));
    tree.hca("mlx5_0", Some(&vf));
    let device = read(&tree, "mlx5_0");
    let pci = device.attrs.pci.as_ref().unwrap();
    assert_eq!(why(&pci.path[0].current_speed), Some(Why::Absent));
    assert_eq!(why(&pci.path[0].current_width), Some(Why::Absent));
}

#[test]
fn a_down_port_keeps_what_it_prints() {
    let tree = Tree::new();
    tree.mlx5("mlx5_0", "0000:1a", &Port::down());
    let device = read(&tree, "mlx5_0");
    let port = &device.ports[0];
    assert_eq!(port.phys_state.value.as_ref().unwrap().code, 2);
    assert_eq!(port.attrs.lid, Ok(868));
    assert_eq!(*port.attrs.rate.as_ref().unwrap(), *"10 Gb/sec (4X SDR)");
}

#[test]
fn two_ports_of_one_device() {
    let tree = Tree::new();
    let hca = tree.hca("mlx4_0", None);
    for number in [10, 2, 1] {
        tree.port(&hca, number, &Port::active("56 Gb/sec (4X FDR)"));
    }
    tree.dir(format!("{hca}/ports/nonsense"));
    tree.file(format!("{hca}/ports/3"), "");
    let numbers: Vec<u32> = read(&tree, "mlx4_0").ports.iter().map(|p| p.number).collect();
    assert_eq!(numbers, [1, 2, 10]);
}

#[test]
fn saturated_counters_are_what_they_are() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("400 Gb/sec (4X NDR)"));
    tree.file(format!("{port}/counters/port_xmit_wait"), "4294967295\n");
    let device = read(&tree, "mlx5_0");
    assert_eq!(device.ports[0].counters.get("port_xmit_wait"), Some(&Ok(4_294_967_295)));
}

#[test]
fn counters_without_a_pma() {
    let tree = Tree::new();
    let port = tree.port(&tree.hca("i40iw0", None), 1, &Port::active("10 Gb/sec (4X)"));
    for name in PMA {
        tree.file(format!("{port}/counters/{name}"), "N/A (no PMA)\n");
    }
    let device = read(&tree, "i40iw0");
    let counters = &device.ports[0].counters;
    assert_eq!(why(counters.get("symbol_error").unwrap()), Some(Why::Unsupported));
    assert_eq!(why(&device.ports[0].data.rx[0].value), Some(Why::Unsupported));
}

#[test]
fn p09_refused_counters_are_left_alone() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("400 Gb/sec (4X NDR)"));
    for name in PMA {
        tree.refuse(format!("{port}/counters/{name}"));
    }
    let mut reader = reader(&tree, "mlx5_0");
    let device = reader.pass(Due::ALL).unwrap();
    assert!(device.ports[0].counters.items.iter().all(|c| why(&c.value) == Some(Why::Unsupported)));
    let device = reader.pass(SLOW).unwrap();
    // state, phys_state, both LIDs and hw_counters only
    assert_eq!(reader.reads(), 4 + MLX5_HW.len() as u32);
    assert_eq!(why(device.ports[0].counters.get("symbol_error").unwrap()), Some(Why::Unsupported));
}

#[test]
fn a_container_has_no_counters() {
    let tree = Tree::new();
    tree.port(&tree.hca("mlx5_0", None), 1, &Port::active("400 Gb/sec (4X NDR)"));
    let device = read(&tree, "mlx5_0");
    assert!(device.ports[0].counters.items.is_empty());
    assert!(device.ports[0].data.rx.is_empty());
}

#[test]
fn the_source_of_the_byte_rate() {
    let source = |groups: &[(&str, &[&str])]| {
        let tree = Tree::new();
        let port = tree.port(&tree.hca("x0", None), 1, &Port::roce("100 Gb/sec (4X EDR)"));
        for (group, names) in groups {
            tree.counters(&port, group, names, 7);
        }
        let device = read(&tree, "x0");
        let data = &device.ports[0].data;
        let files = data.rx.iter().chain(&data.tx).map(|c| c.file.to_string());
        files.collect::<Vec<_>>().join(" ")
    };
    let pma: (&str, &[&str]) = ("counters", &PMA);
    assert_eq!(source(&[pma]), "counters/port_rcv_data counters/port_xmit_data");
    assert_eq!(
        source(&[pma, ("counters_ext", &["port_rcv_data_64", "port_xmit_data_64"])]),
        "counters_ext/port_rcv_data_64 counters_ext/port_xmit_data_64"
    );
    assert_eq!(
        source(&[("hw_counters", &["rx_bytes", "tx_bytes", "rdma_read_bytes"])]),
        "hw_counters/rx_bytes hw_counters/tx_bytes"
    );
    assert_eq!(
        source(&[("hw_counters", &["ip4InOctets", "ip6InOctets", "ip4OutOctets", "ip6OutOctets"])]),
        "hw_counters/ip4InOctets hw_counters/ip6InOctets hw_counters/ip4OutOctets hw_counters/ip6OutOctets"
    );
    assert_eq!(
        source(&[("hw_counters", &["rx_bytes_cnt", "tx_bytes_cnt"])]),
        "hw_counters/rx_bytes_cnt hw_counters/tx_bytes_cnt"
    );
    assert_eq!(source(&[("hw_counters", &["sent_pkts", "rcvd_pkts"])]), "");
}

#[test]
fn a_refused_source_makes_way_for_the_next() {
    let tree = Tree::new();
    let port = tree.port(&tree.hca("bnxt_re0", None), 1, &Port::roce("100 Gb/sec (4X EDR)"));
    tree.counters(&port, "counters", &PMA, 1);
    tree.counters(&port, "hw_counters", &["rx_bytes", "tx_bytes"], 7);
    tree.refuse(format!("{port}/counters/port_rcv_data"));
    tree.refuse(format!("{port}/counters/port_xmit_data"));
    let device = read(&tree, "bnxt_re0");
    assert_eq!(device.ports[0].data.rx[0].file, *"hw_counters/rx_bytes");
    assert_eq!(device.ports[0].data.rx[0].value, Ok(7));
}

#[test]
fn old_kernels_have_their_64_bit_counters_apart() {
    let tree = Tree::new();
    let port = tree.port(&tree.hca("mlx4_0", None), 1, &Port::active("40 Gb/sec (4X QDR)"));
    tree.counters(&port, "counters", &["port_rcv_data", "symbol_error"], 5);
    tree.counters(&port, "counters_ext", &["port_rcv_data_64"], 6);
    let device = read(&tree, "mlx4_0");
    let counters = &device.ports[0].counters;
    assert_eq!(counters.get("port_rcv_data"), Some(&Ok(5)));
    assert_eq!(counters.get("port_rcv_data_64"), Some(&Ok(6)));
}

#[test]
fn omni_path_has_commas_in_names() {
    let tree = Tree::new();
    let pci = tree.pci("0000:5e", 0, "8.0 GT/s PCIe", "16");
    let hca = tree.hca("hfi1_0", Some(&pci));
    tree.remove(format!("{hca}/hca_type"));
    let mut spec = Port::active("100 Gb/sec (4X EDR)");
    spec.phys_state = "9: <unknown>";
    let port = tree.port(&hca, 1, &spec);
    tree.counters(&port, "counters", &PMA, 1);
    tree.counters(&port, "hw_counters", &["SwLinkUp,32", "LinkWidth"], 3);
    tree.counters(&hca, "hw_counters", &["DcRxFlits,64"], 4);
    let device = read(&tree, "hfi1_0");
    assert_eq!(why(&device.attrs.hca_type), Some(Why::Absent));
    assert_eq!(device.ports[0].phys_state.value.as_ref().unwrap().code, 9);
    assert_eq!(device.ports[0].hw_counters.get("SwLinkUp,32"), Some(&Ok(3)));
    assert_eq!(device.hw_counters.get("DcRxFlits,64"), Some(&Ok(4)));
}

#[test]
fn soft_roce() {
    let tree = Tree::new();
    let hca = tree.hca("rxe0", None);
    tree.file(format!("{hca}/parent"), "eth1\n");
    tree.file(format!("{hca}/fw_ver"), "\n");
    let port = tree.port(&hca, 1, &Port::roce("2.5 Gb/sec (1X SDR)"));
    tree.file(format!("{port}/gid_attrs/ndevs/0"), "eth1\n");
    tree.counters(&port, "hw_counters", &["sent_pkts", "rcvd_pkts"], 3);
    let device = read(&tree, "rxe0");
    assert_eq!(*device.attrs.driver.as_ref().unwrap(), *"rxe");
    assert_eq!(device.attrs.parent.as_deref(), Some("eth1"));
    assert_eq!(*device.attrs.fw_ver.as_ref().unwrap(), *"");
    assert_eq!(device.attrs.pci, None);
    let gids = &device.ports[0].attrs.gids;
    assert_eq!(gids.len(), 2);
    assert_eq!(gids[0].netdev.as_deref(), Some("eth1"));
    assert_eq!(gids[1].netdev, None);
}

#[test]
fn efa_is_no_infiniband() {
    let tree = Tree::new();
    let hca = tree.hca("rdmap0s31", None);
    tree.file(format!("{hca}/node_type"), "7: unspecified\n");
    let mut spec = Port::active("100 Gb/sec (4X EDR)");
    spec.link_layer = "Unknown";
    let port = tree.port(&hca, 1, &spec);
    tree.remove(format!("{port}/pkeys"));
    let device = read(&tree, "rdmap0s31");
    assert_eq!(device.attrs.node_type.as_ref().unwrap().code, 7);
    assert_eq!(why(&device.ports[0].attrs.pkeys), Some(Why::Absent));
    assert_eq!(why(&device.attrs.driver), Some(Why::Absent));
}

#[test]
fn copied_without_links_the_uevent_tells() {
    let tree = Tree::new();
    let path = "sys/class/infiniband/mlx5_0";
    tree.file(format!("{path}/device/uevent"), "DRIVER=mlx5_core\nPCI_SLOT_NAME=0000:1a:00.0\n");
    tree.file(format!("{path}/device/current_link_width"), "16\n");
    tree.port(path, 1, &Port::active("200 Gb/sec (4X HDR)"));
    let device = read(&tree, "mlx5_0");
    assert_eq!(*device.attrs.driver.as_ref().unwrap(), *"mlx5_core");
    let pci = device.attrs.pci.as_ref().unwrap();
    assert_eq!(pci.address, *"0000:1a:00.0");
    assert_eq!(pci.path[0].current_width, Ok(16));
}

#[test]
fn a_fast_pass_reads_four_files_and_shares_the_rest() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    let mut reader = reader(&tree, "mlx5_0");
    let first = reader.pass(Due::default()).unwrap();
    tree.file(format!("{port}/counters/port_rcv_data"), "2000\n");
    tree.file(format!("{port}/counters/symbol_error"), "2000\n");
    let second = reader.pass(DATA).unwrap();
    // state, phys_state, and the two data counters
    assert_eq!(reader.reads(), 4);
    assert_eq!(second.ports[0].data.rx[0].value, Ok(2000));
    assert!(Arc::ptr_eq(&first.attrs, &second.attrs));
    assert!(Arc::ptr_eq(&first.ports[0].attrs, &second.ports[0].attrs));
    assert!(Arc::ptr_eq(&first.ports[0].counters, &second.ports[0].counters));
    assert_eq!(second.ports[0].counters.get("symbol_error"), Some(&Ok(1000)));
    let third = reader.pass(Due::ALL).unwrap();
    assert!(Arc::ptr_eq(&first.attrs, &third.attrs));
    assert!(Arc::ptr_eq(&first.ports[0].attrs, &third.ports[0].attrs));
    assert_eq!(third.ports[0].counters.get("symbol_error"), Some(&Ok(2000)));
}

#[test]
fn an_active_port_that_loses_lanes_or_its_manager_is_noticed() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    let mut reader = reader(&tree, "mlx5_0");
    reader.pass(Due::ALL).unwrap();
    tree.file(format!("{port}/rate"), "14 Gb/sec (1X FDR)\n");
    tree.file(format!("{port}/phys_state"), "6: LinkErrorRecovery\n");
    let state = Due { state: true, ..Due::default() };
    reader.pass(state).unwrap();
    assert_eq!(reader.reads(), 2, "state and one of the two");
    let device = reader.pass(state).unwrap();
    assert_eq!(device.ports[0].attrs.rate, Ok("14 Gb/sec (1X FDR)".into()));
    assert_eq!(device.ports[0].phys_state.value.as_ref().unwrap().code, 6);
    tree.file(format!("{port}/sm_lid"), "0x0\n");
    let device = reader.pass(SLOW).unwrap();
    assert_eq!(device.ports[0].attrs.sm_lid, Ok(0));
}

#[test]
fn a_change_of_state_brings_the_rest_of_the_port() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    let mut reader = reader(&tree, "mlx5_0");
    reader.pass(Due::ALL).unwrap();
    tree.file(format!("{port}/state"), "2: INIT\n");
    tree.file(format!("{port}/phys_state"), "6: LinkErrorRecovery\n");
    tree.file(format!("{port}/sm_lid"), "0x0\n");
    let device = reader.pass(DATA).unwrap();
    assert_eq!(device.ports[0].state.value.as_ref().unwrap().word, *"INIT");
    assert_eq!(device.ports[0].phys_state.value.as_ref().unwrap().code, 6);
    assert_eq!(device.ports[0].attrs.sm_lid, Ok(0));
}

#[test]
fn a_device_that_goes_is_absent() {
    let tree = Tree::new();
    tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    let mut reader = reader(&tree, "mlx5_0");
    reader.pass(Due::ALL).unwrap();
    tree.remove("sys/class/infiniband/mlx5_0");
    assert_eq!(why(&reader.pass(DATA)), Some(Why::Absent));
}

#[test]
fn a_fifo_does_not_block() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    for name in ["state", "rate", "counters/symbol_error", "counters/port_rcv_data"] {
        tree.remove(format!("{port}/{name}"));
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let path = tree.at(format!("{port}/{name}"));
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }
    let device = read(&tree, "mlx5_0");
    assert_eq!(why(&device.ports[0].state.value), Some(Why::Unsupported));
    assert_eq!(why(&device.ports[0].attrs.rate), Some(Why::Unsupported));
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    tree.remove(format!("{port}/rate"));
    tree.link(format!("{port}/rate"), "/proc/version");
    tree.remove(format!("{port}/lid"));
    tree.link(format!("{port}/lid"), "nowhere");
    let device = read(&tree, "mlx5_0");
    assert_eq!(why(&device.ports[0].attrs.rate), Some(Why::Unsupported));
    assert_eq!(why(&device.ports[0].attrs.lid), Some(Why::Unsupported));
}

#[test]
fn a_long_file_is_cut_and_a_padded_one_is_read() {
    let tree = Tree::new();
    let port = tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
    tree.bytes(format!("{port}/counters/symbol_error"), &vec![b'7'; 100_000]);
    let mut padded = b"42\n".to_vec();
    padded.resize(4096, 0);
    tree.bytes(format!("{port}/counters/link_downed"), &padded);
    let device = read(&tree, "mlx5_0");
    let counters = &device.ports[0].counters;
    let unknown = counters.get("symbol_error").unwrap().as_ref().unwrap_err();
    assert_eq!(unknown.why, Why::Unparsable);
    assert!(unknown.detail.len() < 200);
    assert_eq!(counters.get("link_downed"), Some(&Ok(42)));
}

/// Puts `bytes` into every file below `dir`.
fn spoil(dir: &Path, bytes: &[u8]) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap();
        if kind.is_dir() {
            spoil(&path, bytes);
        } else if kind.is_file() {
            std::fs::write(path, bytes).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn garbage_in_every_file(bytes: Vec<u8>) {
        let tree = Tree::new();
        tree.mlx5("mlx5_0", "0000:1a", &Port::active("200 Gb/sec (4X HDR)"));
        spoil(tree.path(), &bytes);
        let mut reader = reader(&tree, "mlx5_0");
        for due in [Due::ALL, DATA, SLOW, Due::ALL] {
            prop_assert!(reader.pass(due).is_ok());
        }
    }
}
