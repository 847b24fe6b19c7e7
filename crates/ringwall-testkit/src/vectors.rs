//! Data sets that lie beside the workspace, not in it.

use std::path::{Path, PathBuf};

/// When this variable is set, a missing data set fails the test instead of skipping it.
pub const REQUIRE_DATA: &str = "RINGWALL_REQUIRE_DATA";
/// Where the data sets are, when not in `../shared/data` beside the workspace.
pub const DATA: &str = "RINGWALL_DATA";

/// The directory of a data set such as `detect/openssh-2k`; when it is absent, says so and gives `None`.
pub fn data_set(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os(DATA).map_or_else(beside, PathBuf::from);
    let place = root.join(name);
    if place.is_dir() {
        return Some(place);
    }
    assert!(std::env::var_os(REQUIRE_DATA).is_none(), "data set `{name}` is required and absent");
    eprintln!("SKIPPED: data set `{name}` is absent; set {DATA} to the directory that holds it");
    None
}
