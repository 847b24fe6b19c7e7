//! What the layers need to know, and what is known: one read before anything is judged.
//!
//! Promises: facts do not change while a request is judged; a fact that was asked for and could not be had is absent,
//! and an absent fact is a reason to deny, never a default.

use std::sync::Arc;

use ringwall_types::{AccessRequest, Response, TenantId, Threat, Timestamp};

use crate::policies::PolicyVersion;

/// What a layer wants to know about a request; the union of all layers' needs is read at once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Needs {
    /// Responses that bind the request's address or principal.
    pub(crate) responses: bool,
    /// The tenant's policies.
    pub(crate) policies: bool,
    /// Open threats about the request's address or principal.
    pub(crate) threats: bool,
}

impl Needs {
    /// What either wants to know.
    #[must_use]
    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            responses: self.responses || other.responses,
            policies: self.policies || other.policies,
            threats: self.threats || other.threats,
        }
    }
}

/// Everything that a request is judged by, besides itself.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The moment at which it is judged.
    pub(crate) now: Timestamp,
    /// Whose request it is: the tenant of whoever makes it, whatever the request claims.
    pub(crate) tenant: TenantId,
    /// Responses in force against the request's address or principal.
    pub(crate) responses: Option<Vec<Response>>,
    /// The tenant's policies.
    pub(crate) policies: Option<Arc<PolicyVersion>>,
    /// Open threats about the request's address or principal.
    pub(crate) threats: Option<Vec<Threat>>,
}

impl Facts {
    /// The epoch of the policies that were in force; 0 when they could not be had.
    pub(crate) fn policy_epoch(&self) -> u64 {
        self.policies.as_ref().map_or(0, |policies| policies.epoch())
    }
}

/// The request as it is judged: tenants and time that the caller left open are filled in.
pub(crate) fn settled(mut request: AccessRequest, tenant: &TenantId, now: Timestamp) -> AccessRequest {
    request.principal.tenant.get_or_insert_with(|| tenant.clone());
    request.resource.tenant.get_or_insert_with(|| tenant.clone());
    request.environment.time.get_or_insert(now);
    request
}
