//! Each rule, what it must find, and its nearest neighbour that it must not.

use ringwall_types::{Confidence, Sensitivity, Severity, Subject};

use super::*;
use crate::parse_ndjson_line;
use crate::{Parsed, Reading};

#[track_caller]
fn severities(rule: &str, events: &[SecurityEvent], expected: &[Severity]) {
    let mut run = Run::named(&[rule]);
    let found: Vec<_> = run.show_all(events).findings().iter().map(|threat| threat.severity).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_guides_first_example_is_one_brute_force_and_nothing_else() {
    let lines = [
        r#"{"type": "login", "user": "admin", "ip": "192.168.1.100", "failed": true, "timestamp": "2024-01-01T10:00:00Z"}"#,
        r#"{"type": "login", "user": "admin", "ip": "192.168.1.100", "failed": true, "timestamp": "2024-01-01T10:00:05Z"}"#,
        r#"{"type": "login", "user": "admin", "ip": "192.168.1.100", "failed": true, "timestamp": "2024-01-01T10:00:10Z"}"#,
        r#"{"type": "file_access", "user": "admin", "file": "/etc/passwd", "timestamp": "2024-01-01T10:00:15Z"}"#,
    ];
    let reading = Reading::new(tenant(), at(0));
    let mut run = Run::named(&crate::DEFAULT_RULES);
    for (position, line) in (1..).zip(lines) {
        let Ok(Parsed::Event(event)) = parse_ndjson_line(line.as_bytes(), &reading) else { panic!("{line}") };
        run.show(position, &event);
    }
    let threats = run.detector.threats(&tenant());
    assert_eq!(threats.len(), 1);
    let threat = &threats[0];
    assert_eq!(threat.rule.as_str(), "brute_force");
    assert_eq!(threat.principal.as_ref().unwrap().as_str(), "admin");
    assert_eq!(threat.source_ip.unwrap().to_string(), "192.168.1.100");
    assert_eq!(threat.subject, Subject::SourceIp("192.168.1.100".parse().unwrap()));
    assert_eq!((threat.severity, threat.confidence), (Severity::Medium, Confidence::try_from(800).unwrap()));
    assert_eq!((threat.count, threat.measured, threat.principals), (3, 3, 1));
    assert_eq!((threat.window.start, threat.window.end, threat.fired_at), (at(0), at(10), at(10)));
    assert_eq!(threat.evidence, [1, 2, 3]);
    assert_eq!(run.findings().len(), 1);
}

#[test]
fn three_failures_in_a_closed_minute_are_brute_force_and_less_is_not() {
    let pair = |times: &[i64]| -> Vec<_> { times.iter().map(|secs| failed(*secs, "a", "1.1.1.1")).collect() };
    severities("brute_force", &pair(&[0, 30]), &[]);
    severities("brute_force", &pair(&[0, 30, 60]), &[Severity::Medium]);
    let mut over = pair(&[0, 30, 60]);
    over[2].time = at_micros(60_000_001);
    severities("brute_force", &over, &[]);
    severities("brute_force", &pair(&[0, 75, 150, 225, 300]), &[Severity::High]);
    severities("brute_force", &pair(&[0, 75, 150, 225, 301]), &[]);
    let mut probes = pair(&[0, 1, 2]);
    probes[2].outcome = Outcome::Unknown;
    severities("brute_force", &probes, &[]);
    let mut repeated = pair(&[0]);
    repeated[0].count = 3.try_into().unwrap();
    severities("brute_force", &repeated, &[Severity::Medium]);
}

#[test]
fn failures_without_an_address_are_about_the_principal() {
    let mut events: Vec<_> = (0..3).map(|secs| failed(secs, "a", "1.1.1.1")).collect();
    events.iter_mut().for_each(|event| event.source_ip = None);
    let mut run = Run::named(&["brute_force"]);
    let found = run.show_all(&events).findings();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].subject, Subject::Principal("a".parse().unwrap()));
}

#[test]
fn a_hundred_addresses_with_four_failures_each_are_all_found() {
    let address = |n: i64| format!("10.0.0.{n}");
    let quick: Vec<_> = (0..400).map(|n| failed(n / 40, "root", &address(n % 100))).collect();
    let mut run = Run::named(&["brute_force"]);
    let found = run.show_all(&quick).findings();
    assert_eq!(found.iter().filter(|threat| matches!(threat.subject, Subject::SourceIp(_))).count(), 100);
    assert!(
        found.iter().any(
            |threat| threat.subject == Subject::Principal("root".parse().unwrap()) && threat.count == 400
        )
    );

    // So slow that no pair is conspicuous: only the principal is.
    let slow: Vec<_> = (0..400).map(|n| failed(n * 5, "root", &address(n % 100))).collect();
    let mut run = Run::named(&["brute_force"]);
    let found = run.show_all(&slow).findings();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].principal.as_ref().unwrap().as_str(), found[0].count), ("root", 400));
}

#[test]
fn four_and_four_over_two_batches_are_one_threat() {
    let mut run = Run::named(&["brute_force"]);
    let batch = |from: i64| -> Vec<_> { (0..4).map(|n| failed(from + n * 70, "a", "1.1.1.1")).collect() };
    run.show_all(&batch(0));
    assert!(run.findings().is_empty());
    run.detector.start_batch(&tenant());
    let found = run.show_all(&batch(35)).findings();
    assert_eq!((found.len(), found[0].count), (1, 8));
}

#[test]
fn ten_principals_from_one_address_are_a_spray_and_nine_are_not() {
    let spray =
        |many: i64| -> Vec<_> { (0..many).map(|n| failed(n * 60, &format!("u{n}"), "1.1.1.1")).collect() };
    severities("brute_force", &spray(9), &[]);
    severities("brute_force", &spray(10), &[Severity::High]);
}

#[test]
fn a_success_of_the_attacked_principal_makes_it_critical_and_another_success_does_not() {
    let attack: Vec<_> = (0..3).map(|secs| failed(secs, "a", "1.1.1.1")).collect();
    let then = |success: SecurityEvent| attack.iter().cloned().chain([success]).collect::<Vec<_>>();
    let success = |secs, principal, address| login(secs, principal, address, Outcome::Success);
    severities("brute_force", &then(success(602, "a", "1.1.1.1")), &[Severity::Critical]);
    severities("brute_force", &then(success(603, "a", "1.1.1.1")), &[Severity::Medium]);
    severities("brute_force", &then(success(9, "b", "1.1.1.1")), &[Severity::Medium]);
    severities("brute_force", &then(success(9, "a", "2.2.2.2")), &[Severity::Medium]);
    severities("brute_force", &then(success(1, "a", "1.1.1.1")), &[Severity::Medium]);
    let mut run = Run::named(&["brute_force"]);
    let found = run.show_all(&then(success(9, "a", "1.1.1.1"))).findings();
    assert_eq!((found[0].count, found[0].evidence.as_slice()), (3, [1, 2, 3, 4].as_slice()));
}

#[test]
fn a_callers_own_rule_per_address_fires_over_principals() {
    let rules = RuleSet::from_json(
        r#"{"rules":[{"id":"per_address","title":"Per address","subject":"source_ip","conditions":[
            {"select":{"kinds":["login"],"outcomes":["failure"]},
             "levels":[{"at_least":3,"within_secs":60,"severity":"low"}]}]}]}"#,
    )
    .unwrap();
    let mut run = Run::new(&rules, Limits::default());
    let events = [failed(0, "a", "1.1.1.1"), failed(1, "b", "1.1.1.1"), failed(2, "c", "1.1.1.1")];
    let found = run.show_all(&events).findings();
    assert_eq!((found.len(), found[0].principals, found[0].principal.clone()), (1, 3, None));
}

#[test]
fn a_grant_to_oneself_or_by_no_administrator_is_an_escalation_and_a_name_is_not() {
    let grant = |target: &str, is_admin: bool| {
        let mut event = event(EventKind::PrivilegeChange, 0, "badminton_admin");
        event.target = Some(target.parse().unwrap());
        event.outcome = Outcome::Success;
        event.attributes.insert("actor_is_admin", is_admin);
        event
    };
    severities("privilege_escalation", &[grant("other", true)], &[]);
    severities("privilege_escalation", &[grant("badminton_admin", true)], &[Severity::High]);
    severities("privilege_escalation", &[grant("other", false)], &[Severity::High]);
    severities("privilege_escalation", &[grant("badminton_admin", false)], &[Severity::High]);
    let refused =
        |secs| SecurityEvent { outcome: Outcome::Failure, ..event(EventKind::PrivilegedAction, secs, "u") };
    severities("privilege_escalation", &[refused(0), refused(1)], &[]);
    severities("privilege_escalation", &[refused(0), refused(1), refused(300)], &[Severity::High]);
    let failed_grant = SecurityEvent { outcome: Outcome::Failure, ..grant("badminton_admin", false) };
    severities("privilege_escalation", &[failed_grant], &[]);
}

#[test]
fn ten_transfers_of_ninety_megabytes_are_found() {
    let moved = |many: i64, gap: i64, megabytes: u64| -> Vec<_> {
        let one = |n| SecurityEvent {
            bytes: Some(megabytes * 1_000_000),
            ..event(EventKind::DataTransfer, n * gap, "u")
        };
        (0..many).map(one).collect()
    };
    severities("data_exfiltration", &moved(10, 60, 90), &[Severity::High]);
    severities("data_exfiltration", &moved(10, 7200, 90), &[Severity::Medium]);
    severities("data_exfiltration", &moved(8, 7200, 90), &[]);
    severities("data_exfiltration", &moved(1, 1, 500), &[Severity::High]);
    severities("data_exfiltration", &moved(1, 1, 499), &[]);
    let mut run = Run::named(&["data_exfiltration"]);
    assert_eq!(run.show_all(&moved(10, 60, 90)).findings()[0].measured, 900_000_000);
}

#[test]
fn many_hosts_are_lateral_movement_and_one_host_often_is_not() {
    let reach = |many: i64, distinct: i64| -> Vec<_> {
        let one = |n: i64| SecurityEvent {
            host: Some(format!("h{}", n % distinct).parse().unwrap()),
            ..event(EventKind::Connection, n, "u")
        };
        (0..many).map(one).collect()
    };
    severities("lateral_movement", &reach(40, 4), &[]);
    severities("lateral_movement", &reach(5, 5), &[Severity::Medium]);
    severities("lateral_movement", &reach(10, 10), &[Severity::High]);
}

#[test]
fn logins_from_three_addresses_are_anomalous_and_from_two_are_not() {
    let logins = |many: i64| -> Vec<_> {
        (0..many).map(|n| login(n, "u", &format!("1.1.1.{n}"), Outcome::Success)).collect()
    };
    severities("anomalous_access", &logins(2), &[]);
    severities("anomalous_behavior", &logins(3), &[Severity::Medium]);
    let refused = |many: i64| -> Vec<_> {
        let one = |n: i64| SecurityEvent {
            resource: Some(format!("r{n}").parse().unwrap()),
            outcome: Outcome::Failure,
            ..event(EventKind::Access, n, "u")
        };
        (0..many).map(one).collect()
    };
    severities("anomalous_access", &refused(9), &[]);
    severities("anomalous_access", &refused(10), &[Severity::Medium]);
}

#[test]
fn many_confidential_resources_are_an_insider_threat_and_internal_ones_are_not() {
    let reads = |many: i64, gap: i64, sensitivity| -> Vec<_> {
        let one = |n: i64| SecurityEvent {
            resource: Some(format!("r{n}").parse().unwrap()),
            sensitivity: Some(sensitivity),
            ..event(EventKind::FileAccess, n * gap, "u")
        };
        (0..many).map(one).collect()
    };
    severities("insider_threat", &reads(19, 60, Sensitivity::Confidential), &[]);
    severities("insider_threat", &reads(20, 60, Sensitivity::Confidential), &[Severity::Medium]);
    severities("insider_threat", &reads(50, 12_000, Sensitivity::TopSecret), &[Severity::High]);
    severities("insider_threat", &reads(50, 60, Sensitivity::Internal), &[]);
}

#[test]
fn more_evidence_updates_a_threat_and_quiet_closes_it() {
    let mut run = Run::named(&["brute_force"]);
    let mut events: Vec<_> = (0..4).map(|secs| failed(secs, "a", "1.1.1.1")).collect();
    run.show_all(&events);
    assert!(matches!(run.changes.as_slice(), [ThreatChange::Opened(_), ThreatChange::Updated(_)]));
    events = (10_000..10_003).map(|secs| failed(secs, "a", "1.1.1.1")).collect();
    run.show_all(&events);
    assert!(matches!(run.changes.as_slice(), [_, _, ThreatChange::Closed(_), ThreatChange::Opened(_)]));
    assert_eq!(run.detector.threats(&tenant()).len(), 1);
    let closed = run.detector.advance(at(86_400 * 4000));
    assert!(matches!(closed.as_slice(), [ThreatChange::Closed(_)]));
    assert_eq!(run.detector.threats(&tenant()), []);
    assert_eq!(run.detector.metrics().closed, 2);
}

#[test]
fn evidence_in_between_merges_two_threats_into_the_earlier() {
    let rules = RuleSet::from_json(
        r#"{"rules":[{"id":"r","title":"R","subject":"source_ip","quiet_secs":20,"conditions":[
            {"select":{"kinds":["authentication"],"outcomes":["failure"]},
             "levels":[{"at_least":2,"within_secs":10,"severity":"low"}]}]}]}"#,
    )
    .unwrap();
    let mut run = Run::new(&rules, Limits::default());
    run.show_all(&[0, 1, 40, 41].map(|secs| failed(secs, "a", "1.1.1.1")));
    let before: Vec<_> = run.found.keys().cloned().collect();
    assert_eq!(before.len(), 2);
    run.show_all(&[20, 21].map(|secs| failed(secs, "a", "1.1.1.1")));
    let found = run.findings();
    assert_eq!((found.len(), found[0].count, found[0].window.end), (1, 6, at(41)));
    let Some(ThreatChange::Merged { id, into }) = run.changes.last() else { panic!("{:?}", run.changes) };
    assert!(before.contains(id) && before.contains(into) && run.found.contains_key(into));
    assert_eq!(run.detector.metrics().merged, 1);
}

#[test]
fn a_merge_shows_that_a_success_came_after_the_attack() {
    let rules = RuleSet::from_json(
        r#"{"rules":[{"id":"r","title":"R","subject":"source_ip","quiet_secs":20,"conditions":[
            {"select":{"kinds":["authentication"],"outcomes":["failure"]},
             "levels":[{"at_least":2,"within_secs":10,"severity":"low"}]}],
            "followed_by":{"select":{"kinds":["authentication"],"outcomes":["success"]},
                "same":["principal"],"within_secs":5,"severity":"critical"}}]}"#,
    )
    .unwrap();
    let mut run = Run::new(&rules, Limits::default());
    run.show_all(&[0, 1, 40].map(|secs| failed(secs, "a", "1.1.1.1")));
    run.show_all(&[login(41, "a", "1.1.1.1", Outcome::Success), failed(42, "a", "1.1.1.1")]);
    assert!(run.findings().iter().all(|threat| threat.severity == Severity::Low));
    run.show_all(&[20, 21].map(|secs| failed(secs, "a", "1.1.1.1")));
    assert_eq!(run.findings().iter().map(|threat| threat.severity).collect::<Vec<_>>(), [Severity::Critical]);
}
