//! Leases: at most one owner at a time, and a number that grows with every change of owner.

use ringwall_types::{TenantId, Timestamp};

use crate::{BoxFuture, Result};

/// Exclusive ownership for a limited time.
///
/// A fencing number is written with whatever its owner does, so that a former owner who does not know it yet can be
/// refused (Kleppmann 2016, "How to do distributed locking").
pub trait Leases: Send + Sync {
    /// Takes the lease for `ttl_secs` if nobody holds it at `now`; `None` when somebody else does. An owner that asks
    /// again gets the same fencing number and a new end.
    fn acquire(
        &self,
        key: LeaseKey,
        owner: String,
        ttl_secs: u64,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Lease>>>;

    /// Extends the lease. [`crate::Error::StaleFence`] when it ended or changed hands.
    fn renew(&self, lease: Lease, ttl_secs: u64, now: Timestamp) -> BoxFuture<'_, Result<Lease>>;

    /// Gives the lease up. Nothing happens when it already changed hands.
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<()>>;

    /// Refuses with [`crate::Error::StaleFence`] unless `fence` is the newest fencing number of the lease.
    fn check(&self, key: LeaseKey, fence: u64) -> BoxFuture<'_, Result<()>>;
}

/// Which lease.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LeaseKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// What is owned.
    pub name: String,
}

/// Ownership until `ends_at`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// Which lease.
    pub key: LeaseKey,
    /// Who holds it.
    pub owner: String,
    /// Grows by at least one with every change of owner.
    pub fence: u64,
    /// From this moment on somebody else may take it.
    pub ends_at: Timestamp,
}
