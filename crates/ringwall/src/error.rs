//! Why a call of the engine gave no answer. A denial is not among them: it is an answer.

use std::fmt;

use ringwall_types::InvalidValue;

/// Why a call of the engine gave no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The input breaks a rule; the message names the place and the mend.
    Invalid(String),
    /// The time that the caller gave is further from the engine's clock than clocks may differ.
    ClockSkew {
        /// How far, in seconds.
        skew_secs: u64,
        /// How far it may be, in seconds.
        skew_secs_max: u64,
    },
    /// The idempotency key was used before for another request.
    IdempotencyConflict,
    /// There is no such thing in the caller's tenant.
    NotFound(String),
    /// The caller may not do this.
    Forbidden(String),
    /// The policies do not load; the old ones stay in force. One line for each mistake.
    Policies(String),
    /// The workflow does not build or run.
    Workflow(String),
    /// The audit log or a key contradicts itself.
    Audit(ringwall_audit::Error),
    /// Storage gave no result.
    Store(ringwall_store::Error),
    /// The system gave no randomness.
    Entropy,
    /// Something that cannot happen did; the message is for the server's log.
    Internal(String),
}

/// A value as the JSON of a stored document.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|error| Error::Internal(format!("a document cannot be written: {error}")))
}

impl Error {
    /// Stable, machine-readable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_request",
            Self::ClockSkew { .. } => "clock_skew",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::NotFound(_) => "not_found",
            Self::Forbidden(_) => "forbidden",
            Self::Policies(_) => "policies_invalid",
            Self::Workflow(_) => "workflow_invalid",
            Self::Audit(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Entropy => "no_randomness",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same call may succeed later without anybody's help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Audit(error) => error.is_retryable(),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message)
            | Self::Policies(message)
            | Self::Workflow(message)
            | Self::Internal(message)
            | Self::Forbidden(message)
            | Self::NotFound(message) => f.write_str(message),
            Self::ClockSkew { skew_secs, skew_secs_max } => write!(
                f,
                "environment.time is {skew_secs} s from this server's clock, {skew_secs_max} s are allowed; set the \
                 clock or leave the time out"
            ),
            Self::IdempotencyConflict => {
                f.write_str("the idempotency key was used before for another request")
            }
            Self::Audit(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Entropy => f.write_str("the system gives no randomness"),
        }
    }
}

impl std::error::Error for Error {}

impl From<ringwall_store::Error> for Error {
    fn from(error: ringwall_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<ringwall_audit::Error> for Error {
    fn from(error: ringwall_audit::Error) -> Self {
        Self::Audit(error)
    }
}

impl From<InvalidValue> for Error {
    fn from(error: InvalidValue) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<crate::clock::EntropyLost> for Error {
    fn from(_: crate::clock::EntropyLost) -> Self {
        Self::Entropy
    }
}
