use proptest::prelude::*;

use super::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

const LIMIT: RateLimit = RateLimit { burst: 3, interval_micros: 100 };

#[test]
fn a_burst_is_granted_and_the_next_one_must_wait_its_interval() {
    let mut due = None;
    for _ in 0..3 {
        let (answer, next) = rate_take(due, LIMIT, 1, at(1000));
        assert_eq!(answer, RateAnswer::Granted);
        due = Some(next);
    }
    assert_eq!(rate_take(due, LIMIT, 1, at(1000)).0, RateAnswer::Refused { retry_micros: Some(100) });
    assert_eq!(rate_take(due, LIMIT, 1, at(1099)).0, RateAnswer::Refused { retry_micros: Some(1) });
    assert_eq!(rate_take(due, LIMIT, 1, at(1100)).0, RateAnswer::Granted);
}

#[test]
fn a_cost_above_the_burst_is_never_granted() {
    assert_eq!(rate_take(None, LIMIT, 4, at(0)).0, RateAnswer::Refused { retry_micros: None });
}

proptest! {
    #[test]
    fn no_more_is_granted_than_the_burst_and_what_time_gave_back(gaps in prop::collection::vec(0_i64..300, 1..60)) {
        let (mut now, mut due, mut granted) = (0, None, 0_i64);
        for gap in gaps {
            now += gap;
            let (answer, next) = rate_take(due, LIMIT, 1, at(now));
            due = Some(next);
            granted += i64::from(answer == RateAnswer::Granted);
            prop_assert!(granted <= 3 + now / 100);
        }
    }

    #[test]
    fn a_window_never_undercounts_and_covers_at_most_a_sixteenth_more(
        gaps in prop::collection::vec(0_i64..4_000_000, 1..60),
    ) {
        let (mut sum, mut now, mut times) = (WindowedSum::default(), 0, Vec::new());
        for gap in gaps {
            now += gap;
            times.push(now);
            let counted = sum.add(1, 16, at(now));
            let within = |span: i64| times.iter().filter(|&&time| now - time <= span).count() as u64;
            prop_assert!(counted >= within(16_000_000), "undercount");
            prop_assert!(counted <= within(17_000_000), "overcount");
        }
    }
}
