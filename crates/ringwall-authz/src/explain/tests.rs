use serde_json::json;

use super::*;
use crate::tests::{context, set};

#[test]
fn a_trace_names_every_condition_even_behind_a_false_one() {
    let set = set("
policies:
  - id: a
    effect: allow
    conditions:
      user.role: {equals: admin}
      user.level: {greater_than: 2}
      user.tags: {intersects: [x]}
      user.seen: {within_days: 1}
      environment.time: {within_hours: [8, 18]}
      user.plan: {equals: pro, default: pro}
  - {id: b, effect: deny, conditions: {user.gone: {equals: 1}}}
");
    let request = r#"{"user": {"role": "clerk", "level": "3", "seen": "2030-01-01T00:00:00Z"}}"#;
    let noon = "2024-01-31T12:00:00Z";
    let condition = |attribute: &str, operator: &str, expected, actual, result| json!({"attribute": attribute, "operator": operator, "expected": expected, "actual": actual, "result": result});
    let expected = json!({"policies": [
        {"policy": "b", "effect": "deny", "matched": "undecided", "conditions": [
            condition("user.gone", "equals", json!(1), json!(null), json!("missing")),
        ]},
        {"policy": "a", "effect": "allow", "matched": false, "conditions": [
            condition("user.role", "equals", json!("admin"), json!("clerk"), json!(false)),
            condition("user.level", "greater_than", json!(2), json!("3"), json!("type_error")),
            condition("user.tags", "intersects", json!(["x"]), json!(null), json!("missing")),
            condition("user.seen", "within_days", json!(1), json!("2030-01-01T00:00:00Z"), json!("error")),
            condition("environment.time", "within_hours", json!(["08:00", "18:00"]), json!(noon), json!(true)),
            condition("user.plan", "equals", json!("pro"), json!("pro"), json!(true)),
        ]},
    ]});
    assert_eq!(serde_json::to_value(trace(&set, &context(request))).unwrap(), expected);
}

#[test]
fn a_policy_without_conditions_matches() {
    let set = set("policies: [{id: a, effect: deny}]");
    assert_eq!(trace(&set, &context("{}")).policies[0].matched, Matched::Yes);
}
