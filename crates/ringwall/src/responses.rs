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

    /// What `policy` asks to be done about `threat`, without doing or recording it.
    pub(crate) fn planned(&self, policy: &ResponsePolicy, threat: &Threat) -> Result<Vec<Response>, Error> {
        let now = self.clock.now();
        let simulated = |plan: ResponsePlan| {
            let status = (ResponseStatus::Simulated, "planned_only");
            self.response(&threat.tenant, plan, status, now)
        };
        plan(threat, policy).into_iter().map(simulated).collect()
    }

    /// Carries out one plan about `threat`, or says why not.
    async fn respond(
        &self,
        tenant: &TenantId,
        plan: ResponsePlan,
        threat: &Threat,
    ) -> Result<Response, Error> {
        let now = self.clock.now();
        let state = self.tenant(tenant).await?;
        let before = self.response_before(tenant, &plan).await?;
        if let Some(before) = before.as_ref().filter(|before| stands(before, &state, threat, now)) {
            if before.binds_at(now) {
                // Whatever a crash left undone after the record was written is done now.
                self.bind(tenant, &state, before, now).await?;
            }
            return Ok(Response { status: already(before.status), ..before.clone() });
        }
        let (status, reason) = self.outcome_of(&state, &plan, threat, now);
        let is_news = |before: &Response| {
            status == ResponseStatus::Done || before.status != status || before.reason != reason
        };
        if let Some(before) = before.filter(|before| !is_news(before)) {
            return Ok(before);
        }
        let response = self.response(tenant, plan, (status, reason), now)?;
        self.record_response(&response).await?;
        self.bind(tenant, &state, &response, now).await?;
        tracing::warn!(
            %tenant, action = %response.plan.action, status = %response.status, reason,
            threat = %response.plan.threat, response = %response.id, "response"
        );
        Ok(response)
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
            let Some(active) = state.response_by_id(&id, now) else {
                return Err(Error::NotFound(format!("no response `{id}` is in force")));
            };
            let by = caller.key.as_ref().map(|key| format!("lifted by key `{key}`"));
            let reason = by.unwrap_or_else(|| "lifted by the process".to_owned());
            let undone = Response { status: ResponseStatus::Undone, reason, time: now, ..active };
            engine.record_response(&undone).await?;
            engine.bind(&caller.tenant, &state, &undone, now).await?;
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

    async fn record_response(&self, response: &Response) -> Result<(), Error> {
        let body = RecordBody::Response(response.clone());
        let record = AuditRecord { tenant: response.tenant.clone(), recorded_at: response.time, body };
        self.journal.append(vec![record]).await.map(drop)
    }

    /// Brings store and memory to what the record says; doing it again changes nothing.
    async fn bind(
        &self,
        tenant: &TenantId,
        state: &Tenant,
        response: &Response,
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_change = response.binds_at(now) || response.status == ResponseStatus::Undone;
        if !is_change {
            return Ok(());
        }
        let key = |id: &ResponseId| RecordKey::new(tenant.clone(), RESPONSE_KIND, id.as_str());
        let body = response.binds_at(now).then(|| to_json(response)).transpose()?;
        let write = RecordWrite { key: key(&response.id), expect: Expect::Any, body };
        self.stores.records.write(vec![write]).await?;
        let over = state.note_response(response, now);
        let forget = over.iter().filter(|id| **id != response.id);
        let forget: Vec<_> =
            forget.map(|id| RecordWrite { key: key(id), expect: Expect::Any, body: None }).collect();
        for batch in forget.chunks(ringwall_store::BATCH_MAX) {
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
