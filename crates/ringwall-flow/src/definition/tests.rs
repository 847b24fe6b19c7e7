use proptest::prelude::*;
use serde_json::json;

use super::WorkflowDefinition;
use crate::limits::DOCUMENT_BYTES_MAX;

const YAML: &str = r#"
name: pipeline
description: adds things up
nodes:
  second: { kind: Number, config: { value: 2 } }
  first:
    kind: Number
    config: { value: 1, tags: [a, null, true, 1.5, "007"] }
    deadline_ms: 500
  added: { kind: Add }
connections:
  - { from: first.value, to: added.left }
inputs:
  extra: added.right
danger_continue_on_deny: true
"#;

#[track_caller]
fn check_refused(text: &str, line: Option<u64>, reason: &str) {
    let error = WorkflowDefinition::from_yaml(text).unwrap_err();
    assert!(error.to_string().contains(reason), "{error}");
    assert_eq!(error.line(), line, "{error}");
}

#[track_caller]
fn check_refused_json(text: &str, reason: &str) {
    let error = WorkflowDefinition::from_json(text).unwrap_err();
    assert!(error.to_string().contains(reason), "{error}");
    assert!(error.line().is_some() && error.column().is_some());
}

#[test]
fn a_definition_keeps_what_was_written_in_the_order_it_was_written() {
    let definition = WorkflowDefinition::from_yaml(YAML).unwrap();
    let ids: Vec<&str> = definition.nodes.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["second", "first", "added"]);
    assert_eq!(definition.nodes[1].1.config["tags"], json!(["a", null, true, 1.5, "007"]));
    assert_eq!(definition.nodes[1].1.deadline_ms, Some(500));
    assert_eq!(definition.nodes[2].1.config, json!({}));
    assert_eq!(definition.inputs, [("extra".to_owned(), "added.right".to_owned())]);
    assert!(definition.danger_continue_on_deny);
}

#[test]
fn yaml_and_json_say_the_same() {
    let definition = WorkflowDefinition::from_yaml(YAML).unwrap();
    let json = serde_json::to_string(&definition).unwrap();
    assert_eq!(WorkflowDefinition::from_json(&json).unwrap(), definition);
    assert_eq!(WorkflowDefinition::from_yaml(&json).unwrap(), definition);
}

#[test]
fn nothing_is_said_twice() {
    check_refused("name: a\nnodes:\n  x: { kind: A }\n  x: { kind: B }\n", Some(4), "duplicate");
    check_refused("name: a\nname: b\nnodes: {}\n", Some(2), "duplicate");
    check_refused(
        "name: a\nnodes:\n  x:\n    kind: A\n    config:\n      k: 1\n      k: 2\n",
        Some(7),
        "duplicate",
    );
    check_refused_json(r#"{"name":"a","nodes":{"x":{"kind":"A"},"x":{"kind":"B"}}}"#, "key `x` comes twice");
    check_refused_json(
        r#"{"name":"a","nodes":{"x":{"kind":"A","config":{"k":1,"k":2}}}}"#,
        "key `k` comes twice",
    );
    check_refused_json(r#"{"name":"a","nodes":{},"inputs":{"i":"a.b","i":"c.d"}}"#, "key `i` comes twice");
    check_refused_json(r#"{"name":"a","name":"b","nodes":{}}"#, "duplicate field");
}

#[test]
fn nothing_unknown_is_passed_over() {
    check_refused("name: a\nnodes: {}\nconections: []\n", Some(3), "conections");
    check_refused("name: a\nnodes:\n  x: { kind: A, conf: {} }\n", Some(3), "conf");
    check_refused("name: a\nnodes: {}\nconnections:\n  - { from: a.b, to: c.d, via: e }\n", Some(4), "via");
    check_refused("name: a\nnodes:\n  x: { kind: A, config: !secret b }\n", Some(3), "tag");
    check_refused("name: a\nnodes: {}\n---\nname: b\nnodes: {}\n", Some(3), "");
}

#[test]
fn a_definition_says_its_name_and_its_nodes() {
    check_refused("name: a\n", Some(1), "nodes");
    check_refused("nodes: {}\n", Some(1), "name");
    check_refused("", Some(1), "");
    check_refused_json("{}", "missing field `name`");
}

#[test]
fn merge_keys_are_refused_and_small_aliases_are_not() {
    let aliased = "name: a\nnodes:\n  x: { kind: A, config: &c { k: 1 } }\n  y: { kind: A, config: *c }\n";
    let definition = WorkflowDefinition::from_yaml(aliased).unwrap();
    assert_eq!(definition.nodes[1].1.config, json!({ "k": 1 }));
    let merged = aliased.replace("config: *c", "config: { <<: *c }");
    assert!(WorkflowDefinition::from_yaml(&merged).is_err());
}

#[test]
fn a_document_that_grows_by_its_aliases_is_refused() {
    let mut text =
        "name: a\nnodes:\n  x:\n    kind: A\n    config:\n      a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            .to_owned();
    for level in 1..10 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("      a{level}: &a{level} [{below}]\n"));
    }
    assert!(WorkflowDefinition::from_yaml(&text).is_err());
}

#[test]
fn a_document_that_is_too_deep_is_an_error_and_no_crash() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!(
            "name: a\nnodes:\n  x: {{ kind: A, config: {}1{} }}\n",
            open.repeat(10_000),
            close.repeat(10_000)
        );
        assert!(WorkflowDefinition::from_yaml(&deep).is_err());
    }
    let block: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(WorkflowDefinition::from_yaml(&block).is_err());
    assert!(WorkflowDefinition::from_yaml(&"- ".repeat(10_000)).is_err());
    let deep = format!(
        r#"{{"name":"a","nodes":{{"x":{{"kind":"A","config":{}1{}}}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    check_refused_json(&deep, "recursion limit exceeded");
}

#[test]
fn a_document_that_is_too_large_is_refused_before_it_is_read() {
    let large = format!("name: a\nnodes: {{}}\n#{}", "x".repeat(DOCUMENT_BYTES_MAX));
    check_refused(&large, None, "larger than 1048576 bytes");
}

#[test]
fn an_error_does_not_repeat_a_configuration() {
    let text =
        "name: a\nnodes:\n  x:\n    kind: A\n    config: { password: hunter2 }\n    deadline_ms: soon\n";
    let error = WorkflowDefinition::from_yaml(text).unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_value_in_the_wrong_place_is_not_repeated() {
    let check = |text: &str, expected: &str| {
        let yaml = WorkflowDefinition::from_yaml(text).unwrap_err().to_string();
        let json = WorkflowDefinition::from_json(text).unwrap_err().to_string();
        assert!(json.ends_with(expected), "{json}");
        assert!(!json.contains("hunter2") && !yaml.contains("hunter2"), "{json} {yaml}");
    };
    check(r#"{ "name": "a", "nodes": { "x": "hunter2" } }"#, "expected a node: a map with `kind`");
    check(r#"{ "name": "a", "nodes": "hunter2, expected b" }"#, "expected a map");
    check(r#"{ "name": "a", "nodes": { "x": { "kind": "A", "deadline_ms": "hunter2" } } }"#, "expected u64");
}

#[test]
fn the_schema_of_a_definition_describes_nodes_as_a_map() {
    let schema = schemars::schema_for!(WorkflowDefinition).to_value();
    assert_eq!(schema["properties"]["nodes"]["type"], json!("object"));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(schema["required"], json!(["name", "nodes"]));
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "[a-z\\[\\]{}:,&*!|>#\"'\\-? \n\t0-9.~%@`]{0,200}") {
        let _ = WorkflowDefinition::from_yaml(&text);
        let _ = WorkflowDefinition::from_json(&text);
    }

    #[test]
    fn no_unicode_makes_the_readers_panic(text in any::<String>()) {
        let _ = WorkflowDefinition::from_yaml(&text);
        let _ = WorkflowDefinition::from_json(&text);
    }

    #[test]
    fn no_mutation_of_a_good_document_makes_the_readers_panic(
        changes in proptest::collection::vec((0..YAML.len(), any::<char>(), 0..4_usize), 1..8),
    ) {
        let mut characters: Vec<char> = YAML.chars().collect();
        for (place, character, removed) in changes {
            let place = place.min(characters.len());
            let end = (place + removed).min(characters.len());
            characters.splice(place..end, [character]);
        }
        let text: String = characters.into_iter().collect();
        let _ = WorkflowDefinition::from_yaml(&text);
        let _ = WorkflowDefinition::from_json(&text);
    }
}
