//! Stand-in nodes for this crate's tests, and a registry that holds them.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    BuildErrors, Cancel, Effect, Node, NodeError, NodeKind, Outcome, Problem, ProblemCode, Registry,
    RunContext, RunError, RunId, RunResult, Runtime, Workflow, WorkflowBuilder,
};

/// What the nodes of a test share, as the nodes of a product share its engine.
#[derive(Default)]
pub(crate) struct Shared {
    /// The nodes in the order in which they began.
    pub(crate) begun: Mutex<Vec<String>>,
    /// Told when a node begins to wait forever.
    pub(crate) waiting: Notify,
    /// Told when a node that waits forever is dropped.
    pub(crate) dropped: Notify,
    /// Nodes at work now, and the most that were at once.
    pub(crate) at_work: Mutex<(usize, usize)>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFields {}

/// Gives a number; has no inputs.
pub(crate) struct Number(i64);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberConfig {
    value: i64,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct NumberOutput {
    value: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remainder: Option<i64>,
    text: String,
}

impl Node for Number {
    const KIND: &'static str = "Number";
    const DESCRIPTION: &'static str = "Gives a number";
    const EFFECT: Effect = Effect::Pure;
    type Config = NumberConfig;
    type Input = NoFields;
    type Output = NumberOutput;

    async fn run(&self, _: &RunContext, _: NoFields) -> Result<NumberOutput, NodeError> {
        Ok(NumberOutput { value: self.0, remainder: None, text: self.0.to_string() })
    }
}

/// Adds two numbers, the second of which may be missing.
pub(crate) struct Add;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddInput {
    left: i64,
    right: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct AddOutput {
    sum: i64,
}

impl Node for Add {
    const KIND: &'static str = "Add";
    const DESCRIPTION: &'static str = "Adds two numbers";
    const EFFECT: Effect = Effect::Pure;
    type Config = NoFields;
    type Input = AddInput;
    type Output = AddOutput;

    async fn run(&self, _: &RunContext, input: AddInput) -> Result<AddOutput, NodeError> {
        Ok(AddOutput { sum: input.left + input.right.unwrap_or(0) })
    }
}

/// Joins the traces of up to four nodes before it and adds its own name.
pub(crate) struct Relay {
    shared: Arc<Shared>,
    yields: u8,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayConfig {
    #[serde(default)]
    yields: u8,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelayInput {
    in0: Option<Vec<String>>,
    in1: Option<Vec<String>>,
    in2: Option<Vec<String>>,
    in3: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct RelayOutput {
    trace: Vec<String>,
}

impl Node for Relay {
    const KIND: &'static str = "Relay";
    const DESCRIPTION: &'static str = "Joins traces";
    const EFFECT: Effect = Effect::Pure;
    type Config = RelayConfig;
    type Input = RelayInput;
    type Output = RelayOutput;

    async fn run(&self, context: &RunContext, input: RelayInput) -> Result<RelayOutput, NodeError> {
        let name = context.node().to_string();
        self.shared.begun.lock().unwrap().push(name.clone());
        {
            let mut at_work = self.shared.at_work.lock().unwrap();
            at_work.0 += 1;
            at_work.1 = at_work.1.max(at_work.0);
        }
        for _ in 0..self.yields {
            tokio::task::yield_now().await;
        }
        self.shared.at_work.lock().unwrap().0 -= 1;
        let before = [input.in0, input.in1, input.in2, input.in3];
        let mut trace: Vec<String> = before.into_iter().flatten().flatten().collect();
        trace.push(name);
        trace.truncate(64);
        Ok(RelayOutput { trace })
    }
}

/// Answers with an outcome it is told.
pub(crate) struct Gate(String);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateConfig {
    answer: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateInput {
    trace: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct GateOutput {
    trace: Vec<String>,
    decisions: Vec<String>,
}

impl Node for Gate {
    const KIND: &'static str = "Gate";
    const DESCRIPTION: &'static str = "Lets through or stops";
    const EFFECT: Effect = Effect::Read;
    const OUTCOMES: &'static [Outcome] = &[Outcome::passing("allow"), Outcome::stopping("deny")];
    const RECORD_PORTS: &'static [&'static str] = &["decisions"];
    type Config = GateConfig;
    type Input = GateInput;
    type Output = GateOutput;

    async fn run(&self, _: &RunContext, input: GateInput) -> Result<GateOutput, NodeError> {
        Ok(GateOutput { trace: input.trace.unwrap_or_default(), decisions: vec![self.0.clone()] })
    }

    fn outcome(&self, _: &GateOutput) -> Option<&'static str> {
        match self.0.as_str() {
            "allow" => Some("allow"),
            "deny" => Some("deny"),
            "silence" => None,
            _ => Some("denied"),
        }
    }
}

/// Does not do its work, in a way it is told.
pub(crate) struct Trouble {
    shared: Arc<Shared>,
    way: Way,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Fail,
    Panic,
    Hang,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TroubleConfig {
    way: Way,
}

struct TellsWhenDropped(Arc<Shared>);

impl Drop for TellsWhenDropped {
    fn drop(&mut self) {
        self.0.dropped.notify_one();
    }
}

impl Node for Trouble {
    const KIND: &'static str = "Trouble";
    const DESCRIPTION: &'static str = "Does not do its work";
    const EFFECT: Effect = Effect::External;
    type Config = TroubleConfig;
    type Input = GateInput;
    type Output = RelayOutput;

    async fn run(&self, _: &RunContext, input: GateInput) -> Result<RelayOutput, NodeError> {
        match self.way {
            Way::Fail => Err(NodeError::new("out_of_order", "the other side is out of order")),
            Way::Panic => panic!("a secret nobody may see"),
            Way::Hang => {
                let _guard = TellsWhenDropped(Arc::clone(&self.shared));
                self.shared.waiting.notify_one();
                pending::<()>().await;
                Ok(RelayOutput { trace: input.trace.unwrap_or_default() })
            }
        }
    }
}

/// Every stand-in, sharing `shared`.
pub(crate) fn registry(shared: &Arc<Shared>) -> Registry {
    let mut registry = Registry::new();
    let (relay, trouble) = (Arc::clone(shared), Arc::clone(shared));
    let kinds = [
        NodeKind::of::<Number>(|config| {
            if config.value == 13 {
                Err("thirteen is not served".to_owned())
            } else {
                Ok(Number(config.value))
            }
        }),
        NodeKind::of::<Add>(|_| Ok(Add)),
        NodeKind::of::<Relay>(move |config| Ok(Relay { shared: Arc::clone(&relay), yields: config.yields })),
        NodeKind::of::<Gate>(|config| Ok(Gate(config.answer))),
        NodeKind::of::<Trouble>(move |config| Ok(Trouble { shared: Arc::clone(&trouble), way: config.way })),
    ];
    kinds.into_iter().for_each(|kind| registry.register(kind).unwrap());
    registry
}

/// Builds what `draw` draws with the stand-ins.
pub(crate) fn built(
    shared: &Arc<Shared>,
    draw: impl FnOnce(&mut WorkflowBuilder<'_>),
) -> Result<Workflow, BuildErrors> {
    let registry = registry(shared);
    let mut builder = WorkflowBuilder::new(&registry);
    draw(&mut builder);
    builder.build()
}

pub(crate) fn codes(problems: &[Problem]) -> Vec<ProblemCode> {
    problems.iter().map(Problem::code).collect()
}

pub(crate) async fn executed(workflow: &Workflow, inputs: Value) -> Result<RunResult, RunError> {
    let inputs: BTreeMap<String, Value> = serde_json::from_value(inputs).unwrap();
    Runtime::default().execute(workflow, inputs, RunId::parse("run-1").unwrap(), &Cancel::new()).await
}
