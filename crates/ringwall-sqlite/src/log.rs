//! The log file: appended by one writer, read by many.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringwall_store::{
    BoxFuture, Error, Head, LogEntry, LogOptions, LogQuery, PAGE_MAX, Result, Sealer, StoredEntry,
};
use rusqlite::{Connection, OptionalExtension, Transaction};
use tokio::sync::{oneshot, watch};

use crate::commit::{Writer, Writes};
use crate::directory::{LOG_FILE, Readers, Use, open};
use crate::error::storage;
use crate::index::Index;
use crate::schema;
use crate::tables::{blocking, entry_from_row, hash_from_row};

/// The log, open for appending.
pub(crate) struct Log {
    // Before the index: the writer's last batch still wakes it.
    writer: Writer<Append>,
    index: Arc<Index>,
    readers: Arc<Readers>,
    head: watch::Receiver<Option<Head>>,
    size: watch::Receiver<u64>,
}

struct Append {
    entries: Vec<LogEntry>,
    range: Range<u64>,
    reply: oneshot::Sender<Result<Range<u64>>>,
}

impl Log {
    pub(crate) fn open(directory: &Path, options: LogOptions) -> Result<Self> {
        let (head_sender, head) = watch::channel(None);
        let (size_sender, size) = watch::channel(0);
        let place = directory.join(LOG_FILE);
        let mut appends = Appends {
            place: place.clone(),
            sealer: options.sealer,
            pending: None,
            head: head_sender,
            size: size_sender,
            index: None,
        };
        let connection = appends.open()?;
        let readers = Arc::new(Readers::new(place));
        let index = Arc::new(Index::open(directory, readers.clone(), options.terms)?);
        appends.index = Some(index.clone());
        index.wake();
        let writer = Writer::start("ringwall-log", appends, connection)?;
        Ok(Self { writer, index, readers, head, size })
    }

    pub(crate) fn append(&self, entries: Vec<LogEntry>) -> BoxFuture<'_, Result<Range<u64>>> {
        if let Err(error) = entries.iter().try_for_each(LogEntry::check) {
            return Box::pin(std::future::ready(Err(error)));
        }
        if entries.is_empty() {
            let size = *self.size.borrow();
            return Box::pin(std::future::ready(Ok(size..size)));
        }
        let (reply, answer) = oneshot::channel();
        let queued = self.writer.submit(Append { entries, range: 0..0, reply });
        Box::pin(async move {
            queued.map_err(|(_, error)| error)?;
            answer.await.unwrap_or(Err(Error::Closed))
        })
    }

    pub(crate) fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<StoredEntry>>> {
        let readers = self.readers.clone();
        blocking(move || readers.run(|connection| entries(connection, from, limit)))
    }

    pub(crate) fn hashes(&self, level: u8, range: Range<u64>) -> BoxFuture<'_, Result<Vec<[u8; 32]>>> {
        let readers = self.readers.clone();
        blocking(move || readers.run(|connection| hashes(connection, level, range)))
    }

    pub(crate) fn search(&self, query: LogQuery) -> BoxFuture<'_, Result<Vec<u64>>> {
        let index = self.index.clone();
        blocking(move || index.search(&query))
    }

    pub(crate) fn head(&self) -> Option<Head> {
        self.head.borrow().clone()
    }

    pub(crate) fn size(&self) -> watch::Receiver<u64> {
        self.size.clone()
    }
}

/// The writing side, on its own thread.
struct Appends {
    place: PathBuf,
    sealer: Box<dyn Sealer>,
    pending: Option<Head>,
    head: watch::Sender<Option<Head>>,
    size: watch::Sender<u64>,
    index: Option<Arc<Index>>,
}

impl Writes for Appends {
    type Job = Append;

    fn place(&self) -> String {
        self.place.display().to_string()
    }

    fn open(&mut self) -> Result<Connection> {
        let mut connection = open(&self.place, Use::WriteDurably)?;
        schema::migrate(&mut connection, &self.place(), schema::LOG)?;
        let stored = head(&connection).map_err(|error| storage(&self.place(), error))?;
        let newest = newest(&connection).map_err(|error| storage(&self.place(), error))?;
        let size = stored.as_ref().map_or(0, |head| head.size);
        if newest.map_or(0, |index| index + 1) != size {
            return Err(Error::Corrupt(format!(
                "{}: the head names {size} entries, others are stored",
                self.place()
            )));
        }
        self.sealer.resume(stored.as_ref())?;
        self.head.send_replace(stored);
        self.size.send_replace(size);
        Ok(connection)
    }

    fn weight(job: &Append) -> usize {
        job.entries.len()
    }

    fn apply(&mut self, transaction: &Transaction<'_>, jobs: &mut [Append]) -> Result<()> {
        let first = *self.size.borrow();
        let bodies: Vec<_> =
            jobs.iter().flat_map(|job| &job.entries).map(|entry| entry.body.as_slice()).collect();
        let size = first + bodies.len() as u64;
        let sealed = self.sealer.seal(first, &bodies)?;
        let write = || {
            let mut insert = transaction.prepare_cached("INSERT INTO entries VALUES (?1, ?2, ?3, ?4)")?;
            let entries = jobs.iter().flat_map(|job| &job.entries);
            for ((index, entry), hash) in (first..).zip(entries).zip(&sealed.hashes) {
                insert.execute((index, entry.tenant.as_str(), &entry.body, hash))?;
            }
            let mut insert = transaction.prepare_cached("INSERT INTO nodes VALUES (?1, ?2, ?3)")?;
            for node in &sealed.nodes {
                insert.execute((node.level, node.index, &node.hash))?;
            }
            let mut replace =
                transaction.prepare_cached("INSERT OR REPLACE INTO head VALUES (1, ?1, ?2, ?3)")?;
            replace.execute((size, &sealed.state, &sealed.checkpoint))
        };
        write().map_err(|error| storage(&self.place(), error))?;
        let mut next = first;
        for job in jobs.iter_mut() {
            job.range = next..next + job.entries.len() as u64;
            next = job.range.end;
        }
        self.pending = Some(Head { size, state: sealed.state, checkpoint: sealed.checkpoint });
        Ok(())
    }

    fn committed(&mut self, jobs: Vec<Append>) {
        self.sealer.committed();
        if let Some(head) = self.pending.take() {
            let size = head.size;
            self.head.send_replace(Some(head));
            self.size.send_replace(size);
        }
        if let Some(index) = &self.index {
            index.wake();
        }
        for job in jobs {
            // A caller that no longer waits does not undo what is durable.
            let _ = job.reply.send(Ok(job.range));
        }
    }

    fn undone(&mut self) {
        self.pending = None;
        self.sealer.rolled_back();
    }

    fn refuse(job: Append, error: Error) {
        let _ = job.reply.send(Err(error));
    }
}

/// The log of a directory, read without disturbing whoever appends to it: for proofs and verification offline.
pub struct LogReader {
    readers: Readers,
    place: String,
}

impl LogReader {
    /// Opens the log of a data directory, or a log file itself, for reading.
    pub fn open(path: &Path) -> Result<Self> {
        let place = if path.is_dir() { path.join(LOG_FILE) } else { path.to_path_buf() };
        if !place.exists() {
            return Err(Error::Io(format!("{}: there is no log", place.display())));
        }
        let name = place.display().to_string();
        schema::check_made(&open(&place, Use::Read)?, &name, schema::LOG)?;
        Ok(Self { readers: Readers::new(place), place: name })
    }

    /// The file, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Size, state and checkpoint of the newest batch; `None` while the log is empty.
    pub fn head(&self) -> Result<Option<Head>> {
        self.readers.run(|connection| head(connection))
    }

    /// Entries from index `from` on, at most `limit`.
    pub fn read(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>> {
        self.readers.run(|connection| entries(connection, from, limit))
    }

    /// Hashes of entries (level 0) or of nodes.
    pub fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<[u8; 32]>> {
        self.readers.run(|connection| hashes(connection, level, range))
    }

    /// Every stored inner node: level, index, hash, in that order.
    pub fn nodes(&self) -> Result<Vec<ringwall_store::Node>> {
        self.readers.run(|connection| {
            let mut select =
                connection.prepare_cached("SELECT level, idx, hash FROM nodes ORDER BY level, idx")?;
            let rows = select.query_map([], |row| {
                Ok(ringwall_store::Node {
                    level: row.get(0)?,
                    index: row.get(1)?,
                    hash: hash_from_row(row, 2)?,
                })
            })?;
            rows.collect()
        })
    }
}

fn newest(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    connection.query_row("SELECT max(idx) FROM entries", [], |row| row.get(0))
}

fn head(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    let mut select = connection.prepare_cached("SELECT size, state, checkpoint FROM head")?;
    let row =
        |row: &rusqlite::Row<'_>| Ok(Head { size: row.get(0)?, state: row.get(1)?, checkpoint: row.get(2)? });
    select.query_row([], row).optional()
}

fn entries(connection: &Connection, from: u64, limit: usize) -> rusqlite::Result<Vec<StoredEntry>> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let sql = "SELECT idx, tenant, body, hash FROM entries WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((from, limit.min(PAGE_MAX)), entry_from_row)?;
    rows.collect()
}

fn hashes(connection: &Connection, level: u8, range: Range<u64>) -> rusqlite::Result<Vec<[u8; 32]>> {
    let bound = |index: u64| i64::try_from(index).unwrap_or(i64::MAX);
    let (start, end) = (bound(range.start), bound(range.end));
    let read = |mut select: rusqlite::CachedStatement<'_>, parameters: &[&dyn rusqlite::ToSql]| {
        select.query_map(parameters, |row| hash_from_row(row, 0))?.collect()
    };
    if level == 0 {
        let sql = "SELECT hash FROM entries WHERE idx >= ?1 AND idx < ?2 ORDER BY idx LIMIT ?3";
        read(connection.prepare_cached(sql)?, &[&start, &end, &PAGE_MAX])
    } else {
        let sql = "SELECT hash FROM nodes WHERE level = ?4 AND idx >= ?1 AND idx < ?2 ORDER BY idx LIMIT ?3";
        read(connection.prepare_cached(sql)?, &[&start, &end, &PAGE_MAX, &level])
    }
}
