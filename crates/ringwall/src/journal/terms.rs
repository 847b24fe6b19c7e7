//! By which words a record can be found: computed from the leaf alone, so that an index can be rebuilt.

use ringwall_store::Term;
use ringwall_types::{AuditRecord, DecisionRecord, RecordBody, Response, SecurityEvent, Threat};

/// A decision by its id.
pub(crate) const DECISION: &str = "decision";
/// A decision by the caller's idempotency key.
pub(crate) const IDEMPOTENCY: &str = "idempotency";
/// A response by the idempotency key of its plan.
pub(crate) const RESPONSE_KEY: &str = "response_key";
/// A threat at one stage of its life.
pub(crate) const THREAT_STAGE: &str = "threat_stage";

/// The stage that is worth a record of its own: the same threat at the same severity and status is recorded once.
pub(crate) fn threat_stage(threat: &Threat) -> String {
    format!("{}/{}/{}", threat.id, threat.severity, threat.status)
}

/// The terms of a leaf; none if it is no record.
pub(super) fn terms(leaf: &[u8]) -> Vec<Term> {
    let Ok(record) = serde_json::from_slice::<AuditRecord>(leaf) else { return Vec::new() };
    let mut terms = Vec::new();
    let mut add = |field, value: &dyn ToString| terms.push(Term { field, value: value.to_string() });
    match &record.body {
        RecordBody::Decision(decision) => decision_terms(decision, &mut add),
        RecordBody::Event(event) => event_terms(event, &mut add),
        RecordBody::Threat(threat) => {
            add("threat", &threat.id);
            add(THREAT_STAGE, &threat_stage(threat));
        }
        RecordBody::Response(response) => response_terms(response, &mut add),
        RecordBody::Administration(administration) => add("act", &administration.act),
    }
    terms
}

type Add<'a> = dyn FnMut(&'static str, &dyn ToString) + 'a;

fn decision_terms(decision: &DecisionRecord, add: &mut Add<'_>) {
    add(DECISION, decision.verdict.decision_id());
    add("principal", &decision.principal);
    add("resource", &decision.resource);
    if let Some(key) = &decision.idempotency_key {
        add(IDEMPOTENCY, key);
    }
}

fn event_terms(event: &SecurityEvent, add: &mut Add<'_>) {
    if let Some(principal) = &event.principal {
        add("principal", principal);
    }
    if let Some(address) = &event.source_ip {
        add("source_ip", address);
    }
    if let Some(resource) = &event.resource {
        add("resource", resource);
    }
}

fn response_terms(response: &Response, add: &mut Add<'_>) {
    add("response", &response.id);
    add(RESPONSE_KEY, &response.plan.idempotency_key);
    add("threat", &response.plan.threat);
}
