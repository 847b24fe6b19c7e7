use proptest::prelude::*;

use super::*;
use crate::Layer;

fn join(trail: Vec<Finding>) -> Verdict {
    let id = DecisionId::new("dec_1").unwrap();
    Verdict::join(id, TenantId::initial(), Timestamp::from_micros(0).unwrap(), 1, trail)
}

fn finding(layer: Layer, decision: Decision, risk: u16) -> Finding {
    let reasons = vec![Reason::new(format!("{layer}_{decision}"), "because")];
    Finding {
        layer,
        decision,
        risk: RiskScore::from_thousandths_clamped(risk),
        reasons,
        obligations: Vec::new(),
    }
}

#[test]
fn a_verdict_without_findings_is_a_deny_of_the_highest_risk() {
    assert_eq!((join(vec![]).decision(), join(vec![]).risk()), (Decision::Deny, RiskScore::MAX));
}

#[test]
fn only_a_fresh_allow_gives_a_permit() {
    let allow = join(vec![Finding::pass(Layer::Perimeter), Finding::pass(Layer::Application)]);
    assert!(allow.permit().is_some());
    let read_back: Verdict = serde_json::from_str(&serde_json::to_string(&allow).unwrap()).unwrap();
    assert_eq!(read_back, allow);
    assert!(read_back.permit().is_none());
    let deny = join(vec![]);
    assert!(read_back.clone().confirmed_by(&deny).permit().is_none());
    assert!(read_back.confirmed_by(&allow).permit().is_some());
    assert!(join(vec![finding(Layer::Application, Decision::Challenge, 0)]).permit().is_none());
}

#[test]
fn the_reasons_are_those_of_the_layers_that_prevailed() {
    let verdict = join(vec![
        finding(Layer::Perimeter, Decision::Allow, 100),
        finding(Layer::Application, Decision::Deny, 700),
        finding(Layer::Behavior, Decision::Challenge, 500),
    ]);
    let codes: Vec<_> = verdict.reasons().iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["application_deny"]);
    assert_eq!(verdict.risk().as_thousandths(), 700);
}

proptest! {
    #[test]
    fn a_verdict_is_never_milder_than_its_strictest_finding(
        findings in prop::collection::vec((0_usize..3, 0_u16..=1000), 1..8),
    ) {
        let trail: Vec<_> = findings
            .iter()
            .map(|&(decision, risk)| finding(Layer::Application, Decision::ALL[decision], risk))
            .collect();
        let strictest = trail.iter().map(|finding| finding.decision).max().unwrap();
        prop_assert_eq!(join(trail).decision(), strictest);
    }
}
