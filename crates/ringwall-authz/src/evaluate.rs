//! From policies and a context to an answer with its reason.
//!
//! Promises: what no policy allows is denied; an allow applies only if all its conditions are true, a deny unless one
//! is false. So a deny that cannot be decided denies, and says which attribute it lacked. Same arguments, same answer.

use ringwall_types::{Obligation, PolicyId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::condition::{Truth, Why, truth, zone_of};
use crate::context::Context;
use crate::policy::{AttributePath, Effect, Policy};
use crate::set::PolicySet;

/// By which rule an answer came about.
#[derive(Clone, Copy, Debug, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// An allow applies and nothing stands against it.
    PolicyAllow,
    /// A deny applies, all its conditions being true.
    PolicyDeny,
    /// A deny applies because it could not be decided.
    DenyUndecided,
    /// No policy applies.
    DefaultDeny,
}

impl ReasonCode {
    /// The name in answers and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PolicyAllow => "policy_allow",
            Self::PolicyDeny => "policy_deny",
            Self::DenyUndecided => "deny_undecided",
            Self::DefaultDeny => "default_deny",
        }
    }
}

/// The answer of a policy set to a request.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Answer {
    /// Allow or deny.
    pub effect: Effect,
    /// By which rule.
    pub reason_code: ReasonCode,
    /// One sentence for a person, lower case, without a full stop and without attribute values.
    pub reason: String,
    /// The policy that decided. Absent when none applied.
    pub policy: Option<PolicyId>,
    /// Every policy that applied, the one that decided first.
    pub applied: Vec<PolicyId>,
    /// What must be done along with the answer, from every policy that applied with the answer's effect; each once.
    pub obligations: Vec<Obligation>,
    /// Whether a missing or mistyped attribute, rather than a decided condition, brought the answer about.
    pub undecided: bool,
}

/// Judges a request by the policies.
pub fn evaluate(set: &PolicySet, context: &Context) -> Answer {
    let mut applied = Vec::new();
    let mut undecided_allow = None;
    for policy in set.policies() {
        match (policy.effect, outcome(policy, set, context)) {
            (_, Outcome::Holds) => applied.push((policy, None)),
            (Effect::Deny, Outcome::Undecided(lack)) => applied.push((policy, Some(lack))),
            (Effect::Allow, Outcome::Undecided(lack)) => {
                undecided_allow.get_or_insert((policy, lack));
            }
            (_, Outcome::Fails) => {}
        }
    }
    // INVARIANT: the set is sorted, so the first policy that applies is the one that decides.
    match applied.first() {
        Some((decider, lack)) => decided(decider, *lack, &applied),
        None => default_deny(set, undecided_allow),
    }
}

/// Whether a policy's conditions hold, all together.
enum Outcome<'a> {
    Holds,
    Fails,
    Undecided(Lack<'a>),
}

/// The first attribute that a policy could not be decided for.
#[derive(Clone, Copy)]
struct Lack<'a> {
    path: &'a AttributePath,
    why: Why,
}

/// Kleene's "and": one false condition makes the whole false, whatever else is undecided.
fn outcome<'a>(policy: &'a Policy, set: &PolicySet, context: &Context) -> Outcome<'a> {
    let mut lack = None;
    for condition in &policy.conditions {
        match truth(condition, context, zone_of(condition, policy, set)) {
            Truth::True => {}
            Truth::False => return Outcome::Fails,
            Truth::Undecided(why) => {
                lack.get_or_insert(Lack { path: &condition.path, why });
            }
        }
    }
    lack.map_or(Outcome::Holds, Outcome::Undecided)
}

fn decided(decider: &Policy, lack: Option<Lack<'_>>, applied: &[(&Policy, Option<Lack<'_>>)]) -> Answer {
    let id = &decider.id;
    let (reason_code, reason) = match (decider.effect, lack) {
        (Effect::Allow, _) => (ReasonCode::PolicyAllow, format!("policy `{id}` allows this")),
        (Effect::Deny, None) => (ReasonCode::PolicyDeny, format!("policy `{id}` denies this")),
        (Effect::Deny, Some(lack)) => {
            let reason = format!("policy `{id}` denies this because {}", lack.sentence());
            (ReasonCode::DenyUndecided, reason)
        }
    };
    let mut obligations: Vec<Obligation> = Vec::new();
    for (policy, _) in applied.iter().filter(|(policy, _)| policy.effect == decider.effect) {
        for obligation in &policy.obligations {
            if !obligations.contains(obligation) {
                obligations.push(obligation.clone());
            }
        }
    }
    Answer {
        effect: decider.effect,
        reason_code,
        reason,
        policy: Some(id.clone()),
        applied: applied.iter().map(|(policy, _)| policy.id.clone()).collect(),
        obligations,
        undecided: lack.is_some(),
    }
}

fn default_deny(set: &PolicySet, undecided_allow: Option<(&Policy, Lack<'_>)>) -> Answer {
    let reason = match undecided_allow {
        _ if set.is_empty() => "there are no policies, so nothing is allowed".to_owned(),
        Some((policy, lack)) => {
            format!("no policy allows this; `{}` does not apply because {}", policy.id, lack.sentence())
        }
        None => "no policy allows this".to_owned(),
    };
    Answer {
        effect: Effect::Deny,
        reason_code: ReasonCode::DefaultDeny,
        reason,
        policy: None,
        applied: Vec::new(),
        obligations: Vec::new(),
        undecided: undecided_allow.is_some(),
    }
}

impl Lack<'_> {
    fn sentence(&self) -> String {
        let what = match self.why {
            Why::Missing => "is missing",
            Why::TypeError => "has the wrong type",
            Why::OutOfRange => "is out of range",
        };
        format!("attribute `{}` {what}", self.path)
    }
}

#[cfg(test)]
mod tests;
