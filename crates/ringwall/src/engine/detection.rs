//! Detection follows the log: every recorded event is judged once, in order, and what it leads to is recorded.
//!
//! Promises: after a crash, and after any error, detection goes on from its last saved state and the log behind it, and
//! nothing that it did before is done twice, because every threat stage and every response is looked up in the log before
//! it is written. A refusal that ringwall itself caused is never evidence.

mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ringwall_detect::{Detector, ThreatChange};
use ringwall_store::StoredEntry;
use ringwall_types::{
    AuditRecord, Decision, DecisionRecord, EventKind, Layer, Outcome, RecordBody, SecurityEvent, SourceName,
    TenantId, Threat, ThreatId, Timestamp,
};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Engine;
use crate::Error;
use crate::journal::parse;

/// How many entries are judged before what they led to is written.
const BATCH_ENTRIES: usize = 500;
/// After how many entries the detector's state is saved.
const SNAPSHOT_ENTRIES: u64 = 20_000;
/// How often threats are looked at that time alone closes.
const CLOSING: Duration = Duration::from_secs(30);
/// How long detection waits after an error.
const RETRY: Duration = Duration::from_secs(1);
/// The feed of ringwall's own refusals.
const OWN_FEED: &str = "ringwall";

/// What a batch of entries led to.
#[derive(Default)]
pub(crate) struct Changed {
    /// Each threat's last state, in order of the ids.
    pub(crate) threats: BTreeMap<ThreatId, Threat>,
    /// Threats that are part of another one now.
    pub(crate) merged: BTreeSet<ThreatId>,
}

/// Detection at one place of the log.
struct Follower {
    detector: Detector,
    /// The index of the next entry to judge.
    next: u64,
    /// The index up to which the state is saved.
    saved: u64,
    closed_at: Timestamp,
    /// When the newest upload without a source was recorded, by tenant. Each is a time line of its own, so that old
    /// events are judged whenever they are sent.
    uploads: BTreeMap<TenantId, Timestamp>,
}

impl Engine {
    /// Follows the log until `stop` is set; then saves the detector's state.
    ///
    /// Nothing ends it before, not even a panic: that is told by [`Engine::faults`], and detection begins anew from the
    /// last saved state.
    pub async fn follow(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        // A set ends its task with itself, so whoever drops this future ends detection.
        let mut task = JoinSet::new();
        task.spawn(self.clone().follow_once(stop.clone()));
        while let Some(Err(died)) = task.join_next().await {
            self.detection_died.store(true, Ordering::Relaxed);
            tracing::error!(%died, "detection died; it begins anew from its last saved state");
            let _ = tokio::time::timeout(RETRY, stop.changed()).await;
            task.spawn(self.clone().follow_once(stop.clone()));
        }
    }

    /// Errors end nothing. After one, the detector may know entries whose effects were not written, so detection goes on
    /// from the last saved state.
    async fn follow_once(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut size = self.stores.log.size();
        let mut follower = None;
        // Whoever drops the sender wants no more detection either.
        while !*stop.borrow() && stop.has_changed().is_ok() {
            let Err(error) = self.judge_new(&mut follower).await else {
                let next = follower.as_ref().map_or(0, |follower| follower.next);
                tokio::select! {
                    _ = tokio::time::timeout(CLOSING, size.wait_for(|size| *size > next)) => {}
                    _ = stop.changed() => {}
                }
                continue;
            };
            tracing::error!(code = error.code(), %error, "detection is behind");
            follower = None;
            // Over before its time only when `stop` is set.
            let _ = tokio::time::timeout(RETRY, stop.changed()).await;
        }
        let Some(follower) = follower else { return };
        if let Err(error) = self.save(&follower.detector, follower.next).await {
            tracing::error!(code = error.code(), %error, "the detector's state could not be saved");
        }
    }

    /// Judges everything that is in the log, taking up the saved state first if need be.
    async fn judge_new(&self, follower: &mut Option<Follower>) -> Result<(), Error> {
        let follower = match follower {
            Some(follower) => follower,
            none => {
                let (detector, next) = self.restored().await?;
                let (closed_at, uploads) = (self.clock.now(), BTreeMap::new());
                none.insert(Follower { detector, next, saved: next, closed_at, uploads })
            }
        };
        self.followed.send_replace(follower.next);
        while self.step(follower).await? {
            self.followed.send_replace(follower.next);
            self.watch_pressure(&follower.detector);
            if follower.next - follower.saved >= SNAPSHOT_ENTRIES {
                follower.saved = self.save(&follower.detector, follower.next).await?;
            }
        }
        let now = self.clock.now();
        if now.micros_since(follower.closed_at) >= i64::try_from(CLOSING.as_micros()).unwrap_or(i64::MAX) {
            follower.closed_at = now;
            self.close_what_is_over(&mut follower.detector).await?;
        }
        Ok(())
    }

    /// Judges the next entries and writes what they lead to; `false` when there are none.
    async fn step(&self, follower: &mut Follower) -> Result<bool, Error> {
        let entries = self.stores.log.read(follower.next, BATCH_ENTRIES).await?;
        let Some(last) = entries.last() else { return Ok(false) };
        let mut changes: BTreeMap<TenantId, Vec<ThreatChange>> = BTreeMap::new();
        for entry in &entries {
            match event_of(entry) {
                Ok(Some((event, arrival))) => {
                    let found = follower.observe(entry.index, &event, arrival);
                    if !found.is_empty() {
                        changes.entry(entry.tenant.clone()).or_default().extend(found);
                    }
                }
                Ok(None) => {}
                // A leaf that no ringwall wrote: `log verify` names it, and it must not hold up the rest.
                Err(error) => tracing::error!(index = entry.index, %error, "a log entry cannot be judged"),
            }
        }
        for (tenant, changes) in changes {
            self.enact(&tenant, collect(changes)).await?;
        }
        follower.next = last.index + 1;
        Ok(true)
    }

    async fn close_what_is_over(&self, detector: &mut Detector) -> Result<(), Error> {
        // Only `Closed` changes come of time alone, and each names its tenant.
        for threat in collect(detector.advance(self.clock.now())).threats.into_values() {
            let tenant = threat.tenant.clone();
            self.enact(&tenant, collect([ThreatChange::Closed(threat)])).await?;
        }
        Ok(())
    }

    /// Writes what changed for one tenant, then responds to what is open.
    async fn enact(&self, tenant: &TenantId, changed: Changed) -> Result<(), Error> {
        let open = self.note_threats(tenant, changed).await?;
        self.respond_by(&self.config.response.policy(), tenant, &open).await.map(drop)
    }

    /// Tells an operator, once for each growth, that detection had to forget subjects.
    fn watch_pressure(&self, detector: &Detector) {
        let metrics = detector.metrics();
        let before = self.detection.send_replace(metrics);
        if metrics.evicted > before.evicted {
            for pressure in detector.pressure() {
                tracing::warn!(
                    tenant = %pressure.tenant, rule = %pressure.rule, subjects = pressure.subjects,
                    evicted = pressure.evicted, "state pressure: detection forgets subjects; somebody may be flooding it"
                );
            }
        }
    }

    /// What detection has counted since the server started.
    pub fn detection_metrics(&self) -> ringwall_detect::Metrics {
        *self.detection.borrow()
    }

    /// How many entries detection is behind the log.
    pub fn detection_lag(&self) -> u64 {
        self.stores.log.size().borrow().saturating_sub(*self.followed.borrow())
    }

    fn new_detector(&self) -> Detector {
        Detector::new(&self.rules, self.config.detection.limits.clone(), crate::ids::make_id)
    }
}

impl Follower {
    fn observe(&mut self, index: u64, event: &SecurityEvent, arrival: Timestamp) -> Vec<ThreatChange> {
        if event.source.is_none() && self.uploads.insert(event.tenant.clone(), arrival) != Some(arrival) {
            self.detector.start_batch(&event.tenant);
        }
        self.detector.observe(index, event, arrival).changes
    }
}

/// What many changes come to.
pub(crate) fn collect(changes: impl IntoIterator<Item = ThreatChange>) -> Changed {
    let mut changed = Changed::default();
    for change in changes {
        match change {
            ThreatChange::Opened(threat) | ThreatChange::Updated(threat) | ThreatChange::Closed(threat) => {
                changed.threats.insert(threat.id.clone(), threat);
            }
            ThreatChange::Merged { id, .. } => drop(changed.merged.insert(id)),
        }
    }
    changed
}

/// What detection sees of an entry: reported events, and refusals of the engine that no response caused.
fn event_of(entry: &StoredEntry) -> Result<Option<(SecurityEvent, Timestamp)>, Error> {
    if is_plain_allow(&entry.body) {
        return Ok(None);
    }
    let AuditRecord { tenant, recorded_at, body } = parse(&entry.body)?;
    let event = match body {
        RecordBody::Event(event) => event,
        RecordBody::Decision(decision) if is_evidence(&decision) => SecurityEvent {
            outcome: Outcome::Failure,
            name: decision.action.to_string(),
            principal: Some(decision.principal),
            source_ip: decision.source_ip,
            resource: Some(decision.resource),
            source: SourceName::new(OWN_FEED).ok(),
            ..SecurityEvent::new(tenant, recorded_at, EventKind::Access)
        },
        _ => return Ok(None),
    };
    Ok(Some((event, recorded_at)))
}

/// Whether a leaf is the record of an Allow, told without parsing it: most leaves of a busy log are.
///
/// Exact, because leaves are canonical JSON: keys are sorted, nothing is between them, and inside a text every quotation
/// mark is escaped.
fn is_plain_allow(leaf: &[u8]) -> bool {
    const ALLOW: &[u8] = br#""verdict":{"decision":"allow","#;
    leaf.starts_with(br#"{"body":{"record":"decision","#)
        && leaf.windows(ALLOW.len()).any(|part| part == ALLOW)
}

/// A refusal is evidence unless a response caused it, else a block would find evidence for itself for ever; nor is one
/// that was given because a layer failed.
fn is_evidence(decision: &DecisionRecord) -> bool {
    let verdict = &decision.verdict;
    let by_response = verdict.trail().iter().any(|finding| {
        finding.layer == Layer::Perimeter && finding.reasons.iter().any(|reason| reason.threat.is_some())
    });
    verdict.decision() == Decision::Deny && !by_response && decision.faults.is_empty()
}

#[cfg(test)]
mod tests;
