//! Evidence of one rule and subject, gathered into threats.
//!
//! INVARIANT: a threat's parts are sums, unions, least and greatest values of its evidence, so that the order in which
//! the evidence arrived, and whether it came as one threat or as two that were merged, leaves no trace.

use std::collections::BTreeSet;

use ringwall_types::{
    Confidence, IpAddress, PrincipalId, Severity, Subject, TenantId, Threat, ThreatId, ThreatStatus,
    Timestamp, Window,
};
use serde::{Deserialize, Serialize};

use crate::compiled::{CompiledMeasure, CompiledRule};
use crate::field::FieldValue;
use crate::timeline::Stamp;

/// The largest number that every reader of JSON reads exactly (RFC 8785, 3.2.2.3); threats count no further.
const COUNTED_MAX: u64 = 1 << 53;
/// Distinct values that a threat remembers of each sort; it stops counting them there.
const VALUES_MAX: usize = 4096;

/// One open threat.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ThreatState {
    pub(crate) id: ThreatId,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// The event with which the first window was full.
    pub(crate) fired: Option<(Timestamp, u64)>,
    /// Bits of the levels that were reached.
    reached: u64,
    count: u64,
    principals: BTreeSet<PrincipalId>,
    addresses: BTreeSet<IpAddress>,
    conditions: Vec<Measured>,
    evidence: BTreeSet<(Timestamp, u64)>,
    /// The first event that makes it worse.
    pub(crate) followed: Option<(Timestamp, u64)>,
}

/// What the evidence of one condition adds up to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Measured {
    sum: u64,
    values: BTreeSet<FieldValue>,
}

impl ThreatState {
    pub(crate) fn new(id: ThreatId, start: Timestamp, conditions: usize) -> Self {
        Self {
            id,
            start,
            end: start,
            fired: None,
            reached: 0,
            count: 0,
            principals: BTreeSet::new(),
            addresses: BTreeSet::new(),
            conditions: vec![Measured::default(); conditions],
            evidence: BTreeSet::new(),
            followed: None,
        }
    }

    /// Takes a stamp that became evidence of `condition`; `first` says whether it was no evidence at all before.
    pub(crate) fn add(&mut self, stamp: &Stamp, condition: usize, first: bool, rule: &CompiledRule) {
        self.start = self.start.min(stamp.time);
        self.end = self.end.max(stamp.time);
        if first {
            self.count = self.count.saturating_add(stamp.count);
            keep_least(&mut self.evidence, stamp.place());
            if let Some(FieldValue::Principal(principal)) = stamp.value(0) {
                keep(&mut self.principals, principal);
            }
            if let Some(FieldValue::SourceIp(address)) = stamp.value(1) {
                keep(&mut self.addresses, address);
            }
        }
        let measure = rule.conditions.get(condition).map(|condition| condition.measure);
        if let (Some(measured), Some(measure)) = (self.conditions.get_mut(condition), measure) {
            match measure {
                CompiledMeasure::Count => measured.sum = measured.sum.saturating_add(stamp.count),
                CompiledMeasure::Bytes => measured.sum = measured.sum.saturating_add(stamp.bytes),
                CompiledMeasure::Distinct(field) => {
                    if let Some(value) = stamp.value(field) {
                        keep(&mut measured.values, value);
                    }
                }
            }
        }
    }

    /// Notes that the window of `level_bit` that ends at `place` is full; says whether the threat fired earlier than known.
    pub(crate) fn reach(&mut self, level_bit: u64, place: (Timestamp, u64)) -> bool {
        self.reached |= level_bit;
        let earlier = self.fired.is_none_or(|fired| place < fired);
        if earlier {
            self.fired = Some(place);
        }
        earlier
    }

    /// Takes over everything of `other` but its id.
    pub(crate) fn merge(&mut self, other: Self) {
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        self.fired = [self.fired, other.fired].into_iter().flatten().min();
        self.followed = [self.followed, other.followed].into_iter().flatten().min();
        self.reached |= other.reached;
        self.count = self.count.saturating_add(other.count);
        other.principals.iter().for_each(|principal| keep(&mut self.principals, principal));
        other.addresses.iter().for_each(|address| keep(&mut self.addresses, address));
        other.evidence.into_iter().for_each(|place| keep_least(&mut self.evidence, place));
        for (own, other) in self.conditions.iter_mut().zip(other.conditions) {
            own.sum = own.sum.saturating_add(other.sum);
            other.values.iter().for_each(|value| keep(&mut own.values, value));
        }
    }

    /// The threat as others see it.
    pub(crate) fn describe(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        rule: &CompiledRule,
        status: ThreatStatus,
    ) -> Threat {
        let only = |principals: &BTreeSet<PrincipalId>| match principals.len() {
            1 => principals.first().cloned(),
            _ => None,
        };
        let (measured, confidence) = self.measured(rule);
        let window = Window { start: self.start, end: self.end };
        Threat {
            id: self.id.clone(),
            tenant: tenant.clone(),
            rule: rule.rule.id.clone(),
            subject: subject.clone(),
            severity: self.severity(rule),
            confidence,
            description: self.sentence(subject, rule),
            principal: only(&self.principals),
            source_ip: if self.addresses.len() == 1 { self.addresses.first().copied() } else { None },
            principals: u64::try_from(self.principals.len()).unwrap_or(u64::MAX),
            count: self.count.min(COUNTED_MAX),
            measured: measured.min(COUNTED_MAX),
            window,
            fired_at: self.fired.map_or(self.start, |(time, _)| time),
            attack: rule.rule.attack.clone(),
            evidence: self.positions(),
            status,
            response: rule.rule.response.clone(),
        }
    }

    fn severity(&self, rule: &CompiledRule) -> Severity {
        let levels = rule.conditions.iter().flat_map(|condition| &condition.levels);
        let reached = levels.filter(|level| self.reached & level.bit != 0).map(|level| level.severity).max();
        let followed = self.followed.and(rule.follow.as_ref()).map(|follow| follow.severity);
        reached.max(followed).unwrap_or(Severity::Info)
    }

    /// What the first condition that was reached adds up to, and how far that lies past its lowest reached level.
    fn measured(&self, rule: &CompiledRule) -> (u64, Confidence) {
        let reached = rule.conditions.iter().zip(&self.conditions).find_map(|(condition, measured)| {
            let levels = condition.levels.iter().filter(|level| self.reached & level.bit != 0);
            let least = levels.map(|level| level.at_least).min()?;
            let amount = match condition.measure {
                CompiledMeasure::Count | CompiledMeasure::Bytes => measured.sum,
                CompiledMeasure::Distinct(_) => u64::try_from(measured.values.len()).unwrap_or(u64::MAX),
            };
            Some((amount, Confidence::past_threshold(least, amount)))
        });
        reached.unwrap_or_default()
    }

    fn sentence(&self, subject: &Subject, rule: &CompiledRule) -> String {
        let (title, count) = (&rule.rule.title, self.count);
        let times = if count == 1 { "1 event".to_owned() } else { format!("{count} events") };
        let mut text = format!("{title}: {times} of {subject} from {} to {}", self.start, self.end);
        if let Some((time, _)) = self.followed {
            text.push_str(&format!(", and then what they were after at {time}"));
        }
        text
    }

    /// The oldest pieces of evidence, and always what made it worse.
    fn positions(&self) -> Vec<u64> {
        let Some(followed) = self.followed else {
            return self.evidence.iter().map(|(_, position)| *position).collect();
        };
        let oldest = self.evidence.iter().copied().filter(|place| *place != followed);
        let mut places: Vec<_> = oldest.take(Threat::EVIDENCE_MAX - 1).collect();
        places.push(followed);
        places.sort_unstable();
        places.into_iter().map(|(_, position)| position).collect()
    }
}

/// Keeps a copy of `value` while there is room.
fn keep<T: Clone + Ord>(values: &mut BTreeSet<T>, value: &T) {
    if values.len() < VALUES_MAX && !values.contains(value) {
        values.insert(value.clone());
    }
}

fn keep_least(places: &mut BTreeSet<(Timestamp, u64)>, place: (Timestamp, u64)) {
    places.insert(place);
    if places.len() > Threat::EVIDENCE_MAX {
        places.pop_last();
    }
}
