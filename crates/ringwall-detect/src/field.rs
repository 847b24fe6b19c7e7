//! The fields of an event that rules may group by, count distinctly, or compare.

use std::fmt;
use std::str::FromStr;

use ringwall_types::{
    HostName, InvalidValue, IpAddress, PrincipalId, ResourceId, SecurityEvent, SourceName, Value, nearest,
};
use serde::{Deserialize, Serialize};

/// A field of an event, written as its name; `attributes.NAME` is one of the sender's own.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Field {
    /// Who did it.
    Principal,
    /// To whom it was done.
    Target,
    /// From which address.
    SourceIp,
    /// On which host.
    Host,
    /// To what.
    Resource,
    /// The sender's own word for what happened.
    Name,
    /// Which feed it came from.
    Source,
    /// A top-level attribute that is text, a number, or true or false.
    Attribute(String),
}

impl Field {
    const NAMES: [&'static str; 7] =
        ["principal", "target", "source_ip", "host", "resource", "name", "source"];
    const ATTRIBUTE: &'static str = "attributes.";

    /// The event's value, if it has one.
    pub(crate) fn of(&self, event: &SecurityEvent) -> Option<FieldValue> {
        match self {
            Self::Principal => event.principal.clone().map(FieldValue::Principal),
            Self::Target => event.target.clone().map(FieldValue::Principal),
            Self::SourceIp => event.source_ip.map(FieldValue::SourceIp),
            Self::Host => event.host.clone().map(FieldValue::Host),
            Self::Resource => event.resource.clone().map(FieldValue::Resource),
            Self::Name => (!event.name.is_empty()).then(|| FieldValue::Text(event.name.clone())),
            Self::Source => event.source.clone().map(FieldValue::Source),
            Self::Attribute(name) => match event.attributes.value(name)? {
                Value::Text(text) => Some(FieldValue::Text(text.clone())),
                Value::Number(number) => Some(FieldValue::Text(number.to_string())),
                Value::Bool(value) => Some(FieldValue::Text(value.to_string())),
                Value::List(_) | Value::Map(_) => None,
            },
        }
    }
}

/// One event's value of a field.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum FieldValue {
    Principal(PrincipalId),
    SourceIp(IpAddress),
    Host(HostName),
    Resource(ResourceId),
    Source(SourceName),
    Text(String),
}

impl FromStr for Field {
    type Err = InvalidValue;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        if let Some(name) = given.strip_prefix(Self::ATTRIBUTE)
            && !name.is_empty()
        {
            return Ok(Self::Attribute(name.to_owned()));
        }
        Ok(match given {
            "principal" => Self::Principal,
            "target" => Self::Target,
            "source_ip" => Self::SourceIp,
            "host" => Self::Host,
            "resource" => Self::Resource,
            "name" => Self::Name,
            "source" => Self::Source,
            _ => {
                let hint = match nearest(given, Self::NAMES) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("known are {} and attributes.NAME", Self::NAMES.join(", ")),
                };
                let shown: String = given.chars().filter(|c| !c.is_control()).take(60).collect();
                return Err(InvalidValue::new("field", format!("`{shown}` is unknown; {hint}")));
            }
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Principal => "principal",
            Self::Target => "target",
            Self::SourceIp => "source_ip",
            Self::Host => "host",
            Self::Resource => "resource",
            Self::Name => "name",
            Self::Source => "source",
            Self::Attribute(name) => return write!(f, "{}{name}", Self::ATTRIBUTE),
        })
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Field {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Field".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(principal|target|source_ip|host|resource|name|source|attributes\\..+)$"
        })
    }
}
