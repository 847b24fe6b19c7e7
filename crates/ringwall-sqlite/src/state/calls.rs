//! Callers' work on the state file, as jobs of the writer.

use std::path::PathBuf;

use ringwall_store::{Error, Result};
use rusqlite::{Connection, Transaction};
use tokio::sync::oneshot;

use crate::commit::Writes;
use crate::directory::{Use, open};
use crate::error::storage;
use crate::schema;

/// The writing side of the state, on its own thread.
pub(super) struct Calls {
    pub(super) place: PathBuf,
}

/// One caller's work with the way back to it.
pub(super) trait Job: Send {
    /// Does the work once; an error fails the whole batch.
    fn run(&mut self, connection: &Connection) -> Result<()>;

    /// Tells the caller.
    fn finish(self: Box<Self>, outcome: Result<()>);
}

pub(super) struct Call<T, F> {
    work: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F: FnOnce(&Connection) -> Result<T>> Call<T, F> {
    pub(super) fn new(work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work: Some(work), result: None, reply }
    }
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Job for Call<T, F> {
    fn run(&mut self, connection: &Connection) -> Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let savepoint = |sql| connection.execute_batch(sql).map_err(|error| storage("state", error));
        savepoint("SAVEPOINT job")?;
        self.result = match work(connection) {
            Err(error @ (Error::Conflict { .. } | Error::StaleFence { .. } | Error::Limit(_))) => {
                savepoint("ROLLBACK TO job")?;
                Some(Err(error))
            }
            Err(error) => return Err(error),
            Ok(value) => Some(Ok(value)),
        };
        savepoint("RELEASE job")
    }

    fn finish(self: Box<Self>, outcome: Result<()>) {
        let Self { result, reply, .. } = *self;
        // A caller that no longer waits does not undo what is durable.
        let _ = reply.send(outcome.and_then(|()| result.unwrap_or(Err(Error::Closed))));
    }
}

impl Writes for Calls {
    type Job = Box<dyn Job>;

    fn place(&self) -> String {
        self.place.display().to_string()
    }

    fn open(&mut self) -> Result<Connection> {
        let mut connection = open(&self.place, Use::WriteDurably)?;
        schema::migrate(&mut connection, &self.place(), schema::STATE)?;
        Ok(connection)
    }

    fn weight(_: &Box<dyn Job>) -> usize {
        1
    }

    fn apply(&mut self, transaction: &Transaction<'_>, jobs: &mut [Box<dyn Job>]) -> Result<()> {
        jobs.iter_mut().try_for_each(|job| job.run(transaction))
    }

    fn committed(&mut self, jobs: Vec<Box<dyn Job>>) {
        jobs.into_iter().for_each(|job| job.finish(Ok(())));
    }

    fn undone(&mut self) {}

    fn refuse(job: Box<dyn Job>, error: Error) {
        job.finish(Err(error));
    }
}
