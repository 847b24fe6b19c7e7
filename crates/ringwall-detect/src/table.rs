//! All subjects of one rule and tenant, as many as fit.
//!
//! Promises: the subject with the least evidence is forgotten first, one with an open threat last of all; a subject
//! that was forgotten and comes back is worth more than one never seen, so a flood of junk costs an attacker's trace at
//! most its first event. That memory of the forgotten is approximate and lasts for the last 8 to 16 times
//! `subjects_max` of them.

use std::collections::{BTreeSet, HashMap, VecDeque};

use ringwall_types::{Subject, TenantId, ThreatStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::compiled::CompiledRule;
use crate::detector::ThreatChange;
use crate::subjects::{Place, SubjectState};

const CLASSES: usize = SubjectState::CLASS_THREAT as usize + 1;

/// The subjects of one rule and tenant.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct SubjectTable {
    #[serde(with = "pairs")]
    subjects: HashMap<Subject, SubjectState>,
    /// For each class those that entered it, oldest first. An entry counts only while its subject is of that class.
    queues: [VecDeque<Subject>; CLASSES],
    open: BTreeSet<Subject>,
    ghosts: Option<Ghosts>,
    pub(crate) evicted: u64,
    added_since_sweep: usize,
    swept_at: Option<Timestamp>,
}

/// What to do when room is made.
pub(crate) struct Room<'a> {
    pub(crate) subjects_max: usize,
    pub(crate) low: Option<Timestamp>,
    pub(crate) place: Place<'a>,
}

impl SubjectTable {
    pub(crate) fn len(&self) -> usize {
        self.subjects.len()
    }

    /// The subjects with open threats, in order.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&Subject, &SubjectState)> {
        self.open.iter().filter_map(|subject| Some((subject, self.subjects.get(subject)?)))
    }

    pub(crate) fn rehash(&mut self) {
        self.subjects.values_mut().for_each(|state| state.timeline.rehash());
    }

    /// Works on the state of a subject, which is made, at the cost of another one, when it is not known.
    pub(crate) fn with(
        &mut self,
        room: &Room<'_>,
        changes: &mut Vec<ThreatChange>,
        work: impl FnOnce(&mut SubjectState, &mut Vec<ThreatChange>),
    ) {
        let subject = room.place.subject;
        if !self.subjects.contains_key(subject) {
            self.make_room(room, changes);
            let remembered = self.ghosts.as_ref().is_some_and(|ghosts| ghosts.holds(subject));
            let class = u8::MAX;
            self.subjects.insert(subject.clone(), SubjectState { remembered, class, ..Default::default() });
            self.added_since_sweep += 1;
        }
        if let Some(state) = self.subjects.get_mut(subject) {
            if let Some(low) = room.low {
                state.expire(low, &room.place, changes);
            }
            work(state, changes);
        }
        self.settle(subject);
    }

    /// Closes what is over and, now and then, forgets every subject that no event can reach any more.
    pub(crate) fn advance(
        &mut self,
        low: Timestamp,
        tenant: &TenantId,
        rule: &CompiledRule,
        make_id: fn(&[u8]) -> [u8; 16],
        changes: &mut Vec<ThreatChange>,
    ) {
        let open: Vec<Subject> = self.open.iter().cloned().collect();
        for subject in open {
            if let Some(state) = self.subjects.get_mut(&subject) {
                state.expire(low, &Place { tenant, subject: &subject, rule, make_id }, changes);
            }
            self.settle(&subject);
        }
        let due = low.saturating_add_micros(-rule.retention_micros);
        if self.swept_at.is_none_or(|swept| swept < due) {
            self.sweep(low, rule);
        }
    }

    /// Brings the queues up to date with a subject that was worked on.
    fn settle(&mut self, subject: &Subject) {
        let Some(state) = self.subjects.get_mut(subject) else { return };
        if state.is_empty() {
            self.subjects.remove(subject);
            self.open.remove(subject);
            return;
        }
        let class = state.due_class();
        if class == state.class {
            return;
        }
        if class == SubjectState::CLASS_THREAT {
            self.open.insert(subject.clone());
        } else {
            self.open.remove(subject);
        }
        state.class = class;
        if let Some(queue) = self.queues.get_mut(usize::from(class)) {
            queue.push_back(subject.clone());
        }
        self.tidy_queues();
    }

    /// Drops entries that no longer count once they outnumber those that do.
    fn tidy_queues(&mut self) {
        const SLACK: usize = 64;
        if self.queues.iter().map(VecDeque::len).sum::<usize>() <= 4 * self.subjects.len() + SLACK {
            return;
        }
        for (class, queue) in self.queues.iter_mut().enumerate() {
            let mut seen = BTreeSet::new();
            let subjects = &self.subjects;
            queue.retain(|subject| {
                let counts = subjects.get(subject).is_some_and(|state| usize::from(state.class) == class);
                counts && seen.insert(subject.clone())
            });
        }
    }

    fn make_room(&mut self, room: &Room<'_>, changes: &mut Vec<ThreatChange>) {
        if self.subjects.len() < room.subjects_max {
            return;
        }
        if let Some(low) = room.low
            && self.added_since_sweep >= room.subjects_max / 4
        {
            self.sweep(low, room.place.rule);
        }
        while self.subjects.len() >= room.subjects_max {
            let Some((subject, state)) = self.take_weakest() else { return };
            let place = Place { subject: &subject, ..room.place };
            changes.extend(state.described(&place, ThreatStatus::Closed).map(ThreatChange::Closed));
            self.open.remove(&subject);
            self.evicted += 1;
            self.ghosts.get_or_insert_with(|| Ghosts::new(room.subjects_max)).add(&subject);
        }
    }

    fn take_weakest(&mut self) -> Option<(Subject, SubjectState)> {
        for (class, queue) in self.queues.iter_mut().enumerate() {
            while let Some(subject) = queue.pop_front() {
                if self.subjects.get(&subject).is_some_and(|state| usize::from(state.class) == class) {
                    let state = self.subjects.remove(&subject)?;
                    return Some((subject, state));
                }
            }
        }
        None
    }

    /// Forgets subjects without a threat that no event can reach any more; that is no loss, so nobody counts it.
    fn sweep(&mut self, low: Timestamp, rule: &CompiledRule) {
        let horizon = low.saturating_add_micros(-rule.retention_micros);
        self.subjects.retain(|_, state| {
            let newest = state.newest();
            !state.threats.is_empty() || newest.is_some_and(|newest| newest >= horizon)
        });
        self.added_since_sweep = 0;
        self.swept_at = Some(low);
        self.tidy_queues();
    }
}

/// Which subjects were forgotten: two Bloom filters, the older of which is dropped when the newer is full.
///
/// A false yes only makes a subject worth one event more to the order of eviction; it never makes a finding.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Ghosts {
    newer: Vec<u64>,
    older: Vec<u64>,
    added: usize,
    capacity: usize,
}

impl Ghosts {
    const GENERATION_FACTOR: usize = 8;
    const BITS_EACH: usize = 16;
    const PROBES: u64 = 4;

    fn new(subjects_max: usize) -> Self {
        let capacity = subjects_max.max(1) * Self::GENERATION_FACTOR;
        let words = capacity * Self::BITS_EACH / 64 + 1;
        Self { newer: vec![0; words], older: vec![0; words], added: 0, capacity }
    }

    fn add(&mut self, subject: &Subject) {
        if self.added == self.capacity {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.fill(0);
            self.added = 0;
        }
        self.added += 1;
        for (word, bit) in places(subject, self.newer.len()) {
            if let Some(word) = self.newer.get_mut(word) {
                *word |= bit;
            }
        }
    }

    fn holds(&self, subject: &Subject) -> bool {
        let all = |words: &[u64]| {
            places(subject, words.len())
                .all(|(word, bit)| words.get(word).is_some_and(|word| word & bit != 0))
        };
        all(&self.newer) || all(&self.older)
    }
}

/// Word and bit of each probe, by FNV-1a (64 bit) and double hashing; the same in every build, since it is saved.
fn places(subject: &Subject, words: usize) -> impl Iterator<Item = (usize, u64)> {
    let fnv = |seed: u64| {
        subject
            .to_string()
            .bytes()
            .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (first, second) = (fnv(0xcbf2_9ce4_8422_2325), fnv(0x9e37_79b9_7f4a_7c15) | 1);
    let words = u64::try_from(words).unwrap_or(1).max(1);
    (0..Ghosts::PROBES).map(move |probe| {
        let hash = first.wrapping_add(probe.wrapping_mul(second));
        let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (usize::try_from((mixed >> 6) % words).unwrap_or(0), 1 << (mixed & 63))
    })
}

/// A map with keys that are no text, saved as a list in order of its keys.
mod pairs {
    use std::collections::{BTreeMap, HashMap};

    use ringwall_types::Subject;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::subjects::SubjectState;

    pub(super) fn serialize<S: Serializer>(
        map: &HashMap<Subject, SubjectState>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter().collect::<BTreeMap<_, _>>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<HashMap<Subject, SubjectState>, D::Error> {
        Ok(Vec::<(Subject, SubjectState)>::deserialize(deserializer)?.into_iter().collect())
    }
}
