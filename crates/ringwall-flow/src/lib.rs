//! Typed workflows: what a node is, how nodes are connected, and how the whole is run.
//!
//! Decides whether a definition is a workflow: kinds and ports exist, configurations are accepted, types fit,
//! every required port is fed once, nothing waits for itself. Runs what it has accepted.
//!
//! Promises: a workflow with a mistake does not build, and building reports every mistake at once; a run gives the
//! same result whatever order its nodes finish in; a node that failed, denied or was too slow never looks like
//! success to what depends on it.
//!
//! Does not know what its nodes are for, keep a record of runs, read a clock or make ids: those are the caller's.

pub mod limits;

mod builder;
mod check;
mod context;
mod definition;
mod error;
mod kind;
mod name;
mod node;
mod registry;
mod result;
mod runtime;
mod schema;
mod workflow;

pub use builder::WorkflowBuilder;
pub use context::{Cancel, RunContext};
pub use definition::{ConnectionDefinition, NodeDefinition, WorkflowDefinition};
pub use error::{BuildErrors, Error, InvalidName, ParseError, Problem, ProblemCode, RegisterError, RunError};
pub use kind::{NodeKind, Port, PortValues};
pub use name::{NodeId, RunId};
pub use node::{Effect, Node, NodeError, Outcome};
pub use registry::Registry;
pub use result::{NodeResult, NodeStatus, RunResult, RunStatus, SkipReason};
pub use runtime::{Runtime, RuntimeLimits};
pub use workflow::{Workflow, WorkflowInput};

#[cfg(test)]
mod testing;
