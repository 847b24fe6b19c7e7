//! Why the policies answer as they do: every policy, every condition, what was expected and what was there.
//!
//! Promises: agrees with [`evaluate`](crate::evaluate()). It is a second way to the same answer, which looks at all
//! conditions and stops nowhere, and tests compare the two. Does not do: redact; a trace holds attribute values.

use ringwall_types::{PolicyId, Value};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::condition::{Truth, Why, tested, truth, zone_of};
use crate::context::Context;
use crate::policy::{Condition, Effect, Policy};
use crate::set::PolicySet;

/// What every policy made of a request.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Trace {
    /// In the order in which they decide.
    pub policies: Vec<PolicyTrace>,
}

/// What one policy made of a request.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct PolicyTrace {
    /// Which policy.
    pub policy: PolicyId,
    /// What it does when it applies.
    pub effect: Effect,
    /// Whether its conditions hold, all together. An undecided deny applies, an undecided allow does not.
    pub matched: Matched,
    /// In the order of the policy.
    pub conditions: Vec<ConditionTrace>,
}

/// What one condition made of a request.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct ConditionTrace {
    /// The path of the attribute.
    pub attribute: String,
    /// The name of the operator.
    pub operator: String,
    /// The operand.
    pub expected: Value,
    /// The value that was tested, which may be the default or the present moment. Absent when there was none.
    pub actual: Option<Value>,
    /// The outcome.
    pub result: ConditionResult,
}

/// Whether a policy's conditions hold: `true`, `false` or `"undecided"`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Matched {
    /// All hold.
    Yes,
    /// One does not.
    No,
    /// None fails, but not all could be decided.
    Undecided,
}

/// The outcome of a condition: `true`, `false`, `"missing"`, `"type_error"` or `"error"`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ConditionResult {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// The attribute is missing.
    Missing,
    /// The attribute has the wrong type.
    TypeError,
    /// The attribute is beyond what can be decided.
    Error,
}

/// Explains what the policies make of a request.
pub fn trace(set: &PolicySet, context: &Context) -> Trace {
    Trace { policies: set.policies().iter().map(|policy| policy_trace(policy, set, context)).collect() }
}

fn policy_trace(policy: &Policy, set: &PolicySet, context: &Context) -> PolicyTrace {
    let conditions: Vec<ConditionTrace> =
        policy.conditions.iter().map(|condition| condition_trace(condition, policy, set, context)).collect();
    let matched = if conditions.iter().any(|condition| condition.result == ConditionResult::False) {
        Matched::No
    } else if conditions.iter().all(|condition| condition.result == ConditionResult::True) {
        Matched::Yes
    } else {
        Matched::Undecided
    };
    PolicyTrace { policy: policy.id.clone(), effect: policy.effect, matched, conditions }
}

fn condition_trace(
    condition: &Condition,
    policy: &Policy,
    set: &PolicySet,
    context: &Context,
) -> ConditionTrace {
    let result = match truth(condition, context, zone_of(condition, policy, set)) {
        Truth::True => ConditionResult::True,
        Truth::False => ConditionResult::False,
        Truth::Undecided(Why::Missing) => ConditionResult::Missing,
        Truth::Undecided(Why::TypeError) => ConditionResult::TypeError,
        Truth::Undecided(Why::OutOfRange) => ConditionResult::Error,
    };
    ConditionTrace {
        attribute: condition.path.to_string(),
        operator: condition.test.operator().to_string(),
        expected: condition.test.operand(),
        actual: tested(condition, context).ok().map(std::borrow::Cow::into_owned),
        result,
    }
}

impl Serialize for Matched {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
            Self::Undecided => serializer.serialize_str("undecided"),
        }
    }
}

impl Serialize for ConditionResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::True => serializer.serialize_bool(true),
            Self::False => serializer.serialize_bool(false),
            Self::Missing => serializer.serialize_str("missing"),
            Self::TypeError => serializer.serialize_str("type_error"),
            Self::Error => serializer.serialize_str("error"),
        }
    }
}

impl JsonSchema for Matched {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Matched".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": [true, false, "undecided"] })
    }
}

impl JsonSchema for ConditionResult {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ConditionResult".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": [true, false, "missing", "type_error", "error"] })
    }
}

#[cfg(test)]
mod tests;
