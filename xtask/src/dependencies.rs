//! What we may depend on: licences, banned crates, versions that occur twice. `deny.toml` says the same for cargo-deny.
//!
//! Looks at what is compiled into the product for this host, build dependencies and this program included; tests may use
//! more. Every exception has a reason, and one that is no longer needed is a mistake itself.

use std::collections::BTreeMap;

use crate::command::Failure;
use crate::metadata::{Id, Package, built, packages};
use crate::spdx::satisfies;
use crate::tree;

/// Licences that ask for no more than a notice.
const LICENSES: [&str; 8] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Crates that may not be compiled in, and why.
const BANNED: [(&str, &str); 14] = [
    ("openssl", "TLS is rustls, primitives are aws-lc-rs"),
    ("openssl-sys", "TLS is rustls, primitives are aws-lc-rs"),
    ("native-tls", "TLS is rustls"),
    ("ring", "primitives are aws-lc-rs, and one provider is enough"),
    ("chrono", "time is jiff"),
    ("time", "time is jiff"),
    ("serde_yaml", "unmaintained; YAML is serde-saphyr"),
    ("serde_yml", "unsound; YAML is serde-saphyr"),
    ("async-std", "the runtime is tokio"),
    ("reqwest", "a client of a whole stack; use hyper"),
    ("anyhow", "errors are enums with codes"),
    ("rand", "randomness is the engine's `Entropy`"),
    ("atty", "unmaintained; the standard library has `IsTerminal`"),
    ("lazy_static", "the standard library has `LazyLock`"),
];

/// Where a banned crate is tolerated because somebody else's crate needs it.
const TOLERATED: [(&str, &[&str]); 2] = [
    // The log formatter's slab.
    ("lazy_static", &["sharded-slab"]),
    // Sampling inside the metrics exporter; nothing secret is drawn from it.
    ("rand", &["metrics-util"]),
];

/// Crates that occur in several versions, and why that is borne.
const DUPLICATES: [(&str, &str); 4] = [
    ("base64", "serde-saphyr is ahead of the rest"),
    ("foldhash", "follows hashbrown"),
    ("hashbrown", "petgraph and metrics-util are behind indexmap"),
    ("syn", "macros of tracing and figment are behind those of serde"),
];

/// Fails with every offence; says what was looked at.
pub(crate) fn run() -> Result<String, Failure> {
    let root = tree::root()?;
    let (packages, built) = (packages(&root)?, built(&root)?);
    let mut offences = licenses(&packages, &built);
    offences.extend(bans(&built));
    offences.extend(duplicates(&built));
    if offences.is_empty() {
        return Ok(format!("{} packages: licences, bans and duplicates are in order", built.len()));
    }
    Err(Failure::new(format!("dependencies: {} offences\n{}", offences.len(), offences.join("\n"))))
}

type Built = BTreeMap<Id, Vec<String>>;

fn licenses(packages: &BTreeMap<Id, Package>, built: &Built) -> Vec<String> {
    let mut offences = Vec::new();
    for id in built.keys() {
        let license = packages.get(id).and_then(|package| package.license.as_deref());
        let (name, version) = id;
        match license {
            None => offences.push(format!("{name} {version}: states no licence")),
            Some(license) if !satisfies(license, &LICENSES) => {
                offences.push(format!("{name} {version}: `{license}` is not accepted"));
            }
            Some(_) => {}
        }
    }
    let of = |accepted: &str| {
        let mut licenses = built.keys().filter_map(|id| packages.get(id)?.license.as_deref());
        licenses.any(|license| license.contains(accepted))
    };
    let stale = LICENSES.iter().filter(|accepted| !of(accepted));
    offences.extend(
        stale.map(|accepted| format!("licence `{accepted}` is accepted, but nothing has it: strike it")),
    );
    offences
}

fn bans(built: &Built) -> Vec<String> {
    let mut offences = Vec::new();
    for (banned, reason) in BANNED {
        let tolerated =
            TOLERATED.iter().find(|(name, _)| *name == banned).map_or(&[][..], |(_, users)| *users);
        let users = built.iter().filter(|((name, _), _)| name == banned).flat_map(|(_, users)| users);
        let users: Vec<_> = users.map(String::as_str).collect();
        for user in users.iter().filter(|user| !tolerated.contains(user)) {
            offences.push(format!("{user} depends on {banned}: {reason}"));
        }
        for stale in tolerated.iter().filter(|wrapper| !users.contains(wrapper)) {
            offences.push(format!("{stale} no longer depends on {banned}: strike the exception"));
        }
    }
    offences
}

fn duplicates(built: &Built) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in built.keys() {
        versions.entry(name).or_default().push(version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    let is_known = |name: &str| DUPLICATES.iter().any(|(known, _)| *known == name);
    let new = versions.iter().filter(|(name, _)| !is_known(name));
    let mut offences: Vec<_> =
        new.map(|(name, versions)| format!("{name} occurs as {}", versions.join(" and "))).collect();
    let stale = DUPLICATES.iter().filter(|(name, _)| !versions.contains_key(name));
    offences.extend(stale.map(|(name, why)| format!("{name} occurs once ({why}): strike the exception")));
    offences
}

#[cfg(test)]
mod tests;
