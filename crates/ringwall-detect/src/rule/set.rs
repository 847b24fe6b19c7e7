//! Which rules are in force: the named ones, tuned or replaced by a file.

use std::collections::BTreeMap;

use ringwall_types::{RuleId, nearest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, FollowedBy, Measure, Rule, Select};
use crate::error::with_nearest;
use crate::{Error, defaults};

/// The rules in force: at least one, each valid, no id twice, ordered by id.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet(Vec<Rule>);

/// A file of rules.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// A rule with the id of a named one replaces it.
    pub rules: Vec<Rule>,
}

impl RuleSet {
    /// The most rules of one set.
    pub const RULES_MAX: usize = 256;

    /// Accepts valid rules with different ids.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, Error> {
        let mut by_id = BTreeMap::new();
        for rule in rules {
            validate(&rule)?;
            let id = rule.id.clone();
            if by_id.insert(id.clone(), rule).is_some() {
                return Err(Error::rule(id.as_str(), "is given twice"));
            }
        }
        match by_id.len() {
            0 => Err(Error::rules("at least one rule is needed")),
            1..=Self::RULES_MAX => Ok(Self(by_id.into_values().collect())),
            many => Err(Error::rules(format!("{many} rules, the limit is {}", Self::RULES_MAX))),
        }
    }

    /// The default rules of these names; order and repetition have no meaning, an unknown name is an error.
    pub fn named<N: AsRef<str>>(names: &[N]) -> Result<Self, Error> {
        let mut rules = BTreeMap::new();
        for name in names {
            let rule = defaults::named(name.as_ref())?;
            rules.insert(rule.id.clone(), rule);
        }
        Self::new(rules.into_values())
    }

    /// Reads a rule file in JSON, without the defaults.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let file =
            serde_json::from_str::<RuleFile>(text).map_err(|error| Error::rules(with_nearest(&error)))?;
        Self::new(file.rules)
    }

    /// This set with `other`'s rules added, or put in place of those with the same id.
    pub fn replaced_by(self, other: Self) -> Result<Self, Error> {
        let mut by_id: BTreeMap<RuleId, Rule> =
            self.0.into_iter().map(|rule| (rule.id.clone(), rule)).collect();
        by_id.extend(other.0.into_iter().map(|rule| (rule.id.clone(), rule)));
        Self::new(by_id.into_values())
    }

    /// The rules in order of their ids.
    pub fn rules(&self) -> &[Rule] {
        &self.0
    }
}

/// Bits of one mask: levels of all conditions together.
const LEVELS_MAX: usize = 64;
/// Ten years; keeps every sum of windows far from overflow.
const SECS_MAX: u64 = 315_360_000;

fn validate(rule: &Rule) -> Result<(), Error> {
    let wrong = |why: String| Err(Error::rule(rule.id.as_str(), why));
    if rule.conditions.is_empty() {
        return wrong("`conditions` is empty, so it could never fire".into());
    }
    if rule.conditions.iter().map(|condition| condition.levels.len()).sum::<usize>() > LEVELS_MAX {
        return wrong(format!("has more than {LEVELS_MAX} levels"));
    }
    for (index, condition) in rule.conditions.iter().enumerate() {
        if let Err(why) = check_condition(condition) {
            return wrong(format!("`conditions[{index}]`: {why}"));
        }
    }
    if let Some(follow) = &rule.followed_by
        && let Err(why) = check_follow(follow)
    {
        return wrong(format!("`followed_by`: {why}"));
    }
    match rule.quiet_secs {
        Some(secs) if secs < rule.window_secs_max() || secs > SECS_MAX => wrong(format!(
            "`quiet_secs` is {secs}, it must be at least the longest window ({}) and at most {SECS_MAX}",
            rule.window_secs_max()
        )),
        _ => Ok(()),
    }
}

fn check_condition(condition: &Condition) -> Result<(), String> {
    check_select(&condition.select)?;
    if condition.levels.is_empty() {
        return Err("`levels` is empty, so it could never be met".into());
    }
    if condition.distinct_at_least.as_ref().is_some_and(|distinct| distinct.n == 0) {
        return Err("`distinct_at_least.n` must be at least 1".into());
    }
    if let (Measure::Distinct(measured), Some(per)) = (&condition.measure, &condition.per)
        && measured == per
    {
        return Err(format!("counts distinct values of `{per}` for each `{per}`, which is always 1"));
    }
    for level in &condition.levels {
        if level.at_least == 0 {
            return Err("`at_least` must be at least 1".into());
        }
        check_secs(level.within_secs)?;
    }
    Ok(())
}

fn check_follow(follow: &FollowedBy) -> Result<(), String> {
    check_select(&follow.select)?;
    if follow.same.is_empty() {
        return Err("`same` is empty, so anything would follow".into());
    }
    check_secs(follow.within_secs)
}

fn check_select(select: &Select) -> Result<(), String> {
    if select.kinds.is_empty() { Err("`select.kinds` is empty".into()) } else { Ok(()) }
}

fn check_secs(secs: u64) -> Result<(), String> {
    if (1..=SECS_MAX).contains(&secs) {
        Ok(())
    } else {
        Err(format!("`within_secs` is {secs}, it must be 1 to {SECS_MAX}"))
    }
}

/// The error for a rule name that is none of `known`.
pub(crate) fn unknown_rule(given: &str, known: &[&str]) -> Error {
    let shown: String = given.chars().filter(|c| !c.is_control()).take(60).collect();
    let hint = match nearest(given, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known are {}", known.join(", ")),
    };
    Error::rules(format!("`{shown}` is unknown; {hint}"))
}
