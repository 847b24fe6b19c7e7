//! Decides by policies whether a request may pass: attribute-based access control that fails closed.
//!
//! [`PolicySet::from_yaml`] reads policies, [`evaluate`](evaluate()) answers a [`Context`], [`trace`] explains the
//! answer. Promises: what no policy allows is denied; a deny whose attribute is missing or mistyped denies, and its
//! reason names the attribute; an allow in the same state does not allow. A policy document that is not understood to
//! the last key does not load, and all its mistakes are told at once. Same policies, context and moment, same answer.
//!
//! Does not do: IO, clocks, caches. The present moment is an argument. Roles, clearance and tenancy are others' work;
//! here they are attributes. Regular expressions, expressions over maps, registered functions and globs are refused
//! when a document is loaded.

mod condition;
mod context;
mod error;
mod evaluate;
mod explain;
mod limits;
mod load;
mod operand;
mod operator;
mod policy;
mod set;
mod tree;
mod zone;

pub use context::{Context, ContextAttributes};
pub use error::{LoadError, LoadErrorKind, LoadErrors, Position};
pub use evaluate::{Answer, ReasonCode, evaluate};
pub use explain::{ConditionResult, ConditionTrace, Matched, PolicyTrace, Trace, trace};
pub use limits::{
    CONDITIONS_MAX, DESCRIPTION_BYTES_MAX, DOCUMENT_BYTES_MAX, OBLIGATIONS_MAX, OPERAND_ENTRIES_MAX,
    PATH_DEPTH_MAX, POLICIES_MAX,
};
pub use operand::{Affix, Bound, Choices, Elapsed, HourWindow, Needle, Range};
pub use operator::{Operator, Test};
pub use policy::{AttributePath, Condition, Effect, Policy, Root};
pub use set::{Combining, PolicySet, Warning};
pub use zone::Zone;

#[cfg(test)]
mod tests;
