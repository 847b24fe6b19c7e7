//! Events in, changes of threats out.
//!
//! INVARIANT: nothing is forgotten that an event could still reach which is not late. An event reaches `retention` back
//! and forth, no event of a source lies before its newest minus the lateness, and the horizon is the least of that over
//! all sources that are not idle. So findings do not depend on the order of arrival.

mod clocks;

use std::collections::{BTreeMap, HashSet, VecDeque};

use ringwall_types::{
    EventFlag, EventId, SecurityEvent, SourceName, TenantId, Threat, ThreatId, ThreatStatus, Timestamp,
};
use serde::{Deserialize, Serialize};

use self::clocks::Clocks;
use crate::compiled::{CompiledRule, Hit};
use crate::subjects::Place;
use crate::table::{Room, SubjectTable};
use crate::timeline::Stamp;
use crate::{DetectorState, Error, Limits, Metrics, RuleSet, StatePressure};

/// Finds threats in events, one after the other.
pub struct Detector {
    rules: Vec<CompiledRule>,
    limits: Limits,
    make_id: fn(&[u8]) -> [u8; 16],
    tenants: BTreeMap<TenantId, TenantState>,
    metrics: Metrics,
}

/// What became of one event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observed {
    /// The time at which it counts: its own, or its arrival's when its own was too far ahead.
    pub time: Timestamp,
    /// [`EventFlag::TimeClamped`] or [`EventFlag::Late`].
    pub flag: Option<EventFlag>,
    /// Its id was seen before, so it changed nothing.
    pub duplicate: bool,
    /// What it changed.
    pub changes: Vec<ThreatChange>,
}

/// How threats changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ThreatChange {
    /// A rule was fulfilled.
    Opened(Threat),
    /// More evidence, or worse.
    Updated(Threat),
    /// Late evidence showed that two threats are one.
    Merged {
        /// The threat that is no more.
        id: ThreatId,
        /// The one that holds its evidence now; an `Opened` or `Updated` with it comes first.
        into: ThreatId,
    },
    /// No event can add to it any more, or there was no room to remember it.
    Closed(Threat),
}

/// An event's id within its feed: two feeds that both number from 0 do not blind each other.
type SourcedId = (Option<SourceName>, EventId);

/// What is known of one tenant.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct TenantState {
    clocks: Clocks,
    ids: HashSet<SourcedId>,
    ids_in_order: VecDeque<SourcedId>,
    /// One for each rule, in the order of the rules.
    pub(crate) tables: Vec<SubjectTable>,
}

impl Detector {
    /// A detector that has seen nothing. `make_id` gives 128 bits of a cryptographic hash; equal bytes must give equal
    /// bits.
    pub fn new(rules: &RuleSet, limits: Limits, make_id: fn(&[u8]) -> [u8; 16]) -> Self {
        let rules = rules.rules().iter().map(CompiledRule::new).collect();
        Self { rules, limits, make_id, tenants: BTreeMap::new(), metrics: Metrics::default() }
    }

    /// Takes one event. `position` names it in its stream (log index, or line number), `arrival` is when it was
    /// received.
    pub fn observe(&mut self, position: u64, event: &SecurityEvent, arrival: Timestamp) -> Observed {
        self.metrics.observed += 1;
        let mut observed = Observed { time: event.time, flag: None, duplicate: false, changes: Vec::new() };
        if !self.tenants.contains_key(&event.tenant) {
            let tables = self.rules.iter().map(|_| SubjectTable::default()).collect();
            self.tenants.insert(event.tenant.clone(), TenantState { tables, ..TenantState::default() });
        }
        let Some(tenant) = self.tenants.get_mut(&event.tenant) else { return observed };
        if let Some(id) = &event.id
            && !tenant.is_new((event.source.clone(), id.clone()), self.limits.ids_max)
        {
            self.metrics.duplicates += 1;
            observed.duplicate = true;
            return observed;
        }
        let skew = self.limits.clock_skew_secs.map(|secs| i64::try_from(secs).unwrap_or(i64::MAX));
        let ahead = skew.is_some_and(|skew| event.time > arrival.saturating_add_secs(skew));
        if ahead {
            observed.time = arrival;
        }
        // A clock that is known to be wrong moves no watermark and is no reason to call the event late.
        if ahead || event.flags.contains(&EventFlag::TimeClamped) {
            self.metrics.clamped += u64::from(ahead);
            observed.flag = Some(EventFlag::TimeClamped);
        } else if !tenant.clocks.accept(event.source.as_ref(), event.time, arrival, &self.limits) {
            self.metrics.late += 1;
            observed.flag = Some(EventFlag::Late);
            return observed;
        }
        let seen = Seen { event, position, time: observed.time };
        for (rule, table) in self.rules.iter().zip(&mut tenant.tables) {
            for hit in rule.hits(event) {
                let place =
                    Place { tenant: &event.tenant, subject: &hit.subject, rule, make_id: self.make_id };
                let room =
                    Room { subjects_max: self.limits.subjects_max.max(1), low: tenant.clocks.low(), place };
                let before = table.evicted;
                let stamps_max = self.limits.stamps_max.max(2);
                self.metrics.coalesced += seen.tell(&hit, &room, table, stamps_max, &mut observed.changes);
                self.metrics.evicted += table.evicted - before;
            }
        }
        self.metrics.count(&observed.changes);
        observed
    }

    /// Says that a batch begins: events of `tenant` without a source are a time line of their own from here on, so
    /// that an old batch is never late after a newer one.
    pub fn start_batch(&mut self, tenant: &TenantId) {
        if let Some(tenant) = self.tenants.get_mut(tenant) {
            tenant.clocks.start_batch();
        }
    }

    /// Lets time pass without an event: closes threats that are over. Sources that have been silent for
    /// [`Limits::SOURCE_IDLE_SECS`] of arrival time hold nothing open any more.
    pub fn advance(&mut self, arrival: Timestamp) -> Vec<ThreatChange> {
        let mut changes = Vec::new();
        let (limits, make_id) = (&self.limits, self.make_id);
        for (name, tenant) in &mut self.tenants {
            let Some(low) = tenant.clocks.pass(arrival, limits) else { continue };
            for (rule, table) in self.rules.iter().zip(&mut tenant.tables) {
                table.advance(low, name, rule, make_id, &mut changes);
            }
        }
        self.metrics.count(&changes);
        changes
    }

    /// The open threats of `tenant`: most severe first, then by when they fired, rule and subject.
    pub fn threats(&self, tenant: &TenantId) -> Vec<Threat> {
        let Some(state) = self.tenants.get(tenant) else { return Vec::new() };
        let mut threats: Vec<Threat> = Vec::new();
        for (rule, table) in self.rules.iter().zip(&state.tables) {
            for (subject, known) in table.open() {
                let place = Place { tenant, subject, rule, make_id: self.make_id };
                threats.extend(known.described(&place, ThreatStatus::Open));
            }
        }
        threats.sort_by(|a, b| {
            let rest = |threat: &Threat| (threat.fired_at, threat.rule.clone(), threat.subject.clone());
            b.severity.cmp(&a.severity).then_with(|| rest(a).cmp(&rest(b)))
        });
        threats
    }

    /// What was counted so far.
    pub fn metrics(&self) -> Metrics {
        self.metrics
    }

    /// The rules that had to forget subjects.
    pub fn pressure(&self) -> Vec<StatePressure> {
        let mut pressure = Vec::new();
        for (tenant, state) in &self.tenants {
            for (rule, table) in self.rules.iter().zip(&state.tables).filter(|(_, table)| table.evicted > 0) {
                let (rule, subjects) = (rule.rule.id.clone(), table.len());
                pressure.push(StatePressure {
                    tenant: tenant.clone(),
                    rule,
                    subjects,
                    evicted: table.evicted,
                });
            }
        }
        pressure
    }

    /// Everything it knows, to be saved together with the position of the last event.
    pub fn snapshot(&self) -> DetectorState {
        let rules = self.rules.iter().map(|rule| rule.rule.clone()).collect();
        DetectorState::new(rules, self.tenants.clone(), self.metrics)
    }

    /// Goes on from a saved state as if nothing had happened. A rule that is not exactly as it was begins anew.
    pub fn restore(&mut self, state: DetectorState) -> Result<(), Error> {
        let (tenants, metrics) = state.for_rules(self.rules.iter().map(|rule| &rule.rule))?;
        (self.tenants, self.metrics) = (tenants, metrics);
        Ok(())
    }
}

/// One event on its way to the rules.
struct Seen<'a> {
    event: &'a SecurityEvent,
    position: u64,
    time: Timestamp,
}

impl Seen<'_> {
    /// Tells one subject of the event; returns how many stamps that cost.
    fn tell(
        &self,
        hit: &Hit,
        room: &Room<'_>,
        table: &mut SubjectTable,
        stamps_max: usize,
        changes: &mut Vec<ThreatChange>,
    ) -> u64 {
        let (place, mut coalesced) = (&room.place, 0);
        table.with(room, changes, |state, changes| {
            if hit.matches != 0 {
                if state.timeline.stamps().len() >= stamps_max {
                    coalesced = state.timeline.coalesce(stamps_max);
                }
                state.count(self.stamp(place.rule, hit.matches), place, changes);
            }
            if hit.follows {
                state.follow(self.stamp(place.rule, 0), place, changes);
            }
        });
        coalesced
    }

    fn stamp(&self, rule: &CompiledRule, matches: u64) -> Stamp {
        let count = u64::from(self.event.count.get());
        let bytes = self.event.bytes.unwrap_or(0).saturating_mul(count);
        Stamp::new((self.time, self.position), (count, bytes), rule.values(self.event), matches)
    }
}

impl TenantState {
    /// Whether `id` is not among the newest ids; remembers it.
    fn is_new(&mut self, id: SourcedId, ids_max: usize) -> bool {
        if self.ids.contains(&id) {
            return false;
        }
        self.ids.insert(id.clone());
        self.ids_in_order.push_back(id);
        if self.ids_in_order.len() > ids_max
            && let Some(oldest) = self.ids_in_order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    /// Computes again what is not saved.
    pub(crate) fn rehash(&mut self) {
        self.tables.iter_mut().for_each(SubjectTable::rehash);
    }
}

impl Metrics {
    fn count(&mut self, changes: &[ThreatChange]) {
        for change in changes {
            match change {
                ThreatChange::Opened(_) => self.opened += 1,
                ThreatChange::Updated(_) => {}
                ThreatChange::Merged { .. } => self.merged += 1,
                ThreatChange::Closed(_) => self.closed += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests;
