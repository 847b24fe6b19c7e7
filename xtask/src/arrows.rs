//! Which crate may know which: the table of arrows, and the libraries that only some crates may know.
//!
//! A new arrow is a design change: it is drawn here, in ARCHITECTURE.md and in the same commit. An arrow of the table
//! that no crate uses any more is struck. Test dependencies are not arrows.

use std::collections::{BTreeMap, BTreeSet};

/// Every arrow between crates of the workspace, from the doors down.
const ARROWS: [(&str, &[&str]); 11] = [
    ("ringwall-server", &["ringwall", "ringwall-sqlite", "ringwall-store", "ringwall-types"]),
    (
        "ringwall",
        &[
            "ringwall-audit",
            "ringwall-authz",
            "ringwall-detect",
            "ringwall-flow",
            "ringwall-store",
            "ringwall-types",
        ],
    ),
    ("ringwall-audit", &[]),
    ("ringwall-authz", &["ringwall-types"]),
    ("ringwall-detect", &["ringwall-types"]),
    ("ringwall-flow", &[]),
    ("ringwall-sqlite", &["ringwall-store", "ringwall-types"]),
    ("ringwall-store", &["ringwall-types"]),
    ("ringwall-testkit", &["ringwall", "ringwall-sqlite", "ringwall-store", "ringwall-types"]),
    ("ringwall-types", &[]),
    ("xtask", &[]),
];

/// Libraries that only these crates may know, and why.
const KEPT: [(&str, &[&str], &str); 8] = [
    ("axum", &["ringwall-server"], "only the server knows HTTP"),
    ("hyper", &["ringwall-server"], "only the server knows HTTP"),
    ("hyper-util", &["ringwall-server"], "only the server knows HTTP"),
    ("tower", &["ringwall-server"], "only the server knows HTTP"),
    ("rustls", &["ringwall-server"], "only the server knows TLS"),
    ("clap", &["ringwall-server", "xtask"], "only programs have a command line"),
    ("rusqlite", &["ringwall-sqlite"], "only the embedded store knows SQLite"),
    (
        "tokio",
        &[
            "ringwall",
            "ringwall-flow",
            "ringwall-server",
            "ringwall-sqlite",
            "ringwall-store",
            "ringwall-testkit",
        ],
        "features are pure and synchronous",
    ),
];

/// Direct dependencies of each crate of the workspace, by name.
pub(crate) type Direct = BTreeMap<String, BTreeSet<String>>;

/// What the crates do that the tables do not say, and the other way round.
pub(crate) fn check(crates: &Direct) -> Vec<String> {
    let mut offences = Vec::new();
    for (name, dependencies) in crates {
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| from == name) else {
            offences.push(format!("{name}: a new crate; give it a line in the table of arrows"));
            continue;
        };
        let own: BTreeSet<_> =
            dependencies.iter().filter(|to| crates.contains_key(*to)).map(String::as_str).collect();
        for to in own.iter().filter(|to| !allowed.contains(to)) {
            offences.push(format!("{name} → {to}: a new arrow between crates is a design change"));
        }
        for to in allowed.iter().filter(|to| !own.contains(*to)) {
            offences.push(format!("{name} → {to}: no longer used; strike it from the table of arrows"));
        }
        for (library, keepers, why) in KEPT {
            if dependencies.contains(library) && !keepers.contains(&name.as_str()) {
                offences.push(format!("{name} depends on {library}: {why}"));
            }
        }
    }
    let gone = ARROWS.iter().filter(|(from, _)| !crates.contains_key(*from));
    offences.extend(
        gone.map(|(from, _)| format!("{from}: no longer a crate; strike it from the table of arrows")),
    );
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workspace exactly as the table draws it.
    fn drawn() -> Direct {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        ARROWS.iter().map(|(from, to)| ((*from).to_owned(), names(to))).collect()
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Direct), told: &str) {
        let mut crates = drawn();
        change(&mut crates);
        assert_eq!(check(&crates), [told]);
    }

    #[test]
    fn what_the_table_draws_is_accepted() {
        assert_eq!(check(&drawn()), [""; 0]);
        let mut crates = drawn();
        crates.get_mut("ringwall-detect").unwrap().insert("serde".to_owned());
        crates.get_mut("ringwall-server").unwrap().insert("axum".to_owned());
        assert_eq!(check(&crates), [""; 0]);
    }

    #[test]
    fn a_new_arrow_is_refused() {
        let add = |from: &'static str, to: &'static str| {
            move |crates: &mut Direct| assert!(crates.get_mut(from).unwrap().insert(to.to_owned()))
        };
        refused(
            add("ringwall-detect", "ringwall-authz"),
            "ringwall-detect → ringwall-authz: a new arrow between crates is a design change",
        );
        refused(
            add("ringwall-authz", "tokio"),
            "ringwall-authz depends on tokio: features are pure and synchronous",
        );
        refused(add("ringwall", "axum"), "ringwall depends on axum: only the server knows HTTP");
    }

    #[test]
    fn a_stale_line_is_refused() {
        refused(
            |crates| assert!(crates.get_mut("ringwall-store").unwrap().remove("ringwall-types")),
            "ringwall-store → ringwall-types: no longer used; strike it from the table of arrows",
        );
        refused(
            |crates| drop(crates.remove("ringwall-testkit")),
            "ringwall-testkit: no longer a crate; strike it from the table of arrows",
        );
        refused(
            |crates| drop(crates.insert("ringwall-new".to_owned(), BTreeSet::new())),
            "ringwall-new: a new crate; give it a line in the table of arrows",
        );
    }
}
