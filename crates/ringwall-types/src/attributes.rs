//! What callers say about principals, resources and surroundings beyond the typed fields.
//!
//! Promises: a tree that was read is shallow, small and free of NaN and of duplicate names; a JSON `null` is the same
//! as a missing attribute. Does not do: give attributes a meaning.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use crate::InvalidValue;
use crate::names::quoted;

/// The deepest nesting of lists and maps inside one attribute tree.
pub const ATTRIBUTE_DEPTH_MAX: usize = 32;
/// The most entries of one list or map.
pub const ATTRIBUTE_ENTRIES_MAX: usize = 4096;
/// The longest text or name, in bytes.
pub const TEXT_BYTES_MAX: usize = 65_536;

/// Named values, ordered by name. An attribute that was given as `null` is not in the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// No attributes.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The value of a top-level attribute.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value at a path of names, from the outermost map inwards.
    pub fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Value> {
        let mut path = path.into_iter();
        let first = self.0.get(path.next()?)?;
        path.try_fold(first, |value, name| match value {
            Value::Map(inner) => inner.0.get(name),
            _ => None,
        })
    }

    /// Adds or replaces an attribute.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The attributes in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many attributes there are at the top level.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// One attribute's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A whole or fractional number.
    Number(Number),
    /// Text of at most [`TEXT_BYTES_MAX`] bytes.
    Text(String),
    /// Values in order.
    List(Vec<Value>),
    /// Named values.
    Map(Attributes),
}

impl Value {
    /// The kind in plain words, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(Number::Integer(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(values: Vec<V>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<Attributes> for Value {
    fn from(value: Attributes) -> Self {
        Self::Map(value)
    }
}

/// A number that can always be compared: a 64-bit integer, or a finite fraction.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number, exact.
    Integer(i64),
    /// A finite IEEE 754 double that is not a whole number within the integers' range.
    Fraction(Finite),
}

/// A double that is neither infinite nor NaN.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Finite(f64);

impl Finite {
    /// The double.
    pub fn as_f64(self) -> f64 {
        self.0
    }
}

impl Number {
    /// Accepts a finite double; a whole one becomes the integer, so that `3.0` is `3`.
    pub fn from_f64(value: f64) -> Result<Self, InvalidValue> {
        if !value.is_finite() {
            return Err(InvalidValue::new("number", "must be finite"));
        }
        // Doubles are exact integers below 2^63; the upper bound itself is not an i64.
        const BOUND: f64 = 9_223_372_036_854_775_808.0;
        #[expect(clippy::cast_possible_truncation, reason = "whole and inside the range of i64")]
        if value.fract() == 0.0 && (-BOUND..BOUND).contains(&value) {
            return Ok(Self::Integer(value as i64));
        }
        Ok(Self::Fraction(Finite(value)))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    /// Exact: an integer is never rounded to a double to be compared.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Fraction(a), Self::Fraction(b)) => a.0.total_cmp(&b.0),
            (Self::Integer(a), Self::Fraction(b)) => compare_integer(*a, b.0),
            (Self::Fraction(a), Self::Integer(b)) => compare_integer(*b, a.0).reverse(),
        }
    }
}

/// Compares an integer with a fraction that `Number::from_f64` made, so one that is not whole or out of range.
fn compare_integer(integer: i64, fraction: f64) -> std::cmp::Ordering {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if fraction >= BOUND {
        return std::cmp::Ordering::Less;
    }
    if fraction < -BOUND {
        return std::cmp::Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "inside the range of i64")]
    let floor = fraction.floor() as i64;
    // The fraction lies strictly between `floor` and `floor + 1`, so it is never equal to an integer.
    if integer <= floor { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Fraction(Finite(value)) => value.fmt(f),
        }
    }
}

impl serde::Serialize for Attributes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(Number::Integer(value)) => serializer.serialize_i64(*value),
            Self::Number(Number::Fraction(value)) => serializer.serialize_f64(value.0),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(values) => values.serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Attributes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor { depth: 1 })
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed { depth: 0 }
            .deserialize(deserializer)?
            .ok_or_else(|| D::Error::custom("`null` is no value here; leave the attribute out"))
    }
}

/// Reads one value at a nesting depth; `None` is JSON `null`.
#[derive(Clone, Copy)]
struct ValueSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Option<Value>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::Bool(value)))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Value::from(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        let whole = i64::try_from(value);
        whole.map(|value| Some(Value::from(value))).map_err(|_| {
            E::custom(format!("number `{value}` is above the largest 64-bit signed integer; give it as text"))
        })
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        // A JSON reader hands whole numbers of more than 64 bits over as doubles, already rounded.
        const WHOLE_MAX: f64 = 9_223_372_036_854_775_808.0;
        if value.fract() == 0.0 && value.abs() >= WHOLE_MAX {
            return Err(E::custom(format!("number `{value}` does not fit into 64 bits; give it as text")));
        }
        Number::from_f64(value).map(|number| Some(Value::Number(number))).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(E::custom(format!("text of {} bytes, the limit is {TEXT_BYTES_MAX}", text.len())));
        }
        Ok(Some(Value::from(text)))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let inner = deeper(self.depth)?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            within_entries(values.len())?;
            values.push(value.ok_or_else(|| A::Error::custom("`null` is no value of a list"))?);
        }
        Ok(Some(Value::List(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let ValueSeed { depth } = deeper(self.depth)?;
        MapVisitor { depth }.visit_map(map).map(|values| Some(Value::Map(values)))
    }
}

struct MapVisitor {
    depth: usize,
}

impl<'de> Visitor<'de> for MapVisitor {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attributes = BTreeMap::new();
        let mut seen_null = std::collections::BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            within_entries(attributes.len() + seen_null.len())?;
            if name.is_empty() || name.len() > TEXT_BYTES_MAX {
                return Err(A::Error::custom("an attribute's name is empty or too long"));
            }
            if attributes.contains_key(&name) || seen_null.contains(&name) {
                return Err(A::Error::custom(format!("attribute {} is given twice", quoted(&name))));
            }
            match map.next_value_seed(ValueSeed { depth: self.depth })? {
                Some(value) => drop(attributes.insert(name, value)),
                None => drop(seen_null.insert(name)),
            }
        }
        Ok(Attributes(attributes))
    }
}

fn deeper<E: serde::de::Error>(depth: usize) -> Result<ValueSeed, E> {
    if depth < ATTRIBUTE_DEPTH_MAX {
        Ok(ValueSeed { depth: depth + 1 })
    } else {
        Err(E::custom(format!("attributes are nested deeper than {ATTRIBUTE_DEPTH_MAX}")))
    }
}

fn within_entries<E: serde::de::Error>(count: usize) -> Result<(), E> {
    if count < ATTRIBUTE_ENTRIES_MAX {
        Ok(())
    } else {
        Err(E::custom(format!("more than {ATTRIBUTE_ENTRIES_MAX} entries in one list or map")))
    }
}

impl schemars::JsonSchema for Attributes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Attributes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "additionalProperties": true,
            "maxProperties": ATTRIBUTE_ENTRIES_MAX,
            "description": "Named values: true or false, numbers, text, lists, maps. null is the same as absent."
        })
    }
}

impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["boolean", "number", "string", "array", "object"] })
    }
}

#[cfg(test)]
mod tests;
