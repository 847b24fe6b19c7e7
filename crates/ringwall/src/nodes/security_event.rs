//! `SecurityEventNode`: records one event, and says whether it is grave enough for an alert.

use ringwall_flow::{Effect, Node, NodeError, RunContext};
use ringwall_types::{EventKind, PrincipalId, RecordBody, SecurityEvent, Severity, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Host, failed};
use crate::evidence::attributes_of;

pub(super) struct SecurityEventNode {
    host: Host,
    alert_threshold: Severity,
}

/// Settings of a `SecurityEventNode`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    /// Accepted for the nodes guide; records are found by their content.
    name: String,
    /// From which severity on an alert is raised.
    alert_threshold: Severity,
}

impl Default for Config {
    fn default() -> Self {
        Self { name: "security_event".to_owned(), alert_threshold: Severity::High }
    }
}

/// What the node takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// What sort of thing happened.
    event_type: String,
    /// How grave it is.
    severity: Severity,
    /// One sentence about it.
    message: String,
    /// Who did it.
    #[serde(default)]
    user_id: Option<PrincipalId>,
    /// Whatever else is known.
    #[serde(default)]
    metadata: Option<Value>,
}

/// What the node gives, after the event is durable.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Output {
    success: bool,
    timestamp: Timestamp,
    logged: bool,
    alert_triggered: bool,
    security_event: EventReport,
}

/// The event as it was recorded.
#[derive(Debug, JsonSchema, Serialize)]
struct EventReport {
    /// Its place in the log.
    index: u64,
    event_type: String,
    severity: Severity,
    message: String,
    user_id: Option<PrincipalId>,
}

impl SecurityEventNode {
    #[expect(clippy::unnecessary_wraps, reason = "every node is made the same way")]
    pub(super) fn new(host: Host, config: Config) -> Result<Self, String> {
        Ok(Self { host, alert_threshold: config.alert_threshold })
    }
}

impl Node for SecurityEventNode {
    const KIND: &'static str = "SecurityEventNode";
    const DESCRIPTION: &'static str = "Records one security event and raises an alert if it is grave.";
    const EFFECT: Effect = Effect::Write;
    type Config = Config;
    type Input = Input;
    type Output = Output;

    async fn run(&self, _: &RunContext, input: Input) -> Result<Output, NodeError> {
        let now = self.host.now();
        let tenant = &self.host.caller.tenant;
        let mut event = SecurityEvent::new(tenant.clone(), now, EventKind::Other);
        event.name = input.event_type.chars().take(128).collect();
        event.principal = input.user_id.clone();
        event.attributes = attributes_of(&input.metadata.unwrap_or(Value::Null));
        event.attributes.insert("severity", input.severity.as_str());
        event.attributes.insert("message", input.message.as_str());
        let alert_triggered = input.severity >= self.alert_threshold;
        let index = self.host.engine.record(tenant, vec![RecordBody::Event(event)]).await;
        let index = index.map_err(|error| failed(&error))?;
        if alert_triggered {
            tracing::warn!(%tenant, severity = %input.severity, index, "security event alert");
        }
        Ok(Output {
            success: true,
            timestamp: now,
            logged: true,
            alert_triggered,
            security_event: EventReport {
                index,
                event_type: input.event_type,
                severity: input.severity,
                message: input.message,
                user_id: input.user_id,
            },
        })
    }
}
