//! What holds for every sequence of events.

use proptest::prelude::*;

use super::reference::{Expected, reference};
use super::*;
use crate::{DetectorState, Rule};

const LATENESS_MICROS: i64 = 60_000_000;

/// Small windows over every feature of a rule, so that few events meet many edges.
fn rule() -> Rule {
    let rules = RuleSet::from_json(
        r#"{"rules":[{"id":"r","title":"R","subject":"source_ip_or_principal","quiet_secs":70,"conditions":[
            {"select":{"kinds":["authentication"],"outcomes":["failure"]},"per":"principal","levels":[
                {"at_least":3,"within_secs":20,"severity":"medium"},{"at_least":5,"within_secs":60,"severity":"high"}]},
            {"select":{"kinds":["authentication"],"outcomes":["failure"]},"measure":{"distinct":"principal"},"levels":[
                {"at_least":3,"within_secs":15,"severity":"low"}]},
            {"select":{"kinds":["authentication"],"outcomes":["failure"]},"subject":"principal",
             "distinct_at_least":{"field":"source_ip","n":2},"levels":[
                {"at_least":4,"within_secs":25,"severity":"high"}]},
            {"select":{"kinds":["data_transfer"]},"subject":"principal","measure":"bytes","levels":[
                {"at_least":100,"within_secs":30,"severity":"info"}]}],
            "followed_by":{"select":{"kinds":["authentication"],"outcomes":["success"]},
                "same":["principal"],"within_secs":40,"severity":"critical"}}]}"#,
    )
    .unwrap();
    rules.rules()[0].clone()
}

fn any_event() -> impl Strategy<Value = SecurityEvent> {
    let micros = prop_oneof![
        4 => (0..500_i64).prop_map(|secs| secs * 1_000_000),
        1 => 0..500_000_000_i64,
    ];
    (micros, 0..12_u8, 0..3_u8, proptest::option::weighted(0.85, 0..3_u8), 1..=2_u32).prop_map(
        |(micros, what, principal, address, count)| {
            let kind = if what == 11 { EventKind::DataTransfer } else { EventKind::Authentication };
            let mut event = event(kind, 0, ["a", "b", "c"][usize::from(principal)]);
            event.time = at_micros(micros);
            event.outcome = if what < 9 { Outcome::Failure } else { Outcome::Success };
            event.bytes = (what == 11).then_some(40);
            event.source_ip = address.map(|address| format!("1.1.1.{address}").parse().unwrap());
            event.count = count.try_into().unwrap();
            event
        },
    )
}

/// Events by index, and an order of arrival in which none is late.
fn arrivals() -> impl Strategy<Value = (Vec<SecurityEvent>, Vec<usize>)> {
    proptest::collection::vec((any_event(), 0..=LATENESS_MICROS), 1..90).prop_map(|events| {
        let mut order: Vec<usize> = (0..events.len()).collect();
        order.sort_by_key(|i| events[*i].0.time.saturating_add_micros(events[*i].1));
        (events.into_iter().map(|(event, _)| event).collect(), order)
    })
}

fn run_in(order: &[usize], events: &[SecurityEvent], rules: &RuleSet) -> Run {
    let mut run = Run::new(rules, Limits::default());
    order.iter().for_each(|i| drop(run.show(*i as u64, &events[*i])));
    run
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn findings_are_a_function_of_event_times_alone((events, order) in arrivals()) {
        let rule = rule();
        let rules = RuleSet::new([rule.clone()]).unwrap();
        let run = run_in(&order, &events, &rules);
        prop_assert_eq!(run.detector.metrics().late, 0);
        let mut found: Vec<Expected> = run.findings().iter().map(Expected::of).collect();
        found.sort();
        prop_assert_eq!(found, reference(&rule, &events));

        let mut sorted: Vec<usize> = (0..events.len()).collect();
        sorted.sort_by_key(|i| events[*i].time);
        prop_assert_eq!(run.findings(), run_in(&sorted, &events, &rules).findings());
    }

    #[test]
    fn the_named_rules_mean_what_the_reference_says((events, order) in arrivals()) {
        for rule in RuleSet::named(&crate::DEFAULT_RULES).unwrap().rules() {
            let run = run_in(&order, &events, &RuleSet::new([rule.clone()]).unwrap());
            let mut found: Vec<Expected> = run.findings().iter().map(Expected::of).collect();
            found.sort();
            prop_assert_eq!(found, reference(rule, &events));
        }
    }

    #[test]
    fn a_restart_changes_nothing((events, order) in arrivals(), cut: prop::sample::Index) {
        let rules = RuleSet::new([rule()]).unwrap();
        let limits = Limits { subjects_max: 3, stamps_max: 8, ids_max: 4, ..Limits::default() };
        let mut whole = Run::new(&rules, limits.clone());
        let mut broken = Run::new(&rules, limits.clone());
        let cut = cut.index(order.len());
        for (nth, i) in order.iter().enumerate() {
            if nth == cut {
                let saved = serde_json::to_string(&broken.detector.snapshot()).unwrap();
                broken.detector = Detector::new(&rules, limits.clone(), make_id);
                broken.detector.restore(serde_json::from_str::<DetectorState>(&saved).unwrap()).unwrap();
            }
            let arrival = at(86_400);
            let (one, other) = (&mut whole.detector, &mut broken.detector);
            prop_assert_eq!(one.observe(nth as u64, &events[*i], arrival), other.observe(nth as u64, &events[*i], arrival));
        }
        prop_assert_eq!(whole.detector.threats(&tenant()), broken.detector.threats(&tenant()));
        prop_assert_eq!(whole.detector.advance(at(200_000)), broken.detector.advance(at(200_000)));
        prop_assert_eq!(whole.detector.metrics(), broken.detector.metrics());
    }

    #[test]
    fn an_event_with_a_known_id_changes_nothing((events, order) in arrivals(), again in proptest::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        let rules = RuleSet::new([rule()]).unwrap();
        let mut events = events;
        for (i, event) in events.iter_mut().enumerate() {
            event.id = Some(i.to_string().parse().unwrap());
        }
        let plain = run_in(&order, &events, &rules);
        let mut doubled = Run::new(&rules, Limits::default());
        for (nth, i) in order.iter().enumerate() {
            doubled.show(*i as u64, &events[*i]);
            let seen = &order[..=nth];
            if let Some(repeat) = again.get(nth) {
                let repeat = seen[repeat.index(seen.len())];
                prop_assert!(doubled.show(repeat as u64, &events[repeat]).duplicate);
            }
        }
        prop_assert_eq!(plain.findings(), doubled.findings());
    }

    #[test]
    fn tenants_never_mix((events, order) in arrivals(), owners in proptest::collection::vec(0..2_u8, 90)) {
        let rules = RuleSet::new([rule()]).unwrap();
        let mut mixed = Run::new(&rules, Limits::default());
        let other: TenantId = "other".parse().unwrap();
        let mut events = events;
        for (event, owner) in events.iter_mut().zip(&owners) {
            if *owner == 1 {
                event.tenant = other.clone();
            }
        }
        order.iter().for_each(|i| drop(mixed.show(*i as u64, &events[*i])));
        for tenant in [tenant(), other] {
            let own: Vec<usize> = order.iter().copied().filter(|i| events[*i].tenant == tenant).collect();
            let alone = run_in(&own, &events, &rules);
            let of_tenant: Vec<_> = mixed.findings().into_iter().filter(|threat| threat.tenant == tenant).collect();
            prop_assert_eq!(of_tenant, alone.findings());
        }
    }

    #[test]
    fn memory_stays_within_its_limits((events, order) in arrivals()) {
        let rules = RuleSet::new([rule()]).unwrap();
        let limits = Limits { subjects_max: 2, stamps_max: 4, ids_max: 2, ..Limits::default() };
        let mut run = Run::new(&rules, limits);
        for i in order {
            run.show(i as u64, &events[i]);
            let table = &run.detector.tenants[&tenant()].tables[0];
            prop_assert!(table.len() <= 2);
            prop_assert!(table.open().all(|(_, state)| state.timeline.stamps().len() <= 4));
        }
    }
}
