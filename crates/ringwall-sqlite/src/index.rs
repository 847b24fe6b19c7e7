//! The index: which entries carry which term. It follows the log from a cursor and can be thrown away at any time.
//!
//! Promises: a search finds an entry as soon as it was appended, because what the index has not reached yet is looked
//! through in the log itself.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use ringwall_store::{Error, LogQuery, PAGE_MAX, Result, StoredEntry, TermsOf};
use rusqlite::{Connection, OptionalExtension};

use crate::directory::{INDEX_FILE, Readers, Use, open};
use crate::error::storage;
use crate::schema;
use crate::tables::{entry_from_row, hash_from_row};

/// How many entries are indexed in one transaction.
const CHUNK_ENTRIES: usize = 1000;
/// How many entries behind the log a search still makes up for; beyond, it answers "busy".
const TAIL_ENTRIES_MAX: usize = 50_000;

/// The index and the thread that keeps it.
pub(crate) struct Index {
    readers: Readers,
    log: Arc<Readers>,
    terms: TermsOf,
    wake: Mutex<Option<SyncSender<()>>>,
    /// Why the follower is behind, if it is.
    fault: Arc<Mutex<Option<Error>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Index {
    pub(crate) fn open(directory: &Path, log: Arc<Readers>, terms: TermsOf) -> Result<Self> {
        let place = directory.join(INDEX_FILE);
        let connection = open_or_rebuild(&place, &log)?;
        let (wake, awake) = sync_channel(1);
        let fault = Arc::new(Mutex::new(None));
        let mut follower =
            Follower { connection, place: place.clone(), log: log.clone(), terms, fault: fault.clone() };
        let spawned =
            std::thread::Builder::new().name("ringwall-index".to_owned()).spawn(move || follower.run(&awake));
        let thread = spawned.map_err(|error| Error::Io(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            readers: Readers::new(place),
            log,
            terms,
            wake: Mutex::new(Some(wake)),
            fault,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The log has grown.
    pub(crate) fn wake(&self) {
        if let Some(wake) = &*self.wake.lock().unwrap_or_else(PoisonError::into_inner) {
            // Full means that the follower will look anyway.
            let _ = wake.try_send(());
        }
    }

    pub(crate) fn search(&self, query: &LogQuery) -> Result<Vec<u64>> {
        let limit = query.limit.min(PAGE_MAX);
        let before = query.before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        let (next, indexed) = self.readers.run(|connection| {
            let transaction = connection.transaction()?;
            let next = cursor(&transaction)?.map_or(0, |(next, _)| next);
            let sql = "SELECT idx FROM terms WHERE tenant = ?1 AND field = ?2 AND value = ?3 AND idx < ?4
                       ORDER BY idx DESC LIMIT ?5";
            let mut select = transaction.prepare_cached(sql)?;
            let parameters = (query.tenant.as_str(), query.term.field, &query.term.value, before, limit);
            let found =
                select.query_map(parameters, |row| row.get(0))?.collect::<rusqlite::Result<Vec<u64>>>()?;
            Ok((next, found))
        })?;
        let mut found = self.search_tail(query, next)?;
        found.reverse();
        found.extend(indexed);
        found.truncate(limit);
        Ok(found)
    }

    /// Looks through the entries from `next` on; gives what it finds, oldest first.
    fn search_tail(&self, query: &LogQuery, next: u64) -> Result<Vec<u64>> {
        let matches = |entry: &StoredEntry| {
            entry.tenant == query.tenant
                && query.before.is_none_or(|before| entry.index < before)
                && (self.terms)(&entry.body).contains(&query.term)
        };
        // One entry at a time: so many of the longest ones would not fit into memory.
        let (looked_at, found) = self.log.run(|connection| {
            let mut select = connection.prepare_cached(ENTRIES_FROM)?;
            let mut rows = select.query((next, TAIL_ENTRIES_MAX))?;
            let (mut looked_at, mut found) = (0, Vec::new());
            while let Some(row) = rows.next()? {
                let entry = entry_from_row(row)?;
                looked_at += 1;
                if matches(&entry) {
                    found.push(entry.index);
                }
            }
            Ok((looked_at, found))
        })?;
        if looked_at < TAIL_ENTRIES_MAX {
            return Ok(found);
        }
        Err(self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or(Error::Busy))
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        drop(self.wake.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = thread.map(JoinHandle::join);
    }
}

/// An index that cannot be used, or belongs to another log, is made anew: it holds nothing of its own.
fn open_or_rebuild(place: &PathBuf, log: &Readers) -> Result<Connection> {
    let first_hash = log.run(|connection| first_hash(connection))?;
    let size = log.run(|connection| {
        connection.query_row("SELECT max(idx) FROM entries", [], |row| row.get::<_, Option<u64>>(0))
    })?;
    let try_open = || {
        let mut connection = open(place, Use::WriteRebuildable)?;
        schema::migrate(&mut connection, &place.display().to_string(), schema::INDEX)?;
        let cursor = cursor(&connection).map_err(|error| storage(&place.display().to_string(), error))?;
        let fits = cursor.is_none_or(|(next, hash)| {
            next <= size.map_or(0, |newest| newest + 1) && (next == 0 || Some(hash) == first_hash)
        });
        if fits { Ok(connection) } else { Err(Error::Corrupt("the index belongs to another log".to_owned())) }
    };
    match try_open() {
        Err(Error::Corrupt(_) | Error::NewerSchema { .. }) => {
            for suffix in ["", "-wal", "-shm"] {
                let mut name = place.as_os_str().to_owned();
                name.push(suffix);
                // What is not there need not be removed; what cannot be removed fails when it is opened.
                let _ = std::fs::remove_file(name);
            }
            try_open()
        }
        opened => opened,
    }
}

struct Follower {
    connection: Connection,
    place: PathBuf,
    log: Arc<Readers>,
    terms: TermsOf,
    fault: Arc<Mutex<Option<Error>>>,
}

impl Follower {
    fn run(&mut self, awake: &Receiver<()>) {
        while awake.recv().is_ok() {
            // A step that fails is tried again at the next growth of the log; searches make up for it meanwhile.
            let outcome = loop {
                match self.step() {
                    Ok(true) => {}
                    ended => break ended,
                }
            };
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = outcome.err();
        }
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Indexes the next chunk; `false` when there is none.
    fn step(&mut self) -> Result<bool> {
        let place = self.place.display().to_string();
        let known = cursor(&self.connection).map_err(|error| storage(&place, error))?;
        let next = known.map_or(0, |(next, _)| next);
        let chunk = self.log.run(|connection| read_entries(connection, next, CHUNK_ENTRIES))?;
        let Some(last) = chunk.last() else { return Ok(false) };
        let first_hash = match (known, chunk.first()) {
            (Some((next, hash)), _) if next > 0 => hash,
            (_, Some(first)) => first.hash,
            (_, None) => return Ok(false),
        };
        let (terms, next) = (self.terms, last.index + 1);
        let mut write = || {
            let transaction = self.connection.transaction()?;
            let mut insert =
                transaction.prepare_cached("INSERT OR IGNORE INTO terms VALUES (?1, ?2, ?3, ?4)")?;
            for entry in &chunk {
                for term in terms(&entry.body) {
                    insert.execute((entry.tenant.as_str(), term.field, &term.value, entry.index))?;
                }
            }
            drop(insert);
            transaction.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?1, ?2)", (next, &first_hash))?;
            transaction.commit()
        };
        write().map_err(|error| storage(&place, error))?;
        Ok(true)
    }
}

fn cursor(connection: &Connection) -> rusqlite::Result<Option<(u64, [u8; 32])>> {
    let mut select = connection.prepare_cached("SELECT next, first_hash FROM cursor")?;
    select.query_row([], |row| Ok((row.get(0)?, hash_from_row(row, 1)?))).optional()
}

fn first_hash(connection: &Connection) -> rusqlite::Result<Option<[u8; 32]>> {
    connection.query_row("SELECT hash FROM entries WHERE idx = 0", [], |row| hash_from_row(row, 0)).optional()
}

const ENTRIES_FROM: &str =
    "SELECT idx, tenant, body, hash FROM entries WHERE idx >= ?1 ORDER BY idx LIMIT ?2";

fn read_entries(connection: &Connection, from: u64, limit: usize) -> rusqlite::Result<Vec<StoredEntry>> {
    let mut select = connection.prepare_cached(ENTRIES_FROM)?;
    let rows = select.query_map((from, limit), entry_from_row)?;
    rows.collect()
}
