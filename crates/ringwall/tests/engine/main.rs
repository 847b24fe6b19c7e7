//! The engine through its public door, on foreseeable time, ids and faults.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod attacks;
mod audit_gap;
mod decide;
mod detection;
mod idempotency;
mod nodes;
mod policies;
mod proofs;
mod responses;
mod restart;
mod support;
