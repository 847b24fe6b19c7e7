//! A kind of node with its types erased: what a registry holds and what builder and runtime work with.
//! Promises: ports and schemas come from the Rust types, so they cannot drift from the code; a refused
//! configuration or input is explained by place and expected type, never by repeating a value.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde::de::value::MapDeserializer;
use serde_json::{Map, Value};

use crate::context::RunContext;
use crate::node::{Effect, Node, NodeError, Outcome};
use crate::schema::explain;

/// Values by port.
pub type PortValues = BTreeMap<String, Arc<Value>>;

/// One port of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    name: String,
    schema: Value,
    required: bool,
    record: bool,
}

impl Port {
    /// Its name: the field's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The JSON Schema of its values, complete in itself.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// For an input: the node cannot do without it. For an output: every answer has it.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Whether it flows even when the node's outcome stops the rest.
    pub fn is_record(&self) -> bool {
        self.record
    }
}

/// A kind of node, as a registry knows it. Cheap to clone.
#[derive(Clone)]
pub struct NodeKind {
    parts: Arc<Parts>,
}

struct Parts {
    name: String,
    description: String,
    effect: Effect,
    outcomes: &'static [Outcome],
    record_ports: &'static [&'static str],
    config_schema: Value,
    input_schema: Arc<Value>,
    output_schema: Value,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    build: Box<BuildFn>,
}

type BuildFn = dyn Fn(Value) -> Result<Arc<dyn AnyNode>, String> + Send + Sync;

impl NodeKind {
    /// The kind of the node type `N`. `factory` makes a node from its configuration; it may hold whatever the nodes
    /// share. It must be free of effects, since validating a workflow calls it, and its error must hold no secret.
    pub fn of<N: Node>(factory: impl Fn(N::Config) -> Result<N, String> + Send + Sync + 'static) -> Self {
        let config_schema = accepted_schema::<N::Config>();
        let input_schema = Arc::new(accepted_schema::<N::Input>());
        let output_schema = given_schema::<N::Output>();
        let (schema_of_config, schema_of_input) = (config_schema.clone(), Arc::clone(&input_schema));
        let build = move |config: Value| -> Result<Arc<dyn AnyNode>, String> {
            let config = N::Config::deserialize(&config)
                .map_err(|_| refusal("the configuration", &config, &schema_of_config))?;
            let node = factory(config)?;
            Ok(Arc::new(Erased { node, input_schema: Arc::clone(&schema_of_input) }))
        };
        Self {
            parts: Arc::new(Parts {
                name: N::KIND.to_owned(),
                description: N::DESCRIPTION.to_owned(),
                effect: N::EFFECT,
                outcomes: N::OUTCOMES,
                record_ports: N::RECORD_PORTS,
                inputs: ports(&input_schema, &[]),
                outputs: ports(&output_schema, N::RECORD_PORTS),
                config_schema,
                input_schema,
                output_schema,
                build: Box::new(build),
            }),
        }
    }

    /// The name that workflows use.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// What the kind is for.
    pub fn description(&self) -> &str {
        &self.parts.description
    }

    /// What running it touches.
    pub fn effect(&self) -> Effect {
        self.parts.effect
    }

    /// The outcomes it can have.
    pub fn outcomes(&self) -> &[Outcome] {
        self.parts.outcomes
    }

    /// The JSON Schema of its configuration.
    pub fn config_schema(&self) -> &Value {
        &self.parts.config_schema
    }

    /// The JSON Schema of its whole input.
    pub fn input_schema(&self) -> &Value {
        &self.parts.input_schema
    }

    /// The JSON Schema of its whole output.
    pub fn output_schema(&self) -> &Value {
        &self.parts.output_schema
    }

    /// Its input ports, by name.
    pub fn inputs(&self) -> &[Port] {
        &self.parts.inputs
    }

    /// Its output ports, by name.
    pub fn outputs(&self) -> &[Port] {
        &self.parts.outputs
    }

    pub(crate) fn input(&self, name: &str) -> Option<&Port> {
        self.inputs().iter().find(|port| port.name == name)
    }

    pub(crate) fn output(&self, name: &str) -> Option<&Port> {
        self.outputs().iter().find(|port| port.name == name)
    }

    pub(crate) fn record_ports(&self) -> &[&'static str] {
        self.parts.record_ports
    }

    pub(crate) fn build(&self, config: Value) -> Result<Arc<dyn AnyNode>, String> {
        (self.parts.build)(config)
    }
}

impl fmt::Debug for NodeKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("NodeKind").field(&self.parts.name).finish()
    }
}

/// A node whose types only its schemas remember.
pub(crate) trait AnyNode: Send + Sync {
    fn run<'a>(&'a self, context: &'a RunContext, values: PortValues) -> Running<'a>;
}

pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, NodeError>> + Send + 'a>>;

/// What a node gave.
pub(crate) struct Answer {
    pub(crate) values: PortValues,
    pub(crate) outcome: Option<Outcome>,
}

struct Erased<N> {
    node: N,
    input_schema: Arc<Value>,
}

impl<N: Node> AnyNode for Erased<N> {
    fn run<'a>(&'a self, context: &'a RunContext, values: PortValues) -> Running<'a> {
        Box::pin(async move {
            let input = self.read(values)?;
            let output = self.node.run(context, input).await?;
            let outcome = declared::<N>(self.node.outcome(&output))?;
            match serde_json::to_value(output) {
                Ok(Value::Object(fields)) => {
                    let values = fields.into_iter().map(|(port, value)| (port, Arc::new(value))).collect();
                    Ok(Answer { values, outcome })
                }
                _ => Err(NodeError::new("invalid_output", "the output is no record of ports")),
            }
        })
    }
}

impl<N: Node> Erased<N> {
    fn read(&self, values: PortValues) -> Result<N::Input, NodeError> {
        let borrowed = values.iter().map(|(port, value)| (port.as_str(), value.as_ref()));
        N::Input::deserialize(MapDeserializer::new(borrowed)).map_err(|_: serde_json::Error| {
            let whole: Map<String, Value> =
                values.iter().map(|(port, value)| (port.clone(), value.as_ref().clone())).collect();
            NodeError::new("invalid_input", refusal("the input", &Value::Object(whole), &self.input_schema))
        })
    }
}

/// INVARIANT: a kind with outcomes answers with one of them, or it fails.
fn declared<N: Node>(name: Option<&'static str>) -> Result<Option<Outcome>, NodeError> {
    match name {
        None if N::OUTCOMES.is_empty() => Ok(None),
        None => Err(NodeError::new("undeclared_outcome", "the answer names no outcome")),
        Some(name) => {
            N::OUTCOMES.iter().find(|outcome| outcome.name() == name).copied().map(Some).ok_or_else(|| {
                NodeError::new("undeclared_outcome", format!("`{name}` is none of the kind's outcomes"))
            })
        }
    }
}

fn refusal(what: &str, value: &Value, schema: &Value) -> String {
    match explain(value, schema) {
        Some(misfit) => format!("{what} is not accepted: {misfit}"),
        None => format!("{what} is not accepted by its type"),
    }
}

fn accepted_schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>().to_value()
}

fn given_schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}

fn ports(schema: &Value, record_ports: &[&str]) -> Vec<Port> {
    let required = schema.get("required").and_then(Value::as_array);
    let port = |(name, schema_of_field): (&String, &Value)| Port {
        name: name.clone(),
        schema: standalone(schema_of_field, schema.get("$defs")),
        required: required.is_some_and(|names| names.iter().any(|required| required == name)),
        record: record_ports.contains(&name.as_str()),
    };
    schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(port).collect()
}

fn standalone(field: &Value, definitions: Option<&Value>) -> Value {
    match (field, definitions) {
        (Value::Object(keywords), Some(definitions)) => {
            let mut keywords = keywords.clone();
            keywords.insert("$defs".to_owned(), definitions.clone());
            Value::Object(keywords)
        }
        _ => field.clone(),
    }
}
