//! The measure of a window, and the newest window of each group kept up to date, so that an event in order costs the
//! same however full its window is.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use ringwall_types::Timestamp;

use crate::compiled::{CompiledCondition, CompiledMeasure};
use crate::field::FieldValue;
use crate::timeline::Stamp;

/// For each level (by its bit) and group the newest window. Derived from the stamps, so never saved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(HashMap<(u64, Option<FieldValue>), Run>);

impl Runs {
    /// The newest window of a group, empty when nothing is known of it.
    pub(crate) fn run(&mut self, level_bit: u64, group: Option<FieldValue>) -> &mut Run {
        self.0.entry((level_bit, group)).or_default()
    }

    /// Forgets groups whose newest event lies before `horizon`, once there are far more than `stamps`.
    pub(crate) fn tidy(&mut self, horizon: Timestamp, stamps: usize, levels: usize) {
        const SLACK: usize = 64;
        if self.0.len() > 2 * stamps * levels.max(1) + SLACK {
            self.0.retain(|_, run| run.newest().is_some_and(|(newest, _)| newest >= horizon));
        }
    }
}

/// The window that ends with the newest event of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    members: VecDeque<Member>,
    tally: Tally,
    /// Whether it reached its level.
    pub(crate) full: bool,
}

impl Run {
    pub(crate) fn newest(&self) -> Option<(Timestamp, u64)> {
        self.members.back().map(|member| member.place)
    }

    /// Takes an event of the group and keeps the window that ends with the newest.
    pub(crate) fn take(&mut self, member: Member, within_micros: i64, pruned_before: Option<Timestamp>) {
        let at = match self.newest() {
            Some(newest) if newest > member.place => {
                self.members.partition_point(|known| known.place <= member.place)
            }
            _ => self.members.len(),
        };
        self.tally.add(&member);
        self.members.insert(at, member);
        while let (Some(oldest), Some((newest, _))) = (self.members.front(), self.newest()) {
            let (time, _) = oldest.place;
            let outside = newest.micros_since(time) > within_micros
                || pruned_before.is_some_and(|horizon| time < horizon);
            if !outside {
                break;
            }
            self.tally.remove(oldest);
            self.members.pop_front();
        }
    }

    pub(crate) fn reaches(&self, condition: &CompiledCondition, at_least: u64) -> bool {
        self.tally.is_full(condition, at_least)
    }
}

/// What one event adds to the measure of one condition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    place: (Timestamp, u64),
    weight: u64,
    measured: Option<u64>,
    required: Option<u64>,
}

impl Member {
    pub(crate) fn new(stamp: &Stamp, condition: &CompiledCondition) -> Self {
        let (weight, measured) = match condition.measure {
            CompiledMeasure::Count => (stamp.count, None),
            CompiledMeasure::Bytes => (stamp.bytes, None),
            CompiledMeasure::Distinct(field) => (0, stamp.hash(field)),
        };
        let required = condition.distinct.and_then(|(field, _)| stamp.hash(field));
        Self { place: stamp.place(), weight, measured, required }
    }
}

/// The measure of one window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    sum: u128,
    measured: Occurrences,
    required: Occurrences,
}

/// Already hashed values, and how often each occurs.
type Occurrences = HashMap<u64, u32, BuildHasherDefault<AsIs>>;

impl Tally {
    pub(crate) fn add(&mut self, member: &Member) {
        self.sum += u128::from(member.weight);
        increment(&mut self.measured, member.measured);
        increment(&mut self.required, member.required);
    }

    pub(crate) fn remove(&mut self, member: &Member) {
        self.sum = self.sum.saturating_sub(u128::from(member.weight));
        decrement(&mut self.measured, member.measured);
        decrement(&mut self.required, member.required);
    }

    pub(crate) fn is_full(&self, condition: &CompiledCondition, at_least: u64) -> bool {
        let measure = match condition.measure {
            CompiledMeasure::Count | CompiledMeasure::Bytes => self.sum,
            CompiledMeasure::Distinct(_) => self.measured.len() as u128,
        };
        measure >= u128::from(at_least)
            && condition.distinct.is_none_or(|(_, n)| self.required.len() as u128 >= u128::from(n))
    }
}

fn increment(occurrences: &mut Occurrences, value: Option<u64>) {
    if let Some(value) = value {
        *occurrences.entry(value).or_default() += 1;
    }
}

fn decrement(occurrences: &mut Occurrences, value: Option<u64>) {
    if let Some(value) = value
        && let Some(count) = occurrences.get_mut(&value)
    {
        *count -= 1;
        if *count == 0 {
            occurrences.remove(&value);
        }
    }
}

/// Passes a number on as its own hash.
#[derive(Clone, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
