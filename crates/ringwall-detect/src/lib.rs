//! What looks like an attack: log lines become typed events, events become threats, threats become planned responses.
//!
//! Promises: findings are a function of event times alone, so any order of arrival within the allowed lateness gives
//! the same threats; a window is closed, so the newest and the oldest of its events may lie exactly its length apart;
//! an event counts once, however many conditions it meets; no clock but the event's own moves a window, and no clock
//! of one source moves another's; memory is bounded, and junk never evicts an open threat before silent subjects; no
//! line of input panics, and one bad line never costs the next; tenants never mix.
//!
//! Does not do: IO, clocks, randomness, hashing of its own for ids (the id maker is an argument), execution of
//! responses. Refusals that ringwall itself causes are not evidence and must not be fed back in as events.

mod compiled;
mod defaults;
mod detector;
mod error;
mod field;
mod limits;
mod parse;
mod respond;
mod rule;
mod runs;
mod snapshot;
mod subjects;
mod table;
mod threats;
mod timeline;

#[cfg(test)]
mod testdata;

pub use defaults::DEFAULT_RULES;
pub use detector::{Detector, Observed, ThreatChange};
pub use error::{BadRule, BadSnapshot, Error};
pub use field::Field;
pub use limits::{Limits, Metrics, StatePressure};
pub use parse::lines::{Format, LineError, read_lines};
pub use parse::ndjson::parse_ndjson_line;
pub use parse::sshd::parse_sshd_line;
pub use parse::{LINE_BYTES_MAX, ParseError, Parsed, Reading};
pub use respond::{ResponsePolicy, plan};
pub use rule::{
    Condition, DistinctAtLeast, FollowedBy, Level, Measure, Rule, RuleFile, RuleSet, Select, SubjectKind,
};
pub use snapshot::DetectorState;
