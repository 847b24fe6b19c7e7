//! What cargo knows: packages with their licences, arrows between workspace crates, and what is really built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{Failure, cargo, output};

/// A package and its version.
pub(crate) type Id = (String, String);

/// What `cargo metadata` says about one package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) license: Option<String>,
    /// Its direct dependencies that are compiled into it or that build it, by name.
    pub(crate) dependencies: Vec<String>,
    /// Set for members of the workspace.
    pub(crate) manifest: Option<PathBuf>,
}

/// Every package that the lock file names.
pub(crate) fn packages(root: &Path) -> Result<BTreeMap<Id, Package>, Failure> {
    let mut metadata = cargo();
    metadata.current_dir(root).args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        &host()?,
    ]);
    let json = output(&mut metadata)?;
    let json: Value =
        serde_json::from_str(&json).map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    read(&json).ok_or_else(|| Failure::new("cargo metadata has another form than expected"))
}

/// The packages that are compiled for the host without tests, each with those that depend on it.
///
/// From `cargo tree`: unlike the metadata's own graph it follows the features that are really on.
pub(crate) fn built(root: &Path) -> Result<BTreeMap<Id, Vec<String>>, Failure> {
    let mut tree = cargo();
    tree.current_dir(root).args(["tree", "--workspace", "--locked", "--edges", "normal,build"]);
    Ok(parents(&output(tree.args(["--prefix", "depth", "--format", " {p}"]))?))
}

fn host() -> Result<String, Failure> {
    let said = output(std::process::Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("rustc -vV names no host"))
}

fn read(json: &Value) -> Option<BTreeMap<Id, Package>> {
    let members: Vec<_> = json.get("workspace_members")?.as_array()?.iter().collect();
    let packages = json.get("packages")?.as_array()?.iter().map(|package| {
        let text = |name: &str| package.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_member = package.get("id").is_some_and(|id| members.contains(&id));
        let dependencies = package.get("dependencies")?.as_array()?.iter();
        let compiled =
            dependencies.filter(|dependency| dependency.get("kind").and_then(Value::as_str) != Some("dev"));
        let names = compiled.filter_map(|dependency| Some(dependency.get("name")?.as_str()?.to_owned()));
        let package = Package {
            license: text("license"),
            dependencies: names.collect(),
            manifest: if is_member { text("manifest_path").map(PathBuf::from) } else { None },
        };
        Some(((text("name")?, text("version")?), package))
    });
    packages.collect()
}

/// Reads lines of `DEPTH NAME vVERSION …`.
fn parents(tree: &str) -> BTreeMap<Id, Vec<String>> {
    let mut built: BTreeMap<Id, Vec<String>> = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let (Some(depth), Some(name), Some(version)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let (Ok(depth), Some(version)) = (depth.parse::<usize>(), version.strip_prefix('v')) else {
            continue;
        };
        path.truncate(depth);
        let parents = built.entry((name.to_owned(), version.to_owned())).or_default();
        if let Some(parent) = path.last()
            && !parents.contains(parent)
        {
            parents.push(parent.clone());
        }
        path.push(name.to_owned());
    }
    built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_gives_each_package_with_those_that_depend_on_it() {
        let built = parents(
            "0 a v0.1.0 (a)\n1 b v1.2.3\n2 c v3.0.0 (proc-macro)\n1 c v3.0.0\n\n0 d v0.1.0\n1 c v2.0.0\n",
        );
        let of = |name: &str, version: &str| built.get(&(name.to_owned(), version.to_owned())).cloned();
        assert_eq!(of("a", "0.1.0"), Some(vec![]));
        assert_eq!(of("c", "3.0.0"), Some(vec!["b".to_owned(), "a".to_owned()]));
        assert_eq!(of("c", "2.0.0"), Some(vec!["d".to_owned()]));
    }

    #[test]
    fn test_dependencies_are_no_arrows() {
        let json = serde_json::json!({
            "workspace_members": ["m"],
            "packages": [
                { "id": "m", "name": "m", "version": "1.0.0", "license": "MIT", "manifest_path": "m/Cargo.toml",
                  "dependencies": [{ "name": "x", "kind": null }, { "name": "y", "kind": "dev" }, { "name": "z", "kind": "build" }] },
                { "id": "x", "name": "x", "version": "1.0.0", "license": null, "manifest_path": "x/Cargo.toml", "dependencies": [] }
            ]
        });
        let packages = read(&json).unwrap();
        let own = &packages[&("m".to_owned(), "1.0.0".to_owned())];
        assert_eq!((own.dependencies.join(" "), own.manifest.is_some()), ("x z".to_owned(), true));
        assert!(packages[&("x".to_owned(), "1.0.0".to_owned())].manifest.is_none());
    }
}
