//! The words of ringwall: who asks, for what, from where, what was answered, what happened.
//!
//! Promises: a value of these types is already valid (ids are bounded and printable, scores are in range, attribute
//! trees are shallow and small), so nothing downstream checks again; equal values serialize to equal bytes; every type
//! that crosses a door has a JSON Schema. Unknown fields and unknown names are errors that name the nearest known one.
//!
//! Does not do: IO, clocks, randomness, storage. Every time is an argument.

mod action;
mod assurance;
mod attributes;
mod decision;
mod effect;
mod environment;
mod error;
mod event;
mod id;
mod ip;
mod level;
mod names;
mod principal;
mod record;
mod request;
mod resource;
mod response;
mod risk;
mod secret;
mod threat;
mod time;
mod verdict;

pub use action::Action;
pub use assurance::{Assurance, Factor, FactorUse};
pub use attributes::{
    ATTRIBUTE_DEPTH_MAX, ATTRIBUTE_ENTRIES_MAX, Attributes, Finite, Number, TEXT_BYTES_MAX, Value,
};
pub use decision::{Decision, Finding, Layer, Obligation, Reason};
pub use effect::{CounterAdd, Effect};
pub use environment::{Environment, Geo};
pub use error::InvalidValue;
pub use event::{EventFlag, EventKind, Outcome, SecurityEvent};
pub use id::{
    DecisionId, DeviceId, EventId, HostName, IdempotencyKey, KeyId, PolicyId, PrincipalId, RequestId,
    ResourceId, ResponseId, RoleName, RuleId, SourceName, TechniqueId, TenantId, ThreatId,
};
pub use ip::{IpAddress, IpNetwork};
pub use level::{Clearance, Sensitivity, Severity};
pub use names::{nearest, quoted};
pub use principal::{Principal, PrincipalKind};
pub use record::{Administration, AuditRecord, DecisionRecord, Digest, RecordBody};
pub use request::AccessRequest;
pub use resource::Resource;
pub use response::{Response, ResponseAction, ResponsePlan, ResponseStatus, Target};
pub use risk::{Confidence, RiskScore};
pub use secret::Secret;
pub use threat::{Subject, Threat, ThreatStatus, Window};
pub use time::Timestamp;
pub use verdict::{Permit, Verdict};
