//! What the integration tests share.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test target uses its own part; a test that cannot go on panics"
)]

pub(crate) mod grid;
pub(crate) mod law;
pub(crate) mod lnet;
pub(crate) mod lnetctl;
pub(crate) mod model;
pub(crate) mod ns;
pub(crate) mod pty;
pub(crate) mod shots;
pub(crate) mod stream;
pub(crate) mod svg;
pub(crate) mod tree;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The program under test; `RAILTOP_BIN` names another build of it.
pub(crate) fn railtop() -> PathBuf {
    std::env::var_os("RAILTOP_BIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_railtop")), PathBuf::from)
}

/// Says why a test is skipped, past the capture of the test runner. In CI nothing may be skipped.
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test}: must run in CI, but {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// Waits until `condition` gives a value, at most `limit`; panics with `what` otherwise.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
