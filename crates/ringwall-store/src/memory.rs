//! The backend that forgets at exit: for tests, for one-off runs, and as the plainest statement of the semantics.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ringwall_types::{CounterAdd, TenantId, Timestamp};
use tokio::sync::watch;

use crate::{
    BATCH_MAX, BoxFuture, Bus, CounterKey, Counters, Error, EventLog, Expect, Head, Lease, LeaseKey, Leases,
    LocalBus, LogEntry, LogOptions, LogQuery, PAGE_MAX, RateAnswer, RateTake, Record, RecordKey, RecordWrite,
    Records, Result, Sealer, StoredEntry, Subscription, TermsOf, Topic, WindowedSum, check_batch, rate_take,
    ready,
};

/// The most counters, rate limits or leases that are kept; the memory backend refuses more.
const KEYS_MAX: usize = 1_000_000;

/// All five shapes in memory.
pub struct MemoryStore {
    documents: Mutex<Documents>,
    log: Mutex<Log>,
    size: watch::Sender<u64>,
    counters: Mutex<HashMap<CounterKey, (u64, WindowedSum)>>,
    rates: Mutex<HashMap<CounterKey, i64>>,
    leases: Mutex<HashMap<LeaseKey, Lease>>,
    bus: LocalBus,
}

#[derive(Default)]
struct Documents {
    version: u64,
    by_key: BTreeMap<RecordKey, Record>,
}

struct Log {
    sealer: Box<dyn Sealer>,
    terms: TermsOf,
    entries: Vec<StoredEntry>,
    nodes: BTreeMap<(u8, u64), [u8; 32]>,
    head: Option<Head>,
}

impl MemoryStore {
    /// An empty store whose log is sealed by `options.sealer`.
    pub fn open(mut options: LogOptions) -> Result<Self> {
        options.sealer.resume(None)?;
        let log = Log {
            sealer: options.sealer,
            terms: options.terms,
            entries: Vec::new(),
            nodes: BTreeMap::new(),
            head: None,
        };
        Ok(Self {
            documents: Mutex::default(),
            log: Mutex::new(log),
            size: watch::Sender::new(0),
            counters: Mutex::default(),
            rates: Mutex::default(),
            leases: Mutex::default(),
            bus: LocalBus::default(),
        })
    }
}

/// A lock that a panicking thread left behind still guards consistent data: every change below is one assignment or
/// is checked before it starts.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Records for MemoryStore {
    fn read<'a>(&'a self, keys: &'a [RecordKey]) -> BoxFuture<'a, Result<Vec<Option<Record>>>> {
        if keys.len() > BATCH_MAX {
            return ready(Err(Error::Limit(format!(
                "{} reads in one batch, the limit is {BATCH_MAX}",
                keys.len()
            ))));
        }
        let documents = lock(&self.documents);
        let found = keys.iter().map(|key| documents.by_key.get(key).cloned()).collect();
        drop(documents);
        ready(Ok(found))
    }

    fn write(&self, batch: Vec<RecordWrite>) -> BoxFuture<'_, Result<Vec<u64>>> {
        ready(check_batch(&batch).and_then(|()| lock(&self.documents).write(batch)))
    }

    fn scan<'a>(
        &'a self,
        tenant: &'a TenantId,
        kind: &'static str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Record>>> {
        let key = |id: &str| RecordKey::new(tenant.clone(), kind, id);
        let start = after.map_or_else(|| Bound::Included(key("")), |id| Bound::Excluded(key(id)));
        let documents = lock(&self.documents);
        let page = documents
            .by_key
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| key.tenant == *tenant && key.kind == kind)
            .take(limit.min(PAGE_MAX))
            .map(|(_, record)| record.clone())
            .collect();
        drop(documents);
        ready(Ok(page))
    }
}

impl Documents {
    fn write(&mut self, batch: Vec<RecordWrite>) -> Result<Vec<u64>> {
        for write in &batch {
            let version = self.by_key.get(&write.key).map(|record| record.version);
            let met = match write.expect {
                Expect::Any => true,
                Expect::Absent => version.is_none(),
                Expect::Version(expected) => version == Some(expected),
            };
            if !met {
                return Err(Error::Conflict { key: format!("{}/{}", write.key.kind, write.key.id) });
            }
        }
        let mut versions = Vec::with_capacity(batch.len());
        for RecordWrite { key, body, .. } in batch {
            let Some(body) = body else {
                self.by_key.remove(&key);
                versions.push(0);
                continue;
            };
            self.version += 1;
            versions.push(self.version);
            let record = Record { id: key.id.clone(), version: self.version, body };
            self.by_key.insert(key, record);
        }
        Ok(versions)
    }
}

impl EventLog for MemoryStore {
    fn append(&self, entries: Vec<LogEntry>) -> BoxFuture<'_, Result<Range<u64>>> {
        let mut log = lock(&self.log);
        let appended = log.append(entries);
        if let Ok(range) = &appended {
            self.size.send_replace(range.end);
        }
        drop(log);
        ready(appended)
    }

    fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<StoredEntry>>> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let page = lock(&self.log).entries.iter().skip(from).take(limit.min(PAGE_MAX)).cloned().collect();
        ready(Ok(page))
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Head>>> {
        ready(Ok(lock(&self.log).head.clone()))
    }

    fn size(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    fn hashes(&self, level: u8, range: Range<u64>) -> BoxFuture<'_, Result<Vec<[u8; 32]>>> {
        let log = lock(&self.log);
        let hashes = if level == 0 {
            let from = usize::try_from(range.start).unwrap_or(usize::MAX);
            let count = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
            log.entries.iter().skip(from).take(count.min(PAGE_MAX)).map(|entry| entry.hash).collect()
        } else {
            let nodes = log.nodes.range((level, range.start)..(level, range.end.max(range.start)));
            nodes.take(PAGE_MAX).map(|(_, hash)| *hash).collect()
        };
        drop(log);
        ready(Ok(hashes))
    }

    fn search(&self, query: LogQuery) -> BoxFuture<'_, Result<Vec<u64>>> {
        let log = lock(&self.log);
        let matches = |entry: &&StoredEntry| {
            entry.tenant == query.tenant
                && query.before.is_none_or(|before| entry.index < before)
                && (log.terms)(&entry.body).contains(&query.term)
        };
        let limit = query.limit.min(PAGE_MAX);
        let found = log.entries.iter().rev().filter(matches).take(limit).map(|entry| entry.index).collect();
        drop(log);
        ready(Ok(found))
    }
}

impl Log {
    fn append(&mut self, entries: Vec<LogEntry>) -> Result<Range<u64>> {
        entries.iter().try_for_each(LogEntry::check)?;
        let first = self.head.as_ref().map_or(0, |head| head.size);
        if entries.is_empty() {
            return Ok(first..first);
        }
        let bodies: Vec<_> = entries.iter().map(|entry| entry.body.as_slice()).collect();
        let sealed = self.sealer.seal(first, &bodies)?;
        self.sealer.committed();
        for ((index, entry), hash) in (first..).zip(entries).zip(sealed.hashes) {
            self.entries.push(StoredEntry { index, tenant: entry.tenant, body: entry.body, hash });
        }
        self.nodes.extend(sealed.nodes.iter().map(|node| ((node.level, node.index), node.hash)));
        let size = self.entries.len() as u64;
        self.head = Some(Head { size, state: sealed.state, checkpoint: sealed.checkpoint });
        Ok(first..size)
    }
}

impl Counters for MemoryStore {
    fn add(&self, adds: Vec<CounterAdd>, now: Timestamp) -> BoxFuture<'_, Result<Vec<u64>>> {
        let mut counters = lock(&self.counters);
        if counters.len() + adds.len() > KEYS_MAX {
            counters.retain(|_, (window_secs, sum)| !sum.is_over(*window_secs, now));
        }
        if counters.len() + adds.len() > KEYS_MAX {
            return ready(Err(Error::Limit(format!("more than {KEYS_MAX} counters"))));
        }
        let sums = adds.into_iter().map(|add| {
            let key = CounterKey { tenant: add.tenant, name: add.key };
            let (window_secs, sum) = counters.entry(key).or_default();
            *window_secs = add.window_secs;
            sum.add(add.amount, add.window_secs, now)
        });
        let sums = sums.collect();
        drop(counters);
        ready(Ok(sums))
    }

    fn take(&self, takes: Vec<RateTake>, now: Timestamp) -> BoxFuture<'_, Result<Vec<RateAnswer>>> {
        let mut rates = lock(&self.rates);
        if rates.len() + takes.len() > KEYS_MAX {
            rates.retain(|_, due| *due > now.as_micros());
        }
        if rates.len() + takes.len() > KEYS_MAX {
            return ready(Err(Error::Limit(format!("more than {KEYS_MAX} rate limits"))));
        }
        let answers = takes.into_iter().map(|take| {
            let (answer, due) = rate_take(rates.get(&take.key).copied(), take.limit, take.cost, now);
            rates.insert(take.key, due);
            answer
        });
        let answers = answers.collect();
        drop(rates);
        ready(Ok(answers))
    }
}

impl Leases for MemoryStore {
    fn acquire(
        &self,
        key: LeaseKey,
        owner: String,
        ttl_secs: u64,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Option<Lease>>> {
        let mut leases = lock(&self.leases);
        if leases.len() >= KEYS_MAX && !leases.contains_key(&key) {
            return ready(Err(Error::Limit(format!("more than {KEYS_MAX} leases"))));
        }
        let ends_at = end_of(ttl_secs, now);
        let held = leases.get(&key);
        if held.is_some_and(|lease| lease.owner != owner && now < lease.ends_at) {
            return ready(Ok(None));
        }
        let fence = match held {
            Some(lease) if lease.owner == owner && now < lease.ends_at => lease.fence,
            Some(lease) => lease.fence + 1,
            None => 1,
        };
        let lease = Lease { key: key.clone(), owner, fence, ends_at };
        leases.insert(key, lease.clone());
        drop(leases);
        ready(Ok(Some(lease)))
    }

    fn renew(&self, lease: Lease, ttl_secs: u64, now: Timestamp) -> BoxFuture<'_, Result<Lease>> {
        let mut leases = lock(&self.leases);
        let renewed = match leases.get_mut(&lease.key) {
            Some(held) if held.fence == lease.fence && now < held.ends_at => {
                held.ends_at = end_of(ttl_secs, now);
                Ok(held.clone())
            }
            _ => Err(Error::StaleFence { name: lease.key.name }),
        };
        drop(leases);
        ready(renewed)
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<()>> {
        if let Some(held) = lock(&self.leases).get_mut(&lease.key).filter(|held| held.fence == lease.fence) {
            // The entry stays, so that the next owner's number is greater.
            held.ends_at = Timestamp::MIN;
        }
        ready(Ok(()))
    }

    fn check(&self, key: LeaseKey, fence: u64) -> BoxFuture<'_, Result<()>> {
        let newest = lock(&self.leases).get(&key).map(|lease| lease.fence);
        ready(if newest == Some(fence) { Ok(()) } else { Err(Error::StaleFence { name: key.name }) })
    }
}

fn end_of(ttl_secs: u64, now: Timestamp) -> Timestamp {
    now.saturating_add_secs(i64::try_from(ttl_secs).unwrap_or(i64::MAX))
}

impl Bus for MemoryStore {
    fn publish(&self, topic: Topic, payload: Vec<u8>) -> BoxFuture<'_, Result<()>> {
        self.bus.publish(topic, payload)
    }

    fn subscribe(&self, topic: Topic) -> Result<Subscription> {
        self.bus.subscribe(topic)
    }
}

#[cfg(test)]
mod tests;
