//! Engines and the requests that they are asked.

use std::path::Path;
use std::sync::Arc;

use ringwall::audit::{KeyName, SigningKey, VerifierKey, Zeroizing};
use ringwall::{Caller, Config, Engine, Parts, SystemClock, SystemEntropy, log_options};
use ringwall_sqlite::SqliteStore;
use ringwall_store::{LogOptions, MemoryStore, Stores};
use ringwall_types::{AccessRequest, Principal, Resource, TenantId};

use crate::Result;

const ORIGIN: &str = "ringwall/bench";

/// A sealer with a fixed key, and the public half of the key.
pub fn sealed() -> Result<(LogOptions, VerifierKey)> {
    let signing = SigningKey::from_seed(KeyName::parse(ORIGIN)?, Zeroizing::new([7; 32]))?;
    let key = signing.verifier().clone();
    Ok((log_options(ORIGIN, signing)?, key))
}

/// The embedded store in `directory`.
pub fn sqlite(directory: &Path) -> Result<(Arc<SqliteStore>, VerifierKey)> {
    let (options, key) = sealed()?;
    Ok((Arc::new(SqliteStore::open(directory, options)?), key))
}

/// An engine whose log is on disk.
pub async fn durable(directory: &Path, policies: usize) -> Result<Arc<Engine>> {
    let (store, key) = sqlite(directory)?;
    engine(Stores::of(store), key, policies).await
}

/// An engine that forgets: the whole verdict without a disk.
pub async fn in_memory(policies: usize) -> Result<Arc<Engine>> {
    let (options, key) = sealed()?;
    engine(Stores::of(Arc::new(MemoryStore::open(options)?)), key, policies).await
}

async fn engine(stores: Stores, log_key: VerifierKey, policies: usize) -> Result<Arc<Engine>> {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let engine = Engine::new(Parts { stores, log_key, clock, entropy, config: Config::default() })?;
    engine.replace_policies(&caller(), &policy_text(policies)).await?;
    Ok(engine)
}

/// The process itself.
pub fn caller() -> Caller {
    Caller::process(TenantId::initial())
}

/// `count` policies, of which the last one allows what [`request`] asks; each tests two attributes.
pub fn policy_text(count: usize) -> String {
    let others = (1..count).map(|number| {
        format!(
            "  - id: team-{number}\n    effect: allow\n    conditions:\n      action.id: {{equals: 'dataset:read'}}\n      \
             user.team: {{equals: team-{number}}}\n"
        )
    });
    let ours = "  - id: analysts\n    effect: allow\n    conditions:\n      action.id: {equals: 'dataset:read'}\n      \
                user.department: {equals: analytics}\n";
    format!("policies:\n{}{ours}", others.collect::<String>())
}

/// A request of one of a thousand analysts, which the policies allow.
pub fn request(number: u64) -> Result<AccessRequest> {
    let mut principal = Principal::user(format!("analyst-{}", number % 1000).parse()?);
    principal.attributes.insert("department", "analytics");
    principal.attributes.insert("team", "team-0");
    let resource = Resource::new(format!("dataset-{}", number % 257).parse()?, "dataset");
    let mut request = AccessRequest::new(principal, "dataset:read".parse()?, resource);
    request.environment.source_ip = Some(format!("10.1.{}.{}", number / 250 % 250, number % 250).parse()?);
    Ok(request)
}
