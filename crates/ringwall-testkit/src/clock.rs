//! A clock that moves only when a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ringwall_types::Timestamp;

/// A clock that moves only when it is told to; clones are the same clock.
#[derive(Clone, Debug)]
pub struct FixedClock {
    micros: Arc<AtomicI64>,
}

impl FixedClock {
    /// A clock that stands at `text`, RFC 3339.
    pub fn at(text: &str) -> Self {
        let moment: Timestamp = text.parse().expect("a moment");
        Self { micros: Arc::new(AtomicI64::new(moment.as_micros())) }
    }

    /// Puts the clock to `moment`, forwards or backwards.
    pub fn set(&self, moment: Timestamp) {
        self.micros.store(moment.as_micros(), Ordering::SeqCst);
    }

    /// Moves the clock by `secs`.
    pub fn advance_secs(&self, secs: i64) {
        self.advance_micros(secs * 1_000_000);
    }

    /// Moves the clock by `micros`.
    pub fn advance_micros(&self, micros: i64) {
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }

    /// The moment `secs` from now; negative is before.
    pub fn after_secs(&self, secs: i64) -> Timestamp {
        ringwall::Clock::now(self).saturating_add_secs(secs)
    }
}

impl Default for FixedClock {
    /// A moment that is no edge of anything: 2026-03-04T10:00:00Z.
    fn default() -> Self {
        Self::at("2026-03-04T10:00:00Z")
    }
}

impl ringwall::Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst)).expect("a moment that can be written")
    }
}
