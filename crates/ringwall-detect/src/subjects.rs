//! One subject of one rule: its timeline, what followed, and its open threats.

use std::collections::VecDeque;

use ringwall_types::{Subject, TenantId, Threat, ThreatId, ThreatStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::compiled::CompiledRule;
use crate::detector::ThreatChange;
use crate::field::FieldValue;
use crate::threats::ThreatState;
use crate::timeline::{Found, Stamp, Timeline};

/// Events that could make a threat worse which are remembered for each subject; beyond, the oldest is forgotten.
const FOLLOW_UPS_MAX: usize = 256;

/// What is known of one subject.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct SubjectState {
    pub(crate) timeline: Timeline,
    pub(crate) follow_ups: VecDeque<FollowUp>,
    /// Ordered by start; any two lie further apart than the rule's quiet time.
    pub(crate) threats: Vec<ThreatState>,
    /// Where it stands in the order of eviction.
    pub(crate) class: u8,
    /// It came back after it had been evicted.
    pub(crate) remembered: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct FollowUp {
    time: Timestamp,
    position: u64,
    values: Vec<Option<FieldValue>>,
}

/// Whose state is being worked on.
pub(crate) struct Place<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) subject: &'a Subject,
    pub(crate) rule: &'a CompiledRule,
    pub(crate) make_id: fn(&[u8]) -> [u8; 16],
}

impl Place<'_> {
    fn describe(&self, threat: &ThreatState, status: ThreatStatus) -> Threat {
        threat.describe(self.tenant, self.subject, self.rule, status)
    }

    fn threat_id(&self, start: Timestamp) -> ThreatId {
        let (tenant, rule, subject) = (self.tenant, &self.rule.rule.id, self.subject);
        // No part can hold a control character, so NUL keeps them apart.
        let text = format!("threat\0{tenant}\0{rule}\0{subject}\0{start}");
        let digits: String =
            (self.make_id)(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        #[expect(clippy::expect_used, reason = "36 letters, digits and an underscore are a threat id")]
        ThreatId::new(format!("thr_{digits}")).expect("a well-formed threat id")
    }
}

impl SubjectState {
    /// The class of a subject with an open threat, evicted last.
    pub(crate) const CLASS_THREAT: u8 = 7;

    /// Its due place in the order of eviction: by open threats, then by the number of events.
    pub(crate) fn due_class(&self) -> u8 {
        if !self.threats.is_empty() {
            return Self::CLASS_THREAT;
        }
        let events = self.timeline.stamps().len() + usize::from(self.remembered);
        u8::try_from(events).unwrap_or(u8::MAX).min(Self::CLASS_THREAT - 1)
    }

    /// The time of the newest thing known of it.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        let stamp = self.timeline.stamps().back().map(|stamp| stamp.time);
        stamp.max(self.follow_ups.back().map(|follow_up| follow_up.time))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.threats.is_empty() && self.timeline.stamps().is_empty() && self.follow_ups.is_empty()
    }

    /// Forgets what no event can reach any more when none is older than `low`, and closes threats that are over.
    pub(crate) fn expire(&mut self, low: Timestamp, place: &Place<'_>, changes: &mut Vec<ThreatChange>) {
        let horizon = low.saturating_add_micros(-place.rule.retention_micros);
        self.timeline.prune(horizon);
        while self.follow_ups.front().is_some_and(|oldest| oldest.time < horizon) {
            self.follow_ups.pop_front();
        }
        // Stamps up to `retention` before `low` may still become evidence, so the quiet time counts from there.
        let over = horizon.saturating_add_micros(-place.rule.quiet_micros);
        self.threats.retain(|threat| {
            let open = threat.end >= over;
            if !open {
                changes.push(ThreatChange::Closed(place.describe(threat, ThreatStatus::Closed)));
            }
            open
        });
    }

    /// Every open threat as others see it, with `status`.
    pub(crate) fn described(&self, place: &Place<'_>, status: ThreatStatus) -> impl Iterator<Item = Threat> {
        self.threats.iter().map(move |threat| place.describe(threat, status))
    }

    /// Takes one more event that counts.
    pub(crate) fn count(&mut self, stamp: Stamp, place: &Place<'_>, changes: &mut Vec<ThreatChange>) {
        let at = self.timeline.insert(stamp);
        let found = self.timeline.judge(at, place.rule);
        if !found.marked.is_empty() || !found.completed.is_empty() {
            self.gather(&found, place, changes);
        }
    }

    /// Takes an event that makes threats worse.
    pub(crate) fn follow(&mut self, stamp: Stamp, place: &Place<'_>, changes: &mut Vec<ThreatChange>) {
        let follow_up = FollowUp { time: stamp.time, position: stamp.position, values: stamp.values };
        let mut worse = false;
        for stamp in self.timeline.stamps() {
            worse |= worsen(&mut self.threats, &follow_up, stamp, place.rule);
        }
        if worse {
            self.threats
                .iter()
                .filter(|threat| threat.followed == Some((follow_up.time, follow_up.position)))
                .for_each(|threat| {
                    changes.push(ThreatChange::Updated(place.describe(threat, ThreatStatus::Open)))
                });
        }
        let at = self.follow_ups.partition_point(|known| known.time <= follow_up.time);
        self.follow_ups.insert(at, follow_up);
        if self.follow_ups.len() > FOLLOW_UPS_MAX {
            self.follow_ups.pop_front();
        }
    }

    /// Puts new evidence into one threat: every mark lies within one window of the same event.
    fn gather(&mut self, found: &Found, place: &Place<'_>, changes: &mut Vec<ThreatChange>) {
        let rule = place.rule;
        let stamps = self.timeline.stamps();
        let touched = found.marked.iter().map(|(at, _)| *at).chain(found.completed.iter().map(|(at, _)| *at));
        let times = || touched.clone().filter_map(|at| stamps.get(at)).map(|stamp| stamp.time);
        let (Some(from), Some(to)) = (times().min(), times().max()) else { return };
        let (at, opened, losers) = absorb(&mut self.threats, from, to, place);
        let Some(threat) = self.threats.get_mut(at) else { return };

        let mut marked = found.marked.clone();
        marked.sort_unstable();
        for same in marked.chunk_by(|a, b| a.0 == b.0) {
            let Some(stamp) = same.first().and_then(|(at, _)| stamps.get(*at)) else { continue };
            let new = same.iter().fold(0_u64, |new, (_, condition)| new | 1 << condition);
            let was_evidence = stamp.evidence & !new != 0;
            for (nth, (_, condition)) in same.iter().enumerate() {
                threat.add(stamp, *condition, nth == 0 && !was_evidence, rule);
            }
        }
        let mut rejudge = !losers.is_empty();
        for (at, bit) in &found.completed {
            if let Some(stamp) = stamps.get(*at) {
                rejudge |= threat.reach(*bit, stamp.place());
            }
        }
        for follow_up in &self.follow_ups {
            if rejudge {
                stamps.iter().for_each(|stamp| _ = worsen(&mut self.threats, follow_up, stamp, rule));
            } else {
                let new = found.marked.iter().filter_map(|(at, _)| stamps.get(*at));
                new.for_each(|stamp| _ = worsen(&mut self.threats, follow_up, stamp, rule));
            }
        }
        if let Some(threat) = self.threats.get(at) {
            let shown = place.describe(threat, ThreatStatus::Open);
            changes.push(if opened { ThreatChange::Opened(shown) } else { ThreatChange::Updated(shown) });
            changes.extend(losers.into_iter().map(|id| ThreatChange::Merged { id, into: threat.id.clone() }));
        }
    }
}

/// The threat that evidence from `from` to `to` belongs to: where it stands, whether it is new, and which threats it
/// has joined to one. The earliest keeps its id.
fn absorb(
    threats: &mut Vec<ThreatState>,
    from: Timestamp,
    to: Timestamp,
    place: &Place<'_>,
) -> (usize, bool, Vec<ThreatId>) {
    let quiet = place.rule.quiet_micros;
    let first = threats.partition_point(|threat| from.micros_since(threat.end) > quiet);
    let reached =
        threats.iter().skip(first).take_while(|threat| threat.start.micros_since(to) <= quiet).count();
    if reached == 0 {
        let fresh = ThreatState::new(place.threat_id(from), from, place.rule.conditions.len());
        threats.insert(first, fresh);
        return (first, true, Vec::new());
    }
    let others: Vec<_> = threats.drain(first + 1..first + reached).collect();
    let losers = others.iter().map(|other| other.id.clone()).collect();
    if let Some(threat) = threats.get_mut(first) {
        others.into_iter().for_each(|other| threat.merge(other));
    }
    (first, false, losers)
}

/// Notes on the threat of the evidence `stamp` that `follow_up` came after it; says whether that is news.
fn worsen(threats: &mut [ThreatState], follow_up: &FollowUp, stamp: &Stamp, rule: &CompiledRule) -> bool {
    let Some(follow) = &rule.follow else { return false };
    let after = follow_up.time.micros_since(stamp.time);
    if stamp.evidence == 0
        || !(0..=follow.within_micros).contains(&after)
        || !stamp.agrees(&follow.same, &follow_up.values)
    {
        return false;
    }
    let Some(threat) =
        threats.iter_mut().find(|threat| threat.start <= stamp.time && stamp.time <= threat.end)
    else {
        return false;
    };
    let place = (follow_up.time, follow_up.position);
    let has_fired = threat.fired.is_some_and(|(time, _)| time <= follow_up.time);
    let news = has_fired && threat.followed.is_none_or(|known| place < known);
    if news {
        threat.followed = Some(place);
    }
    news
}
