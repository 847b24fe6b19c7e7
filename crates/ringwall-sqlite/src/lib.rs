//! The embedded store: three SQLite files in one directory, each with one writer that commits in groups.
//!
//! - `log.db`: the append-only log, its tree and its checkpoint; integer key, no other index.
//! - `index.db`: where to find an entry by its terms; follows the log and is rebuilt from it when missing.
//! - `state.db`: documents, counters, leases.
//!
//! Promises: an acknowledged call is on disk (`synchronous=FULL`); entries, tree and checkpoint are of one transaction;
//! one process at a time uses a directory; files are readable by their owner only; a file of a newer format is refused.
//! Does not do: know what a record means, or copy its files (back up with SQLite's own backup while it runs).

mod commit;
mod directory;
mod error;
mod index;
mod log;
mod schema;
mod state;
mod tables;

use std::ops::Range;
use std::path::Path;

use ringwall_store::{
    BoxFuture, Bus, Counters, EventLog, Head, Lease, LeaseKey, Leases, LocalBus, LogEntry, LogOptions,
    LogQuery, RateAnswer, RateTake, Record, RecordKey, RecordWrite, Records, Result, StoredEntry,
    Subscription, Topic,
};
use ringwall_types::{CounterAdd, TenantId, Timestamp};
use tokio::sync::watch;

pub use directory::{DirectoryLock, INDEX_FILE, LOG_FILE, STATE_FILE};
pub use log::LogReader;

/// All five shapes in one directory; notices stay within the process.
pub struct SqliteStore {
    log: log::Log,
    state: state::State,
    bus: LocalBus,
    // Dropped last: the directory is free only when every file is closed.
    _lock: DirectoryLock,
}

impl SqliteStore {
    /// Opens the directory, makes it (mode 0700, files 0600) when it does not exist, and goes on where it was.
    ///
    /// Errors: [`ringwall_store::Error::InUse`] when another process has it, `ReadOnly`, `NewerSchema`, `Corrupt`, and
    /// whatever the sealer says about the stored head.
    pub fn open(directory: &Path, options: LogOptions) -> Result<Self> {
        Self::open_locked(DirectoryLock::take(directory)?, directory, options)
    }

    /// Opens a directory that is taken already, for those who have to look at it before.
    pub fn open_locked(lock: DirectoryLock, directory: &Path, options: LogOptions) -> Result<Self> {
        Ok(Self {
            log: log::Log::open(directory, options)?,
            state: state::State::open(directory)?,
            bus: LocalBus::default(),
            _lock: lock,
        })
    }
}

impl EventLog for SqliteStore {
    fn append(&self, entries: Vec<LogEntry>) -> BoxFuture<'_, Result<Range<u64>>> {
        self.log.append(entries)
    }

    fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<StoredEntry>>> {
        self.log.read(from, limit)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Head>>> {
        Box::pin(std::future::ready(Ok(self.log.head())))
    }

    fn size(&self) -> watch::Receiver<u64> {
        self.log.size()
    }

    fn hashes(&self, level: u8, range: Range<u64>) -> BoxFuture<'_, Result<Vec<[u8; 32]>>> {
        self.log.hashes(level, range)
    }

    fn search(&self, query: LogQuery) -> BoxFuture<'_, Result<Vec<u64>>> {
        self.log.search(query)
    }
}

impl Records for SqliteStore {
    fn read<'a>(&'a self, keys: &'a [RecordKey]) -> BoxFuture<'a, Result<Vec<Option<Record>>>> {
        self.state.read(keys.to_vec())
    }

    fn write(&self, batch: Vec<RecordWrite>) -> BoxFuture<'_, Result<Vec<u64>>> {
        self.state.write(batch)
    }

    fn scan<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: &'static str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>>> {
        self.state.scan(tenant.clone(), kind, after.map(str::to_owned), limit)
    }
}

impl Counters for SqliteStore {
    fn add(&self, adds: Vec<CounterAdd>, now: Timestamp) -> BoxFuture<'_, Result<Vec<u64>>> {
        self.state.add(adds, now)
    }

    fn take(&self, takes: Vec<RateTake>, now: Timestamp) -> BoxFuture<'_, Result<Vec<RateAnswer>>> {
        self.state.take(takes, now)
    }
}

impl Leases for SqliteStore {
    fn acquire(
        &self,
        key: LeaseKey,
        owner: String,
        ttl_secs: u64,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Lease>>> {
        self.state.acquire(key, owner, ttl_secs, now)
    }

    fn renew(&self, lease: Lease, ttl_secs: u64, now: Timestamp) -> BoxFuture<'_, Result<Lease>> {
        self.state.renew(lease, ttl_secs, now)
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<()>> {
        self.state.release(lease)
    }

    fn check(&self, key: LeaseKey, fence: u64) -> BoxFuture<'_, Result<()>> {
        self.state.check(key, fence)
    }
}

impl Bus for SqliteStore {
    fn publish(&self, topic: Topic, payload: Vec<u8>) -> BoxFuture<'_, Result<()>> {
        self.bus.publish(topic, payload)
    }

    fn subscribe(&self, topic: Topic) -> Result<Subscription> {
        self.bus.subscribe(topic)
    }
}
