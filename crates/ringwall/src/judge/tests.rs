use ringwall_types::{Decision, Principal, Resource, TenantId, Timestamp};

use super::*;
use crate::policies::PolicyVersion;

fn request() -> AccessRequest {
    let principal = Principal::user("ann".parse().unwrap());
    let resource = Resource::new("d1".parse().unwrap(), "dataset");
    let request = AccessRequest::new(principal, "dataset:read".parse().unwrap(), resource);
    crate::facts::settled(request, &TenantId::initial(), moment())
}

fn moment() -> Timestamp {
    "2026-03-04T10:00:00Z".parse().unwrap()
}

/// Facts under which everything is allowed.
fn facts() -> Facts {
    let text = "policies: [{id: all, effect: allow, match_all: true}]".to_owned();
    let policies = PolicyVersion::none().next(text).unwrap();
    Facts {
        now: moment(),
        tenant: TenantId::initial(),
        responses: Some(Vec::new()),
        policies: Some(policies.into()),
        threats: Some(Vec::new()),
    }
}

fn judged(facts: &Facts) -> (Verdict, Vec<String>) {
    judge(DecisionId::new("dec_1").unwrap(), &request(), facts)
}

#[test]
fn with_every_fact_at_hand_nothing_fails_and_every_layer_is_asked_in_order() {
    let (verdict, faults) = judged(&facts());
    assert_eq!((verdict.decision(), faults.len()), (Decision::Allow, 0));
    let layers: Vec<_> = verdict.trail().iter().map(|finding| finding.layer).collect();
    assert_eq!(layers, [Layer::Perimeter, Layer::Application, Layer::Behavior]);
}

#[test]
fn each_fact_that_is_absent_is_a_deny_of_the_highest_risk_and_the_others_are_still_asked() {
    for (absent, told) in [
        (Facts { responses: None, ..facts() }, "perimeter: the responses in force could not be read"),
        (Facts { policies: None, ..facts() }, "application: the policies could not be read"),
        (Facts { threats: None, ..facts() }, "behavior: the open threats could not be read"),
    ] {
        let (verdict, faults) = judged(&absent);
        assert_eq!((verdict.decision(), verdict.risk()), (Decision::Deny, RiskScore::MAX));
        assert_eq!((faults, verdict.trail().len()), (vec![told.to_owned()], 3));
        assert!(verdict.reasons().iter().all(|reason| reason.code == "layer_failed"));
    }
}

#[test]
fn every_fact_is_needed_by_some_layer() {
    assert_eq!(needs(), Needs { responses: true, policies: true, threats: true });
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let bytes = || serde_json::to_string(&judged(&facts()).0).unwrap();
    assert_eq!(bytes(), bytes());
}
