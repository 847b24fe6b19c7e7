use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(scores: &[f64], expected: u16) {
    let scores = scores.iter().map(|&score| RiskScore::from_fraction(score).unwrap());
    assert_eq!(RiskScore::composite(scores), RiskScore(expected));
}

#[test]
fn one_high_score_outweighs_many_low_ones() {
    check(&[], 0);
    check(&[0.0, 0.0], 0);
    check(&[0.1, 0.1, 0.9], 880);
}

#[test]
fn nan_is_no_risk_score() {
    for wrong in [f64::NAN, -0.001, 1.001, f64::INFINITY] {
        assert!(RiskScore::from_fraction(wrong).is_err() && Confidence::from_fraction(wrong).is_err());
    }
    assert!(serde_json::from_str::<RiskScore>("1001").is_err());
    assert_eq!(serde_json::from_str::<RiskScore>("1000").unwrap(), RiskScore::MAX);
}

#[test]
fn a_rule_is_eight_tenths_sure_when_it_first_fires() {
    assert_eq!(Confidence::past_threshold(3, 3).as_thousandths(), 800);
    assert_eq!(Confidence::past_threshold(3, 6).as_thousandths(), 900);
    assert_eq!(Confidence::past_threshold(3, 2).as_thousandths(), 800);
    assert_eq!(Confidence::past_threshold(0, 0).as_thousandths(), 1000);
    assert_eq!(Confidence::past_threshold(u64::MAX, u64::MAX).as_thousandths(), 800);
}

proptest! {
    #[test]
    fn the_composite_lies_between_the_lowest_and_the_highest(scores in prop::collection::vec(0_u16..=1000, 1..20)) {
        let composite = RiskScore::composite(scores.iter().map(|&score| RiskScore(score))).0;
        prop_assert!(composite <= *scores.iter().max().unwrap());
        prop_assert!(composite >= *scores.iter().min().unwrap());
    }
}
