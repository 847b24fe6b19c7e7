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

/// A network in CIDR notation (RFC 4632), for example `10.0.0.0/8`; a bare address is a network of one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IpNetwork {
    base: IpAddress,
    prefix_bits: u8,
}

impl IpNetwork {
    /// Whether the address lies in the network. An IPv4 network holds no IPv6 address and the other way round.
    pub fn contains(self, address: IpAddress) -> bool {
        match (self.base.0, address.0) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differing = u32::from(base) ^ u32::from(address);
                differing.checked_shr(32 - u32::from(self.prefix_bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differing = u128::from(base) ^ u128::from(address);
                differing.checked_shr(128 - u32::from(self.prefix_bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for IpNetwork {
    type Err = InvalidValue;

    /// Refuses a prefix that is too long and an address with bits beyond its prefix, which is mostly a typo.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| InvalidValue::new("network", format!("{} {why}", quoted(text)));
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let base: IpAddr = address.parse().map_err(|_| wrong("is not an address or address/prefix"))?;
        let bits_max = if base.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => bits_max,
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|bits| *bits <= bits_max)
                .ok_or_else(|| wrong("has a prefix that is too long"))?,
            Some(_) => return Err(wrong("has no number behind the slash")),
        };
        let network = match (base, base.to_canonical()) {
            // A mapped network is the IPv4 network that it maps, if it lies wholly inside the mapped range.
            (IpAddr::V6(_), mapped @ IpAddr::V4(_)) if prefix_bits >= 96 => {
                Self { base: IpAddress(mapped), prefix_bits: prefix_bits - 96 }
            }
            (given, _) => Self { base: IpAddress(given), prefix_bits },
        };
        if network.first() != network.base {
            let meant = Self { base: network.first(), ..network };
            return Err(wrong(&format!("has bits beyond its prefix; the network is `{meant}`")));
        }
        Ok(network)
    }
}

impl IpNetwork {
    fn first(self) -> IpAddress {
        let bits = u32::from(self.prefix_bits);
        match self.base.0 {
            IpAddr::V4(base) => {
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                IpAddress(IpAddr::V4((u32::from(base) & mask).into()))
            }
            IpAddr::V6(base) => {
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                IpAddress(IpAddr::V6((u128::from(base) & mask).into()))
            }
        }
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix_bits)
    }
}

impl serde::Serialize for IpNetwork {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for IpNetwork {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for IpNetwork {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IpNetwork".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "address or address/prefix, for example 10.0.0.0/8" })
    }
}

#[cfg(test)]
mod tests;
