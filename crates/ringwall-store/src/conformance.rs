//! One suite for every backend: the words of the traits, as assertions.
//!
//! A backend calls [`run_all`] from its tests with a function that makes an empty store. Crashes, full disks and
//! restarts are each durable backend's own tests, since only it knows how to cause them.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test suite: a broken promise is a panic"
)]

mod log;
mod state;

use std::future::Future;

use ringwall_types::{TenantId, Timestamp};

use crate::{Error, Head, LogOptions, Node, Result, Sealed, Sealer, Stores, Term};

/// Holds the stores that `make` gives, each empty, to every promise of the five traits.
pub async fn run_all<F: Future<Output = Stores>>(make: impl Fn() -> F) {
    state::versions_are_compared_and_batches_are_atomic(make().await).await;
    state::one_of_many_writers_wins_each_version(make().await).await;
    state::pages_are_stable_ordered_and_of_one_tenant(make().await).await;
    state::limits_are_errors(make().await).await;
    state::counters_count_their_window_and_no_other(make().await).await;
    state::rates_are_kept_and_separate(make().await).await;
    state::a_lease_has_one_owner_and_growing_fences(make().await).await;
    state::notices_reach_their_own_topic_only(make().await).await;
    log::indexes_are_dense_and_ordered_under_many_writers(make().await).await;
    log::a_batch_is_appended_whole_or_not_at_all(make().await).await;
    log::the_seal_covers_exactly_what_is_stored(make().await).await;
    log::a_follower_sees_each_index_once_in_order(make().await).await;
    log::search_finds_at_once_newest_first_and_within_the_tenant(make().await).await;
}

/// A seal without cryptography: it refuses a body that is `poison`, and its checkpoint names the size.
#[derive(Default)]
pub struct PlainSealer {
    size: u64,
    pending: u64,
}

/// Options for a log under test: a [`PlainSealer`], and for each entry `word=…` the term `word`.
pub fn log_options() -> LogOptions {
    LogOptions { sealer: Box::new(PlainSealer::default()), terms }
}

fn terms(body: &[u8]) -> Vec<Term> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let words = text.split(' ').filter_map(|word| word.strip_prefix("word="));
    words.map(|value| Term { field: "word", value: value.to_owned() }).collect()
}

impl Sealer for PlainSealer {
    fn resume(&mut self, head: Option<&Head>) -> Result<()> {
        self.size = head.map_or(0, |head| head.size);
        self.pending = self.size;
        let claimed = head.map_or_else(|| "size 0".to_owned(), |head| head.checkpoint.clone());
        if claimed == checkpoint(self.size) {
            Ok(())
        } else {
            Err(Error::Seal("checkpoint of another size".into()))
        }
    }

    fn seal(&mut self, first: u64, entries: &[&[u8]]) -> Result<Sealed> {
        if first != self.size {
            return Err(Error::Seal(format!("batch starts at {first}, the log has {}", self.size)));
        }
        if entries.contains(&b"poison".as_slice()) {
            return Err(Error::Seal("poison".into()));
        }
        self.pending = first + entries.len() as u64;
        let completed = (first / 256 + 1)..=(self.pending / 256);
        Ok(Sealed {
            hashes: entries.iter().map(|entry| hash(entry)).collect(),
            nodes: completed
                .map(|end| Node { level: 1, index: end - 1, hash: [(end - 1) as u8; 32] })
                .collect(),
            state: self.pending.to_be_bytes().to_vec(),
            checkpoint: checkpoint(self.pending),
        })
    }

    fn committed(&mut self) {
        self.size = self.pending;
    }

    fn rolled_back(&mut self) {
        self.pending = self.size;
    }
}

fn checkpoint(size: u64) -> String {
    format!("size {size}")
}

/// Not a cryptographic hash: enough to see which body a stored hash belongs to.
fn hash(body: &[u8]) -> [u8; 32] {
    let mut hash = [body.len() as u8; 32];
    for (place, byte) in body.iter().enumerate() {
        hash[place % 32] = hash[place % 32].wrapping_mul(31).wrapping_add(*byte);
    }
    hash
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_micros(secs * 1_000_000).unwrap()
}
