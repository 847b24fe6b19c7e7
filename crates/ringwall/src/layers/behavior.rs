//! What is known of the conduct behind a request: open threats raise its risk. They never grant and, by themselves,
//! never deny: binding is the work of responses, which have an end and an undo.

use ringwall_types::{AccessRequest, Finding, Layer, Reason, Threat};

use crate::facts::{Facts, Needs};
use crate::judge::{LayerError, Wall};

/// How many threats a finding names.
const NAMED_MAX: usize = 4;

pub(crate) struct Behavior;

impl Wall for Behavior {
    fn layer(&self) -> Layer {
        Layer::Behavior
    }

    fn needs(&self) -> Needs {
        Needs { threats: true, ..Needs::default() }
    }

    fn judge(&self, _: &AccessRequest, facts: &Facts, _: &[Finding]) -> Result<Finding, LayerError> {
        let threats = facts.threats.as_ref().ok_or(LayerError::MissingFact("the open threats"))?;
        let risk = threats.iter().map(|threat| threat.severity.risk()).max().unwrap_or_default();
        let reasons = threats.iter().take(NAMED_MAX).map(reason).collect();
        Ok(Finding { risk, reasons, ..Finding::pass(Layer::Behavior) })
    }
}

fn reason(threat: &Threat) -> Reason {
    let message = format!("an open threat of severity {} names the {}", threat.severity, threat.subject);
    Reason { threat: Some(threat.id.clone()), ..Reason::new("open_threat", message) }
}
