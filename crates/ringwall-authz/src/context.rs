//! What policies can ask about: four trees of attributes and the present moment.
//!
//! Promises: a free attribute never passes for a vouched field, whether or not that field is given; what the request
//! leaves open is missing, not empty. Does not do: tell the time, which is an argument.

use ringwall_types::{AccessRequest, Attributes, Environment, Geo, Principal, Resource, Timestamp, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::{AttributePath, Root};

/// The attributes of a request by root, as the nodes guide gives them. Each root has a long and a short name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextAttributes {
    /// Who asks.
    #[serde(alias = "user")]
    pub user_attributes: Attributes,
    /// For what.
    #[serde(alias = "resource")]
    pub resource_attributes: Attributes,
    /// When and whence.
    #[serde(alias = "environment")]
    pub environment_attributes: Attributes,
    /// To do what.
    #[serde(alias = "action")]
    pub action_attributes: Attributes,
}

/// Everything that a decision depends on, the policies aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// Attributes of who asks.
    pub user: Attributes,
    /// Attributes of what is asked for.
    pub resource: Attributes,
    /// Attributes of the surroundings.
    pub environment: Attributes,
    /// Attributes of what is to be done.
    pub action: Attributes,
    /// The present moment.
    pub now: Timestamp,
}

/// What lies at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    Value(&'a Value),
    Missing,
    /// A name on the way is given, but is no map.
    NoMap,
}

impl Context {
    /// Takes attributes as they are.
    pub fn new(attributes: ContextAttributes, now: Timestamp) -> Self {
        Self {
            user: attributes.user_attributes,
            resource: attributes.resource_attributes,
            environment: attributes.environment_attributes,
            action: attributes.action_attributes,
            now,
        }
    }

    /// The attributes of a typed request; its typed fields win over free attributes of the same name.
    pub fn from_request(request: &AccessRequest, now: Timestamp) -> Self {
        Self {
            user: user(&request.principal, now),
            resource: resource(&request.resource),
            environment: environment(&request.environment),
            action: action(request),
            now,
        }
    }

    pub(crate) fn find(&self, path: &AttributePath) -> Found<'_> {
        let tree = match path.root() {
            Root::User => &self.user,
            Root::Resource => &self.resource,
            Root::Environment => &self.environment,
            Root::Action => &self.action,
        };
        let mut names = path.names().iter();
        let first = names.next().and_then(|name| tree.value(name));
        names.fold(first.map_or(Found::Missing, Found::Value), |found, name| match found {
            Found::Value(Value::Map(inner)) => inner.value(name).map_or(Found::Missing, Found::Value),
            Found::Value(_) => Found::NoMap,
            ended => ended,
        })
    }
}

fn user(principal: &Principal, now: Timestamp) -> Attributes {
    const VOUCHED: &[&str] =
        &["id", "tenant", "kind", "roles", "groups", "clearance", "assurance", "authenticated_secs_ago"];
    let mut user = free(&principal.attributes, VOUCHED);
    user.insert("id", principal.id.as_str());
    user.insert("kind", principal.kind.as_str());
    user.insert("clearance", principal.clearance.as_str());
    user.insert("roles", principal.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>());
    user.insert("groups", principal.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>());
    insert_known(&mut user, "tenant", principal.tenant.as_ref().map(|tenant| tenant.as_str()));
    let age_secs = principal.assurance.age_secs(now).and_then(|secs| i64::try_from(secs).ok());
    insert_known(&mut user, "authenticated_secs_ago", age_secs);
    user
}

fn resource(resource: &Resource) -> Attributes {
    const VOUCHED: &[&str] = &["id", "kind", "tenant", "owner", "sensitivity", "state"];
    let mut attributes = free(&resource.attributes, VOUCHED);
    attributes.insert("id", resource.id.as_str());
    insert_known(&mut attributes, "kind", spoken(&resource.kind));
    // The guide's word for the kind; a free attribute speaks only where the kind is not given.
    insert_known(&mut attributes, "type", spoken(&resource.kind));
    insert_known(&mut attributes, "tenant", resource.tenant.as_ref().map(|tenant| tenant.as_str()));
    insert_known(&mut attributes, "owner", resource.owner.as_ref().map(|owner| owner.as_str()));
    insert_known(&mut attributes, "sensitivity", resource.sensitivity.map(|level| level.as_str()));
    insert_known(&mut attributes, "state", spoken(&resource.state));
    attributes
}

fn environment(environment: &Environment) -> Attributes {
    const VOUCHED: &[&str] = &["time", "source_ip", "zone", "geo", "device"];
    let mut attributes = free(&environment.attributes, VOUCHED);
    insert_known(&mut attributes, "time", environment.time.map(|time| time.to_string()));
    insert_known(&mut attributes, "source_ip", environment.source_ip.map(|address| address.to_string()));
    insert_known(&mut attributes, "zone", spoken(&environment.zone));
    insert_known(&mut attributes, "geo", environment.geo.as_ref().map(geo));
    insert_known(&mut attributes, "device", environment.device.as_ref().map(|device| device.as_str()));
    attributes
}

fn geo(geo: &Geo) -> Attributes {
    let parts = [("country", &geo.country), ("region", &geo.region), ("city", &geo.city)];
    parts.into_iter().filter_map(|(name, text)| spoken(text).map(|text| (name, text))).collect()
}

fn action(request: &AccessRequest) -> Attributes {
    let action = &request.action;
    let mut attributes: Attributes =
        [("id", action.as_str()), ("area", action.area()), ("type", action.verb()), ("verb", action.verb())]
            .into_iter()
            .collect();
    attributes.insert("parameters", request.parameters.clone());
    attributes
}

/// The free attributes without those that carry the name of a vouched field.
fn free(attributes: &Attributes, vouched: &[&str]) -> Attributes {
    let allowed = attributes.iter().filter(|(name, _)| !vouched.contains(name));
    allowed.map(|(name, value)| (name, value.clone())).collect()
}

fn insert_known(attributes: &mut Attributes, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        attributes.insert(name, value);
    }
}

/// Empty text in a request means that the caller did not say.
fn spoken(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
