//! A repeated request is one request while its answer holds.

use ringwall::Config;
use ringwall_testkit::requests::{request, request_from, with_key};
use ringwall_types::TenantId;

use crate::support::{Rig, allowed, denied};

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_is_recorded_once() {
    let rig = Rig::new(Config::default()).await;
    let asked = with_key(request("ann", "dataset:read", "d1"), "k1");
    let first = rig.decide(asked.clone()).await;
    let size = *rig.stores.log.size().borrow();
    rig.clock.advance_secs(60);
    let second = rig.decide(asked).await;
    assert_eq!(first, second);
    assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&second).unwrap());
    assert_eq!(*rig.stores.log.size().borrow(), size);
}

#[tokio::test]
async fn a_repeated_allow_is_as_good_a_permit_as_the_first() {
    let rig = Rig::new(Config::default()).await;
    let asked = with_key(request("ann", "dataset:read", "d1"), "k1");
    for _ in 0..2 {
        assert!(rig.decide(asked.clone()).await.verdict.permit().is_some());
    }
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_tenant() {
    let rig = Rig::new(Config::default()).await;
    rig.decide(with_key(request("ann", "dataset:read", "d1"), "k1")).await;
    let other = with_key(request("ann", "dataset:read", "d2"), "k1");
    let refused = rig.engine.decide(&rig.caller, other.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "idempotency_conflict");
    let elsewhere = ringwall::Caller::process(TenantId::new("other").unwrap());
    assert!(rig.engine.decide(&elsewhere, other).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_equal_requests_at_once_are_one_record() {
    let rig = Rig::new(Config::default()).await;
    let size = *rig.stores.log.size().borrow();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (engine, caller) = (rig.engine.clone(), rig.caller.clone());
        let asked = with_key(request("ann", "dataset:read", "d1"), "k1");
        asking.spawn(async move { engine.decide(&caller, asked).await.unwrap() });
    }
    let answers = asking.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(*rig.stores.log.size().borrow(), size + 1);
}

#[tokio::test]
async fn an_allow_is_not_given_again_after_a_block() {
    let rig = Rig::new(Config::default()).await;
    let asked = with_key(request_from("ann", "dataset:read", "d1", "203.0.113.9"), "k1");
    allowed(&rig.decide(asked.clone()).await);
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    let blocked = rig.decide(asked.clone()).await;
    denied(&blocked, "address_blocked");
    assert_eq!(rig.decide(asked.clone()).await, blocked, "now the refusal is the answer");
    rig.clock.advance_secs(900);
    allowed(&rig.decide(asked).await);
}

#[tokio::test]
async fn an_allow_is_not_given_again_after_its_policy_went() {
    let rig = Rig::new(Config::default()).await;
    let asked = with_key(request("ann", "dataset:read", "d1"), "k1");
    allowed(&rig.decide(asked.clone()).await);
    rig.engine.replace_policies(&rig.caller, "policies: [{id: freeze, effect: deny}]").await.unwrap();
    denied(&rig.decide(asked).await, "policy_deny");
}

#[tokio::test]
async fn a_key_is_forgotten_exactly_when_its_time_is_over() {
    let mut config = Config::default();
    config.decision.idempotency_secs = 100;
    let rig = Rig::new(config).await;
    let asked = with_key(request("ann", "dataset:read", "d1"), "k1");
    let first = rig.decide(asked.clone()).await;
    rig.clock.advance_micros(99_999_999);
    assert_eq!(rig.decide(asked.clone()).await, first);
    rig.clock.advance_micros(1);
    let second = rig.decide(asked).await;
    assert_ne!(second.verdict.decision_id(), first.verdict.decision_id());
    let other = with_key(request("ann", "dataset:read", "d2"), "k1");
    assert!(rig.engine.decide(&rig.caller, other).await.is_err(), "the new decision holds the key");
}

#[tokio::test]
async fn a_key_is_remembered_across_restarts() {
    let rig = Rig::new(Config::default()).await;
    let asked = with_key(request("ann", "dataset:read", "d1"), "k1");
    let first = rig.decide(asked.clone()).await;
    let rig = rig.restarted(Config::default()).await;
    assert_eq!(rig.decide(asked).await, first);
}
