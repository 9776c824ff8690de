//! The host line, from sysinfo on a live node and from a copied tree otherwise.

use crate::read::root::Root;
use crate::sample::{Host, Unknown, Why};

/// Host facts of the running system.
pub fn live() -> Host {
    nothing()
}

/// Host facts of a copied tree (`proc/…`, `etc/hostname`); `meta.json` may add to them.
pub fn from_tree(root: &Root) -> Host {
    let _ = root;
    nothing()
}

fn nothing() -> Host {
    fn absent<T>() -> Result<T, Unknown> {
        Err(Unknown::new(Why::Absent, "not read"))
    }
    Host {
        name: absent(),
        kernel: absent(),
        load: absent(),
        memory: absent(),
        cpus: absent(),
        boot_time_seconds: absent(),
        uid: absent(),
    }
}
