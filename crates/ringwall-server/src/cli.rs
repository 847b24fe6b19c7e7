//! The command line: verbs that mirror the API, each a file.

mod check;
mod log;
mod out;
mod run;
mod serve;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{DEFAULT_FILE, Settings};

/// Security engine for workflow and agent platforms: who is this, may they do it, is this an attack, and can we prove
/// afterwards what happened.
#[derive(Parser)]
#[command(name = "ringwall", version, after_help = AFTER_HELP, max_term_width = 110)]
struct Arguments {
    /// Settings file (TOML). Default: ringwall.toml, if there is one. Environment variables RINGWALL_SECTION__KEY and
    /// the options of a command win over it.
    #[arg(long, global = true, env = "RINGWALL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Data directory.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Exit codes:
  0  done
  1  something failed; the message says what and how to mend it
  2  the command line is wrong
  3  checked, and the answer is no: the log or proof does not verify, the file has mistakes, or a threat
     reached the severity of --fail-on

Examples:
  ringwall serve
  ringwall run examples/workflows/ssh-monitoring.yaml --events auth.log --format sshd
  ringwall policy check policies.yaml
  ringwall log verify
  ringwall log prove 0 > record-0.tlog-proof
  ringwall log check record-0.tlog-proof --key ringwall-data/signing.pub";

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve(serve::Arguments),
    /// Run a workflow over a file of events, without a server and without binding anybody.
    Run(run::Arguments),
    /// Verify the audit log, make proofs, check proofs.
    #[command(subcommand)]
    Log(log::Command),
    /// Check policies.
    #[command(subcommand)]
    Policy(check::PolicyCommand),
    /// Check and show settings.
    #[command(subcommand)]
    Config(check::ConfigCommand),
    /// Print the description of the HTTP API (OpenAPI 3.1).
    Openapi,
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// How a command ended, if it ended as it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Done,
    /// It was checked, and the answer is no.
    No,
}

/// Prints a line to standard output; a reader that went away ends the command quietly.
macro_rules! say {
    ($($part:tt)*) => { $crate::cli::out::line(format_args!($($part)*)) };
}
use say;

/// Prints a line to standard output if somebody reads it; the server goes on without.
macro_rules! tell {
    ($($part:tt)*) => { $crate::cli::out::line_if_read(format_args!($($part)*)) };
}
use tell;

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.run() {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::No) => ExitCode::from(3),
        Err(message) => {
            eprintln!("ringwall: {}", out::shown(&message));
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn run(self) -> Result<Outcome, String> {
        let settings = || {
            let mut settings = Settings::load(self.config.as_deref())?;
            if let Some(directory) = &self.data {
                settings.data.directory.clone_from(directory);
            }
            Ok::<_, String>(settings)
        };
        match self.command {
            Command::Serve(arguments) => serve::run(arguments, settings()?),
            Command::Run(arguments) => run::run(&arguments, settings()?),
            Command::Log(command) => log::run(command, &settings()?),
            Command::Policy(command) => check::policy(&command),
            Command::Config(command) => {
                let file = self.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
                Ok(check::config(&command, &file, settings()))
            }
            Command::Openapi => {
                say!("{:#}", crate::http::document());
                Ok(Outcome::Done)
            }
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Self::command(), "ringwall", &mut script);
                out::print(&String::from_utf8_lossy(&script));
                Ok(Outcome::Done)
            }
        }
    }
}

/// A runtime for commands that call the engine.
fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| format!("cannot start: {error}"))
}
