//! When and whence a request comes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Attributes, DeviceId, IpAddress, Timestamp};

/// When and whence a request comes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// When the caller says it happens. Absent: the engine's clock. A value further from that clock than the allowed
    /// skew is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The address that the request came from, as the caller saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddress>,
    /// The network zone, for example `corporate`. Empty when the caller did not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// Where that address is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
    /// The device in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// Anything else that policies may ask for.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A place on earth, as precisely as it is known.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Geo {
    /// ISO 3166-1 alpha-2 code, for example `DE`. Empty when unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// Name of the region. Empty when unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Name of the city. Empty when unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub city: String,
}
