//! `cargo xtask test`: the whole check, in the order in which failures are cheapest to find.
//!
//! Promises: runs without a terminal and without input; uses one target directory and one set of flags, so that nothing
//! is compiled twice for the same purpose; ends with one line that counts every test.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::command::{self, Failure, announce, cargo, shown};
use crate::tally::{self, Tally};
use crate::{dependencies, tidy, tools, tree};

/// Where the published data sets lie, beside the workspace.
const DATA: &str = "../shared/data";

/// Runs every step; the first that fails ends it.
pub(crate) fn run() -> Result<(), Failure> {
    let tally = run_all(&tree::root()?)?;
    println!("\n{} passed, {} failed", tally.passed, tally.failed);
    Ok(())
}

fn run_all(root: &Path) -> Result<Tally, Failure> {
    step("tools", tools::ensure)?;
    step("tidy: the house rules", || tidy::run().map(|said| println!("{said}")))?;
    step("dependencies: licences, bans, duplicates", || dependencies::run().map(|said| println!("{said}")))?;
    step("cargo fmt --check", || {
        command::run(in_root(root).args(["fmt", "--all", "--check"]))?;
        command::run(in_root(root).args(["fmt", "--check", "--manifest-path", "bench/Cargo.toml"]))
    })?;
    step("cargo clippy", || {
        command::run(in_root(root).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    let mut test = in_root(root);
    test.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    if root.join(DATA).is_dir() {
        println!("\ndata sets found in {DATA}: tests that need them must run");
        test.env("RINGWALL_REQUIRE_DATA", "1");
    } else {
        println!(
            "\nATTENTION: there is no {DATA}. Tests against published data sets are SKIPPED, not passed."
        );
    }
    let mut tally = Tally::default();
    step("cargo test", || {
        let (counted, outcome) = counted(&mut test)?;
        tally = counted;
        outcome.inspect_err(|_| println!("\n{} passed, {} failed", counted.passed, counted.failed))
    })?;
    Ok(tally)
}

fn step(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    announce(name);
    let started = clock();
    let outcome = work();
    let secs = clock().saturating_sub(started).as_secs();
    match &outcome {
        Ok(()) => println!("    {name}: done in {secs} s"),
        Err(_) => println!("    {name}: FAILED after {secs} s"),
    }
    outcome
}

#[expect(clippy::disallowed_methods, reason = "steps are timed for whoever waits for them")]
fn clock() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// Cargo in the workspace; where nobody edits between two builds, incremental compilation only costs.
fn in_root(root: &Path) -> Command {
    let mut command = cargo();
    command.current_dir(root).stdin(Stdio::null());
    if std::env::var_os("CI").is_some() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Runs the tests, shows what they print as they print it, and counts.
fn counted(test: &mut Command) -> Result<(Tally, Result<(), Failure>), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("cargo test: {error}"));
    let mut child = test.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let output = child.stdout.take().ok_or_else(|| Failure::new("cargo test has no output"))?;
    let tally = tally::follow(output, &mut std::io::stdout()).map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    let outcome = match (status.success(), tally) {
        (false, _) => Err(Failure::new(format!("{}: {status}", shown(test)))),
        (true, Tally { passed: 0, .. }) => Err(Failure::new("cargo test ran no test")),
        (true, _) => Ok(()),
    };
    Ok((tally, outcome))
}
