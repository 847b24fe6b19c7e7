//! The question that ringwall answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Action, Attributes, Environment, IdempotencyKey, InvalidValue, Principal, Resource};

/// May this principal do this action to this resource, here and now?
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// Who asks.
    pub principal: Principal,
    /// What it wants to do.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// When and whence.
    #[serde(default)]
    pub environment: Environment,
    /// The payload of the action, for example its arguments.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub parameters: Attributes,
    /// Makes a repeated request one request: the recorded answer is given again while it still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
}

impl AccessRequest {
    /// A request of which only the three essentials are known.
    pub fn new(principal: Principal, action: Action, resource: Resource) -> Self {
        Self {
            principal,
            action,
            resource,
            environment: Environment::default(),
            parameters: Attributes::new(),
            idempotency_key: None,
        }
    }

    /// Refuses what no single field can refuse: words that are too long to be recorded, and attributes that carry the name
    /// of a typed field, since a free attribute must never pass for a vouched one.
    pub fn check(&self) -> Result<(), InvalidValue> {
        const WORD_BYTES_MAX: usize = 256;
        let geo = self.environment.geo.clone().unwrap_or_default();
        for (place, word) in [
            ("resource.kind", &self.resource.kind),
            ("resource.state", &self.resource.state),
            ("environment.zone", &self.environment.zone),
            ("environment.geo.country", &geo.country),
            ("environment.geo.region", &geo.region),
            ("environment.geo.city", &geo.city),
        ] {
            if word.len() > WORD_BYTES_MAX || word.chars().any(char::is_control) {
                let why =
                    format!("`{place}` must be at most {WORD_BYTES_MAX} bytes without control characters");
                return Err(InvalidValue::new("request", why));
            }
        }
        self.check_attribute_names()
    }

    fn check_attribute_names(&self) -> Result<(), InvalidValue> {
        const PRINCIPAL: &[&str] = &["id", "tenant", "kind", "roles", "groups", "clearance", "assurance"];
        const RESOURCE: &[&str] = &["id", "kind", "tenant", "owner", "sensitivity", "state"];
        const ENVIRONMENT: &[&str] = &["time", "source_ip", "zone", "geo", "device"];
        if !self.resource.kind.is_empty() && self.resource.attributes.value("type").is_some() {
            let why =
                "`resource.attributes.type` and `resource.kind` are the same; give one of them".to_owned();
            return Err(InvalidValue::new("attribute", why));
        }
        for (place, attributes, reserved) in [
            ("principal", &self.principal.attributes, PRINCIPAL),
            ("resource", &self.resource.attributes, RESOURCE),
            ("environment", &self.environment.attributes, ENVIRONMENT),
        ] {
            if let Some(name) = reserved.iter().find(|name| attributes.value(name).is_some()) {
                let why =
                    format!("`{place}.attributes.{name}` is a field of its own; give it as `{place}.{name}`");
                return Err(InvalidValue::new("attribute", why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(principal: &str) -> Result<AccessRequest, serde_json::Error> {
        let json = format!(
            r#"{{"principal":{principal},"action":"dataset:read","resource":{{"id":"d1","kind":"dataset"}}}}"#
        );
        serde_json::from_str(&json)
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        assert!(request(r#"{"id":"ann"}"#).is_ok());
        let message = request(r#"{"id":"ann","role":"admin"}"#).unwrap_err().to_string();
        assert!(message.contains("unknown field `role`"), "{message}");
    }

    #[test]
    fn a_word_that_no_record_can_hold_is_refused() {
        let mut given = request(r#"{"id":"ann"}"#).unwrap();
        given.resource.kind = "k".repeat(256);
        assert!(given.check().is_ok());
        given.resource.kind.push('k');
        assert!(given.check().unwrap_err().to_string().contains("`resource.kind` must be at most 256 bytes"));
    }

    #[test]
    fn an_attribute_never_passes_for_a_typed_field() {
        let honest = request(r#"{"id":"ann","attributes":{"role":"admin"}}"#).unwrap();
        assert!(honest.check().is_ok());
        let forged = request(r#"{"id":"ann","attributes":{"clearance":"top_secret"}}"#).unwrap();
        let message = forged.check().unwrap_err().to_string();
        assert!(message.contains("`principal.attributes.clearance` is a field of its own"), "{message}");
    }
}
