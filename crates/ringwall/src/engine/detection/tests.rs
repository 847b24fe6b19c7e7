use ringwall_types::{DecisionId, Finding, Layer, Reason, RiskScore, Verdict};

use super::*;

fn leaf(trail: Vec<Finding>, action: &str) -> Vec<u8> {
    let time = Timestamp::from_micros(0).unwrap();
    let id = DecisionId::new("dec_1").unwrap();
    let record = DecisionRecord {
        principal: r#"","verdict":{"decision":"allow","x"#.parse().unwrap(),
        principal_kind: ringwall_types::PrincipalKind::User,
        action: action.parse().unwrap(),
        resource: "r".parse().unwrap(),
        resource_kind: String::new(),
        source_ip: None,
        idempotency_key: None,
        request_digest: ringwall_types::Digest::new([0; 32]),
        faults: Vec::new(),
        verdict: Verdict::join(id, TenantId::initial(), time, 1, trail),
    };
    let body = RecordBody::Decision(record);
    ringwall_audit::to_canonical(&AuditRecord { tenant: TenantId::initial(), recorded_at: time, body })
        .unwrap()
}

fn denied(code: &str) -> Vec<Finding> {
    vec![Finding::deny(Layer::Application, RiskScore::MAX, Reason::new(code, "because"))]
}

fn event(leaf: Vec<u8>) -> Option<SecurityEvent> {
    let entry = StoredEntry { index: 0, tenant: TenantId::initial(), body: leaf, hash: [0; 32] };
    event_of(&entry).unwrap().map(|(event, _)| event)
}

#[test]
fn an_allow_is_told_from_a_denial_whatever_names_are_in_it() {
    assert!(is_plain_allow(&leaf(vec![Finding::pass(Layer::Application)], "a:b")));
    assert!(!is_plain_allow(&leaf(denied("policy_deny"), "a:b")));
}

#[test]
fn a_refusal_is_evidence_unless_a_response_or_a_fault_caused_it() {
    assert_eq!(event(leaf(denied("policy_deny"), "a:b")).unwrap().outcome, Outcome::Failure);
    let threat = Some(ThreatId::new("thr_1").unwrap());
    let blocked = Reason { threat, ..Reason::new("address_blocked", "because") };
    let by_response = Finding::deny(Layer::Perimeter, RiskScore::MAX, blocked);
    assert!(event(leaf(vec![by_response.clone()], "a:b")).is_none());
    let foreign = Finding::deny(Layer::Perimeter, RiskScore::MAX, Reason::new("tenant_mismatch", "because"));
    assert!(event(leaf(vec![foreign], "a:b")).is_some());
    assert!(event(leaf([vec![by_response], denied("policy_deny")].concat(), "a:b")).is_none());
    assert!(event(leaf(vec![Finding::pass(Layer::Application)], "a:b")).is_none());
}
