//! `cargo xtask eval SET --data DIR [--json]`: scores the product on a labelled data set.
//!
//! SET says how the folder is laid out, so that anybody can point it at data of their own. Promises: exit code 0 when
//! the set was scored, however badly; 1 when it could not be read. Does not download anything.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "commands talk to whoever runs them")]

mod c2sp;
mod folder;
mod merkle;
mod openssh;
mod score;
mod ssh_scenarios;
mod sshd;
mod workflow;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use folder::Folder;
use score::Score;

/// Scores the product on a labelled data set.
#[derive(Parser)]
#[command(name = "cargo xtask eval", bin_name = "cargo xtask eval")]
struct Arguments {
    /// What the folder holds.
    set: Set,

    /// The folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Set {
    /// A syslog of sshd and `ground-truth.json`, which names it as `source`: parsing and brute-force rules.
    Openssh,
    /// `inclusion.ndjson`, `consistency.ndjson`, `subtreeinclusion.ndjson`, `subtreeconsistency.ndjson`.
    Merkle,
    /// `notes.json`, `format-examples.json`, and folders with a tiled log (`vkey`, `expected.json`, checkpoints, tiles).
    C2sp,
    /// Folders with `expected.json` that names `log_file`; only sshd logs (`log_type: syslog`), only parsing.
    SshScenarios,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let name = arguments.set.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let mut score = Score::default();
    let folder = Folder::open(&arguments.data);
    let outcome = folder.and_then(|folder| match arguments.set {
        Set::Openssh => openssh::score(&folder, &mut score),
        Set::Merkle => merkle::score(&folder, &mut score),
        Set::C2sp => c2sp::score(&folder, &mut score),
        Set::SshScenarios => ssh_scenarios::score(&folder, &mut score),
    });
    let outcome = outcome
        .and_then(|()| if score.is_empty() { Err("there is nothing to score".to_owned()) } else { Ok(()) });
    if let Err(error) = outcome {
        eprintln!("eval {name}: {}: {error}", arguments.data.display());
        return ExitCode::FAILURE;
    }
    if arguments.json {
        println!("{}", score.to_json(&name, &arguments.data));
    } else {
        println!("{}", score.to_table(&name, &arguments.data));
    }
    ExitCode::SUCCESS
}
