//! Engines for tests: a fixed clock, foreseeable ids, a key that everybody knows.

use std::path::Path;
use std::sync::Arc;

use ringwall::audit::{KeyName, SigningKey, VerifierKey, Zeroizing};
use ringwall::{Caller, Config, Engine, Parts, log_options};
use ringwall_sqlite::SqliteStore;
use ringwall_store::{LogOptions, MemoryStore, Stores};
use ringwall_types::{AuditRecord, TenantId};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{FixedClock, SteppedEntropy};

/// Name of the log and of its key.
pub const ORIGIN: &str = "test.example/log";

/// The key that seals logs in tests.
pub fn signing_key() -> SigningKey {
    let name = KeyName::parse(ORIGIN).expect("a key name");
    SigningKey::from_seed(name, Zeroizing::new([7; 32])).expect("a key")
}

/// Its public half.
pub fn verifier_key() -> VerifierKey {
    signing_key().verifier().clone()
}

/// The Merkle seal with that key.
pub fn sealed() -> LogOptions {
    log_options(ORIGIN, signing_key()).expect("options of the log")
}

/// A store in memory whose log is sealed.
pub fn memory_stores() -> Stores {
    Stores::of(Arc::new(MemoryStore::open(sealed()).expect("a store in memory")))
}

/// An engine on memory.
pub fn memory(config: Config) -> (Arc<Engine>, FixedClock) {
    let clock = FixedClock::default();
    (on(memory_stores(), &clock, config), clock)
}

/// An engine on the embedded store in `directory`.
pub fn sqlite(directory: &Path, config: Config) -> (Arc<Engine>, FixedClock) {
    let clock = FixedClock::default();
    let store = SqliteStore::open(directory, sealed()).expect("the embedded store");
    (on(Stores::of(Arc::new(store)), &clock, config), clock)
}

/// An engine on any stores. Its ids start after the log, so an engine that is started again makes no id twice.
pub fn on(stores: Stores, clock: &FixedClock, config: Config) -> Arc<Engine> {
    let size = *stores.log.size().borrow();
    let parts = Parts {
        stores,
        log_key: verifier_key(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SteppedEntropy::starting_at(size << 32)),
        config,
    };
    Engine::new(parts).expect("an engine")
}

/// Detection at work behind an engine.
pub struct Follower {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Starts detection.
    pub fn start(engine: &Arc<Engine>) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: tokio::spawn(engine.clone().follow(stopped)) }
    }

    /// Ends detection in order: its state is saved when this returns.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        (&mut self.task).await.expect("detection ends without a panic");
    }

    /// Ends detection as a crash does: nothing is saved.
    pub async fn crash(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Follower {
    /// A test that ends early leaves nothing at work behind it.
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The process itself, acting for the tenant of the first installation.
pub fn caller() -> Caller {
    Caller::process(TenantId::initial())
}

/// Everything in the log, in order.
pub async fn records(stores: &Stores) -> Vec<AuditRecord> {
    let mut records = Vec::new();
    loop {
        let page = stores.log.read(records.len() as u64, 1000).await.expect("the log");
        if page.is_empty() {
            return records;
        }
        let leaf = |body: &[u8]| serde_json::from_slice(body).expect("a leaf that is a record");
        records.extend(page.iter().map(|entry| leaf(&entry.body)));
    }
}
