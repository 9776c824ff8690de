//! Who a rail is, whatever its names are today, and where its row stands.

use crate::sample::{PciFunction, Text};
use std::cmp::Ordering;

/// What can identify a rail, best first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits<'a> {
    pub pci: Option<&'a PciFunction>,
    /// RDMA port number, else `dev_port` + 1.
    pub port: u32,
    pub guid: Option<u64>,
    pub hardware_address: Option<&'a str>,
    pub name: &'a str,
}

/// Everything that identifies it, best first, and how good the first is (0 is best): PCI address
/// and port, else port GUID, else hardware address, else name.
pub(super) fn identities(traits: &Traits<'_>) -> (u8, Vec<Text>) {
    let pci = traits.pci.map(|pci| Text::from(format!("{}/{}", pci.address, traits.port)));
    let guid = traits.guid.map(|guid| Text::from(format!("{guid:016x}")));
    // The address of an IPoIB interface is its GUID and what changes.
    let address = traits.hardware_address.filter(|_| guid.is_none()).map(Text::new);
    let mut ranked: Vec<(u8, Text)> = [pci, guid, address]
        .into_iter()
        .zip(0..)
        .filter_map(|(id, rank)| Some((rank, id?)))
        .collect();
    if ranked.is_empty() {
        ranked.push((3, Text::new(traits.name)));
    }
    let rank = ranked.first().map_or(3, |(rank, _)| *rank);
    (rank, ranked.into_iter().map(|(_, id)| id).collect())
}

/// The port GUID in a 20-byte IPoIB address: its last eight bytes. The first four hold flags and
/// the QPN, which changes whenever the interface is made again.
pub(super) fn guid_of_address(address: &str) -> Option<u64> {
    let bytes: Vec<&str> = address.split(':').collect();
    if bytes.len() != 20 || bytes.iter().any(|b| b.len() != 2) {
        return None;
    }
    nonzero(&bytes.get(12..)?.concat())
}

/// The port GUID in a GID: its last 64 bits.
pub(super) fn guid_of_gid(gid: &str) -> Option<u64> {
    nonzero(&gid_groups(gid)?.get(4..)?.concat())
}

/// The subnet prefix in a GID: its first 64 bits.
pub(super) fn subnet_of_gid(gid: &str) -> Option<u64> {
    nonzero(&gid_groups(gid)?.get(..4)?.concat())
}

fn gid_groups(gid: &str) -> Option<Vec<&str>> {
    let groups: Vec<&str> = gid.split(':').collect();
    (groups.len() == 8 && groups.iter().all(|g| g.len() == 4)).then_some(groups)
}

fn nonzero(hex: &str) -> Option<u64> {
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(hex, 16).ok().filter(|v| *v != 0)
}

/// Place of a row: NUMA node, PCI address, port, natural name. What is not known comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub numa: u32,
    pub pci: [u32; 4],
    pub port: u32,
    pub name: Text,
}

impl Order {
    /// Of what a rail is.
    pub(super) fn new(pci: Option<&PciFunction>, port: u32, name: &Text) -> Self {
        let numa = pci.and_then(|p| p.numa_node.as_ref().ok().copied()).unwrap_or(u32::MAX);
        let address = pci.and_then(|p| pci_numbers(&p.address)).unwrap_or([u32::MAX; 4]);
        // Ports only count within a function: without one the name decides.
        let port = if pci.is_some() { port } else { 0 };
        Self { numa, pci: address, port, name: name.clone() }
    }

    /// Compares two places.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        (self.numa, self.pci, self.port)
            .cmp(&(other.numa, other.pci, other.port))
            .then_with(|| natural(&self.name, &other.name))
    }
}

/// `dddd:bb:dd.f` as numbers; domains can have more than four digits (VMD).
fn pci_numbers(address: &str) -> Option<[u32; 4]> {
    let (domain, rest) = address.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (slot, function) = rest.split_once('.')?;
    let hex = |text| u32::from_str_radix(text, 16).ok();
    Some([hex(domain)?, hex(bus)?, hex(slot)?, hex(function)?])
}

/// Orders names as people do: `mlx5_10` after `mlx5_9`.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (a, b);
    loop {
        if left_rest.is_empty() || right_rest.is_empty() {
            return left_rest.len().cmp(&right_rest.len()).then_with(|| a.cmp(b));
        }
        let (left, left_next) = run(left_rest);
        let (right, right_next) = run(right_rest);
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if digits(left) && digits(right) {
            let bare = |text| str::trim_start_matches(text, '0');
            let longer = bare(left).len().cmp(&bare(right).len());
            longer.then_with(|| bare(left).cmp(bare(right)))
        } else {
            left.cmp(right)
        };
        if order != Ordering::Equal {
            return order;
        }
        (left_rest, right_rest) = (left_next, right_next);
    }
}

/// The leading run of digits or of anything else.
fn run(text: &str) -> (&str, &str) {
    let digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mlx5_10_comes_after_mlx5_9() {
        let mut names = vec!["mlx5_10", "mlx5_9", "ib1", "ib0", "ib0.8001", "mlx5_2"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["ib0", "ib0.8001", "ib1", "mlx5_2", "mlx5_9", "mlx5_10"]);
    }

    #[test]
    fn the_guid_is_in_bytes_twelve_to_nineteen() {
        let address = "80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:f9:bf:a1";
        assert_eq!(guid_of_address(address), Some(0x0002_c903_00f9_bfa1));
        let gid = "fe80:0000:0000:0000:0002:c903:00f9:bfa1";
        assert_eq!(guid_of_gid(gid), Some(0x0002_c903_00f9_bfa1));
        assert_eq!(subnet_of_gid(gid), Some(0xfe80_0000_0000_0000));
        assert_eq!(guid_of_address("52:54:00:12:34:56"), None);
        assert_eq!(guid_of_gid("0000:0000:0000:0000:0000:0000:0000:0000"), None);
    }

    #[test]
    fn a_virtual_interface_is_its_name() {
        let only_a_name = Traits { name: "ib0", port: 1, ..Traits::default() };
        assert_eq!(identities(&only_a_name), (3, vec!["ib0".into()]));
    }

    #[test]
    fn the_best_identity_comes_first() {
        let traits = Traits {
            guid: Some(0x17),
            hardware_address: Some("80:00"),
            name: "ib0",
            ..Traits::default()
        };
        assert_eq!(identities(&traits), (1, vec!["0000000000000017".into()]));
    }

    proptest! {
        #[test]
        fn natural_is_an_order(a in ".{0,12}", b in ".{0,12}", c in "[a-c0-3]{0,6}", d in "[a-c0-3]{0,6}", e in "[a-c0-3]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &a), Ordering::Equal);
            if natural(&c, &d).is_le() && natural(&d, &e).is_le() {
                prop_assert!(natural(&c, &e).is_le());
            }
        }

        #[test]
        fn hex_parsers_never_panic(text in ".{0,80}") {
            let _ = (guid_of_address(&text), guid_of_gid(&text), pci_numbers(&text));
        }
    }
}
