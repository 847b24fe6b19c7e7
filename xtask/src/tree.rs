//! Where the project is and which files it has.

use std::path::{Path, PathBuf};

use crate::command::Failure;

/// Directories that hold nothing of ours.
const SKIPPED: [&str; 5] = ["target", ".git", "node_modules", "ringwall-data", "proptest-regressions"];
/// Files above this size are data, not text that somebody wrote.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// A text file of the project.
pub(crate) struct File {
    /// Relative to the project's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The directory that holds the workspace.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.parent().ok_or_else(|| Failure::new("the workspace is not where it was compiled"))?;
    Ok(root.to_path_buf())
}

/// Every text file, in order of path; what is not UTF-8 is left out.
pub(crate) fn files(root: &Path) -> Result<Vec<File>, Failure> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", directory.display()));
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let is_skipped = SKIPPED.iter().any(|skipped| entry.file_name() == *skipped);
            if kind.is_dir() && !is_skipped {
                directories.push(entry.path());
            } else if kind.is_file() && entry.metadata().map_err(failed)?.len() <= TEXT_BYTES_MAX {
                let bytes = std::fs::read(entry.path()).map_err(failed)?;
                let path = entry.path();
                let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.extend(String::from_utf8(bytes).ok().map(|text| File { path, text }));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
