//! What should happen because of an answer or a detection, as data that the engine carries out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AuditRecord, ResponsePlan, SecurityEvent, TenantId};

/// One thing that should happen. Features return effects; only the engine carries them out, audit first.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "effect", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Put an event on the stream that detection follows.
    Emit(SecurityEvent),
    /// Add to a windowed counter.
    Count(CounterAdd),
    /// Do something about a threat.
    Respond(ResponsePlan),
    /// Append to the audit log.
    Record(AuditRecord),
}

/// An addition to a windowed counter.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CounterAdd {
    /// Whose counter it is.
    pub tenant: TenantId,
    /// Which counter, for example `requests/ann`. At most 256 bytes.
    pub key: String,
    /// How much to add.
    pub amount: u64,
    /// The length of the counter's window, in seconds; at least 1.
    pub window_secs: u64,
}
