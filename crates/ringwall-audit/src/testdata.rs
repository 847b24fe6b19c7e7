//! Where tests find the published vectors: beside the workspace, never copied into it.
//!
//! Without them a test says so and passes; with `RINGWALL_REQUIRE_DATA` set it fails.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a file below the shared audit data, or `None` after saying that it is not there.
#[track_caller]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn read(path: &str) -> Option<Vec<u8>> {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/audit").join(path);
    match std::fs::read(full) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(std::env::var_os("RINGWALL_REQUIRE_DATA").is_none(), "test data `{path}`: {error}");
            let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
            eprintln!("skipped: no test data `{path}` ({count} skipped so far)");
            None
        }
    }
}

/// Text of a file below the shared audit data.
#[track_caller]
pub(crate) fn read_text(path: &str) -> Option<String> {
    read(path).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// A JSON file below the shared audit data.
#[track_caller]
pub(crate) fn read_json(path: &str) -> Option<serde_json::Value> {
    read(path).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}
