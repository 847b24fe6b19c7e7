//! A store that fails, loses answers or hangs when it is told to.
//!
//! Promises: with nothing injected it is the store behind it; what it refuses never reaches that store; what hangs
//! goes on, in full, once the switch is healed.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use ringwall_store::{
    BoxFuture, Bus, Counters, Error, EventLog, Head, Lease, LeaseKey, Leases, LogEntry, LogQuery, RateAnswer,
    RateTake, Record, RecordKey, RecordWrite, Records, Result, StoredEntry, Stores, Subscription, Topic,
};
use ringwall_types::{CounterAdd, TenantId, Timestamp};
use tokio::sync::watch;

/// Which calls a fault meets.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Shape {
    /// Appending to the log.
    Append,
    /// Reading entries, the head or hashes of the log.
    LogRead,
    /// Searching the log.
    Search,
    /// Reading or listing documents.
    RecordsRead,
    /// Writing documents.
    RecordsWrite,
    /// Counters and rate limits.
    Counters,
    /// Leases.
    Leases,
    /// Publishing notices.
    Bus,
}

/// What happens to a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It is refused with this error; nothing is done.
    Refuse(Error),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It waits until the switch is healed, then it is done.
    Hang,
}

impl Fault {
    /// The queue is full.
    pub fn busy() -> Self {
        Self::Refuse(Error::Busy)
    }

    /// The disk is full.
    pub fn full() -> Self {
        Self::Refuse(Error::Full)
    }

    /// The system refuses.
    pub fn io() -> Self {
        Self::Refuse(Error::Io("injected".to_owned()))
    }
}

/// The switch of a [`FaultyStore`]; clones are the same switch.
#[derive(Clone)]
pub struct FaultSwitch {
    plan: Arc<Mutex<Plan>>,
    healed: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct Plan {
    calls: HashMap<Shape, u64>,
    waiting: HashMap<Shape, u64>,
    faults: Vec<(Shape, Range<u64>, Fault)>,
}

impl Default for FaultSwitch {
    fn default() -> Self {
        Self { plan: Arc::default(), healed: Arc::new(watch::Sender::new(0)) }
    }
}

impl FaultSwitch {
    /// Every call of this shape from now on.
    pub fn every(&self, shape: Shape, fault: Fault) {
        self.inject(shape, 0..u64::MAX, fault);
    }

    /// Only the `nth` call of this shape from now on; 0 is the next one.
    pub fn nth(&self, shape: Shape, nth: u64, fault: Fault) {
        self.inject(shape, nth..nth + 1, fault);
    }

    /// Injects nothing any more; what hangs goes on.
    pub fn heal(&self) {
        self.plan().faults.clear();
        self.healed.send_modify(|times| *times += 1);
    }

    /// How many calls of this shape were made.
    pub fn calls(&self, shape: Shape) -> u64 {
        self.plan().calls.get(&shape).copied().unwrap_or(0)
    }

    /// How many calls of this shape hang.
    pub fn hanging(&self, shape: Shape) -> u64 {
        self.plan().waiting.get(&shape).copied().unwrap_or(0)
    }

    fn inject(&self, shape: Shape, calls: Range<u64>, fault: Fault) {
        let mut plan = self.plan();
        let made = plan.calls.get(&shape).copied().unwrap_or(0);
        plan.faults.push((shape, made + calls.start..calls.end.saturating_add(made), fault));
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says what should happen to it.
    fn meet(&self, shape: Shape) -> Option<Fault> {
        let mut plan = self.plan();
        let calls = plan.calls.entry(shape).or_default();
        let call = *calls;
        *calls += 1;
        let fault = plan.faults.iter().find(|(of, calls, _)| *of == shape && calls.contains(&call));
        let fault = fault.map(|(_, _, fault)| fault.clone());
        if fault == Some(Fault::Hang) {
            *plan.waiting.entry(shape).or_default() += 1;
        }
        fault
    }

    async fn through<T, F: Future<Output = Result<T>>>(
        &self,
        shape: Shape,
        call: impl FnOnce() -> F,
    ) -> Result<T> {
        let mut healed = self.healed.subscribe();
        match self.meet(shape) {
            None => call().await,
            Some(Fault::Refuse(error)) => Err(error),
            Some(Fault::LoseAnswer) => {
                call().await?;
                Err(Error::Io("the answer was lost".to_owned()))
            }
            Some(Fault::Hang) => {
                // The sender lives as long as `self`.
                let _ = healed.changed().await;
                self.plan().waiting.entry(shape).and_modify(|waiting| *waiting -= 1);
                call().await
            }
        }
    }
}

/// Any backend behind a [`FaultSwitch`].
pub struct FaultyStore {
    inner: Stores,
    switch: FaultSwitch,
}

impl FaultyStore {
    /// The stores behind a switch, with the switch.
    pub fn around(inner: Stores) -> (Stores, FaultSwitch) {
        let switch = FaultSwitch::default();
        (Stores::of(Arc::new(Self { inner, switch: switch.clone() })), switch)
    }
}

impl EventLog for FaultyStore {
    fn append(&self, entries: Vec<LogEntry>) -> BoxFuture<'_, Result<Range<u64>>> {
        Box::pin(self.switch.through(Shape::Append, move || self.inner.log.append(entries)))
    }

    fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<StoredEntry>>> {
        Box::pin(self.switch.through(Shape::LogRead, move || self.inner.log.read(from, limit)))
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Head>>> {
        Box::pin(self.switch.through(Shape::LogRead, || self.inner.log.head()))
    }

    fn size(&self) -> watch::Receiver<u64> {
        self.inner.log.size()
    }

    fn hashes(&self, level: u8, range: Range<u64>) -> BoxFuture<'_, Result<Vec<[u8; 32]>>> {
        Box::pin(self.switch.through(Shape::LogRead, move || self.inner.log.hashes(level, range)))
    }

    fn search(&self, query: LogQuery) -> BoxFuture<'_, Result<Vec<u64>>> {
        Box::pin(self.switch.through(Shape::Search, move || self.inner.log.search(query)))
    }
}

impl Records for FaultyStore {
    fn read<'a>(&'a self, keys: &'a [RecordKey]) -> BoxFuture<'a, Result<Vec<Option<Record>>>> {
        Box::pin(self.switch.through(Shape::RecordsRead, move || self.inner.records.read(keys)))
    }

    fn write(&self, batch: Vec<RecordWrite>) -> BoxFuture<'_, Result<Vec<u64>>> {
        Box::pin(self.switch.through(Shape::RecordsWrite, move || self.inner.records.write(batch)))
    }

    fn scan<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: &'static str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>>> {
        let scan = move || self.inner.records.scan(tenant, kind, after, limit);
        Box::pin(self.switch.through(Shape::RecordsRead, scan))
    }
}

impl Counters for FaultyStore {
    fn add(&self, adds: Vec<CounterAdd>, now: Timestamp) -> BoxFuture<'_, Result<Vec<u64>>> {
        Box::pin(self.switch.through(Shape::Counters, move || self.inner.counters.add(adds, now)))
    }

    fn take(&self, takes: Vec<RateTake>, now: Timestamp) -> BoxFuture<'_, Result<Vec<RateAnswer>>> {
        Box::pin(self.switch.through(Shape::Counters, move || self.inner.counters.take(takes, now)))
    }
}

impl Leases for FaultyStore {
    fn acquire(
        &self,
        key: LeaseKey,
        owner: String,
        ttl_secs: u64,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Lease>>> {
        let acquire = move || self.inner.leases.acquire(key, owner, ttl_secs, now);
        Box::pin(self.switch.through(Shape::Leases, acquire))
    }

    fn renew(&self, lease: Lease, ttl_secs: u64, now: Timestamp) -> BoxFuture<'_, Result<Lease>> {
        Box::pin(self.switch.through(Shape::Leases, move || self.inner.leases.renew(lease, ttl_secs, now)))
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.switch.through(Shape::Leases, move || self.inner.leases.release(lease)))
    }

    fn check(&self, key: LeaseKey, fence: u64) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.switch.through(Shape::Leases, move || self.inner.leases.check(key, fence)))
    }
}

impl Bus for FaultyStore {
    fn publish(&self, topic: Topic, payload: Vec<u8>) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.switch.through(Shape::Bus, move || self.inner.bus.publish(topic, payload)))
    }

    fn subscribe(&self, topic: Topic) -> Result<Subscription> {
        self.inner.bus.subscribe(topic)
    }
}
