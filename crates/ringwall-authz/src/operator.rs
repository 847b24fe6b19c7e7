//! The operators, and each with its operand.
//!
//! Promises: a [`Test`] that exists can be asked; an operand without a meaning was refused when the test was made.
//! Does not do: ask it. That is the evaluator's work.

use std::fmt;

use ringwall_types::{InvalidValue, IpNetwork, Timestamp, Value};

use crate::operand::{Affix, Bound, Choices, Elapsed, HourWindow, Needle, Range};
use crate::operand::{moment_or_date, operand, wrong};

/// Declares the operators with their names, so that no list of them can lack one.
macro_rules! operators {
    ($( $(#[$meta:meta])* $variant:ident = $name:literal ),+ $(,)?) => {
        /// How a condition compares an attribute with its operand.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Operator { $( $(#[$meta])* $variant ),+ }

        impl Operator {
            /// Every operator, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in a policy document.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

operators! {
    /// Of the same kind and equal.
    Equals = "equals",
    /// Of the same kind and different.
    NotEquals = "not_equals",
    /// Equal to one of several.
    In = "in",
    /// Equal to none of several.
    NotIn = "not_in",
    /// A list with this element, or a text with this part.
    Contains = "contains",
    /// A list without this element, or a text without this part.
    NotContains = "not_contains",
    /// A list with at least one of these elements.
    Intersects = "intersects",
    /// A list with none of these elements.
    DisjointFrom = "disjoint_from",
    /// A list with no other elements than these.
    SubsetOf = "subset_of",
    /// A list with all of these elements.
    SupersetOf = "superset_of",
    /// Above.
    GreaterThan = "greater_than",
    /// Above or equal.
    GreaterThanOrEqual = "greater_than_or_equal",
    /// Below.
    LessThan = "less_than",
    /// Below or equal.
    LessThanOrEqual = "less_than_or_equal",
    /// From a low to a high end, both included.
    Between = "between",
    /// A text that begins so.
    StartsWith = "starts_with",
    /// A text that ends so.
    EndsWith = "ends_with",
    /// Given, or not given.
    Exists = "exists",
    /// A moment before this one.
    Before = "before",
    /// A moment after this one.
    After = "after",
    /// A wall clock time within a window of the day.
    WithinHours = "within_hours",
    /// A moment at most so many minutes ago.
    WithinMinutes = "within_minutes",
    /// A moment at most so many days ago.
    WithinDays = "within_days",
    /// An address in one of these blocks.
    IpIn = "ip_in",
}

/// Operators that exist elsewhere in the contract but not in this version.
pub(crate) const UNSUPPORTED: &[&str] =
    &["matches_pattern", "satisfies_expression", "custom_function", "glob"];

impl Operator {
    /// The operator of that name, exactly as it is written.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operator| operator.as_str() == name)
    }

    /// Whether upper and lower case can make a difference to it.
    pub fn reads_text(self) -> bool {
        matches!(
            self,
            Self::Equals
                | Self::NotEquals
                | Self::In
                | Self::NotIn
                | Self::Contains
                | Self::NotContains
                | Self::Intersects
                | Self::DisjointFrom
                | Self::SubsetOf
                | Self::SupersetOf
                | Self::StartsWith
                | Self::EndsWith
        )
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An operator with its operand; each variant is described at the [`Operator`] of its name.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant is described at the operator of its name")]
pub enum Test {
    Equals(Value),
    NotEquals(Value),
    In(Choices),
    NotIn(Choices),
    Contains(Needle),
    NotContains(Needle),
    Intersects(Vec<Value>),
    DisjointFrom(Vec<Value>),
    SubsetOf(Vec<Value>),
    SupersetOf(Vec<Value>),
    GreaterThan(Bound),
    GreaterThanOrEqual(Bound),
    LessThan(Bound),
    LessThanOrEqual(Bound),
    Between(Range),
    StartsWith(Affix),
    EndsWith(Affix),
    Exists(bool),
    Before(Timestamp),
    After(Timestamp),
    WithinHours(HourWindow),
    WithinMinutes(Elapsed),
    WithinDays(Elapsed),
    IpIn(Vec<IpNetwork>),
}

const MINUTE_SECS: u32 = 60;
const DAY_SECS: u32 = 86_400;

impl Test {
    /// Gives an operator its operand; the error says which operand it wants.
    pub fn new(operator: Operator, operand: Value) -> Result<Self, InvalidValue> {
        Ok(match operator {
            Operator::Equals => Self::Equals(operand),
            Operator::NotEquals => Self::NotEquals(operand),
            Operator::In => Self::In(Choices::new(list(operand)?)?),
            Operator::NotIn => Self::NotIn(Choices::new(list(operand)?)?),
            Operator::Contains => Self::Contains(Needle::new(operand)?),
            Operator::NotContains => Self::NotContains(Needle::new(operand)?),
            Operator::Intersects => Self::Intersects(list(operand)?),
            Operator::DisjointFrom => Self::DisjointFrom(list(operand)?),
            Operator::SubsetOf => Self::SubsetOf(list(operand)?),
            Operator::SupersetOf => Self::SupersetOf(list(operand)?),
            Operator::GreaterThan => Self::GreaterThan(Bound::from_value(&operand)?),
            Operator::GreaterThanOrEqual => Self::GreaterThanOrEqual(Bound::from_value(&operand)?),
            Operator::LessThan => Self::LessThan(Bound::from_value(&operand)?),
            Operator::LessThanOrEqual => Self::LessThanOrEqual(Bound::from_value(&operand)?),
            Operator::Between => {
                let [low, high] = pair(operand)?;
                Self::Between(Range::new(Bound::from_value(&low)?, Bound::from_value(&high)?)?)
            }
            Operator::StartsWith => Self::StartsWith(Affix::new(text(operand)?)?),
            Operator::EndsWith => Self::EndsWith(Affix::new(text(operand)?)?),
            Operator::Exists => match operand {
                Value::Bool(given) => Self::Exists(given),
                other => return Err(wrong("true or false", &other)),
            },
            Operator::Before => Self::Before(moment(&operand)?),
            Operator::After => Self::After(moment(&operand)?),
            Operator::WithinHours => {
                let [start, end] = pair(operand)?;
                Self::WithinHours(HourWindow::new(&start, &end)?)
            }
            Operator::WithinMinutes => Self::WithinMinutes(elapsed(&operand, MINUTE_SECS)?),
            Operator::WithinDays => Self::WithinDays(elapsed(&operand, DAY_SECS)?),
            Operator::IpIn => Self::IpIn(blocks(operand)?),
        })
    }

    /// The operator.
    pub fn operator(&self) -> Operator {
        match self {
            Self::Equals(_) => Operator::Equals,
            Self::NotEquals(_) => Operator::NotEquals,
            Self::In(_) => Operator::In,
            Self::NotIn(_) => Operator::NotIn,
            Self::Contains(_) => Operator::Contains,
            Self::NotContains(_) => Operator::NotContains,
            Self::Intersects(_) => Operator::Intersects,
            Self::DisjointFrom(_) => Operator::DisjointFrom,
            Self::SubsetOf(_) => Operator::SubsetOf,
            Self::SupersetOf(_) => Operator::SupersetOf,
            Self::GreaterThan(_) => Operator::GreaterThan,
            Self::GreaterThanOrEqual(_) => Operator::GreaterThanOrEqual,
            Self::LessThan(_) => Operator::LessThan,
            Self::LessThanOrEqual(_) => Operator::LessThanOrEqual,
            Self::Between(_) => Operator::Between,
            Self::StartsWith(_) => Operator::StartsWith,
            Self::EndsWith(_) => Operator::EndsWith,
            Self::Exists(_) => Operator::Exists,
            Self::Before(_) => Operator::Before,
            Self::After(_) => Operator::After,
            Self::WithinHours(_) => Operator::WithinHours,
            Self::WithinMinutes(_) => Operator::WithinMinutes,
            Self::WithinDays(_) => Operator::WithinDays,
            Self::IpIn(_) => Operator::IpIn,
        }
    }

    /// The operand in one spelling; [`Test::new`] makes the same test of it again.
    pub fn operand(&self) -> Value {
        match self {
            Self::Equals(value) | Self::NotEquals(value) => value.clone(),
            Self::In(choices) | Self::NotIn(choices) => Value::List(choices.as_slice().to_vec()),
            Self::Contains(needle) | Self::NotContains(needle) => needle.as_value().clone(),
            Self::Intersects(values)
            | Self::DisjointFrom(values)
            | Self::SubsetOf(values)
            | Self::SupersetOf(values) => Value::List(values.clone()),
            Self::GreaterThan(bound)
            | Self::GreaterThanOrEqual(bound)
            | Self::LessThan(bound)
            | Self::LessThanOrEqual(bound) => bound.to_value(),
            Self::Between(range) => Value::List(vec![range.low().to_value(), range.high().to_value()]),
            Self::StartsWith(affix) | Self::EndsWith(affix) => Value::from(affix.as_str()),
            Self::Exists(given) => Value::from(*given),
            Self::Before(moment) | Self::After(moment) => Value::from(moment.to_string()),
            Self::WithinHours(window) => window.to_value(),
            Self::WithinMinutes(elapsed) => elapsed.to_value(MINUTE_SECS),
            Self::WithinDays(elapsed) => elapsed.to_value(DAY_SECS),
            Self::IpIn(blocks) => Value::from(blocks.iter().map(IpNetwork::to_string).collect::<Vec<_>>()),
        }
    }
}

fn list(value: Value) -> Result<Vec<Value>, InvalidValue> {
    match value {
        Value::List(values) => Ok(values),
        other => Err(wrong("a list", &other)),
    }
}

fn pair(value: Value) -> Result<[Value; 2], InvalidValue> {
    list(value)?.try_into().map_err(|_| operand("must be a list of exactly two ends"))
}

fn text(value: Value) -> Result<String, InvalidValue> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(wrong("text", &other)),
    }
}

fn moment(value: &Value) -> Result<Timestamp, InvalidValue> {
    let moment = value.as_text().and_then(moment_or_date);
    moment.ok_or_else(|| operand("must be a moment such as 2024-01-31T10:00:00Z, or a date"))
}

fn elapsed(value: &Value, unit_secs: u32) -> Result<Elapsed, InvalidValue> {
    match value {
        Value::Number(count) => Elapsed::new(*count, unit_secs),
        other => Err(wrong("a number", other)),
    }
}

fn blocks(value: Value) -> Result<Vec<IpNetwork>, InvalidValue> {
    let texts = match value {
        Value::Text(_) => vec![value],
        other => list(other)?,
    };
    if texts.is_empty() {
        return Err(operand("an empty list is never met"));
    }
    texts.into_iter().map(|block| text(block)?.parse()).collect()
}

#[cfg(test)]
mod tests;
