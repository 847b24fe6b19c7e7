//! The monitoring pipeline of the nodes guide, with stand-ins for its nodes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::testing::executed;
use crate::{
    Effect, Node, NodeError, NodeKind, NodeStatus, Outcome, Registry, RunContext, RunStatus, SkipReason,
    Workflow, WorkflowBuilder,
};

#[derive(Deserialize, Serialize, JsonSchema)]
struct Note {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct AnyConfig {}

macro_rules! stand_in {
    ($node:ident, outcomes: $outcomes:expr, records: $records:expr,
     takes { $($input:ident: $taken:ty),* }, gives { $output:ident } from |$in:ident| $body:expr) => {
        mod $output {
            use super::*;

            pub(super) struct $node;

            #[derive(Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub(super) struct Input { $(pub(super) $input: $taken),* }

            #[derive(Serialize, JsonSchema)]
            pub(super) struct Output { $output: Vec<Note> }

            impl Node for $node {
                const KIND: &'static str = stringify!($node);
                const DESCRIPTION: &'static str = "Stands in";
                const EFFECT: Effect = Effect::Read;
                const OUTCOMES: &'static [Outcome] = $outcomes;
                const RECORD_PORTS: &'static [&'static str] = $records;
                type Config = AnyConfig;
                type Input = Input;
                type Output = Output;

                async fn run(&self, _: &RunContext, $in: Input) -> Result<Output, NodeError> {
                    Ok(Output { $output: $body })
                }

                fn outcome(&self, output: &Output) -> Option<&'static str> {
                    let answer = Self::OUTCOMES.iter().find(|outcome| outcome.stops() != output.$output.is_empty());
                    answer.map(Outcome::name)
                }
            }
        }
        use $output::$node;
    };
}

const GATE: &[Outcome] = &[Outcome::passing("allow"), Outcome::stopping("deny")];

stand_in!(BehaviorAnalysisNode, outcomes: &[], records: &["anomalies"],
    takes { activities: Vec<Note> }, gives { anomalies } from |input| input.activities);
stand_in!(ThreatDetectionNode, outcomes: GATE, records: &["threats"],
takes { events: Vec<Note>, behavioral_indicators: Option<Vec<Note>> },
gives { threats } from |input| {
    input.events.into_iter().chain(input.behavioral_indicators.into_iter().flatten()).collect()
});
stand_in!(ABACPermissionEvaluatorNode, outcomes: GATE, records: &["decisions"],
    takes { requests: Vec<Note> }, gives { decisions } from |input| input.requests);
stand_in!(MultiFactorAuthNode, outcomes: GATE, records: &[],
    takes { code: String }, gives { proof } from |input| vec![Note { text: input.code }]);
stand_in!(AuditLogNode, outcomes: &[], records: &[],
takes { security_events: Option<Vec<Note>>, access_decisions: Option<Vec<Note>> },
gives { records } from |input| {
    input.security_events.into_iter().chain(input.access_decisions).flatten().collect()
});

fn pipeline(connections: [[&str; 4]; 3]) -> Workflow {
    let mut registry = Registry::new();
    let kinds = [
        NodeKind::of::<BehaviorAnalysisNode>(|_| Ok(BehaviorAnalysisNode)),
        NodeKind::of::<ThreatDetectionNode>(|_| Ok(ThreatDetectionNode)),
        NodeKind::of::<ABACPermissionEvaluatorNode>(|_| Ok(ABACPermissionEvaluatorNode)),
        NodeKind::of::<MultiFactorAuthNode>(|_| Ok(MultiFactorAuthNode)),
        NodeKind::of::<AuditLogNode>(|_| Ok(AuditLogNode)),
    ];
    kinds.into_iter().for_each(|kind| registry.register(kind).unwrap());
    let mut builder = WorkflowBuilder::new(&registry);
    builder.add_node("ThreatDetectionNode", "threat_detector", json!({ "real_time": true }));
    builder.add_node("ABACPermissionEvaluatorNode", "abac_evaluator", Value::Null);
    builder.add_node("MultiFactorAuthNode", "mfa_verifier", Value::Null);
    builder.add_node("BehaviorAnalysisNode", "behavior_analyzer", Value::Null);
    builder.add_node("AuditLogNode", "audit_logger", Value::Null);
    for [a, b, c, d] in connections {
        builder.add_connection(a, b, c, d);
    }
    builder.input("security_events", "threat_detector.events");
    builder.input("permission_requests", "abac_evaluator.requests");
    builder.input("user_activities", "behavior_analyzer.activities");
    builder.build().unwrap()
}

#[tokio::test]
async fn the_monitoring_pipeline_of_the_guide_records_denials_in_both_orders() {
    let guide = [
        ["threat_detector", "audit_logger", "threat_detector.threats", "audit_logger.security_events"],
        ["abac_evaluator", "audit_logger", "abac_evaluator.decisions", "audit_logger.access_decisions"],
        [
            "behavior_analyzer",
            "threat_detector",
            "behavior_analyzer.anomalies",
            "threat_detector.behavioral_indicators",
        ],
    ];
    let other = [
        ["threat_detector", "threats", "audit_logger", "security_events"],
        ["abac_evaluator", "decisions", "audit_logger", "access_decisions"],
        ["behavior_analyzer", "anomalies", "threat_detector", "behavioral_indicators"],
    ];
    for connections in [guide, other] {
        let inputs = json!({
            "security_events": [{ "text": "event" }],
            "permission_requests": [],
            "user_activities": [{ "text": "odd hour" }],
        });
        let result = executed(&pipeline(connections), inputs).await.unwrap();
        let stopped = NodeStatus::Stopped { outcome: "deny".to_owned() };
        assert_eq!(result.node("threat_detector").unwrap().status, stopped);
        let skipped = NodeStatus::Skipped { reason: SkipReason::NoInput };
        assert_eq!(result.node("mfa_verifier").unwrap().status, skipped);
        let recorded = json!([{ "text": "event" }, { "text": "odd hour" }]);
        assert_eq!(result.node("audit_logger").unwrap().value("records"), Some(&recorded));
        assert_eq!(result.status, RunStatus::Stopped);
    }
}
