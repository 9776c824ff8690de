//! Shared by the tests of the screen: hand-built models, and frames as text and as SVG.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses its own part")]

pub mod grid;
pub mod model;
pub mod svg;
