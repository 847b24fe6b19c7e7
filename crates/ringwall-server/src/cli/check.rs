//! `ringwall policy` and `ringwall config`: mistakes are found before anything starts.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use ringwall::authz::PolicySet;

use super::out::shown;
use super::{Outcome, say};
use crate::config::Settings;

/// Commands of `ringwall policy`.
#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Load a policy file and report every mistake with its place.
    Check {
        /// The file (YAML or JSON).
        file: PathBuf,
    },
}

/// Commands of `ringwall config`.
#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Read file and environment and report every mistake.
    Check,
    /// Print the settings in force, as JSON.
    Show,
    /// Print the JSON Schema of the settings.
    Schema,
}

pub(super) fn policy(command: &PolicyCommand) -> Result<Outcome, String> {
    let PolicyCommand::Check { file } = command;
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    match PolicySet::from_yaml(&text) {
        Ok(set) => {
            say!("{}: {} policies, no mistakes", file.display(), set.len());
            set.warnings().iter().for_each(|warning| say!("warning: {warning}"));
            Ok(Outcome::Done)
        }
        Err(errors) => {
            errors
                .to_string()
                .lines()
                .for_each(|line| eprintln!("{}", shown(&format!("{}: {line}", file.display()))));
            Ok(Outcome::No)
        }
    }
}

pub(super) fn config(command: &ConfigCommand, file: &Path, settings: Result<Settings, String>) -> Outcome {
    if matches!(command, ConfigCommand::Schema) {
        say!("{:#}", schemars::schema_for!(Settings).to_value());
        return Outcome::Done;
    }
    match settings {
        Err(mistakes) => {
            eprintln!("{}", shown(&mistakes));
            Outcome::No
        }
        Ok(settings) => {
            match command {
                ConfigCommand::Show => say!("{:#}", serde_json::to_value(settings).unwrap_or_default()),
                _ if file.exists() => say!("{}: no mistakes", file.display()),
                _ => say!("there is no {}; environment and defaults have no mistakes", file.display()),
            }
            Outcome::Done
        }
    }
}
