//! Clocks that lie, events that come late, and floods.

use ringwall_types::{EventFlag, Subject};

use super::*;

fn brute_force(limits: Limits) -> Run {
    Run::new(&RuleSet::named(&["brute_force"]).unwrap(), limits)
}

#[test]
fn a_time_too_far_ahead_is_the_arrival_and_lies_in_wait_in_no_later_window() {
    let mut run = brute_force(Limits::default());
    let ahead = failed(864_000, "a", "1.1.1.1");
    let observed = run.detector.observe(1, &ahead, at(0));
    assert_eq!((observed.time, observed.flag), (at(0), Some(EventFlag::TimeClamped)));
    let near = run.detector.observe(2, &failed(300, "b", "2.2.2.2"), at(0));
    assert_eq!((near.time, near.flag), (at(300), None));
    for (position, secs) in [(3, 864_000), (4, 864_001)] {
        assert_eq!(run.detector.observe(position, &failed(secs, "a", "1.1.1.1"), at(secs)).changes, []);
    }
    assert_eq!(run.detector.metrics().clamped, 1);
}

#[test]
fn one_bad_clock_moves_no_other_sources_watermark_and_not_even_its_own() {
    let mut run = brute_force(Limits::default());
    let from = |source: &str, secs| SecurityEvent {
        source: Some(source.parse().unwrap()),
        ..failed(secs, "a", "1.1.1.1")
    };
    let observe = |run: &mut Run, event: &SecurityEvent| run.detector.observe(0, event, at(1000)).flag;
    assert_eq!(observe(&mut run, &from("good", 0)), None);
    assert_eq!(observe(&mut run, &from("bad", 864_000)), Some(EventFlag::TimeClamped));
    assert_eq!(observe(&mut run, &from("bad", 1)), None);
    assert_eq!(observe(&mut run, &from("fast", 1300)), None);
    assert_eq!(observe(&mut run, &from("good", 2)), None);
    // A clock that is ahead as far as it may be counts as arrived, so it makes nobody of its feed late.
    assert_eq!(observe(&mut run, &from("fast", 1000)), None);
    assert_eq!(observe(&mut run, &from("fast", 940)), None);
    assert_eq!(observe(&mut run, &from("fast", 939)), Some(EventFlag::Late));
}

#[test]
fn later_than_the_lateness_opens_no_window_and_exactly_as_late_does() {
    for (late_micros, fires) in [(60_000_000, true), (60_000_001, false)] {
        let mut run = brute_force(Limits::default());
        let old = SecurityEvent { time: at_micros(100_000_000 - late_micros), ..failed(0, "a", "1.1.1.1") };
        run.show_all(&[failed(80, "a", "1.1.1.1"), failed(100, "a", "1.1.1.1")]);
        let flag = run.show(3, &old).flag;
        assert_eq!(flag, (!fires).then_some(EventFlag::Late));
        assert_eq!(!run.findings().is_empty(), fires);
        assert_eq!(run.detector.metrics().late, u64::from(!fires));
    }
}

#[test]
fn an_old_batch_is_never_late() {
    let mut run = brute_force(Limits::default());
    run.show_all(&[failed(100_000, "b", "2.2.2.2")]);
    run.detector.start_batch(&tenant());
    run.show_all(&(0..3).map(|secs| failed(secs, "a", "1.1.1.1")).collect::<Vec<_>>());
    assert_eq!((run.findings().len(), run.detector.metrics().late), (1, 0));
}

#[test]
fn a_forgotten_id_counts_again_and_memory_of_ids_is_bounded() {
    let mut run = brute_force(Limits { ids_max: 2, ..Limits::default() });
    let named = |id: &str| SecurityEvent { id: Some(id.parse().unwrap()), ..failed(0, "a", "1.1.1.1") };
    let duplicates: Vec<bool> =
        ["1", "2", "1", "3", "1"].map(|id| run.show(0, &named(id)).duplicate).into_iter().collect();
    assert_eq!(duplicates, [false, false, true, false, false]);
    assert_eq!(run.detector.metrics().duplicates, 1);
}

#[test]
fn junk_subjects_never_hide_an_attack() {
    const JUNK_BETWEEN: u32 = 2000;
    let mut run = brute_force(Limits { subjects_max: 300, ..Limits::default() });
    let mut junk = 0_u32;
    for guess in 0..8_u32 {
        run.show(u64::from(guess), &failed(i64::from(guess) * 40, "victim", "9.9.9.9"));
        for _ in 0..JUNK_BETWEEN {
            junk += 1;
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + junk).to_string();
            run.show(0, &failed(i64::from(guess) * 40 + 1, &format!("junk{junk}"), &address));
        }
    }
    let found = run.detector.threats(&tenant());
    assert!(
        found.iter().any(|threat| threat.source_ip.is_some_and(|ip| ip.to_string() == "9.9.9.9")),
        "{found:?}"
    );
    assert!(run.detector.metrics().evicted > 10_000);
    let pressure = run.detector.pressure();
    assert!(pressure.len() == 1 && pressure[0].subjects <= 300 && pressure[0].evicted > 10_000);
}

#[test]
fn an_open_threat_outlives_every_silent_subject() {
    let mut run = brute_force(Limits { subjects_max: 10, ..Limits::default() });
    run.show_all(&[0, 1, 2].map(|secs| failed(secs, "a", "9.9.9.9")));
    for junk in 0..500 {
        run.show(9, &failed(3, &format!("j{junk}"), &format!("10.0.{}.{}", junk / 200, junk % 200)));
    }
    assert_eq!(run.detector.threats(&tenant()).len(), 1);
    assert_eq!(run.detector.metrics().closed, 0);
}

#[test]
fn a_flood_on_one_subject_is_counted_though_its_moments_are_merged() {
    let mut run = brute_force(Limits { stamps_max: 64, ..Limits::default() });
    let flood: Vec<_> = (0..5000)
        .map(|n| SecurityEvent { time: at_micros(n * 10_000), ..failed(0, "a", "9.9.9.9") })
        .collect();
    run.show_all(&flood);
    let found = run.findings();
    assert_eq!(found.iter().map(|threat| threat.count).max(), Some(5000));
    assert!(found.iter().any(|threat| threat.subject == Subject::SourceIp("9.9.9.9".parse().unwrap())));
    assert!(run.detector.metrics().coalesced > 4000);
}

#[test]
fn a_changed_rule_begins_anew_and_the_others_go_on() {
    let both = RuleSet::named(&["brute_force", "lateral_movement"]).unwrap();
    let mut run = Run::new(&both, Limits::default());
    run.show_all(&[0, 1, 2].map(|secs| failed(secs, "a", "9.9.9.9")));
    let state = run.detector.snapshot();
    let mut tuned = both.rules().to_vec();
    tuned[1].title = "Other".into();
    let mut next = Detector::new(&RuleSet::new(tuned.clone()).unwrap(), Limits::default(), make_id);
    next.restore(state.clone()).unwrap();
    assert_eq!(next.threats(&tenant()).len(), 1);
    tuned[0].title = "Other".into();
    let mut next = Detector::new(&RuleSet::new(tuned).unwrap(), Limits::default(), make_id);
    next.restore(state.clone()).unwrap();
    assert_eq!(next.threats(&tenant()), []);

    let mut text = serde_json::to_value(&state).unwrap();
    text["version"] = 99.into();
    let error = next.restore(serde_json::from_value(text).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "detector state: is of version 99, this is version 1");
}

#[test]
fn two_feeds_that_number_their_events_alike_do_not_blind_each_other() {
    let mut run = brute_force(Limits::default());
    let numbered = |feed: &str, secs: i64, address: &str| SecurityEvent {
        id: Some(secs.to_string().parse().unwrap()),
        source: Some(feed.parse().unwrap()),
        ..failed(secs, "a", address)
    };
    run.show_all(&(0..2).map(|secs| numbered("one", secs, "1.1.1.1")).collect::<Vec<_>>());
    run.show_all(&(0..3).map(|secs| numbered("two", secs, "2.2.2.2")).collect::<Vec<_>>());
    assert_eq!((run.findings().len(), run.detector.metrics().duplicates), (1, 0));
    run.show_all(&(0..3).map(|secs| numbered("two", secs, "2.2.2.2")).collect::<Vec<_>>());
    assert_eq!(run.detector.metrics().duplicates, 3);
}

#[test]
fn an_event_a_little_ahead_of_its_arrival_makes_the_others_of_its_feed_not_late() {
    let mut run = brute_force(Limits::default());
    let now = at(1000);
    let observe = |run: &mut Run, secs: i64| run.detector.observe(0, &failed(secs, "a", "1.1.1.1"), now).flag;
    assert_eq!(observe(&mut run, 1290), None);
    assert!((997..1000).all(|secs| observe(&mut run, secs).is_none()));
    assert_eq!(run.detector.threats(&tenant()).len(), 1);
}
