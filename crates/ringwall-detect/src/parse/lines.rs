//! Many lines, each on its own: one bad line never costs the next.

use std::fmt;
use std::str::FromStr;

use ringwall_types::{InvalidValue, nearest};

use super::ndjson::parse_ndjson_line;
use super::sshd::parse_sshd_line;
use super::{ParseError, Parsed, Reading, quoted};

/// How lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Syslog lines, of which sshd's are read.
    Sshd,
    /// One JSON object per line.
    Ndjson,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Sshd, Self::Ndjson];

    /// The name used in configuration and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sshd => "sshd",
            Self::Ndjson => "ndjson",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = InvalidValue;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.map(Self::as_str);
        Self::ALL.into_iter().find(|format| format.as_str() == given).ok_or_else(|| {
            let hint = match nearest(given, known) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            InvalidValue::new("format", format!("{} is unknown; {hint}", quoted(given)))
        })
    }
}

/// A line that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineError {
    /// Which line, counted from 1.
    pub line: u64,
    /// Why.
    pub error: ParseError,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.error)
    }
}

impl std::error::Error for LineError {}

/// Reads every line of `bytes`, in order, with its number from 1. An empty line is unrelated.
pub fn read_lines<'a>(
    format: Format,
    bytes: &'a [u8],
    reading: &'a Reading,
) -> impl Iterator<Item = (u64, Result<Parsed, LineError>)> + 'a {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    (1..).zip(bytes.split(|byte| *byte == b'\n')).map(move |(line, text)| {
        let parsed = match format {
            _ if text.trim_ascii().is_empty() => Ok(Parsed::Unrelated),
            Format::Sshd => parse_sshd_line(text, reading),
            Format::Ndjson => parse_ndjson_line(text, reading),
        };
        (line, parsed.map_err(|error| LineError { line, error }))
    })
}

#[cfg(test)]
mod tests;
