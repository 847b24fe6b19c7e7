//! `ABACPermissionEvaluatorNode`: attributes in, decisions out, by policies of the node's own.

use ringwall_authz::{Answer, Context, ContextAttributes, PolicySet, Trace, evaluate, trace};
use ringwall_flow::{Effect, Node, NodeError, Outcome, RunContext};
use ringwall_types::{
    Attributes, EventKind, PrincipalId, RecordBody, RequestId, ResourceId, SecurityEvent, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Host, failed};

pub(super) struct AbacPermissionEvaluatorNode {
    host: Host,
    set: PolicySet,
    logged: Logged,
}

/// Which decisions are recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Logged {
    Nothing,
    Denials,
    Everything,
}

/// Settings of an `ABACPermissionEvaluatorNode`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    /// Accepted for the nodes guide; decisions are found by their request id.
    name: String,
    /// Policies: objects with `id`, `effect`, `conditions`, `priority`. None: everything is denied.
    policies: Vec<Value>,
    /// How policies are combined: `deny_overrides` or `priority`.
    combining: Option<String>,
    /// In which zone times of day are meant.
    timezone: Option<String>,
    /// `false`: only denials are recorded.
    log_all_decisions: bool,
    /// `false`: nothing is recorded.
    enable_audit_logging: bool,
    /// `true` is not in this version.
    strict_mode: bool,
    /// Accepted for the nodes guide; decisions are not cached, so none is ever stale.
    enable_caching: bool,
    /// Accepted for the nodes guide; decisions are not cached.
    cache_ttl: Option<f64>,
    /// Accepted for the nodes guide; this version consults no model.
    enable_ai_reasoning: bool,
    /// Accepted for the nodes guide; this version consults no model.
    ai_model: Option<String>,
    /// Accepted for the nodes guide; the caller measures.
    target_response_time_ms: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "abac_evaluator".to_owned(),
            policies: Vec::new(),
            combining: None,
            timezone: None,
            log_all_decisions: true,
            enable_audit_logging: true,
            strict_mode: false,
            enable_caching: true,
            cache_ttl: None,
            enable_ai_reasoning: false,
            ai_model: None,
            target_response_time_ms: None,
        }
    }
}

/// What the node takes: one context, or many requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Attributes of user, resource, environment and action.
    #[serde(default)]
    context: Option<ContextAttributes>,
    /// Echoed in answer and record.
    #[serde(default)]
    request_id: Option<RequestId>,
    /// Whether each decision tells how every condition came out.
    #[serde(default)]
    trace_decision: bool,
    /// Many requests at once.
    #[serde(default)]
    requests: Option<Vec<Request>>,
}

/// One of many requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Request {
    context: ContextAttributes,
    #[serde(default)]
    request_id: Option<RequestId>,
}

/// What the node gives. The single fields are those of the first decision.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct Output {
    success: bool,
    timestamp: Timestamp,
    /// `allow` only if every request is allowed.
    decision: &'static str,
    allowed: bool,
    reason: String,
    /// Every decision, in the order of the requests.
    decisions: Vec<DecisionReport>,
}

/// One decision in the words of the nodes guide.
#[derive(Debug, JsonSchema, Serialize)]
struct DecisionReport {
    decision: &'static str,
    allowed: bool,
    /// 1 if decided conditions decided, 0.5 if a missing or mistyped attribute did.
    confidence: f64,
    reason: String,
    reason_code: &'static str,
    policy_id: Option<String>,
    applied_policies: Vec<String>,
    obligations: Vec<ringwall_types::Obligation>,
    request_id: Option<RequestId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Value>,
}

impl AbacPermissionEvaluatorNode {
    pub(super) fn new(host: Host, config: Config) -> Result<Self, String> {
        if config.strict_mode {
            return Err("`strict_mode` is not in this version; leave it out".to_owned());
        }
        let set = if config.policies.is_empty() {
            PolicySet::empty()
        } else {
            let mut document = json!({ "policies": config.policies });
            for (key, value) in [("combining", config.combining), ("timezone", config.timezone)] {
                if let (Some(value), Some(object)) = (value, document.as_object_mut()) {
                    object.insert(key.to_owned(), value.into());
                }
            }
            // JSON is YAML, so the one loader reads both.
            PolicySet::from_yaml(&document.to_string()).map_err(|errors| errors.to_string())?
        };
        let logged = match (config.enable_audit_logging, config.log_all_decisions) {
            (false, _) => Logged::Nothing,
            (true, false) => Logged::Denials,
            (true, true) => Logged::Everything,
        };
        Ok(Self { host, set, logged })
    }

    async fn record(&self, decided: &[(Context, DecisionReport)], now: Timestamp) -> Result<(), NodeError> {
        let to_log = decided.iter().filter(|(_, report)| match self.logged {
            Logged::Nothing => false,
            Logged::Denials => !report.allowed,
            Logged::Everything => true,
        });
        let bodies: Vec<_> = to_log.map(|(context, report)| self.event(context, report, now)).collect();
        if bodies.is_empty() {
            return Ok(());
        }
        let tenant = &self.host.caller.tenant;
        self.host.engine.record(tenant, bodies).await.map(drop).map_err(|error| failed(&error))
    }

    fn event(&self, context: &Context, report: &DecisionReport, now: Timestamp) -> RecordBody {
        let text = |attributes: &Attributes, name: &str| attributes.value(name)?.as_text().map(str::to_owned);
        let mut event = SecurityEvent::new(self.host.caller.tenant.clone(), now, EventKind::Other);
        event.name = "abac_decision".to_owned();
        event.principal = text(&context.user, "id").and_then(|id| PrincipalId::new(id).ok());
        event.resource = text(&context.resource, "id").and_then(|id| ResourceId::new(id).ok());
        let action = text(&context.action, "type").unwrap_or_default();
        for (name, value) in [
            ("decision", report.decision.to_owned()),
            ("reason", report.reason.clone()),
            ("action", action),
            ("policy_id", report.policy_id.clone().unwrap_or_default()),
            ("request_id", report.request_id.as_ref().map(ToString::to_string).unwrap_or_default()),
        ] {
            if !value.is_empty() {
                event.attributes.insert(name, value);
            }
        }
        RecordBody::Event(event)
    }
}

impl Node for AbacPermissionEvaluatorNode {
    const KIND: &'static str = "ABACPermissionEvaluatorNode";
    const DESCRIPTION: &'static str = "Decides by attributes and policies whether something may be done.";
    const EFFECT: Effect = Effect::Write;
    const OUTCOMES: &'static [Outcome] = &[Outcome::passing("allow"), Outcome::stopping("deny")];
    const RECORD_PORTS: &'static [&'static str] = &["decisions"];
    type Config = Config;
    type Input = Input;
    type Output = Output;

    async fn run(&self, _: &RunContext, input: Input) -> Result<Output, NodeError> {
        let is_batch = input.requests.is_some();
        let one = input.context.map(|context| Request { context, request_id: input.request_id });
        let requests: Vec<_> = one.into_iter().chain(input.requests.unwrap_or_default()).collect();
        if requests.is_empty() && !is_batch {
            return Err(NodeError::new("invalid_request", "give a `context`, or `requests` with one each"));
        }
        let now = self.host.now();
        let decide = |request: Request| {
            let context = Context::new(request.context, now);
            let traced = input.trace_decision.then(|| trace(&self.set, &context));
            let report = report(evaluate(&self.set, &context), request.request_id, traced);
            (context, report)
        };
        let decided: Vec<_> = requests.into_iter().map(decide).collect();
        self.record(&decided, now).await?;
        // Who asks nothing is granted nothing.
        let allowed = !decided.is_empty() && decided.iter().all(|(_, report)| report.allowed);
        let strictest = decided.iter().find(|(_, report)| report.allowed == allowed);
        Ok(Output {
            success: true,
            timestamp: now,
            decision: if allowed { "allow" } else { "deny" },
            allowed,
            reason: strictest
                .map_or_else(|| "nothing was asked".to_owned(), |(_, report)| report.reason.clone()),
            decisions: decided.into_iter().map(|(_, report)| report).collect(),
        })
    }

    fn outcome(&self, output: &Output) -> Option<&'static str> {
        Some(output.decision)
    }
}

fn report(answer: Answer, request_id: Option<RequestId>, traced: Option<Trace>) -> DecisionReport {
    let allowed = answer.effect == ringwall_authz::Effect::Allow;
    DecisionReport {
        decision: if allowed { "allow" } else { "deny" },
        allowed,
        confidence: if answer.undecided { 0.5 } else { 1.0 },
        reason: answer.reason,
        reason_code: answer.reason_code.as_str(),
        policy_id: answer.policy.map(|policy| policy.to_string()),
        applied_policies: answer.applied.iter().map(ToString::to_string).collect(),
        obligations: answer.obligations,
        request_id,
        trace: traced.and_then(|trace| serde_json::to_value(trace).ok()),
    }
}
