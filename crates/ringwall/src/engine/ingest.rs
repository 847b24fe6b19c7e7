//! Events in: each line is read for itself, recorded, and judged by detection before the call returns.

use std::time::Duration;

use ringwall_detect::{Format, Parsed, Reading, read_lines};
use ringwall_types::{AuditRecord, RecordBody, SecurityEvent, SourceName, TenantId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Caller, Engine};
use crate::Error;

/// How many events are appended at once.
const BATCH_EVENTS: usize = 512;
/// How long a call waits for detection to have judged its events.
const DETECTION_WAIT: Duration = Duration::from_secs(10);

/// What became of an upload.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct IngestReport {
    /// How many events are durable.
    pub accepted: u64,
    /// How many lines were refused.
    pub rejected: u64,
    /// How many lines are no event, for example empty ones.
    pub unrelated: u64,
    /// Whether detection has judged all of them: then their threats bind on the next decision.
    pub detected: bool,
    /// Each line that is an event or should have been one.
    pub lines: Vec<LineOutcome>,
}

/// What became of one line.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LineOutcome {
    /// Its event is durable.
    Accepted {
        /// The line, from 1.
        line: u64,
        /// Its place in the log.
        index: u64,
    },
    /// Nothing of it was kept.
    Rejected {
        /// The line, from 1.
        line: u64,
        /// Why.
        reason: String,
    },
}

impl Engine {
    /// Takes lines of events for the caller's tenant. A bad line never costs the next one.
    pub async fn ingest(
        &self,
        caller: &Caller,
        format: Format,
        source: Option<SourceName>,
        bytes: &[u8],
    ) -> Result<IngestReport, Error> {
        let now = self.clock.now();
        let reading = Reading { source, ..Reading::new(caller.tenant.clone(), now) };
        let mut report =
            IngestReport { accepted: 0, rejected: 0, unrelated: 0, detected: true, lines: Vec::new() };
        let mut batch = Vec::with_capacity(BATCH_EVENTS);
        for (line, parsed) in read_lines(format, bytes, &reading) {
            match parsed {
                Ok(Parsed::Event(event)) => batch.push((line, *event)),
                Ok(Parsed::Unrelated) => report.unrelated += 1,
                Err(error) => report.reject(line, error.error.to_string()),
            }
            if batch.len() == BATCH_EVENTS {
                self.append_events(&caller.tenant, now, std::mem::take(&mut batch), &mut report).await;
            }
        }
        self.append_events(&caller.tenant, now, batch, &mut report).await;
        report.detected = self.wait_for_detection(report.newest_index()).await;
        report.lines.sort_by_key(LineOutcome::line);
        Ok(report)
    }

    /// Appends a batch; if it is refused as a whole because of one event, each event for itself.
    async fn append_events(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        batch: Vec<(u64, SecurityEvent)>,
        report: &mut IngestReport,
    ) {
        if batch.is_empty() {
            return;
        }
        let record = |event: &SecurityEvent| AuditRecord {
            tenant: tenant.clone(),
            recorded_at: now,
            body: RecordBody::Event(event.clone()),
        };
        match self.journal.append(batch.iter().map(|(_, event)| record(event)).collect()).await {
            Ok(range) => range.zip(batch).for_each(|(index, (line, _))| report.accept(line, index)),
            Err(error)
                if batch.len() == 1 || matches!(&error, Error::Store(error) if error.is_retryable()) =>
            {
                batch.iter().for_each(|(line, _)| report.reject(*line, error.to_string()));
            }
            Err(_) => {
                for (line, event) in &batch {
                    match self.journal.append(vec![record(event)]).await {
                        Ok(range) => report.accept(*line, range.start),
                        Err(error) => report.reject(*line, error.to_string()),
                    }
                }
            }
        }
    }

    /// Waits until detection has worked up to `index`; `false` when it takes too long.
    pub(crate) async fn wait_for_detection(&self, index: Option<u64>) -> bool {
        let Some(index) = index else { return true };
        let mut followed = self.followed.subscribe();
        let judged = followed.wait_for(|next| *next > index);
        matches!(tokio::time::timeout(DETECTION_WAIT, judged).await, Ok(Ok(_)))
    }
}

impl IngestReport {
    fn accept(&mut self, line: u64, index: u64) {
        self.accepted += 1;
        self.lines.push(LineOutcome::Accepted { line, index });
    }

    fn reject(&mut self, line: u64, reason: String) {
        self.rejected += 1;
        self.lines.push(LineOutcome::Rejected { line, reason });
    }

    fn newest_index(&self) -> Option<u64> {
        let index = |outcome: &LineOutcome| match outcome {
            LineOutcome::Accepted { index, .. } => Some(*index),
            LineOutcome::Rejected { .. } => None,
        };
        self.lines.iter().filter_map(index).max()
    }
}

impl LineOutcome {
    fn line(&self) -> u64 {
        match self {
            Self::Accepted { line, .. } | Self::Rejected { line, .. } => *line,
        }
    }
}
