//! Publish and subscribe. Losing a notice costs latency, never data: whoever follows reads the record from its cursor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ringwall_types::TenantId;
use tokio::sync::broadcast;

use crate::{BoxFuture, Error, Result, ready};

/// How many notices a subscriber may be behind before it is told what it missed.
pub const TOPIC_CAPACITY: usize = 1024;
/// The most topics at a time that have subscribers.
const TOPICS_MAX: usize = 10_000;

/// Notices between parts and processes.
pub trait Bus: Send + Sync {
    /// Tells every present subscriber of the topic.
    fn publish(&self, topic: Topic, payload: Vec<u8>) -> BoxFuture<'_, Result<()>>;

    /// Hears of everything published to the topic from now on.
    fn subscribe(&self, topic: Topic) -> Result<Subscription>;
}

/// What a notice is about.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Topic {
    /// Whose notices; there is no subscription across tenants.
    pub tenant: TenantId,
    /// Their subject, for example `policies`.
    pub name: &'static str,
}

/// What a subscriber hears.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// A payload, in the order in which it was published.
    Payload(Vec<u8>),
    /// The subscriber was too slow and missed so many; it should read the record.
    Missed(u64),
}

/// The hearing end.
pub struct Subscription {
    receiver: broadcast::Receiver<Vec<u8>>,
}

impl Subscription {
    /// The next notice; [`Error::Closed`] when nobody can publish any more.
    pub async fn next(&mut self) -> Result<Notice> {
        match self.receiver.recv().await {
            Ok(payload) => Ok(Notice::Payload(payload)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Ok(Notice::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => Err(Error::Closed),
        }
    }
}

/// A bus within one process.
#[derive(Clone, Default)]
pub struct LocalBus {
    topics: Arc<Mutex<HashMap<Topic, broadcast::Sender<Vec<u8>>>>>,
}

impl Bus for LocalBus {
    fn publish(&self, topic: Topic, payload: Vec<u8>) -> BoxFuture<'_, Result<()>> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        // A send fails only when the last subscriber has gone; then the topic goes too.
        if topics.get(&topic).is_some_and(|sender| sender.send(payload).is_err()) {
            topics.remove(&topic);
        }
        drop(topics);
        ready(Ok(()))
    }

    fn subscribe(&self, topic: Topic) -> Result<Subscription> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= TOPICS_MAX {
            topics.retain(|_, sender| sender.receiver_count() > 0);
        }
        if topics.len() >= TOPICS_MAX && !topics.contains_key(&topic) {
            return Err(Error::Limit(format!("more than {TOPICS_MAX} topics have subscribers")));
        }
        let sender = topics.entry(topic).or_insert_with(|| broadcast::channel(TOPIC_CAPACITY).0);
        Ok(Subscription { receiver: sender.subscribe() })
    }
}
