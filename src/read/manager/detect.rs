//! Who keeps an interface, from the run-time files of the daemons.

use super::files;
use crate::read::root::Root;
use crate::read::sysfs::fault::Fault;
use crate::sample::{
    ConfigFile, ConfigKind, Managed, Manager, RailManager, Reading, Text, Unknown, Why,
};
use rustix::io::Errno;
use std::path::Path;

/// Prefix of what netplan's generator writes for networkd.
const NETPLAN_NETWORK: &str = "/run/systemd/network/10-netplan-";

/// Who keeps an interface.
pub(super) fn managed(
    root: &Root,
    index: u32,
    name: &Text,
    config: &[ConfigFile],
) -> Reading<Managed> {
    let answers = [
        network_manager(root, index, name, config),
        networkd(root, index),
        ifupdown(root, name),
        Ok(wicked(root, name)),
        Ok(ifcfg(root, name)),
    ];
    let mut denied = None;
    for answer in answers {
        match answer {
            Ok(Some(managed)) => return Ok(managed),
            Ok(None) => {}
            Err(unknown) => denied = denied.or(Some(unknown)),
        }
    }
    Err(denied.unwrap_or_else(|| {
        let daemons = "NetworkManager, systemd-networkd, ifupdown or wicked";
        Unknown::new(Why::Absent, format!("no run-time file of {daemons} names {name}"))
    }))
}

fn text(root: &Root, path: &str) -> Reading<Option<String>> {
    match files::text(root, path) {
        Ok(found) => Ok(found.map(|(text, _)| text)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => Ok(None),
        Err(errno) => Err(Fault::Errno(errno).unknown(&Path::new("/").join(path))),
    }
}

/// The value of `key=` in a text of such lines.
fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut lines = text.lines();
    lines.find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('=')).map(str::trim)
}

/// `/run/NetworkManager/devices/IFINDEX` (src/core/nm-config.c, nm_config_device_state_write).
fn network_manager(
    root: &Root,
    index: u32,
    name: &Text,
    config: &[ConfigFile],
) -> Reading<Option<Managed>> {
    let path = format!("run/NetworkManager/devices/{index}");
    let Some(state) = text(root, &path)? else { return Ok(None) };
    if value(&state, "managed") != Some("true") {
        return Ok(None);
    }
    let uuid = value(&state, "connection-uuid").filter(|uuid| !uuid.is_empty());
    let file = keyfile(name, uuid, config);
    let netplan = file.as_ref().is_some_and(|f| is_netplan(f)) || netplan_keyfile(root, name);
    let manager = if netplan { Manager::Netplan } else { Manager::NetworkManager };
    let connection = uuid.map_or_else(String::new, |uuid| format!(" connection-uuid={uuid}"));
    Ok(Some(Managed {
        manager,
        daemon: netplan.then_some(Manager::NetworkManager),
        profile: uuid.map(Text::from),
        file,
        shared: false,
        evidence: format!("/{path}: managed=true{connection}").into(),
    }))
}

/// The keyfile of a connection; only root sees into them.
fn keyfile(name: &Text, uuid: Option<&str>, config: &[ConfigFile]) -> Option<Text> {
    let says = |file: &ConfigFile, words: &str| file.lines.iter().any(|line| *line == *words);
    let uuid = format!("uuid={}", uuid?);
    let interface = format!("interface-name={name}");
    let keyfiles = || config.iter().filter(|f| f.kind == ConfigKind::Keyfile);
    let by_uuid = keyfiles().find(|f| says(f, &uuid));
    // A keyfile without a UUID gets one from its name at each load.
    let has_uuid = |f: &ConfigFile| f.lines.iter().any(|l| l.starts_with("uuid="));
    let found = by_uuid.or_else(|| keyfiles().find(|f| !has_uuid(f) && says(f, &interface)));
    found.map(|f| f.path.clone())
}

/// `netplan-NM-UUID` is NetworkManager's own profile, kept by netplan: nmcli changes both.
fn is_netplan(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    name.starts_with("netplan-") && !name.starts_with("netplan-NM-")
}

fn netplan_keyfile(root: &Root, name: &Text) -> bool {
    // The directory is readable, its files are not.
    let path = format!("run/NetworkManager/system-connections/netplan-{name}.nmconnection");
    root.join(path).symlink_metadata().is_ok()
}

/// `/run/systemd/netif/links/IFINDEX` (src/network/networkd-state-file.c).
fn networkd(root: &Root, index: u32) -> Reading<Option<Managed>> {
    let path = format!("run/systemd/netif/links/{index}");
    let Some(state) = text(root, &path)? else { return Ok(None) };
    let admin = value(&state, "ADMIN_STATE").unwrap_or_default();
    let Some(network) = value(&state, "NETWORK_FILE").filter(|file| !file.is_empty()) else {
        return Ok(None);
    };
    if admin == "unmanaged" {
        return Ok(None);
    }
    let netplan = network.starts_with(NETPLAN_NETWORK);
    Ok(Some(Managed {
        manager: if netplan { Manager::Netplan } else { Manager::Networkd },
        daemon: netplan.then_some(Manager::Networkd),
        profile: Some(network.into()),
        file: Some(network.into()),
        shared: false,
        evidence: format!("/{path}: ADMIN_STATE={admin} NETWORK_FILE={network}").into(),
    }))
}

/// `/run/network/ifstate`: a line `ib0=ib0` per interface that is up (ifup(8)).
fn ifupdown(root: &Root, name: &Text) -> Reading<Option<Managed>> {
    let path = "run/network/ifstate";
    let Some(state) = text(root, path)? else { return Ok(None) };
    let Some(iface) = state.lines().find_map(|l| l.strip_prefix(&**name)?.strip_prefix('=')) else {
        return Ok(None);
    };
    Ok(Some(Managed {
        manager: Manager::Ifupdown,
        daemon: None,
        profile: Some(iface.into()),
        file: None,
        shared: false,
        evidence: format!("/{path}: {name}={iface}").into(),
    }))
}

/// wicked leaves `/run/wicked/leaseinfo.IF.TYPE.FAMILY` and is told by `ifcfg-IF`.
fn wicked(root: &Root, name: &Text) -> Option<Managed> {
    if !root.join("run/wicked").is_dir() {
        return None;
    }
    let config = format!("etc/sysconfig/network/ifcfg-{name}");
    let has_config = root.join(&config).is_file();
    let lease = ["static.ipv4", "static.ipv6", "dhcp.ipv4", "dhcp.ipv6"]
        .iter()
        .map(|kind| format!("run/wicked/leaseinfo.{name}.{kind}"))
        .find(|path| root.join(path).is_file());
    let evidence = lease.or_else(|| has_config.then(|| config.clone()))?;
    Some(Managed {
        manager: Manager::Wicked,
        daemon: None,
        profile: None,
        file: has_config.then(|| format!("/{config}").into()),
        shared: false,
        evidence: format!("/{evidence}").into(),
    })
}

/// The old network service leaves no state of its own; that NetworkManager does not keep the
/// interface was asked before.
fn ifcfg(root: &Root, name: &Text) -> Option<Managed> {
    let path = format!("etc/sysconfig/network-scripts/ifcfg-{name}");
    if !root.join(&path).is_file() {
        return None;
    }
    let file = Text::from(format!("/{path}"));
    Some(Managed {
        manager: Manager::Ifcfg,
        daemon: None,
        profile: None,
        file: Some(file.clone()),
        shared: false,
        evidence: file,
    })
}

/// A `.network` file may match many interfaces: what is added to it, all of them get.
pub(super) fn mark_shared(rails: &mut [RailManager], config: &[ConfigFile]) {
    let profiles: Vec<Option<Text>> =
        rails.iter().map(|r| r.managed.as_ref().ok().and_then(|m| m.profile.clone())).collect();
    for (i, rail) in rails.iter_mut().enumerate() {
        let name = rail.interface.clone();
        let Ok(managed) = &mut rail.managed else { continue };
        let Some(profile) = &managed.profile else { continue };
        let twice = profiles.iter().enumerate().any(|(j, p)| i != j && p.as_ref() == Some(profile));
        managed.shared = twice || matches_more(profile, &name, config);
    }
}

/// Whether the `[Match]` of a `.network` file names more than this interface.
fn matches_more(profile: &Text, name: &Text, config: &[ConfigFile]) -> bool {
    let Some(file) = config.iter().find(|f| f.path == *profile) else { return false };
    let matching = file.lines.iter().skip_while(|l| **l != *"[Match]").skip(1);
    let mut names = matching.take_while(|l| !l.starts_with('[')).filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "Name").then(|| value.trim().to_owned())
    });
    names.any(|value| value != **name)
}
