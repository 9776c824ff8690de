use super::*;
use std::io::Write;
use std::os::unix::fs::symlink;
use tar::{EntryType, Header};

mod lnet;

const DEVICE: &str = "sys/devices/pci0000:40/0000:40:01.1/0000:41:00.0";

fn cause(path: &Path) -> String {
    Capture::open(path).err().unwrap().to_string()
}

fn all(capture: &mut Capture) -> Vec<Sample> {
    std::iter::from_fn(|| capture.next().unwrap()).collect()
}

/// A node with one HCA, its netdev, a bond and a few sysctls.
fn node() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let link = |path: &str, target: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    };
    let (net, rdma) = (format!("{DEVICE}/net/ib0"), format!("{DEVICE}/infiniband/mlx5_0"));
    put(&format!("{net}/mtu"), "2044\n");
    put(&format!("{net}/dev_port"), "0\n");
    put(&format!("{net}/statistics/rx_bytes"), "1000\n");
    put(&format!("{DEVICE}/numa_node"), "1\n");
    put(&format!("{DEVICE}/vpd"), "must not be copied");
    put(&format!("{DEVICE}/../max_link_width"), "16\n");
    put(&format!("{rdma}/node_guid"), "a088:c203:0074:cfda\n");
    put(&format!("{rdma}/chip_reset"), "must not be copied");
    put(&format!("{rdma}/ports/1/state"), "4: ACTIVE\n");
    put(&format!("{rdma}/ports/1/counters/port_rcv_data"), "7\n");
    put(&format!("{rdma}/ports/1/gids/0"), "fe80:0000:0000:0000:a088:c203:0074:cfda\n");
    put("sys/bus/pci/drivers/mlx5_core/bind", "must not be copied");
    link(&format!("{net}/device"), "../..");
    link(&format!("{rdma}/device"), "../..");
    link(&format!("{DEVICE}/driver"), "../../../../bus/pci/drivers/mlx5_core");
    link("sys/class/net/ib0", &format!("../../{}", net.strip_prefix("sys/").unwrap()));
    link("sys/class/infiniband/mlx5_0", &format!("../../{}", rdma.strip_prefix("sys/").unwrap()));
    put("sys/class/net/odd \u{1b}[2J name/mtu", "1500\n");
    put("sys/module/lnet/parameters/networks", "o2ib(ib0)\n");
    put("proc/sys/net/ipv4/conf/ib0/arp_ignore", "1\n");
    put("proc/sys/kernel/hostname", "oss07\n");
    put("proc/stat", "cpu  1\ncpu0 1\nintr 1 2 3\nbtime 17\n");
    dir
}

fn collect(target: &Path, samples: u32) -> Summary {
    let node = node();
    let root = Root::new(node.path());
    write::Job::new(&root, Duration::from_millis(1), None, false).write(target, samples).unwrap()
}

fn check_tree(top: &Path) {
    let text = |path: &str| fs::read_to_string(top.join(path)).unwrap_or_default();
    assert_eq!(text("sys/class/net/ib0/mtu"), "2044\n");
    assert_eq!(text("sys/class/net/ib0/device/numa_node"), "1\n");
    assert_eq!(text("sys/class/net/ib0/statistics/rx_bytes"), "1000\n");
    assert_eq!(text("sys/class/infiniband/mlx5_0/ports/1/counters/port_rcv_data"), "7\n");
    assert_eq!(text("sys/class/infiniband/mlx5_0/device/../max_link_width"), "16\n");
    assert_eq!(text("sys/class/net/odd \u{1b}[2J name/mtu"), "1500\n");
    assert_eq!(text("sys/module/lnet/parameters/networks"), "o2ib(ib0)\n");
    assert_eq!(text("proc/sys/net/ipv4/conf/ib0/arp_ignore"), "1\n");
    assert_eq!(text("proc/stat"), "cpu  1\ncpu0 1\nbtime 17\n");
    let driver = fs::canonicalize(top.join("sys/class/net/ib0/device/driver")).unwrap();
    assert!(driver.ends_with("sys/bus/pci/drivers/mlx5_core"));
    assert!(fs::symlink_metadata(top.join("sys/class/net/ib0")).unwrap().is_symlink());
    for path in ["vpd", "infiniband/mlx5_0/chip_reset", "driver/bind"] {
        assert!(!top.join(DEVICE).join(path).exists(), "{path}");
    }
}

#[test]
fn a_directory_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("capture");
    let summary = collect(&target, 1);
    assert_eq!(summary.errors, 0, "{summary:?}");
    check_tree(&target);
    let mut capture = Capture::open(&target).unwrap();
    assert_eq!(all(&mut capture).len(), 1);
    assert!(
        write(&Root::system(), &target, 1, Duration::ZERO, None, false).is_err(),
        "it is not empty"
    );
}

/// The only sample, with all times zero.
fn timeless(path: &Path) -> Sample {
    let mut sample = all(&mut Capture::open(path).unwrap()).remove(0);
    sample.time.mono = crate::sample::Mono::default();
    restamp::restamp(&mut sample);
    sample
}

#[test]
fn a_copy_reads_as_the_original() {
    let (node, dir) = (node(), tempfile::tempdir().unwrap());
    let target = dir.path().join("copy.tar.zst");
    let root = Root::new(node.path());
    write::Job::new(&root, Duration::ZERO, None, false).write(&target, 1).unwrap();
    let (original, copy) = (timeless(node.path()), timeless(&target));
    assert_eq!(original.netdevs, copy.netdevs);
    assert_eq!(original.rdma, copy.rdma);
    assert_eq!(original.sysctls, copy.sysctls);
    assert_eq!(original.lnet.modules, copy.lnet.modules);
    assert_eq!(original.host.boot_time_seconds, copy.host.boot_time_seconds);
}

#[test]
fn an_archive_comes_back_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["oss07.tar.zst", "oss07.tar"] {
        let target = dir.path().join(name);
        collect(&target, 2);
        let mut capture = Capture::open(&target).unwrap();
        let top = capture.top.clone();
        assert!(top.ends_with("oss07"));
        check_tree(&top.join("samples/0002"));
        let samples = all(&mut capture);
        assert_eq!(samples.len(), 2);
        assert!(samples[0].time.mono < samples[1].time.mono);
        let [a, b] = [0, 1].map(|i| samples[i].routing.at);
        assert!(a <= b && a == samples[0].time.mono);
        drop(capture);
        assert!(!top.exists());
        assert!(
            write(&Root::system(), &target, 1, Duration::ZERO, None, false).is_err(),
            "it exists"
        );
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn a_device_that_hangs_is_named_and_the_rest_is_there() {
    let (node, dir) = (node(), tempfile::tempdir().unwrap());
    let device = node.path().join(DEVICE).join("infiniband/mlx5_0");
    fs::remove_file(device.join("node_guid")).unwrap();
    // Opening a FIFO that nobody writes to never returns.
    let pipe = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, device.join("node_guid"), pipe, mode, 0).unwrap();
    let root = Root::new(node.path());
    let mut job = write::Job::new(&root, Duration::ZERO, None, false);
    job.deadline = Duration::from_secs(2);
    let target = dir.path().join("capture");
    let summary = job.write(&target, 3).unwrap();
    assert_eq!(summary.hung, ["sys/class/infiniband/mlx5_0"]);
    for sample in ["0001", "0002", "0003"] {
        let at = |path: &str| target.join("samples").join(sample).join(path);
        let error = fs::read_to_string(at("sys/class/infiniband/mlx5_0.error")).unwrap();
        assert!(error.starts_with("timeout"), "{error}");
        assert!(at("sys/class/net/ib0/statistics/rx_bytes").exists());
        assert!(at("proc/sys/kernel/hostname").exists());
    }
    let samples = all(&mut Capture::open(&target).unwrap());
    assert_eq!(samples.len(), 3);
    assert_eq!(samples[0].notes[0].reader, *"mlx5_0");
    assert_eq!(samples[0].notes[0].what, *"timeout: no answer in 2 s");
}

#[test]
fn a_refused_read_leaves_its_reason_and_is_not_repeated() {
    let (node, dir) = (node(), tempfile::tempdir().unwrap());
    let refused = Arc::new(copier::Refused::default());
    let file = Path::new(DEVICE).join("infiniband/mlx5_0/ports/1/counters/port_rcv_data");
    // As if the driver had said EINVAL before.
    refused.lock().unwrap().insert(file.clone(), 22);
    let copier = copier::Copier::new(node.path(), dir.path(), &Arc::default(), &refused);
    assert!(copier.file("sys/class/infiniband/mlx5_0/ports/1/counters/port_rcv_data").is_none());
    assert_eq!(fs::read(dir.path().join(&file)).unwrap(), b"");
    let mut error = file.into_os_string();
    error.push(".error");
    let words = fs::read_to_string(dir.path().join(error)).unwrap();
    assert!(words.starts_with("EINVAL: Invalid argument"), "{words}");
}

#[test]
fn this_machine_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("here");
    write(&Root::system(), &target, 1, Duration::ZERO, None, false).unwrap();
    let sample = all(&mut Capture::open(&target).unwrap()).remove(0);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let short = |name: &str| name.trim().split('.').next().map(str::to_owned);
    assert_eq!(short(sample.host.name.as_ref().unwrap()), short(&host));
    assert!(target.join("sys/class/net/lo/statistics/rx_bytes").exists());
    let here = NetReader::new(&Root::system()).pass(Due::ALL).unwrap();
    let copied = sample.netdevs.clone().unwrap();
    let facts = |netdevs: &[Arc<Netdev>]| {
        let fact = |n: &Arc<Netdev>| {
            let a = &n.attrs;
            (n.name.clone(), a.ifindex.clone(), a.pci.clone(), a.is_virtual, a.kind.clone())
        };
        netdevs.iter().map(fact).collect::<Vec<_>>()
    };
    assert_eq!(facts(&here), facts(&copied));
    let live = read::rtnl::Rtnl::start(|_| {}).and_then(|r| r.links(Duration::from_secs(20)));
    match (live, sample.links) {
        (Ok(live), Ok(copied)) => {
            let key = |l: &Link| (l.index, l.name.clone(), l.kind, l.mtu, l.address.clone());
            let keys = |links: &[Link]| links.iter().map(key).collect::<Vec<_>>();
            assert_eq!(keys(&live), keys(&copied));
        }
        (live, _) => println!("skipped: no links to compare with: {:?}", live.err()),
    }
}

#[test]
fn what_is_no_capture_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    assert!(cause(&dir.path().join("nothing")).contains("nothing: No such file"));
    assert!(cause(dir.path()).contains("expected one of sys/"));
    assert!(cause(Path::new("/")).contains("this node itself"));
    let file = dir.path().join("file.tar.zst");
    fs::write(&file, "hello").unwrap();
    assert!(cause(&file).contains("neither a directory nor a .tar"));
    fs::write(&file, [0x1f, 0x8b, 8, 0]).unwrap();
    assert!(cause(&file).contains("gzip"));
    fs::write(&file, "").unwrap();
    assert!(cause(&file).contains("neither"));
}

#[test]
fn parts_fall_back_to_the_top() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["proc", "samples/0002/sys", "samples/0010/proc", "samples/0001"] {
        fs::create_dir_all(dir.path().join(path)).unwrap();
    }
    fs::write(dir.path().join("meta.json"), r#"{"time":"2026-01-15T14:00:00Z","host":"n"}"#)
        .unwrap();
    let mut capture = Capture::open(dir.path()).unwrap();
    let order: Vec<_> = capture.left.iter().map(|(d, ..)| d.clone()).collect();
    let at = |p: &str| dir.path().join(p);
    assert_eq!(order, [at("samples/0001"), at("samples/0002"), at("samples/0010")]);
    assert_eq!(capture.holder(&order[1], "sys"), at("samples/0002"));
    assert_eq!(capture.holder(&order[1], "proc"), dir.path());
    let samples = all(&mut capture);
    assert_eq!(samples[2].time.wall.to_string(), "2026-01-15T14:00:02Z");
    assert_eq!(samples[2].host.name, Ok(Text::new("n")));
    assert!(samples[0].netdevs.is_err());
    assert!(capture.next().unwrap().is_none());
}

#[test]
fn a_directory_with_links_out_of_it_is_copied_without_them() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("sys/class/net/ib0")).unwrap();
    fs::write(dir.path().join("secret"), "x").unwrap();
    let at = |p: &str| dir.path().join("sys/class/net").join(p);
    fs::write(at("ib0/mtu"), "2044").unwrap();
    symlink("/sys/class/net/lo", at("ib1")).unwrap();
    symlink("../../../../../../../../../../sys/class/net/lo", at("ib2")).unwrap();
    let capture = Capture::open(dir.path()).unwrap();
    let net = capture.top.join("sys/class/net");
    assert!(capture.copy.is_some());
    assert!(net.join("ib0/mtu").exists());
    assert!(fs::symlink_metadata(net.join("ib1")).is_err());
    assert!(fs::symlink_metadata(net.join("ib2")).is_err());
}

struct Hostile(tar::Builder<Vec<u8>>);

impl Hostile {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new())).file("sys/class/net/lo/mtu", b"65536\n")
    }

    /// An entry with a name that the library would refuse to write.
    fn entry(mut self, name: &str, kind: EntryType, link: &str, size: u64, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o4777);
        header.set_cksum();
        self.0.append(&header, data).unwrap();
        self
    }

    fn file(self, name: &str, data: &[u8]) -> Self {
        self.entry(name, EntryType::Regular, "", data.len() as u64, data)
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.entry(name, EntryType::Symlink, target, 0, b"")
    }

    fn open(self, dir: &Path) -> Result<Capture, SourceError> {
        open_bytes(dir, &self.0.into_inner().unwrap())
    }
}

fn open_bytes(dir: &Path, bytes: &[u8]) -> Result<Capture, SourceError> {
    let path = dir.join("hostile.tar");
    fs::write(&path, bytes).unwrap();
    Capture::open(&path)
}

#[test]
fn hostile_paths_stay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let error = Hostile::new().file("../evil", b"x").open(dir.path()).err().unwrap();
    assert!(error.to_string().contains("leads out"), "{error}");
    let error = Hostile::new().file("sys/../../evil", b"x").open(dir.path()).err().unwrap();
    assert!(error.to_string().contains("leads out"), "{error}");

    let capture = Hostile::new().file("/sys/absolute", b"x").open(dir.path()).unwrap();
    assert!(capture.top.join("sys/absolute").exists());
    assert!(!Path::new("/sys/absolute").exists());
}

#[test]
fn hostile_links_do_not_lead_a_file_out() {
    let dir = tempfile::tempdir().unwrap();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let capture = Hostile::new()
        .link("sys/way", outside.to_str().unwrap())
        .file("sys/way/evil", b"x")
        .link("sys/out", "../../../../../../../../etc")
        .link("sys/out/more", "x")
        .link("sys/in", "class/net/lo")
        .entry("sys/hard", EntryType::Link, "/etc/passwd", 0, b"")
        .entry("sys/zero", EntryType::Char, "", 0, b"")
        .entry("sys/pipe", EntryType::Fifo, "", 0, b"")
        .open(dir.path())
        .unwrap();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let kept = |name: &str| fs::symlink_metadata(capture.top.join("sys").join(name)).is_ok();
    assert!(kept("way/evil") && kept("in/mtu"));
    assert!(!kept("out") && !kept("hard") && !kept("zero") && !kept("pipe"));
}

#[test]
fn damaged_archives_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let good = Hostile::new().file("sys/big", &[b'x'; 5000]).0.into_inner().unwrap();
    let cut = open_bytes(dir.path(), &good[..3000]).err().unwrap();
    assert!(cut.to_string().contains("too early"), "{cut}");
    let packed = zstd::encode_all(&*good, 1).unwrap();
    assert!(open_bytes(dir.path(), &packed).is_ok());
    assert!(open_bytes(dir.path(), &packed[..packed.len() - 9]).is_err());
    let mut broken = good.clone();
    broken[3] ^= 1;
    assert!(open_bytes(dir.path(), &broken).is_err());
}

#[test]
fn an_archive_that_grows_without_end_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    // A long name of 64 MiB: the tar reader would hold it in memory.
    let path = dir.path().join("bomb.tar.zst");
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(64 << 20);
    header.set_cksum();
    let mut encoder = zstd::Encoder::new(fs::File::create(&path).unwrap(), 1).unwrap();
    encoder.write_all(header.as_bytes()).unwrap();
    for _ in 0..64 {
        encoder.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap();
    assert!(cause(&path).contains("too large"));
    // A file that says it is larger than anything allowed.
    let error = Hostile::new()
        .entry("sys/huge", EntryType::Regular, "", 1 << 40, b"x")
        .open(dir.path())
        .err()
        .unwrap();
    assert!(error.to_string().contains("too early"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn arbitrary_archives_never_panic(at in 0usize..2048, byte: u8, cut in 0usize..4096) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = Hostile::new().link("sys/class/net/ib0", "lo").0.into_inner().unwrap();
        bytes.truncate(cut);
        if let Some(b) = bytes.get_mut(at) {
            *b = byte;
        }
        if let Ok(mut capture) = open_bytes(dir.path(), &bytes) {
            let _ = capture.next();
        }
    }
}
