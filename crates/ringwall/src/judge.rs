//! The middle of the engine: request and facts in, verdict out. No IO, no clock; the same input gives the same bytes.
//!
//! Promises: every layer is asked, in the guide's order; a layer that fails or lacks a fact becomes a Deny of the
//! highest risk, here and nowhere else; what failed is told to the log, not to the caller.

use ringwall_types::{AccessRequest, DecisionId, Finding, Layer, Reason, RiskScore, Verdict};

use crate::facts::{Facts, Needs};
use crate::layers::{Application, Behavior, Perimeter};

/// One wall of the fort.
pub(crate) trait Wall: Sync {
    /// Which layer it is.
    fn layer(&self) -> Layer;

    /// What it wants to know.
    fn needs(&self) -> Needs;

    /// What it finds, given what the layers before it found.
    fn judge(&self, request: &AccessRequest, facts: &Facts, trail: &[Finding])
    -> Result<Finding, LayerError>;
}

/// Why a layer could give no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LayerError {
    /// A fact that it asked for is absent.
    MissingFact(&'static str),
}

impl std::fmt::Display for LayerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingFact(fact) => write!(f, "{fact} could not be read"),
        }
    }
}

/// Every layer that there is, in the order in which a request meets them.
const WALLS: &[&dyn Wall] = &[&Perimeter, &Application, &Behavior];

/// What must be read before [`judge`].
pub(crate) fn needs() -> Needs {
    WALLS.iter().fold(Needs::default(), |needs, wall| needs.union(wall.needs()))
}

/// Asks every layer and joins their findings. Also gives what failed, for the log.
pub(crate) fn judge(id: DecisionId, request: &AccessRequest, facts: &Facts) -> (Verdict, Vec<String>) {
    let mut trail = Vec::with_capacity(WALLS.len());
    let mut faults = Vec::new();
    for wall in WALLS {
        let finding = wall.judge(request, facts, &trail).unwrap_or_else(|error| {
            faults.push(format!("{}: {error}", wall.layer()));
            let reason = Reason::new("layer_failed", "a security layer could not give an answer");
            Finding::deny(wall.layer(), RiskScore::MAX, reason)
        });
        trail.push(finding);
    }
    let verdict = Verdict::join(id, facts.tenant.clone(), facts.now, facts.policy_epoch(), trail);
    (verdict, faults)
}

#[cfg(test)]
mod tests;
