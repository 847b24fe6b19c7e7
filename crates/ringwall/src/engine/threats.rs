//! Threats as the engine keeps them: each new stage recorded once, the newest state as a document.

use ringwall_store::{Expect, PAGE_MAX, RecordKey, RecordWrite};
use ringwall_types::{AuditRecord, RecordBody, TenantId, Threat, ThreatId, ThreatStatus};

use super::detection::Changed;
use super::{Caller, Engine};
use crate::Error;
use crate::error::to_json;
use crate::journal::{THREAT_STAGE, entry, threat_stage};
use crate::tenants::{OPEN_THREAT_KIND, THREAT_KIND, document};

impl Engine {
    /// Threats in order of their ids, after `after`, at most `limit`.
    pub async fn threats(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Threat>, Error> {
        let page = self.stores.records.scan(&caller.tenant, THREAT_KIND, after, limit.min(PAGE_MAX)).await?;
        page.iter().map(|record| document(THREAT_KIND, record)).collect()
    }

    /// One threat.
    pub async fn threat(&self, caller: &Caller, id: &ThreatId) -> Result<Threat, Error> {
        let found = self.stored_threat(&caller.tenant, id).await?;
        found.ok_or_else(|| Error::NotFound(format!("there is no threat `{id}`")))
    }

    async fn stored_threat(&self, tenant: &TenantId, id: &ThreatId) -> Result<Option<Threat>, Error> {
        let key = RecordKey::new(tenant.clone(), THREAT_KIND, id.as_str());
        let record = self.stores.records.read(&[key]).await?.into_iter().next().flatten();
        record.map(|record| document(THREAT_KIND, &record)).transpose()
    }

    /// Writes what changed for one tenant; gives the threats that are open.
    pub(crate) async fn note_threats(
        &self,
        tenant: &TenantId,
        changed: Changed,
    ) -> Result<Vec<Threat>, Error> {
        let mut threats = changed.threats;
        for id in changed.merged {
            let known = match threats.remove(&id) {
                Some(threat) => Some(threat),
                None => self.stored_threat(tenant, &id).await?,
            };
            threats.extend(known.map(|threat| (id, Threat { status: ThreatStatus::Closed, ..threat })));
        }
        self.keep_threats(tenant, threats.values().collect()).await?;
        Ok(threats.into_values().filter(|threat| threat.status == ThreatStatus::Open).collect())
    }

    /// Records the stages that are new, then keeps every threat's newest state.
    async fn keep_threats(&self, tenant: &TenantId, threats: Vec<&Threat>) -> Result<(), Error> {
        let mut stages = Vec::new();
        for threat in &threats {
            let body = RecordBody::Threat((*threat).clone());
            let record = AuditRecord { tenant: tenant.clone(), recorded_at: self.clock.now(), body };
            if let Err(error) = entry(&record) {
                // One threat that no log can hold must not keep the others from being acted on.
                tracing::error!(%tenant, threat = %threat.id, %error, "a threat cannot be recorded");
            } else if self.journal.newest(tenant, THREAT_STAGE, &threat_stage(threat)).await?.is_none() {
                stages.push(record);
                tracing::warn!(
                    %tenant, threat = %threat.id, rule = %threat.rule, severity = %threat.severity,
                    subject = %threat.subject, status = %threat.status, "threat"
                );
            }
        }
        if !stages.is_empty() {
            self.journal.append(stages).await?;
        }
        let mut writes = Vec::with_capacity(2 * threats.len());
        for threat in &threats {
            let body = to_json(threat)?;
            let open = (threat.status == ThreatStatus::Open).then(|| body.clone());
            for (kind, body) in [(THREAT_KIND, Some(body)), (OPEN_THREAT_KIND, open)] {
                let key = RecordKey::new(tenant.clone(), kind, threat.id.as_str());
                writes.push(RecordWrite { key, expect: Expect::Any, body });
            }
        }
        for batch in writes.chunks(ringwall_store::BATCH_MAX) {
            self.stores.records.write(batch.to_vec()).await?;
        }
        let state = self.tenant(tenant).await?;
        threats.into_iter().for_each(|threat| state.note_threat(threat));
        Ok(())
    }
}
