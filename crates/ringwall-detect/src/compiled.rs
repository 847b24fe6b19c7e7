//! Rules made ready for events: fields by number, windows in microseconds, levels as bits.

use ringwall_types::{SecurityEvent, Severity, Subject};

use crate::field::FieldValue;
use crate::{Condition, Field, Measure, Rule, SubjectKind};

const MICROS: i64 = 1_000_000;

/// A valid rule made ready.
#[derive(Clone, Debug)]
pub(crate) struct CompiledRule {
    pub(crate) rule: Rule,
    /// What is kept of each event; the first two are always principal and address.
    fields: Vec<Field>,
    pub(crate) conditions: Vec<CompiledCondition>,
    pub(crate) follow: Option<CompiledFollow>,
    /// How far back an event may still matter to a new one.
    pub(crate) retention_micros: i64,
    pub(crate) quiet_micros: i64,
    subjects: Vec<SubjectKind>,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledCondition {
    subject: SubjectKind,
    pub(crate) per: Option<usize>,
    pub(crate) measure: CompiledMeasure,
    pub(crate) distinct: Option<(usize, u64)>,
    pub(crate) levels: Vec<CompiledLevel>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CompiledMeasure {
    Count,
    Bytes,
    Distinct(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct CompiledLevel {
    pub(crate) at_least: u64,
    pub(crate) within_micros: i64,
    pub(crate) severity: Severity,
    pub(crate) bit: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct CompiledFollow {
    pub(crate) same: Vec<usize>,
    pub(crate) within_micros: i64,
    pub(crate) severity: Severity,
}

/// What an event is to one subject of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) subject: Subject,
    /// The conditions that it counts for, as bits.
    pub(crate) matches: u64,
    pub(crate) follows: bool,
}

impl CompiledRule {
    pub(crate) fn new(rule: &Rule) -> Self {
        let mut fields = vec![Field::Principal, Field::SourceIp];
        let mut next_bit = 0_u32;
        let conditions: Vec<_> = rule
            .conditions
            .iter()
            .map(|condition| compile(condition, rule.subject, &mut fields, &mut next_bit))
            .collect();
        let follow = rule.followed_by.as_ref().map(|follow| CompiledFollow {
            same: follow.same.iter().map(|field| number(field, &mut fields)).collect(),
            within_micros: micros(follow.within_secs),
            severity: follow.severity,
        });
        let mut subjects: Vec<_> = conditions.iter().map(|condition| condition.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let follow_micros = follow.as_ref().map_or(0, |follow| follow.within_micros);
        Self {
            retention_micros: micros(rule.window_secs_max()).max(follow_micros),
            quiet_micros: micros(rule.quiet_secs()),
            rule: rule.clone(),
            fields,
            conditions,
            follow,
            subjects,
        }
    }

    /// Whom `event` concerns, each subject once.
    pub(crate) fn hits(&self, event: &SecurityEvent) -> Vec<Hit> {
        let matches = self.matches(event);
        let follows = self.rule.followed_by.as_ref().is_some_and(|follow| follow.select.matches(event));
        let mut hits: Vec<Hit> = Vec::new();
        if matches == 0 && !follows {
            return hits;
        }
        for kind in &self.subjects {
            let Some(subject) = subject_of(*kind, event) else { continue };
            let mask = self
                .conditions
                .iter()
                .enumerate()
                .filter(|(_, condition)| condition.subject == *kind)
                .fold(0, |mask, (index, _)| mask | 1 << index);
            if matches & mask == 0 && !follows {
                continue;
            }
            match hits.iter_mut().find(|hit| hit.subject == subject) {
                Some(hit) => hit.matches |= matches & mask,
                None => hits.push(Hit { subject, matches: matches & mask, follows }),
            }
        }
        hits
    }

    /// What is kept of `event`.
    pub(crate) fn values(&self, event: &SecurityEvent) -> Vec<Option<FieldValue>> {
        self.fields.iter().map(|field| field.of(event)).collect()
    }

    fn matches(&self, event: &SecurityEvent) -> u64 {
        let pairs = self.conditions.iter().zip(&self.rule.conditions).enumerate();
        let counting = pairs.filter(|(_, (compiled, condition))| {
            condition.select.matches(event)
                && match compiled.measure {
                    CompiledMeasure::Count => true,
                    CompiledMeasure::Bytes => event.bytes.is_some(),
                    CompiledMeasure::Distinct(field) => self.has(field, event),
                }
        });
        counting.fold(0, |mask, (index, _)| mask | 1 << index)
    }

    fn has(&self, field: usize, event: &SecurityEvent) -> bool {
        self.fields.get(field).is_some_and(|field| field.of(event).is_some())
    }
}

fn compile(
    condition: &Condition,
    subject: SubjectKind,
    fields: &mut Vec<Field>,
    next_bit: &mut u32,
) -> CompiledCondition {
    let levels = condition.levels.iter().map(|level| {
        let bit = 1_u64.checked_shl(*next_bit).unwrap_or(0);
        *next_bit += 1;
        let within_micros = micros(level.within_secs);
        CompiledLevel { at_least: level.at_least, within_micros, severity: level.severity, bit }
    });
    CompiledCondition {
        levels: levels.collect(),
        subject: condition.subject.unwrap_or(subject),
        per: condition.per.as_ref().map(|field| number(field, fields)),
        measure: match &condition.measure {
            Measure::Count => CompiledMeasure::Count,
            Measure::Bytes => CompiledMeasure::Bytes,
            Measure::Distinct(field) => CompiledMeasure::Distinct(number(field, fields)),
        },
        distinct: condition.distinct_at_least.as_ref().map(|least| (number(&least.field, fields), least.n)),
    }
}

fn number(field: &Field, fields: &mut Vec<Field>) -> usize {
    fields.iter().position(|known| known == field).unwrap_or_else(|| {
        fields.push(field.clone());
        fields.len() - 1
    })
}

fn subject_of(kind: SubjectKind, event: &SecurityEvent) -> Option<Subject> {
    let address = || event.source_ip.map(Subject::SourceIp);
    let principal = || event.principal.clone().map(Subject::Principal);
    match kind {
        SubjectKind::SourceIp => address(),
        SubjectKind::Principal => principal(),
        SubjectKind::SourceIpOrPrincipal => address().or_else(principal),
    }
}

fn micros(secs: u64) -> i64 {
    i64::try_from(secs).unwrap_or(i64::MAX).saturating_mul(MICROS)
}
