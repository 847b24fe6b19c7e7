//! What somebody would write without ringwall: a table in SQLite, no tree, no signature, no index.

use std::path::Path;

use rusqlite::Connection;

use crate::Result;
use crate::traffic::leaf;

/// A table of leaves, as durable as ringwall's own log.
pub struct PlainTable(Connection);

impl PlainTable {
    /// Opens `plain.db` in `directory`.
    pub fn open(directory: &Path) -> Result<Self> {
        let connection = Connection::open(directory.join("plain.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS entries (idx INTEGER PRIMARY KEY, tenant TEXT, body BLOB)",
        )?;
        Ok(Self(connection))
    }

    /// Appends `count` leaves from `first` on, `batch` to a transaction.
    pub fn append(&mut self, first: u64, count: u64, batch: u64) -> Result<()> {
        let mut next = first;
        while next < first + count {
            let end = (next + batch.max(1)).min(first + count);
            let transaction = self.0.transaction()?;
            {
                let mut insert =
                    transaction.prepare_cached("INSERT INTO entries (tenant, body) VALUES (?1, ?2)")?;
                for number in next..end {
                    insert.execute(("default", leaf(number)?))?;
                }
            }
            transaction.commit()?;
            next = end;
        }
        Ok(())
    }
}
