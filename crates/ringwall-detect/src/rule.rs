//! Window rules as data: which events of which subject count, how they are measured, and from what on they are a threat.
//!
//! Promises: a rule that loads can fire; zero windows, zero thresholds, empty lists and unknown names are errors that
//! say where and what was probably meant. Does not do: look at events (see [`Detector`](crate::Detector)).

pub(crate) mod set;

pub use set::{RuleFile, RuleSet};

use ringwall_types::{
    EventKind, Outcome, ResponseAction, RuleId, SecurityEvent, Sensitivity, Severity, TechniqueId, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::Field;

/// One detection rule.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in threats, configuration and logs.
    pub id: RuleId,
    /// A few words for a person, for example `Brute force`.
    pub title: String,
    /// What it finds, and what else it may find by mistake.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// MITRE ATT&CK techniques.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attack: Vec<TechniqueId>,
    /// About whom its threats are.
    pub subject: SubjectKind,
    /// Any of these makes events evidence.
    pub conditions: Vec<Condition>,
    /// What makes a threat worse when it comes after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_by: Option<FollowedBy>,
    /// Pieces of evidence at most so far apart are one threat. Default: 3600, or the longest window where that is
    /// longer; never shorter than the longest window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_secs: Option<u64>,
    /// What the rule's owner asks to be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response: Vec<ResponseAction>,
}

impl Rule {
    /// Default of [`Self::quiet_secs`] for windows that are not longer.
    pub const QUIET_SECS: u64 = 3600;

    /// The longest window, in seconds.
    pub(crate) fn window_secs_max(&self) -> u64 {
        self.conditions.iter().flat_map(|c| &c.levels).map(|level| level.within_secs).max().unwrap_or(0)
    }

    /// The gap that separates two threats, in seconds.
    pub(crate) fn quiet_secs(&self) -> u64 {
        self.quiet_secs.unwrap_or_else(|| Self::QUIET_SECS.max(self.window_secs_max()))
    }
}

/// About whom a threat is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// The address; events without one do not count.
    SourceIp,
    /// The principal; events without one do not count.
    Principal,
    /// The address, or the principal of an event without one.
    SourceIpOrPrincipal,
}

/// Which events count, and how many of them within what time are evidence.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Which events count.
    pub select: Select,
    /// About whom this condition is, where that differs from the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectKind>,
    /// Measure separately for each value of this field; events without one form a group of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Field>,
    /// What is measured.
    #[serde(default)]
    pub measure: Measure,
    /// What a window must hold besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_at_least: Option<DistinctAtLeast>,
    /// From what on it is evidence, and how severe it is then.
    pub levels: Vec<Level>,
}

/// Which events count: those that meet everything that is given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// Any of these kinds; at least one.
    pub kinds: Vec<EventKind>,
    /// Any of these outcomes; empty = every outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
    /// At least so sensitive; an event that does not say is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity_at_least: Option<Sensitivity>,
    /// Whether it was done to the one who did it; an event that does not name both is neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_is_principal: Option<bool>,
    /// Attributes with exactly these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
}

impl Select {
    /// Whether `event` meets everything that is given.
    pub fn matches(&self, event: &SecurityEvent) -> bool {
        self.kinds.contains(&event.kind)
            && (self.outcomes.is_empty() || self.outcomes.contains(&event.outcome))
            && self.sensitivity_at_least.is_none_or(|least| event.sensitivity.is_some_and(|s| s >= least))
            && self.target_is_principal.is_none_or(|wanted| match (&event.target, &event.principal) {
                (Some(target), Some(principal)) => (target == principal) == wanted,
                _ => false,
            })
            && self.attributes.iter().all(|(name, value)| event.attributes.value(name) == Some(value))
    }
}

/// What is measured in a window.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Measure {
    /// Occurrences; an event that stands for several counts as several.
    #[default]
    Count,
    /// Bytes moved; events that do not say how many do not count.
    Bytes,
    /// Distinct values of this field; events without one do not count.
    Distinct(Field),
}

/// A number of distinct values that a window must hold besides reaching its level.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DistinctAtLeast {
    /// Values of which field.
    pub field: Field,
    /// How many; at least 1.
    pub n: u64,
}

/// From what on it is evidence, and how severe it is then.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The least measure; at least 1.
    pub at_least: u64,
    /// The length of the closed window, in seconds; at least 1.
    pub within_secs: u64,
    /// How severe it is then.
    pub severity: Severity,
}

/// What makes a threat worse when it comes after: an event that agrees with a piece of evidence, not before the rule
/// has fired.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FollowedBy {
    /// Which events.
    pub select: Select,
    /// In which fields it must agree with the piece of evidence; at least one.
    pub same: Vec<Field>,
    /// How long after the piece of evidence, in seconds; at least 1.
    pub within_secs: u64,
    /// How severe the threat is then.
    pub severity: Severity,
}

#[cfg(test)]
mod tests;
