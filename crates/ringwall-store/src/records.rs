//! Versioned documents.

use ringwall_types::TenantId;

use crate::{BoxFuture, Error, Result};

/// The most reads or writes of one call.
pub const BATCH_MAX: usize = 1024;
/// The longest document, in bytes.
pub const BODY_BYTES_MAX: usize = 16 << 20;
/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 2048;

/// Documents by tenant, kind and id.
///
/// Versions are numbers that only grow, store-wide, so a document that was deleted and made again never meets an old
/// expectation.
pub trait Records: Send + Sync {
    /// The current documents, in the order of `keys`. At most [`BATCH_MAX`].
    fn read<'a>(&'a self, keys: &'a [RecordKey]) -> BoxFuture<'a, Result<Vec<Option<Record>>>>;

    /// Writes all or nothing, and gives the new versions in the order of `batch` (0 for a deletion). At most
    /// [`BATCH_MAX`], each key at most once. [`Error::Conflict`] when a version is not the expected one.
    fn write(&self, batch: Vec<RecordWrite>) -> BoxFuture<'_, Result<Vec<u64>>>;

    /// The documents of one tenant and kind in order of their ids (byte order), after `after`, at most `limit` of them.
    fn scan<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: &'static str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>>>;
}

/// Where a document is.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordKey {
    /// Whose document it is.
    pub tenant: TenantId,
    /// What sort of document it is, for example `api_key`.
    pub kind: &'static str,
    /// Which one; at most [`ID_BYTES_MAX`] bytes.
    pub id: String,
}

impl RecordKey {
    /// A key from its parts.
    pub fn new(tenant: TenantId, kind: &'static str, id: impl Into<String>) -> Self {
        Self { tenant, kind, id: id.into() }
    }
}

/// A document as it was stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Which one, within its tenant and kind.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Its content.
    pub body: Vec<u8>,
}

/// One write of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordWrite {
    /// Which document.
    pub key: RecordKey,
    /// What must be true for the batch to be written.
    pub expect: Expect,
    /// The new content; `None` deletes.
    pub body: Option<Vec<u8>>,
}

/// What must be true of a document for a write to happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expect {
    /// Nothing: last writer wins.
    Any,
    /// It does not exist.
    Absent,
    /// It has this version.
    Version(u64),
}

/// Refuses a batch that is over a limit or names a key twice; every backend calls it first.
pub fn check_batch(batch: &[RecordWrite]) -> Result<()> {
    if batch.len() > BATCH_MAX {
        return Err(Error::Limit(format!("{} writes in one batch, the limit is {BATCH_MAX}", batch.len())));
    }
    let mut keys: Vec<_> = batch.iter().map(|write| &write.key).collect();
    keys.sort_unstable();
    if let Some(twice) = keys.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first()))
    {
        let name = twice.map(|key| format!("{}/{}", key.kind, key.id)).unwrap_or_default();
        return Err(Error::Limit(format!("record `{name}` is written twice in one batch")));
    }
    for write in batch {
        if write.key.id.len() > ID_BYTES_MAX {
            let message = format!("id of {} bytes, the limit is {ID_BYTES_MAX}", write.key.id.len());
            return Err(Error::Limit(message));
        }
        if let Some(body) = write.body.as_ref().filter(|body| body.len() > BODY_BYTES_MAX) {
            return Err(Error::Limit(format!(
                "document of {} bytes, the limit is {BODY_BYTES_MAX}",
                body.len()
            )));
        }
    }
    Ok(())
}
