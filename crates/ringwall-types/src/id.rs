//! Bounded, printable identifiers, one type for each thing that could be mixed up.
//!
//! Promises: never empty, never longer than its limit, never a control character (so an id cannot forge a log line).

use std::sync::Arc;

use crate::InvalidValue;
use crate::names::quoted;

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $what:literal, $bytes_max:literal, $rule:path) => {
        $(#[$meta])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest accepted text, in bytes of UTF-8.
            pub const BYTES_MAX: usize = $bytes_max;

            /// Accepts a text that keeps this id's rule; the error says which rule it broke.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidValue> {
                let text = text.as_ref();
                check($what, text, Self::BYTES_MAX, $rule)?;
                Ok(Self(text.into()))
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "`{}`", self.0) }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(&self.0) }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidValue;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Self::new(text) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": $bytes_max })
            }
        }
    };
}

text_id!(
    /// Whose data it is. Lower-case letters, digits, `-`, `_` and `.`; 1 to 64 bytes.
    TenantId, "tenant id", 64, is_slug
);
text_id!(
    /// Who acts: a user, service or agent name as its directory writes it. 1 to 256 bytes.
    PrincipalId, "principal id", 256, is_printable
);
text_id!(
    /// What is acted on, as its owner names it. 1 to 1024 bytes.
    ResourceId, "resource id", 1024, is_printable
);
text_id!(
    /// One answer of the engine, `dec_` and 32 hexadecimal digits. 1 to 64 bytes.
    DecisionId, "decision id", 64, is_word
);
text_id!(
    /// One request at a door, echoed in answers, errors and traces. 1 to 128 bytes.
    RequestId, "request id", 128, is_word
);
text_id!(
    /// The sender's own id of an event; events with equal ids count once. 1 to 256 bytes.
    EventId, "event id", 256, is_printable
);
text_id!(
    /// One open or closed threat, `thr_` and 32 hexadecimal digits. 1 to 64 bytes.
    ThreatId, "threat id", 64, is_word
);
text_id!(
    /// One executed response, `rsp_` and 32 hexadecimal digits; also its undo handle. 1 to 64 bytes.
    ResponseId, "response id", 64, is_word
);
text_id!(
    /// One API key, the public half. 1 to 64 bytes.
    KeyId, "key id", 64, is_word
);
text_id!(
    /// One policy of a set. 1 to 128 bytes.
    PolicyId, "policy id", 128, is_word
);
text_id!(
    /// One detection rule, for example `brute_force`. 1 to 128 bytes.
    RuleId, "rule id", 128, is_word
);
text_id!(
    /// The name of a role or group. 1 to 256 bytes.
    RoleName, "role name", 256, is_printable
);
text_id!(
    /// A device as its registrar names it. 1 to 256 bytes.
    DeviceId, "device id", 256, is_printable
);
text_id!(
    /// A host, service or tenant that a principal reaches. 1 to 256 bytes.
    HostName, "host name", 256, is_printable
);
text_id!(
    /// A feed of events with a clock of its own, for example a log file or an agent. 1 to 128 bytes.
    SourceName, "source name", 128, is_printable
);
text_id!(
    /// The caller's key that makes a repeated request one request. 1 to 128 bytes.
    IdempotencyKey, "idempotency key", 128, is_printable
);
text_id!(
    /// A MITRE ATT&CK technique, for example `T1110.001`. 1 to 16 bytes.
    TechniqueId, "ATT&CK technique", 16, is_technique
);

impl TenantId {
    /// The tenant of a fresh installation.
    pub fn initial() -> Self {
        Self("default".into())
    }

    /// The tenant of ringwall itself: its keys and its own records.
    pub fn system() -> Self {
        Self("_system".into())
    }

    /// Whether the name belongs to ringwall itself and can be no customer's: it begins with `_`.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('_')
    }
}

fn check(
    what: &'static str,
    text: &str,
    bytes_max: usize,
    rule: fn(&str) -> Option<&'static str>,
) -> Result<(), InvalidValue> {
    if text.is_empty() {
        return Err(InvalidValue::new(what, "must not be empty"));
    }
    if text.len() > bytes_max {
        return Err(InvalidValue::new(what, format!("has {} bytes, the limit is {bytes_max}", text.len())));
    }
    match rule(text) {
        Some(broken) => Err(InvalidValue::new(what, format!("{} {broken}", quoted(text)))),
        None => Ok(()),
    }
}

fn is_printable(text: &str) -> Option<&'static str> {
    text.chars().any(char::is_control).then_some("holds a control character")
}

fn is_word(text: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    (!text.chars().all(allowed)).then_some("may hold only ASCII letters, digits and - _ . : /")
}

fn is_slug(text: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    (!text.chars().all(allowed)).then_some("may hold only lower-case ASCII letters, digits and - _ .")
}

fn is_technique(text: &str) -> Option<&'static str> {
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    let known = text.strip_prefix('T').is_some_and(|rest| match rest.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(rest, 4),
    });
    (!known).then_some("is not of the form T1234 or T1234.001")
}

#[cfg(test)]
mod tests;
