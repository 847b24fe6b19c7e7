//! How much the detector remembers, and what it counts.

use ringwall_types::{RuleId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much the detector remembers and how far it trusts clocks.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How far behind the newest event of its source an event may lie and still count, in seconds.
    pub lateness_secs: u64,
    /// How far ahead of its arrival an event may be dated; beyond, the time of arrival stands in. Absent = any time is
    /// believed, which only the replay of a trusted file should ask for.
    pub clock_skew_secs: Option<u64>,
    /// Subjects remembered for each rule and tenant.
    pub subjects_max: usize,
    /// Moments remembered for each subject. Above it equal neighbours are merged at the later one's time, so a window
    /// may count an event that lies just outside it; where nothing is equal, the oldest are forgotten, those that
    /// already are evidence first.
    pub stamps_max: usize,
    /// Event ids remembered for each tenant.
    pub ids_max: usize,
}

impl Limits {
    /// Default of [`Self::lateness_secs`].
    pub const LATENESS_SECS: u64 = 60;
    /// Default of [`Self::clock_skew_secs`].
    pub const CLOCK_SKEW_SECS: u64 = 300;
    /// Default of [`Self::subjects_max`].
    pub const SUBJECTS_MAX: usize = 100_000;
    /// Default of [`Self::stamps_max`].
    pub const STAMPS_MAX: usize = 4096;
    /// Default of [`Self::ids_max`].
    pub const IDS_MAX: usize = 100_000;
    /// A source that sent nothing for so long holds nobody else's threats open, in seconds of arrival time.
    pub const SOURCE_IDLE_SECS: u64 = 3600;
    /// Sources remembered for each tenant; beyond, the one silent for longest is forgotten.
    pub const SOURCES_MAX: usize = 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lateness_secs: Self::LATENESS_SECS,
            clock_skew_secs: Some(Self::CLOCK_SKEW_SECS),
            subjects_max: Self::SUBJECTS_MAX,
            stamps_max: Self::STAMPS_MAX,
            ids_max: Self::IDS_MAX,
        }
    }
}

/// What the detector has counted since it was made.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Events shown to the detector.
    pub observed: u64,
    /// Events that came later than the allowed lateness and opened no window.
    pub late: u64,
    /// Events whose time lay too far ahead and was replaced by their arrival.
    pub clamped: u64,
    /// Events whose id had been seen.
    pub duplicates: u64,
    /// Subjects forgotten for want of room while they still mattered.
    pub evicted: u64,
    /// Moments merged or forgotten for want of room.
    pub coalesced: u64,
    /// Threats opened.
    pub opened: u64,
    /// Threats that turned out to be part of an earlier one.
    pub merged: u64,
    /// Threats closed.
    pub closed: u64,
}

/// A rule that had to forget subjects: either the limit is too low, or somebody floods it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StatePressure {
    /// Whose events.
    pub tenant: TenantId,
    /// Which rule.
    pub rule: RuleId,
    /// Subjects remembered now.
    pub subjects: usize,
    /// Subjects forgotten so far.
    pub evicted: u64,
}
