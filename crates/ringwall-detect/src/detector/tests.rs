//! One file for each family of promises; here what they share.

mod bounds;
mod examples;
mod laws;
mod openssh;
mod reference;

use std::collections::BTreeMap;

use ringwall_types::{EventKind, Outcome, SecurityEvent, TenantId, Threat, ThreatId, Timestamp};

use crate::{Detector, Limits, Observed, RuleSet, ThreatChange};

/// FNV-1a twice; good enough to tell test threats apart.
pub(crate) fn make_id(bytes: &[u8]) -> [u8; 16] {
    let fnv =
        |seed: u64| bytes.iter().fold(seed, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    let mut id = [0; 16];
    id[..8].copy_from_slice(&fnv(0xcbf2_9ce4_8422_2325).to_be_bytes());
    id[8..].copy_from_slice(&fnv(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id
}

/// Seconds, as microseconds, after a fixed moment.
pub(crate) fn at_micros(micros: i64) -> Timestamp {
    "2024-01-01T10:00:00Z".parse::<Timestamp>().unwrap().saturating_add_micros(micros)
}

pub(crate) fn at(secs: i64) -> Timestamp {
    at_micros(secs * 1_000_000)
}

pub(crate) fn tenant() -> TenantId {
    TenantId::initial()
}

pub(crate) fn event(kind: EventKind, secs: i64, principal: &str) -> SecurityEvent {
    let mut event = SecurityEvent::new(tenant(), at(secs), kind);
    event.principal = Some(principal.parse().unwrap());
    event
}

pub(crate) fn login(secs: i64, principal: &str, address: &str, outcome: Outcome) -> SecurityEvent {
    let mut event = event(EventKind::Authentication, secs, principal);
    event.source_ip = Some(address.parse().unwrap());
    event.outcome = outcome;
    event
}

pub(crate) fn failed(secs: i64, principal: &str, address: &str) -> SecurityEvent {
    login(secs, principal, address, Outcome::Failure)
}

/// A detector and every threat it ever reported, in its newest form.
pub(crate) struct Run {
    pub(crate) detector: Detector,
    pub(crate) found: BTreeMap<ThreatId, Threat>,
    pub(crate) changes: Vec<ThreatChange>,
}

impl Run {
    pub(crate) fn new(rules: &RuleSet, limits: Limits) -> Self {
        Self { detector: Detector::new(rules, limits, make_id), found: BTreeMap::new(), changes: Vec::new() }
    }

    pub(crate) fn named(names: &[&str]) -> Self {
        Self::new(&RuleSet::named(names).unwrap(), Limits::default())
    }

    pub(crate) fn show(&mut self, position: u64, event: &SecurityEvent) -> Observed {
        let observed = self.detector.observe(position, event, at(86_400 * 3650));
        self.note(observed.changes.clone());
        observed
    }

    pub(crate) fn show_all(&mut self, events: &[SecurityEvent]) -> &mut Self {
        (1..).zip(events).for_each(|(position, event)| drop(self.show(position, event)));
        self
    }

    pub(crate) fn note(&mut self, changes: Vec<ThreatChange>) {
        for change in &changes {
            match change {
                ThreatChange::Opened(threat) => {
                    assert!(self.found.insert(threat.id.clone(), threat.clone()).is_none(), "opened twice");
                }
                ThreatChange::Updated(threat) | ThreatChange::Closed(threat) => {
                    assert!(self.found.insert(threat.id.clone(), threat.clone()).is_some(), "never opened");
                }
                ThreatChange::Merged { id, into } => {
                    assert!(self.found.remove(id).is_some(), "never opened");
                    assert!(self.found.contains_key(into), "merged into nothing");
                }
            }
        }
        self.changes.extend(changes);
    }

    /// Every threat without what depends on the order of arrival: its id, and whether it is still open.
    pub(crate) fn findings(&self) -> Vec<Threat> {
        let anonymous = |threat: &Threat| Threat {
            id: "thr_0".parse().unwrap(),
            status: ringwall_types::ThreatStatus::Open,
            ..threat.clone()
        };
        let mut found: Vec<_> = self.found.values().map(anonymous).collect();
        found.sort_by_key(|threat| (threat.rule.clone(), threat.subject.clone(), threat.window.start));
        found
    }
}
