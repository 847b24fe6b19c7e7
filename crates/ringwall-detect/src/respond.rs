//! What should be done about a threat, as data.
//!
//! Promises: the same threat and policy give the same plans with the same keys, however often it is asked. Does not do:
//! anything; the engine executes, checks allow-lists and reports a plan without a target as skipped.

use ringwall_types::{
    Confidence, IdempotencyKey, ResponseAction, ResponsePlan, Severity, Subject, Target, Threat,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When which responses are due.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponsePolicy {
    /// What to do, besides what the threat's own rule asks for; order and repetition have no meaning.
    pub actions: Vec<ResponseAction>,
    /// From which severity on.
    pub severity_threshold: Severity,
    /// From which confidence on.
    pub confidence_threshold: Confidence,
    /// For how long, in seconds; 0 counts as 1.
    pub ttl_secs: u64,
}

impl ResponsePolicy {
    /// Default of [`Self::ttl_secs`].
    pub const TTL_SECS: u64 = 3600;
    /// Default of [`Self::confidence_threshold`], in thousandths: what a threshold rule has when it first fires.
    pub const CONFIDENCE_THOUSANDTHS: u16 = 800;
}

impl Default for ResponsePolicy {
    fn default() -> Self {
        Self {
            actions: vec![ResponseAction::Alert, ResponseAction::Log],
            severity_threshold: Severity::Medium,
            confidence_threshold: Confidence::try_from(Self::CONFIDENCE_THOUSANDTHS)
                .unwrap_or(Confidence::MAX),
            ttl_secs: Self::TTL_SECS,
        }
    }
}

/// What `policy` and the threat's rule ask to be done about `threat`: each action once, in the order of
/// [`ResponseAction`]. Nothing when the threat is below either threshold.
pub fn plan(threat: &Threat, policy: &ResponsePolicy) -> Vec<ResponsePlan> {
    if threat.severity < policy.severity_threshold || threat.confidence < policy.confidence_threshold {
        return Vec::new();
    }
    let mut actions: Vec<_> = policy.actions.iter().chain(&threat.response).copied().collect();
    actions.sort_unstable();
    actions.dedup();
    actions.into_iter().map(|action| planned(action, threat, policy.ttl_secs.max(1))).collect()
}

fn planned(action: ResponseAction, threat: &Threat, ttl_secs: u64) -> ResponsePlan {
    let target = target(action, threat);
    let idempotency_key = key(action, threat, target.as_ref());
    ResponsePlan { action, target, threat: threat.id.clone(), ttl_secs, idempotency_key }
}

/// The subject itself where it is of the sort that the action is aimed at, or else the only one the evidence names.
fn target(action: ResponseAction, threat: &Threat) -> Option<Target> {
    match (action, &threat.subject) {
        (ResponseAction::BlockIp, Subject::SourceIp(address)) => Some(Target::SourceIp(*address)),
        (ResponseAction::BlockIp, Subject::Principal(_)) => threat.source_ip.map(Target::SourceIp),
        (ResponseAction::QuarantineUser | ResponseAction::LockAccount, Subject::Principal(principal)) => {
            Some(Target::Principal(principal.clone()))
        }
        (ResponseAction::QuarantineUser | ResponseAction::LockAccount, Subject::SourceIp(_)) => {
            threat.principal.clone().map(Target::Principal)
        }
        (ResponseAction::Alert | ResponseAction::Log | ResponseAction::EscalateToAdmin, _) => None,
    }
}

fn key(action: ResponseAction, threat: &Threat, target: Option<&Target>) -> IdempotencyKey {
    // A principal's name may be longer than a key, so the target is named by its sort. A threat never changes whom it
    // is aimed at, only whether somebody is named at all.
    let sort = match target {
        None => "nobody",
        Some(Target::SourceIp(_)) => "address",
        Some(Target::Principal(_)) => "principal",
    };
    let text = format!("{}:{action}:{sort}", threat.id);
    #[expect(clippy::expect_used, reason = "64 bytes of id and two short words are a key")]
    IdempotencyKey::new(text).expect("a well-formed key")
}

#[cfg(test)]
mod tests;
