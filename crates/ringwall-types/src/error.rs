//! The one error of this crate: a value that is not what its type promises.

use std::fmt;

/// A value that could not become one of ringwall's types.
///
/// The message names what was expected and why the input is not that, in lower case and without a full stop, so that
/// it can be put behind a place (`line 3: …`, `principal.id: …`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidValue {
    what: &'static str,
    why: String,
}

impl InvalidValue {
    /// `what` names the type in the field's words (`action`), `why` says what is wrong with the input.
    pub fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, why: why.into() }
    }

    /// Stable, machine-readable name of the error.
    pub fn code(&self) -> &'static str {
        "invalid_value"
    }

    /// What was expected, for example `tenant id`.
    pub fn what(&self) -> &'static str {
        self.what
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for InvalidValue {}
