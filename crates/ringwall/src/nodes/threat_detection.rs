//! `ThreatDetectionNode`: events in, threats and what was done about them out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ringwall_detect::{Detector, Parsed, Reading, ResponsePolicy, Rule, parse_ndjson_line};
use ringwall_flow::{Effect, Node, NodeError, RunContext};
use ringwall_types::{
    Confidence, PrincipalId, Response, ResponseAction, ResponseStatus, Severity, Threat, ThreatId, Timestamp,
    Window,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Host, failed};
use crate::Error;
use crate::config::rule_set;
use crate::engine::collect;

pub(super) struct ThreatDetectionNode {
    host: Host,
    detector: Arc<Mutex<Detector>>,
    policy: ResponsePolicy,
    real_time: bool,
}

/// Settings of a `ThreatDetectionNode`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    /// Nodes of one name and rules share what they have seen.
    name: String,
    /// Which of the named rules look at the events. Default: all six.
    detection_rules: Vec<String>,
    /// Rules beside the named ones, or in place of one with the same id.
    rules: Vec<Rule>,
    /// What is done about threats.
    response_actions: Vec<ResponseAction>,
    /// Only about threats at least so severe.
    severity_threshold: Severity,
    /// Only about threats at least so sure, 0 to 1.
    confidence_threshold: f64,
    /// For how long a binding response binds, in seconds.
    ttl_secs: u64,
    /// `false`: responses are planned, not carried out.
    real_time: bool,
    /// How fast an answer should be, in milliseconds: measured and reported, never a reason to skip a check.
    response_time_target_ms: Option<f64>,
    /// Accepted for the nodes guide; this version has no source of threat intelligence.
    enable_threat_intel: bool,
    /// A model that may annotate. This version consults none.
    ai_model: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "threat_detector".to_owned(),
            detection_rules: ringwall_detect::DEFAULT_RULES.iter().map(|&rule| rule.to_owned()).collect(),
            rules: Vec::new(),
            response_actions: vec![ResponseAction::Alert, ResponseAction::Log],
            severity_threshold: Severity::Medium,
            confidence_threshold: 0.8,
            ttl_secs: 900,
            real_time: true,
            response_time_target_ms: None,
            enable_threat_intel: false,
            ai_model: None,
        }
    }
}

/// What the node takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Events: objects with `type`, `user`, `ip`, `timestamp`, `failed` and whatever else is known.
    events: Vec<Value>,
    /// Where each event stands in its stream, for example its line number. Default: its place in the list, from 0.
    #[serde(default)]
    positions: Option<Vec<u64>>,
}

/// What the node gives.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Output {
    success: bool,
    timestamp: Timestamp,
    /// Threats that these events opened or added to, most severe first.
    threats: Vec<ThreatReport>,
    /// The highest severity among them, or `none`.
    threat_level: String,
    /// Everything that was done or would have been done.
    responses: Vec<ResponseReport>,
    /// Events that could not be read.
    errors: Vec<EventError>,
}

/// A threat in the words of the nodes guide.
#[derive(Debug, JsonSchema, Serialize)]
struct ThreatReport {
    id: ThreatId,
    #[serde(rename = "type")]
    rule: String,
    severity: Severity,
    /// 0 to 1.
    confidence: f64,
    /// The principal, if the evidence names exactly one.
    user: Option<PrincipalId>,
    /// How many principals the evidence names.
    users: u64,
    /// The address, if the evidence names exactly one.
    source_ip: Option<String>,
    description: String,
    /// Event time of the last evidence.
    timestamp: Timestamp,
    /// Event time at which the rule was first fulfilled.
    detection_time: Timestamp,
    /// How many occurrences are evidence.
    count: u64,
    /// The same, where the evidence is failed logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_attempts: Option<u64>,
    window: Window,
    /// ATT&CK techniques.
    attack: Vec<String>,
    /// Positions of the first pieces of evidence.
    evidence: Vec<u64>,
    responses: Vec<ResponseReport>,
}

/// A response in the words of the nodes guide.
#[derive(Clone, Debug, JsonSchema, Serialize)]
struct ResponseReport {
    action: ResponseAction,
    target: Option<String>,
    status: ResponseStatus,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    ttl_secs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    undo_id: String,
}

/// An event that could not be read.
#[derive(Debug, JsonSchema, Serialize)]
struct EventError {
    /// Its place in the list, from 0.
    index: u64,
    reason: String,
}

impl ThreatDetectionNode {
    pub(super) fn new(host: Host, config: Config) -> Result<Self, String> {
        let rules = rule_set(&config.detection_rules, &config.rules).map_err(|error| error.to_string())?;
        let confidence_threshold = Confidence::from_fraction(config.confidence_threshold);
        let policy = ResponsePolicy {
            actions: config.response_actions,
            severity_threshold: config.severity_threshold,
            confidence_threshold: confidence_threshold.map_err(|error| error.to_string())?,
            ttl_secs: config.ttl_secs,
        };
        let detector = host.engine.node_detectors.detector(&host.caller.tenant, &config.name, &rules);
        let detector = detector.map_err(|error| error.to_string())?;
        Ok(Self { host, detector, policy, real_time: config.real_time })
    }

    /// Shows the events to the detector; gives what changed, and what could not be read.
    fn observe(&self, input: &Input, now: Timestamp) -> (crate::engine::Changed, Vec<EventError>) {
        let reading = Reading::new(self.host.caller.tenant.clone(), now);
        let (mut changes, mut errors) = (Vec::new(), Vec::new());
        let mut detector = self.detector.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend(detector.advance(now));
        detector.start_batch(&self.host.caller.tenant);
        for (index, event) in (0_u64..).zip(&input.events) {
            let position = input.positions.as_ref().and_then(|all| all.get(usize::try_from(index).ok()?));
            match parse_ndjson_line(event.to_string().as_bytes(), &reading) {
                Ok(Parsed::Event(event)) => {
                    changes.extend(detector.observe(*position.unwrap_or(&index), &event, now).changes);
                }
                Ok(Parsed::Unrelated) => {}
                Err(error) => errors.push(EventError { index, reason: error.to_string() }),
            }
        }
        (collect(changes), errors)
    }

    /// What is done about each threat, or would be.
    async fn respond(&self, threats: &[Threat]) -> Result<Vec<Vec<Response>>, Error> {
        let engine = &self.host.engine;
        if self.real_time {
            return engine.respond_by(&self.policy, &self.host.caller.tenant, threats).await;
        }
        threats.iter().map(|threat| engine.planned(&self.policy, threat)).collect()
    }
}

impl Node for ThreatDetectionNode {
    const KIND: &'static str = "ThreatDetectionNode";
    const DESCRIPTION: &'static str = "Finds threats in events and responds to them.";
    const EFFECT: Effect = Effect::Write;
    const RECORD_PORTS: &'static [&'static str] = &["threats", "responses"];
    type Config = Config;
    type Input = Input;
    type Output = Output;

    async fn run(&self, _: &RunContext, input: Input) -> Result<Output, NodeError> {
        if input.positions.as_ref().is_some_and(|positions| positions.len() != input.events.len()) {
            return Err(NodeError::new("invalid_request", "`positions` must have one entry for each event"));
        }
        let now = self.host.now();
        let (changed, errors) = self.observe(&input, now);
        let tenant = &self.host.caller.tenant;
        let threats = self.host.engine.note_threats(tenant, changed).await.map_err(|error| failed(&error))?;
        let mut reports = BTreeMap::new();
        let responses = self.respond(&threats).await.map_err(|error| failed(&error))?;
        for (threat, responses) in threats.into_iter().zip(responses) {
            let order = (std::cmp::Reverse(threat.severity), threat.fired_at, threat.id.clone());
            reports.insert(order, report(threat, &responses));
        }
        let threats: Vec<_> = reports.into_values().collect();
        let level = threats.iter().map(|threat| threat.severity).max();
        Ok(Output {
            success: true,
            timestamp: now,
            threat_level: level.map_or_else(|| "none".to_owned(), |level| level.to_string()),
            responses: threats.iter().flat_map(|threat| threat.responses.iter().cloned()).collect(),
            threats,
            errors,
        })
    }
}

fn report(threat: Threat, responses: &[Response]) -> ThreatReport {
    let is_brute_force = threat.rule.as_str() == "brute_force";
    ThreatReport {
        id: threat.id,
        rule: threat.rule.to_string(),
        severity: threat.severity,
        confidence: threat.confidence.as_fraction(),
        user: threat.principal,
        users: threat.principals,
        source_ip: threat.source_ip.map(|address| address.to_string()),
        description: threat.description,
        timestamp: threat.window.end,
        detection_time: threat.fired_at,
        count: threat.count,
        failed_attempts: is_brute_force.then_some(threat.count),
        window: threat.window,
        attack: threat.attack.iter().map(ToString::to_string).collect(),
        evidence: threat.evidence,
        responses: responses.iter().map(response_report).collect(),
    }
}

fn response_report(response: &Response) -> ResponseReport {
    ResponseReport {
        action: response.plan.action,
        target: response.plan.target.as_ref().map(|target| match target {
            ringwall_types::Target::SourceIp(address) => address.to_string(),
            ringwall_types::Target::Principal(principal) => principal.to_string(),
        }),
        status: response.status,
        reason: response.reason.clone(),
        ttl_secs: response.plan.ttl_secs,
        expires_at: response.expires_at,
        undo_id: response.id.to_string(),
    }
}
