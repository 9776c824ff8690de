//! The JSON of `ip -j -d …`, read and written: the routing part of a capture.

mod address;
mod fields;
#[cfg(test)]
mod law_tests;
mod link;
mod names;
mod route;
mod rule;
#[cfg(test)]
pub(in crate::read) mod sample_tests;
pub(crate) mod words;
mod write;

pub use address::{parse_addresses, parse_neighbours, parse_nexthops};
pub use link::parse_links;
pub use names::Names;
pub use route::parse_routes;
pub use rule::parse_rules;
pub use write::write;

use crate::read::root::Root;
use crate::sample::{Family, Link, Mono, Reading, Routing, Unknown, Why};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// `ip -j -d link`.
pub const LINKS: &str = "ip-link.json";
/// `ip -j -d addr`.
pub const ADDRESSES: &str = "ip-addr.json";
/// `ip -j -d rule`.
pub const RULES4: &str = "ip-rule.json";
/// `ip -j -d -6 rule`.
pub const RULES6: &str = "ip-rule6.json";
/// `ip -j -d route show table all`.
pub const ROUTES4: &str = "ip-route.json";
/// `ip -j -d -6 route show table all`.
pub const ROUTES6: &str = "ip-route6.json";
/// `ip -j neigh`.
pub const NEIGHBOURS: &str = "ip-neigh.json";
/// `ip -j nexthop`.
pub const NEXTHOPS: &str = "ip-nexthop.json";

/// No capture has a larger file; it would be 500,000 routes.
const LARGEST: u64 = 256 << 20;
/// So much of an error's text is kept.
const LONGEST_ERROR: u64 = 4096;

/// Reads the links and the routing part of a capture directory.
///
/// Names of tables come from `etc/iproute2` and `usr/share/iproute2` in it.
pub fn read_dir(dir: &Path) -> (Reading<Vec<Link>>, Routing) {
    let addresses = read_file(dir, ADDRESSES);
    let mut links = read_file(dir, LINKS).and_then(|bytes| named(LINKS, parse_links(&bytes)));
    if let (Err(_), Ok(bytes)) = (&links, &addresses) {
        // `ip addr` says almost all that `ip link` says.
        links = parse_links(bytes).or(links);
    }
    let known = links.as_deref().unwrap_or_default();
    let mut names = Names::new(known, &Root::new(dir));
    let mut rules = |family, file| {
        let bytes = read_file(dir, file)?;
        named(file, parse_rules(family, &bytes, &mut names))
    };
    let rules4 = rules(Family::Inet, RULES4);
    let rules6 = rules(Family::Inet6, RULES6);
    let mut routes = |family, file| {
        let bytes = read_file(dir, file)?;
        named(file, parse_routes(family, &bytes, &mut names))
    };
    let routes4 = routes(Family::Inet, ROUTES4);
    let routes6 = routes(Family::Inet6, ROUTES6);
    let neighbours = read_file(dir, NEIGHBOURS)
        .and_then(|bytes| named(NEIGHBOURS, parse_neighbours(&bytes, &names)));
    let nexthops =
        read_file(dir, NEXTHOPS).and_then(|bytes| named(NEXTHOPS, parse_nexthops(&bytes, &names)));
    let routing = Routing {
        at: Mono::default(),
        addresses: addresses.and_then(|bytes| named(ADDRESSES, parse_addresses(&bytes))),
        rules4,
        rules6,
        routes4,
        routes6,
        neighbours,
        nexthops,
        table_names: names.tables(),
    };
    (links, routing)
}

/// Names the file in the reason.
fn named<T>(file: &str, reading: Reading<T>) -> Reading<T> {
    reading.map_err(|unknown| Unknown::new(unknown.why, format!("{file}: {}", unknown.detail)))
}

fn read_file(dir: &Path, file: &str) -> Reading<Vec<u8>> {
    let path = dir.join(file);
    match bytes_of(&path, LARGEST) {
        Ok(bytes) if bytes.iter().any(|&b| b != 0 && !b.is_ascii_whitespace()) => Ok(bytes),
        Ok(_) => Err(told_error(dir, file).unwrap_or_else(|| {
            Unknown::new(Why::Absent, format!("{file} is empty in the capture"))
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(told_error(dir, file)
            .unwrap_or_else(|| Unknown::new(Why::Absent, format!("{file} is not in the capture")))),
        Err(error) => Err(Unknown::new(Why::Denied, format!("{file}: {error}"))),
    }
}

fn bytes_of(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // A FIFO would block for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What `ip-route.json.error` or `ip-route.error` says.
fn told_error(dir: &Path, file: &str) -> Option<Unknown> {
    let stem = file.trim_end_matches(".json");
    let paths: [PathBuf; 2] =
        [format!("{file}.error"), format!("{stem}.error")].map(|f| dir.join(f));
    let bytes = paths.iter().find_map(|path| bytes_of(path, LONGEST_ERROR).ok())?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    if let Some((why, detail)) = write::reason(text) {
        return Some(Unknown::new(why, detail));
    }
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let why = if has(&["not permitted", "ermission denied"]) {
        Why::Denied
    } else if has(&["not supported", "is unknown", "nvalid argument"]) {
        Why::Unsupported
    } else {
        Why::Absent
    };
    Some(Unknown::new(why, format!("{file}: {}", text.replace('\n', " "))))
}

/// A routing part in which nothing is known, for the reason given.
pub fn nothing(why: &str) -> Routing {
    unknown(&Unknown::new(Why::Absent, why))
}

/// A routing part in which everything is unknown for one reason.
pub(in crate::read) fn unknown(why: &Unknown) -> Routing {
    Routing {
        at: Mono::default(),
        addresses: Err(why.clone()),
        rules4: Err(why.clone()),
        rules6: Err(why.clone()),
        routes4: Err(why.clone()),
        routes6: Err(why.clone()),
        neighbours: Err(why.clone()),
        nexthops: Err(why.clone()),
        table_names: Vec::new(),
    }
}
