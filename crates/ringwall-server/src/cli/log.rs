//! `ringwall log`: everything that can be known of the audit log from files alone.

use std::io::{IsTerminal as _, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use ringwall::{LogSource, check_proof, prove_offline, verify_log};
use ringwall_sqlite::{LOG_FILE, LogReader};
use ringwall_store::{Head, Node, StoredEntry};

use super::{Outcome, out, say};
use crate::config::Settings;
use crate::files::{PUBLIC_FILE, verifier_key};

/// Commands of `ringwall log`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Verify the whole log: every record, every hash, the signed checkpoint. Names the first leaf that is wrong.
    Verify {
        /// The log's public key, or a file with it. Default: signing.pub of the data directory, which proves nothing
        /// against somebody who can change that file too.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Print the newest signed checkpoint.
    Checkpoint,
    /// Make a proof that a record is in the log; it can be checked anywhere.
    Prove {
        /// The record's place in the log, from 0.
        index: u64,
        /// Where to write the proof. Default: standard output.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check a proof with nothing but the log's public key, and print the record that it proves.
    Check {
        /// The proof; `-` is standard input.
        file: PathBuf,
        /// The log's public key, or a file with it, from a source that you trust.
        #[arg(long, value_name = "KEY")]
        key: String,
    },
}

pub(super) fn run(command: Command, settings: &Settings) -> Result<Outcome, String> {
    let directory = &settings.data.directory;
    match command {
        Command::Verify { key } => verify(directory, key.as_deref()),
        Command::Checkpoint => {
            let head = open(directory)?.head().map_err(|error| error.to_string())?;
            out::print(&head.ok_or("the log is still empty")?.checkpoint);
            Ok(Outcome::Done)
        }
        Command::Prove { index, out } => {
            let proof = prove_offline(&open(directory)?, index).map_err(|error| error.to_string())?;
            match out {
                None => out::print(&proof.text),
                Some(file) => {
                    std::fs::write(&file, &proof.text)
                        .map_err(|error| format!("{}: {error}", file.display()))?;
                    say!("{}: record {index} of {}", file.display(), proof.size);
                }
            }
            Ok(Outcome::Done)
        }
        Command::Check { file, key } => check(&file, &key, directory),
    }
}

fn verify(directory: &Path, key: Option<&str>) -> Result<Outcome, String> {
    let key = verifier_key(key, directory)?;
    let log = match LogReader::open(directory) {
        Ok(log) => FileLog(log),
        Err(error @ ringwall_store::Error::Corrupt(_)) => return Ok(bad(&error.to_string())),
        // Where there is a key there was a log.
        Err(error) if directory.join(PUBLIC_FILE).exists() && !directory.join(LOG_FILE).exists() => {
            return Ok(bad(&error.to_string()));
        }
        Err(error) => return Err(error.to_string()),
    };
    let size = log.head().ok().flatten().map_or(0, |head| head.size);
    let bar = progress_bar(size);
    let verified = verify_log(&log, &key, |checked| bar.set_position(checked));
    bar.finish_and_clear();
    match verified {
        Ok(verified) => {
            say!("verified: {} records, root {}, signed by {key}", verified.size, verified.root);
            Ok(Outcome::Done)
        }
        Err(
            error @ (ringwall::Error::Audit(_) | ringwall::Error::Store(ringwall_store::Error::Corrupt(_))),
        ) => Ok(bad(&error.to_string())),
        Err(error) => Err(error.to_string()),
    }
}

fn bad(why: &str) -> Outcome {
    eprintln!("the log does NOT verify: {why}");
    Outcome::No
}

fn check(file: &Path, key: &str, directory: &Path) -> Result<Outcome, String> {
    let key = verifier_key(Some(key), directory)?;
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("{}: {error}", file.display()))?;
    match check_proof(&bytes, &key) {
        Ok((index, checkpoint, record)) => {
            say!("verified: record {index} of {} is in the log {}", checkpoint.size(), checkpoint.origin());
            let shown = serde_json::to_string_pretty(&record).map_err(|error| error.to_string())?;
            say!("{shown}");
            Ok(Outcome::Done)
        }
        Err(error) => {
            eprintln!("the proof does NOT verify: {error}");
            Ok(Outcome::No)
        }
    }
}

fn open(directory: &Path) -> Result<FileLog, String> {
    LogReader::open(directory).map(FileLog).map_err(|error| error.to_string())
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn progress_bar(length: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% {pos}/{len} {eta}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The log file, for the engine's offline checks.
struct FileLog(LogReader);

impl LogSource for FileLog {
    fn head(&self) -> Result<Option<Head>, ringwall_store::Error> {
        self.0.head()
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, ringwall_store::Error> {
        self.0.read(from, limit)
    }

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<[u8; 32]>, ringwall_store::Error> {
        self.0.hashes(level, range)
    }

    fn nodes(&self) -> Result<Vec<Node>, ringwall_store::Error> {
        self.0.nodes()
    }
}
