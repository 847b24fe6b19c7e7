//! Windowed sums and rate limits, with the arithmetic that every backend shares.

use std::collections::VecDeque;

use ringwall_types::{CounterAdd, TenantId, Timestamp};

use crate::{BoxFuture, Result};

/// Into how many slices a window is divided.
pub const WINDOW_SLICES: i64 = 16;

/// Sums over sliding windows, and rate limits.
pub trait Counters: Send + Sync {
    /// Adds, and gives each counter's sum over its window, the addition included, in the order of `adds`.
    ///
    /// A window of W seconds covers everything of the last W seconds and at most W/16 more: it never undercounts.
    fn add(&self, adds: Vec<CounterAdd>, now: Timestamp) -> BoxFuture<'_, Result<Vec<u64>>>;

    /// Takes from rate limits, each for itself, in the order of `takes`.
    fn take(&self, takes: Vec<RateTake>, now: Timestamp) -> BoxFuture<'_, Result<Vec<RateAnswer>>>;
}

/// Which counter or rate limit.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CounterKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
}

/// A rate: `burst` at once, then one every `interval_micros`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimit {
    /// How many may come at once; at least 1.
    pub burst: u32,
    /// Microseconds in which one is given back; at least 1.
    pub interval_micros: u64,
}

/// One attempt to take from a rate limit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RateTake {
    /// Which one.
    pub key: CounterKey,
    /// Its rate.
    pub limit: RateLimit,
    /// How many to take.
    pub cost: u32,
}

/// What a rate limit said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RateAnswer {
    /// Taken.
    Granted,
    /// Not taken; it will be possible in so many microseconds. `None`: never, the cost is above the burst.
    Refused {
        /// Microseconds until the same take is possible.
        retry_micros: Option<u64>,
    },
}

/// The generic cell rate algorithm (ITU-T I.371, virtual scheduling): `due` is the theoretical arrival time in
/// microseconds that was stored for the key, if any. Gives the answer and the value to store.
pub fn rate_take(due: Option<i64>, limit: RateLimit, cost: u32, now: Timestamp) -> (RateAnswer, i64) {
    let now = now.as_micros();
    let interval = i64::try_from(limit.interval_micros.max(1)).unwrap_or(i64::MAX);
    let tolerance = interval.saturating_mul(i64::from(limit.burst.max(1)));
    let due = due.unwrap_or(now).max(now);
    if cost > limit.burst {
        return (RateAnswer::Refused { retry_micros: None }, due);
    }
    let next = due.saturating_add(interval.saturating_mul(i64::from(cost)));
    let wait = next.saturating_sub(now).saturating_sub(tolerance);
    match u64::try_from(wait) {
        Ok(wait) if wait > 0 => (RateAnswer::Refused { retry_micros: Some(wait) }, due),
        _ => (RateAnswer::Granted, next),
    }
}

/// A sum over a sliding window, in [`WINDOW_SLICES`] slices of time.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WindowedSum {
    slices: VecDeque<(i64, u64)>,
}

impl WindowedSum {
    /// Takes stored slices: (number of the slice, sum), in order.
    pub fn from_slices(slices: impl IntoIterator<Item = (i64, u64)>) -> Self {
        Self { slices: slices.into_iter().collect() }
    }

    /// The slices to store, in order.
    pub fn slices(&self) -> impl Iterator<Item = (i64, u64)> {
        self.slices.iter().copied()
    }

    /// Adds at `now` and gives the sum over the window.
    pub fn add(&mut self, amount: u64, window_secs: u64, now: Timestamp) -> u64 {
        let window_micros = i64::try_from(window_secs.max(1)).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let current = now.as_micros().div_euclid((window_micros / WINDOW_SLICES).max(1));
        self.slices.retain(|(slice, _)| *slice >= current.saturating_sub(WINDOW_SLICES));
        match self.slices.back_mut() {
            // A clock that stepped back adds to the newest slice: the sum may last longer, never vanish.
            Some((slice, sum)) if *slice >= current => *sum = sum.saturating_add(amount),
            _ => self.slices.push_back((current, amount)),
        }
        self.slices.iter().fold(0, |total, (_, sum)| total.saturating_add(*sum))
    }

    /// Whether nothing of it can still count at `now`.
    pub fn is_over(&self, window_secs: u64, now: Timestamp) -> bool {
        let window_micros = i64::try_from(window_secs.max(1)).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let current = now.as_micros().div_euclid((window_micros / WINDOW_SLICES).max(1));
        self.slices.back().is_none_or(|(slice, _)| *slice < current.saturating_sub(WINDOW_SLICES))
    }
}

#[cfg(test)]
mod tests;
