//! One node of a draft: its id, its kind, its configuration, its deadline.
//! Promises: every unknown and every missing configuration key is its own problem; no message repeats a value.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Candidate;
use crate::definition::NodeDefinition;
use crate::error::{Problem, ProblemCode};
use crate::kind::{AnyNode, NodeKind};
use crate::limits::{CONFIG_BYTES_MAX, CONFIG_DEPTH_MAX, NODE_DEADLINE_MS_MAX};
use crate::name::{NAME_RULE, NodeId, hint, quoted};
use crate::registry::Registry;

pub(super) fn candidates<'a>(
    registry: &'a Registry,
    nodes: &'a [(String, NodeDefinition)],
) -> (Vec<Candidate<'a>>, Vec<Problem>) {
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    let checked = nodes.iter().map(|(text_id, definition)| {
        let id = NodeId::parse(text_id).ok();
        if id.is_none() {
            let message = format!("{} cannot name a node", quoted(text_id));
            problems.push(Problem::new(ProblemCode::InvalidName, message).hinting(NAME_RULE.to_owned()));
        }
        let repeats = !seen.insert(text_id.as_str());
        if repeats {
            let message = format!("node {} is declared twice", quoted(text_id));
            problems.push(Problem::new(ProblemCode::DuplicateNode, message));
        }
        let kind = registry.kind(&definition.kind);
        let node = match kind {
            Some(kind) => made(kind, text_id, definition, &mut problems),
            None => {
                problems.push(unknown_kind(registry, &definition.kind));
                None
            }
        };
        if definition.deadline_ms.is_some_and(|deadline| deadline == 0 || deadline > NODE_DEADLINE_MS_MAX) {
            let message =
                format!("the deadline of {} is not within 1..={NODE_DEADLINE_MS_MAX} ms", quoted(text_id));
            problems.push(Problem::new(ProblemCode::LimitExceeded, message));
        }
        problems.iter_mut().filter(|problem| problem.node().is_none()).for_each(|problem| {
            *problem = problem.clone().at_node(text_id);
        });
        Candidate { text_id, id, kind, node, deadline_ms: definition.deadline_ms, repeats }
    });
    let checked = checked.collect();
    (checked, problems)
}

fn unknown_kind(registry: &Registry, kind: &str) -> Problem {
    let hint = hint(kind, "the kinds are", registry.kinds().map(NodeKind::name));
    Problem::new(ProblemCode::UnknownKind, format!("there is no kind {}", quoted(kind))).hinting(hint)
}

fn made(
    kind: &NodeKind,
    id: &str,
    definition: &NodeDefinition,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn AnyNode>> {
    let empty = Value::Object(Map::new());
    let config = if definition.config.is_null() { &empty } else { &definition.config };
    if !is_within_limits(config) {
        let message = format!(
            "the configuration of {} is larger than {CONFIG_BYTES_MAX} bytes or deeper than {CONFIG_DEPTH_MAX} levels",
            quoted(id)
        );
        problems.push(Problem::new(ProblemCode::LimitExceeded, message));
        return None;
    }
    // A list would be read as the fields in their order, which nobody who reads the definition could tell.
    if !config.is_object() {
        let message = format!("the configuration of {} is no map of keys", quoted(id));
        problems.push(Problem::new(ProblemCode::InvalidConfig, message));
        return None;
    }
    let wrong_keys = wrong_keys(kind, id, config);
    if !wrong_keys.is_empty() {
        problems.extend(wrong_keys);
        return None;
    }
    let refused = |reason: String| {
        let message = format!("node {}: {reason}", quoted(id));
        problems.push(Problem::new(ProblemCode::InvalidConfig, message));
    };
    kind.build(config.clone()).map_err(refused).ok()
}

/// Keys that the kind does not know and keys that it misses, as far as its schema lists them.
fn wrong_keys(kind: &NodeKind, id: &str, config: &Value) -> Vec<Problem> {
    let schema = kind.config_schema();
    let (Some(given), Some(known)) =
        (config.as_object(), schema.get("properties").and_then(Value::as_object))
    else {
        return Vec::new();
    };
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let unknown = given.keys().filter(|key| is_closed && !known.contains_key(*key)).map(|key| {
        let message = format!("{} has no configuration key {}", quoted(kind.name()), quoted(key));
        let hint = hint(key, "the keys are", known.keys().map(String::as_str));
        Problem::new(ProblemCode::UnknownConfigKey, message).at_port(id, key).hinting(hint)
    });
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let missing = required.filter_map(Value::as_str).filter(|key| !given.contains_key(*key)).map(|key| {
        let message = format!("node {} misses the configuration key {}", quoted(id), quoted(key));
        Problem::new(ProblemCode::InvalidConfig, message).at_port(id, key)
    });
    unknown.chain(missing).collect()
}

/// Measures without recursion, since the depth is what is in question.
fn is_within_limits(config: &Value) -> bool {
    let mut bytes = 0;
    let mut open = vec![(config, 1)];
    while let Some((value, depth)) = open.pop() {
        bytes += match value {
            Value::String(text) => text.len() + 2,
            Value::Object(fields) => fields.keys().map(|key| key.len() + 4).sum(),
            _ => 4,
        };
        if bytes > CONFIG_BYTES_MAX || depth > CONFIG_DEPTH_MAX {
            return false;
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    true
}
