//! Lines of logs as typed events.
//!
//! Promises: no bytes make it panic; what an attacker may choose (names, certificate ids) cannot forge the address that
//! an event names; what had to be assumed is flagged. Does not do: decide what is an attack.

pub(crate) mod amount;
pub(crate) mod lines;
pub(crate) mod ndjson;
pub(crate) mod sshd;
pub(crate) mod syslog;
pub(crate) mod time;

use std::fmt;

use ringwall_types::{InvalidValue, SecurityEvent, SourceName, TenantId, Timestamp};

pub(crate) use ringwall_types::quoted;

/// The longest line that is read, in bytes without its end.
pub const LINE_BYTES_MAX: usize = 65_536;

/// What a line cannot say about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// Whose events these are; a line that names another tenant is refused.
    pub tenant: TenantId,
    /// When the lines arrived; stands in for a missing time.
    pub arrival: Timestamp,
    /// A moment not before the newest line was written. A time without a year is read as the latest one that is not
    /// more than a day after it.
    pub year_reference: Timestamp,
    /// The feed of lines that do not name one.
    pub source: Option<SourceName>,
}

impl Reading {
    /// Lines of `tenant` that were written and arrived just before `arrival`.
    pub fn new(tenant: TenantId, arrival: Timestamp) -> Self {
        Self { tenant, arrival, year_reference: arrival, source: None }
    }
}

/// What a readable line is.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// Something happened.
    Event(Box<SecurityEvent>),
    /// Nothing that concerns security, or nothing that another line does not say.
    Unrelated,
}

/// Why a line cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParseError {
    reason: String,
}

impl ParseError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// Stable, machine-readable name of the error.
    pub fn code(&self) -> &'static str {
        "unreadable_line"
    }

    /// What is wrong, in lower case and without a full stop.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ParseError {}

impl From<InvalidValue> for ParseError {
    fn from(error: InvalidValue) -> Self {
        Self::new(error.to_string())
    }
}

/// The line as text without its end, if it is short enough.
pub(crate) fn text_of(line: &[u8]) -> Result<&str, ParseError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LINE_BYTES_MAX {
        return Err(ParseError::new(format!("has {} bytes, the limit is {LINE_BYTES_MAX}", line.len())));
    }
    std::str::from_utf8(line)
        .map_err(|error| ParseError::new(format!("is not UTF-8 from byte {} on", error.valid_up_to())))
}
