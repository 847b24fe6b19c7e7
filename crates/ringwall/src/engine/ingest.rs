//! Events in: each line is read for itself, recorded, and judged by detection before the call returns.

use std::time::Duration;

use ringwall_detect::{Format, Parsed, Reading, read_lines};
use ringwall_types::{AuditRecord, EventFlag, RecordBody, SecurityEvent, SourceName, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Caller, Engine};
use crate::Error;
use crate::journal::entry;

/// The most lines of one call.
const LINES_MAX: usize = 100_000;
/// The most rejected lines that are listed; the others are counted.
const REJECTED_LISTED_MAX: u64 = 1000;
/// After how many lines others get their turn.
const YIELD_LINES: usize = 256;
/// How many events are appended at once.
const BATCH_EVENTS: usize = 512;
/// How long a call waits for detection to have judged its events.
const DETECTION_WAIT: Duration = Duration::from_secs(10);

/// What became of an upload.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub struct IngestReport {
    /// How many events are durable.
    pub accepted: u64,
    /// How many lines were refused.
    pub rejected: u64,
    /// How many lines are no event, for example empty ones.
    pub unrelated: u64,
    /// Whether detection has judged all of them: then their threats bind on the next decision.
    pub detected: bool,
    /// Why the rest could not be stored, as an error code; those lines are rejected, and can be sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Each line that was accepted, and the first 1000 that were rejected.
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
        let lines = bytes.split(|byte| *byte == b'\n').count();
        if lines > LINES_MAX {
            return Err(Error::Invalid(format!("{lines} lines; send at most {LINES_MAX} at once")));
        }
        let now = self.clock.now();
        let reading = Reading { source, ..Reading::new(caller.tenant.clone(), now) };
        let mut report = IngestReport::default();
        let mut batch = Vec::with_capacity(BATCH_EVENTS);
        for (read, (line, parsed)) in read_lines(format, bytes, &reading).enumerate() {
            match parsed {
                Ok(Parsed::Event(event)) => match self.record_of(*event, now) {
                    Ok(record) => batch.push((line, record)),
                    Err(error) => report.reject(line, error.to_string()),
                },
                Ok(Parsed::Unrelated) => report.unrelated += 1,
                Err(error) => report.reject(line, error.error.to_string()),
            }
            if read % YIELD_LINES == 0 {
                // Reading is work; others wait for this thread too.
                tokio::task::yield_now().await;
            }
            if batch.len() == BATCH_EVENTS {
                self.append_events(std::mem::take(&mut batch), &mut report).await;
            }
        }
        self.append_events(batch, &mut report).await;
        report.detected = self.wait_for_detection(report.newest_index()).await;
        report.lines.sort_by_key(LineOutcome::line);
        Ok(report)
    }

    /// The record of an event. One that is dated too far ahead counts at its arrival, keeps what it claimed as an
    /// attribute, and is flagged; one that no log can hold is refused.
    fn record_of(&self, mut event: SecurityEvent, now: Timestamp) -> Result<AuditRecord, Error> {
        let skew_secs =
            self.config.detection.limits.clock_skew_secs.and_then(|secs| i64::try_from(secs).ok());
        if skew_secs.is_some_and(|skew_secs| event.time > now.saturating_add_secs(skew_secs)) {
            event.attributes.insert("claimed_time", event.time.to_string());
            event.flags.insert(EventFlag::TimeClamped);
            event.time = now;
        }
        let record =
            AuditRecord { tenant: event.tenant.clone(), recorded_at: now, body: RecordBody::Event(event) };
        entry(&record)?;
        Ok(record)
    }

    /// Appends a batch, unless storing has failed before: then trying again line by line would only take longer.
    async fn append_events(&self, batch: Vec<(u64, AuditRecord)>, report: &mut IngestReport) {
        let (lines, records): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let appended = match &report.fault {
            None if records.is_empty() => return,
            None => self.journal.append(records).await.map_err(|error| {
                tracing::error!(code = error.code(), %error, "events could not be stored");
                error.code().to_owned()
            }),
            Some(fault) => Err(fault.clone()),
        };
        match appended {
            Ok(range) => range.zip(lines).for_each(|(index, line)| report.accept(line, index)),
            Err(fault) => {
                lines
                    .into_iter()
                    .for_each(|line| report.reject(line, format!("could not be stored: {fault}")));
                report.fault = Some(fault);
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
        if self.rejected > REJECTED_LISTED_MAX {
            return;
        }
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
