//! The six named rules with their default windows and thresholds.
//!
//! Promises: each can fire on events of one kind; none looks for a word in a name. Each rule's `description` says what
//! else it may find by mistake. Does not do: know what is normal for a principal; these are fixed bounds.

use serde_json::json;

use crate::error::with_nearest;
use crate::rule::set::unknown_rule;
use crate::{Error, Rule};

/// The names of the default rules.
pub const DEFAULT_RULES: [&str; 6] = [
    "brute_force",
    "privilege_escalation",
    "data_exfiltration",
    "lateral_movement",
    "anomalous_access",
    "insider_threat",
];

/// The default rule of this name; `anomalous_behavior` is another name of `anomalous_access`.
pub(crate) fn named(name: &str) -> Result<Rule, Error> {
    let rule = match name {
        "brute_force" => brute_force(),
        "privilege_escalation" => privilege_escalation(),
        "data_exfiltration" => data_exfiltration(),
        "lateral_movement" => lateral_movement(),
        "anomalous_access" | "anomalous_behavior" => anomalous_access(),
        "insider_threat" => insider_threat(),
        _ => return Err(unknown_rule(name, &DEFAULT_RULES)),
    };
    serde_json::from_value(rule).map_err(|error| Error::rules(with_nearest(&error)))
}

/// Pairs first, so that a threat's measure is the attempts; then many principals from one address; then one principal
/// from many addresses, which needs two addresses so that no pair is reported twice.
fn brute_force() -> serde_json::Value {
    let failed = json!({ "kinds": ["authentication"], "outcomes": ["failure"] });
    json!({
        "id": "brute_force",
        "title": "Brute force",
        "description": "Failed logins in quick succession: on one principal from one address, on many principals \
            from one address, or on one principal from several addresses. May also find a script with an expired \
            password, and many people behind one gateway after an outage of their directory.",
        "attack": ["T1110", "T1110.001", "T1110.003"],
        "subject": "source_ip_or_principal",
        "conditions": [
            { "select": failed, "per": "principal", "levels": [
                { "at_least": 3, "within_secs": 60, "severity": "medium" },
                { "at_least": 5, "within_secs": 300, "severity": "high" } ] },
            { "select": failed, "measure": { "distinct": "principal" }, "levels": [
                { "at_least": 10, "within_secs": 600, "severity": "high" } ] },
            { "select": failed, "subject": "principal",
              "distinct_at_least": { "field": "source_ip", "n": 2 }, "levels": [
                { "at_least": 10, "within_secs": 600, "severity": "high" } ] }
        ],
        "followed_by": {
            "select": { "kinds": ["authentication"], "outcomes": ["success"] },
            "same": ["principal", "source_ip"], "within_secs": 600, "severity": "critical"
        },
        "quiet_secs": 3600
    })
}

fn privilege_escalation() -> serde_json::Value {
    let done = json!(["success", "unknown"]);
    json!({
        "id": "privilege_escalation",
        "title": "Privilege escalation",
        "description": "A grant to oneself, a grant by somebody who is not an administrator (attribute \
            `actor_is_admin` is false), or repeated refused privileged actions. May also find an administrator who \
            sets up their own account, and somebody who mistypes a password for elevated rights.",
        "attack": ["T1078", "T1098", "T1548"],
        "subject": "principal",
        "conditions": [
            { "select": { "kinds": ["privilege_change"], "outcomes": done, "target_is_principal": true },
              "levels": [ { "at_least": 1, "within_secs": 60, "severity": "high" } ] },
            { "select": { "kinds": ["privilege_change"], "outcomes": done, "attributes": { "actor_is_admin": false } },
              "levels": [ { "at_least": 1, "within_secs": 60, "severity": "high" } ] },
            { "select": { "kinds": ["privileged_action"], "outcomes": ["failure"] },
              "levels": [ { "at_least": 3, "within_secs": 300, "severity": "high" } ] }
        ]
    })
}

fn data_exfiltration() -> serde_json::Value {
    let moved = json!({ "kinds": ["data_transfer"], "outcomes": ["success", "unknown"] });
    json!({
        "id": "data_exfiltration",
        "title": "Data exfiltration",
        "description": "One principal moves 500 MB within an hour or 800 MB within a day, in however many pieces. May \
            also find backups and bulk exports; give their service accounts a rule of their own.",
        "attack": ["T1020", "T1041", "T1567"],
        "subject": "principal",
        "conditions": [
            { "select": moved, "measure": "bytes", "levels": [
                { "at_least": 500_000_000, "within_secs": 3600, "severity": "high" },
                { "at_least": 800_000_000, "within_secs": 86_400, "severity": "medium" } ] }
        ]
    })
}

fn lateral_movement() -> serde_json::Value {
    json!({
        "id": "lateral_movement",
        "title": "Lateral movement",
        "description": "One principal reaches many hosts within an hour, or tries to. May also find deployment and \
            monitoring accounts.",
        "attack": ["T1021", "T1550"],
        "subject": "principal",
        "conditions": [
            { "select": { "kinds": ["connection"] }, "measure": { "distinct": "host" }, "levels": [
                { "at_least": 5, "within_secs": 3600, "severity": "medium" },
                { "at_least": 10, "within_secs": 3600, "severity": "high" } ] }
        ]
    })
}

fn anomalous_access() -> serde_json::Value {
    json!({
        "id": "anomalous_access",
        "title": "Anomalous access",
        "description": "One principal logs in from three addresses within ten minutes, or is refused ten different \
            resources within five. May also find phones that change networks, and a broken link checker.",
        "attack": ["T1078"],
        "subject": "principal",
        "conditions": [
            { "select": { "kinds": ["authentication"], "outcomes": ["success"] },
              "measure": { "distinct": "source_ip" }, "levels": [
                { "at_least": 3, "within_secs": 600, "severity": "medium" } ] },
            { "select": { "kinds": ["access", "file_access"], "outcomes": ["failure"] },
              "measure": { "distinct": "resource" }, "levels": [
                { "at_least": 10, "within_secs": 300, "severity": "medium" } ] }
        ]
    })
}

fn insider_threat() -> serde_json::Value {
    json!({
        "id": "insider_threat",
        "title": "Insider threat",
        "description": "One principal reads many different resources that are confidential or more: 20 within a day \
            or 50 within a week. May also find auditors and people at the end of a quarter.",
        "attack": ["T1213"],
        "subject": "principal",
        "conditions": [
            { "select": { "kinds": ["access", "file_access", "data_transfer"], "outcomes": ["success", "unknown"],
                          "sensitivity_at_least": "confidential" },
              "measure": { "distinct": "resource" }, "levels": [
                { "at_least": 20, "within_secs": 86_400, "severity": "medium" },
                { "at_least": 50, "within_secs": 604_800, "severity": "high" } ] }
        ]
    })
}
