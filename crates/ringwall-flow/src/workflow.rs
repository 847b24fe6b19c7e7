//! A workflow that has been checked and can run, any number of times and at once.
//! INVARIANT: every index, port and feed in here was checked by the builder; the graph has no ring.

use std::sync::Arc;

use serde_json::Value;

use crate::kind::{AnyNode, NodeKind};
use crate::name::NodeId;

/// A checked workflow. Only [`WorkflowBuilder::build`](crate::WorkflowBuilder::build) makes one.
#[derive(Clone, Debug)]
pub struct Workflow {
    pub(crate) name: Arc<str>,
    pub(crate) description: String,
    pub(crate) steps: Arc<[Step]>,
    pub(crate) inputs: Vec<WorkflowInput>,
    pub(crate) danger_continue_on_deny: bool,
}

impl Workflow {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Its nodes with their kinds, in the order of the definition.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeId, &NodeKind)> {
        self.steps.iter().map(|step| (&step.id, &step.kind))
    }

    /// What a run is given by name.
    pub fn inputs(&self) -> &[WorkflowInput] {
        &self.inputs
    }
}

/// A named input of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowInput {
    pub(crate) name: String,
    pub(crate) node: NodeId,
    pub(crate) port: String,
    pub(crate) schema: Value,
    pub(crate) required: bool,
}

impl WorkflowInput {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node it feeds.
    pub fn node(&self) -> &NodeId {
        &self.node
    }

    /// The port it feeds.
    pub fn port(&self) -> &str {
        &self.port
    }

    /// The JSON Schema of its values.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Whether the node it feeds cannot do without it.
    pub fn is_required(&self) -> bool {
        self.required
    }
}

/// One node, ready to run.
pub(crate) struct Step {
    pub(crate) id: NodeId,
    pub(crate) kind: NodeKind,
    pub(crate) node: Arc<dyn AnyNode>,
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) feeds: Vec<Feed>,
    /// The steps that wait for this one, each once.
    pub(crate) dependents: Vec<usize>,
}

impl Step {
    /// The steps this one waits for, each once.
    pub(crate) fn waits_for(&self) -> usize {
        let mut sources: Vec<usize> = self.feeds.iter().map(|feed| feed.source).collect();
        sources.sort_unstable();
        sources.dedup();
        sources.len()
    }

    pub(crate) fn is_fed(&self, port: &str) -> bool {
        self.feeds.iter().any(|feed| feed.input == port)
    }

    /// Whether nothing feeds it and nothing depends on it.
    pub(crate) fn stands_alone(&self) -> bool {
        self.feeds.is_empty() && self.dependents.is_empty()
    }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Step").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What reaches one input port.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) source: usize,
    pub(crate) output: String,
    /// Whether the output is a record port.
    pub(crate) record: bool,
    pub(crate) input: String,
}
