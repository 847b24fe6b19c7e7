//! The nodes of the guide, in workflows.

use std::collections::BTreeMap;

use ringwall::flow::{Cancel, NodeStatus, RunId, RunResult, RunStatus, Runtime, WorkflowBuilder};
use ringwall::{Config, catalogue};
use ringwall_testkit::{Fault, Shape};
use ringwall_types::{RecordBody, Timestamp};
use serde_json::{Value, json};

use crate::support::{Rig, allowed, denied};

/// The four events of the guide's first example, the first of them at `start`.
fn guides_events(start: Timestamp) -> Value {
    let at = |secs| start.saturating_add_secs(secs).to_string();
    let login = |secs| json!({ "type": "login", "user": "admin", "ip": "192.168.1.100", "failed": true, "timestamp": at(secs) });
    let file = json!({ "type": "file_access", "user": "admin", "file": "/etc/passwd", "timestamp": at(15) });
    json!([login(0), login(5), login(10), file])
}

fn guides_detector() -> Value {
    json!({
        "name": "threat_detector",
        "detection_rules": ["brute_force", "privilege_escalation", "data_exfiltration"],
        "ai_model": "ollama:llama3.2:3b",
        "response_actions": ["alert", "block_ip", "quarantine_user"],
        "real_time": true,
        "severity_threshold": "medium"
    })
}

/// The two policies of the guide's third example.
fn guides_policies() -> Value {
    json!([
        { "id": "admin_access", "name": "Admin Full Access", "effect": "allow", "priority": 100, "conditions": {
            "user.role": {"equals": "admin"},
            "resource.type": {"not_equals": "classified"},
            "environment.time": {"within_hours": [8, 18]} } },
        { "id": "data_scientist_access", "name": "Data Scientist Limited Access", "effect": "allow", "priority": 50,
          "conditions": {
            "user.department": {"equals": "data_science"},
            "resource.classification": {"in": ["public", "internal"]},
            "action.type": {"equals": "read"} } }
    ])
}

fn guides_context() -> Value {
    json!({
        "user_attributes": { "id": "user123", "role": "data_scientist", "department": "data_science",
            "clearance_level": 3, "groups": ["analytics", "research"] },
        "resource_attributes": { "id": "dataset456", "type": "dataset", "classification": "internal",
            "owner": "data_team", "sensitive": false },
        "environment_attributes": { "time": "14:30", "location": "office", "network": "corporate",
            "device_type": "laptop" },
        "action_attributes": { "type": "read", "method": "query", "scope": "limited" }
    })
}

/// Builds a workflow with `build` and runs it once.
async fn run(rig: &Rig, build: impl Fn(&mut WorkflowBuilder<'_>), inputs: &[(&str, Value)]) -> RunResult {
    let registry = catalogue(&rig.engine, &rig.caller).unwrap();
    let mut builder = WorkflowBuilder::new(&registry);
    build(&mut builder);
    let workflow = builder.build().unwrap();
    let inputs: BTreeMap<_, _> =
        inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let id = RunId::parse("run-1").unwrap();
    Runtime::default().execute(&workflow, inputs, id, &Cancel::new()).await.unwrap()
}

/// Runs one node by itself; what it gave, by port.
async fn run_one(rig: &Rig, kind: &str, config: Value, inputs: Value) -> Result<Value, (String, String)> {
    let inputs: Vec<_> = inputs
        .as_object()
        .unwrap()
        .iter()
        .map(|(port, value)| (format!("n.{port}"), value.clone()))
        .collect();
    let inputs: Vec<_> = inputs.iter().map(|(port, value)| (port.as_str(), value.clone())).collect();
    let build = |builder: &mut WorkflowBuilder<'_>| {
        builder.add_node(kind, "n", config.clone());
    };
    let result = run(rig, build, &inputs).await;
    let node = result.node("n").unwrap();
    match &node.status {
        NodeStatus::Succeeded { .. } | NodeStatus::Stopped { .. } => {
            Ok(serde_json::to_value(node).unwrap()["output"].clone())
        }
        NodeStatus::Failed { code, message } => Err((code.clone(), message.clone())),
        other => panic!("{other:?}"),
    }
}

async fn detect(rig: &Rig, config: Value, events: Value) -> Value {
    run_one(rig, "ThreatDetectionNode", config, json!({ "events": events })).await.unwrap()
}

/// Every mistake of a workflow of one node.
fn mistakes(rig: &Rig, kind: &str, config: Value) -> String {
    let registry = catalogue(&rig.engine, &rig.caller).unwrap();
    let mut builder = WorkflowBuilder::new(&registry);
    builder.add_node(kind, "n", config);
    builder.build().unwrap_err().to_string()
}

#[tokio::test]
async fn every_node_of_the_catalogue_runs_with_its_defaults() {
    let rig = Rig::new(Config::default()).await;
    let registry = catalogue(&rig.engine, &rig.caller).unwrap();
    for kind in ["ThreatDetectionNode", "ABACPermissionEvaluatorNode", "AuditLogNode", "SecurityEventNode"] {
        let mut builder = WorkflowBuilder::new(&registry);
        builder.add_node(kind, "n", Value::Null);
        assert!(builder.build().is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn the_guides_first_example_with_its_old_timestamps_blocks_nobody() {
    let rig = Rig::new(Config::default()).await;
    let output =
        detect(&rig, guides_detector(), guides_events("2024-01-01T10:00:00Z".parse().unwrap())).await;
    let threats = output["threats"].as_array().unwrap();
    assert_eq!(threats.len(), 1);
    let threat = &threats[0];
    assert_eq!((&threat["type"], &threat["user"]), (&json!("brute_force"), &json!("admin")));
    assert_eq!((&threat["source_ip"], &threat["severity"]), (&json!("192.168.1.100"), &json!("medium")));
    assert_eq!((&threat["confidence"], &threat["failed_attempts"]), (&json!(0.8), &json!(3)));
    assert_eq!(threat["window"], json!({ "start": "2024-01-01T10:00:00Z", "end": "2024-01-01T10:00:10Z" }));
    assert_eq!(output["threat_level"], "medium");
    let told: Vec<_> = output["responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|response| {
            (
                response["action"].as_str().unwrap(),
                response["status"].as_str().unwrap(),
                response["reason"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("alert", "done", None),
            ("block_ip", "skipped", Some("stale")),
            ("quarantine_user", "skipped", Some("stale")),
        ]
    );
    allowed(&rig.reads_from("192.168.1.100").await);
}

#[tokio::test]
async fn the_guides_first_example_at_the_time_of_its_events_binds_the_next_decision() {
    let rig = Rig::new(Config::default()).await;
    rig.clock.set("2024-01-01T10:00:15Z".parse().unwrap());
    let output = detect(&rig, guides_detector(), guides_events(rig.clock.after_secs(-15))).await;
    let statuses: Vec<_> =
        output["responses"].as_array().unwrap().iter().map(|response| response["status"].clone()).collect();
    assert_eq!(statuses, ["done", "done", "done"]);
    denied(&rig.reads_from("192.168.1.100").await, "address_blocked");
    rig.clock.advance_secs(900);
    allowed(&rig.reads_from("192.168.1.100").await);
}

#[tokio::test]
async fn two_runs_of_one_name_see_one_state() {
    let rig = Rig::new(Config::default()).await;
    let events = guides_events(rig.clock.after_secs(-15));
    let first = detect(&rig, guides_detector(), events.clone()).await;
    let second = detect(&rig, guides_detector(), events.clone()).await;
    assert_eq!(second["threats"].as_array().unwrap().len(), 1);
    let (before, after) = (&first["threats"][0], &second["threats"][0]);
    assert_eq!(before["id"], after["id"]);
    assert_eq!((&after["failed_attempts"], &after["severity"]), (&json!(6), &json!("high")));
    let mut other = guides_detector();
    other["name"] = json!("another");
    assert_eq!(detect(&rig, other, events).await["threats"][0]["failed_attempts"], 3);
}

#[tokio::test]
async fn four_and_four_failures_over_two_runs_are_found() {
    let rig = Rig::new(Config::default()).await;
    let login = |secs| {
        json!({ "type": "login", "user": "bob", "ip": "203.0.113.9", "failed": true,
        "timestamp": rig.clock.after_secs(secs).to_string() })
    };
    let two = |first| json!([login(first), login(first + 1)]);
    assert_eq!(detect(&rig, Value::Null, two(-10)).await["threat_level"], "none");
    assert_eq!(detect(&rig, Value::Null, two(-5)).await["threats"][0]["failed_attempts"], 4);
}

#[tokio::test]
async fn one_bad_event_does_not_abort_the_batch() {
    let rig = Rig::new(Config::default()).await;
    let mut events = guides_events(rig.clock.after_secs(-15));
    let events = events.as_array_mut().unwrap();
    events.insert(1, json!("no event"));
    events.insert(2, json!({ "type": "login", "timestamp": "yesterday" }));
    let output = detect(&rig, guides_detector(), json!(events)).await;
    let indexes: Vec<_> =
        output["errors"].as_array().unwrap().iter().map(|error| error["index"].clone()).collect();
    assert_eq!(indexes, [1, 2]);
    assert_eq!(output["threats"][0]["failed_attempts"], 3);
    assert_eq!(output["threats"][0]["evidence"], json!([0, 3, 4]));
}

#[tokio::test]
async fn without_real_time_responses_are_planned_only() {
    let rig = Rig::new(Config::default()).await;
    let mut config = guides_detector();
    config["real_time"] = json!(false);
    let output = detect(&rig, config, guides_events(rig.clock.after_secs(-15))).await;
    for response in output["responses"].as_array().unwrap() {
        assert_eq!((&response["status"], &response["reason"]), (&json!("simulated"), &json!("planned_only")));
    }
    assert_eq!(rig.count("response").await, 0);
    allowed(&rig.reads_from("192.168.1.100").await);
}

#[tokio::test]
async fn a_misspelt_rule_action_or_key_does_not_build_and_names_the_nearest() {
    let rig = Rig::new(Config::default()).await;
    for (kind, config, near) in [
        ("ThreatDetectionNode", json!({ "detection_rules": ["brute_forse"] }), "brute_force"),
        ("ThreatDetectionNode", json!({ "response_actions": ["block_pi"] }), "block_ip"),
        ("ThreatDetectionNode", json!({ "severity_treshold": "high" }), "severity_threshold"),
        ("ThreatDetectionNode", json!({ "severity_threshold": "hihg" }), "high"),
        ("ABACPermissionEvaluatorNode", json!({ "polices": [] }), "policies"),
        ("AuditLogNode", json!({ "log_levle": "detailed" }), "log_level"),
        ("SecurityEventNode", json!({ "alert_treshold": "HIGH" }), "alert_threshold"),
        ("AuditLogNod", json!({}), "AuditLogNode"),
    ] {
        let message = mistakes(&rig, kind, config);
        assert!(message.contains(near), "{message}");
    }
    let empty = mistakes(&rig, "ThreatDetectionNode", json!({ "detection_rules": [] }));
    assert!(!empty.is_empty());
    let condition = json!({ "policies": [{ "id": "p", "effect": "allow", "conditions": { "user.id": { "equls": 1 } } }] });
    let message = mistakes(&rig, "ABACPermissionEvaluatorNode", condition);
    assert!(message.contains("equals"), "{message}");
}

#[tokio::test]
async fn the_guides_third_example_allows_with_full_confidence() {
    let rig = Rig::new(Config::default()).await;
    let config = json!({ "policies": guides_policies() });
    let kind = "ABACPermissionEvaluatorNode";
    let input = json!({ "context": guides_context(), "request_id": "req_12345", "trace_decision": true });
    let output = run_one(&rig, kind, config.clone(), input).await.unwrap();
    let decision = &output["decisions"][0];
    assert_eq!((&output["decision"], &decision["confidence"]), (&json!("allow"), &json!(1.0)));
    assert_eq!(decision["policy_id"], "data_scientist_access");
    assert_eq!(decision["request_id"], "req_12345");
    assert!(decision["trace"].to_string().contains("admin_access"));
    let RecordBody::Event(event) = rig.records().await.pop().unwrap().body else { panic!() };
    assert_eq!(event.attributes.value("request_id").unwrap().as_text(), Some("req_12345"));

    let mut late = guides_context();
    late["user_attributes"] = json!({ "id": "user123", "role": "admin" });
    late["environment_attributes"]["time"] = json!("18:30");
    let output = run_one(&rig, kind, config, json!({ "context": late })).await.unwrap();
    assert_eq!((&output["decision"], &output["allowed"]), (&json!("deny"), &json!(false)));
}

#[tokio::test]
async fn a_deny_that_cannot_be_decided_denies_with_half_confidence() {
    let rig = Rig::new(Config::default()).await;
    let config = json!({ "policies": [
        { "id": "all", "effect": "allow", "match_all": true },
        { "id": "no-contractors", "effect": "deny", "conditions": { "user.contractor": { "equals": true } } }
    ] });
    let output =
        run_one(&rig, "ABACPermissionEvaluatorNode", config, json!({ "context": guides_context() })).await;
    let decision = &output.unwrap()["decisions"][0];
    assert_eq!((&decision["decision"], &decision["confidence"]), (&json!("deny"), &json!(0.5)));
    assert_eq!(decision["reason_code"], "deny_undecided");
}

#[tokio::test]
async fn a_denial_stops_what_depends_on_it_and_its_record_still_flows() {
    let rig = Rig::new(Config::default()).await;
    for (policies, stops) in [(json!([]), true), (guides_policies(), false)] {
        let build = |builder: &mut WorkflowBuilder<'_>| {
            builder.add_node("ABACPermissionEvaluatorNode", "gate", json!({ "policies": policies }));
            builder.add_node("AuditLogNode", "audit", Value::Null);
            builder.add_node("AuditLogNode", "work", Value::Null);
            builder.connect("gate.decisions", "audit.access_decisions");
            builder.connect("gate.reason", "work.message");
        };
        let result = run(&rig, build, &[("gate.context", guides_context())]).await;
        assert_eq!(result.node("audit").unwrap().value("logged"), Some(&json!(true)));
        let work = &result.node("work").unwrap().status;
        assert_eq!(matches!(work, NodeStatus::Blocked { by } if by.as_str() == "gate"), stops, "{work:?}");
        assert_eq!(result.status, if stops { RunStatus::Stopped } else { RunStatus::Succeeded });
    }
}

#[tokio::test]
async fn the_guides_workflow_records_what_its_detector_found() {
    let rig = Rig::new(Config::default()).await;
    let build = |builder: &mut WorkflowBuilder<'_>| {
        let detector = json!({ "detection_rules": ["brute_force", "privilege_escalation"],
            "ai_model": "ollama:llama3.2:3b", "real_time": true });
        let audit =
            json!({ "log_level": "detailed", "retention_days": 365, "enable_real_time_alerts": true });
        builder.add_node("ThreatDetectionNode", "threat_detector", detector);
        builder.add_node("ABACPermissionEvaluatorNode", "abac_evaluator", Value::Null);
        builder.add_node("AuditLogNode", "audit_logger", audit);
        builder.input("security_events", "threat_detector.events");
        builder.input("permission_requests", "abac_evaluator.requests");
        let wire = [
            ("threat_detector", "threats", "security_events"),
            ("abac_evaluator", "decisions", "access_decisions"),
        ];
        for (from, output, input) in wire {
            let (output, input) = (format!("{from}.{output}"), format!("audit_logger.{input}"));
            builder.add_connection(from, "audit_logger", &output, &input);
        }
    };
    let events = guides_events(rig.clock.after_secs(-15));
    let requests = json!([{ "context": guides_context() }]);
    let inputs = [("security_events", events), ("permission_requests", requests)];
    let result = run(&rig, build, &inputs).await;
    let audit = result.node("audit_logger").unwrap();
    assert_eq!((audit.value("logged"), audit.value("count")), (Some(&json!(true)), Some(&json!(2))));
    let first = audit.value("first_index").unwrap().as_u64().unwrap();
    let recorded = rig.records().await;
    let RecordBody::Event(event) = &recorded[usize::try_from(first).unwrap()].body else { panic!() };
    assert_eq!(event.attributes.value("type").unwrap().as_text(), Some("brute_force"));
}

#[tokio::test]
async fn what_a_node_cannot_record_it_does_not_claim_to_have_logged() {
    let rig = Rig::new(Config::default()).await;
    let event = json!({ "event_type": "export", "severity": "high", "message": "m" });
    let inputs = [
        ("AuditLogNode", json!({ "message": "hello" })),
        ("SecurityEventNode", event),
        ("ABACPermissionEvaluatorNode", json!({ "context": guides_context() })),
        ("ThreatDetectionNode", json!({ "events": guides_events(rig.clock.after_secs(-15)) })),
    ];
    for (kind, input) in inputs {
        rig.switch.every(Shape::Append, Fault::full());
        let (code, _) = run_one(&rig, kind, Value::Null, input).await.unwrap_err();
        assert_eq!(code, "disk_full", "{kind}");
        rig.switch.heal();
    }
}

#[tokio::test]
async fn a_security_event_is_durable_and_alerts_from_its_threshold_on() {
    let rig = Rig::new(Config::default()).await;
    for (severity, alerts) in [("medium", false), ("HIGH", true), ("critical", true)] {
        let size = *rig.stores.log.size().borrow();
        let input = json!({ "event_type": "export", "severity": severity, "message": "all of it",
            "user_id": "ann", "metadata": { "rows": 5, "share": 0.5 } });
        let config = json!({ "alert_threshold": "HIGH" });
        let output = run_one(&rig, "SecurityEventNode", config, input).await.unwrap();
        assert_eq!((&output["logged"], &output["alert_triggered"]), (&json!(true), &json!(alerts)));
        assert_eq!(output["security_event"]["index"], size);
        let RecordBody::Event(event) = rig.records().await.pop().unwrap().body else { panic!() };
        assert_eq!(event.attributes.value("share").unwrap().as_text(), Some("0.5"));
    }
    let input = json!({ "event_type": "export", "severity": "severe", "message": "m" });
    assert!(run_one(&rig, "SecurityEventNode", Value::Null, input).await.is_err());
}

#[tokio::test]
async fn nothing_given_is_nothing_logged() {
    let rig = Rig::new(Config::default()).await;
    let size = *rig.stores.log.size().borrow();
    let output = run_one(&rig, "AuditLogNode", Value::Null, json!({})).await.unwrap();
    assert_eq!((&output["logged"], &output["count"]), (&json!(false), &json!(0)));
    assert_eq!(*rig.stores.log.size().borrow(), size);
}
