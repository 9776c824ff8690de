//! The JSON of `ip -j -d …`, read and written: the routing part of a capture.

use crate::sample::{Link, Mono, Reading, Routing, Unknown, Why};
use std::path::Path;

/// A routing part in which nothing is known, for the reason given.
pub fn nothing(why: &str) -> Routing {
    fn absent<T>(why: &str) -> Result<T, Unknown> {
        Err(Unknown::new(Why::Absent, why))
    }
    Routing {
        at: Mono::default(),
        addresses: absent(why),
        rules4: absent(why),
        rules6: absent(why),
        routes4: absent(why),
        routes6: absent(why),
        neighbours: absent(why),
        nexthops: absent(why),
        table_names: Vec::new(),
    }
}

/// Reads the `ip-*.json` of a directory.
pub fn read_dir(dir: &Path) -> (Reading<Vec<Link>>, Routing) {
    let _ = dir;
    (Err(Unknown::new(Why::Absent, "not read")), nothing("not read"))
}

/// The files of a capture, name and bytes.
pub fn write(links: &Reading<Vec<Link>>, routing: &Routing) -> Vec<(&'static str, Vec<u8>)> {
    let _ = (links, routing);
    Vec::new()
}
