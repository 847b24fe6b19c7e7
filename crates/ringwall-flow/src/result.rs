//! What a run gave: one result per node, in the order of the definition, whatever order they finished in.
//! Promises: equal runs are equal results; a node that did not do its work never looks as if it had.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::kind::PortValues;
use crate::name::{NodeId, RunId};

/// The whole answer of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunResult {
    /// Which run.
    pub run_id: RunId,
    /// The name of the workflow.
    pub workflow: String,
    /// How it went as a whole.
    pub status: RunStatus,
    /// How each node went, in the order of the definition.
    pub nodes: Vec<NodeResult>,
}

impl RunResult {
    /// The result of one node.
    pub fn node(&self, id: &str) -> Option<&NodeResult> {
        self.nodes.iter().find(|result| result.node.as_str() == id)
    }
}

/// How a run went as a whole: the worst of its nodes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// Every node that was given something did its work.
    Succeeded,
    /// A node had an outcome that stops; no node failed.
    Stopped,
    /// A node failed or was too slow.
    Failed,
    /// The run was called off before every node was done.
    Cancelled,
}

/// How one node went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeResult {
    /// Which node.
    pub node: NodeId,
    /// How it went.
    #[serde(flatten)]
    pub status: NodeStatus,
    /// What it gave, by port, if it did its work.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "plain_values")]
    pub output: Option<PortValues>,
}

impl NodeResult {
    /// What it gave at one port.
    pub fn value(&self, port: &str) -> Option<&Value> {
        self.output.as_ref()?.get(port).map(AsRef::as_ref)
    }
}

/// How one node went.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NodeStatus {
    /// It did its work, and what depends on it goes on.
    Succeeded {
        /// The name of its answer, for kinds whose answers have names.
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<String>,
    },
    /// It did its work, and its answer stops what depends on it.
    Stopped {
        /// The name of its answer.
        outcome: String,
    },
    /// It could not do its work.
    Failed {
        /// What kind of failure, for programs.
        code: String,
        /// What happened, for people.
        message: String,
    },
    /// It was too slow, and was dropped.
    DeadlineExceeded {
        /// How long it was given.
        deadline_ms: u64,
    },
    /// It was not run, because of a node that it depends on.
    Blocked {
        /// The node at the root of it.
        by: NodeId,
    },
    /// It was not run, because nothing was asked of it.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
    /// It was not run or was dropped, because the run was called off.
    Cancelled,
}

/// Why a node was not run although nothing stood in its way.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// It stands alone, requires an input, and the run was given none for it.
    NoInput,
}

impl NodeStatus {
    /// What this makes of the whole run.
    pub(crate) fn weight(&self) -> RunStatus {
        match self {
            Self::Succeeded { .. } | Self::Skipped { .. } => RunStatus::Succeeded,
            Self::Stopped { .. } => RunStatus::Stopped,
            Self::Failed { .. } | Self::DeadlineExceeded { .. } => RunStatus::Failed,
            // What blocks a node has its own weight.
            Self::Blocked { .. } => RunStatus::Succeeded,
            Self::Cancelled => RunStatus::Cancelled,
        }
    }
}

fn plain_values<S: Serializer>(values: &Option<PortValues>, out: S) -> Result<S::Ok, S::Error> {
    match values {
        Some(values) => out.collect_map(values.iter().map(|(port, value)| (port, value.as_ref()))),
        None => out.serialize_none(),
    }
}
