//! API keys: who may knock at the HTTP door, and for what.
//!
//! Promises: only a digest of a key is stored (plain SHA-256: the secrets are 256 random bits, which nobody guesses); a key belongs to one tenant and can grant no more than it holds; the
//! setup token works once; what was revoked is refused from the next request on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwall::{Caller, Engine, Error, hex_id, sha256};
use ringwall_store::{Expect, PAGE_MAX, RecordKey, RecordWrite};
use ringwall_types::{Digest, KeyId, Secret, TenantId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const KEY_KIND: &str = "api_key";
const SETUP_KIND: &str = "setup";
const SETUP_ID: &str = "token";
const KEY_PREFIX: &str = "rw";
/// The most keys of all tenants together.
const KEYS_MAX: usize = 100_000;

/// What a key may be used for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Ask for decisions.
    Decide,
    /// Send events.
    Ingest,
    /// Read threats, decisions, policies, responses and the log.
    Read,
    /// Replace policies.
    ManagePolicies,
    /// Lift responses.
    Respond,
    /// Make and revoke keys of the same tenant.
    ManageKeys,
    /// Make keys of other tenants.
    ManageTenants,
}

impl Scope {
    pub(crate) const ALL: [Self; 7] = [
        Self::Decide,
        Self::Ingest,
        Self::Read,
        Self::ManagePolicies,
        Self::Respond,
        Self::ManageKeys,
        Self::ManageTenants,
    ];
}

/// A key as it is stored: everything but the key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    tenant: TenantId,
    name: String,
    scopes: BTreeSet<Scope>,
    created_at: Timestamp,
    secret_digest: Digest,
}

/// A key as its owner sees it afterwards.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(crate) struct KeyInfo {
    /// The public half.
    pub(crate) id: KeyId,
    /// Whose key it is.
    pub(crate) tenant: TenantId,
    /// What it was called.
    pub(crate) name: String,
    /// What it may be used for.
    pub(crate) scopes: BTreeSet<Scope>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
}

/// A key that was just made; shown once.
pub(crate) struct NewKey {
    pub(crate) info: KeyInfo,
    pub(crate) secret: Secret<String>,
}

/// Who knocks, and with which rights.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) caller: Caller,
    pub(crate) scopes: BTreeSet<Scope>,
}

impl Guest {
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// All keys, in memory as they are in the store.
pub(crate) struct Keys {
    engine: Arc<Engine>,
    by_id: RwLock<HashMap<KeyId, Stored>>,
}

impl Keys {
    /// Reads every key.
    pub(crate) async fn load(engine: Arc<Engine>) -> Result<Self, Error> {
        let (mut by_id, mut after) = (HashMap::new(), None::<String>);
        loop {
            let records = &engine.stores().records;
            let page = records.scan(&TenantId::system(), KEY_KIND, after.as_deref(), PAGE_MAX).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for record in page {
                let stored: Stored = serde_json::from_slice(&record.body).map_err(|error| {
                    ringwall_store::Error::Corrupt(format!("api key `{}` cannot be read: {error}", record.id))
                })?;
                by_id.insert(KeyId::new(&record.id)?, stored);
            }
        }
        Ok(Self { engine, by_id: RwLock::new(by_id) })
    }

    /// A fresh setup token, if there is no key; it replaces the one of an earlier start. So whoever revoked the last key
    /// gets in again by a restart, as whoever can restart the server on its data could anyway.
    pub(crate) async fn setup_token(&self) -> Result<Option<Secret<String>>, Error> {
        if !self.by_id.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(None);
        }
        let token = format!("setup_{}", URL_SAFE_NO_PAD.encode(*self.engine.entropy().key_bytes()?));
        let body = sha256(token.as_bytes()).to_string().into_bytes();
        let key = RecordKey::new(TenantId::system(), SETUP_KIND, SETUP_ID);
        let write = RecordWrite { key, expect: Expect::Any, body: Some(body) };
        self.engine.stores().records.write(vec![write]).await?;
        Ok(Some(Secret::new(token)))
    }

    /// Exchanges the setup token for a key with every right; works once.
    pub(crate) async fn exchange(&self, token: &str) -> Result<NewKey, Error> {
        let key = RecordKey::new(TenantId::system(), SETUP_KIND, SETUP_ID);
        let records = &self.engine.stores().records;
        let refused = || Error::Forbidden("the setup token is wrong or was used".to_owned());
        let stored = records.read(std::slice::from_ref(&key)).await?.into_iter().next().flatten();
        let stored = stored.ok_or_else(refused)?;
        let given = sha256(token.as_bytes()).to_string();
        verify_slices_are_equal(given.as_bytes(), &stored.body).map_err(|_| refused())?;
        // Spending the token comes first: of two exchanges at once only one goes on.
        let spend = RecordWrite { key, expect: Expect::Version(stored.version), body: None };
        records.write(vec![spend]).await.map_err(|error| match error {
            ringwall_store::Error::Conflict { .. } => refused(),
            other => other.into(),
        })?;
        let process = Caller::process(TenantId::initial());
        self.make(&process, TenantId::initial(), "setup".to_owned(), Scope::ALL.into()).await
    }

    /// Makes a key. The caller must have checked that it may.
    pub(crate) async fn make(
        &self,
        caller: &Caller,
        tenant: TenantId,
        name: String,
        scopes: BTreeSet<Scope>,
    ) -> Result<NewKey, Error> {
        if self.by_id.read().unwrap_or_else(PoisonError::into_inner).len() >= KEYS_MAX {
            return Err(ringwall_store::Error::Limit(format!("more than {KEYS_MAX} keys")).into());
        }
        let entropy = self.engine.entropy();
        let id = KeyId::new(hex_id("", &entropy.id_bytes()?))?;
        let secret = URL_SAFE_NO_PAD.encode(*entropy.key_bytes()?);
        let stored = Stored {
            tenant,
            name,
            scopes,
            created_at: self.engine.clock().now(),
            secret_digest: sha256(secret.as_bytes()),
        };
        let message = format!("key `{id}` named `{}` for tenant `{}`", stored.name, stored.tenant);
        self.engine.administer(caller, "key_created", id.as_str(), message).await?;
        let body = serde_json::to_vec(&stored).map_err(|error| Error::Invalid(error.to_string()))?;
        let write = RecordWrite { key: record_key(&id), expect: Expect::Absent, body: Some(body) };
        self.engine.stores().records.write(vec![write]).await?;
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), stored.clone());
        Ok(NewKey { secret: Secret::new(format!("{KEY_PREFIX}_{id}_{secret}")), info: info(&id, &stored) })
    }

    /// Revokes a key of the caller's tenant.
    pub(crate) async fn revoke(&self, caller: &Caller, id: &KeyId) -> Result<(), Error> {
        let owned = {
            let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
            by_id.get(id).is_some_and(|stored| stored.tenant == caller.tenant)
        };
        if !owned {
            return Err(Error::NotFound(format!("there is no key `{id}`")));
        }
        self.engine.administer(caller, "key_revoked", id.as_str(), format!("key `{id}`")).await?;
        let write = RecordWrite { key: record_key(id), expect: Expect::Any, body: None };
        self.engine.stores().records.write(vec![write]).await?;
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }

    /// The keys of the caller's tenant, by id.
    pub(crate) fn list(&self, caller: &Caller) -> Vec<KeyInfo> {
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let own = by_id.iter().filter(|(_, stored)| stored.tenant == caller.tenant);
        let mut keys: Vec<_> = own.map(|(id, stored)| info(id, stored)).collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys
    }

    /// Who knocks with this key; `None` when it is not one of ours.
    pub(crate) fn guest(&self, key: &str) -> Option<Guest> {
        let (id, secret) = key.strip_prefix(KEY_PREFIX)?.strip_prefix('_')?.split_once('_')?;
        let id = KeyId::new(id).ok()?;
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let stored = by_id.get(&id)?;
        let given = sha256(secret.as_bytes());
        verify_slices_are_equal(given.as_bytes(), stored.secret_digest.as_bytes()).ok()?;
        let caller = Caller { tenant: stored.tenant.clone(), key: Some(id) };
        Some(Guest { caller, scopes: stored.scopes.clone() })
    }
}

fn record_key(id: &KeyId) -> RecordKey {
    RecordKey::new(TenantId::system(), KEY_KIND, id.as_str())
}

fn info(id: &KeyId, stored: &Stored) -> KeyInfo {
    KeyInfo {
        id: id.clone(),
        tenant: stored.tenant.clone(),
        name: stored.name.clone(),
        scopes: stored.scopes.clone(),
        created_at: stored.created_at,
    }
}
