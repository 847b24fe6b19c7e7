//! A log of sshd as the product reads it.

use ringwall::detect::{Format, LineError, Parsed, Reading, read_lines};
use ringwall::{Clock as _, SystemClock};
use ringwall_types::{EventKind, Outcome, SecurityEvent, TenantId, Value};

/// What was read, with the numbers of the lines.
pub(crate) struct Log {
    pub(crate) lines: u64,
    pub(crate) events: Vec<(u64, SecurityEvent)>,
    pub(crate) errors: Vec<LineError>,
}

impl Log {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let reading = Reading::new(TenantId::initial(), SystemClock.now());
        let mut log = Self { lines: 0, events: Vec::new(), errors: Vec::new() };
        for (line, parsed) in read_lines(Format::Sshd, bytes, &reading) {
            log.lines = line;
            match parsed {
                Ok(Parsed::Event(event)) => log.events.push((line, *event)),
                Ok(Parsed::Unrelated) => {}
                Err(error) => log.errors.push(error),
            }
        }
        log
    }

    /// Attempts to log in that failed.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &(u64, SecurityEvent)> {
        let is_failure = |event: &SecurityEvent| {
            event.kind == EventKind::Authentication && event.outcome == Outcome::Failure
        };
        self.events.iter().filter(move |(_, event)| is_failure(event))
    }

    /// Events whose product name is `name`.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &(u64, SecurityEvent)> {
        self.events.iter().filter(move |(_, event)| event.name == name)
    }
}

/// The user name as the line has it, also where it is no valid id.
pub(crate) fn user(event: &SecurityEvent) -> String {
    let raw = || event.attributes.value("user").and_then(Value::as_text).unwrap_or_default().to_owned();
    event.principal.as_ref().map_or_else(raw, |principal| principal.as_str().to_owned())
}

/// The address, or an empty text.
pub(crate) fn address(event: &SecurityEvent) -> String {
    event.source_ip.map(|address| address.to_string()).unwrap_or_default()
}

/// How the login was tried.
pub(crate) fn method(event: &SecurityEvent) -> &str {
    event.attributes.value("method").and_then(Value::as_text).unwrap_or_default()
}
