//! What each file must be: headed, short, free of forbidden words, and honest in its tests.

use crate::tree::File;
use crate::words::forbidden;

/// Longer files hide things; the house rule is about 400.
const LINES_MAX: usize = 700;

/// Needed documents, and how many lines they may have.
const DOCUMENTS: [(&str, usize); 8] = [
    ("ARCHITECTURE.md", 200),
    ("CHANGELOG.md", usize::MAX),
    ("CONTRIBUTING.md", usize::MAX),
    ("DESIGN.md", usize::MAX),
    ("LICENSE-APACHE", usize::MAX),
    ("LICENSE-MIT", usize::MAX),
    ("README.md", usize::MAX),
    ("SECURITY.md", usize::MAX),
];

/// What no Rust file may say, and why; in pieces, so that this file may.
const NEVER: [(&str, &str); 2] = [
    (concat!("#[", "ignore"), "a test that does not run promises nothing"),
    (concat!("todo", "!("), "unfinished code is not merged"),
];

/// What no test may say.
const NEVER_IN_TESTS: [(&str, &str); 2] = [
    (concat!("thread::", "sleep("), "waiting hides races: wait for the condition itself"),
    (concat!("time::", "sleep("), "waiting hides races: wait for the condition itself, with a deadline"),
];

/// The offences of one file.
pub(crate) fn check(file: &File) -> Vec<String> {
    let mut offences = Vec::new();
    let generated = file.path.ends_with("Cargo.lock");
    for (number, line) in (1..).zip(file.text.lines()).filter(|_| !generated) {
        if let Some(word) = forbidden(line) {
            offences.push(format!("{}:{number}: `{word}` belongs to one machine", file.path));
        }
    }
    if file.path.ends_with(".rs") {
        offences.extend(check_rust(file));
    }
    if file.path.ends_with("Cargo.toml") && file.path.starts_with("crates/") && !inherits_lints(&file.text) {
        offences.push(format!("{}: needs `[lints] workspace = true`, which forbids unsafe code", file.path));
    }
    offences
}

/// The offences of the project as a whole.
pub(crate) fn check_documents(files: &[File]) -> Vec<String> {
    let mut offences = Vec::new();
    for (name, lines_max) in DOCUMENTS {
        match files.iter().find(|file| file.path == name) {
            None => offences.push(format!("{name}: is missing")),
            Some(file) if file.text.trim().is_empty() => offences.push(format!("{name}: is empty")),
            Some(file) if file.text.lines().count() > lines_max => {
                offences.push(format!("{name}: has more than {lines_max} lines; it is a map, not a book"));
            }
            Some(_) => {}
        }
    }
    let workspace = files.iter().find(|file| file.path == "Cargo.toml");
    if !workspace.is_some_and(|file| file.text.contains("unsafe_code = \"forbid\"")) {
        offences.push("Cargo.toml: the workspace lints must forbid unsafe code".to_owned());
    }
    offences
}

fn check_rust(file: &File) -> Vec<String> {
    let mut offences = Vec::new();
    let is_test = is_test(&file.path);
    if !is_test && !file.text.starts_with("//!") {
        offences
            .push(format!("{}: does not open with `//!`: what it decides, promises, does not do", file.path));
    }
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        let hint = "split it by idea: one file for each question that it answers";
        offences.push(format!("{}: {lines} lines, the limit is {LINES_MAX}; {hint}", file.path));
    }
    let mut in_test = is_test;
    for (number, line) in (1..).zip(file.text.lines()) {
        in_test |= line.trim_start().starts_with("#[cfg(test)]");
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        let never = NEVER.iter().chain(NEVER_IN_TESTS.iter().filter(|_| in_test));
        for (phrase, why) in never.filter(|(phrase, _)| code.contains(phrase)) {
            offences.push(format!("{}:{number}: `{phrase}`: {why}", file.path));
        }
    }
    offences
}

/// Files whose head says nothing that their tests do not.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(path: &str, text: &str, told: &str) {
        let offences = check(&File { path: path.to_owned(), text: text.to_owned() });
        let [offence] = offences.as_slice() else { panic!("{offences:?}") };
        assert!(offence.contains(told), "{offence}");
    }

    #[track_caller]
    fn accepted(path: &str, text: &str) {
        assert_eq!(check(&File { path: path.to_owned(), text: text.to_owned() }), [""; 0]);
    }

    #[test]
    fn a_file_opens_with_what_it_is_for() {
        accepted("crates/a/src/b.rs", "//! B.\n");
        accepted("crates/a/src/b/tests.rs", "use super::*;\n");
        refused("crates/a/src/b.rs", "// B.\n", "does not open with");
    }

    #[test]
    fn a_long_file_is_refused_with_a_hint() {
        accepted("crates/a/src/b.rs", &"//! B.\n".repeat(LINES_MAX));
        refused("crates/a/src/b.rs", &"//! B.\n".repeat(LINES_MAX + 1), "split it by idea");
    }

    #[test]
    fn tests_run_and_do_not_wait() {
        let ignored = concat!("#[", "ignore]");
        let waits = concat!("std::thread::", "sleep(x);");
        refused("crates/a/tests/b.rs", ignored, "does not run");
        refused("crates/a/tests/b.rs", waits, "waiting hides races");
        refused("crates/a/src/b.rs", &format!("//! B.\n#[cfg(test)]\n{waits}\n"), "b.rs:3");
        accepted("crates/a/src/b.rs", &format!("//! B.\n{waits}\n// {ignored}\n"));
    }

    #[test]
    fn every_crate_inherits_the_lints() {
        accepted("crates/a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n");
        refused("crates/a/Cargo.toml", "[lints]\nrust = {}\n", "workspace = true");
        refused("crates/a/Cargo.toml", "[package]\n", "workspace = true");
    }

    #[test]
    fn a_word_of_one_machine_is_refused_outside_the_lock_file() {
        let line = concat!("see /", "work/x");
        refused("README.md", line, "README.md:1");
        accepted("Cargo.lock", line);
    }

    #[test]
    fn documents_exist_and_the_map_is_short() {
        let file = |name: &str, text: &str| File { path: name.to_owned(), text: text.to_owned() };
        let mut files: Vec<_> = DOCUMENTS.iter().map(|(name, _)| file(name, "x\n")).collect();
        files.push(file("Cargo.toml", "unsafe_code = \"forbid\"\n"));
        assert_eq!(check_documents(&files), [""; 0]);
        files[0].text = "x\n".repeat(201);
        files[7].text.clear();
        files.remove(3);
        let offences = check_documents(&files);
        assert_eq!(offences.len(), 3, "{offences:?}");
        assert!(offences[0].contains("ARCHITECTURE.md: has more than 200 lines"), "{offences:?}");
    }
}
