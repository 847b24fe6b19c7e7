//! What one leaf of the audit log holds.
//!
//! Promises: no floats, no secrets, no payloads (a request's parameters are present by digest only), so its canonical
//! JSON is exact and safe to show to whoever may read the tenant's log.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Action, IdempotencyKey, InvalidValue, IpAddress, KeyId, PrincipalId, PrincipalKind, ResourceId, Response,
    SecurityEvent, TenantId, Threat, Timestamp, Verdict,
};

/// One record of the audit log.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// Whose record it is.
    pub tenant: TenantId,
    /// When ringwall recorded it, by its own clock.
    pub recorded_at: Timestamp,
    /// What is recorded.
    pub body: RecordBody,
}

/// The kinds of records.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "record", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum RecordBody {
    /// Something that happened elsewhere and was reported.
    Event(SecurityEvent),
    /// An answer of the engine.
    Decision(DecisionRecord),
    /// A detection, opened, updated or closed.
    Threat(Threat),
    /// A response, in whatever state it reached.
    Response(Response),
    /// A change of ringwall itself.
    Administration(Administration),
}

impl RecordBody {
    /// The kind in one word, as in the JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "event",
            Self::Decision(_) => "decision",
            Self::Threat(_) => "threat",
            Self::Response(_) => "response",
            Self::Administration(_) => "administration",
        }
    }
}

/// One answer of the engine, with enough of the question to find it again.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// Who asked.
    pub principal: PrincipalId,
    /// What sort of actor that is.
    pub principal_kind: PrincipalKind,
    /// For what.
    pub action: Action,
    /// On what.
    pub resource: ResourceId,
    /// What sort of thing that is. Empty when the caller did not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource_kind: String,
    /// From which address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddress>,
    /// The caller's key for this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// SHA-256 of the whole request as it was judged.
    pub request_digest: Digest,
    /// What a layer that failed said; for those who may read the log, never part of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The answer.
    pub verdict: Verdict,
}

/// A change of ringwall itself, by somebody who may.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Administration {
    /// What was done, for example `policies_replaced` or `key_created`.
    pub act: String,
    /// The API key with which it was done; absent for the process itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<KeyId>,
    /// What it was done to. Empty when the act says it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// One sentence for a person, without secrets.
    pub message: String,
}

/// A SHA-256 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Takes the 32 bytes that SHA-256 gave.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InvalidValue::new("digest", "must be 64 hexadecimal digits");
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(wrong());
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(wrong());
            }
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_as_itself_and_nothing_else_is_one() {
        let digest = Digest::new(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"+1".repeat(32)] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
