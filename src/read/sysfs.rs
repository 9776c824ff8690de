//! `/sys/class/net` and `/sys/class/infiniband`.

pub(in crate::read) mod fault;
pub(in crate::read) mod files;
mod group;
mod infiniband;
mod net;
pub(in crate::read) mod parse;
mod pci;
mod quarantine;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../../tests/support/tree.rs"]
pub(in crate::read) mod tree;

pub use infiniband::{DeviceReader, devices};
pub use net::NetReader;

use std::sync::Arc;

/// The value from before, if it is equal: readers of samples know unchanged parts by pointer.
fn shared<T: PartialEq>(before: Option<&Arc<T>>, now: T) -> Arc<T> {
    match before {
        Some(before) if **before == now => Arc::clone(before),
        _ => Arc::new(now),
    }
}
