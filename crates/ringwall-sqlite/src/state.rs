//! The state file: documents, counters, leases.

mod calls;
mod documents;
mod leases;
mod rates;

use std::path::Path;
use std::sync::Arc;

use ringwall_store::{
    BATCH_MAX, BoxFuture, Error, Lease, LeaseKey, RateAnswer, RateTake, Record, RecordKey, RecordWrite,
    Result, check_batch,
};
use ringwall_types::{CounterAdd, TenantId, Timestamp};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::commit::{Writer, Writes};
use crate::directory::{Readers, STATE_FILE};
use crate::tables::blocking;
use calls::{Call, Calls, Job};

/// The state, open for reading and writing.
pub(crate) struct State {
    writer: Writer<Box<dyn Job>>,
    readers: Arc<Readers>,
}

impl State {
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let place = directory.join(STATE_FILE);
        let mut calls = Calls { place: place.clone() };
        let connection = calls.open()?;
        Ok(Self {
            writer: Writer::start("ringwall-state", calls, connection)?,
            readers: Arc::new(Readers::new(place)),
        })
    }

    /// Does `work` in the writer's next transaction; its own changes are undone when it gives an error.
    fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T>> {
        let (reply, answer) = oneshot::channel();
        let queued = self.writer.submit(Box::new(Call::new(work, reply)));
        Box::pin(async move {
            queued.map_err(|(_, error)| error)?;
            answer.await.unwrap_or(Err(Error::Closed))
        })
    }

    pub(crate) fn read(&self, keys: Vec<RecordKey>) -> BoxFuture<'_, Result<Vec<Option<Record>>>> {
        if keys.len() > BATCH_MAX {
            let message = format!("{} reads in one batch, the limit is {BATCH_MAX}", keys.len());
            return Box::pin(std::future::ready(Err(Error::Limit(message))));
        }
        let readers = self.readers.clone();
        blocking(move || readers.run(|connection| documents::read(connection, &keys)))
    }

    pub(crate) fn scan(
        &self,
        tenant: TenantId,
        kind: &'static str,
        after: Option<String>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>>> {
        let readers = self.readers.clone();
        blocking(move || {
            readers.run(|connection| documents::scan(connection, &tenant, kind, after.as_deref(), limit))
        })
    }

    pub(crate) fn write(&self, batch: Vec<RecordWrite>) -> BoxFuture<'_, Result<Vec<u64>>> {
        if let Err(error) = check_batch(&batch) {
            return Box::pin(std::future::ready(Err(error)));
        }
        self.change(move |connection| documents::write(connection, &batch))
    }

    pub(crate) fn add(&self, adds: Vec<CounterAdd>, now: Timestamp) -> BoxFuture<'_, Result<Vec<u64>>> {
        self.change(move |connection| rates::add(connection, &adds, now))
    }

    pub(crate) fn take(
        &self,
        takes: Vec<RateTake>,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<RateAnswer>>> {
        self.change(move |connection| rates::take(connection, &takes, now))
    }

    pub(crate) fn acquire(
        &self,
        key: LeaseKey,
        owner: String,
        ttl_secs: u64,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Lease>>> {
        self.change(move |connection| leases::acquire(connection, key, owner, ttl_secs, now))
    }

    pub(crate) fn renew(&self, lease: Lease, ttl_secs: u64, now: Timestamp) -> BoxFuture<'_, Result<Lease>> {
        self.change(move |connection| leases::renew(connection, lease, ttl_secs, now))
    }

    pub(crate) fn release(&self, lease: Lease) -> BoxFuture<'_, Result<()>> {
        self.change(move |connection| leases::release(connection, &lease))
    }

    pub(crate) fn check(&self, key: LeaseKey, fence: u64) -> BoxFuture<'_, Result<()>> {
        let readers = self.readers.clone();
        blocking(move || {
            let newest = readers.run(|connection| leases::fence(connection, &key))?;
            if newest == Some(fence) { Ok(()) } else { Err(Error::StaleFence { name: key.name }) }
        })
    }
}
