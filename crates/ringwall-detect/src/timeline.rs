//! One subject's events in order of event time, and which of them lie in a full window.
//!
//! INVARIANT: stamps are ordered by (time, position). A stamp's bit in `completes` says that the window of that level
//! which ends with this stamp is full, and then every stamp of that window has its condition's bit in `evidence`.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use ringwall_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::compiled::{CompiledCondition, CompiledLevel, CompiledRule};
use crate::field::FieldValue;
use crate::runs::{Member, Runs, Tally};

/// What is kept of one event.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Stamp {
    pub(crate) time: Timestamp,
    pub(crate) position: u64,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    pub(crate) values: Vec<Option<FieldValue>>,
    /// Of `values`; not saved, since the hash may differ between builds.
    #[serde(skip)]
    hashes: Vec<u64>,
    pub(crate) matches: u64,
    pub(crate) evidence: u64,
    completes: u64,
}

impl Stamp {
    pub(crate) fn new(
        (time, position): (Timestamp, u64),
        (count, bytes): (u64, u64),
        values: Vec<Option<FieldValue>>,
        matches: u64,
    ) -> Self {
        let hashes = hashes(&values);
        Self { time, position, count, bytes, values, hashes, matches, evidence: 0, completes: 0 }
    }

    pub(crate) fn place(&self) -> (Timestamp, u64) {
        (self.time, self.position)
    }

    pub(crate) fn agrees(&self, fields: &[usize], values: &[Option<FieldValue>]) -> bool {
        let pairs =
            fields.iter().map(|field| (self.value(*field), values.get(*field).and_then(Option::as_ref)));
        let mut known = false;
        pairs.fold(true, |equal, (own, other)| {
            known |= own.is_some();
            equal && own == other
        }) && known
    }

    pub(crate) fn value(&self, field: usize) -> Option<&FieldValue> {
        self.values.get(field)?.as_ref()
    }

    pub(crate) fn hash(&self, field: usize) -> Option<u64> {
        self.value(field)?;
        self.hashes.get(field).copied()
    }

    fn same_group(&self, other: &Self, condition: usize, per: Option<usize>) -> bool {
        self.matches & (1 << condition) != 0
            && per.is_none_or(|field| {
                self.hash(field) == other.hash(field) && self.value(field) == other.value(field)
            })
    }
}

/// What one more event has changed.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Stamps that became evidence: index and the condition.
    pub(crate) marked: Vec<(usize, usize)>,
    /// Stamps that complete a full window: index and the level's bit.
    pub(crate) completed: Vec<(usize, u64)>,
}

/// One subject's events.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Timeline {
    stamps: VecDeque<Stamp>,
    /// Derived from the stamps; absent when it has to be derived anew.
    #[serde(skip)]
    runs: Option<Runs>,
    #[serde(skip)]
    pruned_before: Option<Timestamp>,
}

impl Timeline {
    /// So few stamps are looked through sooner than anything about them is kept. Tests lower it to meet both ways.
    const FEW: usize = if cfg!(test) { 4 } else { 16 };

    pub(crate) fn stamps(&self) -> &VecDeque<Stamp> {
        &self.stamps
    }

    /// Computes again what is not saved.
    pub(crate) fn rehash(&mut self) {
        self.stamps.iter_mut().for_each(|stamp| stamp.hashes = hashes(&stamp.values));
    }

    /// Forgets what lies before `horizon`.
    pub(crate) fn prune(&mut self, horizon: Timestamp) {
        while self.stamps.front().is_some_and(|oldest| oldest.time < horizon) {
            self.stamps.pop_front();
            self.pruned_before = Some(horizon);
        }
    }

    /// Adds `stamp` in its place and says which.
    pub(crate) fn insert(&mut self, stamp: Stamp) -> usize {
        let place = stamp.place();
        let at = match self.stamps.back() {
            Some(newest) if newest.place() > place => {
                self.stamps.partition_point(|known| known.place() <= place)
            }
            _ => self.stamps.len(),
        };
        self.stamps.insert(at, stamp);
        at
    }

    /// Looks at every window that holds the stamp at `at`, marks what is evidence now, and says what is new.
    pub(crate) fn judge(&mut self, at: usize, rule: &CompiledRule) -> Found {
        let mut found = Found::default();
        let matches = self.stamps.get(at).map_or(0, |stamp| stamp.matches);
        if self.stamps.len() <= Self::FEW {
            self.runs = None;
            groups(rule, matches).for_each(|group| self.judge_late(at, group, &mut found));
            return found;
        }
        let mut runs = self.runs.take().unwrap_or_else(|| self.runs_without(at, rule));
        for group in groups(rule, matches) {
            let Some(stamp) = self.stamps.get(at) else { break };
            let (place, member) = (stamp.place(), group.member(stamp));
            let run = runs.run(group.level.bit, group.key(stamp));
            let (newest, was_full) = (run.newest(), run.full);
            run.take(member, group.level.within_micros, self.pruned_before);
            run.full = run.reaches(group.condition, group.level.at_least);
            if newest.is_some_and(|newest| newest > place) {
                self.judge_late(at, group, &mut found);
            } else if run.full {
                let start = place.0.saturating_add_micros(-group.level.within_micros);
                // All of the previous window is evidence already, so only this stamp can be new.
                let oldest =
                    if was_full { at } else { self.stamps.partition_point(|known| known.time < start) };
                self.mark(oldest, at, at, group, &mut found);
            }
        }
        if let (Some(horizon), levels) = (self.pruned_before, rule.rule.conditions.len()) {
            runs.tidy(horizon, self.stamps.len(), levels);
        }
        self.runs = Some(runs);
        found
    }

    /// The newest windows as they were before the stamp at `at`.
    fn runs_without(&self, at: usize, rule: &CompiledRule) -> Runs {
        let mut runs = Runs::default();
        for (_, stamp) in self.stamps.iter().enumerate().filter(|(index, _)| *index != at) {
            for group in groups(rule, stamp.matches) {
                let run = runs.run(group.level.bit, group.key(stamp));
                run.take(Member::new(stamp, group.condition), group.level.within_micros, None);
                run.full = run.reaches(group.condition, group.level.at_least);
            }
        }
        runs
    }

    /// Indices of the group's stamps after `at`, within the window.
    fn later(&self, at: usize, group: Group<'_>) -> Vec<usize> {
        let Some(stamp) = self.stamps.get(at) else { return Vec::new() };
        let within = group.level.within_micros;
        let after = self.stamps.iter().enumerate().skip(at + 1);
        after
            .take_while(|(_, other)| other.time.micros_since(stamp.time) <= within)
            .filter(|(_, other)| group.holds(other, stamp))
            .map(|(index, _)| index)
            .collect()
    }

    /// Every window that holds `at`, each ending with `at` or one of `later`.
    fn judge_late(&mut self, at: usize, group: Group<'_>, found: &mut Found) {
        let later = self.later(at, group);
        let Some(stamp) = self.stamps.get(at) else { return };
        let within = group.level.within_micros;
        let earlier = (0..at).rev().map_while(|index| {
            let other = self.stamps.get(index)?;
            (stamp.time.micros_since(other.time) <= within).then_some((index, other))
        });
        let earlier = earlier.filter(|(_, other)| group.holds(other, stamp)).map(|(index, _)| index);
        let mut members: VecDeque<usize> = earlier.collect();
        members.make_contiguous().reverse();
        members.push_back(at);
        let mut tally = Tally::default();
        members
            .iter()
            .filter_map(|index| self.stamps.get(*index))
            .for_each(|member| tally.add(&group.member(member)));
        for end in std::iter::once(at).chain(later) {
            if end != at {
                let Some(newest) = self.stamps.get(end) else { break };
                tally.add(&group.member(newest));
                members.push_back(end);
                while let Some(oldest) = members.front().and_then(|index| self.stamps.get(*index))
                    && newest.time.micros_since(oldest.time) > within
                {
                    tally.remove(&group.member(oldest));
                    members.pop_front();
                }
            }
            if tally.is_full(group.condition, group.level.at_least)
                && let Some(oldest) = members.front()
            {
                self.mark(*oldest, end, at, group, found);
            }
        }
    }

    /// Marks the group of the stamp `like` between `oldest` and `newest` as evidence, completed by `newest`.
    fn mark(&mut self, oldest: usize, newest: usize, like: usize, group: Group<'_>, found: &mut Found) {
        let bit = 1 << group.index;
        for index in oldest..=newest {
            let (Some(stamp), Some(like)) = (self.stamps.get(index), self.stamps.get(like)) else { continue };
            if stamp.evidence & bit == 0 && group.holds(stamp, like) {
                found.marked.push((index, group.index));
                if let Some(stamp) = self.stamps.get_mut(index) {
                    stamp.evidence |= bit;
                }
            }
        }
        if let Some(stamp) = self.stamps.get_mut(newest)
            && stamp.completes & group.level.bit == 0
        {
            stamp.completes |= group.level.bit;
            found.completed.push((newest, group.level.bit));
        }
    }

    /// Makes room: merges stamps that say the same, the later time winning, over ever wider spans until half of
    /// `stamps_max` are left; then forgets the oldest, evidence first. Returns how many stamps are gone.
    pub(crate) fn coalesce(&mut self, stamps_max: usize) -> u64 {
        const SPAN_MICROS_FIRST: i64 = 1000;
        self.runs = None;
        let (before, goal) = (self.stamps.len(), stamps_max / 2);
        let (Some(first), Some(last)) = (self.stamps.front(), self.stamps.back()) else { return 0 };
        let (mut span, whole) = (SPAN_MICROS_FIRST, last.time.micros_since(first.time));
        while self.stamps.len() > goal {
            self.merge_within(span);
            if span > whole {
                break;
            }
            span = span.saturating_mul(2);
        }
        for only_evidence in [true, false] {
            let mut excess = self.stamps.len().saturating_sub(goal);
            self.stamps.retain(|stamp| {
                let forget = excess > 0 && (!only_evidence || stamp.evidence != 0);
                excess -= usize::from(forget);
                !forget
            });
        }
        u64::try_from(before - self.stamps.len()).unwrap_or(u64::MAX)
    }

    fn merge_within(&mut self, span_micros: i64) {
        let mut kept: Vec<Option<Stamp>> = Vec::with_capacity(self.stamps.len());
        let mut newest_like: HashMap<(Vec<u64>, u64, u64), (usize, Timestamp)> = HashMap::new();
        for mut stamp in self.stamps.drain(..) {
            let key = (stamp.hashes.clone(), stamp.matches, stamp.evidence);
            let mut since = stamp.time;
            if let Some((index, first)) = newest_like.get(&key)
                && stamp.time.micros_since(*first) <= span_micros
                && let Some(older) = kept.get_mut(*index).and_then(Option::take)
            {
                stamp.count = stamp.count.saturating_add(older.count);
                stamp.bytes = stamp.bytes.saturating_add(older.bytes);
                stamp.completes |= older.completes;
                since = *first;
            }
            newest_like.insert(key, (kept.len(), since));
            kept.push(Some(stamp));
        }
        self.stamps.extend(kept.into_iter().flatten());
    }
}

/// One level of one condition.
#[derive(Clone, Copy)]
struct Group<'a> {
    index: usize,
    condition: &'a CompiledCondition,
    level: &'a CompiledLevel,
}

/// The levels of the conditions that `matches` names.
fn groups(rule: &CompiledRule, matches: u64) -> impl Iterator<Item = Group<'_>> {
    let counting = rule.conditions.iter().enumerate().filter(move |(index, _)| matches & (1 << index) != 0);
    counting.flat_map(|(index, condition)| {
        condition.levels.iter().map(move |level| Group { index, condition, level })
    })
}

impl Group<'_> {
    /// Which group of the condition the stamp belongs to.
    fn key(self, stamp: &Stamp) -> Option<FieldValue> {
        self.condition.per.and_then(|field| stamp.value(field).cloned())
    }

    fn member(self, stamp: &Stamp) -> Member {
        Member::new(stamp, self.condition)
    }

    fn holds(self, stamp: &Stamp, like: &Stamp) -> bool {
        stamp.same_group(like, self.index, self.condition.per)
    }
}

fn hashes(values: &[Option<FieldValue>]) -> Vec<u64> {
    let hash = |value: &FieldValue| {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    };
    values.iter().map(|value| value.as_ref().map_or(0, hash)).collect()
}
