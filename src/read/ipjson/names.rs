//! Names that stand for numbers in the JSON: interfaces, tables, protocols, groups.

use super::words::{self, PROTOCOLS, TABLES};
use crate::read::root::Root;
use crate::read::tables;
use crate::sample::{Link, Text};
use std::collections::{BTreeMap, HashMap};

/// Invented numbers lie above this: no interface index and hardly a table id is that high.
const INVENTED: u32 = 0x7000_0000;

/// Names and their numbers.
///
/// A name that nobody explains gets a number of its own, always the same one: that two rules
/// mean the same table is worth more than its id.
#[derive(Clone, Debug, Default)]
pub struct Names {
    links: HashMap<Text, u32>,
    tables: Vec<(u32, Text)>,
    protocols: Vec<(u32, Text)>,
    groups: Vec<(u32, Text)>,
    invented: BTreeMap<u32, Text>,
}

impl Names {
    /// The names of these links and those that iproute2's files below `root` explain.
    pub fn new(links: &[Link], root: &Root) -> Self {
        Self {
            links: links.iter().map(|link| (link.name.clone(), link.index)).collect(),
            tables: tables::names(root),
            protocols: tables::named(root, "rt_protos"),
            groups: tables::named(root, "group"),
            invented: BTreeMap::new(),
        }
    }

    /// Only the names of these links.
    pub fn of_links(links: &[Link]) -> Self {
        Self {
            links: links.iter().map(|link| (link.name.clone(), link.index)).collect(),
            ..Self::default()
        }
    }

    /// Names of tables: those of the files and those that got an invented id.
    pub fn tables(&self) -> Vec<(u32, Text)> {
        let mut all: BTreeMap<u32, Text> = self.invented.clone();
        all.extend(self.tables.iter().cloned());
        all.into_iter().collect()
    }

    /// The index of an interface. iproute2 writes `if7` for an index without a name.
    pub(super) fn link(&self, name: &str) -> u32 {
        let known = self.links.get(Text::new(name).as_str()).copied();
        known.or_else(|| name.strip_prefix("if")?.parse().ok()).unwrap_or_else(|| invent(name))
    }

    /// The id of a table.
    pub(super) fn table(&mut self, name: &str) -> u32 {
        let known = named(&self.tables, name).or_else(|| words::number_or_digits(TABLES, name));
        known.unwrap_or_else(|| {
            let id = invent(name);
            self.invented.insert(id, name.into());
            id
        })
    }

    /// The number of a routing protocol.
    pub(super) fn protocol(&self, name: &str) -> Option<u8> {
        let number =
            named(&self.protocols, name).or_else(|| words::number_or_digits(PROTOCOLS, name))?;
        u8::try_from(number).ok()
    }

    /// The number of an interface group.
    pub(super) fn group(&self, name: &str) -> Option<u32> {
        let known = named(&self.groups, name);
        known.or_else(|| words::number_or_digits(&[(0, "default")], name))
    }
}

fn named(list: &[(u32, Text)], name: &str) -> Option<u32> {
    list.iter().find(|(_, n)| n == name).map(|(id, _)| *id)
}

/// FNV-1a, cut to 28 bits.
fn invent(name: &str) -> u32 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    INVENTED | (hash & 0x0fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_resolved_or_get_a_stable_number() {
        let mut names = Names::default();
        assert_eq!(names.table("main"), 254);
        assert_eq!(names.table("4000000000"), 4_000_000_000);
        let id = names.table("ib0_rails");
        assert!(id >= INVENTED);
        assert_eq!(names.table("ib0_rails"), id);
        assert_eq!(names.tables(), [(id, "ib0_rails".into())]);
        assert_eq!(names.link("if7"), 7);
        assert_ne!(names.link("ib0"), names.link("ib1"));
        assert_eq!((names.protocol("kernel"), names.protocol("99")), (Some(2), Some(99)));
        assert_eq!((names.protocol("nobody"), names.group("default")), (None, Some(0)));
    }
}
