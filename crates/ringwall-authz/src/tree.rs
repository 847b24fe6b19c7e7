//! A document as a tree of values that know their line and column.
//!
//! Promises: reading is bounded in depth, in values and in the work of aliases; keys that are given twice are kept, so
//! that they can be reported; `no` and `on` are text. Does not do: know what a policy is.

use std::collections::HashSet;
use std::fmt;

use ringwall_types::{Attributes, Number, TEXT_BYTES_MAX, Value};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};

use crate::error::{Fault, LoadErrorKind, LoadErrors, Position, Scope, quoted};
use crate::limits::{
    ALIAS_DEPTH_MAX, ALIASED_NODES_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_NODES_MAX,
    OPERAND_ENTRIES_MAX,
};

/// A value with its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) position: Option<Position>,
    pub(crate) data: Data,
}

#[derive(Debug)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    /// A number that has no exact value here.
    Inexact,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map with its place.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) position: Option<Position>,
    pub(crate) text: String,
}

impl Node {
    /// Reads YAML 1.2, of which JSON is a part.
    pub(crate) fn from_yaml(text: &str) -> Result<Self, Fault> {
        if text.len() > DOCUMENT_BYTES_MAX {
            let message = format!("the document has {} bytes, the limit is {DOCUMENT_BYTES_MAX}", text.len());
            return Err(Fault::new(LoadErrorKind::Limit, message));
        }
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
            let position = error.location().and_then(position);
            // The place is told apart from the message, and a snippet of the text would not fit one line.
            let message = error.without_snippet().to_string();
            let message = message.lines().next().unwrap_or("unreadable").to_owned();
            Fault::new(LoadErrorKind::Syntax, message).at(position)
        })
    }

    /// The kind in plain words, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Null => "null",
            Data::Bool(_) => "true or false",
            Data::Number(_) | Data::Inexact => "a number",
            Data::Text(_) => "text",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The attribute value that this node writes down; null is none, at any depth.
    pub(crate) fn to_value(&self) -> Result<Value, Fault> {
        let fault = |kind, message: String| Fault::new(kind, message).at(self.position);
        match &self.data {
            Data::Null => {
                Err(fault(LoadErrorKind::NullOperand, "null is no operand; ask with `exists`".into()))
            }
            Data::Bool(given) => Ok(Value::Bool(*given)),
            Data::Number(number) => Ok(Value::Number(*number)),
            Data::Inexact => {
                let message = "the number is not finite or beyond 64-bit integers; give it as text";
                Err(fault(LoadErrorKind::InvalidOperand, message.into()))
            }
            Data::Text(text) if text.len() > TEXT_BYTES_MAX => {
                let message = format!("text of {} bytes, the limit is {TEXT_BYTES_MAX}", text.len());
                Err(fault(LoadErrorKind::Limit, message))
            }
            Data::Text(text) => Ok(Value::Text(text.clone())),
            Data::List(nodes) => {
                self.within_entries(nodes.len())?;
                nodes.iter().map(Self::to_value).collect::<Result<_, _>>().map(Value::List)
            }
            Data::Map(entries) => {
                self.within_entries(entries.len())?;
                let entries = entries.iter().map(|(key, node)| Ok((key.text.clone(), node.to_value()?)));
                entries.collect::<Result<Attributes, _>>().map(Value::Map)
            }
        }
    }

    fn within_entries(&self, count: usize) -> Result<(), Fault> {
        crate::set::within(count, OPERAND_ENTRIES_MAX, "entries").map_err(|fault| fault.at(self.position))
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[(Key, Node)] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key of a map; the first one if there are several.
    pub(crate) fn find(&self, name: &str) -> Option<&Node> {
        self.entries().iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// The text, if this is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Reports every key that is given twice in one map, here or anywhere below.
    pub(crate) fn report_duplicate_keys(&self, scope: Scope<'_>, errors: &mut LoadErrors) {
        if let Data::List(nodes) = &self.data {
            nodes.iter().for_each(|node| node.report_duplicate_keys(scope, errors));
        }
        self.report_own_duplicate_keys(scope, errors);
        self.entries().iter().for_each(|(_, node)| node.report_duplicate_keys(scope, errors));
    }

    /// Reports every key that is given twice in this map, and looks no deeper.
    pub(crate) fn report_own_duplicate_keys(&self, scope: Scope<'_>, errors: &mut LoadErrors) {
        let mut seen = HashSet::new();
        for (key, _) in self.entries() {
            if !seen.insert(key.text.as_str()) {
                let message = format!("key {} is given twice", quoted(&key.text));
                errors.add(scope, Fault::new(LoadErrorKind::DuplicateKey, message).at(key.position));
            }
        }
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DOCUMENT_DEPTH_MAX,
            max_nodes: DOCUMENT_NODES_MAX,
            max_events: 2 * DOCUMENT_NODES_MAX,
            max_documents: 1,
            simple_key_max_lookahead: TEXT_BYTES_MAX,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIASED_NODES_MAX,
            max_replay_stack_depth: ALIAS_DEPTH_MAX,
        },
        // Duplicates are let through to be reported together with everything else.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

fn position(location: serde_saphyr::Location) -> Option<Position> {
    let (line, column) = (u32::try_from(location.line()).ok()?, u32::try_from(location.column()).ok()?);
    (line > 0).then_some(Position { line, column })
}

impl<'de> serde::Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Data>::deserialize(deserializer)?;
        Ok(Self { position: position(spanned.referenced), data: spanned.value })
    }
}

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self { position: position(spanned.referenced), text: spanned.value })
    }
}

impl<'de> serde::Deserialize<'de> for Data {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, given: bool) -> Result<Data, E> {
        Ok(Data::Bool(given))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Data, E> {
        Ok(Data::Number(Number::Integer(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Data, E> {
        Ok(i64::try_from(number).map_or(Data::Inexact, |number| Data::Number(Number::Integer(number))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Data, E> {
        // Above 2^63 an integer that was written out may have been rounded on its way here.
        const EXACT_BELOW: f64 = 9_223_372_036_854_775_808.0;
        let exact = number.abs() < EXACT_BELOW;
        Ok(Number::from_f64(number).ok().filter(|_| exact).map_or(Data::Inexact, Data::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Data, E> {
        Ok(Data::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Data, E> {
        Ok(Data::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Data, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Data::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Data::Map(entries))
    }
}

#[cfg(test)]
mod tests;
