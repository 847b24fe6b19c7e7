//! The policies in force: one set a tenant, numbered by epoch, stored, replaced all or nothing.

use std::sync::Arc;

use ringwall_authz::PolicySet;
use ringwall_store::{Expect, RecordKey, RecordWrite, Records};
use ringwall_types::{Digest, TenantId};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::to_json;
use crate::ids::sha256;

const KIND: &str = "policy_set";
const CURRENT: &str = "current";
/// Every epoch's document, so that a decision can be explained by the policies that made it.
const PAST_KIND: &str = "policy_set_past";

/// A policy set with its number.
#[derive(Debug)]
pub struct PolicyVersion {
    epoch: u64,
    text: String,
    /// `None`: the stored document does not load any more, so nothing can be decided until it is replaced.
    set: Option<PolicySet>,
    stored: Option<u64>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    epoch: u64,
    text: String,
}

impl PolicyVersion {
    /// What is in force before anybody wrote a policy: nothing, so everything is denied.
    pub(crate) fn none() -> Self {
        Self { epoch: 0, text: String::new(), set: Some(PolicySet::empty()), stored: None }
    }

    /// How often the tenant's policies were replaced.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The document as it was written. Empty when nobody wrote one.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the document.
    pub fn digest(&self) -> Digest {
        sha256(self.text.as_bytes())
    }

    /// The policies; `None` when the stored document does not load any more.
    pub fn set(&self) -> Option<&PolicySet> {
        self.set.as_ref()
    }

    /// Reads what is in force.
    pub(crate) async fn load(records: &dyn Records, tenant: &TenantId) -> Result<Self, Error> {
        let key = RecordKey::new(tenant.clone(), KIND, CURRENT);
        let Some(record) = records.read(&[key]).await?.into_iter().next().flatten() else {
            return Ok(Self::none());
        };
        let stored: Stored = serde_json::from_slice(&record.body).map_err(|error| {
            ringwall_store::Error::Corrupt(format!("the policies of `{tenant}`: {error}"))
        })?;
        let set = PolicySet::from_yaml(&stored.text);
        if let Err(errors) = &set {
            tracing::error!(%tenant, %errors, "the stored policies do not load; everything is denied");
        }
        Ok(Self { epoch: stored.epoch, text: stored.text, set: set.ok(), stored: Some(record.version) })
    }

    /// The next version, not yet in force.
    pub(crate) fn next(&self, text: String) -> Result<Self, Error> {
        let set = PolicySet::from_yaml(&text).map_err(|errors| Error::Policies(errors.to_string()))?;
        Ok(Self { epoch: self.epoch + 1, text, set: Some(set), stored: self.stored })
    }

    /// Stores this version in place of the one that it was made from.
    pub(crate) async fn store(
        mut self,
        records: &dyn Records,
        tenant: &TenantId,
    ) -> Result<Arc<Self>, Error> {
        let stored = Stored { epoch: self.epoch, text: self.text.clone() };
        let body = to_json(&stored)?;
        let expect = self.stored.map_or(Expect::Absent, Expect::Version);
        let key = RecordKey::new(tenant.clone(), KIND, CURRENT);
        let past = RecordKey::new(tenant.clone(), PAST_KIND, format!("{:020}", self.epoch));
        let kept = RecordWrite { key: past, expect: Expect::Any, body: Some(body.clone()) };
        let versions = records.write(vec![RecordWrite { key, expect, body: Some(body) }, kept]).await?;
        self.stored = versions.first().copied();
        Ok(Arc::new(self))
    }
}
