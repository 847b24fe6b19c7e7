//! The kinds of node there are: one explicit list, so that a search of the code finds where each comes from.
//! Promises: a kind that is in the registry has a name, ports and record ports that hold together.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::RegisterError;
use crate::kind::NodeKind;
use crate::name::{NAME_RULE, is_name, nearest};

/// Every kind of node that a workflow may use.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    kinds: BTreeMap<String, NodeKind>,
}

impl Registry {
    /// A registry without kinds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind; refuses a second one of the same name, and one that does not hold together.
    pub fn register(&mut self, kind: NodeKind) -> Result<(), RegisterError> {
        check(&kind).map_err(|reason| RegisterError::new(kind.name(), reason))?;
        if self.kinds.contains_key(kind.name()) {
            return Err(RegisterError::new(kind.name(), "is already registered"));
        }
        self.kinds.insert(kind.name().to_owned(), kind);
        Ok(())
    }

    /// The kind of that name.
    pub fn kind(&self, name: &str) -> Option<&NodeKind> {
        self.kinds.get(name)
    }

    /// The kind whose name is nearest to a misspelt one.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.kinds.keys().map(String::as_str))
    }

    /// Every kind, by name.
    pub fn kinds(&self) -> impl Iterator<Item = &NodeKind> + Clone {
        self.kinds.values()
    }
}

fn check(kind: &NodeKind) -> Result<(), String> {
    if !is_name(kind.name()) {
        return Err(format!("the name is malformed: {NAME_RULE}"));
    }
    for (what, schema) in [("input", kind.input_schema()), ("output", kind.output_schema())] {
        if schema.get("type") != Some(&Value::from("object")) {
            return Err(format!("the {what} must be a record, whose fields are the ports"));
        }
    }
    if let Some(port) = kind.inputs().iter().chain(kind.outputs()).find(|port| !is_port(port.name())) {
        return Err(format!("port `{}` is malformed: {NAME_RULE}", port.name()));
    }
    if let Some(port) = kind.record_ports().iter().find(|port| kind.output(port).is_none()) {
        return Err(format!("record port `{port}` is no output"));
    }
    let outcomes = kind.outcomes();
    let repeated = outcomes.iter().enumerate().find(|(index, outcome)| {
        outcomes.iter().take(*index).any(|earlier| earlier.name() == outcome.name())
    });
    match repeated {
        Some((_, outcome)) => Err(format!("outcome `{}` is declared twice", outcome.name())),
        None => Ok(()),
    }
}

/// Ports follow the rule for names, and may begin with `_`, as fields do.
fn is_port(name: &str) -> bool {
    is_name(name.trim_start_matches('_'))
}

#[cfg(test)]
mod tests;
