//! Who asks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::closed_names;
use crate::{Assurance, Attributes, Clearance, PrincipalId, RoleName, TenantId};

closed_names! {
    /// What sort of actor a principal is.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum PrincipalKind as "principal kind" {
        /// A person.
        #[default]
        User = "user",
        /// A program that acts for itself.
        Service = "service",
        /// A program that acts for somebody else, such as one that a model steers.
        Agent = "agent",
        /// Nobody in particular.
        Anonymous = "anonymous",
    }
}

/// Who asks: the subject of every decision.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Unique within its tenant.
    pub id: PrincipalId,
    /// Whose principal it is. Absent: the tenant of whoever makes the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// User, service, agent or anonymous.
    #[serde(default)]
    pub kind: PrincipalKind,
    /// Roles that the caller vouches for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleName>,
    /// Groups that the caller vouches for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<RoleName>,
    /// Up to which sensitivity it may see. Unknown is the lowest.
    #[serde(default)]
    pub clearance: Clearance,
    /// Which factors it proved, and when.
    #[serde(default)]
    pub assurance: Assurance,
    /// Anything else that policies may ask for.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Principal {
    /// A user of the caller's tenant of whom only the id is known.
    pub fn user(id: PrincipalId) -> Self {
        Self {
            id,
            tenant: None,
            kind: PrincipalKind::User,
            roles: Vec::new(),
            groups: Vec::new(),
            clearance: Clearance::default(),
            assurance: Assurance::default(),
            attributes: Attributes::new(),
        }
    }
}
