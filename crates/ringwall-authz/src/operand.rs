//! What operators compare with, already parsed: an operand of these types has a meaning.
//!
//! Promises: a list of choices is never empty and holds one kind, a range is never upside down, a window is never
//! empty, an address block has one spelling.

use ringwall_types::{InvalidValue, Number, Timestamp, Value};

use crate::limits::ELAPSED_DAYS_MAX;

/// A number or a moment: what has an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A number, compared exactly.
    Number(Number),
    /// A moment, from RFC 3339 text with an offset.
    Instant(Timestamp),
}

impl Bound {
    /// Reads a number, or text that is an RFC 3339 moment.
    pub fn from_value(value: &Value) -> Result<Self, InvalidValue> {
        match value {
            Value::Number(number) => Ok(Self::Number(*number)),
            Value::Text(text) => text.parse().map(Self::Instant),
            other => Err(wrong("a number or an RFC 3339 moment", other)),
        }
    }

    /// How this bound lies to another; `None` when one is a number and the other a moment.
    pub fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Number(number) => Value::Number(number),
            Self::Instant(moment) => Value::from(moment.to_string()),
        }
    }
}

/// Two bounds of one kind, the lower first; both belong to the range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: Bound,
    high: Bound,
}

impl Range {
    /// Accepts `low` up to `high`, which may be equal.
    pub fn new(low: Bound, high: Bound) -> Result<Self, InvalidValue> {
        match low.compare(&high) {
            None => Err(operand("needs two numbers or two moments, not one of each")),
            Some(std::cmp::Ordering::Greater) => Err(operand("the low end is above the high end")),
            Some(_) => Ok(Self { low, high }),
        }
    }

    /// The lower end.
    pub fn low(&self) -> Bound {
        self.low
    }

    /// The upper end.
    pub fn high(&self) -> Bound {
        self.high
    }
}

/// At least one value, all scalars of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices(Vec<Value>);

impl Choices {
    /// Accepts a list that is not empty and whose elements are all true-or-false, all numbers or all text.
    pub fn new(values: Vec<Value>) -> Result<Self, InvalidValue> {
        let Some(first) = values.first() else {
            return Err(operand("an empty list is never met"));
        };
        if let Some(odd) = values.iter().find(|value| !is_scalar(value)) {
            return Err(wrong("a list of numbers, texts, or true and false", odd));
        }
        let kind = std::mem::discriminant(first);
        match values.iter().find(|value| std::mem::discriminant(*value) != kind) {
            Some(odd) => {
                Err(operand(format!("the list mixes kinds: {} beside {}", odd.kind(), first.kind())))
            }
            None => Ok(Self(values)),
        }
    }

    /// The values; never none.
    pub fn as_slice(&self) -> &[Value] {
        &self.0
    }
}

/// What a list or text may contain: true or false, a number, or text that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Needle(Value);

impl Needle {
    /// Accepts a scalar; refuses empty text, which every text contains.
    pub fn new(value: Value) -> Result<Self, InvalidValue> {
        match &value {
            Value::Text(text) if text.is_empty() => Err(operand("every text contains the empty text")),
            scalar if is_scalar(scalar) => Ok(Self(value)),
            other => Err(wrong("one number, text, or true or false", other)),
        }
    }

    /// The value.
    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

/// Text that is not empty: a prefix or suffix.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Affix(String);

impl Affix {
    /// Refuses the empty text, which every text starts and ends with.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidValue> {
        let text = text.into();
        if text.is_empty() {
            Err(operand("every text has the empty text at its ends"))
        } else {
            Ok(Self(text))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Elapsed time, above zero and at most ten thousand years.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Elapsed {
    micros: i64,
}

impl Elapsed {
    const DAY_MICROS: i64 = 86_400_000_000;

    /// `count` units of `unit_secs` seconds each; fractions of a unit count, fractions of a microsecond do not.
    pub fn new(count: Number, unit_secs: u32) -> Result<Self, InvalidValue> {
        const MICROS_MAX: i64 = ELAPSED_DAYS_MAX * Elapsed::DAY_MICROS;
        let unit_micros = i64::from(unit_secs) * 1_000_000;
        let micros = match count {
            Number::Integer(whole) => whole.saturating_mul(unit_micros),
            // `as` saturates, so what is too large is refused below.
            Number::Fraction(part) => (part.as_f64() * unit_micros as f64).round() as i64,
        };
        if (1..=MICROS_MAX).contains(&micros) {
            Ok(Self { micros })
        } else {
            Err(operand(format!("must be above 0 and at most {ELAPSED_DAYS_MAX} days")))
        }
    }

    /// The time in microseconds.
    pub fn as_micros(self) -> i64 {
        self.micros
    }

    pub(crate) fn to_value(self, unit_secs: u32) -> Value {
        let unit_micros = i64::from(unit_secs) * 1_000_000;
        if self.micros % unit_micros == 0 {
            return Value::from(self.micros / unit_micros);
        }
        let parts = self.micros as f64 / unit_micros as f64;
        Number::from_f64(parts).map_or_else(|_| Value::from(self.micros), Value::Number)
    }
}

/// A stretch of every day by the wall clock, both ends included; it goes over midnight when it ends before it starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HourWindow {
    start_mins: u16,
    end_mins: u16,
}

impl HourWindow {
    const DAY_MINS: u16 = 24 * 60;
    const MINUTE_MICROS: i64 = 60_000_000;

    /// Reads `[start, end]`, each a whole hour from 0 to 24 or `HH:MM`.
    pub fn new(start: &Value, end: &Value) -> Result<Self, InvalidValue> {
        let (start_mins, end_mins) = (Self::minutes(start)?, Self::minutes(end)?);
        if start_mins == Self::DAY_MINS {
            return Err(operand("24 is the end of a day; start at 0"));
        }
        if start_mins == end_mins {
            return Err(operand("start and end are the same; the whole day is [0, 24]"));
        }
        Ok(Self { start_mins, end_mins })
    }

    /// Whether a time of day, in microseconds since midnight, lies in the window.
    pub fn contains(self, micros_of_day: i64) -> bool {
        let from = i64::from(self.start_mins) * Self::MINUTE_MICROS;
        let to = i64::from(self.end_mins) * Self::MINUTE_MICROS;
        if from < to {
            (from..=to).contains(&micros_of_day)
        } else {
            micros_of_day >= from || micros_of_day <= to
        }
    }

    fn minutes(value: &Value) -> Result<u16, InvalidValue> {
        let minutes = match value {
            Value::Number(Number::Integer(hour)) => {
                u16::try_from(*hour).ok().filter(|h| *h <= 24).map(|h| h * 60)
            }
            Value::Text(text) => clock_minutes(text),
            _ => None,
        };
        minutes.ok_or_else(|| operand("each end is a whole hour from 0 to 24, or `HH:MM`"))
    }

    pub(crate) fn to_value(self) -> Value {
        let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        Value::from(vec![text(self.start_mins), text(self.end_mins)])
    }
}

/// `HH:MM`, up to `24:00`.
fn clock_minutes(text: &str) -> Option<u16> {
    if text == "24:00" {
        return Some(HourWindow::DAY_MINS);
    }
    let (hour, minute) = text.split_once(':')?;
    Some(digits(hour, 1..=2, 23)? * 60 + digits(minute, 2..=2, 59)?)
}

/// A plain decimal number of so many digits, up to `max`.
pub(crate) fn digits(text: &str, len: std::ops::RangeInclusive<usize>, max: u16) -> Option<u16> {
    let plain = len.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|number| *number <= max)
}

/// A moment from RFC 3339 text with an offset, or from a date, which stands for 00:00 UTC.
pub(crate) fn moment_or_date(text: &str) -> Option<Timestamp> {
    // Checked by shape first, because a date parser may also take a time without an offset.
    let is_date = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if is_date { format!("{text}T00:00:00Z").parse().ok() } else { text.parse().ok() }
}

pub(crate) fn operand(why: impl Into<String>) -> InvalidValue {
    InvalidValue::new("operand", why)
}

pub(crate) fn wrong(wanted: &str, given: &Value) -> InvalidValue {
    operand(format!("must be {wanted}, not {}", given.kind()))
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::Text(_))
}

#[cfg(test)]
mod tests;
