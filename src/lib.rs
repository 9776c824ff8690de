//! railtop: a terminal dashboard for nodes with several network rails.
//!
//! # The way of the data
//!
//! ```text
//!  kernel, lnetctl ─► read ─► Sample ─► Node ─► Findings ─► tui │ report
//!                      ▲
//!    source: live │ capture │ demo
//! ```
//!
//! One direction, no way back:
//!
//! * [`sample`] is everything one pass read, raw and cumulative, with the time of each read.
//! * [`read`] knows one kernel interface or tool each and turns bytes into sample types. It is
//!   the only place, with [`source`], that does I/O on the system; every reader takes a root.
//! * [`source`] says where samples come from: this node, a capture, a simulated node.
//! * [`node`] joins a sample with what was before it: rails, groups, rates, balance, history,
//!   events. No I/O and no clock of its own: time comes with the sample.
//! * [`fib`] and [`lnet`] are what the kernel and LNet would do, as pure functions.
//! * [`check`] judges a node: findings, the ladder of layers of each rail, the verdict.
//! * [`report`] and [`tui`] are the mouths. They format; a figure they show exists in the model.
//!
//! Unknown is a value ([`sample::Reading`]): every fact that can be missing says why, and is
//! never zero.

#![forbid(unsafe_code)]

pub mod check;
pub mod cli;
pub mod config;
pub mod expect;
pub mod fib;
pub mod fix;
pub mod lnet;
pub mod natural;
pub mod node;
pub mod pattern;
pub mod read;
pub mod report;
pub mod sample;
pub mod source;
pub mod tui;
pub mod units;
