//! `/proc/sys/net/ipv{4,6}`.

use crate::natural;
use crate::read::clock;
use crate::read::root::Root;
use crate::read::sysfs::files::{Dir, Tally, dir_names, shown};
use crate::read::sysfs::parse;
use crate::sample::{Reading, SysctlIf, Sysctls};
use std::ffi::{OsStr, OsString};
use std::path::Path;

const IPV4: &str = "proc/sys/net/ipv4";
const IPV6: &str = "proc/sys/net/ipv6";
/// What applies to all interfaces, and to those to come.
const COMMON: [&str; 2] = ["all", "default"];

/// Reads `all`, `default` and every interface of a root.
pub fn read(root: &Root) -> Sysctls {
    let mut names = dir_names(root, &format!("{IPV4}/conf")).unwrap_or_default();
    names.extend(dir_names(root, &format!("{IPV6}/conf")).unwrap_or_default());
    read_names(root, names)
}

/// Reads `all`, `default` and the interfaces named: a node with 500 veths has 6000 files here.
pub fn read_only(root: &Root, names: &[&str]) -> Sysctls {
    read_names(root, COMMON.iter().chain(names).map(OsString::from).collect())
}

fn read_names(root: &Root, mut names: Vec<OsString>) -> Sysctls {
    let tally = Tally::default();
    let rank = |name: &OsStr| COMMON.iter().position(|c| name == *c).unwrap_or(COMMON.len());
    names.sort_by(|a, b| {
        let by_name = || natural::cmp(&a.to_string_lossy(), &b.to_string_lossy());
        rank(a).cmp(&rank(b)).then_with(by_name)
    });
    names.dedup();
    let value = |below: &str, name: &str| {
        Dir::open(root, below, &tally).and_then(|dir| dir.read(name, parse::number))
    };
    let interfaces =
        names.iter().filter_map(|name| interface(root, name, &tally)).collect::<Vec<_>>();
    Sysctls {
        at: clock::now(),
        interfaces,
        ip_forward: Some(value(IPV4, "ip_forward")),
        fib_multipath_hash_policy: Some(value(IPV4, "fib_multipath_hash_policy")),
        nexthop_compat_mode: Some(value(IPV4, "nexthop_compat_mode")),
        ipv6_forwarding: Some(value(&format!("{IPV6}/conf/all"), "forwarding")),
    }
}

/// The directories are used by their names as they are: a dot is part of it (`ib0.8001`), not a
/// separator as in `sysctl net.ipv4.conf.…`. `None` if both are gone.
fn interface(root: &Root, name: &OsStr, tally: &Tally) -> Option<SysctlIf> {
    let open = |base: &str| Dir::open(root, Path::new(base).join("conf").join(name), tally);
    let (v4, v6) = (open(IPV4), open(IPV6));
    if v4.is_err() && v6.is_err() {
        return None;
    }
    let read = |dir: &Reading<Dir<'_>>, file: &str| -> Reading<i64> {
        dir.as_ref().map_err(Clone::clone).and_then(|dir| dir.read(file, parse::number))
    };
    Some(SysctlIf {
        name: shown(name),
        rp_filter: read(&v4, "rp_filter"),
        arp_ignore: read(&v4, "arp_ignore"),
        arp_announce: read(&v4, "arp_announce"),
        arp_filter: read(&v4, "arp_filter"),
        accept_local: read(&v4, "accept_local"),
        ignore_routes_with_linkdown: read(&v4, "ignore_routes_with_linkdown"),
        src_valid_mark: read(&v4, "src_valid_mark"),
        forwarding: read(&v4, "forwarding"),
        disable_ipv6: read(&v6, "disable_ipv6"),
        ipv6_ignore_routes_with_linkdown: read(&v6, "ignore_routes_with_linkdown"),
        keep_addr_on_down: read(&v6, "keep_addr_on_down"),
        accept_ra: read(&v6, "accept_ra"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::sysfs::tree::Tree;
    use crate::sample::Why;

    fn tree() -> Tree {
        let tree = Tree::new();
        for (name, rp_filter) in
            [("all", "0"), ("default", "2"), ("ib0.8001", "1"), ("ib10", "2"), ("ib9", "-1")]
        {
            tree.file(
                format!("proc/sys/net/ipv4/conf/{name}/rp_filter"),
                &format!("{rp_filter}\n"),
            );
            tree.file(format!("proc/sys/net/ipv6/conf/{name}/accept_ra"), "1\n");
        }
        tree.file("proc/sys/net/ipv4/ip_forward", "1\n");
        tree
    }

    #[test]
    fn every_interface_in_order() {
        let tree = tree();
        let sysctls = read(&Root::new(tree.path()));
        let names: Vec<&str> = sysctls.interfaces.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["all", "default", "ib0.8001", "ib9", "ib10"]);
        let child = sysctls.interface("ib0.8001").unwrap();
        assert_eq!(child.rp_filter, Ok(1));
        assert_eq!(child.accept_ra, Ok(1));
        assert_eq!(child.arp_ignore.as_ref().unwrap_err().why, Why::Absent);
        assert_eq!(sysctls.interface("ib9").unwrap().rp_filter, Ok(-1));
        assert_eq!(sysctls.ip_forward, Some(Ok(1)));
        assert!(matches!(sysctls.nexthop_compat_mode, Some(Err(u)) if u.why == Why::Absent));
    }

    #[test]
    fn only_some_interfaces() {
        let tree = tree();
        let sysctls = read_only(&Root::new(tree.path()), &["ib9", "gone", "ib9"]);
        let names: Vec<&str> = sysctls.interfaces.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["all", "default", "ib9"]);
    }

    #[test]
    fn nothing_there() {
        let tree = Tree::new();
        assert!(read(&Root::new(tree.path())).interfaces.is_empty());
    }

    #[test]
    fn the_running_system_is_read() {
        let sysctls = read(&Root::system());
        if sysctls.interfaces.is_empty() {
            println!("skipped: no /proc/sys/net");
            return;
        }
        assert!(sysctls.interface("lo").is_some_and(|lo| lo.rp_filter.is_ok()));
    }
}
