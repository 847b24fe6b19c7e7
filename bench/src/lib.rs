//! What every benchmark stands on: engines, requests, traffic, peers, clocks.
//!
//! Promises: the same seed gives the same traffic; peers run in the same process, on the same disk, in the same run.
//! A workspace of its own, so that nothing that is measured against enters the product's dependency tree.

pub mod appends;
pub mod engines;
pub mod http;
pub mod measure;
pub mod peers;
pub mod traffic;

/// What a benchmark gives when it cannot run; nobody but a person handles it.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
