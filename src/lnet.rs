//! What LNet would do, as pure functions: which NIs it configures from given rules, how far it
//! has come and what comes next, and in which order it chooses the NI for a message.
//!
//! Behaviour differs by version, and vendors port changes back: what can be told from the keys
//! that an answer holds is told from them, the version decides only where nothing else can.

pub mod config;
pub mod ip2nets;
pub mod lifecycle;
pub mod select;
