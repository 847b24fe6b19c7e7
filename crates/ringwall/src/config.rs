//! What a user can set. Everything has a default that is safe; an unknown key is an error.

use ringwall_detect::{ResponsePolicy, Rule, RuleSet};
use ringwall_types::{Confidence, IpNetwork, PrincipalId, ResponseAction, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Settings of the engine.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How decisions are made.
    pub decision: DecisionConfig,
    /// How threats are found.
    pub detection: DetectionConfig,
    /// What is done about threats.
    pub response: ResponseConfig,
}

/// How decisions are made.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionConfig {
    /// How far a caller's time may be from this server's clock, in seconds.
    pub clock_skew_secs_max: u64,
    /// How long an idempotency key stands for its request, in seconds.
    pub idempotency_secs: u64,
}

impl Default for DecisionConfig {
    fn default() -> Self {
        Self { clock_skew_secs_max: 300, idempotency_secs: 86_400 }
    }
}

/// How threats are found in the stream of events.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetectionConfig {
    /// Which of the named rules are on: `brute_force`, `privilege_escalation`, `data_exfiltration`,
    /// `lateral_movement`, `anomalous_access`, `insider_threat`.
    pub rules: Vec<String>,
    /// Rules of your own, beside the named ones or in place of one with the same id.
    pub own_rules: Vec<Rule>,
    /// How much is remembered, and how far clocks are trusted.
    pub limits: ringwall_detect::Limits,
}

impl Default for DetectionConfig {
    fn default() -> Self {
        let rules = ringwall_detect::DEFAULT_RULES.iter().map(|&rule| rule.to_owned()).collect();
        Self { rules, own_rules: Vec::new(), limits: ringwall_detect::Limits::default() }
    }
}

impl DetectionConfig {
    /// The rules in force.
    pub fn rule_set(&self) -> Result<RuleSet, Error> {
        rule_set(&self.rules, &self.own_rules)
    }
}

/// The named rules, with `own` added or put in place of those with the same id.
pub(crate) fn rule_set(named: &[String], own: &[Rule]) -> Result<RuleSet, Error> {
    let joined = || match (named, own) {
        (named, []) => RuleSet::named(named),
        ([], own) => RuleSet::new(own.iter().cloned()),
        (named, own) => RuleSet::named(named)?.replaced_by(RuleSet::new(own.iter().cloned())?),
    };
    joined().map_err(|error| Error::Invalid(error.to_string()))
}

/// Whether responses are carried out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// They are carried out.
    #[default]
    Auto,
    /// They are recorded as what would have been done.
    DryRun,
    /// Nothing is planned; threats are still recorded.
    Off,
}

/// What is done about threats.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseConfig {
    /// Whether responses are carried out.
    pub mode: ResponseMode,
    /// What is done: `alert`, `log`, `block_ip`, `lock_account`, `quarantine_user`, `escalate_to_admin`.
    pub actions: Vec<ResponseAction>,
    /// Only about threats at least so severe.
    pub severity_threshold: Severity,
    /// Only about threats at least so sure, in thousandths.
    pub confidence_threshold: Confidence,
    /// For how long a binding response binds, in seconds.
    pub ttl_secs: u64,
    /// Threats whose last evidence is older than this, in seconds, bind nobody: replaying old logs locks nobody out.
    pub age_secs_max: u64,
    /// Whom no response ever binds; checked when a response runs and again at every decision.
    pub allow_list: AllowList,
    /// How many binding responses a tenant may have in force; further ones fail and say so.
    pub active_max: usize,
}

impl Default for ResponseConfig {
    fn default() -> Self {
        Self {
            mode: ResponseMode::Auto,
            actions: vec![ResponseAction::Alert, ResponseAction::BlockIp],
            severity_threshold: Severity::Medium,
            confidence_threshold: Confidence::from_thousandths_clamped(800),
            ttl_secs: 900,
            age_secs_max: 3600,
            allow_list: AllowList::default(),
            active_max: 100_000,
        }
    }
}

impl ResponseConfig {
    /// The part that decides which responses are planned.
    pub(crate) fn policy(&self) -> ResponsePolicy {
        ResponsePolicy {
            actions: self.actions.clone(),
            severity_threshold: self.severity_threshold,
            confidence_threshold: self.confidence_threshold,
            ttl_secs: self.ttl_secs,
        }
    }
}

/// Whom no response ever binds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AllowList {
    /// Addresses and networks, for example `10.0.0.0/8`.
    pub addresses: Vec<IpNetwork>,
    /// Principals, for example a break-glass administrator.
    pub principals: Vec<PrincipalId>,
}

impl AllowList {
    /// Whether the target must never be bound.
    pub fn holds(&self, target: &ringwall_types::Target) -> bool {
        match target {
            ringwall_types::Target::SourceIp(address) => {
                self.addresses.iter().any(|network| network.contains(*address))
            }
            ringwall_types::Target::Principal(principal) => self.principals.contains(principal),
        }
    }
}

impl Config {
    /// Refuses settings that cannot work together.
    pub fn check(&self) -> Result<(), Error> {
        const TTL_SECS_MAX: u64 = 365 * 86_400;
        if !(1..=TTL_SECS_MAX).contains(&self.response.ttl_secs) {
            let ttl_secs = self.response.ttl_secs;
            return Err(Error::Invalid(format!(
                "response.ttl_secs: {ttl_secs} is not in 1 to {TTL_SECS_MAX}"
            )));
        }
        self.detection.rule_set().map_err(|error| Error::Invalid(format!("detection: {error}")))?;
        Ok(())
    }
}
