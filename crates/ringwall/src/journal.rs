//! The audit log as the engine uses it: typed records in, indexes out; sealed as a Merkle log.
//!
//! Promises: a record is canonical JSON before it is appended; what could not be recorded is itself recorded when the
//! log returns (NIST SP 800-53 AU-5).

mod sealer;
mod terms;

use std::ops::Range;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use ringwall_audit::to_canonical;
use ringwall_store::{EventLog, LogEntry, LogQuery, Term};
use ringwall_types::{Administration, AuditRecord, RecordBody, TenantId, Timestamp};

use crate::Error;

pub use sealer::log_options;
pub(crate) use terms::{DECISION, IDEMPOTENCY, RESPONSE_KEY, THREAT_STAGE, threat_stage};

/// The audit log.
pub(crate) struct Journal {
    log: Arc<dyn EventLog>,
    gap: Mutex<Option<Gap>>,
}

/// What happened while nothing could be recorded.
#[derive(Clone, Copy, Debug)]
struct Gap {
    since: Timestamp,
    records: u64,
}

impl Journal {
    pub(crate) fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log, gap: Mutex::default() }
    }

    /// Whether something could not be recorded and that is not yet told.
    pub(crate) fn has_gap(&self) -> bool {
        self.gap.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Appends all records or none; they are durable when this returns.
    pub(crate) async fn append(&self, records: Vec<AuditRecord>) -> Result<Range<u64>, Error> {
        let Some(now) = records.iter().map(|record| record.recorded_at).max() else {
            return Ok(0..0);
        };
        let mut entries = records.iter().map(entry).collect::<Result<Vec<_>, Error>>()?;
        let lost = Gap { since: now, records: entries.len() as u64 };
        // Taken before the append, so that of two appends at once only one tells it.
        let gap = self.gap.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(gap) = gap {
            entries.push(entry(&gap.record(now))?);
        }
        match self.log.append(entries).await {
            Ok(mut range) => {
                range.end -= u64::from(gap.is_some());
                Ok(range)
            }
            Err(error) => {
                // What was refused for its own sake was not lost by the log.
                let lost = (!matches!(error, ringwall_store::Error::Limit(_))).then_some(lost);
                gap.into_iter().chain(lost).for_each(|gap| self.remember_gap(gap));
                Err(error.into())
            }
        }
    }

    fn remember_gap(&self, lost: Gap) {
        let mut gap = self.gap.lock().unwrap_or_else(PoisonError::into_inner);
        *gap = Some(gap.map_or(lost, |known| Gap {
            since: known.since.min(lost.since),
            records: known.records + lost.records,
        }));
    }

    /// The record at `index`, if it is the tenant's.
    pub(crate) async fn record(&self, tenant: &TenantId, index: u64) -> Result<Option<AuditRecord>, Error> {
        let entry = self.log.read(index, 1).await?.into_iter().next();
        let own = entry.filter(|entry| entry.index == index && entry.tenant == *tenant);
        own.map(|entry| parse(&entry.body)).transpose()
    }

    /// The newest record of the tenant that carries the term, with its index.
    pub(crate) async fn newest(
        &self,
        tenant: &TenantId,
        field: &'static str,
        value: &str,
    ) -> Result<Option<(u64, AuditRecord)>, Error> {
        let term = Term { field, value: value.to_owned() };
        let query = LogQuery { tenant: tenant.clone(), term, before: None, limit: 1 };
        match self.log.search(query).await?.first() {
            Some(&index) => Ok(self.record(tenant, index).await?.map(|record| (index, record))),
            None => Ok(None),
        }
    }
}

impl Gap {
    fn record(self, now: Timestamp) -> AuditRecord {
        let message = format!("{} records could not be written since {}", self.records, self.since);
        let body = RecordBody::Administration(Administration {
            act: "audit_gap".to_owned(),
            by: None,
            object: String::new(),
            message,
        });
        AuditRecord { tenant: TenantId::system(), recorded_at: now, body }
    }
}

/// A record as the log takes it; an error says why no log can.
pub(crate) fn entry(record: &AuditRecord) -> Result<LogEntry, Error> {
    let entry = LogEntry { tenant: record.tenant.clone(), body: to_canonical(record)? };
    entry.check()?;
    Ok(entry)
}

/// Reads a leaf back.
pub(crate) fn parse(leaf: &[u8]) -> Result<AuditRecord, Error> {
    serde_json::from_slice(leaf).map_err(|error| {
        ringwall_store::Error::Corrupt(format!("a leaf of the audit log cannot be read: {error}")).into()
    })
}

#[cfg(test)]
mod tests;
