//! How ringwall stores things: five shapes, object-safe and batch-first, and what every backend promises about them.
//!
//! - [`Records`]: versioned documents, written only if the version is the expected one, a batch all or nothing.
//! - [`EventLog`]: append-only, dense indexes from 0, sealed by a [`Sealer`] in the same transaction, followed by cursor.
//! - [`Counters`]: windowed sums and rate limits (GCRA). [`Leases`]: one owner, fencing numbers. [`Bus`]: publish, subscribe.
//!
//! Promises: what was acknowledged is durable (as far as the backend is: the memory backend forgets at exit), each shape
//! separates tenants by key, every queue and page has a limit, and time is an argument. The suite in `conformance`
//! holds every backend to the same words. Does not do: know what a record or an event means.

mod bus;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counters;
mod error;
mod leases;
mod log;
mod memory;
mod records;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use bus::{Bus, LocalBus, Notice, Subscription, TOPIC_CAPACITY, Topic};
pub use counters::{
    CounterKey, Counters, RateAnswer, RateLimit, RateTake, WINDOW_SLICES, WindowedSum, rate_take,
};
pub use error::Error;
pub use leases::{Lease, LeaseKey, Leases};
pub use log::{
    ENTRY_BYTES_MAX, EventLog, Head, LogEntry, LogOptions, LogQuery, Node, PAGE_MAX, Sealed, Sealer,
    StoredEntry, Term, TermsOf,
};
pub use memory::MemoryStore;
pub use records::{
    BATCH_MAX, BODY_BYTES_MAX, Expect, ID_BYTES_MAX, Record, RecordKey, RecordWrite, Records, check_batch,
};

/// A future behind a pointer, so that the traits stay object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a storage call gives.
pub type Result<T> = std::result::Result<T, Error>;

/// One backend for each shape; chosen by the configuration, cheap to clone.
#[derive(Clone)]
pub struct Stores {
    /// Documents.
    pub records: Arc<dyn Records>,
    /// The audit log.
    pub log: Arc<dyn EventLog>,
    /// Windowed sums and rate limits.
    pub counters: Arc<dyn Counters>,
    /// Ownership.
    pub leases: Arc<dyn Leases>,
    /// Notices between parts and processes.
    pub bus: Arc<dyn Bus>,
}

impl Stores {
    /// Uses one backend for every shape.
    pub fn of<S: Records + EventLog + Counters + Leases + Bus + 'static>(backend: Arc<S>) -> Self {
        Self {
            records: backend.clone(),
            log: backend.clone(),
            counters: backend.clone(),
            leases: backend.clone(),
            bus: backend,
        }
    }
}

/// A result that is already there, as a future.
pub(crate) fn ready<'a, T: Send + 'a>(result: Result<T>) -> BoxFuture<'a, Result<T>> {
    Box::pin(std::future::ready(result))
}
