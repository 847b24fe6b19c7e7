//! What binds, until when, and how it is lifted.

use ringwall::Config;
use ringwall_testkit::requests::{failed_login, request, request_from};
use ringwall_types::{ResponseAction, ResponseStatus};

use crate::support::{Rig, allowed, denied, with_actions};

#[tokio::test]
async fn each_binding_action_binds_with_the_threat_named() {
    for (action, code) in [
        (ResponseAction::BlockIp, "address_blocked"),
        (ResponseAction::LockAccount, "principal_locked"),
        (ResponseAction::QuarantineUser, "principal_quarantined"),
    ] {
        let rig = Rig::new(with_actions(&[action])).await;
        rig.fail_logins(3, "bob", "203.0.113.9").await;
        let answer = rig.decide(request_from("bob", "dataset:read", "d1", "203.0.113.9")).await;
        denied(&answer, code);
        assert_eq!(answer.verdict.reasons()[0].threat.as_ref(), Some(&rig.threats().await[0].id));
        allowed(&rig.decide(request_from("ann", "dataset:read", "d1", "10.0.0.1")).await);
    }
}

#[tokio::test]
async fn a_block_ends_exactly_at_its_time() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    rig.clock.advance_micros(899_999_999);
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
    rig.clock.advance_micros(1);
    allowed(&rig.reads_from("203.0.113.9").await);
    assert!(rig.engine.responses(&rig.caller).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_is_on_the_allow_list_is_not_blocked() {
    let mut config = with_actions(&[ResponseAction::BlockIp, ResponseAction::LockAccount]);
    config.response.allow_list.addresses = vec!["203.0.113.0/24".parse().unwrap()];
    config.response.allow_list.principals = vec!["bob".parse().unwrap()];
    let rig = Rig::new(config).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    for action in [ResponseAction::BlockIp, ResponseAction::LockAccount] {
        let recorded = rig.recorded(action).await;
        assert_eq!(
            (recorded[0].status, recorded[0].reason.as_str()),
            (ResponseStatus::Skipped, "allow_listed")
        );
    }
    allowed(&rig.decide(request_from("bob", "dataset:read", "d1", "203.0.113.9")).await);
}

#[tokio::test]
async fn the_allow_list_counts_at_the_decision_too() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
    let mut config = Config::default();
    config.response.allow_list.addresses = vec!["203.0.113.9/32".parse().unwrap()];
    let rig = rig.restarted(config).await;
    allowed(&rig.reads_from("203.0.113.9").await);
    let rig = rig.restarted(Config::default()).await;
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
}

#[tokio::test]
async fn what_was_lifted_stays_lifted_for_the_same_threat() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    let block = rig.engine.responses(&rig.caller).await.unwrap().remove(0);
    let undone = rig.engine.undo(&rig.caller, &block.id).await.unwrap();
    assert_eq!((undone.status, undone.id.clone()), (ResponseStatus::Undone, block.id.clone()));
    allowed(&rig.reads_from("203.0.113.9").await);
    assert_eq!(rig.engine.undo(&rig.caller, &block.id).await.unwrap_err().code(), "not_found");
    rig.clock.advance_secs(30);
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    assert_eq!(rig.threats().await.len(), 1, "still the same threat");
    allowed(&rig.reads_from("203.0.113.9").await);
    let rig = rig.restarted(Config::default()).await;
    rig.fail_logins(1, "bob", "203.0.113.9").await;
    allowed(&rig.reads_from("203.0.113.9").await);
}

#[tokio::test]
async fn evidence_after_the_end_of_a_block_blocks_again() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    rig.clock.advance_secs(901);
    allowed(&rig.reads_from("203.0.113.9").await);
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
    assert_eq!(rig.threats().await.len(), 1);
    let blocks = rig.recorded(ResponseAction::BlockIp).await;
    assert!(
        blocks.len() == 2 && blocks.iter().all(|block| block.status == ResponseStatus::Done),
        "{blocks:?}"
    );
}

#[tokio::test]
async fn more_evidence_during_a_block_is_no_second_block() {
    let rig = Rig::new(Config::default()).await;
    for _ in 0..5 {
        rig.fail_logins(3, "bob", "203.0.113.9").await;
        rig.clock.advance_secs(20);
    }
    assert_eq!(rig.recorded(ResponseAction::BlockIp).await.len(), 1);
    assert_eq!(rig.recorded(ResponseAction::Alert).await.len(), 1);
}

#[tokio::test]
async fn a_threat_that_names_no_target_is_skipped_and_says_so() {
    let rig = Rig::new(with_actions(&[ResponseAction::BlockIp])).await;
    let grant = format!(
        r#"{{"type":"role_change","user":"mallory","target":"mallory","timestamp":"{}"}}"#,
        rig.clock.after_secs(0)
    );
    rig.ingest(&[grant]).await;
    let recorded = rig.recorded(ResponseAction::BlockIp).await;
    assert_eq!((recorded[0].status, recorded[0].reason.as_str()), (ResponseStatus::Skipped, "no_target"));
}

#[tokio::test]
async fn below_the_thresholds_nothing_is_done() {
    let mut config = Config::default();
    config.response.severity_threshold = ringwall_types::Severity::High;
    let rig = Rig::new(config).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    assert_eq!((rig.count("threat").await, rig.count("response").await), (1, 0));
    rig.fail_logins(2, "bob", "203.0.113.9").await;
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
}

#[tokio::test]
async fn above_the_limit_a_block_fails_and_says_so() {
    let mut config = Config::default();
    config.response.active_max = 1;
    let rig = Rig::new(config).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    rig.fail_logins(3, "eve", "203.0.113.10").await;
    let last = rig.recorded(ResponseAction::BlockIp).await.pop().unwrap();
    assert_eq!((last.status, last.reason.as_str()), (ResponseStatus::Failed, "too_many_in_force"));
    allowed(&rig.reads_from("203.0.113.10").await);
    rig.clock.advance_secs(901);
    rig.ingest(&[failed_login(rig.clock.after_secs(0), "eve", "203.0.113.10")]).await;
    rig.fail_logins(2, "eve", "203.0.113.10").await;
    denied(&rig.reads_from("203.0.113.10").await, "address_blocked");
}

#[tokio::test]
async fn a_time_to_live_outside_its_bounds_is_refused_when_the_engine_is_made() {
    for (ttl_secs, is_accepted) in [(0, false), (1, true), (31_536_000, true), (31_536_001, false)] {
        let mut config = Config::default();
        config.response.ttl_secs = ttl_secs;
        assert_eq!(config.check().is_ok(), is_accepted, "{ttl_secs}");
    }
}

#[tokio::test]
async fn a_request_without_an_address_is_not_blocked_by_one() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    allowed(&rig.decide(request("ann", "dataset:read", "d1")).await);
}
