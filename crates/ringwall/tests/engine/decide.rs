//! One request, one answer.

use ringwall::{Caller, Config};
use ringwall_testkit::requests::{request, request_from};
use ringwall_testkit::{Fault, Shape};
use ringwall_types::{Decision, RecordBody, RiskScore, TenantId};

use crate::support::{ALLOW_ALL, Rig, allowed, denied};

#[tokio::test]
async fn without_policies_everything_is_denied_and_recorded() {
    let rig = Rig::without_policies(Config::default());
    let answer = rig.decide(request("ann", "dataset:read", "d1")).await;
    denied(&answer, "default_deny");
    assert_eq!((answer.log_index, answer.verdict.policy_epoch()), (Some(0), 0));
    let (index, record) = rig.engine.decision(&rig.caller, answer.verdict.decision_id()).await.unwrap();
    assert_eq!((index, record.verdict), (0, answer.verdict));
}

#[tokio::test]
async fn a_policy_allows_whom_it_names_and_nobody_else() {
    let rig = Rig::without_policies(Config::default());
    let text = "policies: [{id: ann-reads, effect: allow, conditions: {user.id: {equals: ann}}}]";
    rig.engine.replace_policies(&rig.caller, text).await.unwrap();
    let answer = rig.decide(request("ann", "dataset:read", "d1")).await;
    allowed(&answer);
    assert!(answer.verdict.permit().is_some());
    assert_eq!(answer.verdict.trail()[1].reasons[0].policy.as_ref().unwrap().as_str(), "ann-reads");
    let neighbour = rig.decide(request("anna", "dataset:read", "d1")).await;
    denied(&neighbour, "default_deny");
    assert!(neighbour.verdict.permit().is_none());
}

#[tokio::test]
async fn a_foreign_principal_or_resource_is_denied_before_policies_are_asked() {
    let rig = Rig::new(Config::default()).await;
    let foreign = TenantId::new("other").unwrap();
    let mut principal = request("ann", "dataset:read", "d1");
    principal.principal.tenant = Some(foreign.clone());
    let mut resource = request("ann", "dataset:read", "d1");
    resource.resource.tenant = Some(foreign);
    for foreign in [principal, resource] {
        let answer = rig.decide(foreign).await;
        denied(&answer, "tenant_mismatch");
        assert_eq!(answer.verdict.risk(), RiskScore::MAX);
    }
    let mut own = request("ann", "dataset:read", "d1");
    own.principal.tenant = Some(TenantId::initial());
    allowed(&rig.decide(own).await);
}

#[tokio::test]
async fn one_tenants_policies_and_decisions_are_not_anothers() {
    let rig = Rig::new(Config::default()).await;
    let other = Caller::process(TenantId::new("other").unwrap());
    let answer = rig.engine.decide(&other, request("ann", "dataset:read", "d1")).await.unwrap();
    denied(&answer, "default_deny");
    let foreign = rig.engine.decision(&rig.caller, answer.verdict.decision_id()).await.unwrap_err();
    assert_eq!(foreign.code(), "not_found");
}

#[tokio::test]
async fn a_fact_that_cannot_be_read_denies_with_details_for_the_log_alone() {
    let rig = Rig::without_policies(Config::default());
    rig.switch.every(Shape::RecordsRead, Fault::io());
    let answer = rig.decide(request("ann", "dataset:read", "d1")).await;
    denied(&answer, "layer_failed");
    assert_eq!(answer.verdict.risk(), RiskScore::MAX);
    assert!(!serde_json::to_string(&answer).unwrap().contains("could not be read"));
    let (_, record) = rig.engine.decision(&rig.caller, answer.verdict.decision_id()).await.unwrap();
    let told = record.faults.join("; ");
    for part in ["perimeter: the responses", "application: the policies", "behavior: the open threats"] {
        assert!(told.contains(part), "{told}");
    }
    rig.switch.heal();
    denied(&rig.decide(request("ann", "dataset:read", "d1")).await, "default_deny");
}

#[tokio::test]
async fn an_allow_that_cannot_be_recorded_is_not_given() {
    let rig = Rig::new(Config::default()).await;
    for fault in [Fault::busy(), Fault::full(), Fault::io()] {
        rig.switch.nth(Shape::Append, 0, fault.clone());
        let answer = rig.decide(request("ann", "dataset:read", "d1")).await;
        denied(&answer, "audit_unavailable");
        assert_eq!((answer.log_index, answer.verdict.risk()), (None, RiskScore::MAX), "{fault:?}");
        assert!(answer.verdict.permit().is_none());
        rig.switch.heal();
        allowed(&rig.decide(request("ann", "dataset:read", "d1")).await);
    }
}

#[tokio::test]
async fn a_free_attribute_with_the_name_of_a_field_is_refused() {
    let rig = Rig::new(Config::default()).await;
    let before = *rig.stores.log.size().borrow();
    let mut forged = request("ann", "dataset:read", "d1");
    forged.principal.attributes = [("clearance", "top_secret")].into_iter().collect();
    let error = rig.engine.decide(&rig.caller, forged).await.unwrap_err();
    assert_eq!(error.code(), "invalid_request");
    assert!(error.to_string().contains("`principal.attributes.clearance`"), "{error}");
    assert_eq!(*rig.stores.log.size().borrow(), before);
}

#[tokio::test]
async fn a_callers_time_may_differ_by_the_allowed_skew_and_no_second_more() {
    let rig = Rig::new(Config::default()).await;
    for (secs, is_accepted) in [(300, true), (-300, true), (301, false), (-301, false)] {
        let mut skewed = request("ann", "dataset:read", "d1");
        skewed.environment.time = Some(rig.clock.after_secs(secs));
        let answer = rig.engine.decide(&rig.caller, skewed).await;
        assert_eq!(answer.is_ok(), is_accepted, "{secs}");
        if let Err(error) = answer {
            assert_eq!(error.code(), "clock_skew");
        }
    }
}

#[tokio::test]
async fn equal_requests_facts_and_ids_give_equal_bytes() {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let rig = Rig::new(Config::default()).await;
        rig.fail_logins(3, "bob", "203.0.113.9").await;
        let mut bytes = Vec::new();
        for (user, address) in [("ann", "203.0.113.9"), ("bob", "10.0.0.1"), ("ann", "10.0.0.2")] {
            let answer = rig.decide(request_from(user, "dataset:read", "d1", address)).await;
            bytes.push(serde_json::to_string(&answer).unwrap());
        }
        answers.push((bytes, rig.records().await));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_record_holds_the_question_and_no_payload() {
    let rig = Rig::without_policies(Config::default());
    rig.engine.replace_policies(&rig.caller, ALLOW_ALL).await.unwrap();
    let mut asked = request_from("ann", "dataset:export", "d1", "10.0.0.1");
    asked.parameters.insert("card", "4111111111111111");
    allowed(&rig.decide(asked).await);
    let last = rig.records().await.pop().unwrap();
    assert!(!serde_json::to_string(&last).unwrap().contains("4111111111111111"));
    let RecordBody::Decision(record) = last.body else { panic!("{last:?}") };
    assert_eq!((record.principal.as_str(), record.action.as_str()), ("ann", "dataset:export"));
    assert_eq!(record.verdict.decision(), Decision::Allow);
}
