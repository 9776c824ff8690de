//! What seldom changes of an interface.

use crate::read::sysfs::files::{self, Dir};
use crate::read::sysfs::{parse, pci};
use crate::sample::{Bond, Ipoib, NetdevAttrs, Reading, Text, Unknown, Why};
use std::ffi::OsString;
use std::path::Path;

/// `type` of IPoIB (include/uapi/linux/if_arp.h).
pub(super) const ARPHRD_INFINIBAND: u32 = 32;
/// A function with more netdevs than these has representors, not ports.
const PORTS: usize = 16;

/// Reads them. `down` is why `speed` must not be asked for.
pub(super) fn read(
    dir: &Dir<'_>,
    down: Option<Unknown>,
    before: Option<&NetdevAttrs>,
) -> NetdevAttrs {
    let kind = dir.read("type", parse::number);
    let is_ib = kind == Ok(ARPHRD_INFINIBAND);
    let is_virtual = is_virtual(dir);
    let bond = dir.has("bonding").then(|| bond(dir));
    let ifindex = dir.read("ifindex", parse::number);
    let iflink = dir.read("iflink", parse::number);
    let dev_port = dir.read("dev_port", parse::number);
    let speed_mbps = match down {
        Some(refusal) => Err(refusal),
        None if is_virtual && !is_ib && bond.is_none() => {
            Err(Unknown::new(Why::NotApplicable, "no hardware"))
        }
        None => dir.read("speed", parse::speed),
    };
    NetdevAttrs {
        dev_id: dev_id(dir, &dev_port, before.filter(|b| b.ifindex == ifindex)),
        parent: match parent(dir) {
            _ if bond.is_some() => None,
            None if is_ib => by_iflink(dir, &ifindex, &iflink),
            parent => parent,
        },
        ifindex,
        iflink,
        kind,
        mtu: dir.read("mtu", parse::number),
        address: dir.read("address", parse::text),
        alias: dir.read("ifalias", parse::text),
        speed_mbps,
        dev_port,
        master: dir.link("master"),
        bond,
        ipoib: is_ib.then(|| ipoib(dir)),
        pci: pci::function(dir, before.and_then(|b| b.pci.as_ref())),
        rdma_devices: texts(&dir.names("device/infiniband")),
        is_virtual,
    }
}

/// Before anything was read.
pub(super) fn unread(dir: &Dir<'_>) -> NetdevAttrs {
    fn absent<T>() -> Reading<T> {
        Err(Unknown::new(Why::Absent, "not read yet"))
    }
    NetdevAttrs {
        ifindex: absent(),
        iflink: absent(),
        kind: absent(),
        mtu: absent(),
        address: absent(),
        alias: absent(),
        speed_mbps: absent(),
        dev_port: absent(),
        dev_id: absent(),
        master: None,
        bond: None,
        parent: None,
        ipoib: None,
        pci: None,
        rdma_devices: Vec::new(),
        is_virtual: is_virtual(dir),
    }
}

/// Below `/sys/devices/virtual/net`; in trees copied without links: without a `device`.
fn is_virtual(dir: &Dir<'_>) -> bool {
    match dir.target() {
        Some(target) => target.components().any(|part| part.as_os_str() == "virtual"),
        None => !dir.has("device"),
    }
}

/// `dev_port` tells the ports of one function apart. Kernels before 3.15 and early mlx4 have only
/// `dev_id`; to read that of an IPoIB interface of a later port writes a line into the kernel log
/// (drivers/infiniband/ulp/ipoib/ipoib_main.c, dev_id_show), so it is read at most once, and only
/// where `dev_port` cannot tell.
fn dev_id(dir: &Dir<'_>, dev_port: &Reading<u32>, before: Option<&NetdevAttrs>) -> Reading<u32> {
    if let Some(known) = before.map(|b| &b.dev_id).filter(|id| id.is_ok()) {
        return known.clone();
    }
    let siblings = dir.names("device/net");
    let port_of = |name: &OsString| -> Reading<u32> {
        dir.read(format!("device/net/{}/dev_port", name.to_string_lossy()), parse::number)
    };
    let ambiguous = match dev_port {
        Ok(0) => {
            (2..=PORTS).contains(&siblings.len()) && siblings.iter().all(|n| port_of(n) == Ok(0))
        }
        Ok(_) => false,
        Err(_) => true,
    };
    if ambiguous {
        dir.read("dev_id", parse::hex)
    } else {
        Err(Unknown::new(Why::NotApplicable, "dev_port tells the port"))
    }
}

fn bond(dir: &Dir<'_>) -> Bond {
    let active = dir.read("bonding/active_slave", parse::text);
    let slaves = dir.read("bonding/slaves", parse::text);
    Bond {
        mode: dir.read("bonding/mode", |bytes| parse::text(first_word(bytes))),
        slaves: slaves
            .map_or_else(|_| Vec::new(), |s| s.split_whitespace().map(Text::new).collect()),
        active_slave: active.ok(),
    }
}

fn first_word(bytes: &[u8]) -> &[u8] {
    let line = parse::line(bytes);
    line.split(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// The `parent` file of IPoIB children made through sysfs, else the one device below (VLAN,
/// macvlan). A bridge or team has many below and no parent.
fn parent(dir: &Dir<'_>) -> Option<Text> {
    if let Ok(parent) = dir.read("parent", parse::text) {
        return Some(parent);
    }
    if dir.has("bridge") {
        return None;
    }
    let names = texts(&dir.names("."));
    let mut lower = names.iter().filter_map(|name| name.strip_prefix("lower_"));
    let first = lower.next().map(Text::new);
    if lower.next().is_some() { None } else { first }
}

/// IPoIB children made over netlink have neither file nor link, only the parent's index (of this
/// namespace, unless they were moved).
fn by_iflink(dir: &Dir<'_>, ifindex: &Reading<u32>, iflink: &Reading<u32>) -> Option<Text> {
    if iflink.is_err() || iflink == ifindex || *iflink == Ok(0) {
        return None;
    }
    let class = dir.at(Path::new(super::CLASS)).ok()?;
    let has_index = |name: &OsString| {
        let of = |file| class.read(Path::new(name).join(file), parse::number);
        of("ifindex") == *iflink && of("type") == Ok(ARPHRD_INFINIBAND)
    };
    class.names(".").iter().find(|name| has_index(name)).map(|name| files::shown(name))
}

fn ipoib(dir: &Dir<'_>) -> Ipoib {
    Ipoib {
        mode: dir.read("mode", parse::text),
        umcast: dir.read("umcast", parse::flag),
        pkey: dir.read("pkey", parse::text),
    }
}

fn texts(names: &[OsString]) -> Vec<Text> {
    names.iter().map(|name| files::shown(name)).collect()
}
