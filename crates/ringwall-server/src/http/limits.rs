//! How often somebody may knock. A stranger's failures are limited by address, so that nobody tries keys in bulk.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use ringwall::Caller;
use ringwall_store::{RateAnswer, RateLimit, rate_take};
use ringwall_types::{KeyId, Timestamp};

use super::error::ApiError;
use crate::config::ServerSettings;

/// Failures of one address at once, and then one a second.
const STRANGER: RateLimit = RateLimit { burst: 20, interval_micros: 1_000_000 };
/// The most addresses or keys that are remembered; beyond, those that are free again are forgotten.
const REMEMBERED_MAX: usize = 100_000;

pub(super) struct Limits {
    per_key: RateLimit,
    keys: Mutex<HashMap<KeyId, i64>>,
    addresses: Mutex<HashMap<IpAddr, i64>>,
}

impl Limits {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        let per_sec = u64::from(settings.rate_per_key_per_sec.max(1));
        let per_key =
            RateLimit { burst: settings.burst_per_key.max(1), interval_micros: (1_000_000 / per_sec).max(1) };
        Self { per_key, keys: Mutex::default(), addresses: Mutex::default() }
    }

    pub(super) fn guest(&self, caller: &Caller, now: Timestamp) -> Result<(), ApiError> {
        caller.key.as_ref().map_or(Ok(()), |key| take(&self.keys, key.clone(), self.per_key, now))
    }

    pub(super) fn stranger(&self, address: SocketAddr, now: Timestamp) -> Result<(), ApiError> {
        take(&self.addresses, address.ip().to_canonical(), STRANGER, now)
    }
}

fn take<K: Eq + Hash>(
    all: &Mutex<HashMap<K, i64>>,
    key: K,
    limit: RateLimit,
    now: Timestamp,
) -> Result<(), ApiError> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= REMEMBERED_MAX && !all.contains_key(&key) {
        all.retain(|_, due| *due > now.as_micros());
        if all.len() >= REMEMBERED_MAX {
            return Err(ApiError::too_many(1));
        }
    }
    let (answer, due) = rate_take(all.get(&key).copied(), limit, 1, now);
    all.insert(key, due);
    match answer {
        RateAnswer::Granted => Ok(()),
        RateAnswer::Refused { retry_micros } => {
            Err(ApiError::too_many(retry_micros.unwrap_or(0).div_ceil(1_000_000).max(1)))
        }
    }
}
