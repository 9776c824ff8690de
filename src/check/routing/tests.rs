//! The catalogue of routing findings, on written and recorded states.

mod healthy;
mod kit;
mod lasting;
mod laws;
mod pairs;
mod peers;
mod plans;
mod recorded;
mod reports;
mod sick;
mod sick_arp;
