//! Group commit: one thread owns a file, gathers what is waiting, and makes it durable with one sync for all.
//!
//! Promises: a job is acknowledged only after its transaction is on disk; a full queue answers "busy" at once; after any
//! failure of the disk the file is opened anew, since a failed sync must never be retried on the same handle (Rebello et
//! al. 2020, "Can Applications Recover from fsync Failures?").

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ringwall_store::{Error, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::storage;

/// How many jobs may wait for the writer.
const QUEUE_JOBS: usize = 8192;
/// A batch is committed when this many records are in it…
const BATCH_RECORDS: usize = 512;
/// …or when its oldest job has waited this long.
const BATCH_WAIT: Duration = Duration::from_millis(1);
/// After this long without work the write-ahead log is folded back into the file.
const IDLE: Duration = Duration::from_secs(2);

/// What a writer does with its batches.
pub(crate) trait Writes: Send + 'static {
    /// One caller's work.
    type Job: Send + 'static;

    /// The file, for messages.
    fn place(&self) -> String;

    /// Opens the file, or opens it anew after a failure.
    fn open(&mut self) -> Result<Connection>;

    /// How many records the job counts for.
    fn weight(job: &Self::Job) -> usize;

    /// Does the jobs within the transaction. An error undoes the whole batch.
    fn apply(&mut self, transaction: &Transaction<'_>, jobs: &mut [Self::Job]) -> Result<()>;

    /// The batch is on disk.
    fn committed(&mut self, jobs: Vec<Self::Job>);

    /// The batch was undone.
    fn undone(&mut self);

    /// Tells a caller that its job was not done.
    fn refuse(job: Self::Job, error: Error);
}

/// The calling end of a writer thread; the thread ends, after its last batch, when this is dropped.
pub(crate) struct Writer<J> {
    queue: Option<SyncSender<J>>,
    thread: Option<JoinHandle<()>>,
}

impl<J: Send + 'static> Writer<J> {
    /// Starts the thread with a file that is open.
    pub(crate) fn start<W: Writes<Job = J>>(name: &str, writes: W, connection: Connection) -> Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE_JOBS);
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || Thread { writes, connection: Some(connection) }.run(&jobs));
        let thread = spawned.map_err(|error| Error::Io(format!("cannot start a thread: {error}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues a job; gives it back with the reason when it cannot be queued.
    pub(crate) fn submit(&self, job: J) -> std::result::Result<(), (J, Error)> {
        match self.queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(job))) => Err((job, Error::Busy)),
            Some(Err(TrySendError::Disconnected(job))) => Err((job, Error::Closed)),
            // INVARIANT: the queue is taken only in `drop`.
            None => unreachable_queue(),
        }
    }
}

#[expect(clippy::unreachable, reason = "`queue` is `None` only while the writer is being dropped")]
fn unreachable_queue() -> ! {
    unreachable!("a writer that is being dropped takes no jobs")
}

impl<J> Drop for Writer<J> {
    fn drop(&mut self) {
        drop(self.queue.take());
        // A writer thread that panicked has already refused its callers by dropping them.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Thread<W> {
    writes: W,
    /// `None` after a failure, until the file could be opened anew.
    connection: Option<Connection>,
}

impl<W: Writes> Thread<W> {
    fn run(mut self, jobs: &Receiver<W::Job>) {
        let mut is_folded = true;
        loop {
            match jobs.recv_timeout(IDLE) {
                Ok(first) => {
                    self.commit(gather::<W>(first, jobs));
                    is_folded = false;
                }
                Err(RecvTimeoutError::Timeout) if !is_folded => {
                    self.fold("PASSIVE");
                    is_folded = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break self.fold("TRUNCATE"),
            }
        }
    }

    /// Best effort: what is not folded now stays in the write-ahead log, which is just as durable.
    fn fold(&self, mode: &str) {
        if let Some(connection) = &self.connection {
            let _ = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
        }
    }

    /// Commits the batch; if the batch as a whole is refused, each job on its own, so that one bad job harms no other.
    fn commit(&mut self, jobs: Vec<W::Job>) {
        match self.try_commit(jobs) {
            Ok(()) => {}
            Err((jobs, Error::Seal(_) | Error::Limit(_))) if jobs.len() > 1 => {
                for job in jobs {
                    if let Err((jobs, error)) = self.try_commit(vec![job]) {
                        refuse_all::<W>(jobs, &error);
                    }
                }
            }
            Err((jobs, error)) => refuse_all::<W>(jobs, &error),
        }
    }

    fn try_commit(&mut self, mut jobs: Vec<W::Job>) -> std::result::Result<(), (Vec<W::Job>, Error)> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => match self.writes.open() {
                Ok(connection) => none.insert(connection),
                Err(error) => return Err((jobs, error)),
            },
        };
        let place = self.writes.place();
        let outcome = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| storage(&place, error))
            .and_then(|transaction| {
                self.writes.apply(&transaction, &mut jobs)?;
                transaction.commit().map_err(|error| storage(&place, error))
            });
        match outcome {
            Ok(()) => {
                self.writes.committed(jobs);
                Ok(())
            }
            Err(error) => {
                self.writes.undone();
                if !matches!(error, Error::Seal(_) | Error::Limit(_)) {
                    self.connection = None;
                }
                Err((jobs, error))
            }
        }
    }
}

fn refuse_all<W: Writes>(jobs: Vec<W::Job>, error: &Error) {
    jobs.into_iter().for_each(|job| W::refuse(job, error.clone()));
}

/// Takes what is waiting; while a batch syncs, the next one gathers in the queue by itself.
#[expect(clippy::disallowed_methods, reason = "measures how long a caller has waited, decides nothing")]
fn gather<W: Writes>(first: W::Job, jobs: &Receiver<W::Job>) -> Vec<W::Job> {
    let deadline = Instant::now() + BATCH_WAIT;
    let mut records = W::weight(&first);
    let mut batch = vec![first];
    while records < BATCH_RECORDS {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(job) = jobs.recv_timeout(left) else { break };
        records += W::weight(&job);
        batch.push(job);
    }
    batch
}
