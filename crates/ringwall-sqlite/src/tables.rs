//! What the files share: rows to values, and blocking work off the caller's thread.

use ringwall_store::{BoxFuture, Error, Result, StoredEntry};
use ringwall_types::TenantId;
use rusqlite::Row;
use rusqlite::types::Type;

/// Runs `work` where blocking is allowed.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> BoxFuture<'static, Result<T>> {
    let task = tokio::task::spawn_blocking(work);
    Box::pin(async move { task.await.unwrap_or_else(|_| Err(Error::Io("a reading thread died".to_owned()))) })
}

/// Reads `idx, tenant, body, hash`.
pub(crate) fn entry_from_row(row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
    let tenant: String = row.get(1)?;
    let tenant = TenantId::new(tenant)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))?;
    Ok(StoredEntry { index: row.get(0)?, tenant, body: row.get(2)?, hash: hash_from_row(row, 3)? })
}

/// Reads a hash of 32 bytes.
pub(crate) fn hash_from_row(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; 32]> {
    row.get(column)
}
