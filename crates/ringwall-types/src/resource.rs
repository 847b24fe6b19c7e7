//! What is asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Attributes, PrincipalId, ResourceId, Sensitivity, TenantId};

/// What is asked for: the object of every decision.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Unique within its tenant and kind.
    pub id: ResourceId,
    /// What it is, for example `dataset`. Empty when the caller did not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Whose resource it is. Absent: the tenant of whoever makes the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The principal that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PrincipalId>,
    /// How much harm its disclosure does. Unknown counts as the highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// Where it is in its life, for example `draft` or `archived`. Empty when the caller did not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Anything else that policies may ask for.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Resource {
    /// A resource of the caller's tenant of which only id and kind are known.
    pub fn new(id: ResourceId, kind: impl Into<String>) -> Self {
        Self {
            id,
            kind: kind.into(),
            tenant: None,
            owner: None,
            sensitivity: None,
            state: String::new(),
            attributes: Attributes::new(),
        }
    }
}
