//! The frame of a syslog line: when, on which host, by which program; and the program's own words.
//!
//! Reads the classic form without a year, the same with an RFC 3339 time, and RFC 5424; each with or without `<PRI>`.

use ringwall_types::{EventFlag, Timestamp};

use super::{ParseError, Reading, quoted, time};

/// A syslog line taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Frame<'a> {
    pub(crate) time: Timestamp,
    pub(crate) flag: Option<EventFlag>,
    pub(crate) host: &'a str,
    /// The program's name without its process id; empty when the line names none.
    pub(crate) program: &'a str,
    pub(crate) message: &'a str,
}

/// Takes a line apart.
pub(crate) fn frame<'a>(line: &'a str, reading: &Reading) -> Result<Frame<'a>, ParseError> {
    let (line, had_priority) = match priority(line) {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    if let Some(rest) = line.strip_prefix("1 ")
        && (had_priority || rest.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    {
        return rfc5424(rest, reading);
    }
    if line.starts_with(|c: char| c.is_ascii_digit()) {
        let (stamp, rest) = word(line);
        let (time, flag) = time::rfc3339(stamp)?;
        return Ok(tagged(time, flag, rest));
    }
    let (month, rest) = word(line);
    let (day, rest) = word(rest.trim_start());
    let (clock, rest) = word(rest);
    let time = time::without_year(month, day, clock, reading.year_reference)
        .ok_or_else(|| ParseError::new(format!("{} does not begin like a syslog line", quoted(line))))?;
    // The classic form names neither year nor offset.
    Ok(tagged(time, Some(EventFlag::TimeNaive), rest))
}

/// `host program[pid]: message`.
fn tagged(time: Timestamp, flag: Option<EventFlag>, rest: &str) -> Frame<'_> {
    let (host, rest) = word(rest.trim_start());
    let (tag, message) = word(rest.trim_start());
    match tag.strip_suffix(':') {
        Some(tag) => {
            let program = tag.split_once('[').map_or(tag, |(program, _)| program);
            Frame { time, flag, host, program, message }
        }
        None => Frame { time, flag, host, program: "", message: rest },
    }
}

/// `TIMESTAMP HOST PROGRAM PROCID MSGID DATA MESSAGE`, after the version.
fn rfc5424<'a>(rest: &'a str, reading: &Reading) -> Result<Frame<'a>, ParseError> {
    let (stamp, rest) = word(rest);
    let (host, rest) = word(rest);
    let (program, rest) = word(rest);
    let (_process, rest) = word(rest);
    let (_message_id, rest) = word(rest);
    let message =
        after_structured_data(rest).ok_or_else(|| ParseError::new("its structured data does not end"))?;
    let (time, flag) = match stamp {
        "-" => (reading.arrival, Some(EventFlag::TimeMissing)),
        stamp => time::rfc3339(stamp)?,
    };
    let nil = |text: &'a str| if text == "-" { "" } else { text };
    let message = message.strip_prefix('\u{feff}').unwrap_or(message);
    Ok(Frame { time, flag, host: nil(host), program: nil(program), message })
}

fn after_structured_data(rest: &str) -> Option<&str> {
    if let Some(rest) = rest.strip_prefix('-') {
        return Some(rest.strip_prefix(' ').unwrap_or(rest));
    }
    let (mut in_quotes, mut escaped, mut in_element) = (false, false, false);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' if in_element => in_quotes = !in_quotes,
            '[' if !in_quotes => in_element = true,
            ']' if !in_quotes => in_element = false,
            ' ' if !in_element => return rest.get(at + 1..),
            _ if in_element => {}
            _ => return None,
        }
    }
    (!in_element && !in_quotes).then_some("")
}

/// What follows `<PRI>`, if the line begins with one.
fn priority(line: &str) -> Option<&str> {
    let (digits, rest) = line.strip_prefix('<')?.split_once('>')?;
    let sound = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (sound && digits.parse::<u16>().is_ok_and(|priority| priority <= 191)).then_some(rest)
}

/// The text before the first space, and after it.
fn word(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}
