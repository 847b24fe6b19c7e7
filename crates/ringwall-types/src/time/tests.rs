use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same_moment(micros in Timestamp::MIN.0..=Timestamp::MAX.0) {
        let moment = Timestamp::from_micros(micros).unwrap();
        prop_assert_eq!(moment.to_string().parse::<Timestamp>().unwrap(), moment);
    }

    #[test]
    fn arithmetic_never_leaves_the_range(micros in Timestamp::MIN.0..=Timestamp::MAX.0, step: i64) {
        let moved = Timestamp(micros).saturating_add_secs(step);
        prop_assert!((Timestamp::MIN..=Timestamp::MAX).contains(&moved));
    }
}

#[test]
fn the_first_and_the_last_moment_can_be_written() {
    for moment in [Timestamp::MIN, Timestamp::MAX] {
        assert_eq!(moment.to_string().parse::<Timestamp>().unwrap(), moment);
    }
    assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00Z");
}

#[test]
fn a_moment_has_one_spelling() {
    for spelling in ["2024-01-01T10:00:00Z", "2024-01-01T11:00:00+01:00", "2024-01-01t10:00:00.000000z"] {
        assert_eq!(spelling.parse::<Timestamp>().unwrap().to_string(), "2024-01-01T10:00:00Z");
    }
}

#[test]
fn a_time_without_an_offset_is_refused_here() {
    for wrong in ["2024-01-01T10:00:00", "2024-01-01", "10:00", "1704103200", "tomorrow", ""] {
        assert!(wrong.parse::<Timestamp>().is_err(), "{wrong}");
    }
}
