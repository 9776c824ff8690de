//! PCI functions, and the links from them up to the root port.

use super::files::Dir;
use super::parse;
use crate::sample::{PciFunction, PciLink, Reading, Text, Unknown, Why};
use std::path::Path;
use std::sync::Arc;

/// Reads the PCI function behind `device`, an entry of `owner`; the one from before if nothing
/// changed. `None` for devices without one (rxe, bridges, USB).
pub(super) fn function(
    owner: &Dir<'_>,
    before: Option<&Arc<PciFunction>>,
) -> Option<Arc<PciFunction>> {
    if !owner.has("device") {
        return None;
    }
    let read = by_path(owner).or_else(|| by_uevent(owner))?;
    Some(super::shared(before, read))
}

/// The nearest directory above `device` that is a PCI function: a netdev of a virtio NIC or an
/// mlx5 subfunction sits on a device of another bus below it.
fn by_path(owner: &Dir<'_>) -> Option<PciFunction> {
    let canonical = owner.canonical("device")?;
    let path = canonical.ancestors().find(|dir| address(dir).is_some())?;
    let dir = owner.at(path).ok()?;
    let physfn = dir.link("physfn").filter(|a| is_address(a));
    // The Link Status of a VF reads 0: the link is its PF's.
    let of_the_link = if physfn.is_some() { dir.canonical("physfn") } else { None };
    let links = links(owner, of_the_link.as_deref().unwrap_or(path));
    Some(attributes(&dir, address(path)?, physfn, links))
}

/// In trees copied without links the path tells nothing, but `uevent` does.
fn by_uevent(owner: &Dir<'_>) -> Option<PciFunction> {
    let dir = owner.dir("device").ok()?;
    let slot = dir.read("uevent", |bytes| Ok(uevent(bytes, "PCI_SLOT_NAME"))).ok()??;
    if !is_address(&slot) {
        return None;
    }
    let physfn = dir.link("physfn").filter(|a| is_address(a));
    let links = vec![link(&dir, slot.clone())];
    Some(attributes(&dir, slot, physfn, links))
}

fn attributes(
    dir: &Dir<'_>,
    address: Text,
    physfn: Option<Text>,
    path: Vec<PciLink>,
) -> PciFunction {
    PciFunction {
        address,
        numa_node: dir.read("numa_node", parse::natural),
        vendor: dir.read("vendor", parse::text),
        device: dir.read("device", parse::text),
        driver: driver(dir),
        physfn,
        path,
    }
}

fn links(owner: &Dir<'_>, path: &Path) -> Vec<PciLink> {
    path.ancestors()
        .filter_map(|dir| Some((address(dir)?, dir)))
        .filter_map(|(address, dir)| Some(link(&owner.at(dir).ok()?, address)))
        .collect()
}

fn link(dir: &Dir<'_>, address: Text) -> PciLink {
    PciLink {
        address,
        current_speed: dir.read("current_link_speed", parse::gigatransfers),
        current_width: dir.read("current_link_width", parse::width),
        max_speed: dir.read("max_link_speed", parse::gigatransfers),
        max_width: dir.read("max_link_width", parse::width),
    }
}

/// The driver of a device directory: the `driver` link, else `DRIVER=` of its uevent.
pub(super) fn driver(device: &Dir<'_>) -> Reading<Text> {
    if let Some(name) = device.link("driver") {
        return Ok(name);
    }
    let told = device.read("uevent", |bytes| Ok(uevent(bytes, "DRIVER")));
    told.ok().flatten().ok_or_else(|| {
        let path = device.shown(Path::new("driver"));
        Unknown::new(Why::Absent, format!("{}: no driver", path.display()).as_str())
    })
}

/// A value of the `KEY=value` lines of a uevent file.
fn uevent(bytes: &[u8], key: &str) -> Option<Text> {
    bytes.split(|c| *c == b'\n').find_map(|line| {
        let value = line.strip_prefix(key.as_bytes())?.strip_prefix(b"=")?;
        let value = parse::line(value);
        (!value.is_empty()).then(|| Text::from_bytes(value))
    })
}

fn address(dir: &Path) -> Option<Text> {
    let name = dir.file_name()?.to_str()?;
    is_address(name).then(|| Text::new(name))
}

/// `dddd:bb:dd.f`; domains of VMD and Hyper-V have more than four digits.
fn is_address(name: &str) -> bool {
    fn hex(part: &str) -> bool {
        part.bytes().all(|c| c.is_ascii_hexdigit())
    }
    let mut parts = name.split(':');
    let (Some(domain), Some(bus), Some(slot), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Some((slot, function)) = slot.split_once('.') else { return false };
    (4..=8).contains(&domain.len())
        && bus.len() == 2
        && slot.len() == 2
        && function.len() == 1
        && [domain, bus, slot, function].into_iter().all(hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses() {
        assert!(is_address("0000:1a:00.0"));
        assert!(is_address("10000:e1:00.0"));
        for other in
            ["pci0000:00", "virtio2", "0000:1a:00", "0000:1a:00.0.1", "", ":::", "mlx5_core.sf.4"]
        {
            assert!(!is_address(other), "{other}");
        }
    }

    #[test]
    fn uevents() {
        let text = b"DRIVER=mlx5_core\nPCI_CLASS=20700\nPCI_SLOT_NAME=0000:1a:00.0\n";
        assert_eq!(uevent(text, "PCI_SLOT_NAME").unwrap(), *"0000:1a:00.0");
        assert_eq!(uevent(text, "DRIVER").unwrap(), *"mlx5_core");
        assert_eq!(uevent(text, "PCI"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>, name: String) {
            let _ = uevent(&bytes, "DRIVER");
            let _ = is_address(&name);
        }
    }
}
