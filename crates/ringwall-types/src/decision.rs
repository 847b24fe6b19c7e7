//! One layer's answer, and the words in which answers are given.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::closed_names;
use crate::{Factor, PolicyId, RiskScore, ThreatId};

closed_names! {
    /// The answer to an access request, from mildest to strictest; answers join by taking the stricter one.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Decision as "decision" {
        /// The principal may go on.
        Allow = "allow",
        /// The principal may go on after it has met the obligations.
        Challenge = "challenge",
        /// The principal may not.
        Deny = "deny",
    }
}

closed_names! {
    /// The walls of the fort, in the order in which a request meets them.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum Layer as "layer" {
        /// Is this caller let near at all: blocked addresses, locked principals, foreign tenants.
        Perimeter = "perimeter",
        /// Where the traffic comes from and goes to.
        Network = "network",
        /// What the policies say.
        Application = "application",
        /// What the data may be shown to whom.
        Data = "data",
        /// Which device is in use.
        Endpoint = "endpoint",
        /// What is known of the principal's conduct.
        Behavior = "behavior",
    }
}

/// One layer's answer to one request.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which layer speaks.
    pub layer: Layer,
    /// Its answer.
    pub decision: Decision,
    /// How risky the request looks from there.
    pub risk: RiskScore,
    /// Why; at least one for anything but a plain Allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What must be done along with the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Obligation>,
}

impl Finding {
    /// A layer that has nothing against the request.
    pub fn pass(layer: Layer) -> Self {
        Self {
            layer,
            decision: Decision::Allow,
            risk: RiskScore::NONE,
            reasons: Vec::new(),
            obligations: Vec::new(),
        }
    }

    /// A refusal with its reason.
    pub fn deny(layer: Layer, risk: RiskScore, reason: Reason) -> Self {
        Self { layer, decision: Decision::Deny, risk, reasons: vec![reason], obligations: Vec::new() }
    }
}

/// Why a layer answers as it does.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Stable, machine-readable, for example `policy_deny` or `address_blocked`.
    pub code: String,
    /// One sentence for a person, lower case, without a full stop and without secrets.
    pub message: String,
    /// The policy that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// The threat that stands behind the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threat: Option<ThreatId>,
}

impl Reason {
    /// A reason that cites neither policy nor threat.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), policy: None, threat: None }
    }
}

/// What must be done along with an answer; an enforcement point that cannot do it must treat the answer as Deny.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Obligation {
    /// Show these fields masked.
    MaskFields {
        /// Dotted paths of the fields.
        fields: Vec<String>,
    },
    /// Prove again who you are.
    Reauthenticate {
        /// How old the newest proof may be, in seconds.
        age_secs_max: u64,
    },
    /// Prove these factors too.
    RequireFactors {
        /// In the order in which they are asked for.
        factors: Vec<Factor>,
    },
    /// Tell somebody.
    Notify {
        /// Whom, as a name of a configured channel.
        channel: String,
    },
    /// Record the access itself, beside the decision.
    LogAccess {},
    /// Hand these fields out encrypted only.
    Encrypt {
        /// Dotted paths of the fields.
        fields: Vec<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_decision_is_the_greater_one() {
        assert_eq!(Decision::Allow.max(Decision::Challenge), Decision::Challenge);
        assert_eq!(Decision::Deny.max(Decision::Challenge), Decision::Deny);
    }

    #[test]
    fn layers_stand_in_the_order_in_which_a_request_meets_them() {
        let order = ["perimeter", "network", "application", "data", "endpoint", "behavior"];
        assert!(Layer::ALL.iter().map(|layer| layer.as_str()).eq(order));
        assert!(Layer::ALL.is_sorted());
    }
}
