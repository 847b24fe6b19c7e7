//! What sshd says about logins.
//!
//! Promises: one attempt is one event, though sshd and PAM report it in up to four messages (only `Failed` and
//! `Accepted` lines are attempts); `Failed none` is a probe for methods, not an attempt; the address is read from the
//! right end of the message, where no name reaches.

use std::num::NonZeroU32;

use ringwall_types::{Attributes, EventKind, HostName, IpAddress, Outcome, PrincipalId, SecurityEvent};

use super::syslog::{self, Frame};
use super::{ParseError, Parsed, Reading, text_of};

/// Reads one line of a syslog file or stream.
pub fn parse_sshd_line(line: &[u8], reading: &Reading) -> Result<Parsed, ParseError> {
    let frame = syslog::frame(text_of(line)?, reading)?;
    if !matches!(frame.program, "sshd" | "sshd-session" | "sshd-auth") {
        return Ok(Parsed::Unrelated);
    }
    let (message, count) = match repeated(frame.message) {
        Some((message, count)) => (message, count?),
        None => (frame.message, NonZeroU32::MIN),
    };
    let Some(report) = report(message) else { return Ok(Parsed::Unrelated) };
    Ok(Parsed::Event(Box::new(event(&frame, report, count, reading))))
}

/// What one message says.
#[derive(Debug)]
struct Report<'a> {
    kind: EventKind,
    name: &'static str,
    outcome: Outcome,
    method: Option<&'a str>,
    invalid_user: bool,
    user: &'a str,
    origin: Origin<'a>,
}

/// Whence a connection came, as the end of a message says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Origin<'a> {
    /// `None` when the message can be read in more than one way.
    address: Option<&'a str>,
    port: Option<u16>,
}

/// `message repeated 5 times: [ … ]`.
fn repeated(message: &str) -> Option<(&str, Result<NonZeroU32, ParseError>)> {
    let (count, rest) = message.strip_prefix("message repeated ")?.split_once(" times: [")?;
    let inner = rest.trim_end().strip_suffix(']')?;
    let count = count.parse().map_err(|_| ParseError::new("is repeated no possible number of times"));
    Some((inner.strip_prefix(' ').unwrap_or(inner), count))
}

fn report(message: &str) -> Option<Report<'_>> {
    if let Some(rest) = message.strip_prefix("Failed ") {
        let report = attempt(rest, "Failed login", Outcome::Failure)?;
        // The client asks which methods there are; nobody has tried anything yet.
        return Some(match report.method {
            Some("none") => Report { name: "none probe", outcome: Outcome::Unknown, ..report },
            _ => report,
        });
    }
    if let Some(rest) = message.strip_prefix("Accepted ") {
        return attempt(rest, "Accepted login", Outcome::Success);
    }
    let rest = message.strip_prefix("Invalid user ").or_else(|| message.strip_prefix("Illegal user "))?;
    let (user, tail) = rest.rsplit_once(" from ").or_else(|| Some(("", rest.strip_prefix("from ")?)))?;
    let (address, port) = match tail.trim_end().split_once(" port ") {
        Some((address, port)) => (address, Some(port.parse().ok()?)),
        None => (tail.trim_end(), None),
    };
    Some(Report {
        kind: EventKind::Other,
        name: "Invalid user",
        outcome: Outcome::Unknown,
        method: None,
        invalid_user: true,
        user,
        origin: Origin { address: Some(address).filter(|text| is_origin(text)), port },
    })
}

/// `METHOD for [invalid user ]NAME from ADDRESS port PORT[ ssh2[: KEY]]`.
fn attempt<'a>(rest: &'a str, name: &'static str, outcome: Outcome) -> Option<Report<'a>> {
    let (method, rest) = rest.split_once(" for ")?;
    if method.is_empty() || method.contains(' ') {
        return None;
    }
    let stripped = rest.strip_prefix("invalid user ").or_else(|| rest.strip_prefix("illegal user "));
    let (user, origin) = origin(stripped.unwrap_or(rest))?;
    Some(Report {
        kind: EventKind::Authentication,
        name,
        outcome,
        method: Some(method),
        invalid_user: stripped.is_some(),
        user,
        origin,
    })
}

/// Splits `NAME from ADDRESS port PORT …` at the last place where it can be split.
///
/// A name is left of that place and cannot move it. Only the id of a certificate can stand right of it; a line with a
/// certificate that could be split in two places names no address at all.
fn origin(text: &str) -> Option<(&str, Origin<'_>)> {
    let mut splits = text.rmatch_indices("from ").filter_map(|(at, from)| {
        let name = match text.get(..at)? {
            "" => "",
            before => before.strip_suffix(' ')?,
        };
        let (address, port, key) = address_port(text.get(at + from.len()..)?)?;
        Some((name, Origin { address: Some(address), port: Some(port) }, key))
    });
    let (name, origin, key) = splits.next()?;
    if !key.contains(" CA ") && !key.contains("(serial") {
        return Some((name, origin));
    }
    match splits.next() {
        None => Some((name, origin)),
        Some((name, ..)) => Some((name, Origin::default())),
    }
}

/// `ADDRESS port PORT[ ssh2[: KEY]]`: address, port, key.
fn address_port(text: &str) -> Option<(&str, u16, &str)> {
    let (address, rest) = text.split_once(" port ")?;
    if !is_origin(address) {
        return None;
    }
    let (port, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let port = port.parse().ok()?;
    let protocol = rest.trim_end();
    if matches!(protocol, "" | "ssh1" | "ssh2") {
        return Some((address, port, ""));
    }
    Some((address, port, protocol.strip_prefix("ssh2: ").or_else(|| protocol.strip_prefix("ssh1: "))?))
}

/// An address or a host name: one word.
fn is_origin(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn event(frame: &Frame<'_>, report: Report<'_>, count: NonZeroU32, reading: &Reading) -> SecurityEvent {
    let mut attributes = Attributes::new();
    if let Some(method) = report.method {
        attributes.insert("method", method);
    }
    if let Some(port) = report.origin.port {
        attributes.insert("port", i64::from(port));
    }
    if report.invalid_user {
        attributes.insert("invalid_user", true);
    }
    // A scope says on which link an address was seen, not which address it is.
    let address = report.origin.address.map(|text| text.split_once('%').map_or(text, |(address, _)| address));
    let source_ip = address.and_then(|text| text.parse::<IpAddress>().ok());
    if let (None, Some(host)) = (source_ip, report.origin.address) {
        attributes.insert("source_host", host);
    }
    let principal = PrincipalId::new(report.user).ok();
    if principal.is_none() {
        attributes.insert("user", report.user);
    }
    let mut event = SecurityEvent::new(reading.tenant.clone(), frame.time, report.kind);
    event.name = report.name.to_owned();
    event.outcome = report.outcome;
    event.count = count;
    event.principal = principal;
    event.source_ip = source_ip;
    event.host = HostName::new(frame.host).ok();
    event.source = reading.source.clone();
    event.flags.extend(frame.flag);
    event.attributes = attributes;
    event
}

#[cfg(test)]
mod tests;
