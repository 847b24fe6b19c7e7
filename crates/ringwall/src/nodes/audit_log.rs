//! `AuditLogNode`: whatever reaches it is in the audit log before it answers.

use ringwall_flow::{Effect, Node, NodeError, RunContext};
use ringwall_types::{EventKind, PrincipalId, RecordBody, SecurityEvent, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Host, failed};
use crate::evidence::attributes_of;

pub(super) struct AuditLogNode {
    host: Host,
}

/// Settings of an `AuditLogNode`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    /// Accepted for the nodes guide; records are found by their content.
    name: String,
    /// `minimal`, `standard` or `detailed`.
    log_level: LogLevel,
    /// For how many days records must be kept; ringwall keeps them all.
    retention_days: u32,
    /// Accepted for the nodes guide; alerts are raised by detection and by `SecurityEventNode`.
    enable_real_time_alerts: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LogLevel {
    Minimal,
    Standard,
    Detailed,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "audit_logger".to_owned(),
            log_level: LogLevel::Standard,
            retention_days: 365,
            enable_real_time_alerts: false,
        }
    }
}

/// What the node takes; everything is optional, nothing is recorded when nothing is given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Input {
    /// Things that happened, for example threats.
    security_events: Vec<Value>,
    /// Decisions that were made.
    access_decisions: Vec<Value>,
    /// One thing that happened.
    event_data: Option<Value>,
    /// What sort of thing `event_data` is. Default: `info`.
    event_type: Option<String>,
    /// Who did it.
    user_id: Option<PrincipalId>,
    /// One sentence about it.
    message: Option<String>,
}

/// What the node gives, after everything is durable.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Output {
    success: bool,
    timestamp: Timestamp,
    logged: bool,
    /// Where the records are in the log: the first index and how many follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_index: Option<u64>,
    count: u64,
}

impl AuditLogNode {
    #[expect(clippy::unnecessary_wraps, reason = "every node is made the same way")]
    pub(super) fn new(host: Host, _: Config) -> Result<Self, String> {
        Ok(Self { host })
    }

    fn event(&self, now: Timestamp, name: &str, data: &Value) -> SecurityEvent {
        let mut event = SecurityEvent::new(self.host.caller.tenant.clone(), now, EventKind::Other);
        event.name = name.chars().take(128).collect();
        event.attributes = attributes_of(data);
        event
    }
}

impl Node for AuditLogNode {
    const KIND: &'static str = "AuditLogNode";
    const DESCRIPTION: &'static str = "Records what it is given in the audit log.";
    const EFFECT: Effect = Effect::Write;
    type Config = Config;
    type Input = Input;
    type Output = Output;

    async fn run(&self, _: &RunContext, input: Input) -> Result<Output, NodeError> {
        let now = self.host.now();
        let mut events: Vec<_> = Vec::new();
        events.extend(input.security_events.iter().map(|data| self.event(now, "security_event", data)));
        events.extend(input.access_decisions.iter().map(|data| self.event(now, "access_decision", data)));
        if input.event_data.is_some() || input.message.is_some() {
            let data = input.event_data.unwrap_or(Value::Null);
            let mut event = self.event(now, input.event_type.as_deref().unwrap_or("info"), &data);
            event.principal = input.user_id;
            if let Some(message) = input.message {
                event.attributes.insert("message", message);
            }
            events.push(event);
        }
        let count = events.len() as u64;
        let mut first_index = None;
        if count > 0 {
            let bodies = events.into_iter().map(RecordBody::Event).collect();
            let index = self.host.engine.record(&self.host.caller.tenant, bodies).await;
            first_index = Some(index.map_err(|error| failed(&error))?);
        }
        Ok(Output { success: true, timestamp: now, logged: count > 0, first_index, count })
    }
}
