//! One JSON object per line: ringwall's own words, the guides' words, or a serialized [`SecurityEvent`].
//!
//! Promises: a name given twice, two names for one thing, a wrong type or another tenant refuse the line; what has no
//! field of its own is kept as an attribute, fractions as text.

use std::num::NonZeroU32;
use std::str::FromStr;

use ringwall_types::{Attributes, EventFlag, EventKind, InvalidValue, Number, Outcome, SecurityEvent, Value};

use super::amount::bytes_of;
use super::{ParseError, Parsed, Reading, quoted, text_of, time};
use crate::error::with_nearest;

/// The most bytes of an event's name.
const NAME_BYTES_MAX: usize = 128;

/// Reads one line. An object with `kind` and without `type` is a serialized [`SecurityEvent`].
pub fn parse_ndjson_line(line: &[u8], reading: &Reading) -> Result<Parsed, ParseError> {
    let text = text_of(line)?;
    if text.trim().is_empty() {
        return Ok(Parsed::Unrelated);
    }
    let given = serde_json::from_str::<Attributes>(text)
        .map_err(|error| ParseError::new(format!("is no JSON object of an event: {error}")))?;
    let event = match (given.value("type"), given.value("kind")) {
        (None, Some(_)) => typed(text, reading)?,
        (Some(_), _) => worded(&given, reading)?,
        (None, None) => return Err(ParseError::new("needs `type`, which says what happened")),
    };
    Ok(Parsed::Event(Box::new(event)))
}

fn typed(text: &str, reading: &Reading) -> Result<SecurityEvent, ParseError> {
    let mut event =
        serde_json::from_str::<SecurityEvent>(text).map_err(|error| ParseError::new(with_nearest(&error)))?;
    if event.tenant != reading.tenant {
        return Err(foreign_tenant(event.tenant.as_str()));
    }
    check_name(&event.name)?;
    // What had to be assumed is for whoever assumes it to say.
    event.flags.clear();
    event.attributes = event.attributes.iter().map(|(name, value)| (name, exact(value))).collect();
    if event.source.is_none() {
        event.source = reading.source.clone();
    }
    Ok(event)
}

fn worded(given: &Attributes, reading: &Reading) -> Result<SecurityEvent, ParseError> {
    let fields = Fields(given);
    if let Some(tenant) = fields.text(&["tenant"])?
        && tenant != reading.tenant.as_str()
    {
        return Err(foreign_tenant(tenant));
    }
    let name = fields.text(&["type"])?.unwrap_or_default();
    if name.is_empty() {
        return Err(ParseError::new("`type` is empty"));
    }
    check_name(name)?;
    let (moment, flag) = match fields.text(&["timestamp", "time"])? {
        Some(text) => time::rfc3339(text)?,
        None => (reading.arrival, Some(EventFlag::TimeMissing)),
    };
    let kind = name.parse().unwrap_or(EventKind::Other);
    let mut event = SecurityEvent::new(reading.tenant.clone(), moment, kind);
    event.name = name.to_owned();
    event.flags.extend(flag);
    event.outcome = outcome(&fields)?;
    event.count = count(&fields)?;
    event.bytes = bytes(&fields)?;
    event.id = fields.parsed(&["id"])?;
    event.principal = fields.parsed(&["user", "user_id", "principal"])?;
    event.target = fields.parsed(&["target"])?;
    event.source_ip = fields.parsed(&["ip", "source_ip", "ip_address"])?;
    event.host = fields.parsed(&["host"])?;
    event.resource = fields.parsed(&["file", "resource"])?;
    event.sensitivity = fields.parsed(&["sensitivity"])?;
    event.source = fields.parsed(&["source"])?.or_else(|| reading.source.clone());
    event.attributes = given
        .iter()
        .filter(|(name, _)| !KNOWN.contains(name))
        .map(|(name, value)| (name, exact(value)))
        .collect();
    Ok(event)
}

/// Every name that has a field of its own.
const KNOWN: [&str; 22] = [
    "type",
    "tenant",
    "timestamp",
    "time",
    "failed",
    "outcome",
    "count",
    "size_bytes",
    "bytes",
    "id",
    "user",
    "user_id",
    "principal",
    "target",
    "ip",
    "source_ip",
    "ip_address",
    "host",
    "file",
    "resource",
    "sensitivity",
    "source",
];

fn outcome(fields: &Fields<'_>) -> Result<Outcome, ParseError> {
    match fields.one_of(&["failed", "outcome"])? {
        None => Ok(Outcome::Unknown),
        Some(("failed", Value::Bool(failed))) => {
            Ok(if *failed { Outcome::Failure } else { Outcome::Success })
        }
        Some(("failed", other)) => Err(wrong_type("failed", "true or false", other)),
        Some((_, Value::Text(text))) => Ok(text.parse()?),
        Some((name, other)) => Err(wrong_type(name, "text", other)),
    }
}

fn count(fields: &Fields<'_>) -> Result<NonZeroU32, ParseError> {
    match fields.one_of(&["count"])? {
        None => Ok(NonZeroU32::MIN),
        Some((_, Value::Number(Number::Integer(count)))) => u32::try_from(*count)
            .ok()
            .and_then(NonZeroU32::new)
            .ok_or_else(|| ParseError::new(format!("`count` is {count}, it must be 1 to {}", u32::MAX))),
        Some((name, other)) => Err(wrong_type(name, "a whole number", other)),
    }
}

fn bytes(fields: &Fields<'_>) -> Result<Option<u64>, ParseError> {
    match fields.one_of(&["size_bytes", "bytes"])? {
        None => Ok(None),
        Some((name, Value::Number(Number::Integer(bytes)))) => u64::try_from(*bytes)
            .map(Some)
            .map_err(|_| ParseError::new(format!("`{name}` is {bytes}, it must not be negative"))),
        Some((_, Value::Text(text))) => bytes_of(text).map(Some),
        Some((name, other)) => Err(wrong_type(name, "a whole number, or text with a unit", other)),
    }
}

/// The object as it was given, asked by the names that one thing may have.
struct Fields<'a>(&'a Attributes);

impl<'a> Fields<'a> {
    /// The one name of `names` that is given; two are a contradiction, even when they agree.
    fn one_of(&self, names: &[&'static str]) -> Result<Option<(&'static str, &'a Value)>, ParseError> {
        let mut given = names.iter().filter_map(|name| Some((*name, self.0.value(name)?)));
        match (given.next(), given.next()) {
            (Some((first, _)), Some((second, _))) => {
                Err(ParseError::new(format!("`{first}` and `{second}` say the same thing; give one of them")))
            }
            (first, _) => Ok(first),
        }
    }

    fn text(&self, names: &[&'static str]) -> Result<Option<&'a str>, ParseError> {
        match self.one_of(names)? {
            None => Ok(None),
            Some((_, Value::Text(text))) => Ok(Some(text)),
            Some((name, other)) => Err(wrong_type(name, "text", other)),
        }
    }

    fn parsed<T: FromStr<Err = InvalidValue>>(
        &self,
        names: &[&'static str],
    ) -> Result<Option<T>, ParseError> {
        Ok(self.text(names)?.map(str::parse).transpose()?)
    }
}

/// The value with fractions as text, since audit leaves hold no floats.
/// A value as an audit leaf can hold it: fractions, and integers that not every reader of JSON reads exactly, as text.
fn exact(value: &Value) -> Value {
    const EXACT_MAX: u64 = 1 << 53;
    match value {
        Value::Number(number @ Number::Fraction(_)) => Value::Text(number.to_string()),
        Value::Number(number @ Number::Integer(whole)) if whole.unsigned_abs() > EXACT_MAX => {
            Value::Text(number.to_string())
        }
        Value::List(values) => Value::List(values.iter().map(exact).collect()),
        Value::Map(values) => Value::Map(values.iter().map(|(name, value)| (name, exact(value))).collect()),
        Value::Bool(_) | Value::Number(Number::Integer(_)) | Value::Text(_) => value.clone(),
    }
}

fn check_name(name: &str) -> Result<(), ParseError> {
    if name.len() > NAME_BYTES_MAX {
        return Err(ParseError::new(format!(
            "the event's name has {} bytes, the limit is {NAME_BYTES_MAX}",
            name.len()
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(ParseError::new(format!("the event's name {} holds a control character", quoted(name))));
    }
    Ok(())
}

fn wrong_type(name: &str, wanted: &str, given: &Value) -> ParseError {
    ParseError::new(format!("`{name}` must be {wanted}, it is {}", given.kind()))
}

fn foreign_tenant(given: &str) -> ParseError {
    ParseError::new(format!("names tenant {}, which is not the caller's", quoted(given)))
}

#[cfg(test)]
mod tests;
