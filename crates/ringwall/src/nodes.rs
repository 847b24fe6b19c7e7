//! The catalogue: every node that a workflow can be made of. One explicit list; each node is an adapter over the same
//! engine calls that the HTTP door makes.

mod abac;
mod audit_log;
mod security_event;
mod threat_detection;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ringwall_detect::{Detector, Limits, RuleSet};
use ringwall_flow::{NodeError, NodeKind, Registry};
use ringwall_types::{TenantId, Timestamp};

use crate::{Caller, Engine, Error};

/// Every kind of node, for workflows of this caller.
pub fn catalogue(engine: &Arc<Engine>, caller: &Caller) -> Result<Registry, Error> {
    let mut registry = Registry::new();
    let host = Host { engine: engine.clone(), caller: caller.clone() };
    let kinds = [
        NodeKind::of(host.maker(threat_detection::ThreatDetectionNode::new)),
        NodeKind::of(host.maker(abac::AbacPermissionEvaluatorNode::new)),
        NodeKind::of(host.maker(audit_log::AuditLogNode::new)),
        NodeKind::of(host.maker(security_event::SecurityEventNode::new)),
    ];
    for kind in kinds {
        registry.register(kind).map_err(|error| Error::Workflow(error.to_string()))?;
    }
    Ok(registry)
}

/// What every node works for.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) engine: Arc<Engine>,
    pub(crate) caller: Caller,
}

impl Host {
    /// A factory that gives each node its own copy of the host.
    fn maker<C, N>(
        &self,
        make: fn(Host, C) -> Result<N, String>,
    ) -> impl Fn(C) -> Result<N, String> + Send + Sync + 'static
    where
        C: 'static,
        N: 'static,
    {
        let host = self.clone();
        move |config| make(host.clone(), config)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }
}

/// An error of the engine as a node's: the code stays, the message is fit for a run's result.
pub(crate) fn failed(error: &Error) -> NodeError {
    NodeError::new(error.code(), error.to_string())
}

/// The most nodes whose detectors are kept.
const DETECTORS_MAX: usize = 1000;

/// A detector that several nodes of one name use.
type SharedDetector = Arc<Mutex<Detector>>;

/// Detectors of nodes, by tenant, name and rules: two runs of one workflow see one state.
#[derive(Default)]
pub(crate) struct Detectors {
    by_node: Mutex<HashMap<(TenantId, String), SharedDetector>>,
}

impl Detectors {
    /// The detector of a node; `rules` are part of its name, so that changed rules begin anew.
    pub(crate) fn detector(
        &self,
        tenant: &TenantId,
        name: &str,
        rules: &RuleSet,
    ) -> Result<SharedDetector, Error> {
        let text = serde_json::to_string(rules.rules()).map_err(|error| Error::Invalid(error.to_string()))?;
        let key = (tenant.clone(), format!("{name}\n{text}"));
        let mut by_node = self.by_node.lock().unwrap_or_else(PoisonError::into_inner);
        if by_node.len() >= DETECTORS_MAX && !by_node.contains_key(&key) {
            return Err(
                ringwall_store::Error::Limit(format!("more than {DETECTORS_MAX} detecting nodes")).into()
            );
        }
        let new = || Arc::new(Mutex::new(Detector::new(rules, Limits::default(), crate::ids::make_id)));
        Ok(by_node.entry(key).or_insert_with(new).clone())
    }
}

#[cfg(test)]
mod tests;
