//! The data directory: who may enter it, one process at a time, and how its files are opened.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringwall_store::{Error, Result};
use rusqlite::{Connection, OpenFlags};

use crate::error::{file, storage};

/// The append-only log.
pub const LOG_FILE: &str = "log.db";
/// The rebuildable index of the log.
pub const INDEX_FILE: &str = "index.db";
/// Documents, counters, leases.
pub const STATE_FILE: &str = "state.db";

const LOCK_FILE: &str = "lock";
/// How long a statement waits for SQLite's own locks; only a backup or a command line tool can hold them.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Held while the process uses the directory; free when dropped.
pub struct DirectoryLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl DirectoryLock {
    /// Makes the directory if needed (mode 0700), and takes it for this process.
    ///
    /// Errors: [`Error::InUse`] when another process has it, `ReadOnly`, `Io`.
    pub fn take(directory: &Path) -> Result<Self> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| file(directory, &error))?;
        let place = directory.join(LOCK_FILE);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&place);
        let handle = opened.map_err(|error| file(directory, &error))?;
        match handle.try_lock() {
            Ok(()) => Ok(Self(handle)),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(directory.display().to_string())),
            Err(TryLockError::Error(error)) => Err(file(&place, &error)),
        }
    }
}

/// How a file is used; the pragmas follow from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Use {
    /// The one writer; every commit reaches the disk.
    WriteDurably,
    /// The one writer of data that can be rebuilt; a crash may lose the last commits, never the order.
    WriteRebuildable,
    /// One of many readers.
    Read,
}

/// Opens a file of the directory; writers make it with mode 0600.
pub(crate) fn open(place: &PathBuf, usage: Use) -> Result<Connection> {
    let writes = usage != Use::Read;
    if writes {
        let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(place);
        made.map_err(|error| file(place, &error))?;
    }
    let access = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let set_up = || {
        let connection = Connection::open_with_flags(place, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "trusted_schema", "OFF")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "cell_size_check", "ON")?;
        if writes {
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
            connection.pragma_update(None, "wal_autocheckpoint", 20_000)?;
            let synchronous = if usage == Use::WriteDurably { "FULL" } else { "NORMAL" };
            connection.pragma_update(None, "synchronous", synchronous)?;
        }
        Ok(connection)
    };
    set_up().map_err(|error| storage(&place.display().to_string(), error))
}

/// Lends read-only connections; keeps a few open for the next reader.
pub(crate) struct Readers {
    place: PathBuf,
    idle: std::sync::Mutex<Vec<Connection>>,
}

impl Readers {
    const IDLE_MAX: usize = 4;

    pub(crate) fn new(place: PathBuf) -> Self {
        Self { place, idle: std::sync::Mutex::default() }
    }

    /// Runs `work` with a connection of its own; a connection that met an error is not used again.
    pub(crate) fn run<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open(&self.place, Use::Read)?,
        };
        let result =
            work(&mut connection).map_err(|error| storage(&self.place.display().to_string(), error))?;
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < Self::IDLE_MAX {
            idle.push(connection);
        }
        Ok(result)
    }
}
