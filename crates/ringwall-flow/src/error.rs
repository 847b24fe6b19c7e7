//! What can go wrong before a run: a name, a definition, a registration, a build, a run's inputs.
//! Promises: builds and runs report every problem at once, in one fixed order, each with a code, a place and a
//! hint; no message repeats a configuration value. What goes wrong *in* a run is a node's status, not an error.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::name::quoted;

/// Anything this crate refuses.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A name is malformed.
    Name(InvalidName),
    /// A definition cannot be read.
    Parse(ParseError),
    /// A kind cannot be registered.
    Register(RegisterError),
    /// A workflow cannot be built.
    Build(BuildErrors),
    /// A run cannot start.
    Run(RunError),
}

impl Error {
    /// A stable name of the failure, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "invalid_name",
            Self::Parse(_) => "invalid_definition",
            Self::Register(_) => "invalid_kind",
            Self::Build(_) => "invalid_workflow",
            Self::Run(_) => "invalid_inputs",
        }
    }

    /// Whether the same call may succeed later. Never: each of these is a mistake in what was given.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

impl Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(inner) => inner.fmt(out),
            Self::Parse(inner) => inner.fmt(out),
            Self::Register(inner) => inner.fmt(out),
            Self::Build(inner) => inner.fmt(out),
            Self::Run(inner) => inner.fmt(out),
        }
    }
}

impl std::error::Error for Error {}

macro_rules! part_of_error {
    ($($part:ident => $variant:ident),+ $(,)?) => {$(
        impl From<$part> for Error {
            fn from(part: $part) -> Self {
                Self::$variant(part)
            }
        }

        impl std::error::Error for $part {}
    )+};
}

part_of_error!(
    InvalidName => Name,
    ParseError => Parse,
    RegisterError => Register,
    BuildErrors => Build,
    RunError => Run,
);

/// A name that breaks the rules for its kind of name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidName {
    what: &'static str,
    shown: String,
}

impl InvalidName {
    pub(crate) fn new(what: &'static str, text: &str) -> Self {
        Self { what, shown: quoted(text) }
    }
}

impl Display for InvalidName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is no {}", self.shown, self.what)
    }
}

/// A definition document that cannot be read, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParseError {
    message: String,
    place: Option<(u64, u64)>,
}

impl ParseError {
    pub(crate) fn new(message: impl Into<String>, place: Option<(u64, u64)>) -> Self {
        Self { message: message.into(), place }
    }

    /// The line of the mistake, from 1, if the reader could tell.
    pub fn line(&self) -> Option<u64> {
        self.place.map(|(line, _)| line)
    }

    /// The column of the mistake, if the reader could tell.
    pub fn column(&self) -> Option<u64> {
        self.place.map(|(_, column)| column)
    }
}

impl Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(out, "line {line}, column {column}: {}", self.message),
            None => out.write_str(&self.message),
        }
    }
}

/// A kind that cannot stand in a registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegisterError {
    kind: String,
    reason: String,
}

impl RegisterError {
    pub(crate) fn new(kind: &str, reason: impl Into<String>) -> Self {
        Self { kind: quoted(kind), reason: reason.into() }
    }
}

impl Display for RegisterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "node kind {}: {}", self.kind, self.reason)
    }
}

/// Which law of workflows a [`Problem`] breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemCode {
    /// The workflow has no node.
    EmptyWorkflow,
    /// Something is larger than its limit.
    LimitExceeded,
    /// A node id, an input's name or the workflow's name is malformed.
    InvalidName,
    /// Two nodes have one id.
    DuplicateNode,
    /// No kind of that name is registered.
    UnknownKind,
    /// The configuration has a key that its kind does not know.
    UnknownConfigKey,
    /// The configuration is not what its kind takes.
    InvalidConfig,
    /// A text that should read `node.port` does not.
    MalformedPort,
    /// A connection or an input names a node that is not there.
    UnknownNode,
    /// A connection or an input names a port that its node does not have.
    UnknownPort,
    /// The four names of a connection have two readings.
    AmbiguousConnection,
    /// A node feeds itself.
    SelfEdge,
    /// The same connection is drawn twice.
    DuplicateEdge,
    /// One port is fed twice.
    TwoFeeds,
    /// What a port gives is not what the other takes.
    TypeMismatch,
    /// Two workflow inputs have one name, or one port is given twice.
    DuplicateInput,
    /// A port that its node cannot do without is fed by nothing.
    UnfedPort,
    /// Nodes wait for each other in a ring.
    Cycle,
    /// A run was given an input that the workflow does not have.
    UnknownInput,
    /// A run was not given an input that the workflow needs.
    MissingInput,
}

impl ProblemCode {
    /// The code as text, as it is serialized.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmptyWorkflow => "empty_workflow",
            Self::LimitExceeded => "limit_exceeded",
            Self::InvalidName => "invalid_name",
            Self::DuplicateNode => "duplicate_node",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownConfigKey => "unknown_config_key",
            Self::InvalidConfig => "invalid_config",
            Self::MalformedPort => "malformed_port",
            Self::UnknownNode => "unknown_node",
            Self::UnknownPort => "unknown_port",
            Self::AmbiguousConnection => "ambiguous_connection",
            Self::SelfEdge => "self_edge",
            Self::DuplicateEdge => "duplicate_edge",
            Self::TwoFeeds => "two_feeds",
            Self::TypeMismatch => "type_mismatch",
            Self::DuplicateInput => "duplicate_input",
            Self::UnfedPort => "unfed_port",
            Self::Cycle => "cycle",
            Self::UnknownInput => "unknown_input",
            Self::MissingInput => "missing_input",
        }
    }
}

/// One thing wrong with a workflow or with a run's inputs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Problem {
    code: ProblemCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self { code, node: None, port: None, message: message.into(), hint: None }
    }

    pub(crate) fn at_node(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }

    pub(crate) fn at_port(mut self, node: &str, port: &str) -> Self {
        self.port = Some(port.to_owned());
        self.at_node(node)
    }

    pub(crate) fn hinting(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Which law is broken.
    pub fn code(&self) -> ProblemCode {
        self.code
    }

    /// The node it is about, as the definition spells it.
    pub fn node(&self) -> Option<&str> {
        self.node.as_deref()
    }

    /// The port it is about, as the definition spells it; a configuration key where the code says so.
    pub fn port(&self) -> Option<&str> {
        self.port.as_deref()
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What would put it right, if that can be said.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code.as_str(), self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(out, " ({hint})"))
    }
}

/// Everything that keeps a workflow from being built. Never empty.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct BuildErrors {
    problems: Vec<Problem>,
}

impl BuildErrors {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Every problem, in the order of the definition.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Display for BuildErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        numbered(out, "the workflow cannot be built", &self.problems)
    }
}

/// Everything that keeps a run from starting. Never empty; nothing has run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RunError {
    problems: Vec<Problem>,
}

impl RunError {
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Every problem: first the inputs given, by name, then the inputs missing, in the order of the nodes.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        numbered(out, "the run cannot start", &self.problems)
    }
}

fn numbered(out: &mut fmt::Formatter<'_>, title: &str, problems: &[Problem]) -> fmt::Result {
    write!(out, "{title}:")?;
    problems.iter().enumerate().try_for_each(|(index, problem)| write!(out, "\n  {}. {problem}", index + 1))
}
