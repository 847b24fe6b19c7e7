//! The ringwall engine: who is this, may they do it, is this an attack, and can we prove afterwards what happened.
//!
//! One flow for every request: *gather* the facts, *judge* without IO, *act*: record first, then answer.
//! [`Engine::decide`] answers access requests, [`Engine::ingest`] takes events, [`Engine::follow`] runs detection behind
//! the log, [`Engine::prove`] proves what is recorded. Workflows get at the same calls through the nodes of
//! [`catalogue`].
//!
//! Promises: deny is an answer and an error inside becomes one; an answer that could not be recorded is a Deny; nothing
//! crosses from one tenant to another; time and randomness are given to it. Does not do: HTTP, files, printing.

mod clock;
mod config;
mod engine;
mod error;
mod evidence;
mod facts;
mod ids;
mod journal;
mod judge;
mod layers;
mod nodes;
mod offline;
mod policies;
mod responses;
mod tenants;

pub use clock::{Clock, Entropy, EntropyLost, SystemClock, SystemEntropy};
pub use config::{AllowList, Config, DecisionConfig, DetectionConfig, ResponseConfig, ResponseMode};
pub use engine::{Answer, Caller, Engine, IngestReport, LineOutcome, Parts, Proof};
pub use error::Error;
pub use ids::{hex_id, sha256};
pub use journal::log_options;
pub use nodes::catalogue;
pub use offline::{LogSource, Verified, check_proof, prove_offline, verify_log};
pub use policies::PolicyVersion;

/// The Merkle log, for doors that handle keys and proofs.
pub use ringwall_audit as audit;
/// Policies, for doors that check policy files.
pub use ringwall_authz as authz;
/// Events and rules, for doors that read logs.
pub use ringwall_detect as detect;
/// Workflows, for doors that run them.
pub use ringwall_flow as flow;
