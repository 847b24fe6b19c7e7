//! What the engine keeps in memory for each tenant: policies, responses in force, open threats.
//!
//! Promises: a tenant is loaded whole from the store before its first decision, or that decision is a Deny; nothing
//! here is lost with the process, since every change is stored before it is made here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use ringwall_store::{PAGE_MAX, Record, Records};
use ringwall_types::{
    AccessRequest, Response, ResponseAction, ResponseId, Subject, Target, TenantId, Threat, ThreatId,
    ThreatStatus, Timestamp,
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use crate::Error;
use crate::policies::PolicyVersion;

/// Where threats are stored.
pub(crate) const THREAT_KIND: &str = "threat";
/// Where the open ones are stored once more, so that a start need not read all that ever were.
pub(crate) const OPEN_THREAT_KIND: &str = "threat_open";
/// Where responses in force are stored.
pub(crate) const RESPONSE_KIND: &str = "response";

/// Below so many responses none is looked for that is over.
const FORGET_AT_LEAST: usize = 1024;
/// The most tenants that are kept in memory; further ones are refused.
const TENANTS_MAX: usize = 10_000;

/// Every tenant that has been asked about.
#[derive(Default)]
pub(crate) struct Tenants {
    by_id: Mutex<HashMap<TenantId, Arc<OnceCell<Arc<Tenant>>>>>,
}

/// One tenant.
pub(crate) struct Tenant {
    pub(crate) policies: ArcSwap<PolicyVersion>,
    /// Held while the policies are replaced.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Held while responses are carried out or lifted, so that what is lifted is not bound again by a look at the past.
    pub(crate) responding: tokio::sync::Mutex<()>,
    responses: RwLock<InForce>,
    /// Open threats, by subject.
    threats: RwLock<HashMap<Subject, BTreeMap<ThreatId, Threat>>>,
}

/// Responses that bind somebody, and some that are over and not yet forgotten.
#[derive(Default)]
struct InForce {
    by_target: HashMap<(ResponseAction, Target), Response>,
    /// At how many it is time to forget those that are over.
    forget_at: usize,
}

impl Tenants {
    /// The tenant, loaded from the store when it is asked for the first time.
    pub(crate) async fn tenant(
        &self,
        records: &dyn Records,
        id: &TenantId,
        now: Timestamp,
    ) -> Result<Arc<Tenant>, Error> {
        let cell = {
            let mut by_id = self.by_id.lock().unwrap_or_else(PoisonError::into_inner);
            if by_id.len() >= TENANTS_MAX && !by_id.contains_key(id) {
                let message = format!("more than {TENANTS_MAX} tenants");
                return Err(ringwall_store::Error::Limit(message).into());
            }
            by_id.entry(id.clone()).or_default().clone()
        };
        cell.get_or_try_init(|| async { Tenant::load(records, id, now).await.map(Arc::new) }).await.cloned()
    }
}

impl Tenant {
    async fn load(records: &dyn Records, id: &TenantId, now: Timestamp) -> Result<Self, Error> {
        let policies = PolicyVersion::load(records, id).await?;
        let responses: Vec<Response> = all(records, id, RESPONSE_KIND).await?;
        let threats: Vec<Threat> = all(records, id, OPEN_THREAT_KIND).await?;
        let mut by_target: HashMap<_, Response> = HashMap::new();
        // A crash can leave one that is over beside the one in force.
        for response in responses.into_iter().filter(|response| response.binds_at(now)) {
            let Some(target) = response.plan.target.clone() else { continue };
            let held = by_target.entry((response.plan.action, target)).or_insert_with(|| response.clone());
            if held.expires_at < response.expires_at {
                *held = response;
            }
        }
        let tenant = Self {
            policies: ArcSwap::from_pointee(policies),
            changing: tokio::sync::Mutex::default(),
            responding: tokio::sync::Mutex::default(),
            responses: RwLock::new(InForce { by_target, forget_at: FORGET_AT_LEAST }),
            threats: RwLock::default(),
        };
        threats.iter().for_each(|threat| tenant.note_threat(threat));
        Ok(tenant)
    }

    /// Responses in force at `now` against the request's address or principal.
    pub(crate) fn responses_about(&self, request: &AccessRequest, now: Timestamp) -> Vec<Response> {
        let responses = &self.responses.read().unwrap_or_else(PoisonError::into_inner).by_target;
        if responses.is_empty() {
            return Vec::new();
        }
        let address =
            request.environment.source_ip.map(|address| (ResponseAction::BlockIp, Target::SourceIp(address)));
        let principal = Target::Principal(request.principal.id.clone());
        let keys = [
            address,
            Some((ResponseAction::LockAccount, principal.clone())),
            Some((ResponseAction::QuarantineUser, principal)),
        ];
        let found = keys.iter().flatten().filter_map(|key| responses.get(key));
        found.filter(|response| response.binds_at(now)).cloned().collect()
    }

    /// Open threats about the request's address or principal.
    pub(crate) fn threats_about(&self, request: &AccessRequest) -> Vec<Threat> {
        let threats = self.threats.read().unwrap_or_else(PoisonError::into_inner);
        let address = request.environment.source_ip.map(Subject::SourceIp);
        let principal = Subject::Principal(request.principal.id.clone());
        let about = address.iter().chain([&principal]).filter_map(|subject| threats.get(subject));
        about.flat_map(BTreeMap::values).cloned().collect()
    }

    /// Takes the newest state of a threat in; a closed one is no longer kept here.
    pub(crate) fn note_threat(&self, threat: &Threat) {
        let mut threats = self.threats.write().unwrap_or_else(PoisonError::into_inner);
        match threat.status {
            ThreatStatus::Open => {
                threats.entry(threat.subject.clone()).or_default().insert(threat.id.clone(), threat.clone());
            }
            ThreatStatus::Closed => {
                if let Some(about) = threats.get_mut(&threat.subject) {
                    about.remove(&threat.id);
                    if about.is_empty() {
                        threats.remove(&threat.subject);
                    }
                }
            }
        }
    }

    /// The response in force of this action against this target.
    pub(crate) fn response(
        &self,
        action: ResponseAction,
        target: &Target,
        now: Timestamp,
    ) -> Option<Response> {
        let responses = self.responses.read().unwrap_or_else(PoisonError::into_inner);
        responses.by_target.get(&(action, target.clone())).filter(|response| response.binds_at(now)).cloned()
    }

    /// The response in force with this id.
    pub(crate) fn response_by_id(&self, id: &ResponseId, now: Timestamp) -> Option<Response> {
        let responses = self.responses.read().unwrap_or_else(PoisonError::into_inner);
        responses.by_target.values().find(|response| response.id == *id && response.binds_at(now)).cloned()
    }

    /// How many responses are in force.
    pub(crate) fn count_in_force(&self, now: Timestamp) -> usize {
        let responses = self.responses.read().unwrap_or_else(PoisonError::into_inner);
        responses.by_target.values().filter(|response| response.binds_at(now)).count()
    }

    /// Every response in force, by id.
    pub(crate) fn responses_in_force(&self, now: Timestamp) -> Vec<Response> {
        let responses = self.responses.read().unwrap_or_else(PoisonError::into_inner);
        let binding = responses.by_target.values().filter(|response| response.binds_at(now));
        let mut found: Vec<_> = binding.cloned().collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found
    }

    /// Takes a response in, and gives the ids of those that are over and can be forgotten everywhere.
    pub(crate) fn note_response(&self, response: &Response, now: Timestamp) -> Vec<ResponseId> {
        let Some(target) = response.plan.target.clone() else { return Vec::new() };
        let mut responses = self.responses.write().unwrap_or_else(PoisonError::into_inner);
        let mut over = responses.forget_over(now);
        let key = (response.plan.action, target);
        if response.binds_at(now) {
            over.extend(responses.by_target.insert(key, response.clone()).map(|replaced| replaced.id));
        } else if responses.by_target.get(&key).is_some_and(|held| held.id == response.id) {
            over.extend(responses.by_target.remove(&key).map(|ended| ended.id));
        }
        over
    }
}

impl InForce {
    /// Now and then forgets what is over, so that a response costs the same however many there are.
    fn forget_over(&mut self, now: Timestamp) -> Vec<ResponseId> {
        if self.by_target.len() < self.forget_at {
            return Vec::new();
        }
        let over =
            self.by_target.extract_if(|_, held| !held.binds_at(now)).map(|(_, held)| held.id).collect();
        self.forget_at = FORGET_AT_LEAST.max(2 * self.by_target.len());
        over
    }
}

/// Every document of one kind.
async fn all<T: DeserializeOwned>(
    records: &dyn Records,
    tenant: &TenantId,
    kind: &'static str,
) -> Result<Vec<T>, Error> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = records.scan(tenant, kind, after.as_deref(), PAGE_MAX).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.id.clone());
        for record in &page {
            found.push(document(kind, record)?);
        }
    }
}

/// Reads a stored document.
pub(crate) fn document<T: DeserializeOwned>(kind: &str, record: &Record) -> Result<T, Error> {
    serde_json::from_slice(&record.body).map_err(|error| {
        ringwall_store::Error::Corrupt(format!("{kind} `{}` cannot be read: {error}", record.id)).into()
    })
}
