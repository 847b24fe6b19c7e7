//! An IP address with one spelling, so that a block on an address cannot be walked around.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::InvalidValue;
use crate::names::quoted;

/// An IPv4 or IPv6 address; an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) *is* its IPv4 address.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IpAddress(IpAddr);

impl IpAddress {
    /// The address in its one spelling.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address for the standard library's functions.
    pub fn as_ip(self) -> IpAddr {
        self.0
    }
}

impl FromStr for IpAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.parse::<IpAddr>();
        address.map(Self::new).map_err(|_| {
            InvalidValue::new("ip address", format!("{} is not an IPv4 or IPv6 address", quoted(text)))
        })
    }
}

impl fmt::Display for IpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for IpAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for IpAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for IpAddress {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IpAddress".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "IPv4 or IPv6 address" })
    }
}

#[cfg(test)]
mod tests;
