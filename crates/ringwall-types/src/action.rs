//! What a principal wants to do, as `area:verb`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::InvalidValue;
use crate::names::quoted;

/// An action of the form `area:verb`, for example `dataset:export`.
///
/// Both parts are 1 to 64 ASCII letters, digits, `-`, `_` or `.`; exactly one colon.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Action {
    text: Arc<str>,
    colon: usize,
}

impl Action {
    const PART_BYTES_MAX: usize = 64;

    /// The part before the colon: the kind of thing that is acted on.
    pub fn area(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The part after the colon: what is done.
    pub fn verb(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    /// The whole action.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Action {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_part = |part: &str| {
            (1..=Self::PART_BYTES_MAX).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        match text.split_once(':') {
            Some((area, verb)) if is_part(area) && is_part(verb) => {
                Ok(Self { text: text.into(), colon: area.len() })
            }
            _ => {
                let why =
                    format!("{} is not of the form area:verb, for example dataset:export", quoted(text));
                Err(InvalidValue::new("action", why))
            }
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.text)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl serde::Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Action {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9._-]{1,64}:[A-Za-z0-9._-]{1,64}$",
            "description": "area:verb, for example dataset:export"
        })
    }
}

#[cfg(test)]
mod tests;
