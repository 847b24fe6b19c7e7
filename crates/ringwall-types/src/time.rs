//! A moment, as microseconds, with one way to write it.
//!
//! Promises: equal moments serialize to equal bytes (RFC 3339, UTC, `Z`). Does not do: tell what time it is.

use std::fmt;
use std::str::FromStr;

use crate::InvalidValue;
use crate::names::quoted;

/// A moment in microseconds since 1970-01-01T00:00:00Z, between the years 0001 and 9999.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment that can be written, 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// The last moment that can be written, 9999-12-30T22:00:00Z: beyond, some zone's clock shows the year 10000.
    pub const MAX: Self = Self(253_402_207_200_000_000);

    /// Accepts microseconds since the Unix epoch between [`Self::MIN`] and [`Self::MAX`].
    pub fn from_micros(micros: i64) -> Result<Self, InvalidValue> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            Ok(Self(micros))
        } else {
            Err(InvalidValue::new(
                "time",
                format!("{micros} microseconds are outside the years 0001 to 9999"),
            ))
        }
    }

    /// Microseconds since the Unix epoch.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment moved by `micros`, held at the first or last moment when it would leave the range.
    #[must_use]
    pub fn saturating_add_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros).clamp(Self::MIN.0, Self::MAX.0))
    }

    /// This moment moved by `secs`, held at the first or last moment when it would leave the range.
    #[must_use]
    pub fn saturating_add_secs(self, secs: i64) -> Self {
        self.saturating_add_micros(secs.saturating_mul(1_000_000))
    }

    /// Microseconds from `earlier` to this moment; negative when `earlier` is the later one.
    pub fn micros_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl FromStr for Timestamp {
    type Err = InvalidValue;

    /// Reads RFC 3339 with an offset; digits beyond microseconds are cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.parse::<jiff::Timestamp>();
        let moment = parsed.map_err(|_| {
            let hint = "write it as 2024-01-31T10:00:00Z, with an offset";
            InvalidValue::new("time", format!("{} is not RFC 3339; {hint}", quoted(text)))
        })?;
        Self::from_micros(moment.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            // INVARIANT: MIN..=MAX lies inside jiff's range, so this arm is never taken.
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time", "description": "RFC 3339, microseconds" })
    }
}

#[cfg(test)]
mod tests;
