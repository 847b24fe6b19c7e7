//! Asks one condition of one context: true, false, or undecided and why.
//!
//! Promises: a negative operator holds only for an attribute that is there and of the right kind; nothing is converted
//! from one kind to another; numbers are compared exactly and text by code points. Does not do: weigh the outcome.

use std::borrow::Cow;

use ringwall_types::{IpAddress, Timestamp, Value};

use crate::context::{Context, Found};
use crate::operand::{Bound, Choices, Elapsed, digits, moment_or_date};
use crate::operator::Test;
use crate::policy::{Condition, Policy};
use crate::set::PolicySet;
use crate::zone::Zone;

/// The outcome of a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Truth {
    True,
    False,
    Undecided(Why),
}

/// Why a condition is undecided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Why {
    /// The attribute is not there.
    Missing,
    /// It is of a kind that the operator cannot take.
    TypeError,
    /// It is of the right kind but beyond what can be decided, such as a moment in the future.
    OutOfRange,
}

/// How letters are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Case {
    Exact,
    Ignore,
}

/// The zone in which a condition of this policy reads the wall clock.
pub(crate) fn zone_of<'a>(condition: &'a Condition, policy: &'a Policy, set: &'a PolicySet) -> &'a Zone {
    condition.timezone.as_ref().or(policy.timezone.as_ref()).unwrap_or(set.timezone())
}

/// The value that a condition tests: the attribute, else its default, else the present moment where that is meant.
pub(crate) fn tested<'a>(condition: &'a Condition, context: &'a Context) -> Result<Cow<'a, Value>, Why> {
    match context.find(&condition.path) {
        Found::Value(value) => Ok(Cow::Borrowed(value)),
        Found::NoMap => Err(Why::TypeError),
        Found::Missing => match &condition.default {
            // Existence is asked of the attribute itself.
            Some(default) if !matches!(condition.test, Test::Exists(_)) => Ok(Cow::Borrowed(default)),
            _ if condition.falls_back_to_now() => Ok(Cow::Owned(Value::from(context.now.to_string()))),
            _ => Err(Why::Missing),
        },
    }
}

/// Asks a condition of a context.
pub(crate) fn truth(condition: &Condition, context: &Context, zone: &Zone) -> Truth {
    if let Test::Exists(wanted) = condition.test {
        return match context.find(&condition.path) {
            Found::Value(_) => decided(wanted),
            Found::Missing => decided(!wanted),
            Found::NoMap => Truth::Undecided(Why::TypeError),
        };
    }
    let case = if condition.ignore_case { Case::Ignore } else { Case::Exact };
    match tested(condition, context) {
        Ok(value) => ask(&condition.test, &value, case, zone, context.now),
        Err(why) => Truth::Undecided(why),
    }
}

/// Asks a test of a value that is there.
pub(crate) fn ask(test: &Test, value: &Value, case: Case, zone: &Zone, now: Timestamp) -> Truth {
    match test {
        Test::Equals(operand) => equals(value, operand, case),
        Test::NotEquals(operand) => equals(value, operand, case).not(),
        Test::In(choices) => is_in(value, choices, case),
        Test::NotIn(choices) => is_in(value, choices, case).not(),
        Test::Contains(needle) => contains(value, needle.as_value(), case),
        Test::NotContains(needle) => contains(value, needle.as_value(), case).not(),
        Test::Intersects(operand) => with_list(value, |list| list.iter().any(|v| holds(operand, v, case))),
        Test::DisjointFrom(operand) => with_list(value, |list| !list.iter().any(|v| holds(operand, v, case))),
        Test::SubsetOf(operand) => with_list(value, |list| list.iter().all(|v| holds(operand, v, case))),
        Test::SupersetOf(operand) => with_list(value, |list| operand.iter().all(|o| holds(list, o, case))),
        Test::GreaterThan(bound) => ordered(value, bound, std::cmp::Ordering::is_gt),
        Test::GreaterThanOrEqual(bound) => ordered(value, bound, std::cmp::Ordering::is_ge),
        Test::LessThan(bound) => ordered(value, bound, std::cmp::Ordering::is_lt),
        Test::LessThanOrEqual(bound) => ordered(value, bound, std::cmp::Ordering::is_le),
        Test::Between(range) => {
            let above_low = ordered(value, &range.low(), std::cmp::Ordering::is_ge);
            let below_high = ordered(value, &range.high(), std::cmp::Ordering::is_le);
            // Both ends are of one kind, so either both are decided or both are the same type error.
            if above_low == Truth::True { below_high } else { above_low }
        }
        Test::StartsWith(affix) => {
            with_text(value, |text| folded(text, case).starts_with(folded(affix.as_str(), case).as_ref()))
        }
        Test::EndsWith(affix) => {
            with_text(value, |text| folded(text, case).ends_with(folded(affix.as_str(), case).as_ref()))
        }
        // Asked of a value, so there is one; `truth` asks it of an attribute.
        Test::Exists(wanted) => decided(*wanted),
        Test::Before(moment) => with_moment(value, |given| decided(given < *moment)),
        Test::After(moment) => with_moment(value, |given| decided(given > *moment)),
        Test::WithinHours(window) => match micros_of_day(value, zone) {
            Some(micros) => decided(window.contains(micros)),
            None => Truth::Undecided(Why::TypeError),
        },
        Test::WithinMinutes(elapsed) | Test::WithinDays(elapsed) => {
            with_moment(value, |given| is_within(given, *elapsed, now))
        }
        Test::IpIn(blocks) => match value.as_text().and_then(|text| text.parse::<IpAddress>().ok()) {
            Some(address) => decided(blocks.iter().any(|block| block.contains(address))),
            None => Truth::Undecided(Why::TypeError),
        },
    }
}

impl Truth {
    /// The opposite of what is decided; what is undecided stays so.
    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            undecided => undecided,
        }
    }
}

fn decided(holds: bool) -> Truth {
    if holds { Truth::True } else { Truth::False }
}

fn equals(value: &Value, operand: &Value, case: Case) -> Truth {
    if std::mem::discriminant(value) == std::mem::discriminant(operand) {
        decided(same(value, operand, case))
    } else {
        Truth::Undecided(Why::TypeError)
    }
}

/// The choices are of one kind, so a value of another kind is as mistyped as it is for `equals`.
fn is_in(value: &Value, choices: &Choices, case: Case) -> Truth {
    let kind = choices.as_slice().first().map(std::mem::discriminant);
    if kind == Some(std::mem::discriminant(value)) {
        decided(holds(choices.as_slice(), value, case))
    } else {
        Truth::Undecided(Why::TypeError)
    }
}

/// A list contains an equal element, a text contains a part; the value's kind says which is meant.
fn contains(value: &Value, needle: &Value, case: Case) -> Truth {
    match (value, needle) {
        (Value::List(list), needle) => decided(holds(list, needle, case)),
        (Value::Text(text), Value::Text(part)) => {
            decided(folded(text, case).contains(folded(part, case).as_ref()))
        }
        _ => Truth::Undecided(Why::TypeError),
    }
}

fn holds(list: &[Value], element: &Value, case: Case) -> bool {
    list.iter().any(|value| same(value, element, case))
}

/// Equality at any depth; values of different kinds are just unequal.
fn same(a: &Value, b: &Value, case: Case) -> bool {
    match (a, b) {
        _ if case == Case::Exact => a == b,
        (Value::Text(a), Value::Text(b)) => letters(a).eq(letters(b)),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, case))
        }
        (Value::Map(a), Value::Map(b)) => {
            let pair = |name| a.value(name).zip(b.value(name));
            a.len() == b.len() && a.iter().all(|(name, _)| pair(name).is_some_and(|(a, b)| same(a, b, case)))
        }
        _ => a == b,
    }
}

fn folded(text: &str, case: Case) -> Cow<'_, str> {
    match case {
        Case::Exact => text.into(),
        // Letter by letter: `str::to_lowercase` writes a sigma differently at the end of a word, so a prefix would
        // not fold like the text that it begins.
        Case::Ignore => letters(text).collect::<String>().into(),
    }
}

/// The letters of a text without regard to case.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

fn ordered(value: &Value, bound: &Bound, accepts: fn(std::cmp::Ordering) -> bool) -> Truth {
    let given = Bound::from_value(value).ok();
    match given.and_then(|given| given.compare(bound)) {
        Some(order) => decided(accepts(order)),
        None => Truth::Undecided(Why::TypeError),
    }
}

fn with_list(value: &Value, test: impl Fn(&[Value]) -> bool) -> Truth {
    match value {
        Value::List(list) => decided(test(list)),
        _ => Truth::Undecided(Why::TypeError),
    }
}

fn with_text(value: &Value, test: impl Fn(&str) -> bool) -> Truth {
    match value {
        Value::Text(text) => decided(test(text)),
        _ => Truth::Undecided(Why::TypeError),
    }
}

fn with_moment(value: &Value, test: impl Fn(Timestamp) -> Truth) -> Truth {
    match value.as_text().and_then(moment_or_date) {
        Some(moment) => test(moment),
        None => Truth::Undecided(Why::TypeError),
    }
}

/// Total elapsed time. Clocks differ a little, so a moment up to a minute ahead counts as now; one further ahead is
/// a mistake or a lie, and says nothing.
fn is_within(moment: Timestamp, elapsed: Elapsed, now: Timestamp) -> Truth {
    const AHEAD_MICROS_MAX: i64 = 60_000_000;
    let passed_micros = now.micros_since(moment);
    if passed_micros < -AHEAD_MICROS_MAX {
        return Truth::Undecided(Why::OutOfRange);
    }
    decided(passed_micros <= elapsed.as_micros())
}

/// A time of day as it is given (`H:MM` or `H:MM:SS`), or what the wall clock in `zone` shows at a given moment.
fn micros_of_day(value: &Value, zone: &Zone) -> Option<i64> {
    let text = value.as_text()?;
    clock_micros(text).or_else(|| zone.micros_of_day(text.parse().ok()?))
}

fn clock_micros(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hour = digits(parts.next()?, 1..=2, 23)?;
    let minute = digits(parts.next()?, 2..=2, 59)?;
    let second = parts.next().map_or(Some(0), |second| digits(second, 2..=2, 59))?;
    let secs = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    parts.next().is_none().then_some(secs * 1_000_000)
}

#[cfg(test)]
mod tests;
