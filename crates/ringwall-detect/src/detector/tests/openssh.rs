//! The counted ground truth: which sources fire, and on which line first.

use std::collections::BTreeMap;

use super::*;
use crate::testdata::openssh;

fn per_address(threshold: u64, window_secs: u64) -> RuleSet {
    RuleSet::from_json(&format!(
        r#"{{"rules":[{{"id":"per_address","title":"Per address","subject":"source_ip","conditions":[
            {{"select":{{"kinds":["authentication"],"outcomes":["failure"]}},
             "levels":[{{"at_least":{threshold},"within_secs":{window_secs},"severity":"medium"}}]}}]}}]}}"#
    ))
    .unwrap()
}

/// The first line of each source that fired, and when: the piece of evidence with which the threshold was reached.
fn first_lines(
    run: &Run,
    events: &BTreeMap<u64, &SecurityEvent>,
    threshold: u64,
) -> BTreeMap<String, (u64, Timestamp)> {
    let mut first = BTreeMap::new();
    for threat in run.findings() {
        let mut sum = 0;
        let reached = threat.evidence.iter().find(|line| {
            sum += u64::from(events[*line].count.get());
            sum >= threshold
        });
        let line = *reached.unwrap();
        assert_eq!(events[&line].time, threat.fired_at);
        let seen = first.entry(threat.source_ip.unwrap().to_string()).or_insert((line, threat.fired_at));
        *seen = (*seen).min((line, threat.fired_at));
    }
    first
}

/// An order of arrival in which nothing is late.
fn shuffled(events: &[(u64, SecurityEvent)], seed: u64) -> Vec<&(u64, SecurityEvent)> {
    let jitter = |line: u64| {
        let mixed = (line ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        i64::try_from((mixed ^ (mixed >> 31)) % 60_000_001).unwrap()
    };
    let mut order: Vec<_> = events.iter().collect();
    order.sort_by_key(|(line, event)| event.time.saturating_add_micros(jitter(*line)));
    order
}

#[test]
fn the_fired_sources_and_first_lines_are_the_ground_truths_in_any_order_within_lateness() {
    let Some(data) = openssh() else { return };
    let by_line: BTreeMap<u64, &SecurityEvent> =
        data.events.iter().map(|(line, event)| (*line, event)).collect();
    let settings = data.truth["brute_force"].as_array().unwrap();
    assert_eq!(settings.len(), 6);
    for setting in settings {
        let (window, threshold) =
            (setting["window_s"].as_u64().unwrap(), setting["threshold"].as_u64().unwrap());
        let expected: BTreeMap<String, (u64, Timestamp)> = setting["sources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|source| {
                let time = format!("2016-{}Z", source["fires_at"].as_str().unwrap().replace(' ', "T"));
                let fired = (source["fires_at_line"].as_u64().unwrap(), time.parse().unwrap());
                (source["source_ip"].as_str().unwrap().to_owned(), fired)
            })
            .collect();

        let mut run = Run::new(&per_address(threshold, window), Limits::default());
        let mut opened = BTreeMap::new();
        for (line, event) in &data.events {
            for change in run.show(*line, event).changes {
                if let ThreatChange::Opened(threat) = change {
                    opened.entry(threat.source_ip.unwrap().to_string()).or_insert((*line, threat.fired_at));
                }
            }
        }
        assert_eq!(opened, expected, "{window} s, {threshold}: as they were opened");
        assert_eq!(
            first_lines(&run, &by_line, threshold),
            expected,
            "{window} s, {threshold}: in file order"
        );
        let in_order = run.findings();
        for seed in 1..=4 {
            let mut run = Run::new(&per_address(threshold, window), Limits::default());
            shuffled(&data.events, seed).into_iter().for_each(|(line, event)| drop(run.show(*line, event)));
            assert_eq!(run.detector.metrics().late, 0);
            assert_eq!(
                first_lines(&run, &by_line, threshold),
                expected,
                "{window} s, {threshold}, seed {seed}"
            );
            assert_eq!(run.findings(), in_order, "{window} s, {threshold}, seed {seed}");
        }
    }
}

#[test]
fn the_named_rules_find_the_attackers_of_the_log_and_not_its_one_login() {
    let Some(data) = openssh() else { return };
    let mut run = Run::named(&crate::DEFAULT_RULES);
    data.events.iter().for_each(|(line, event)| drop(run.show(*line, event)));
    let found = run.findings();
    assert!(found.iter().all(|threat| threat.rule.as_str() == "brute_force"));
    for attacker in ["183.62.140.253", "187.141.143.180", "103.99.0.122"] {
        assert!(
            found.iter().any(|threat| threat.source_ip.is_some_and(|ip| ip.to_string() == attacker)),
            "{attacker}"
        );
    }
    assert!(found.iter().all(|threat| threat.source_ip.is_none_or(|ip| ip.to_string() != "119.137.62.142")));
}
