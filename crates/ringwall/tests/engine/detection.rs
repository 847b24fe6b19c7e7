//! From events to threats to the very next decision.

use std::collections::BTreeSet;

use ringwall::{Caller, Config, ResponseMode};
use ringwall_store::LogEntry;
use ringwall_testkit::Random;
use ringwall_testkit::engine::{Follower, caller, memory_stores, on};
use ringwall_testkit::requests::{failed_login, request_from, successful_login};
use ringwall_testkit::traffic::Traffic;
use ringwall_testkit::vectors::data_set;
use ringwall_testkit::{FaultyStore, FixedClock};
use ringwall_types::{Decision, ResponseAction, ResponseStatus, Severity, Subject, TenantId, ThreatStatus};

use crate::support::{Rig, allowed, denied, with_actions};

#[tokio::test]
async fn the_guides_four_events_are_one_threat_and_bind_the_next_decision() {
    let rig = Rig::new(Config::default()).await;
    allowed(&rig.reads_from("192.168.1.100").await);
    let at = |back: i64| rig.clock.after_secs(-back);
    let mut lines: Vec<_> = [15, 10, 5].map(|back| failed_login(at(back), "admin", "192.168.1.100")).into();
    lines.push(format!(
        r#"{{"type":"file_access","user":"admin","file":"/etc/passwd","timestamp":"{}"}}"#,
        at(0)
    ));
    rig.ingest(&lines).await;
    let threats = rig.threats().await;
    assert_eq!(threats.len(), 1);
    let threat = &threats[0];
    assert_eq!((threat.rule.as_str(), threat.severity, threat.count), ("brute_force", Severity::Medium, 3));
    assert_eq!((threat.confidence.as_fraction(), threat.status), (0.8, ThreatStatus::Open));

    let answer = rig.reads_from("192.168.1.100").await;
    denied(&answer, "address_blocked");
    let reason = &answer.verdict.reasons()[0];
    assert_eq!(reason.threat.as_ref(), Some(&threat.id));
    allowed(&rig.reads_from("192.168.1.101").await);
}

#[tokio::test]
async fn two_failures_are_no_threat() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(2, "bob", "203.0.113.9").await;
    assert!(rig.threats().await.is_empty());
    allowed(&rig.reads_from("203.0.113.9").await);
}

#[tokio::test]
async fn a_hundred_addresses_with_four_failures_each_are_all_found() {
    let rig = Rig::new(Config::default()).await;
    let one = |number: i64| {
        let (user, address) = (format!("u{number}"), format!("203.0.113.{number}"));
        (0..4).map(move |back| (back, user.clone(), address.clone()))
    };
    let mut lines: Vec<_> = (1..=100)
        .flat_map(one)
        .map(|(back, user, address)| failed_login(rig.clock.after_secs(-back), &user, &address))
        .collect();
    Random::new(100).shuffle(&mut lines);
    rig.ingest(&lines).await;
    assert_eq!(rig.threats().await.len(), 100);
    assert_eq!(rig.engine.responses(&rig.caller).await.unwrap().len(), 100);
    denied(&rig.reads_from("203.0.113.1").await, "address_blocked");
    denied(&rig.reads_from("203.0.113.100").await, "address_blocked");
}

#[tokio::test]
async fn four_and_four_failures_over_two_calls_are_one_threat_of_eight() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(4, "bob", "203.0.113.9").await;
    rig.clock.advance_secs(20);
    rig.fail_logins(4, "bob", "203.0.113.9").await;
    let threats = rig.threats().await;
    assert_eq!((threats.len(), threats[0].count, threats[0].severity), (1, 8, Severity::High));
    assert_eq!(rig.count("threat").await, 2, "medium, then high");
}

#[tokio::test]
async fn two_hours_old_events_raise_a_threat_and_bind_nobody() {
    let rig = Rig::new(Config::default()).await;
    let line = |back: i64| failed_login(rig.clock.after_secs(-7200 - back), "bob", "203.0.113.9");
    rig.ingest(&(0..3).map(line).collect::<Vec<_>>()).await;
    assert_eq!(rig.threats().await.len(), 1);
    let blocks = rig.recorded(ResponseAction::BlockIp).await;
    assert_eq!(blocks.len(), 1);
    assert_eq!((blocks[0].status, blocks[0].reason.as_str()), (ResponseStatus::Skipped, "stale"));
    assert_eq!(rig.recorded(ResponseAction::Alert).await[0].status, ResponseStatus::Done);
    allowed(&rig.reads_from("203.0.113.9").await);
}

#[tokio::test]
async fn evidence_is_stale_one_second_past_the_allowed_age_and_not_at_it() {
    for (age_secs, status) in [(3600, ResponseStatus::Done), (3601, ResponseStatus::Skipped)] {
        let rig = Rig::new(Config::default()).await;
        let line = |back: i64| failed_login(rig.clock.after_secs(-age_secs - back), "bob", "203.0.113.9");
        rig.ingest(&(0..3).map(line).collect::<Vec<_>>()).await;
        assert_eq!(rig.recorded(ResponseAction::BlockIp).await[0].status, status);
    }
}

#[tokio::test]
async fn a_dry_run_records_what_would_be_done_and_does_nothing() {
    let mut config = Config::default();
    config.response.mode = ResponseMode::DryRun;
    let rig = Rig::new(config).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    for action in [ResponseAction::BlockIp, ResponseAction::Alert] {
        let recorded = rig.recorded(action).await;
        assert_eq!((recorded.len(), recorded[0].status), (1, ResponseStatus::Simulated));
    }
    let answer = rig.reads_from("203.0.113.9").await;
    allowed(&answer);
    assert!(answer.verdict.risk() > ringwall_types::RiskScore::NONE, "the threat still counts as risk");
}

#[tokio::test]
async fn switched_off_responses_plan_nothing_and_threats_are_still_recorded() {
    let mut config = Config::default();
    config.response.mode = ResponseMode::Off;
    let rig = Rig::new(config).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    assert_eq!((rig.count("threat").await, rig.count("response").await), (1, 0));
    allowed(&rig.reads_from("203.0.113.9").await);
}

#[tokio::test]
async fn a_blocked_clients_refusals_neither_renew_nor_open_threats() {
    let rig = Rig::new(with_actions(&[ResponseAction::BlockIp, ResponseAction::LockAccount])).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    let (threats, recorded) = (rig.threats().await, rig.count("threat").await);
    let mut last = 0;
    for number in 0..1000 {
        rig.clock.advance_micros(100_000);
        let asked = request_from("bob", "dataset:read", &format!("d{number}"), "203.0.113.9");
        let answer = rig.decide(asked).await;
        denied(&answer, "address_blocked");
        last = answer.log_index.unwrap();
    }
    rig.ingest(&[successful_login(rig.clock.after_secs(0), "zoe", "10.0.0.1")]).await;
    assert!(*rig.stores.log.size().borrow() > last && rig.engine.detection_lag() == 0);
    assert_eq!(rig.threats().await, threats);
    assert_eq!(rig.count("threat").await, recorded);
}

#[tokio::test]
async fn refusals_by_policy_are_evidence() {
    let rig = Rig::new(Config::default()).await;
    rig.engine.replace_policies(&rig.caller, "policies: []").await.unwrap();
    for number in 0..10 {
        let asked = request_from("mallory", "dataset:read", &format!("d{number}"), "10.0.0.9");
        denied(&rig.decide(asked).await, "default_deny");
    }
    rig.ingest(&[successful_login(rig.clock.after_secs(0), "zoe", "10.0.0.1")]).await;
    let threats = rig.threats().await;
    assert_eq!((threats.len(), threats[0].rule.as_str()), (1, "anomalous_access"));
    assert_eq!(threats[0].subject, Subject::Principal("mallory".parse().unwrap()));
}

#[tokio::test]
async fn threats_and_responses_are_each_tenants_own() {
    let rig = Rig::new(Config::default()).await;
    let other = Caller::process(TenantId::new("other").unwrap());
    rig.engine.replace_policies(&other, crate::support::ALLOW_ALL).await.unwrap();
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    assert!(rig.engine.threats(&other, None, 10).await.unwrap().is_empty());
    assert!(rig.engine.responses(&other).await.unwrap().is_empty());
    let theirs = request_from("ann", "dataset:read", "d1", "203.0.113.9");
    allowed(&rig.engine.decide(&other, theirs.clone()).await.unwrap());
    let block = rig.engine.responses(&rig.caller).await.unwrap().remove(0);
    assert_eq!(rig.engine.undo(&other, &block.id).await.unwrap_err().code(), "not_found");

    let line = |back: i64| failed_login(rig.clock.after_secs(-back), "bob", "203.0.113.9");
    rig.ingest_as(&other, &(0..3).map(line).collect::<Vec<_>>()).await;
    denied(&rig.engine.decide(&other, theirs).await.unwrap(), "address_blocked");
    assert_ne!(rig.engine.responses(&other).await.unwrap()[0].id, block.id, "the same plan is another's");
}

#[tokio::test]
async fn an_account_under_attack_from_many_addresses_is_locked() {
    let rig = Rig::new(with_actions(&[ResponseAction::LockAccount])).await;
    let line = |n: i64| failed_login(rig.clock.after_secs(-n), "admin", &format!("203.0.113.{n}"));
    rig.ingest(&(1..=12).map(line).collect::<Vec<_>>()).await;
    let threats = rig.threats().await;
    assert_eq!(threats.len(), 1);
    assert_eq!(threats[0].subject, Subject::Principal("admin".parse().unwrap()));
    denied(&rig.decide(request_from("admin", "dataset:read", "d1", "10.0.0.1")).await, "principal_locked");
    allowed(&rig.decide(request_from("ann", "dataset:read", "d1", "203.0.113.1")).await);
}

#[tokio::test]
async fn the_order_of_arrival_changes_nothing_within_the_lateness() {
    let mut found = Vec::new();
    for seed in 0..4 {
        let rig = Rig::new(Config::default()).await;
        let line = |n: i64| failed_login(rig.clock.after_secs(-n * 7), "bob", "203.0.113.9");
        let mut lines: Vec<_> = (0..8).map(line).collect();
        if seed > 0 {
            Random::new(seed).shuffle(&mut lines);
        }
        rig.ingest(&lines).await;
        let threats = rig.threats().await;
        assert_eq!(threats.len(), 1, "seed {seed}");
        found.push((threats[0].count, threats[0].severity, threats[0].window, threats[0].fired_at));
    }
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
}

#[tokio::test]
async fn an_event_sent_twice_under_one_id_counts_once() {
    let rig = Rig::new(Config::default()).await;
    let line = |id: &str| {
        failed_login(rig.clock.after_secs(0), "bob", "203.0.113.9").replacen(
            '{',
            &format!(r#"{{"id":"{id}","#),
            1,
        )
    };
    rig.ingest(&[line("1"), line("2"), line("1")]).await;
    rig.ingest(&[line("2"), line("1")]).await;
    assert!(rig.threats().await.is_empty());
    rig.ingest(&[line("3")]).await;
    assert_eq!(rig.threats().await[0].count, 3);
}

#[tokio::test]
async fn a_leaf_that_no_engine_wrote_does_not_stop_detection() {
    let rig = Rig::new(Config::default()).await;
    let entry = LogEntry { tenant: TenantId::initial(), body: br#"{"no":"record"}"#.to_vec() };
    rig.stores.log.append(vec![entry]).await.unwrap();
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
}

#[tokio::test]
async fn late_evidence_that_joins_two_threats_closes_one() {
    let mut config = Config::default();
    config.detection.limits.lateness_secs = 10_800;
    let rig = Rig::new(config).await;
    let at = |back: i64| failed_login(rig.clock.after_secs(-back), "bob", "203.0.113.9");
    // Two bursts further apart than the quiet time are two threats.
    rig.ingest(&[5002, 5001, 5000].map(at)).await;
    rig.ingest(&[2, 1, 0].map(at)).await;
    assert_eq!(rig.threats().await.len(), 2);
    rig.ingest(&[2502, 2501, 2500].map(at)).await;
    let threats = rig.threats().await;
    let open: Vec<_> = threats.iter().filter(|threat| threat.status == ThreatStatus::Open).collect();
    assert_eq!((threats.len(), open.len()), (2, 1));
    assert_eq!(open[0].count, 9);
    let answer = rig.reads_from("203.0.113.9").await;
    let named = answer.verdict.trail().iter().flat_map(|finding| &finding.reasons);
    let open_threats: BTreeSet<_> =
        named.filter(|reason| reason.code == "open_threat").map(|reason| reason.threat.clone()).collect();
    assert_eq!(open_threats, [Some(open[0].id.clone())].into(), "the closed one is no risk any more");
}

#[tokio::test(start_paused = true)]
async fn a_threat_that_stays_quiet_is_closed_by_time_alone() {
    let rig = Rig::new(Config::default()).await;
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    rig.clock.advance_secs(3 * 3600);
    // The runtime's time is stopped, so waiting lets the follower's own timer run out at once.
    let closed = async {
        while rig.threats().await[0].status == ThreatStatus::Open {
            tokio::task::yield_now().await;
            tokio::time::advance(std::time::Duration::from_secs(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(3600), closed).await.unwrap();
    let answer = rig.reads_from("203.0.113.9").await;
    allowed(&answer);
    assert_eq!(answer.verdict.risk(), ringwall_types::RiskScore::NONE);
}

#[tokio::test]
async fn every_attack_in_a_days_traffic_is_found_and_nothing_else() {
    for seed in [1, 2] {
        let rig = Rig::new(Config::default()).await;
        let traffic = Traffic {
            seed,
            start: rig.clock.after_secs(-3000),
            secs: 2900,
            users: 300,
            background: 800,
            attackers: 20,
        };
        let made = traffic.events();
        rig.ingest(&made.lines).await;
        let found = rig.engine.responses(&rig.caller).await.unwrap();
        let blocked: BTreeSet<_> = found
            .iter()
            .filter_map(|response| response.plan.target.as_ref())
            .map(|target| target.to_string().replace("address ", ""))
            .collect();
        assert_eq!(blocked, made.attackers, "seed {seed}");
        for request in traffic.requests(200) {
            assert_eq!(rig.decide(request).await.verdict.decision(), Decision::Allow, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn the_real_ssh_log_names_the_addresses_that_were_counted_by_hand() {
    let Some(directory) = data_set("detect/openssh-2k") else { return };
    let log = std::fs::read(directory.join("OpenSSH_2k.log")).unwrap();
    let truth = std::fs::read(directory.join("ground-truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_slice(&truth).unwrap();
    // The log names no year; it is the newest one that has passed.
    let clock = FixedClock::at("2025-12-10T11:05:00Z");
    let stores = FaultyStore::around(memory_stores()).0;
    let engine = on(stores, &clock, Config::default());
    let follower = Follower::start(&engine);
    let report = engine.ingest(&caller(), ringwall::detect::Format::Sshd, None, &log).await.unwrap();
    assert!(report.detected && report.rejected == 0, "{} rejected", report.rejected);
    follower.stop().await;
    let threats = engine.threats(&caller(), None, 10_000).await.unwrap();
    let found: BTreeSet<_> = threats
        .iter()
        .filter_map(|threat| match &threat.subject {
            Subject::SourceIp(address) => Some(address.to_string()),
            Subject::Principal(_) => None,
        })
        .collect();
    let sources = truth["failed_sources"].as_array().unwrap();
    let attempts = |address: &str| {
        let source = sources.iter().find(|source| source["source_ip"] == address)?;
        source["failed_attempts"].as_u64()
    };
    assert!(found.iter().all(|address| attempts(address) >= Some(3)), "{found:?}");
    let many = sources.iter().filter(|source| source["failed_attempts"].as_u64() >= Some(20));
    for source in many {
        assert!(found.contains(source["source_ip"].as_str().unwrap()), "{source} is missed");
    }
}
