//! The engine: one value that every door calls.

mod decide;
mod detection;
mod ingest;
mod proofs;
mod tenancy;
mod threats;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use ringwall_store::Stores;
use ringwall_types::{IdempotencyKey, KeyId, TenantId};
use tokio::sync::watch;

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::journal::Journal;
use crate::tenants::Tenants;
use ringwall_audit::VerifierKey;

use crate::Error;

pub use decide::Answer;
pub(crate) use detection::{Changed, collect};
pub use ingest::{IngestReport, LineOutcome};
pub use proofs::Proof;
pub(crate) use proofs::{Tiles, assemble, hashes_of};
pub(crate) use tenancy::to_its_end;

/// Whoever calls the engine: what a door found out about them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// Whose data the call is about. Nothing in a request can widen it.
    pub tenant: TenantId,
    /// The API key that was used; absent for the process itself.
    pub key: Option<KeyId>,
}

impl Caller {
    /// The process itself, acting for a tenant.
    pub fn process(tenant: TenantId) -> Self {
        Self { tenant, key: None }
    }
}

/// What the engine runs on.
pub struct Parts {
    /// Where everything is kept; its log must be sealed with [`crate::log_options`].
    pub stores: Stores,
    /// The public half of the key that seals the log.
    pub log_key: VerifierKey,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub entropy: Arc<dyn Entropy>,
    /// What the user set.
    pub config: Config,
}

/// What one request at a time holds.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// Answers, records, detects, responds.
pub struct Engine {
    pub(crate) stores: Stores,
    pub(crate) journal: Journal,
    pub(crate) tenants: Tenants,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) config: Config,
    /// The rules by which the log is judged.
    rules: ringwall_detect::RuleSet,
    log_key: VerifierKey,
    /// Serializes requests that carry the same idempotency key.
    repeated: Mutex<HashMap<(TenantId, IdempotencyKey), Turn>>,
    /// Up to which log index detection has worked.
    followed: watch::Sender<u64>,
    /// Whether detection ever died and was begun anew.
    detection_died: AtomicBool,
    /// What detection has counted.
    detection: watch::Sender<ringwall_detect::Metrics>,
    pub(crate) node_detectors: crate::nodes::Detectors,
}

impl Engine {
    /// An engine on `parts`. Detection starts with [`Engine::follow`].
    pub fn new(parts: Parts) -> Result<Arc<Self>, Error> {
        parts.config.check()?;
        let rules = parts.config.detection.rule_set()?;
        Ok(Arc::new(Self {
            journal: Journal::new(parts.stores.log.clone()),
            stores: parts.stores,
            tenants: Tenants::default(),
            clock: parts.clock,
            entropy: parts.entropy,
            config: parts.config,
            rules,
            log_key: parts.log_key,
            repeated: Mutex::default(),
            followed: watch::Sender::new(0),
            detection_died: AtomicBool::new(false),
            detection: watch::Sender::new(ringwall_detect::Metrics::default()),
            node_detectors: crate::nodes::Detectors::default(),
        }))
    }

    /// What the user set.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The engine's clock, for doors that need the same time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The engine's randomness, for doors that make ids and keys.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }

    /// The storage, for doors that keep documents of their own.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }
}
