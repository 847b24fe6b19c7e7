//! A time zone by its IANA name, looked up once.

use std::fmt;
use std::str::FromStr;

use ringwall_types::{InvalidValue, Timestamp};

use crate::error::quoted;

/// A time zone of the IANA database, for example `Europe/Berlin`.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// Coordinated Universal Time, the zone of a set that names none.
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the wall clock in this zone shows at a moment, in microseconds since midnight.
    pub fn micros_of_day(&self, moment: Timestamp) -> Option<i64> {
        let moment = jiff::Timestamp::from_microsecond(moment.as_micros()).ok()?;
        let clock = self.0.to_datetime(moment).time();
        let secs =
            (i64::from(clock.hour()) * 60 + i64::from(clock.minute())) * 60 + i64::from(clock.second());
        Some(secs * 1_000_000 + i64::from(clock.subsec_nanosecond()) / 1000)
    }

    /// The name of the zone database that is most like `given`.
    pub(crate) fn nearest(given: &str) -> Option<String> {
        // The database's names have capitals, which the comparison takes literally; so both sides are lowered.
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let lowered: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let found = ringwall_types::nearest(given, lowered.iter().map(String::as_str))?;
        lowered.iter().position(|name| name == found).and_then(|index| names.get(index).cloned())
    }
}

impl FromStr for Zone {
    type Err = InvalidValue;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = jiff::tz::TimeZone::get(name).ok().filter(|zone| !zone.is_unknown());
        found.map(Self).ok_or_else(|| InvalidValue::new("timezone", format!("{} is unknown", quoted(name))))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
