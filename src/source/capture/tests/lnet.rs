//! LNet in captures.

use super::*;

/// Everything of LNet that a node has: what lnetctl says, what its files say.
fn lnet_node(script: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("sys/module/lnet/parameters/networks", "o2ib(ib0)\n");
    put("sys/module/ko2iblnd/parameters/peer_credits", "32\n");
    put("sys/kernel/debug/lnet/nis", "nid max tx min\n10.0.0.1@o2ib 256 250 -3\n");
    put("proc/modules", "lnet 1 2 ko2iblnd, Live 0x0\nko2iblnd 1 0 - Live 0x0\n");
    put("proc/mounts", "secret /s cifs user=x 0 0\n10.0.0.9@o2ib:/fs /fs lustre rw 0 0\n");
    put("etc/lnet.conf", "net:\n    - net type: o2ib\n");
    put("etc/modprobe.d/lustre.conf", "options lnet networks=o2ib(ib0)\n");
    put("etc/modprobe.d/other.conf", "options bonding mode=1\n");
    put("run/modprobe.d/x.conf", "options ko2iblnd credits=64\n");
    put("etc/systemd/system/multi-user.target.wants/lnet.service", "");
    put("program", &format!("#!/bin/sh\n{script}\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(dir.path().join("program"), mode).unwrap();
    dir
}

fn lnet_capture(node: &tempfile::TempDir, samples: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("oss07.tar.zst");
    let root = Root::new(node.path());
    let program = node.path().join("program");
    write(&root, &target, samples, Duration::from_millis(1), Some(&program), false).unwrap();
    (dir, target)
}

const ANSWERS: &str = "\
case \"$*\" in
'net show -v 4') printf 'net:\\n    - net type: o2ib\\n      local NI(s):\\n        - nid: 10.0.0.1@o2ib\\n          status: up\\n' ;;
'peer show -v 4') printf 'peer:\\n    - primary nid: 10.0.0.9@o2ib\\n      Multi-Rail: True\\n' ;;
'stats show') printf 'statistics:\\n    send_length: 9\\n' ;;
'global show') printf 'global:\\n    numa_range: 0\\n' ;;
'route show -v') ;;
'routing show') ;;
'udsp show') echo \"lnetctl: 'udsp' is not a valid command.\" >&2; exit 255 ;;
--version) echo lnetctl 2.16.1 ;;
*) exit 99 ;;
esac";

#[test]
fn all_of_lnet_comes_back() {
    let node = lnet_node(ANSWERS);
    let (_dir, target) = lnet_capture(&node, 2);
    let samples = all(&mut Capture::open(&target).unwrap());
    let root = Root::new(node.path());
    let roots =
        read::lnet_local::Roots { sys: root.clone(), proc: root.clone(), etc: root.clone() };
    let here = read::lnet_local::read(&roots);
    assert_eq!((here.parameters.len(), here.files.len(), here.modules.len()), (2, 3, 2));
    for sample in &samples {
        let lnet = &sample.lnet;
        assert_eq!(*lnet.local, here);
        assert_eq!(lnet.local.service_enabled, Some(true));
        assert_eq!(lnet.version.as_deref(), Ok("2.16.1"));
        assert_eq!(lnet.answer.as_ref().unwrap().at, sample.time.mono);
        let more = &lnet.more;
        let peers = more.peers.as_ref().unwrap();
        assert_eq!((peers.at, &*peers.value[0].primary_nid), (sample.time.mono, "10.0.0.9@o2ib"));
        assert_eq!(more.stats.as_ref().unwrap().value.send_bytes, Ok(9));
        assert_eq!(more.global.as_ref().unwrap().value.number("numa_range"), Some(0));
        // That there are none is known.
        assert_eq!(more.routes.as_ref().unwrap().value, []);
        assert_eq!(more.routing.as_ref().unwrap().value.enable, None);
        assert_eq!(more.udsp.as_ref().unwrap_err().why, Why::Unsupported);
        assert_eq!(more.credits.as_ref().unwrap().value[0].min, -3);
    }
    assert!(Arc::ptr_eq(&samples[0].lnet.local, &samples[1].lnet.local));
    // What is not LNet's business is not in it.
    let capture = Capture::open(&target).unwrap();
    let sample = capture.top.join("samples/0001");
    assert!(!sample.join("etc/modprobe.d/other.conf").exists());
    let mounts = fs::read_to_string(sample.join("proc/mounts")).unwrap();
    assert!(mounts.contains("lustre") && !mounts.contains("secret"), "{mounts}");
}

#[test]
fn an_lnet_that_does_not_speak_is_captured_as_such() {
    let node = lnet_node(
        "echo 'opening /dev/lnet failed: Permission denied' >&2\necho hint >&2\nexit 243",
    );
    let (_dir, target) = lnet_capture(&node, 1);
    let lnet = all(&mut Capture::open(&target).unwrap()).remove(0).lnet;
    assert!(matches!(&lnet.answer, Err(crate::sample::LnetFailure::Denied(_))), "{lnet:?}");
    assert_eq!(lnet.more.peers.as_ref().unwrap_err().why, Why::Denied);
    assert_eq!(lnet.local.parameter("lnet", "networks"), Some("o2ib(ib0)"));

    // Nothing of it was captured at all.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("meta.json"), "{}").unwrap();
    let lnet = all(&mut Capture::open(dir.path()).unwrap()).remove(0).lnet;
    assert_eq!(lnet.answer, Err(crate::sample::LnetFailure::Pending));
    assert_eq!(lnet.more.peers.as_ref().unwrap_err().why, Why::Absent);
    assert_eq!(lnet.local.service_enabled, None);
}
