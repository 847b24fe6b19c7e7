//! Collects a workflow piece by piece and builds it when it is complete.
//! Promises: adding never fails; `build` reports every mistake at once, in the order of the definition, so what is
//! declared later may be named earlier.

use serde_json::Value;

use crate::check;
use crate::definition::{NodeDefinition, WorkflowDefinition};
use crate::error::{BuildErrors, Problem};
use crate::registry::Registry;
use crate::workflow::Workflow;

/// A workflow in the making.
#[derive(Clone, Debug)]
pub struct WorkflowBuilder<'r> {
    registry: &'r Registry,
    draft: Draft,
}

/// What was said so far, as it was said.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) nodes: Vec<(String, NodeDefinition)>,
    pub(crate) connections: Vec<DraftConnection>,
    pub(crate) inputs: Vec<(String, String)>,
    pub(crate) danger_continue_on_deny: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum DraftConnection {
    /// `node.port` to `node.port`.
    Ports { from: String, to: String },
    /// Four names in one of two orders.
    Names([String; 4]),
}

impl<'r> WorkflowBuilder<'r> {
    /// A workflow without nodes, called `workflow`.
    pub fn new(registry: &'r Registry) -> Self {
        let draft = Draft {
            name: "workflow".to_owned(),
            description: String::new(),
            nodes: Vec::new(),
            connections: Vec::new(),
            inputs: Vec::new(),
            danger_continue_on_deny: false,
        };
        Self { registry, draft }
    }

    /// The workflow that a definition describes.
    pub fn from_definition(registry: &'r Registry, definition: WorkflowDefinition) -> Self {
        let connections = definition.connections.into_iter();
        let draft = Draft {
            name: definition.name,
            description: definition.description,
            nodes: definition.nodes,
            connections: connections
                .map(|one| DraftConnection::Ports { from: one.from, to: one.to })
                .collect(),
            inputs: definition.inputs,
            danger_continue_on_deny: definition.danger_continue_on_deny,
        };
        Self { registry, draft }
    }

    /// Calls the workflow `name`.
    pub fn name(&mut self, name: &str) -> &mut Self {
        name.clone_into(&mut self.draft.name);
        self
    }

    /// Says what the workflow is for.
    pub fn description(&mut self, description: &str) -> &mut Self {
        description.clone_into(&mut self.draft.description);
        self
    }

    /// Adds a node of `kind`, known as `id`, set up by `config`; null is the empty configuration.
    pub fn add_node(&mut self, kind: &str, id: &str, config: Value) -> &mut Self {
        self.add_node_definition(id, NodeDefinition { kind: kind.to_owned(), config, deadline_ms: None })
    }

    /// Adds a node with everything that can be said of it.
    pub fn add_node_definition(&mut self, id: &str, node: NodeDefinition) -> &mut Self {
        self.draft.nodes.push((id.to_owned(), node));
        self
    }

    /// Connects two ports by four names, in either order: `(from node, to node, "from.port", "to.port")` or
    /// `(from node, port, to node, port)`.
    ///
    /// Each order is tried against the nodes and ports there are; a port may be written with its own node's id
    /// before it. If both orders make sense, building fails and says what each would mean.
    pub fn add_connection(&mut self, first: &str, second: &str, third: &str, fourth: &str) -> &mut Self {
        let names = [first, second, third, fourth].map(str::to_owned);
        self.draft.connections.push(DraftConnection::Names(names));
        self
    }

    /// Connects the output `from` to the input `to`, both written `node.port`.
    pub fn connect(&mut self, from: &str, to: &str) -> &mut Self {
        let connection = DraftConnection::Ports { from: from.to_owned(), to: to.to_owned() };
        self.draft.connections.push(connection);
        self
    }

    /// Names what a run is given, and the input port it feeds, written `node.port`.
    pub fn input(&mut self, name: &str, port: &str) -> &mut Self {
        self.draft.inputs.push((name.to_owned(), port.to_owned()));
        self
    }

    /// Lets nodes run although a node they depend on had an outcome that stops, such as a denial.
    pub fn danger_continue_on_deny(&mut self) -> &mut Self {
        self.draft.danger_continue_on_deny = true;
        self
    }

    /// Everything that is wrong so far; empty if it would build.
    pub fn validate(&self) -> Vec<Problem> {
        self.build().err().map(|errors| errors.problems().to_vec()).unwrap_or_default()
    }

    /// The finished workflow, or everything that is wrong with it.
    pub fn build(&self) -> Result<Workflow, BuildErrors> {
        check::build(self.registry, &self.draft)
    }
}

#[cfg(test)]
mod tests;
