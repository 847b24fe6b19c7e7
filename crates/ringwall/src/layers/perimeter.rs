//! Is this caller let near at all: foreign tenants, blocked addresses, locked principals.

use ringwall_types::{AccessRequest, Decision, Finding, Layer, Reason, Response, ResponseAction, RiskScore};

use crate::facts::{Facts, Needs};
use crate::judge::{LayerError, Wall};

/// A request across tenants is certain harm.
const FOREIGN_RISK: RiskScore = RiskScore::MAX;
/// A request from a blocked address or of a locked principal.
const BOUND_RISK: RiskScore = RiskScore::from_thousandths_clamped(900);

pub(crate) struct Perimeter;

impl Wall for Perimeter {
    fn layer(&self) -> Layer {
        Layer::Perimeter
    }

    fn needs(&self) -> Needs {
        Needs { responses: true, ..Needs::default() }
    }

    fn judge(&self, request: &AccessRequest, facts: &Facts, _: &[Finding]) -> Result<Finding, LayerError> {
        let responses = facts.responses.as_ref().ok_or(LayerError::MissingFact("the responses in force"))?;
        let bound = responses.iter().filter(|response| response.binds_at(facts.now)).map(reason);
        let tenants = [("principal", &request.principal.tenant), ("resource", &request.resource.tenant)];
        let foreign = tenants.into_iter().find(|(_, tenant)| tenant.as_ref() != Some(&facts.tenant));
        let risk = if foreign.is_some() { FOREIGN_RISK } else { BOUND_RISK };
        let foreign = foreign.map(|(whose, _)| {
            Reason::new("tenant_mismatch", format!("the {whose} belongs to another tenant"))
        });
        let reasons: Vec<_> = foreign.into_iter().chain(bound).collect();
        if reasons.is_empty() {
            return Ok(Finding::pass(Layer::Perimeter));
        }
        Ok(Finding { decision: Decision::Deny, risk, reasons, ..Finding::pass(Layer::Perimeter) })
    }
}

fn reason(response: &Response) -> Reason {
    let (code, what) = match response.plan.action {
        ResponseAction::BlockIp => ("address_blocked", "the address is blocked"),
        ResponseAction::QuarantineUser => ("principal_quarantined", "the principal is in quarantine"),
        _ => ("principal_locked", "the principal is locked"),
    };
    let until = response.expires_at.map(|end| format!(" until {end}")).unwrap_or_default();
    let message = format!("{what}{until} because of threat `{}`", response.plan.threat);
    Reason { threat: Some(response.plan.threat.clone()), ..Reason::new(code, message) }
}
