//! What seldom changes of a device and of a port.

use crate::read::sysfs::files::{self, Dir};
use crate::read::sysfs::{parse, pci};
use crate::sample::{DeviceAttrs, Gid, PortAttrs, Reading, Text, Unknown, Why};

/// Entries of the GID table that are looked at: the table of rxe has 1024, and each entry is up
/// to three files.
const GIDS: u32 = 16;
/// A table is over after so many empty entries in a row.
const GID_GAP: u32 = 3;
/// Entries of the P_Key table that are looked at: each read is a firmware command on mlx5.
const PKEYS: u32 = 8;

/// Reads the slow facts of a device.
pub(super) fn read(dir: &Dir<'_>, before: Option<&DeviceAttrs>) -> DeviceAttrs {
    let parent = dir.read("parent", parse::text).ok();
    DeviceAttrs {
        node_type: dir.read("node_type", |bytes| parse::enumerated(None, bytes)),
        node_guid: dir.read("node_guid", parse::text),
        sys_image_guid: dir.read("sys_image_guid", parse::text),
        node_desc: dir.read("node_desc", parse::text),
        // An empty line for rxe and siw, which have no firmware.
        fw_ver: dir.read("fw_ver", parse::text_or_empty),
        hca_type: dir.read("hca_type", parse::text),
        hw_rev: dir.read("hw_rev", parse::text),
        board_id: dir.read("board_id", parse::text),
        driver: driver(dir, parent.is_some()),
        pci: pci::function(dir, before.and_then(|b| b.pci.as_ref())),
        netdevs: dir.names("device/net").iter().map(|name| files::shown(name)).collect(),
        parent,
    }
}

fn driver(dir: &Dir<'_>, has_parent: bool) -> Reading<Text> {
    match dir.dir("device") {
        Ok(device) => pci::driver(&device),
        Err(_) if has_parent => Ok(Text::new("rxe")),
        Err(unknown) => Err(unknown),
    }
}

/// Reads the slow facts of a port.
pub(super) fn read_port(dir: &Dir<'_>) -> PortAttrs {
    PortAttrs {
        link_layer: dir.read("link_layer", parse::text),
        rate: dir.read("rate", parse::text),
        lid: dir.read("lid", parse::hex_or_decimal),
        sm_lid: dir.read("sm_lid", parse::hex_or_decimal),
        sm_sl: dir.read("sm_sl", parse::number),
        lmc: dir.read("lid_mask_count", parse::number),
        cap_mask: dir.read("cap_mask", parse::hex_or_decimal),
        default_gid: dir.read("gids/0", parse::text),
        gids: gids(dir),
        pkeys: pkeys(dir),
    }
}

fn gids(dir: &Dir<'_>) -> Vec<Gid> {
    let mut gids = Vec::new();
    let mut gap = 0;
    for index in 0..GIDS {
        let entry = dir.read(format!("gids/{index}"), parse::text);
        let Some(gid) = entry.ok().filter(|gid| !is_empty_gid(gid)) else {
            gap += 1;
            if gap >= GID_GAP {
                break;
            }
            continue;
        };
        gap = 0;
        gids.push(Gid {
            index,
            gid,
            netdev: dir.read(format!("gid_attrs/ndevs/{index}"), parse::text).ok(),
            kind: dir.read(format!("gid_attrs/types/{index}"), parse::text).ok(),
        });
    }
    gids
}

/// All zero, or nothing but the subnet prefix.
fn is_empty_gid(gid: &str) -> bool {
    gid.rsplit(':').take(4).all(|part| part.bytes().all(|c| c == b'0'))
}

fn pkeys(dir: &Dir<'_>) -> Reading<Vec<Text>> {
    let table = dir.dir("pkeys")?;
    let mut keys = Vec::new();
    let mut failure: Option<Unknown> = None;
    for index in 0..PKEYS {
        match table.read(index.to_string(), parse::text) {
            Ok(key) if key == *"0x0000" => {}
            Ok(key) => keys.push(key),
            Err(unknown) => {
                // The end of a short table.
                if unknown.why != Why::Absent || index == 0 {
                    failure = failure.or(Some(unknown));
                }
                break;
            }
        }
    }
    match failure {
        Some(unknown) if keys.is_empty() => Err(unknown),
        _ => Ok(keys),
    }
}

#[cfg(test)]
mod tests {
    use super::is_empty_gid;

    #[test]
    fn empty_gids() {
        assert!(is_empty_gid("0000:0000:0000:0000:0000:0000:0000:0000"));
        assert!(is_empty_gid("fe80:0000:0000:0000:0000:0000:0000:0000"));
        assert!(!is_empty_gid("fe80:0000:0000:0000:0002:c903:00f9:bfa1"));
        assert!(!is_empty_gid("0000:0000:0000:0000:0000:ffff:c0a8:0001"));
        assert!(!is_empty_gid("garbage"));
    }
}
