//! A workflow as its author writes it, in YAML or JSON.
//! Promises: a definition that parses says nothing twice and nothing unknown; the order of its nodes is kept; a
//! document that is too large or too deep is refused, and a mistake in it is reported by line and column.
//! Does not know which kinds and ports there are: the builder checks that.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_saphyr::{MessageFormatter, UserMessageFormatter};

use crate::error::ParseError;
use crate::limits::{DOCUMENT_ALIASES_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_NODES_MAX};

mod unique;

/// A workflow, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, expecting = "a workflow: a map with `name` and `nodes`")]
pub struct WorkflowDefinition {
    /// What the workflow is called.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The nodes by id; results are reported in this order.
    #[serde(with = "unique")]
    #[schemars(with = "std::collections::BTreeMap<String, NodeDefinition>")]
    pub nodes: Vec<(String, NodeDefinition)>,
    /// What feeds what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<ConnectionDefinition>,
    /// What a run is given: a name for each, and the port it feeds as `node.port`.
    #[serde(default, with = "unique", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub inputs: Vec<(String, String)>,
    /// Whether nodes run although a node they depend on had an outcome that stops.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub danger_continue_on_deny: bool,
}

/// One node of a workflow, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, expecting = "a node: a map with `kind`")]
pub struct NodeDefinition {
    /// Which kind of node it is.
    pub kind: String,
    /// How it is set up, as its kind takes it.
    #[serde(default = "no_config", deserialize_with = "unique::value")]
    pub config: Value,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// One connection of a workflow, as written.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, expecting = "a connection: a map with `from` and `to`")]
pub struct ConnectionDefinition {
    /// The output port that gives, as `node.port`.
    pub from: String,
    /// The input port that takes, as `node.port`.
    pub to: String,
}

impl WorkflowDefinition {
    /// Reads a definition written in YAML.
    pub fn from_yaml(text: &str) -> Result<Self, ParseError> {
        check_size(text)?;
        parse_yaml(text)
    }

    /// Reads a definition written in JSON.
    pub fn from_json(text: &str) -> Result<Self, ParseError> {
        check_size(text)?;
        serde_json::from_str(text).map_err(|error| {
            let place = (error.line() as u64, error.column() as u64);
            let message = error.to_string();
            let suffix = format!(" at line {} column {}", place.0, place.1);
            ParseError::new(without_value(message.strip_suffix(&suffix).unwrap_or(&message)), Some(place))
        })
    }
}

fn check_size(text: &str) -> Result<(), ParseError> {
    if text.len() <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    Err(ParseError::new(format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes"), None))
}

fn parse_yaml<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    // Snippets would repeat the document, and with it whatever stands in a configuration.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DOCUMENT_DEPTH_MAX,
            max_nodes: DOCUMENT_NODES_MAX,
            max_events: 2 * DOCUMENT_NODES_MAX,
            max_aliases: DOCUMENT_ALIASES_MAX,
            max_anchors: DOCUMENT_ALIASES_MAX,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: DOCUMENT_NODES_MAX },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|location| (location.line(), location.column()));
        ParseError::new(without_value(&UserMessageFormatter.format_message(&error)), place)
    })
}

/// A reader's message without the value it found, which may be a secret in the wrong place.
fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => format!("expected {expected}"),
        _ => message.to_owned(),
    }
}

fn no_config() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
mod tests;
