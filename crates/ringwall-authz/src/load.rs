//! From the text of a policy document to a set, or to everything that is wrong with it.
//!
//! A document is one map with the keys `policies` (a list), `combining` and `timezone`; YAML, so also JSON. Promises:
//! what is not understood is an error, never skipped; all errors come at once; no text makes it panic. Does not do:
//! open files.

mod condition;

use std::collections::HashSet;

use ringwall_types::{Obligation, PolicyId};

use crate::error::{Fault, Known, LoadErrorKind, LoadErrors, Scope, quoted};
use crate::limits::{DESCRIPTION_BYTES_MAX, POLICIES_MAX};
use crate::policy::{Effect, Policy};
use crate::set::{Combining, PolicySet, check_shape, duplicate_policy, too_many_policies};
use crate::tree::{Data, Key, Node};
use crate::zone::Zone;

impl PolicySet {
    /// Reads a policy document in YAML or JSON.
    pub fn from_yaml(text: &str) -> Result<Self, LoadErrors> {
        let mut errors = LoadErrors::default();
        let document = errors.keep(Scope::default(), Node::from_yaml(text));
        let set = document.and_then(|document| read_document(&document, &mut errors));
        match set {
            Some(set) if errors.is_empty() => Ok(set),
            _ => Err(errors),
        }
    }
}

fn read_document(document: &Node, errors: &mut LoadErrors) -> Option<PolicySet> {
    let scope = Scope::default();
    let fields = Fields::read(document, "a policy document", DOCUMENT_KEYS, scope, errors)?;
    document.report_own_duplicate_keys(scope, errors);
    let combining = fields.or("combining", Combining::default(), combining, scope, errors);
    let timezone = fields.or("timezone", Zone::UTC, zone, scope, errors);
    let Some(list) = fields.find("policies") else {
        let message = "`policies` is missing; a set without policies says `policies: []`";
        errors.add(scope, Fault::new(LoadErrorKind::MissingKey, message).at(document.position));
        return None;
    };
    let nodes = errors.keep(scope, nodes(list, "`policies`"))?;
    if nodes.len() > POLICIES_MAX {
        errors.add(scope, too_many_policies(nodes.len()).at(list.position));
        return None;
    }
    let mut seen = HashSet::new();
    let policies = nodes.iter().enumerate().map(|(index, node)| read_policy(index, node, &mut seen, errors));
    // Every policy is read before the first failure counts, so that all errors are reported.
    let policies: Vec<Option<Policy>> = policies.collect();
    let policies: Option<Vec<Policy>> = policies.into_iter().collect();
    Some(PolicySet::sorted(policies?, combining?, timezone?))
}

fn read_policy<'a>(
    index: usize,
    node: &'a Node,
    seen: &mut HashSet<&'a str>,
    errors: &mut LoadErrors,
) -> Option<Policy> {
    let policy_id = node.find("id").and_then(Node::as_text);
    let scope = Scope { index: Some(index), policy: policy_id, ..Scope::default() };
    let fields = Fields::read(node, "a policy", POLICY_KEYS, scope, errors)?;
    node.report_duplicate_keys(scope, errors);
    if let (Some(text), Some(id)) = (policy_id, fields.find("id"))
        && !seen.insert(text)
    {
        errors.add(scope, duplicate_policy().at(id.position));
    }

    let id = fields.required("id", policy_identifier, scope, errors);
    let effect = fields.required("effect", effect, scope, errors);
    let name = fields.or("name", String::new(), description, scope, errors);
    let explanation = fields.or("description", String::new(), description, scope, errors);
    let priority = fields.or("priority", 0, priority, scope, errors);
    let match_all = fields.or("match_all", false, flag, scope, errors);
    let timezone = fields.or("timezone", None, |node| zone(node).map(Some), scope, errors);
    let obligations = fields.find("obligations").map_or(Some(Vec::new()), |node| {
        let nodes = errors.keep(scope, nodes(node, "`obligations`"))?;
        let read: Vec<_> = nodes.iter().map(|node| errors.keep(scope, obligation(node))).collect();
        read.into_iter().collect()
    });
    let conditions = fields
        .find("conditions")
        .map_or(Some(Vec::new()), |node| condition::read_conditions(node, scope, errors));

    let policy = Policy {
        id: id?,
        name: name?,
        description: explanation?,
        effect: effect?,
        priority: priority?,
        conditions: conditions?,
        obligations: obligations?,
        match_all: match_all?,
        timezone: timezone?,
    };
    errors.keep(scope, check_shape(&policy).map_err(|fault| fault.at(node.position)))?;
    Some(policy)
}

/// The entries of a map whose keys are all known.
struct Fields<'a> {
    node: &'a Node,
}

impl<'a> Fields<'a> {
    /// Reports every unknown key.
    fn read(
        node: &'a Node,
        what: &str,
        known: &'static [&'static str],
        scope: Scope<'_>,
        errors: &mut LoadErrors,
    ) -> Option<Self> {
        let Data::Map(entries) = &node.data else {
            let message = format!("{what} must be a map, not {}", node.kind());
            errors.add(scope, Fault::new(LoadErrorKind::WrongType, message).at(node.position));
            return None;
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            errors.add(scope, unknown_key(key, known));
        }
        Some(Self { node })
    }

    fn find(&self, name: &str) -> Option<&'a Node> {
        self.node.find(name)
    }

    fn required<T>(
        &self,
        name: &str,
        read: impl Fn(&'a Node) -> Result<T, Fault>,
        scope: Scope<'_>,
        errors: &mut LoadErrors,
    ) -> Option<T> {
        let missing =
            || Fault::new(LoadErrorKind::MissingKey, format!("`{name}` is missing")).at(self.node.position);
        let value = self.find(name).ok_or_else(missing).and_then(read);
        errors.keep(scope, value.map_err(|fault| fault.under(name)))
    }

    fn or<T>(
        &self,
        name: &str,
        absent: T,
        read: impl Fn(&'a Node) -> Result<T, Fault>,
        scope: Scope<'_>,
        errors: &mut LoadErrors,
    ) -> Option<T> {
        errors.keep(scope, self.find(name).map_or(Ok(absent), read).map_err(|fault| fault.under(name)))
    }
}

fn unknown_key(key: &Key, known: &'static [&'static str]) -> Fault {
    let message = format!("key {} is unknown", quoted(&key.text));
    Fault::new(LoadErrorKind::UnknownKey, message).instead_of(&key.text, Known::Names(known)).at(key.position)
}

fn nodes<'a>(node: &'a Node, what: &str) -> Result<&'a [Node], Fault> {
    match &node.data {
        Data::List(nodes) => Ok(nodes),
        _ => Err(wrong_type(node, &format!("{what} must be a list"))),
    }
}

fn wrong_type(node: &Node, wanted: &str) -> Fault {
    let message = format!("{wanted}, not {}", node.kind());
    Fault::new(LoadErrorKind::WrongType, message).at(node.position)
}

fn text(node: &Node) -> Result<&str, Fault> {
    node.as_text().ok_or_else(|| wrong_type(node, "must be text"))
}

fn description(node: &Node) -> Result<String, Fault> {
    let text = text(node)?;
    if text.len() > DESCRIPTION_BYTES_MAX {
        let message = format!("text of {} bytes, the limit is {DESCRIPTION_BYTES_MAX}", text.len());
        return Err(Fault::new(LoadErrorKind::Limit, message).at(node.position));
    }
    Ok(text.to_owned())
}

fn policy_identifier(node: &Node) -> Result<PolicyId, Fault> {
    PolicyId::new(text(node)?)
        .map_err(|error| Fault::new(LoadErrorKind::InvalidName, error.to_string()).at(node.position))
}

fn effect(node: &Node) -> Result<Effect, Fault> {
    let text = text(node)?;
    text.parse().map_err(|_| {
        let message = format!("effect {} is neither allow nor deny", quoted(text));
        Fault::new(LoadErrorKind::UnknownEffect, message)
            .instead_of(text, Known::Names(Effect::NAMES))
            .at(node.position)
    })
}

fn priority(node: &Node) -> Result<i32, Fault> {
    let whole = match &node.data {
        Data::Number(ringwall_types::Number::Integer(whole)) => i32::try_from(*whole).ok(),
        _ => None,
    };
    whole.ok_or_else(|| wrong_type(node, "must be a whole number of 32 bits"))
}

fn flag(node: &Node) -> Result<bool, Fault> {
    match node.data {
        Data::Bool(flag) => Ok(flag),
        _ => Err(wrong_type(node, "must be true or false")),
    }
}

fn combining(node: &Node) -> Result<Combining, Fault> {
    let text = text(node)?;
    Combining::from_name(text).ok_or_else(|| {
        let message = format!("combining {} is unknown", quoted(text));
        Fault::new(LoadErrorKind::UnknownCombining, message)
            .instead_of(text, Known::Names(Combining::NAMES))
            .at(node.position)
    })
}

fn zone(node: &Node) -> Result<Zone, Fault> {
    let name = text(node)?;
    name.parse().map_err(|_| {
        let message = format!("time zone {} is unknown", quoted(name));
        let fault = Fault::new(LoadErrorKind::UnknownZone, message);
        fault.instead_of(name, Known::Search(Zone::nearest)).at(node.position)
    })
}

fn obligation(node: &Node) -> Result<Obligation, Fault> {
    let invalid = |error: String| {
        Fault::new(LoadErrorKind::InvalidObligation, format!("obligation: {error}")).at(node.position)
    };
    let json = serde_json::to_value(node.to_value()?).map_err(|error| invalid(error.to_string()))?;
    serde_json::from_value(json).map_err(|error| {
        let given = node.find("type").and_then(Node::as_text).filter(|given| !OBLIGATIONS.contains(given));
        let fault = invalid(error.to_string());
        match given {
            Some(given) => fault.instead_of(given, Known::Names(OBLIGATIONS)),
            None => fault,
        }
    })
}

const DOCUMENT_KEYS: &[&str] = &["policies", "combining", "timezone"];
const POLICY_KEYS: &[&str] = &[
    "id",
    "name",
    "description",
    "effect",
    "priority",
    "conditions",
    "obligations",
    "match_all",
    "timezone",
];
/// The kinds of [`Obligation`], for the nearest name.
const OBLIGATIONS: &[&str] =
    &["mask_fields", "reauthenticate", "require_factors", "notify", "log_access", "encrypt"];

#[cfg(test)]
mod tests;
