//! Carries responses out: the only place where a plan becomes a block or a lock.
//!
//! Promises: every response is in the audit log before it binds; equal plans are one response, also after a crash;
//! whoever is on the allow-list is never bound; every response has an end and an undo; what was lifted by somebody
//! stays lifted for the threat that caused it.

use std::sync::Arc;

use ringwall_detect::{ResponsePolicy, plan};
use ringwall_store::{Expect, RecordKey, RecordWrite};
use ringwall_types::{
    AuditRecord, RecordBody, Response, ResponseId, ResponsePlan, ResponseStatus, TenantId, Threat, Timestamp,
};

use crate::config::ResponseMode;
use crate::engine::to_its_end;
use crate::error::to_json;
use crate::ids::hex_id;
use crate::journal::RESPONSE_KEY;
use crate::tenants::{RESPONSE_KIND, Tenant};
use crate::{Caller, Engine, Error};

impl Engine {
    /// Carries out what `policy` asks to be done about `threats` of one tenant: all looked up, then all recorded, then all
    /// in force, so that many threats cost little more than one. Gives the responses to each threat.
    pub(crate) async fn respond_by(
        &self,
        policy: &ResponsePolicy,
        tenant: &TenantId,
        threats: &[Threat],
    ) -> Result<Vec<Vec<Response>>, Error> {
        if self.config.response.mode == ResponseMode::Off {
            return Ok(threats.iter().map(|_| Vec::new()).collect());
        }
        let state = self.tenant(tenant).await?;
        let _turn = state.responding.lock().await;
        let (mut answers, mut news) = (Vec::with_capacity(threats.len()), Vec::new());
        for threat in threats {
            let mut responses = Vec::new();
            for plan in plan(threat, policy) {
                let (response, is_news) = self.response_to(&state, plan, threat, &news).await?;
                if is_news {
                    news.push(response.clone());
                }
                responses.push(response);
            }
            answers.push(responses);
        }
        self.record_responses(&news).await?;
        self.bind(tenant, &state, &news, self.clock.now()).await?;
        Ok(answers)
    }

    /// What `policy` asks to be done about `threat`, without doing or recording it.
    pub(crate) fn planned(&self, policy: &ResponsePolicy, threat: &Threat) -> Result<Vec<Response>, Error> {
        let now = self.clock.now();
        let simulated = |plan: ResponsePlan| {
            let status = (ResponseStatus::Simulated, "planned_only");
            self.response(&threat.tenant, plan, status, now)
        };
        plan(threat, policy).into_iter().map(simulated).collect()
    }

    /// What is to be done by one plan about `threat`, and whether that is news. `pending` is what this batch does besides.
    async fn response_to(
        &self,
        state: &Tenant,
        plan: ResponsePlan,
        threat: &Threat,
        pending: &[Response],
    ) -> Result<(Response, bool), Error> {
        let now = self.clock.now();
        let before = self.response_before(&threat.tenant, &plan).await?;
        if let Some(before) = before.as_ref().filter(|before| stands(before, state, threat, now)) {
            // What is in force by the record and not in memory was cut off by a crash: then it is in force now.
            let is_cut_off = before.binds_at(now) && state.response_by_id(&before.id, now).is_none();
            if is_cut_off {
                self.bind(&threat.tenant, state, std::slice::from_ref(before), now).await?;
            }
            return Ok((Response { status: already(before.status), ..before.clone() }, false));
        }
        let (mut status, reason) = self.outcome_of(state, &plan, threat, now);
        let is_same_target = |other: &Response| {
            other.status == ResponseStatus::Done
                && other.plan.action == plan.action
                && other.plan.target == plan.target
        };
        if status == ResponseStatus::Done && plan.action.binds() && pending.iter().any(is_same_target) {
            status = ResponseStatus::AlreadyActive;
        }
        if let Some(before) = before
            && status != ResponseStatus::Done
            && (before.status, before.reason.as_str()) == (status, reason)
        {
            return Ok((before, false));
        }
        Ok((self.response(&threat.tenant, plan, (status, reason), now)?, true))
    }

    fn response(
        &self,
        tenant: &TenantId,
        plan: ResponsePlan,
        (status, reason): (ResponseStatus, &str),
        now: Timestamp,
    ) -> Result<Response, Error> {
        let binds = status == ResponseStatus::Done && plan.action.binds();
        let ttl_secs = i64::try_from(plan.ttl_secs).unwrap_or(i64::MAX);
        Ok(Response {
            id: ResponseId::new(hex_id("rsp_", &self.entropy.id_bytes()?))?,
            tenant: tenant.clone(),
            expires_at: binds.then(|| now.saturating_add_secs(ttl_secs)),
            plan,
            status,
            reason: reason.to_owned(),
            time: now,
        })
    }

    /// Lifts a response before its time. Goes on to its end even if the caller stops waiting.
    pub async fn undo(self: &Arc<Self>, caller: &Caller, id: &ResponseId) -> Result<Response, Error> {
        let (engine, caller, id) = (self.clone(), caller.clone(), id.clone());
        to_its_end(async move {
            let now = engine.clock.now();
            let state = engine.tenant(&caller.tenant).await?;
            let _turn = state.responding.lock().await;
            let Some(active) = state.response_by_id(&id, now) else {
                return Err(Error::NotFound(format!("no response `{id}` is in force")));
            };
            let by = caller.key.as_ref().map(|key| format!("lifted by key `{key}`"));
            let reason = by.unwrap_or_else(|| "lifted by the process".to_owned());
            let undone = Response { status: ResponseStatus::Undone, reason, time: now, ..active };
            engine.record_responses(std::slice::from_ref(&undone)).await?;
            engine.bind(&caller.tenant, &state, std::slice::from_ref(&undone), now).await?;
            Ok(undone)
        })
        .await
    }

    /// Every response in force against somebody.
    pub async fn responses(&self, caller: &Caller) -> Result<Vec<Response>, Error> {
        Ok(self.tenant(&caller.tenant).await?.responses_in_force(self.clock.now()))
    }

    /// The newest response that an equal plan led to.
    async fn response_before(
        &self,
        tenant: &TenantId,
        plan: &ResponsePlan,
    ) -> Result<Option<Response>, Error> {
        let key = plan.idempotency_key.as_str();
        let found = self.journal.newest(tenant, RESPONSE_KEY, key).await?;
        Ok(found.and_then(|(_, record)| match record.body {
            RecordBody::Response(before) => Some(before),
            _ => None,
        }))
    }

    fn outcome_of(
        &self,
        state: &Tenant,
        plan: &ResponsePlan,
        threat: &Threat,
        now: Timestamp,
    ) -> (ResponseStatus, &'static str) {
        let settings = &self.config.response;
        let Some(target) = &plan.target else {
            return if plan.action.binds() {
                (ResponseStatus::Skipped, "no_target")
            } else {
                self.unbound_outcome()
            };
        };
        if !plan.action.binds() {
            return self.unbound_outcome();
        }
        let age_micros = u64::try_from(now.micros_since(threat.window.end)).unwrap_or(0);
        if settings.allow_list.holds(target) {
            (ResponseStatus::Skipped, "allow_listed")
        } else if settings.mode == ResponseMode::DryRun {
            (ResponseStatus::Simulated, "dry_run")
        } else if age_micros / 1_000_000 > settings.age_secs_max {
            (ResponseStatus::Skipped, "stale")
        } else if state.response(plan.action, target, now).is_some() {
            (ResponseStatus::AlreadyActive, "")
        } else if state.count_in_force(now) >= settings.active_max {
            (ResponseStatus::Failed, "too_many_in_force")
        } else {
            (ResponseStatus::Done, "")
        }
    }

    fn unbound_outcome(&self) -> (ResponseStatus, &'static str) {
        match self.config.response.mode {
            ResponseMode::DryRun => (ResponseStatus::Simulated, "dry_run"),
            _ => (ResponseStatus::Done, ""),
        }
    }

    async fn record_responses(&self, responses: &[Response]) -> Result<(), Error> {
        let record = |response: &Response| AuditRecord {
            tenant: response.tenant.clone(),
            recorded_at: response.time,
            body: RecordBody::Response(response.clone()),
        };
        self.journal.append(responses.iter().map(record).collect()).await?;
        for response in responses {
            tracing::warn!(
                tenant = %response.tenant, action = %response.plan.action, status = %response.status,
                reason = response.reason, threat = %response.plan.threat, response = %response.id, "response"
            );
        }
        Ok(())
    }

    /// Brings store and memory to what the records say; doing it again changes nothing.
    async fn bind(
        &self,
        tenant: &TenantId,
        state: &Tenant,
        responses: &[Response],
        now: Timestamp,
    ) -> Result<(), Error> {
        let changes =
            |response: &&Response| response.binds_at(now) || response.status == ResponseStatus::Undone;
        let changing: Vec<_> = responses.iter().filter(changes).collect();
        let write = |id: &ResponseId, body| {
            let key = RecordKey::new(tenant.clone(), RESPONSE_KIND, id.as_str());
            RecordWrite { key, expect: Expect::Any, body }
        };
        let mut writes = Vec::with_capacity(changing.len());
        for response in &changing {
            let body = response.binds_at(now).then(|| to_json(response)).transpose()?;
            writes.push(write(&response.id, body));
        }
        self.write_all(writes).await?;
        let over: Vec<_> = changing.iter().flat_map(|response| state.note_response(response, now)).collect();
        let is_done = |id: &&ResponseId| changing.iter().all(|response| response.id != **id);
        self.write_all(over.iter().filter(is_done).map(|id| write(id, None)).collect()).await
    }

    async fn write_all(&self, writes: Vec<RecordWrite>) -> Result<(), Error> {
        for batch in writes.chunks(ringwall_store::BATCH_MAX) {
            self.stores.records.write(batch.to_vec()).await?;
        }
        Ok(())
    }
}

/// Whether what was done before still answers the threat. A response that ended while the threat went on does not, nor
/// does one that leant on another response which is gone.
fn stands(before: &Response, state: &Tenant, threat: &Threat, now: Timestamp) -> bool {
    match before.status {
        ResponseStatus::Done => before.expires_at.is_none_or(|end| threat.window.end <= end),
        ResponseStatus::AlreadyActive => {
            let target = before.plan.target.as_ref();
            target.is_some_and(|target| state.response(before.plan.action, target, now).is_some())
        }
        ResponseStatus::Undone => true,
        // What was skipped, simulated or failed is looked at anew: evidence may be fresh now, settings may have changed.
        ResponseStatus::Failed | ResponseStatus::Simulated | ResponseStatus::Skipped => false,
    }
}

fn already(status: ResponseStatus) -> ResponseStatus {
    match status {
        ResponseStatus::Done => ResponseStatus::AlreadyActive,
        other => other,
    }
}
