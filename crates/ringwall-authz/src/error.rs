//! Why a policy set was not loaded: every mistake at once, each with its place.
//!
//! Promises: an error names the policy, the attribute, the operator, the line and the nearest known name as far as
//! they are known. Does not do: report a denial. A denial is an answer, not an error.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::limits::{ERRORS_MAX, MESSAGE_CHARS_MAX};

/// What is wrong with a policy document, in the order of the document.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LoadErrors {
    errors: Vec<LoadError>,
    omitted: usize,
}

impl LoadErrors {
    /// Stable, machine-readable name of the error.
    pub fn code(&self) -> &'static str {
        "policies_invalid"
    }

    /// Whether the same text could load later. It never could.
    pub fn is_retryable(&self) -> bool {
        false
    }

    /// The errors in the order in which they were found; the first thousand of them.
    pub fn iter(&self) -> impl Iterator<Item = &LoadError> {
        self.errors.iter()
    }

    /// How many errors there are, those that are not listed included.
    pub fn count(&self) -> usize {
        self.errors.len() + self.omitted
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    pub(crate) fn add(&mut self, scope: Scope<'_>, fault: Fault) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(LoadError::new(scope, fault));
        } else {
            self.omitted += 1;
        }
    }

    /// Keeps the value of `result`, or notes its fault.
    pub(crate) fn keep<T>(&mut self, scope: Scope<'_>, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.add(scope, fault)).ok()
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadErrors {}

/// One mistake in a policy document.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LoadError {
    kind: LoadErrorKind,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(flatten)]
    position: Option<Position>,
}

impl LoadError {
    fn new(scope: Scope<'_>, fault: Fault) -> Self {
        Self {
            kind: fault.kind,
            nearest: fault.nearest(),
            message: cut(&fault.message, MESSAGE_CHARS_MAX),
            policy: scope.policy.map(shortened),
            index: scope.index,
            path: scope.path.map(shortened),
            operator: scope.operator.map(shortened),
            position: fault.position,
        }
    }

    /// What sort of mistake it is.
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The known name most like the unknown one.
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }

    /// The id of the policy that it is in, as it is written there.
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// Which policy it is in, counted from 0.
    pub fn index(&self) -> Option<usize> {
        self.index
    }

    /// The attribute path of the condition that it is in.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The operator that it is about.
    pub fn operator(&self) -> Option<&str> {
        self.operator.as_deref()
    }

    /// Where in the text it is.
    pub fn position(&self) -> Option<Position> {
        self.position
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        match (&self.policy, self.index) {
            (Some(policy), _) => write!(f, "policy `{policy}`: ")?,
            (None, Some(index)) => write!(f, "policy number {}: ", index + 1)?,
            (None, None) => {}
        }
        if let Some(path) = &self.path {
            write!(f, "`{path}`: ")?;
        }
        if let Some(operator) = &self.operator {
            write!(f, "`{operator}`: ")?;
        }
        f.write_str(&self.message)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for LoadError {}

/// A place in a text, both counted from 1.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The character within the line.
    pub column: u32,
}

/// The sorts of mistakes in a policy document.
#[derive(Clone, Copy, Debug, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The text is not YAML, or not one document.
    Syntax,
    /// Something is larger than its limit.
    Limit,
    /// A value is of another kind than its key wants.
    WrongType,
    /// A key that means nothing there.
    UnknownKey,
    /// A key that must be given and is not.
    MissingKey,
    /// A key that is given twice.
    DuplicateKey,
    /// A policy id that is given twice.
    DuplicatePolicy,
    /// An id, name or path that breaks its rule.
    InvalidName,
    /// An effect other than allow and deny.
    UnknownEffect,
    /// A way of combining other than the known ones.
    UnknownCombining,
    /// A time zone that the zone database does not have.
    UnknownZone,
    /// An attribute path that begins with none of the four roots.
    UnknownRoot,
    /// An operator that does not exist.
    UnknownOperator,
    /// An operator that this version does not support yet.
    UnsupportedOperator,
    /// An operand that its operator does not take.
    InvalidOperand,
    /// An operand, or a part of one, that is null.
    NullOperand,
    /// A modifier that means nothing beside its operators.
    InvalidModifier,
    /// An obligation that is not one of the known ones.
    InvalidObligation,
    /// An allow without conditions that does not say `match_all: true`.
    UnguardedAllow,
}

/// The surroundings of a mistake, known from outside in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) index: Option<usize>,
    pub(crate) policy: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) operator: Option<&'a str>,
}

/// A mistake as the function that meets it knows it; the caller adds the scope.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: LoadErrorKind,
    message: String,
    /// What was given, and where to look for the name that was meant. Looked up only for errors that are listed.
    hint: Option<(String, Known)>,
    position: Option<Position>,
}

/// Names that could have been meant.
#[derive(Debug)]
pub(crate) enum Known {
    Names(&'static [&'static str]),
    Search(fn(&str) -> Option<String>),
}

impl Fault {
    pub(crate) fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, position: None }
    }

    pub(crate) fn at(self, position: Option<Position>) -> Self {
        Self { position, ..self }
    }

    /// Names the key whose value is of the wrong kind.
    pub(crate) fn under(self, key: &str) -> Self {
        match self.kind {
            LoadErrorKind::WrongType => Self { message: format!("`{key}` {}", self.message), ..self },
            _ => self,
        }
    }

    /// Says that `given` stands where one of the known names should.
    pub(crate) fn instead_of(self, given: &str, known: Known) -> Self {
        Self { hint: Some((shortened(given), known)), ..self }
    }

    fn nearest(&self) -> Option<String> {
        match self.hint.as_ref()? {
            (given, Known::Names(names)) => {
                ringwall_types::nearest(given, names.iter().copied()).map(str::to_owned)
            }
            (given, Known::Search(search)) => search(given),
        }
    }
}

/// Text from outside, shortened and freed of control characters, in backticks.
pub(crate) fn quoted(given: &str) -> String {
    format!("`{}`", shortened(given))
}

fn shortened(given: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 128;
    cut(given, SHOWN_CHARS_MAX)
}

fn cut(given: &str, chars_max: usize) -> String {
    let mut clean: String = given.chars().filter(|c| !c.is_control()).take(chars_max).collect();
    if clean.len() < given.len() {
        clean.push('…');
    }
    clean
}
