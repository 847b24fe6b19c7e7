//! How far each source of a tenant has come in event time.
//!
//! Promises: a source's watermark moves only with its own events.

use std::collections::BTreeMap;

use ringwall_types::{SourceName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Limits;

/// The clocks of one tenant's sources; events without a source share one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Clocks {
    named: BTreeMap<SourceName, Clock>,
    unnamed: Option<Clock>,
    low: Option<Timestamp>,
    accepted: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Clock {
    newest: Timestamp,
    arrival: Timestamp,
}

impl Clocks {
    /// Moves the source's clock; `false` when the event lies further back than the lateness allows.
    pub(crate) fn accept(
        &mut self,
        source: Option<&SourceName>,
        time: Timestamp,
        arrival: Timestamp,
        limits: &Limits,
    ) -> bool {
        let newest = if limits.clock_skew_secs.is_some() { time.min(arrival) } else { time };
        let fresh = Clock { newest, arrival };
        let clock = match source {
            None => self.unnamed.get_or_insert(fresh),
            Some(source) if self.named.contains_key(source) => {
                self.named.entry(source.clone()).or_insert(fresh)
            }
            Some(source) => {
                self.make_room();
                self.named.entry(source.clone()).or_insert(fresh)
            }
        };
        clock.arrival = clock.arrival.max(arrival);
        if time < watermark(clock, limits) {
            return false;
        }
        // A clock that runs ahead of its arrivals, as far as it may, must not make the others of its feed late.
        let credible = if limits.clock_skew_secs.is_some() { time.min(arrival) } else { time };
        clock.newest = clock.newest.max(credible);
        // A low mark that lags behind only keeps things longer, so many sources need not be asked at every event.
        const ASKED_ALWAYS: usize = 8;
        const ASKED_EVERY: u64 = 64;
        self.accepted = self.accepted.wrapping_add(1);
        if self.named.len() <= ASKED_ALWAYS || self.accepted.is_multiple_of(ASKED_EVERY) {
            self.low = self.lowest(arrival, limits);
        }
        true
    }

    /// Before this moment no event is expected.
    pub(crate) fn low(&self) -> Option<Timestamp> {
        self.low
    }

    /// Forgets how far events without a source had come.
    pub(crate) fn start_batch(&mut self) {
        self.unnamed = None;
        self.low = None;
    }

    /// The low mark when it is `arrival` now. When every source is idle, time passes as it does on the wall.
    pub(crate) fn pass(&mut self, arrival: Timestamp, limits: &Limits) -> Option<Timestamp> {
        let idle_all = self.lowest(arrival, limits).is_none() && self.clocks().next().is_some();
        if idle_all {
            Some(arrival.saturating_add_secs(-lateness(limits)))
        } else {
            self.lowest(arrival, limits)
        }
    }

    fn lowest(&self, arrival: Timestamp, limits: &Limits) -> Option<Timestamp> {
        let idle_before =
            arrival.saturating_add_secs(-i64::try_from(Limits::SOURCE_IDLE_SECS).unwrap_or(i64::MAX));
        let awake = self.clocks().filter(|clock| clock.arrival >= idle_before);
        awake.map(|clock| watermark(clock, limits)).min()
    }

    fn clocks(&self) -> impl Iterator<Item = &Clock> {
        self.named.values().chain(&self.unnamed)
    }

    fn make_room(&mut self) {
        if self.named.len() < Limits::SOURCES_MAX {
            return;
        }
        let silent = self.named.iter().min_by_key(|(name, clock)| (clock.arrival, (*name).clone()));
        if let Some(name) = silent.map(|(name, _)| name.clone()) {
            self.named.remove(&name);
        }
    }
}

fn watermark(clock: &Clock, limits: &Limits) -> Timestamp {
    clock.newest.saturating_add_secs(-lateness(limits))
}

fn lateness(limits: &Limits) -> i64 {
    i64::try_from(limits.lateness_secs).unwrap_or(i64::MAX)
}
