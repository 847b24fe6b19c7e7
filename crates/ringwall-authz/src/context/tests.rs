use serde_json::json;

use super::*;
use crate::tests::{NOON, at, context};

fn request(json: serde_json::Value) -> AccessRequest {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_typed_request_gives_every_field_its_attribute() {
    let request = request(json!({
        "principal": {"id": "ann", "tenant": "acme", "kind": "service", "roles": ["ops"], "groups": ["g"],
            "clearance": "internal", "attributes": {"team": "x"},
            "assurance": {"factors": [{"factor": "totp", "at": "2024-01-31T11:59:00Z"}]}},
        "action": "dataset:read",
        "resource": {"id": "d1", "kind": "dataset", "tenant": "acme", "owner": "bob", "sensitivity": "public",
            "state": "draft", "attributes": {"rows": 5}},
        "environment": {"time": "2024-01-31T10:00:00Z", "source_ip": "::ffff:10.0.0.1", "zone": "office",
            "geo": {"country": "DE"}, "device": "laptop-7", "attributes": {"vpn": true}},
        "parameters": {"limit": 3}
    }));
    let context = Context::from_request(&request, at(NOON));
    let shown = |attributes: &Attributes| serde_json::to_value(attributes).unwrap();
    assert_eq!(
        shown(&context.user),
        json!({"id": "ann", "tenant": "acme", "kind": "service", "roles": ["ops"], "groups": ["g"],
            "clearance": "internal", "authenticated_secs_ago": 60, "team": "x"})
    );
    assert_eq!(
        shown(&context.resource),
        json!({"id": "d1", "kind": "dataset", "type": "dataset", "tenant": "acme", "owner": "bob",
            "sensitivity": "public", "state": "draft", "rows": 5})
    );
    assert_eq!(
        shown(&context.environment),
        json!({"time": "2024-01-31T10:00:00Z", "source_ip": "10.0.0.1", "zone": "office",
            "geo": {"country": "DE"}, "device": "laptop-7", "vpn": true})
    );
    assert_eq!(
        shown(&context.action),
        json!({"id": "dataset:read", "area": "dataset", "type": "read", "verb": "read", "parameters": {"limit": 3}})
    );
}

#[test]
fn what_a_request_leaves_open_is_missing() {
    let request = request(json!({
        "principal": {"id": "ann"}, "action": "dataset:read", "resource": {"id": "d1"}
    }));
    let context = Context::from_request(&request, at(NOON));
    for path in [
        "user.tenant",
        "user.authenticated_secs_ago",
        "resource.kind",
        "resource.type",
        "resource.owner",
        "resource.sensitivity",
        "resource.state",
        "environment.time",
        "environment.zone",
        "environment.geo.country",
    ] {
        assert_eq!(context.find(&path.parse().unwrap()), Found::Missing, "{path}");
    }
}

#[test]
fn a_free_attribute_never_passes_for_a_vouched_field() {
    let forged = json!({"id": "root", "tenant": "acme", "roles": ["admin"], "clearance": "top_secret",
        "authenticated_secs_ago": 1});
    let request = request(json!({
        "principal": {"id": "ann", "attributes": forged},
        "action": "dataset:read",
        "resource": {"id": "d1", "kind": "dataset", "attributes": {"owner": "ann", "type": "report"}},
        "environment": {"attributes": {"source_ip": "10.0.0.1", "time": "12:00"}}
    }));
    let context = Context::from_request(&request, at(NOON));
    let find = |path: &str| context.find(&path.parse().unwrap());
    assert_eq!(find("user.id"), Found::Value(&Value::from("ann")));
    assert_eq!(find("user.clearance"), Found::Value(&Value::from("public")));
    assert_eq!(find("user.roles"), Found::Value(&Value::List(Vec::new())));
    for path in [
        "user.tenant",
        "user.authenticated_secs_ago",
        "resource.owner",
        "environment.source_ip",
        "environment.time",
    ] {
        assert_eq!(find(path), Found::Missing, "{path}");
    }
    // `type` is the guide's word for the kind; a free attribute speaks only where the kind is not given.
    assert_eq!(find("resource.type"), Found::Value(&Value::from("dataset")));
}

#[test]
fn long_and_short_names_are_the_same_and_others_are_refused() {
    let long = context(r#"{"user_attributes": {"a": 1}, "action_attributes": {"type": "read"}}"#);
    assert_eq!(context(r#"{"user": {"a": 1}, "action": {"type": "read"}}"#), long);
    for wrong in [r#"{"users": {}}"#, r#"{"user": {}, "user_attributes": {}}"#, r#"{"user": []}"#] {
        assert!(serde_json::from_str::<ContextAttributes>(wrong).is_err(), "{wrong}");
    }
}
