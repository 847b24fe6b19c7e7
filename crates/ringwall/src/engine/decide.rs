//! Gather → judge → act, for one request.

use std::sync::{Arc, PoisonError};

use ringwall_types::{
    AccessRequest, AuditRecord, DecisionId, DecisionRecord, Digest, Finding, IdempotencyKey, Layer, Reason,
    RecordBody, RiskScore, TenantId, Timestamp, Verdict,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Caller, Engine, Turn};
use crate::Error;
use crate::error::to_json;
use crate::facts::{Facts, settled};
use crate::ids::{hex_id, sha256};
use crate::journal::{DECISION, IDEMPOTENCY};
use crate::judge::{judge, needs};

/// A verdict with its place in the audit log.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Answer {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Where it is recorded. Absent only for a Deny that was given because it could not be recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
}

impl Engine {
    /// Answers an access request, and records the answer before giving it.
    ///
    /// A denial is an answer. Errors: [`Error::Invalid`], [`Error::ClockSkew`], [`Error::IdempotencyConflict`]; whatever
    /// goes wrong inside becomes a Deny, except that without randomness there is no answer at all.
    pub async fn decide(&self, caller: &Caller, request: AccessRequest) -> Result<Answer, Error> {
        request.check()?;
        let now = self.clock.now();
        self.check_skew(&request, now)?;
        let digest = request_digest(&caller.tenant, &request)?;
        let Some(key) = request.idempotency_key.clone() else {
            return self.answer(caller, request, digest, now, None).await;
        };
        let turn = self.turn(&caller.tenant, &key);
        let _turn = turn.lock().await;
        let before = match self.answer_before(&caller.tenant, &key, now).await {
            Ok(before) => before,
            // Whether this was answered before cannot be told, so it must not be answered twice.
            Err(error) => return self.unrecorded(caller, now, &error),
        };
        if before.as_ref().is_some_and(|(_, record)| record.request_digest != digest) {
            return Err(Error::IdempotencyConflict);
        }
        self.answer(caller, request, digest, now, before).await
    }

    /// The recorded answer with this id, if it is the caller's tenant's.
    pub async fn decision(&self, caller: &Caller, id: &DecisionId) -> Result<(u64, DecisionRecord), Error> {
        match self.journal.newest(&caller.tenant, DECISION, id.as_str()).await? {
            Some((index, AuditRecord { body: RecordBody::Decision(record), .. })) => Ok((index, record)),
            _ => Err(Error::NotFound(format!("there is no decision `{id}`"))),
        }
    }

    fn check_skew(&self, request: &AccessRequest, now: Timestamp) -> Result<(), Error> {
        let Some(time) = request.environment.time else { return Ok(()) };
        let skew_secs = time.micros_since(now).unsigned_abs().div_ceil(1_000_000);
        let skew_secs_max = self.config.decision.clock_skew_secs_max;
        if skew_secs > skew_secs_max { Err(Error::ClockSkew { skew_secs, skew_secs_max }) } else { Ok(()) }
    }

    async fn answer(
        &self,
        caller: &Caller,
        request: AccessRequest,
        digest: Digest,
        now: Timestamp,
        before: Option<(u64, DecisionRecord)>,
    ) -> Result<Answer, Error> {
        let request = settled(request, &caller.tenant, now);
        let facts = self.gather(&request, &caller.tenant, now).await;
        let id = DecisionId::new(hex_id("dec_", &self.entropy.id_bytes()?))?;
        let (verdict, faults) = judge(id, &request, &facts);
        // A repeated request gets its recorded answer only while that still is the answer, obligations and all.
        let still_holds = |record: &DecisionRecord| {
            record.verdict.decision() == verdict.decision()
                && record.verdict.obligations() == verdict.obligations()
        };
        if let Some((index, record)) = before.filter(|(_, record)| still_holds(record)) {
            return Ok(Answer { verdict: record.verdict.confirmed_by(&verdict), log_index: Some(index) });
        }
        Ok(self.act(&request, digest, verdict, faults).await)
    }

    /// Reads what the layers need; what cannot be read stays absent.
    async fn gather(&self, request: &AccessRequest, tenant: &TenantId, now: Timestamp) -> Facts {
        let needs = needs();
        let state = self.tenant(tenant).await;
        if let Err(error) = &state {
            tracing::error!(%tenant, code = error.code(), %error, "facts cannot be read");
        }
        let state = state.ok();
        let responses = || {
            let mut responses = state.as_ref()?.responses_about(request, now);
            let allow_list = &self.config.response.allow_list;
            // Whoever is on the list is not bound by the address either: it may be their only way in.
            if allow_list.principals.contains(&request.principal.id) {
                responses.clear();
            }
            responses.retain(|response| {
                !response.plan.target.as_ref().is_some_and(|target| allow_list.holds(target))
            });
            Some(responses)
        };
        Facts {
            now,
            tenant: tenant.clone(),
            responses: needs.responses.then(responses).flatten(),
            policies: needs
                .policies
                .then(|| state.as_ref().map(|state| state.policies.load_full()))
                .flatten(),
            threats: needs
                .threats
                .then(|| state.as_ref().map(|state| state.threats_about(request)))
                .flatten(),
        }
    }

    /// Records the verdict, audit first: one that cannot be recorded is a Deny, whatever it was.
    async fn act(
        &self,
        request: &AccessRequest,
        digest: Digest,
        verdict: Verdict,
        faults: Vec<String>,
    ) -> Answer {
        let record = DecisionRecord {
            principal: request.principal.id.clone(),
            principal_kind: request.principal.kind,
            action: request.action.clone(),
            resource: request.resource.id.clone(),
            resource_kind: request.resource.kind.clone(),
            source_ip: request.environment.source_ip,
            idempotency_key: request.idempotency_key.clone(),
            request_digest: digest,
            faults,
            verdict: verdict.clone(),
        };
        let body = RecordBody::Decision(record);
        let record = AuditRecord { tenant: verdict.tenant().clone(), recorded_at: verdict.time(), body };
        match self.journal.append(vec![record]).await {
            Ok(range) => Answer { verdict, log_index: Some(range.start) },
            Err(error) => {
                tracing::error!(code = error.code(), %error, "a decision could not be recorded");
                let mut trail = verdict.trail().to_vec();
                trail.push(audit_unavailable());
                let (id, tenant) = (verdict.decision_id().clone(), verdict.tenant().clone());
                let verdict = Verdict::join(id, tenant, verdict.time(), verdict.policy_epoch(), trail);
                Answer { verdict, log_index: None }
            }
        }
    }

    /// The Deny that is given when the log cannot be asked.
    fn unrecorded(&self, caller: &Caller, now: Timestamp, error: &Error) -> Result<Answer, Error> {
        tracing::error!(code = error.code(), %error, "the audit log cannot be asked");
        let id = DecisionId::new(hex_id("dec_", &self.entropy.id_bytes()?))?;
        let verdict = Verdict::join(id, caller.tenant.clone(), now, 0, vec![audit_unavailable()]);
        Ok(Answer { verdict, log_index: None })
    }

    async fn answer_before(
        &self,
        tenant: &TenantId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<(u64, DecisionRecord)>, Error> {
        let Some((index, record)) = self.journal.newest(tenant, IDEMPOTENCY, key.as_str()).await? else {
            return Ok(None);
        };
        let age_micros = now.micros_since(record.recorded_at);
        let is_remembered =
            u64::try_from(age_micros).unwrap_or(0) / 1_000_000 < self.config.decision.idempotency_secs;
        match record.body {
            RecordBody::Decision(decision) if is_remembered => Ok(Some((index, decision))),
            _ => Ok(None),
        }
    }

    /// The lock under which requests with this key take turns.
    fn turn(&self, tenant: &TenantId, key: &IdempotencyKey) -> Turn {
        let mut repeated = self.repeated.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for a lock that only the map still holds.
        repeated.retain(|_, turn| Arc::strong_count(turn) > 1);
        repeated.entry((tenant.clone(), key.clone())).or_default().clone()
    }
}

fn audit_unavailable() -> Finding {
    let reason = Reason::new("audit_unavailable", "the decision could not be recorded");
    Finding::deny(Layer::Perimeter, RiskScore::MAX, reason)
}

/// SHA-256 over the request as the caller gave it, and whose it is.
fn request_digest(tenant: &TenantId, request: &AccessRequest) -> Result<Digest, Error> {
    Ok(sha256(&to_json(&(tenant, request))?))
}
