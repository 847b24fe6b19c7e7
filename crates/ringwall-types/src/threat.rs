//! A detection: what seems to be going on, about whom, on which evidence.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::closed_names;
use crate::{
    Confidence, IpAddress, PrincipalId, ResponseAction, RuleId, Severity, TechniqueId, TenantId, ThreatId,
    Timestamp,
};

/// One detection. More evidence on the same rule and subject updates it instead of opening another.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Threat {
    /// Stays the same while the threat is updated.
    pub id: ThreatId,
    /// Whose threat it is.
    pub tenant: TenantId,
    /// The rule that fired.
    pub rule: RuleId,
    /// About whom.
    pub subject: Subject,
    /// The highest severity that the evidence reached.
    pub severity: Severity,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// One sentence for a person.
    pub description: String,
    /// The principal concerned, when the evidence names exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalId>,
    /// The address concerned, when the evidence names exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddress>,
    /// How many distinct principals the evidence names.
    pub principals: u64,
    /// How many occurrences are evidence.
    pub count: u64,
    /// What the evidence adds up to in the rule's own measure (occurrences, bytes, or distinct values).
    pub measured: u64,
    /// From the first to the last piece of evidence.
    pub window: Window,
    /// Event time of the evidence with which the rule was first fulfilled.
    pub fired_at: Timestamp,
    /// MITRE ATT&CK techniques of the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attack: Vec<TechniqueId>,
    /// Positions of pieces of evidence in their stream (log index, or line number of a file), oldest first, at most
    /// [`Self::EVIDENCE_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<u64>,
    /// Open, or closed because it stayed quiet.
    pub status: ThreatStatus,
    /// What the rule's owner asks to be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response: Vec<ResponseAction>,
}

impl Threat {
    /// The most pieces of evidence that a threat lists; `count` goes on counting.
    pub const EVIDENCE_MAX: usize = 16;
}

/// Whom a threat is about.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// An address.
    SourceIp(IpAddress),
    /// A principal.
    Principal(PrincipalId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceIp(address) => write!(f, "address {address}"),
            Self::Principal(principal) => write!(f, "principal {principal}"),
        }
    }
}

/// A closed span of event time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The first moment.
    pub start: Timestamp,
    /// The last moment; not before `start`.
    pub end: Timestamp,
}

closed_names! {
    /// Whether a threat still gathers evidence.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum ThreatStatus as "threat status" {
        /// New evidence updates it.
        Open = "open",
        /// It stayed quiet; new evidence opens another.
        Closed = "closed",
    }
}
