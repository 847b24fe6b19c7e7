//! The whole answer: every layer's finding, joined.
//!
//! Promises: a verdict is never milder than its strictest finding; a verdict without findings is a Deny; only an Allow
//! made by this process, not one read back from a log, gives a [`Permit`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Decision, DecisionId, Finding, Obligation, Reason, RiskScore, TenantId, Timestamp};

/// The whole answer to one access request.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Which answer this is.
    decision_id: DecisionId,
    /// Whose request was judged.
    tenant: TenantId,
    /// When it was judged.
    time: Timestamp,
    /// The answer: the strictest of the layers'.
    decision: Decision,
    /// How risky the request looks, all layers together, 0 to 1000 thousandths.
    risk: RiskScore,
    /// Why, from the layers whose answer prevailed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
    /// What must be done along with the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    obligations: Vec<Obligation>,
    /// What each layer found, in the order in which they were asked.
    trail: Vec<Finding>,
    /// The version of the policies that were in force; 0 before any were written.
    policy_epoch: u64,
    #[serde(skip)]
    fresh: bool,
}

impl Verdict {
    /// Joins the layers' findings: the strictest decision wins, its reasons are cited, obligations add up, and risk is
    /// [`RiskScore::composite`] over the layers, but never below that of a deciding Deny.
    pub fn join(
        decision_id: DecisionId,
        tenant: TenantId,
        time: Timestamp,
        policy_epoch: u64,
        trail: Vec<Finding>,
    ) -> Self {
        let decision = trail.iter().map(|finding| finding.decision).max().unwrap_or(Decision::Deny);
        let deciding = || trail.iter().filter(|finding| finding.decision == decision);
        let refused_at = deciding().map(|finding| finding.risk).max().unwrap_or(RiskScore::MAX);
        let composite = RiskScore::composite(trail.iter().map(|finding| finding.risk));
        let mut obligations = Vec::new();
        for obligation in trail.iter().flat_map(|finding| &finding.obligations) {
            if !obligations.contains(obligation) {
                obligations.push(obligation.clone());
            }
        }
        Self {
            decision_id,
            tenant,
            time,
            decision,
            risk: if decision == Decision::Deny { composite.max(refused_at) } else { composite },
            reasons: deciding().flat_map(|finding| finding.reasons.iter().cloned()).collect(),
            obligations,
            trail,
            policy_epoch,
            fresh: true,
        }
    }

    /// Which answer this is.
    pub fn decision_id(&self) -> &DecisionId {
        &self.decision_id
    }

    /// Whose request was judged.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// When it was judged.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Allow, Challenge or Deny.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// How risky the request looks, all layers together.
    pub fn risk(&self) -> RiskScore {
        self.risk
    }

    /// Why, from the layers whose answer prevailed.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// What must be done along with the answer.
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }

    /// What each layer found, in order.
    pub fn trail(&self) -> &[Finding] {
        &self.trail
    }

    /// The version of the policies that were in force.
    pub fn policy_epoch(&self) -> u64 {
        self.policy_epoch
    }

    /// This recorded verdict, confirmed: `judged` came to the same decision just now, so it is as good as fresh.
    #[must_use]
    pub fn confirmed_by(self, judged: &Self) -> Self {
        Self { fresh: judged.fresh && judged.decision == self.decision, ..self }
    }

    /// Proof that this process allowed the request; `None` for anything else, and for a verdict read from a log.
    pub fn permit(&self) -> Option<Permit> {
        (self.fresh && self.decision == Decision::Allow).then_some(Permit(()))
    }
}

impl PartialEq for Verdict {
    /// Equal answers, whether given now or read back.
    fn eq(&self, other: &Self) -> bool {
        (&self.decision_id, &self.tenant, self.time, self.decision, self.risk, self.policy_epoch)
            == (&other.decision_id, &other.tenant, other.time, other.decision, other.risk, other.policy_epoch)
            && self.reasons == other.reasons
            && self.obligations == other.obligations
            && self.trail == other.trail
    }
}

/// Proof of an Allow. Only [`Verdict::permit`] makes one, so a check that was skipped does not compile.
#[derive(Debug)]
pub struct Permit(());

#[cfg(test)]
mod tests;
