//! A tenant's policies, and what the engine says of itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ringwall_store::{Expect, RecordKey, RecordWrite};
use ringwall_types::{Administration, AuditRecord, Digest, RecordBody, TenantId};

use super::{Caller, Engine};
use crate::Error;
use crate::policies::PolicyVersion;
use crate::tenants::Tenant;

impl Engine {
    pub(crate) async fn tenant(&self, id: &TenantId) -> Result<Arc<Tenant>, Error> {
        self.tenants.tenant(self.stores.records.as_ref(), id, self.clock.now()).await
    }

    /// Makes sure that the log is the one that was begun here: a new log gets its first record, and a log that was emptied
    /// or replaced is refused.
    pub async fn begin(&self) -> Result<(), Error> {
        let key = RecordKey::new(TenantId::system(), "log", "first");
        let known = self.stores.records.read(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
        if known.is_none() && self.stores.log.hashes(0, 0..1).await?.is_empty() {
            let process = Caller::process(TenantId::system());
            self.administer(&process, "log_begun", "", format!("key {}", self.log_key())).await?;
        }
        let first =
            self.stores.log.hashes(0, 0..1).await?.first().copied().map(|hash| Digest::new(hash).to_string());
        match (known, first) {
            (None, Some(first)) => {
                let write = RecordWrite { key, expect: Expect::Absent, body: Some(first.into_bytes()) };
                self.stores.records.write(vec![write]).await?;
                Ok(())
            }
            (Some(known), Some(first)) if known.body == first.as_bytes() => Ok(()),
            _ => {
                let message =
                    "the audit log was emptied or replaced; put the one back that belongs to this directory";
                Err(ringwall_store::Error::Corrupt(message.to_owned()).into())
            }
        }
    }

    /// The policies in force.
    pub async fn policies(&self, caller: &Caller) -> Result<Arc<PolicyVersion>, Error> {
        Ok(self.tenant(&caller.tenant).await?.policies.load_full())
    }

    /// Replaces the tenant's policies by the ones in `text`, all or nothing; they bind on the very next decision.
    ///
    /// Goes on to its end even if the caller stops waiting. Errors: [`Error::Policies`] with every mistake; the old
    /// policies then stay in force.
    pub async fn replace_policies(
        self: &Arc<Self>,
        caller: &Caller,
        text: &str,
    ) -> Result<Arc<PolicyVersion>, Error> {
        let (engine, caller, text) = (self.clone(), caller.clone(), text.to_owned());
        to_its_end(async move {
            let state = engine.tenant(&caller.tenant).await?;
            let _turn = state.changing.lock().await;
            let current = state.policies.load_full();
            // A long document takes its time, which must not be everybody's.
            let next = tokio::task::spawn_blocking(move || current.next(text)).await;
            let next = next.map_err(|died| Error::Internal(format!("reading policies died: {died}")))??;
            let message = format!("epoch {}, sha-256 {}", next.epoch(), next.digest());
            engine.administer(&caller, "policies_replaced", "", message).await?;
            let records = engine.stores.records.as_ref();
            match next.store(records, &caller.tenant).await {
                Ok(stored) => {
                    state.policies.store(stored.clone());
                    Ok(stored)
                }
                Err(error) => {
                    // The answer may be lost, not the write: what is stored is in force.
                    let stored = PolicyVersion::load(records, &caller.tenant).await?;
                    state.policies.store(Arc::new(stored));
                    Err(error)
                }
            }
        })
        .await
    }

    /// What keeps the engine from answering as it should, in words for an operator; empty when nothing does.
    pub async fn faults(&self) -> Vec<&'static str> {
        const LAG_MAX: u64 = 100_000;
        let mut faults = Vec::new();
        if self.journal.has_gap() {
            faults.push("the audit log could not be written, so requests are denied");
        }
        if self.stores.log.head().await.is_err() {
            faults.push("the audit log cannot be read");
        }
        let key = RecordKey::new(TenantId::system(), "readiness", "probe");
        if self.stores.records.read(&[key]).await.is_err() {
            faults.push("the state cannot be read");
        }
        if self.detection_died.load(Ordering::Relaxed) {
            faults.push("detection died and was begun anew; the server's log says why");
        }
        if self.detection_lag() > LAG_MAX {
            faults.push("detection is far behind the log");
        }
        faults
    }

    /// Records a change of ringwall itself; the caller makes the change after it is recorded.
    pub async fn administer(
        &self,
        caller: &Caller,
        act: &str,
        object: &str,
        message: String,
    ) -> Result<u64, Error> {
        let body = RecordBody::Administration(Administration {
            act: act.to_owned(),
            by: caller.key.clone(),
            object: object.to_owned(),
            message,
        });
        let record = AuditRecord { tenant: caller.tenant.clone(), recorded_at: self.clock.now(), body };
        Ok(self.journal.append(vec![record]).await?.start)
    }

    /// Appends records of the caller's tenant; gives the index of the first.
    pub(crate) async fn record(&self, tenant: &TenantId, bodies: Vec<RecordBody>) -> Result<u64, Error> {
        let now = self.clock.now();
        let record = |body| AuditRecord { tenant: tenant.clone(), recorded_at: now, body };
        Ok(self.journal.append(bodies.into_iter().map(record).collect()).await?.start)
    }
}

/// Runs a change to its end, even if whoever asked for it stops waiting: record, store and memory must not part.
pub(crate) async fn to_its_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let ended = tokio::spawn(change).await;
    ended.unwrap_or_else(|died| Err(Error::Internal(format!("a change died: {died}"))))
}
