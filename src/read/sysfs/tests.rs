//! Trees in the shapes that drivers give them, and what is read from them.

mod net;
mod rdma;
mod samples;
