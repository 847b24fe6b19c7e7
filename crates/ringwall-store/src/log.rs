//! The append-only log: dense indexes from 0, sealed batch by batch, read by cursor.

use std::ops::Range;

use ringwall_types::TenantId;
use tokio::sync::watch;

use crate::{BoxFuture, Error, Result};

/// The longest entry, in bytes: C2SP tlog-tiles gives an entry's length 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// The most entries or indexes of one read.
pub const PAGE_MAX: usize = 10_000;

/// The log.
pub trait EventLog: Send + Sync {
    /// Appends all entries in order, or none; gives their indexes after they are durable and sealed.
    ///
    /// [`Error::Busy`] when the queue is full: nothing was appended.
    fn append(&self, entries: Vec<LogEntry>) -> BoxFuture<'_, Result<Range<u64>>>;

    /// Entries from index `from` on, at most `limit` (and [`PAGE_MAX`]); empty at the end.
    fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<StoredEntry>>>;

    /// Size, seal state and checkpoint of the newest durable batch; `None` while the log is empty.
    fn head(&self) -> BoxFuture<'_, Result<Option<Head>>>;

    /// The size of the durable log, updated with each batch; a follower waits on it and reads from its cursor.
    fn size(&self) -> watch::Receiver<u64>;

    /// Hashes of the sealed tree: at level 0 the entries' own, at level L those of the [`Node`]s of that level.
    fn hashes(&self, level: u8, range: Range<u64>) -> BoxFuture<'_, Result<Vec<[u8; 32]>>>;

    /// Indexes of the entries that carry a term, newest first.
    fn search(&self, query: LogQuery) -> BoxFuture<'_, Result<Vec<u64>>>;
}

/// An entry to append.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogEntry {
    /// Whose entry it is.
    pub tenant: TenantId,
    /// The leaf; 1 to [`ENTRY_BYTES_MAX`] bytes.
    pub body: Vec<u8>,
}

impl LogEntry {
    /// Refuses an entry that no backend may take.
    pub fn check(&self) -> Result<()> {
        match self.body.len() {
            1..=ENTRY_BYTES_MAX => Ok(()),
            bytes => {
                Err(Error::Limit(format!("log entry of {bytes} bytes, allowed are 1 to {ENTRY_BYTES_MAX}")))
            }
        }
    }
}

/// An entry as it was stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredEntry {
    /// Its position.
    pub index: u64,
    /// Whose entry it is.
    pub tenant: TenantId,
    /// The leaf.
    pub body: Vec<u8>,
    /// Its hash, as the seal gave it.
    pub hash: [u8; 32],
}

/// Where the log stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// How many entries there are.
    pub size: u64,
    /// What the sealer needs in order to go on.
    pub state: Vec<u8>,
    /// The signed statement about exactly `size` entries.
    pub checkpoint: String,
}

/// What a sealer adds to one batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// One hash for each entry, in order.
    pub hashes: Vec<[u8; 32]>,
    /// Inner nodes that this batch completed.
    pub nodes: Vec<Node>,
    /// The state after the batch.
    pub state: Vec<u8>,
    /// The signed statement after the batch.
    pub checkpoint: String,
}

/// A completed inner node of the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Node {
    /// Its level, counted in tiles of 256: at least 1.
    pub level: u8,
    /// Its position within the level.
    pub index: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// Seals batches; given to a backend when it is opened, so that no backend knows about Merkle trees or keys.
///
/// The backend writes what [`Self::seal`] gives in the transaction of the entries themselves, then says how it ended;
/// so entries, tree and checkpoint cannot disagree after a crash.
pub trait Sealer: Send + 'static {
    /// Goes on from a stored head, or from nothing. Refuses a head that it cannot have made.
    fn resume(&mut self, head: Option<&Head>) -> Result<()>;

    /// Seals entries that start at index `first`. Holds the new state back until [`Self::committed`].
    fn seal(&mut self, first: u64, entries: &[&[u8]]) -> Result<Sealed>;

    /// The last sealed batch is durable.
    fn committed(&mut self);

    /// The last sealed batch was not stored; the state is what it was before.
    fn rolled_back(&mut self);
}

/// A word by which an entry can be found, within its tenant.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Term {
    /// Which property, for example `decision`.
    pub field: &'static str,
    /// Its value.
    pub value: String,
}

/// The terms of an entry, from its body alone, so that an index can be rebuilt from the log.
pub type TermsOf = fn(&[u8]) -> Vec<Term>;

/// What the owner of the log gives to a backend.
pub struct LogOptions {
    /// Seals each batch.
    pub sealer: Box<dyn Sealer>,
    /// Says by which terms an entry can be found.
    pub terms: TermsOf,
}

/// Which entries to look for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogQuery {
    /// Whose entries; there is no query across tenants.
    pub tenant: TenantId,
    /// The term that they carry.
    pub term: Term,
    /// Only entries below this index.
    pub before: Option<u64>,
    /// At most so many, and [`PAGE_MAX`].
    pub limit: usize,
}
