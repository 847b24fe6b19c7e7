//! Detection follows the log: every recorded event is judged once, in order, and what it leads to is recorded.
//!
//! Promises: after a crash detection goes on from its last snapshot and the log behind it, and nothing that it did
//! before is done twice, because every threat stage and every response is looked up in the log before it is written.
//! A refusal that ringwall itself caused is never evidence.

mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ringwall_detect::{Detector, ResponsePolicy, ThreatChange, plan};
use ringwall_store::{Expect, RecordKey, RecordWrite, StoredEntry};
use ringwall_types::{
    AuditRecord, Decision, DecisionRecord, EventKind, Outcome, RecordBody, Response, SecurityEvent, TenantId,
    Threat, ThreatId, ThreatStatus, Timestamp,
};

use super::Engine;
use crate::Error;
use crate::clock::hex_id;
use crate::config::ResponseMode;
use crate::journal::{THREAT_STAGE, parse, threat_stage};
use crate::tenants::THREAT_KIND;

/// How many entries are judged before what they led to is written.
const BATCH_ENTRIES: usize = 500;
/// After how many entries the detector's state is saved.
const SNAPSHOT_ENTRIES: u64 = 20_000;
/// How often threats are looked at that time alone closes, and how long a failed step waits.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_MICROS: i64 = 30_000_000;
const RETRY: Duration = Duration::from_secs(1);

/// When the newest upload of each tenant was recorded. Each upload without a source is a time line of its own, so that
/// old events that are sent late are judged like any others.
type Batches = BTreeMap<TenantId, Timestamp>;

/// What a batch of entries led to.
#[derive(Default)]
pub(crate) struct Changed {
    /// Each threat's last state, in order of the ids.
    pub(crate) threats: BTreeMap<ThreatId, Threat>,
    /// Threats that are part of another one now.
    pub(crate) merged: BTreeSet<ThreatId>,
}

impl Engine {
    /// Follows the log until `stop` is set; then saves the detector's state. Errors end nothing: a step that fails is
    /// tried again.
    pub async fn follow(self: Arc<Self>, mut stop: tokio::sync::watch::Receiver<bool>) {
        let (mut detector, mut next) = match self.restored().await {
            Ok(restored) => restored,
            Err(error) => {
                tracing::error!(code = error.code(), %error, "the detector's state cannot be read; judging from the start");
                (self.new_detector(), 0)
            }
        };
        let mut saved = next;
        let mut batches = Batches::default();
        let mut closed_at = self.clock.now();
        self.followed.send_replace(next);
        let mut size = self.stores.log.size();
        while !*stop.borrow() {
            let now = self.clock.now();
            if now.micros_since(closed_at) > IDLE_MICROS {
                closed_at = now;
                self.report(self.close_what_is_over(&mut detector).await);
            }
            match self.step(&mut detector, &mut batches, next).await {
                Ok(after) if after > next => {
                    next = after;
                    self.followed.send_replace(next);
                    self.watch_pressure(&detector);
                }
                Ok(_) => {
                    if next - saved >= SNAPSHOT_ENTRIES {
                        saved = self.save(&detector, next).await.unwrap_or(saved);
                    }
                    tokio::select! {
                        _ = tokio::time::timeout(IDLE, size.wait_for(|size| *size > next)) => {}
                        _ = stop.changed() => {}
                    }
                }
                Err(error) => {
                    self.report(Err(error));
                    // The detector has seen entries whose effects were not written: take up the last saved state.
                    match self.restored().await {
                        Ok(restored) => (detector, next) = restored,
                        Err(error) => self.report(Err(error)),
                    }
                    let _ = tokio::time::timeout(RETRY, stop.changed()).await;
                }
            }
        }
        self.report(self.save(&detector, next).await.map(drop));
    }

    async fn close_what_is_over(&self, detector: &mut Detector) -> Result<(), Error> {
        // Only `Closed` changes come of time alone, and each names its tenant.
        for threat in collect(detector.advance(self.clock.now())).threats.into_values() {
            let tenant = threat.tenant.clone();
            self.enact(&tenant, collect([ThreatChange::Closed(threat)])).await?;
        }
        Ok(())
    }

    fn report(&self, result: Result<(), Error>) {
        if let Err(error) = result {
            tracing::error!(code = error.code(), %error, "detection is behind");
        }
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

    /// Judges the entries from `next` on and writes what they lead to; gives the index after the last one.
    async fn step(&self, detector: &mut Detector, batches: &mut Batches, next: u64) -> Result<u64, Error> {
        let entries = self.stores.log.read(next, BATCH_ENTRIES).await?;
        let Some(last) = entries.last() else { return Ok(next) };
        let after = last.index + 1;
        let mut changes: BTreeMap<TenantId, Vec<ThreatChange>> = BTreeMap::new();
        for entry in &entries {
            match event_of(entry) {
                Ok(Some((event, arrival))) => {
                    if batches.insert(entry.tenant.clone(), arrival) != Some(arrival) {
                        detector.start_batch(&entry.tenant);
                    }
                    let found = detector.observe(entry.index, &event, arrival).changes;
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
        Ok(after)
    }

    /// Writes what changed for one tenant, then responds to what is open.
    async fn enact(&self, tenant: &TenantId, changed: Changed) -> Result<(), Error> {
        for threat in self.note_all(tenant, changed).await? {
            self.answer_threat(&threat).await?;
        }
        Ok(())
    }

    /// Writes what changed for one tenant; gives the threats that are open.
    pub(crate) async fn note_all(&self, tenant: &TenantId, changed: Changed) -> Result<Vec<Threat>, Error> {
        let mut threats = changed.threats;
        for id in changed.merged {
            let known = match threats.remove(&id) {
                Some(threat) => Some(threat),
                None => self.stored_threat(tenant, &id).await?,
            };
            threats.extend(known.map(|threat| (id, Threat { status: ThreatStatus::Closed, ..threat })));
        }
        self.note(threats.values()).await?;
        Ok(threats.into_values().filter(|threat| threat.status == ThreatStatus::Open).collect())
    }

    /// Records new stages of threats, then keeps their newest state.
    async fn note(&self, threats: impl Iterator<Item = &Threat>) -> Result<(), Error> {
        let threats: Vec<_> = threats.collect();
        let mut writes = Vec::with_capacity(threats.len());
        for threat in &threats {
            let stage = threat_stage(threat);
            if self.journal.newest(&threat.tenant, THREAT_STAGE, &stage).await?.is_none() {
                self.record(&threat.tenant, vec![RecordBody::Threat((*threat).clone())]).await?;
                tracing::warn!(
                    tenant = %threat.tenant, threat = %threat.id, rule = %threat.rule, severity = %threat.severity,
                    subject = %threat.subject, status = %threat.status, "threat"
                );
            }
            let key = RecordKey::new(threat.tenant.clone(), THREAT_KIND, threat.id.as_str());
            let body = serde_json::to_vec(threat).map_err(|error| Error::Invalid(error.to_string()))?;
            writes.push(RecordWrite { key, expect: Expect::Any, body: Some(body) });
        }
        for batch in writes.chunks(ringwall_store::BATCH_MAX) {
            self.stores.records.write(batch.to_vec()).await?;
        }
        for threat in threats {
            self.tenant(&threat.tenant).await?.note_threat(threat);
        }
        Ok(())
    }

    async fn answer_threat(&self, threat: &Threat) -> Result<Vec<Response>, Error> {
        let settings = &self.config.response;
        let policy = ResponsePolicy {
            actions: settings.actions.clone(),
            severity_threshold: settings.severity_threshold,
            confidence_threshold: settings.confidence_threshold,
            ttl_secs: settings.ttl_secs,
        };
        self.respond_by(&policy, threat).await
    }

    /// What `policy` asks to be done about `threat`, without doing it.
    pub(crate) fn planned(&self, policy: &ResponsePolicy, threat: &Threat) -> Vec<Response> {
        let now = self.clock.now();
        let simulated = |plan: ringwall_types::ResponsePlan| {
            let id = hex_id("rsp_", &crate::ids::make_id(plan.idempotency_key.as_str().as_bytes()));
            Some(Response {
                id: ringwall_types::ResponseId::new(id).ok()?,
                tenant: threat.tenant.clone(),
                plan,
                status: ringwall_types::ResponseStatus::Simulated,
                reason: "planned_only".to_owned(),
                time: now,
                expires_at: None,
            })
        };
        plan(threat, policy).into_iter().filter_map(simulated).collect()
    }

    /// Carries out what `policy` asks to be done about `threat`.
    pub(crate) async fn respond_by(
        &self,
        policy: &ResponsePolicy,
        threat: &Threat,
    ) -> Result<Vec<Response>, Error> {
        if self.config.response.mode == ResponseMode::Off {
            return Ok(Vec::new());
        }
        let mut responses = Vec::new();
        for plan in plan(threat, policy) {
            responses.push(self.respond(&threat.tenant, plan, threat).await?);
        }
        Ok(responses)
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
    leaf.starts_with(br#"{"body":{"record":"decision","#) && leaf.windows(ALLOW.len()).any(|part| part == ALLOW)
}

/// A refusal is evidence unless a response caused it: else a block would find evidence for itself for ever.
fn is_evidence(decision: &DecisionRecord) -> bool {
    const OURS: [&str; 4] = ["address_blocked", "principal_locked", "principal_quarantined", "layer_failed"];
    let verdict = &decision.verdict;
    verdict.decision() == Decision::Deny
        && !verdict.reasons().iter().any(|reason| OURS.contains(&reason.code.as_str()))
}

#[cfg(test)]
mod tests {
    use ringwall_types::{DecisionId, Finding, Layer, Reason, RiskScore, Verdict};

    use super::*;

    fn leaf(trail: Vec<Finding>, action: &str) -> Vec<u8> {
        let time = Timestamp::from_micros(0).unwrap();
        let id = DecisionId::new("dec_1").unwrap();
        let record = DecisionRecord {
            principal: r#"","verdict":{"decision":"allow","x"#.parse().unwrap(),
            principal_kind: ringwall_types::PrincipalKind::User,
            action: action.parse().unwrap(),
            resource: "r".parse().unwrap(),
            resource_kind: String::new(),
            source_ip: None,
            idempotency_key: None,
            request_digest: ringwall_types::Digest::new([0; 32]),
            faults: Vec::new(),
            verdict: Verdict::join(id, TenantId::initial(), time, 1, trail),
        };
        let body = RecordBody::Decision(record);
        ringwall_audit::to_canonical(&AuditRecord { tenant: TenantId::initial(), recorded_at: time, body }).unwrap()
    }

    fn denied(code: &str) -> Vec<Finding> {
        vec![Finding::deny(Layer::Application, RiskScore::MAX, Reason::new(code, "because"))]
    }

    fn event(leaf: Vec<u8>) -> Option<SecurityEvent> {
        let entry = StoredEntry { index: 0, tenant: TenantId::initial(), body: leaf, hash: [0; 32] };
        event_of(&entry).unwrap().map(|(event, _)| event)
    }

    #[test]
    fn an_allow_is_told_from_a_denial_whatever_names_are_in_it() {
        assert!(is_plain_allow(&leaf(vec![Finding::pass(Layer::Application)], "a:b")));
        assert!(!is_plain_allow(&leaf(denied("policy_deny"), "a:b")));
    }

    #[test]
    fn a_refusal_is_evidence_unless_a_response_caused_it() {
        assert_eq!(event(leaf(denied("policy_deny"), "a:b")).unwrap().outcome, Outcome::Failure);
        for ours in ["address_blocked", "principal_locked", "principal_quarantined", "layer_failed"] {
            assert!(event(leaf(denied(ours), "a:b")).is_none(), "{ours}");
        }
        assert!(event(leaf(vec![Finding::pass(Layer::Application)], "a:b")).is_none());
    }
}
