//! The errors of loading rules and state. A line that cannot be read is an outcome of its own,
//! [`ParseError`](crate::ParseError).

use std::fmt;

/// Why the detector could not be set up as asked.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A rule, or a set of rules, that cannot be used.
    Rule(BadRule),
    /// A saved state that cannot be restored.
    Snapshot(BadSnapshot),
}

/// A rule, or a set of rules, that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadRule {
    rule: Option<String>,
    why: String,
}

/// A saved state that cannot be restored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadSnapshot {
    why: String,
}

impl BadRule {
    /// The rule's id; absent when the set as a whole is at fault.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }
}

impl Error {
    pub(crate) fn rule(rule: &str, why: impl Into<String>) -> Self {
        Self::Rule(BadRule { rule: Some(rule.to_owned()), why: why.into() })
    }

    pub(crate) fn rules(why: impl Into<String>) -> Self {
        Self::Rule(BadRule { rule: None, why: why.into() })
    }

    pub(crate) fn snapshot(why: impl Into<String>) -> Self {
        Self::Snapshot(BadSnapshot { why: why.into() })
    }

    /// Stable, machine-readable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rule(_) => "invalid_rule",
            Self::Snapshot(_) => "invalid_snapshot",
        }
    }

    /// Whether the same call could succeed later: never, since nothing here depends on the moment.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(BadRule { rule: Some(rule), why }) => write!(f, "rule `{rule}`: {why}"),
            Self::Rule(BadRule { rule: None, why }) => write!(f, "rules: {why}"),
            Self::Snapshot(BadSnapshot { why }) => write!(f, "detector state: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Adds "did you mean" to the message of an unknown field or variant, which lists the known names in backticks.
pub(crate) fn with_nearest(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if !message.starts_with("unknown ") {
        return message;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let given = names.next().unwrap_or_default();
    match ringwall_types::nearest(given, names) {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message,
    }
}
