//! What a stop, a crash or an outage must not lose and must not do twice.

use ringwall::Config;
use ringwall_testkit::engine::{Follower, caller, sqlite};
use ringwall_testkit::requests::{failed_login, request_from};
use ringwall_testkit::{Fault, Shape};
use ringwall_types::ResponseAction;

use crate::support::{ALLOW_ALL, Rig, allowed, denied};

#[tokio::test]
async fn an_attack_in_the_middle_of_a_restart_is_still_found() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(2, "bob", "203.0.113.9").await;
    rig.clock.advance_secs(5);
    let rig = rig.restarted(Config::default()).await;
    rig.fail_logins(1, "bob", "203.0.113.9").await;
    assert_eq!(rig.threats().await[0].count, 3);
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
}

#[tokio::test]
async fn an_attack_in_the_middle_of_a_crash_is_still_found() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(2, "bob", "203.0.113.9").await;
    let rig = rig.crashed(Config::default()).await;
    rig.fail_logins(1, "bob", "203.0.113.9").await;
    assert_eq!(rig.threats().await[0].count, 3);
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
}

#[tokio::test]
async fn nothing_is_recorded_twice_however_often_it_is_judged_again() {
    let mut rig = Rig::new(Config::default()).await;
    rig.fail_logins(6, "bob", "203.0.113.9").await;
    let recorded = (rig.count("threat").await, rig.count("response").await);
    let (threats, blocks) = (rig.threats().await, rig.recorded(ResponseAction::BlockIp).await);
    for round in 0..4 {
        rig = if round % 2 == 0 {
            rig.crashed(Config::default()).await
        } else {
            rig.restarted(Config::default()).await
        };
        rig.ingest(&[failed_login(rig.clock.after_secs(0), &format!("u{round}"), "10.0.0.1")]).await;
        denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
    }
    assert_eq!((rig.count("threat").await, rig.count("response").await), recorded);
    assert_eq!(rig.threats().await, threats);
    assert_eq!(rig.recorded(ResponseAction::BlockIp).await, blocks);
}

#[tokio::test]
async fn a_block_that_was_lifted_or_ended_does_not_come_back_with_a_restart() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    rig.fail_logins(3, "eve", "203.0.113.10").await;
    let blocks = rig.engine.responses(&rig.caller).await.unwrap();
    rig.engine.undo(&rig.caller, &blocks[0].id).await.unwrap();
    let rig = rig.crashed(Config::default()).await;
    rig.fail_logins(1, "zoe", "10.0.0.1").await;
    assert_eq!(rig.engine.responses(&rig.caller).await.unwrap(), blocks[1..]);
    rig.clock.advance_secs(900);
    let rig = rig.crashed(Config::default()).await;
    allowed(&rig.reads_from("203.0.113.9").await);
    allowed(&rig.reads_from("203.0.113.10").await);
}

/// A store that refuses for a moment delays detection and changes nothing that it finds.
async fn check_outage(shapes: &[Shape], fault: Fault) {
    let rig = Rig::new(Config::default()).await;
    for shape in shapes {
        rig.switch.nth(*shape, 0, fault.clone());
    }
    let line = |back: i64| failed_login(rig.clock.after_secs(-back), "bob", "203.0.113.9");
    let lines: Vec<_> = (0..3).map(line).collect();
    let report = rig.ingest(&lines).await;
    assert_eq!(report.accepted, 3, "{shapes:?}");
    let threats = rig.threats().await;
    assert_eq!((threats.len(), threats[0].count), (1, 3), "{shapes:?} {fault:?}");
    assert_eq!((rig.count("threat").await, rig.recorded(ResponseAction::BlockIp).await.len()), (1, 1));
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
}

#[tokio::test(start_paused = true)]
async fn a_moment_without_the_state_store_delays_detection_and_changes_nothing() {
    for fault in [Fault::busy(), Fault::full(), Fault::LoseAnswer] {
        check_outage(&[Shape::RecordsWrite], fault).await;
    }
    check_outage(&[Shape::Search], Fault::busy()).await;
    check_outage(&[Shape::LogRead], Fault::io()).await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_refuses_the_threat_records_it_later_and_once() {
    for fault in [Fault::full(), Fault::busy()] {
        let rig = Rig::new(Config::default()).await;
        // The first append is the events themselves, the second the threat, the third a response.
        for nth in 1..=3 {
            rig.switch.nth(Shape::Append, nth, fault.clone());
        }
        rig.fail_logins(3, "bob", "203.0.113.9").await;
        assert_eq!(rig.count("threat").await, 1);
        assert_eq!(rig.recorded(ResponseAction::BlockIp).await.len(), 1);
        denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_answer_was_lost_is_not_written_again() {
    for nth in 1..=3 {
        let rig = Rig::new(Config::default()).await;
        rig.switch.nth(Shape::Append, nth, Fault::LoseAnswer);
        rig.fail_logins(3, "bob", "203.0.113.9").await;
        assert_eq!(rig.count("threat").await, 1, "append {nth}");
        assert_eq!(rig.recorded(ResponseAction::BlockIp).await.len(), 1, "append {nth}");
        denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
    }
}

#[tokio::test]
async fn what_a_crash_left_unbound_is_bound_after_the_restart() {
    let rig = Rig::new(Config::default()).await;
    rig.switch.nth(Shape::RecordsWrite, 1, Fault::Hang);
    let line = |back: i64| failed_login(rig.clock.after_secs(-back), "bob", "203.0.113.9");
    let lines: Vec<_> = (0..3).map(line).collect();
    let (engine, caller) = (rig.engine.clone(), rig.caller.clone());
    let ingest = tokio::spawn(async move {
        let text = lines.join("\n");
        engine.ingest(&caller, ringwall::detect::Format::Ndjson, None, text.as_bytes()).await
    });
    while rig.switch.hanging(Shape::RecordsWrite) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.recorded(ResponseAction::BlockIp).await.len(), 1, "recorded, not yet bound");
    ingest.abort();
    let rig = rig.crashed(Config::default()).await;
    rig.switch.heal();
    rig.fail_logins(1, "zoe", "10.0.0.1").await;
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
    assert_eq!(rig.recorded(ResponseAction::BlockIp).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_disk_a_block_and_an_attack_in_the_middle_survive_a_new_start() {
    let directory = tempfile::tempdir().unwrap();
    let asked = |address| request_from("ann", "dataset:read", "d1", address);
    for is_second in [false, true] {
        let (engine, clock) = sqlite(directory.path(), Config::default());
        let follower = Follower::start(&engine);
        if !is_second {
            engine.replace_policies(&caller(), ALLOW_ALL).await.unwrap();
        }
        // Three failures of one address at first; of the other two at first and one after the restart.
        let first = ["203.0.113.9", "203.0.113.9", "203.0.113.9", "203.0.113.10", "203.0.113.10"];
        let addresses = if is_second { &["203.0.113.10"] } else { first.as_slice() };
        let line = |address: &&str| failed_login(clock.after_secs(0), "bob", address);
        let text = addresses.iter().map(line).collect::<Vec<_>>().join("\n");
        let format = ringwall::detect::Format::Ndjson;
        assert!(engine.ingest(&caller(), format, None, text.as_bytes()).await.unwrap().detected);
        denied(&engine.decide(&caller(), asked("203.0.113.9")).await.unwrap(), "address_blocked");
        let other = engine.decide(&caller(), asked("203.0.113.10")).await.unwrap();
        if is_second {
            denied(&other, "address_blocked")
        } else {
            allowed(&other)
        }
        follower.stop().await;
    }
}
