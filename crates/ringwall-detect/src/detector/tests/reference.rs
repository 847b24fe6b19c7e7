//! The rules' meaning, written down as plainly as possible and in quadratic time.

use std::collections::BTreeSet;

use ringwall_types::{Severity, Subject};

use super::*;
use crate::field::FieldValue;
use crate::{Condition, Field, Measure, Rule, SubjectKind};

/// What a threat must be, as far as event times alone say.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Expected {
    pub(super) subject: Subject,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) fired_at: Timestamp,
    pub(super) severity: Severity,
    pub(super) count: u64,
    pub(super) principals: u64,
    pub(super) evidence: Vec<u64>,
}

impl Expected {
    pub(super) fn of(threat: &Threat) -> Self {
        Self {
            subject: threat.subject.clone(),
            start: threat.window.start,
            end: threat.window.end,
            fired_at: threat.fired_at,
            severity: threat.severity,
            count: threat.count,
            principals: threat.principals,
            evidence: threat.evidence.clone(),
        }
    }
}

fn micros(secs: u64) -> i64 {
    i64::try_from(secs).unwrap() * 1_000_000
}

fn subject(kind: SubjectKind, event: &SecurityEvent) -> Option<Subject> {
    let address = event.source_ip.map(Subject::SourceIp);
    let principal = event.principal.clone().map(Subject::Principal);
    match kind {
        SubjectKind::SourceIp => address,
        SubjectKind::Principal => principal,
        SubjectKind::SourceIpOrPrincipal => address.or(principal),
    }
}

fn distinct(field: &Field, window: &[usize], events: &[SecurityEvent]) -> u64 {
    window.iter().filter_map(|i| field.of(&events[*i])).collect::<BTreeSet<FieldValue>>().len() as u64
}

fn measure(condition: &Condition, window: &[usize], events: &[SecurityEvent]) -> u64 {
    let count = |i: &usize| u64::from(events[*i].count.get());
    match &condition.measure {
        Measure::Count => window.iter().map(count).sum(),
        Measure::Bytes => window.iter().map(|i| events[*i].bytes.unwrap() * count(i)).sum(),
        Measure::Distinct(field) => distinct(field, window, events),
    }
}

fn counts(condition: &Condition, event: &SecurityEvent) -> bool {
    condition.select.matches(event)
        && match &condition.measure {
            Measure::Count => true,
            Measure::Bytes => event.bytes.is_some(),
            Measure::Distinct(field) => field.of(event).is_some(),
        }
}

/// Full windows of one subject: end, severity; and the evidence in them.
fn full_windows(
    rule: &Rule,
    whom: &Subject,
    events: &[SecurityEvent],
) -> (Vec<(Timestamp, Severity)>, BTreeSet<usize>) {
    let (mut full, mut evidence) = (Vec::new(), BTreeSet::new());
    for condition in &rule.conditions {
        let kind = condition.subject.unwrap_or(rule.subject);
        for newest in 0..events.len() {
            for level in &condition.levels {
                let holds = |i: usize| {
                    let (event, newest) = (&events[i], &events[newest]);
                    counts(condition, event)
                        && subject(kind, event).as_ref() == Some(whom)
                        && condition.per.as_ref().is_none_or(|per| per.of(event) == per.of(newest))
                        && (0..=micros(level.within_secs)).contains(&newest.time.micros_since(event.time))
                };
                if !holds(newest) {
                    continue;
                }
                let window: Vec<usize> = (0..events.len()).filter(|i| holds(*i)).collect();
                let enough = condition
                    .distinct_at_least
                    .as_ref()
                    .is_none_or(|least| distinct(&least.field, &window, events) >= least.n);
                if enough && measure(condition, &window, events) >= level.at_least {
                    full.push((events[newest].time, level.severity));
                    evidence.extend(window);
                }
            }
        }
    }
    (full, evidence)
}

/// Every threat of one rule. The position of an event is its index.
pub(super) fn reference(rule: &Rule, events: &[SecurityEvent]) -> Vec<Expected> {
    let kinds = [SubjectKind::SourceIp, SubjectKind::Principal];
    let whom: BTreeSet<Subject> =
        events.iter().flat_map(|event| kinds.iter().filter_map(|kind| subject(*kind, event))).collect();
    let mut expected = Vec::new();
    for whom in whom {
        let (full, evidence) = full_windows(rule, &whom, events);
        let mut order: Vec<usize> = evidence.into_iter().collect();
        order.sort_by_key(|i| (events[*i].time, *i));
        let quiet = micros(rule.quiet_secs());
        for cluster in order.chunk_by(|a, b| events[*b].time.micros_since(events[*a].time) <= quiet) {
            expected.push(threat(rule, &whom, events, cluster, &full));
        }
    }
    expected.sort();
    expected
}

fn threat(
    rule: &Rule,
    whom: &Subject,
    events: &[SecurityEvent],
    cluster: &[usize],
    full: &[(Timestamp, Severity)],
) -> Expected {
    let (start, end) = (events[cluster[0]].time, events[*cluster.last().unwrap()].time);
    let own: Vec<_> = full.iter().filter(|(time, _)| (start..=end).contains(time)).collect();
    let fired_at = own.iter().map(|(time, _)| *time).min().unwrap();
    let mut severity = own.iter().map(|(_, severity)| *severity).max().unwrap();
    let mut evidence: Vec<usize> = cluster.iter().copied().take(Threat::EVIDENCE_MAX).collect();
    if let Some(follow) = &rule.followed_by {
        let concerns = |event: &SecurityEvent| {
            let mut kinds: Vec<_> =
                rule.conditions.iter().map(|c| c.subject.unwrap_or(rule.subject)).collect();
            kinds.dedup();
            kinds.into_iter().any(|kind| subject(kind, event).as_ref() == Some(whom))
        };
        let after = |u: &SecurityEvent, e: &SecurityEvent| {
            (0..=micros(follow.within_secs)).contains(&u.time.micros_since(e.time))
                && follow.same.iter().all(|field| field.of(u) == field.of(e))
        };
        let mut followed: Vec<usize> = (0..events.len())
            .filter(|u| {
                follow.select.matches(&events[*u]) && concerns(&events[*u]) && fired_at <= events[*u].time
            })
            .filter(|u| cluster.iter().any(|e| after(&events[*u], &events[*e])))
            .collect();
        followed.sort_by_key(|i| (events[*i].time, *i));
        if let Some(first) = followed.first() {
            severity = severity.max(follow.severity);
            evidence.truncate(Threat::EVIDENCE_MAX - 1);
            evidence.push(*first);
            evidence.sort_by_key(|i| (events[*i].time, *i));
        }
    }
    let principals: BTreeSet<_> = cluster.iter().filter_map(|i| events[*i].principal.clone()).collect();
    Expected {
        subject: whom.clone(),
        start,
        end,
        fired_at,
        severity,
        count: cluster.iter().map(|i| u64::from(events[*i].count.get())).sum(),
        principals: principals.len() as u64,
        evidence: evidence.into_iter().map(|i| i as u64).collect(),
    }
}
