//! The house rules as a check; every offence is told at once.

use crate::command::Failure;
use crate::{arrows, metadata, sources, tree};

/// Fails with every offence; says what was looked at.
pub(crate) fn run() -> Result<String, Failure> {
    let root = tree::root()?;
    let packages = metadata::packages(&root)?;
    let members = packages.into_iter().filter(|(_, package)| package.manifest.is_some());
    let crates: arrows::Direct =
        members.map(|((name, _), package)| (name, package.dependencies.into_iter().collect())).collect();
    let files = tree::files(&root)?;
    let mut offences = arrows::check(&crates);
    offences.extend(sources::check_documents(&files));
    offences.extend(files.iter().flat_map(sources::check));
    if offences.is_empty() {
        return Ok(format!("{} crates and {} files are tidy", crates.len(), files.len()));
    }
    Err(Failure::new(format!("tidy: {} offences\n{}", offences.len(), offences.join("\n"))))
}
