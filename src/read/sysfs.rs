//! `/sys/class/net` and `/sys/class/infiniband`.

mod infiniband;
mod net;

pub use infiniband::{DeviceReader, devices};
pub use net::NetReader;
