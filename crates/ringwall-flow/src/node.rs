//! What a node is: typed configuration, typed input, typed output, one async function.
//! The fields of the input and the output *are* the ports; their JSON Schemas decide what may be connected.
//! Outcomes give an answer a name (`allow`, `deny`); which of them stop what depends on the node is declared by
//! the kind, and this crate knows nothing else about them.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::future::Future;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::RunContext;
use crate::limits::MESSAGE_CHARS_MAX;

/// One kind of work that a workflow can be made of.
pub trait Node: Send + Sync + 'static {
    /// The name that workflows use for this kind.
    const KIND: &'static str;
    /// What the kind is for, in one sentence.
    const DESCRIPTION: &'static str;
    /// What running it touches.
    const EFFECT: Effect;
    /// The outcomes it can have. A kind that declares any must name one in every answer; an answer that names
    /// none of them is a failure, so a misspelt `deny` cannot pass for an `allow`.
    const OUTCOMES: &'static [Outcome] = &[];
    /// Output ports that flow even when the outcome stops the rest: what is recorded about a denial.
    const RECORD_PORTS: &'static [&'static str] = &[];

    /// How the workflow's author sets it up. Deny unknown fields, so that a misspelt key is an error.
    type Config: DeserializeOwned + JsonSchema;
    /// What it takes; each field is an input port.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// What it gives; each field is an output port.
    type Output: Serialize + JsonSchema + Send;

    /// Does the work. Must await rather than block: a deadline and a cancel bind only at an await.
    fn run(
        &self,
        context: &RunContext,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, NodeError>> + Send;

    /// Which of [`Self::OUTCOMES`] `output` is.
    fn outcome(&self, _output: &Self::Output) -> Option<&'static str> {
        None
    }
}

/// What running a node touches.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: the output follows from the input.
    Pure,
    /// Reads stored facts.
    Read,
    /// Changes stored facts.
    Write,
    /// Reaches something outside, which cannot be taken back.
    External,
}

/// A named answer of a node, and whether it stops what depends on the node.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct Outcome {
    name: &'static str,
    stops: bool,
}

impl Outcome {
    /// An outcome after which the workflow goes on.
    pub const fn passing(name: &'static str) -> Self {
        Self { name, stops: false }
    }

    /// An outcome that stops what depends on the node, record ports excepted.
    pub const fn stopping(name: &'static str) -> Self {
        Self { name, stops: true }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it stops what depends on the node.
    pub fn stops(&self) -> bool {
        self.stops
    }
}

/// Why a node could not do its work. A denial is not an error: it is an outcome.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeError {
    code: Cow<'static, str>,
    message: String,
}

impl NodeError {
    /// An error with a stable code for programs and a message for people; the message must hold no secret, and
    /// is cut at [`MESSAGE_CHARS_MAX`] characters.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl AsRef<str>) -> Self {
        Self { code: code.into(), message: message.as_ref().chars().take(MESSAGE_CHARS_MAX).collect() }
    }

    /// The code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Display for NodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for NodeError {}
