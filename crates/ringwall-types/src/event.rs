//! What happened, typed and compact.
//!
//! Foreign formats become this at the edge (parsers in ringwall-detect); OCSF and its like are made from it at the
//! other edge.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::closed_names;
use crate::{
    Attributes, EventId, HostName, IpAddress, PrincipalId, ResourceId, Sensitivity, SourceName, TenantId,
    Timestamp,
};

closed_names! {
    /// What sort of thing happened.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum EventKind as "event kind" {
        /// Somebody tried to prove who they are.
        Authentication = "authentication" | "login" | "logon" | "auth",
        /// Somebody used, or was refused, a resource.
        Access = "access" | "data_access" | "resource_access",
        /// Somebody opened a file.
        FileAccess = "file_access",
        /// Data moved: a download, upload, export or copy.
        DataTransfer = "data_transfer" | "download" | "upload" | "export" | "data_export",
        /// Somebody's roles, groups or permissions changed.
        PrivilegeChange = "privilege_change" | "role_change" | "grant" | "permission_change",
        /// Somebody did, or was refused, something that needs elevated rights.
        PrivilegedAction = "privileged_action" | "sudo" | "admin_action",
        /// Somebody reached a host, service or tenant.
        Connection = "connection" | "remote_session" | "host_access",
        /// Anything else; recorded, and judged only by rules that ask for it.
        Other = "other",
    }
}

closed_names! {
    /// How it ended.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Outcome as "outcome" {
        /// It was done.
        Success = "success",
        /// It was refused or went wrong.
        Failure = "failure",
        /// The sender did not say.
        #[default]
        Unknown = "unknown",
    }
}

closed_names! {
    /// What had to be assumed to make an event of a line.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum EventFlag as "event flag" {
        /// The event had no time: the time of its arrival stands in.
        TimeMissing = "time_missing",
        /// The time had no offset: it was read as UTC.
        TimeNaive = "time_naive",
        /// The time lay further in the future than clocks may differ: the time of arrival stands in.
        TimeClamped = "time_clamped",
        /// The event came later than the allowed lateness: it is recorded but opens no window.
        Late = "late",
    }
}

/// One thing that happened.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityEvent {
    /// The sender's own id; events of one tenant and source with equal ids count once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// Whose event it is.
    pub tenant: TenantId,
    /// When it happened.
    pub time: Timestamp,
    /// What sort of thing happened.
    pub kind: EventKind,
    /// The sender's own word for it, for example `file_access` or `Failed password`. At most 128 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How it ended.
    #[serde(default)]
    pub outcome: Outcome,
    /// How many equal occurrences this one event stands for.
    #[serde(default = "one")]
    pub count: NonZeroU32,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalId>,
    /// To whom it was done, for example who got a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<PrincipalId>,
    /// From which address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddress>,
    /// On which host, service or tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// To what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// How sensitive that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// How much data moved, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Which feed it came from; each feed has a clock of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// What had to be assumed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub flags: BTreeSet<EventFlag>,
    /// Whatever else the sender said, kept as evidence. Fractions are kept as text, since audit leaves hold no floats.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl SecurityEvent {
    /// An event of which only whose, when and what are known.
    pub fn new(tenant: TenantId, time: Timestamp, kind: EventKind) -> Self {
        Self {
            id: None,
            tenant,
            time,
            kind,
            name: String::new(),
            outcome: Outcome::Unknown,
            count: NonZeroU32::MIN,
            principal: None,
            target: None,
            source_ip: None,
            host: None,
            resource: None,
            sensitivity: None,
            bytes: None,
            source: None,
            flags: BTreeSet::new(),
            attributes: Attributes::new(),
        }
    }
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}
