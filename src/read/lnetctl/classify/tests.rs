use super::super::fixtures::{
    ALL, DENIED_2_15, DENIED_2_16, DOWN_2_15, DOWN_2_16, UNLOADED_2_15, UNLOADED_2_16, V2_16,
};
use super::*;
use LnetFailure::{Denied, Failed, NotConfigured, NotInstalled, NotLoaded};
use proptest::prelude::*;

fn modules(lnet: Option<bool>) -> LnetModules {
    LnetModules { lnet, ..LnetModules::default() }
}

fn judge(
    lnet: Option<bool>,
    root: bool,
    end: End,
    stdout: &str,
    stderr: &str,
) -> Result<Vec<LnetNet>, LnetFailure> {
    classify(&Run {
        modules: &modules(lnet),
        root: Some(root),
        end: Some(end),
        stdout: stdout.as_bytes(),
        stderr: stderr.as_bytes(),
    })
}

fn failure(lnet: bool, exit: i32, stdout: &str, stderr: &str) -> LnetFailure {
    judge(Some(lnet), true, End::Exit(exit), stdout, stderr).unwrap_err()
}

fn words(failure: LnetFailure) -> String {
    match failure {
        Denied(words) | Failed(words) | LnetFailure::Timeout(words) => words.to_string(),
        other => panic!("{other:?} has no words"),
    }
}

#[test]
fn modules_not_loaded() {
    assert_eq!(failure(false, 0, "", UNLOADED_2_15), NotLoaded);
    assert_eq!(failure(false, 234, "", UNLOADED_2_16), NotLoaded);
    assert_eq!(failure(false, 0, "", ""), NotLoaded);
    let unknown = judge(None, true, End::Exit(0), "", UNLOADED_2_15);
    assert_eq!(unknown, Err(NotLoaded));
    // A container without /dev/lnet; a new tool above an old module.
    assert!(words(failure(true, 0, "", UNLOADED_2_15)).contains("/dev/lnet"));
    assert!(words(failure(true, 234, "", UNLOADED_2_16)).contains("netlink family"));
}

#[test]
fn loaded_but_not_configured() {
    assert_eq!(failure(true, 156, "", DOWN_2_15), NotConfigured);
    assert_eq!(failure(true, 234, "", DOWN_2_16), NotConfigured);
    assert_eq!(failure(true, 0, DOWN_2_15, ""), NotConfigured, "on stdout, too");
    assert_eq!(failure(true, 0, DOWN_2_16, ""), NotConfigured);
}

#[test]
fn not_permitted() {
    for (exit, text, said) in
        [(243, DENIED_2_15, "Permission denied"), (234, DENIED_2_16, "Operation not permitted")]
    {
        for (stdout, stderr) in [("", text), (text, "")] {
            let user = judge(Some(true), false, End::Exit(exit), stdout, stderr).unwrap_err();
            assert!(matches!(user, Denied(_)), "{user:?}");
            let user = words(user);
            assert!(user.contains(said) && user.contains("as root `lnetctl net show -v 4` adds"));
            let contained = judge(Some(true), true, End::Exit(exit), stdout, stderr).unwrap_err();
            assert!(words(contained).contains("root without CAP_NET_ADMIN and CAP_SYS_ADMIN"));
        }
    }
    // The rest of 2.10's crash after the complaint.
    assert!(matches!(failure(true, 139, "", DENIED_2_15), Denied(_)));
    let silent = judge(Some(true), false, End::Exit(234), "", "").unwrap_err();
    assert!(matches!(silent, Denied(_)));
}

#[test]
fn crashes_and_usage() {
    for end in [End::Signal(11), End::Exit(139)] {
        for stdout in ["", V2_16] {
            let crash = judge(Some(true), true, end, stdout, "Segmentation fault\n");
            assert_eq!(crash, Err(Failed("lnetctl crashed (signal 11)".into())));
        }
    }
    let usage = "net show: show networks\n\t--net: net name (e.g. tcp0) to filter on\n";
    let usage = words(failure(true, 0, usage, "show: invalid option -- '4'\n"));
    assert_eq!(usage, "show: invalid option -- '4'");
    let net =
        "show:\n    - net:\n          errno: -1\n          descr: \"cannot parse net 'bogus'\"\n";
    assert_eq!(words(failure(true, 255, "", net)), "exit 255: cannot parse net 'bogus' (errno -1)");
    let unknown = "lnetctl: 'frob' is not a valid command. See 'lnetctl --list-commands'.\n";
    assert!(words(failure(true, 255, "", unknown)).contains("not a valid command"));
    assert_eq!(words(failure(true, 1, "", "")), "lnetctl printed nothing (exit 1)");
    assert!(words(failure(true, 0, "\0\u{1}binary", "")).starts_with("no `net:` in it"));
    assert_eq!(failure(true, 127, "", "sh: 1: lnetctl: not found\n"), NotInstalled);
}

#[test]
fn content_decides_over_the_exit_code() {
    for fixture in ALL {
        for exit in [0, 1, 234, 254] {
            let nets = judge(Some(true), true, End::Exit(exit), fixture, "a warning\n").unwrap();
            assert_eq!(Ok(nets), net_show(fixture.as_bytes()));
        }
    }
    let success = "show:\n    - net:\n          errno: 0\n          descr: \"success\"\n";
    assert!(judge(Some(true), true, End::Exit(0), V2_16, success).is_ok());
    let lo =
        "net:\n    - net type: lo\n      local NI(s):\n        - nid: 0@lo\n          status: up\n";
    assert_eq!(judge(Some(true), true, End::Exit(0), lo, "").unwrap().len(), 1);
    // An error after half of the nets: half is not the truth.
    let half = format!("{V2_16}{DOWN_2_16}");
    assert_eq!(failure(true, 234, &half, ""), NotConfigured);
}

proptest! {
    #[test]
    fn never_panics(
        lnet: Option<bool>, root: Option<bool>, exit: Option<i32>, stdout: Vec<u8>, stderr: Vec<u8>,
    ) {
        let modules = modules(lnet);
        let end = exit.map(End::Exit);
        let run = Run { modules: &modules, root, end, stdout: &stdout, stderr: &stderr };
        let _ = classify(&run);
    }
}
