//! Stages, and what a boot would keep.

use super::*;
use crate::lnet::lifecycle::{EXPORT, StartedBy};
use crate::node::LnetStage::{Configured, Loaded, Up};

fn stage(failure: LnetFailure) -> Stand {
    Stand::fails(failure)
}

/// Configured with the loopback alone.
fn no_nets() -> Stand {
    let mut stand = Stand::new(2);
    *stand.nis() = vec![ni("0@lo", &[])];
    stand
}

#[test]
fn row_17_loaded_and_not_configured() {
    let bare = stage(LnetFailure::NotConfigured);
    let note = bare.only();
    assert_eq!((note.id, note.severity), ("LNET_NOT_CONFIGURED", Severity::Note));
    assert_eq!(
        commands(&note),
        [
            "lnetctl lnet configure",
            "lnetctl net add --net o2ib --if ib0,ib1",
            EXPORT,
            "systemctl enable lnet",
        ]
    );
    let wanted = bare.clone().service(true).conf(&[("o2ib", &["ib0", "ib1"])]);
    let warning = wanted.only();
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(commands(&warning), ["lnetctl lnet configure", "lnetctl import /etc/lnet.conf"]);
    assert!(warning.evidence.contains(&"lnet.service: enabled".into()));
    let loaded = bare.parameter("networks", "o2ib(ib0,ib1)").parameter("ip2nets", "");
    assert_eq!(loaded.only().severity, Severity::Note, "a mount would start it");
    assert_eq!(commands(&loaded.only()), ["lnetctl lnet configure --all"]);
}

#[test]
fn lnet_that_nobody_starts_at_boot_need_not_be_loaded() {
    let bare = stage(LnetFailure::NotLoaded);
    assert_eq!(bare.roots(), []);
    let next: Vec<Text> = bare.judged().lnet.next.into_iter().map(|s| s.command).collect();
    assert_eq!(next.first().unwrap(), "modprobe lnet");
    let client = bare.clone().modprobe("options lnet networks=o2ib(ib0,ib1)").service(false);
    assert_eq!(client.roots(), []);
    let next: Vec<Text> = client.judged().lnet.next.into_iter().map(|s| s.command).collect();
    assert_eq!(next, ["modprobe lnet", "lnetctl lnet configure --all"]);
    let enabled = bare.service(true).only();
    assert_eq!((enabled.id, enabled.severity), ("LNET_NOT_LOADED", Severity::Warning));
    assert_eq!(commands(&enabled), ["systemctl start lnet"]);
}

#[test]
fn row_18_only_the_loopback() {
    let bare = no_nets();
    let note = bare.only();
    assert_eq!((note.id, note.severity), ("LNET_NO_NETS", Severity::Note));
    assert_eq!(commands(&note)[0], "lnetctl net add --net o2ib --if ib0,ib1");
    // The file as it is shipped.
    let shipped = bare.clone().file("/etc/lnet.conf", &["# lnet.conf", "", "#net:"]).service(true);
    let warning = shipped.only();
    assert_eq!(warning.severity, Severity::Warning);
    assert!(warning.summary.contains("which names no net"), "{}", warning.summary);
    let failed = bare.conf(&[("o2ib", &["ib0"])]).only();
    assert_eq!(failed.severity, Severity::Warning);
    assert!(failed.summary.contains("stops at its first error"), "{}", failed.summary);
    assert_eq!(commands(&failed), ["lnetctl import /etc/lnet.conf"]);
}

#[test]
fn without_root_the_use_of_the_modules_tells() {
    let denied = || stage(LnetFailure::Denied("Permission denied".into()));
    let estimate = |stand: &Stand| stand.judged().lnet.estimate.ok().copied();
    // As a real node printed it: before, with the loopback alone, with nets, and behind a mount.
    let loaded = denied().module("lnet", 0, &[]);
    assert_eq!(estimate(&loaded), Some(Loaded));
    assert_eq!(estimate(&denied().module("lnet", 1, &[])), Some(Configured));
    let up = denied().module("lnet", 3, &["ko2iblnd", "ksocklnd"]).module("ko2iblnd", 1, &[]);
    assert_eq!(estimate(&up), Some(Up));
    let unconfigured = denied().module("lnet", 2, &["ko2iblnd", "ksocklnd"]);
    let unconfigured = unconfigured.module("ko2iblnd", 0, &[]).module("ksocklnd", 0, &[]);
    assert_eq!(estimate(&unconfigured), Some(Loaded));
    assert_eq!(estimate(&denied()), None);
    assert_eq!(estimate(&Stand::new(2).module("lnet", 0, &[])), None, "lnetctl says it");
    assert_eq!(loaded.roots(), []);
    assert_eq!(loaded.service(true).roots(), [("LNET_NOT_CONFIGURED", Severity::Warning)]);
    assert_eq!(up.service(true).roots(), []);
}

#[test]
fn who_started_it_and_what_keeps_it() {
    let life = |stand: Stand| stand.judged().lnet;
    let drivers = |stand: Stand, others: &[&str], own: u32| {
        let mut users = vec!["ko2iblnd"];
        users.extend(others);
        let references = u32::try_from(users.len()).unwrap() + own;
        stand.module("lnet", references, &users).module("ko2iblnd", 1, &[])
    };
    let alone = life(drivers(Stand::new(2), &[], 1));
    assert_eq!(alone.started_by.ok(), Some(&StartedBy::Itself));
    let refused = alone.rmmod_refused.value.unwrap().unwrap();
    assert!(refused.contains("lnetctl lnet unconfigure"), "{refused}");
    assert_eq!(alone.users, Vec::<Text>::new());

    let lustre = life(drivers(Stand::new(2), &["ptlrpc", "obdclass"], 0));
    assert_eq!(lustre.started_by.ok(), Some(&StartedBy::User));
    assert_eq!(lustre.rmmod_refused.value, Ok(None), "everything is unloaded, LNet with it");
    assert_eq!(lustre.users, ["ptlrpc", "obdclass"]);

    let mounted = drivers(Stand::new(2), &["ptlrpc"], 0).mounted("10.1.0.9@o2ib:/fs", "/mnt/fs");
    let mounted = life(mounted.module("lustre", 4, &[]));
    let refused = mounted.rmmod_refused.value.unwrap().unwrap();
    assert!(refused.starts_with("mounted: 10.1.0.9@o2ib:/fs on /mnt/fs"), "{refused}");
    assert_eq!(mounted.users, ["ptlrpc", "10.1.0.9@o2ib:/fs on /mnt/fs"]);

    // A mount that this mount namespace does not show.
    let hidden = drivers(Stand::new(2), &["ptlrpc"], 0).module("lustre", 4, &[]);
    let refused = life(hidden).rmmod_refused.value.unwrap().unwrap();
    assert_eq!(refused, "the module lustre is in use");

    let idle = life(stage(LnetFailure::NotConfigured).module("lnet", 0, &[]));
    assert_eq!(idle.started_by.ok(), Some(&StartedBy::Nobody));
    assert_eq!(idle.rmmod_refused.value, Ok(None));
    assert!(life(Stand::new(2)).rmmod_refused.value.is_err(), "nobody read /proc/modules");
}

#[test]
fn a_rail_that_is_only_there_until_the_next_boot() {
    let conf =
        |net: &str, interfaces: &[&str]| Stand::new(2).conf(&[(net, interfaces)]).service(true);
    assert_eq!(conf("o2ib", &["ib0", "ib1"]).roots(), []);
    assert_eq!(conf("o2ib0", &["ib1", "ib0"]).roots(), [], "o2ib0 is o2ib");
    let lost = conf("o2ib", &["ib0"]);
    let one = lost.only();
    assert_eq!((one.id, one.severity), ("LNET_NOT_PERSISTENT", Severity::Warning));
    assert_eq!(one.rails, ["ib1"]);
    assert!(one.evidence.contains(&"10.1.0.2@o2ib would be gone".into()), "{:?}", one.evidence);
    assert_eq!(commands(&one), [EXPORT, "systemctl enable lnet"]);
    let life = lost.judged().lnet;
    assert_eq!(life.survives_reboot.ok(), Some(&false));
    // lnet.service leaves the parameters alone.
    let parameters = conf("o2ib", &["ib0"]);
    let parameters = parameters.modprobe("options lnet networks=o2ib(ib0,ib1)");
    assert_eq!(parameters.roots(), [("LNET_NOT_PERSISTENT", Severity::Warning)]);
}

#[test]
fn a_mount_starts_lnet_from_its_parameters() {
    let with = |line: &str| Stand::new(2).modprobe(line).service(false);
    assert_eq!(with("options lnet networks=\"o2ib(ib0,ib1)\"").roots(), []);
    assert_eq!(with("options lnet ip2nets=\"o2ib(ib0,ib1) 10.1.*.*\"").roots(), []);
    let lost = with("options lnet networks=o2ib(ib1)").only();
    assert_eq!((lost.id, lost.severity), ("LNET_NOT_PERSISTENT", Severity::Warning));
    assert_eq!(lost.rails, ["ib0"]);
    // In the file, and the service that reads it is not enabled.
    let unread = Stand::new(2).conf(&[("o2ib", &["ib0", "ib1"])]).service(false).only();
    assert_eq!((unread.id, unread.severity), ("LNET_NOT_PERSISTENT", Severity::Note));
    assert_eq!(commands(&unread), ["systemctl enable lnet"]);
    assert!(unread.summary.ends_with("is not enabled"), "{}", unread.summary);
    // The file names one of them alone, and nobody reads it: it is not to be written over.
    let partly = Stand::new(2).conf(&[("o2ib", &["ib0"])]).service(false).only();
    assert_eq!((partly.id, partly.severity), ("LNET_NOT_PERSISTENT", Severity::Note));
    assert_eq!(commands(&partly), ["systemctl enable lnet"]);
    assert!(partly.summary.contains("/etc/lnet.conf names o2ib, and lnet.service"), "{partly:?}");
    assert!(partly.evidence.iter().all(|line| !line.contains("no file names a net")));
    // In no file: a script of the site may make them.
    let unknown = Stand::new(2).service(false).only();
    assert_eq!((unknown.id, unknown.severity), ("LNET_NOT_PERSISTENT", Severity::Note));
}

#[test]
fn what_was_not_read_is_not_judged() {
    let stand = Stand::new(2);
    assert_eq!(stand.judged().lnet.survives_reboot.ok(), None);
    let mut denied = Stand::new(2).service(true);
    let why = crate::sample::Unknown::new(crate::sample::Why::Denied, "EACCES");
    denied.local.files.push(LnetFile { path: "/etc/lnet.conf".into(), lines: Err(why) });
    assert_eq!(denied.roots(), []);
    let survives = denied.judged().lnet.survives_reboot;
    assert_eq!(survives.value.unwrap_err().why, crate::sample::Why::Denied);
}

#[test]
fn the_default_of_lnet_survives() {
    let mut stand = Stand::new(2).service(false);
    *stand.nis() = vec![ni("10.1.0.1@tcp", &["ib0"])];
    // Like the other rail, which has none: a note of another kind.
    assert_eq!(stand.roots(), [("NI_MISSING", Severity::Note)]);
    assert_eq!(stand.judged().lnet.survives_reboot.ok(), Some(&true));
    stand.nis().push(ni("10.1.0.2@tcp", &["ib1"]));
    assert_eq!(stand.roots(), [("LNET_NOT_PERSISTENT", Severity::Note)]);
}

#[test]
fn row_20_networks_and_ip2nets() {
    let both = "options lnet networks=o2ib(ib0,ib1) ip2nets=\"o2ib(ib0,ib1) 10.1.*.*\"";
    let files = Stand::new(2).modprobe(both).service(false);
    assert_eq!(files.roots(), [("LNET_CONFIG_CONFLICT", Severity::Warning)]);
    let loaded = stage(LnetFailure::NotConfigured)
        .parameter("networks", "o2ib(ib0)")
        .parameter("ip2nets", "o2ib 10.*.*.*");
    let ids: Vec<&str> = loaded.roots().into_iter().map(|r| r.0).collect();
    assert_eq!(ids, ["LNET_CONFIG_CONFLICT", "LNET_NOT_CONFIGURED"]);
    let one = Stand::new(2).parameter("networks", "o2ib(ib0,ib1)").parameter("ip2nets", "(null)");
    assert_eq!(one.roots(), []);
}

#[test]
fn files_that_say_what_will_not_be_done() {
    let refused = Stand::new(2).modprobe("options lnet networks=\"o2ib(ib0,ib1\"").service(false);
    assert!(refused.roots().contains(&("LNET_CONFIG_WRONG", Severity::Warning)));
    let yaml = Stand::new(2).file("/etc/lnet.conf", &["net: [", "}"]).service(true);
    assert!(yaml.roots().contains(&("LNET_CONFIG_WRONG", Severity::Warning)));
    let fine = Stand::new(2).modprobe("options lnet networks=\"o2ib(ib0,ib1)\"").service(false);
    assert_eq!(fine.roots(), []);
}

#[test]
fn row_19_rules_that_match_nothing() {
    let with = |name: &str, value: &str| {
        let mut stand = stage(LnetFailure::NotConfigured).parameter(name, value);
        stand.version = Ok("2.15.8".into());
        let link = |i: u32| crate::node::testing::link(&format!("ib{i}"), 10 + i, 32, None);
        stand.world.links = Ok((0..2).map(link).collect());
        stand
    };
    let none = with("ip2nets", "o2ib(ib0) 192.168.*.*");
    let judged = none.judged();
    assert_eq!(roots(&judged), [("LNET_RULES_REFUSED", Severity::Warning)]);
    let root = judged.findings.iter().find(|f| f.id == "LNET_RULES_REFUSED").unwrap();
    assert!(root.summary.contains("does not match any local IP interfaces"), "{}", root.summary);
    let follows = judged.findings.iter().find(|f| f.id == "LNET_NOT_CONFIGURED").unwrap();
    assert_eq!(follows.caused_by, Some("LNET_RULES_REFUSED"));
    let missing = with("networks", "o2ib(ib0,ib7)");
    assert_eq!(missing.roots(), [("LNET_RULES_REFUSED", Severity::Warning)]);
    // They match, and nobody has started it.
    let fine = with("ip2nets", "o2ib(ib0,ib1) 10.1.*.*");
    assert_eq!(fine.roots(), [("LNET_NOT_CONFIGURED", Severity::Note)]);
    // Of which version is not known: nothing is said.
    let mut unknown = with("ip2nets", "o2ib(ib0) 192.168.*.*");
    unknown.version = crate::node::testing::absent();
    assert_eq!(unknown.roots(), [("LNET_NOT_CONFIGURED", Severity::Note)]);
}

#[test]
fn a_rule_for_other_hosts_names_no_rail_of_this_one() {
    let rules = "options lnet ip2nets=\"o2ib(ib0) 10.1.*.*; o2ib(ib0,ib1) 10.9.*.*\"";
    let mut stand = Stand::new(2).modprobe(rules).service(false);
    stand.nis().pop();
    assert_eq!(stand.roots(), [("NI_MISSING", Severity::Note)], "alike, and no more than that");
}

#[test]
fn row_31_keys_that_leak_from_the_next_ni() {
    let conf = |first: &str| {
        let text = format!(
            "net:\n    - net type: o2ib\n      local NI(s):\n        - interfaces:\n              0: ib0\n{first}        \
             - interfaces:\n              0: ib1\n          tunables:\n              peer_credits: 32\n"
        );
        let lines: Vec<&str> = text.lines().collect();
        Stand::new(2).file("/etc/lnet.conf", &lines).service(true)
    };
    let roots = |version: &str, first: &str| {
        let mut stand = conf(first);
        stand.version = Ok(version.into());
        stand.roots()
    };
    assert_eq!(roots("lnetctl 2.15.8", ""), [("LNET_CONFIG_WRONG", Severity::Note)]);
    assert_eq!(roots("2.16.1", ""), []);
    let own = "          tunables:\n              peer_credits: 8\n";
    assert_eq!(roots("2.15.8", own), []);
    assert_eq!(conf("").roots(), [], "of which version is not known");
}

#[test]
fn row_26_a_tool_that_gives_no_answer() {
    let hangs = LnetFailure::Timeout("no answer in 5 s; killed".into());
    let one = stage(hangs.clone()).only();
    assert_eq!((one.id, one.severity), ("LNET_NO_ANSWER", Severity::Warning));
    assert!(one.summary.ends_with("wait, and do not start more"), "{}", one.summary);
    // The child that is left behind is named.
    let mut sample = stage(hangs).sample(0);
    Arc::make_mut(&mut sample.lnet).left = Some(4711);
    let node = Node::new(Settings::default(), SourceKind::Live, &sample);
    let judged = assess(&node);
    let left = judged.findings.iter().find(|f| f.id == "LNET_NO_ANSWER").unwrap();
    assert!(left.summary.contains("wait for pid 4711 to end"), "{}", left.summary);
    assert_eq!(left.verify[0].command, "cat /proc/4711/stack");
    let rubbish = stage(LnetFailure::Failed("not YAML".into()));
    assert_eq!(rubbish.roots(), [("LNET_NO_ANSWER", Severity::Warning)]);
    // What says nothing of LNet, and what was not allowed.
    for failure in [
        LnetFailure::CannotRun("cannot run /x/lnetctl: no such file".into()),
        LnetFailure::Denied("Permission denied".into()),
        LnetFailure::NotInstalled,
        LnetFailure::Pending,
    ] {
        let there = stage(failure.clone());
        let mut sample = there.sample(0);
        Arc::make_mut(&mut sample.lnet).modules.lnet = Some(true);
        let node = Node::new(Settings::default(), SourceKind::Live, &sample);
        assert_eq!(roots(&assess(&node)), [], "{failure:?}");
    }
    // Without the module nothing hangs in it; a tool that was named is told of all the same.
    let mut sample = stage(LnetFailure::CannotRun("cannot run /x: no such file".into())).sample(0);
    Arc::make_mut(&mut sample.lnet).modules.lnet = Some(false);
    let judged = assess(&Node::new(Settings::default(), SourceKind::Live, &sample));
    assert_eq!(roots(&judged), []);
    let gap = judged.not_checked.iter().find(|gap| gap.what == "LNet").unwrap();
    assert_eq!(&*gap.why, "lnetctl failed: cannot run /x: no such file");
}
