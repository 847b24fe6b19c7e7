//! What is done about a threat, as data: planned, executed, ended, undone.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::closed_names;
use crate::{IdempotencyKey, IpAddress, PrincipalId, ResponseId, TenantId, ThreatId, Timestamp};

closed_names! {
    /// What can be done about a threat.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum ResponseAction as "response action" {
        /// Tell the security team.
        Alert = "alert" | "alert_soc",
        /// Record it, nothing else.
        Log = "log",
        /// Refuse every request from the threat's address.
        BlockIp = "block_ip",
        /// Refuse every request of the threat's principal until somebody has looked.
        QuarantineUser = "quarantine_user" | "quarantine",
        /// Refuse every request of the threat's principal until the lock ends.
        LockAccount = "lock_account",
        /// Tell the administrators.
        EscalateToAdmin = "escalate_to_admin" | "escalate",
    }
}

impl ResponseAction {
    /// Whether it changes later decisions, as opposed to telling somebody.
    pub fn binds(self) -> bool {
        matches!(self, Self::BlockIp | Self::QuarantineUser | Self::LockAccount)
    }
}

/// Whom a response is aimed at.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// An address.
    SourceIp(IpAddress),
    /// A principal.
    Principal(PrincipalId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceIp(address) => write!(f, "address {address}"),
            Self::Principal(principal) => write!(f, "principal {principal}"),
        }
    }
}

/// What should be done; nothing has happened yet.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResponsePlan {
    /// What to do.
    pub action: ResponseAction,
    /// To whom; `None` when the threat names nobody that the action could be aimed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Because of which threat.
    pub threat: ThreatId,
    /// For how long, in seconds; at least 1.
    pub ttl_secs: u64,
    /// Equal keys are one response, however often they are planned.
    pub idempotency_key: IdempotencyKey,
}

/// What became of a plan.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Also the handle by which it is undone.
    pub id: ResponseId,
    /// Whose response it is.
    pub tenant: TenantId,
    /// What was to be done.
    pub plan: ResponsePlan,
    /// What became of it.
    pub status: ResponseStatus,
    /// Why it was skipped, failed or undone. Empty when there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When this status was reached.
    pub time: Timestamp,
    /// Until when it binds; absent when it binds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Response {
    /// Whether it refuses requests at `now`. The moment of expiry itself is free again.
    pub fn binds_at(&self, now: Timestamp) -> bool {
        self.status == ResponseStatus::Done && self.expires_at.is_some_and(|end| now < end)
    }
}

closed_names! {
    /// What became of a response.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum ResponseStatus as "response status" {
        /// It is in force, or the message is out.
        Done = "done",
        /// It was in force before.
        AlreadyActive = "already_active",
        /// Dry run: this is what would have been done.
        Simulated = "simulated",
        /// It was not done, on purpose; the reason says why.
        Skipped = "skipped",
        /// It could not be done; the reason says why.
        Failed = "failed",
        /// Somebody lifted it before its time.
        Undone = "undone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_two_spellings_are_one_action() {
        for (given, meant) in [
            ("alert_soc", ResponseAction::Alert),
            ("escalate", ResponseAction::EscalateToAdmin),
            ("quarantine", ResponseAction::QuarantineUser),
        ] {
            assert_eq!(given.parse::<ResponseAction>().unwrap(), meant);
        }
        let message = "block_pi".parse::<ResponseAction>().unwrap_err().to_string();
        assert!(message.ends_with("did you mean `block_ip`?"), "{message}");
    }

    #[test]
    fn a_response_ends_exactly_at_its_expiry() {
        let at = |secs: i64| Timestamp::from_micros(secs * 1_000_000).unwrap();
        let response = Response {
            id: ResponseId::new("rsp_1").unwrap(),
            tenant: TenantId::initial(),
            plan: ResponsePlan {
                action: ResponseAction::BlockIp,
                target: None,
                threat: ThreatId::new("thr_1").unwrap(),
                ttl_secs: 10,
                idempotency_key: IdempotencyKey::new("k").unwrap(),
            },
            status: ResponseStatus::Done,
            reason: String::new(),
            time: at(0),
            expires_at: Some(at(10)),
        };
        assert!(response.binds_at(at(9)) && !response.binds_at(at(10)));
        assert!(!Response { status: ResponseStatus::Undone, ..response }.binds_at(at(9)));
    }
}
