//! The project's own commands: `cargo xtask test`, `tidy`, `dependencies`, `schemas`, `eval`, `bench`.
//!
//! Promises: each step says what it does before it does it, and the first that fails ends the run with its reason and
//! a non-zero exit. Does not know the engine: it is compiled before everything else, so it stays small.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "commands talk to whoever runs them")]

mod arrows;
mod command;
mod dependencies;
mod metadata;
mod sources;
mod spdx;
mod suite;
mod tally;
mod tidy;
mod tools;
mod tree;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use command::{Failure, cargo};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole check, as the continuous integration does; installs missing Debian packages.
    Test,
    /// Check the house rules: crate arrows, file heads, forbidden words, needed documents.
    Tidy,
    /// Check licences, banned crates and duplicate versions.
    Dependencies,
    /// Write the files below `schemas/` anew.
    Schemas,
    /// Score the product on a labelled data set; `cargo xtask eval --help` says more.
    #[command(disable_help_flag = true)]
    Eval {
        /// Handed on as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run the benchmarks in `bench/`: all, or those of one file; `figures` prints the table of figures.
    Bench {
        /// `decide`, `append`, `detect` or `figures`.
        name: Option<String>,
        /// Handed on to the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test => suite::run(),
        Command::Tidy => tidy::run().map(|said| println!("{said}")),
        Command::Dependencies => dependencies::run().map(|said| println!("{said}")),
        Command::Schemas => schemas(),
        Command::Eval { arguments } => eval(&arguments),
        Command::Bench { name, arguments } => bench(name.as_deref(), &arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_told() {
                eprintln!("{failure}");
            }
            ExitCode::FAILURE
        }
    }
}

fn schemas() -> Result<(), Failure> {
    let root = tree::root()?;
    let mut update = cargo();
    update.current_dir(&root).env("RINGWALL_UPDATE_SCHEMAS", "1");
    command::run(update.args(["test", "--quiet", "--package", "ringwall-server", "openapi"]))?;
    let mut show = cargo();
    let arguments = ["run", "--quiet", "--package", "ringwall-server", "--", "config", "schema"];
    let schema = command::output(show.current_dir(&root).args(arguments))?;
    let place = root.join("schemas/config.json");
    std::fs::write(&place, schema).map_err(|error| Failure::new(format!("{}: {error}", place.display())))?;
    println!("schemas/openapi.json and schemas/config.json are up to date");
    Ok(())
}

fn eval(arguments: &[OsString]) -> Result<(), Failure> {
    // The caller's directory stays the current one: paths among the arguments are relative to it.
    let mut run = cargo();
    let manifest = tree::root()?.join("Cargo.toml");
    run.args(["run", "--quiet", "--package", "xtask", "--example", "eval", "--manifest-path"]).arg(manifest);
    command::run(run.arg("--").args(arguments)).map_err(|_| Failure::told())
}

fn bench(name: Option<&str>, arguments: &[OsString]) -> Result<(), Failure> {
    let root = tree::root()?;
    let (manifest, target) = (root.join("bench/Cargo.toml"), root.join("bench/target"));
    let mut run = cargo();
    match name {
        Some("figures") => {
            command::announce("build the server as it is shipped");
            let mut build = cargo();
            build.current_dir(&root);
            command::run(build.args(["build", "--release", "--package", "ringwall-server"]))?;
            run.args(["run", "--release", "--bin", "figures"]);
        }
        Some(name) => {
            run.args(["bench", "--bench", name]);
        }
        None => {
            run.arg("bench");
        }
    }
    run.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target);
    command::run(run.arg("--").args(arguments))
}
