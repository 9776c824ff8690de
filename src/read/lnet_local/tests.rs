use super::*;
use crate::sample::{LoadedModule, LustreMount};
use std::fs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

fn node(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn local(dir: &TempDir) -> LnetLocal {
    let root = Root::new(dir.path());
    read(&Roots { sys: root.clone(), proc: root.clone(), etc: root })
}

fn lines(file: &LnetFile) -> Vec<&str> {
    file.lines.as_ref().unwrap().iter().map(Text::as_str).collect()
}

#[test]
fn parameters_as_printed() {
    let dir = node(&[
        ("sys/module/lnet/parameters/networks", "o2ib(ib0,ib1)\n"),
        ("sys/module/lnet/parameters/ip2nets", "\n"),
        ("sys/module/lnet/parameters/routes.error", "EACCES\n"),
        ("sys/module/in_kernel_ko2iblnd/parameters/peer_credits", "32\n\0\0"),
        ("sys/module/xfs/parameters/x", "1\n"),
    ]);
    let local = local(&dir);
    assert_eq!(local.parameter("lnet", "networks"), Some("o2ib(ib0,ib1)"));
    assert_eq!(local.parameter("lnet", "ip2nets"), Some(""));
    assert_eq!(local.parameter("in_kernel_ko2iblnd", "peer_credits"), Some("32"));
    assert_eq!(local.parameters.len(), 3);
    assert_eq!((local.files.len(), local.service_enabled), (0, None));
}

#[test]
fn files_in_the_order_of_modprobe() {
    let dir = node(&[
        ("etc/lnet.conf", "net:\n    - net type: o2ib\n"),
        (
            "etc/modprobe.d/lustre.conf",
            "# x\noptions lnet networks=tcp \\\n  accept=all\noptions xfs a=1\n",
        ),
        ("etc/modprobe.d/a.conf", "options bonding mode=1\n"),
        ("etc/modprobe.d/lustre.conf.bak", "options lnet networks=bad\n"),
        ("run/modprobe.d/b.conf", "options ko2iblnd-opa peer_credits=128\n"),
        ("usr/lib/modprobe.d/lustre.conf", "options lnet networks=hidden\n"),
        (
            "lib/modprobe.d/ko2iblnd.conf",
            "alias ko2iblnd-opa ko2iblnd\ninstall ko2iblnd /usr/sbin/ko2iblnd-probe\nblacklist lnet\n",
        ),
    ]);
    let files = local(&dir).files;
    let paths: Vec<&str> = files.iter().map(|f| &*f.path).collect();
    assert_eq!(
        paths,
        [
            "/etc/lnet.conf",
            "/run/modprobe.d/b.conf",
            "/lib/modprobe.d/ko2iblnd.conf",
            "/etc/modprobe.d/lustre.conf",
        ]
    );
    assert_eq!(lines(&files[0]), ["net:", "    - net type: o2ib"]);
    assert_eq!(
        lines(&files[2]),
        ["alias ko2iblnd-opa ko2iblnd", "install ko2iblnd /usr/sbin/ko2iblnd-probe"]
    );
    assert_eq!(lines(&files[3]), ["options lnet networks=tcp   accept=all"]);
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_absent() {
    let dir = node(&[("etc/passwd", "")]);
    let files = local(&dir).files;
    assert_eq!((files.len(), &*files[0].path), (1, "/etc/lnet.conf"));
    assert_eq!(files[0].lines.as_ref().unwrap_err().why, Why::Absent);

    let long = "x".repeat(300_000);
    let dir = node(&[("etc/lnet.conf", &long), ("etc/modprobe.d/lnet.conf", &long)]);
    let files = local(&dir).files;
    assert!(files.iter().all(|f| f.lines.as_ref().unwrap_err().why == Why::Unsupported));
    assert_eq!(files.len(), 2);
}

#[test]
fn who_uses_lnet() {
    let dir = node(&[(
        "proc/modules",
        "osc 471040 1 lustre, Live 0x0000000000000000 (OE)\n\
         lustre 1073152 2 - Live 0x0\n\
         ptlrpc 2744320 2 osc,lustre, Live 0x0\n\
         xfs 1 1 - Live 0x0\n\
         ksocklnd 196608 1 - Live 0x0\n\
         lnet 983040 7 ptlrpc,ksocklnd, Live 0x0\n\
         libcfs 200704 5 osc,ptlrpc,ksocklnd,lnet, Live 0x0\n\
         odd - - -\n\
         sunrpc 5",
    )]);
    let local = local(&dir);
    let names: Vec<&str> = local.modules.iter().map(|m| &*m.name).collect();
    assert_eq!(names, ["osc", "lustre", "ptlrpc", "ksocklnd", "lnet", "libcfs"]);
    let lnet = LoadedModule {
        name: "lnet".into(),
        references: 7,
        used_by: vec!["ptlrpc".into(), "ksocklnd".into()],
    };
    assert_eq!(local.module("lnet"), Some(&lnet));
    assert_eq!(local.module("lustre").unwrap().used_by, [""; 0]);
}

#[test]
fn what_is_mounted() {
    let dir = node(&[(
        "proc/mounts",
        "/dev/sda / ext4 rw 0 0\n\
         10.0.0.1@o2ib:10.0.0.2@o2ib:/fs /mnt/my\\040fs lustre rw,flock 0 0\n\
         /dev/sdb /ost\\0 lustre_tgt ro 0 0\n\
         lustre /x tmpfs rw 0 0\nbad\n",
    )]);
    let mounts = local(&dir).mounts;
    let client = LustreMount {
        source: "10.0.0.1@o2ib:10.0.0.2@o2ib:/fs".into(),
        target: "/mnt/my fs".into(),
        kind: "lustre".into(),
    };
    assert_eq!(mounts[0], client);
    assert_eq!((mounts.len(), &*mounts[1].target), (2, "/ost\\0"));
}

#[test]
fn the_service() {
    let dir = node(&[("etc/systemd/system/multi-user.target.wants/other.service", "")]);
    assert_eq!(local(&dir).service_enabled, Some(false));
    symlink(
        "/usr/lib/systemd/system/lnet.service",
        dir.path().join("etc/systemd/system/multi-user.target.wants/lnet.service"),
    )
    .unwrap();
    assert_eq!(local(&dir).service_enabled, Some(true));
}

#[test]
fn read_anew_when_something_changes() {
    const START: Mono = Mono(1_000_000_000);
    let dir = node(&[("etc/lnet.conf", "a\n"), ("proc/modules", "lnet 1 2 - Live\n")]);
    let mut reader = LocalReader::new(&Root::new(dir.path()));
    let first = reader.pass(START);
    // `/proc` alone tells nothing until everything is read again …
    fs::write(dir.path().join("proc/modules"), "lnet 1 3 - Live\n").unwrap();
    assert!(Arc::ptr_eq(&first, &reader.pass(START + Duration::from_secs(29))));
    let later = reader.pass(START + Duration::from_secs(30));
    assert_eq!(later.module("lnet").unwrap().references, 3);
    // … which changes nothing here.
    assert!(Arc::ptr_eq(&later, &reader.pass(START + Duration::from_mins(1))));

    fs::write(dir.path().join("etc/lnet.conf"), "b\n").unwrap();
    let time = SystemTime::now() + Duration::from_secs(5);
    fs::File::open(dir.path().join("etc/lnet.conf")).unwrap().set_modified(time).unwrap();
    let changed = reader.pass(START + Duration::from_secs(61));
    assert_eq!(lines(&changed.files[0]), ["b"]);
    fs::create_dir_all(dir.path().join("sys/module/lnet/parameters")).unwrap();
    fs::write(dir.path().join("sys/module/lnet/parameters/networks"), "tcp\n").unwrap();
    let loaded = reader.pass(START + Duration::from_secs(62));
    assert_eq!(loaded.parameter("lnet", "networks"), Some("tcp"));
}
