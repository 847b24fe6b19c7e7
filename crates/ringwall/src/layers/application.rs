//! What the tenant's policies say.

use ringwall_authz::{Context, Effect, ReasonCode, evaluate};
use ringwall_types::{AccessRequest, Decision, Finding, Layer, Reason, RiskScore};

use crate::facts::{Facts, Needs};
use crate::judge::{LayerError, Wall};

/// Somebody wrote a policy against this.
const DENIED_RISK: RiskScore = RiskScore::from_thousandths_clamped(700);
/// A policy against this could not be decided, so the worst is assumed.
const UNDECIDED_RISK: RiskScore = RiskScore::from_thousandths_clamped(800);
/// Nobody thought of this.
const UNMATCHED_RISK: RiskScore = RiskScore::from_thousandths_clamped(500);

pub(crate) struct Application;

impl Wall for Application {
    fn layer(&self) -> Layer {
        Layer::Application
    }

    fn needs(&self) -> Needs {
        Needs { policies: true, ..Needs::default() }
    }

    fn judge(&self, request: &AccessRequest, facts: &Facts, _: &[Finding]) -> Result<Finding, LayerError> {
        let policies = facts.policies.as_ref().and_then(|policies| policies.set());
        let policies = policies.ok_or(LayerError::MissingFact("the policies"))?;
        let answer = evaluate(policies, &Context::from_request(request, facts.now));
        let (decision, risk) = match (answer.effect, answer.reason_code) {
            (Effect::Allow, _) => (Decision::Allow, RiskScore::NONE),
            (Effect::Deny, ReasonCode::PolicyDeny) => (Decision::Deny, DENIED_RISK),
            (Effect::Deny, ReasonCode::DenyUndecided) => (Decision::Deny, UNDECIDED_RISK),
            (Effect::Deny, _) => (Decision::Deny, UNMATCHED_RISK),
        };
        let reason =
            Reason { policy: answer.policy, ..Reason::new(answer.reason_code.as_str(), answer.reason) };
        Ok(Finding {
            layer: Layer::Application,
            decision,
            risk,
            reasons: vec![reason],
            obligations: answer.obligations,
        })
    }
}
