//! What tests with the real seal share.

use std::ops::Range;
use std::path::Path;

use ringwall::LogSource;
use ringwall::audit::to_canonical;
use ringwall_sqlite::LogReader;
use ringwall_store::{Error, Head, LogEntry, Node, StoredEntry};
use ringwall_types::{Administration, AuditRecord, RecordBody, TenantId, Timestamp};

/// A canonical record that is about `object`.
pub(crate) fn entry(object: &str) -> LogEntry {
    let body = RecordBody::Administration(Administration {
        act: "tested".to_owned(),
        by: None,
        object: object.to_owned(),
        message: "a record that must not be lost".to_owned(),
    });
    let recorded_at = Timestamp::from_micros(1_772_618_400_000_000).unwrap();
    let record = AuditRecord { tenant: TenantId::initial(), recorded_at, body };
    LogEntry { tenant: TenantId::initial(), body: to_canonical(&record).unwrap() }
}

/// The log of a directory, for verification.
pub(crate) struct FileLog(LogReader);

impl FileLog {
    pub(crate) fn open(directory: &Path) -> Self {
        Self(LogReader::open(directory).unwrap())
    }
}

impl LogSource for FileLog {
    fn head(&self) -> Result<Option<Head>, Error> {
        self.0.head()
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, Error> {
        self.0.read(from, limit)
    }

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<[u8; 32]>, Error> {
        self.0.hashes(level, range)
    }

    fn nodes(&self) -> Result<Vec<Node>, Error> {
        self.0.nodes()
    }
}
