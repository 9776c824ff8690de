//! The JSON of `ip -j -d …`, read and written: the routing part of a capture.

use crate::sample::{Mono, Routing, Unknown, Why};

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
