//! Walls between tenants: what one tenant's key can never reach, and which scope opens which door.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::print_stderr, clippy::string_slice, reason = "a test tells its seed and what it skipped")]

mod support;

use serde_json::{Value, json};
use support::{
    Client, Home, READERS, SCOPES, Server, fresh, guide_events, make_key, read_from, read_request,
};

/// What an administrator of a tenant has who must not reach another tenant.
const OWN: [&str; 6] = ["decide", "ingest", "read", "manage_policies", "respond", "manage_keys"];
/// A word that stands in everything of tenant `a`.
const WORD: &str = "chrysanthemum";

struct Two {
    server: Server,
    admin: Client,
    a: Client,
    b: Client,
}

/// Tenants `a` and `b`; everything that `a` can have, it has, and it is full of [`WORD`].
fn two(home: &Home) -> Two {
    let (server, admin) = fresh(home, &[]);
    let a = server.with_key(&make_key(&admin, "a", &OWN));
    let b = server.with_key(&make_key(&admin, "b", &OWN));
    a.put_policies(&READERS.replace("id: readers", &format!("id: {WORD}")));
    b.put_policies(READERS);
    let report = a.events(&guide_events(WORD, "203.0.113.9"));
    assert_eq!((report.number_at("/accepted"), &report.json()["detected"]), (4, &json!(true)));
    Two { server, admin, a, b }
}

fn first(client: &Client, path: &str, list: &str) -> String {
    client.get(path).text_at(&format!("/{list}/0/id"))
}

/// Everything that `b` can ask about what is `a`'s, none of which may be told.
#[test]
fn nothing_of_a_tenant_is_told_to_another() {
    let home = Home::new();
    let Two { a, b, server: _server, .. } = two(&home);
    let mut request = read_request();
    request["principal"]["id"] = json!(WORD);
    request["idempotency_key"] = json!("k1");
    let mine = a.decide(&request).json();
    assert_eq!(mine["decision"], "allow");
    let size: u64 = a.get("/v1/log/checkpoint").text().lines().nth(1).unwrap().parse().unwrap();

    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let hidden = [
        format!("/v1/decisions/{}", id(&mine["decision_id"])),
        format!("/v1/threats/{}", first(&a, "/v1/threats", "threats")),
        format!("/v1/log/proof/{}", mine["log_index"]),
    ];
    for path in &hidden {
        assert_eq!(a.get(path).status, 200, "{path}");
        b.get(path).error(404, "not_found");
    }
    let response = first(&a, "/v1/responses", "responses");
    b.post(&format!("/v1/responses/{response}/undo"), &json!({})).error(404, "not_found");
    let key = first(&a, "/v1/keys", "keys");
    b.delete(&format!("/v1/keys/{key}")).error(404, "not_found");

    let mut own = 0;
    for index in 0..size {
        let reply = b.get(&format!("/v1/log/proof/{index}"));
        assert!(!reply.text().contains(WORD), "{index}");
        own += u64::from(reply.status == 200);
    }
    assert!(own >= 1 && own < size, "{own} of {size}");
    let from_start = format!("/v1/threats?after=&limit={}", 1000);
    let paths = ["/v1/threats", "/v1/responses", "/v1/policies", "/v1/keys", "/metrics", &from_start];
    for path in paths.into_iter().chain(hidden.iter().map(String::as_str)) {
        let reply = b.get(path);
        assert!(!reply.text().contains(WORD), "{path}: {reply:?}");
    }
    assert_eq!(b.get("/v1/threats").json(), json!({ "threats": [] }));
    assert_eq!(b.get("/v1/responses").json(), json!({ "responses": [] }));
    // What was tried changed nothing.
    assert_eq!(a.get("/v1/keys").status, 200);
    assert_eq!(first(&a, "/v1/responses", "responses"), response);
}

#[test]
fn a_block_in_one_tenant_does_not_bind_in_another() {
    let home = Home::new();
    let Two { a, b, admin, server: _server } = two(&home);
    admin.put_policies(READERS);
    let request = read_from("203.0.113.9");
    let decisions = [&a, &b, &admin].map(|client| client.decide(&request).text_at("/decision"));
    assert_eq!(decisions, ["deny", "allow", "allow"]);
}

#[test]
fn a_request_about_another_tenant_is_denied_and_recorded_at_home() {
    let home = Home::new();
    let Two { a, b, server: _server, .. } = two(&home);
    for place in ["principal", "resource"] {
        let mut request = read_request();
        request[place]["tenant"] = json!("a");
        let denied = b.decide(&request);
        assert_eq!((denied.status, denied.text_at("/decision")), (200, "deny".to_owned()));
        assert_eq!(denied.text_at("/reasons/0/code"), "tenant_mismatch");
        assert_eq!((denied.text_at("/tenant"), denied.number_at("/risk")), ("b".to_owned(), 1000));
        let path = format!("/v1/decisions/{}", denied.text_at("/decision_id"));
        assert_eq!((a.get(&path).status, b.get(&path).status), (404, 200));
        request[place]["tenant"] = json!("b");
        assert_eq!(b.decide(&request).text_at("/decision"), "allow");
    }
    let mut both = read_request();
    both["principal"]["tenant"] = json!("a");
    both["resource"]["tenant"] = json!("a");
    assert_eq!(b.decide(&both).text_at("/reasons/0/code"), "tenant_mismatch");
    let mut system = read_request();
    system["resource"]["tenant"] = json!("_system");
    assert_eq!(b.decide(&system).text_at("/reasons/0/code"), "tenant_mismatch");
}

#[test]
fn equal_idempotency_keys_of_two_tenants_are_two() {
    let home = Home::new();
    let Two { a, b, server: _server, .. } = two(&home);
    let mut request = read_request();
    request["idempotency_key"] = json!("shared");
    let at_a = a.decide(&request).json();
    request["principal"]["id"] = json!("bob");
    let at_b = b.decide(&request);
    assert_eq!(at_b.status, 200, "{at_b:?}");
    assert_ne!(at_b.json()["decision_id"], at_a["decision_id"]);
}

#[test]
fn an_event_that_names_another_tenant_is_rejected() {
    let home = Home::new();
    let Two { a, b, server: _server, .. } = two(&home);
    let before = a.get("/v1/threats").json();
    let worded = |tenant: &str| {
        json!({ "type": "login", "tenant": tenant, "user": "u", "ip": "203.0.113.9", "failed": true })
            .to_string()
    };
    let typed = |tenant: &str| {
        let time = support::moment(-1);
        json!({ "kind": "authentication", "tenant": tenant, "time": time, "outcome": "failure" }).to_string()
    };
    let report =
        b.events(&[worded("a"), worded("b"), typed("a"), typed("b"), worded("_system")].join("\n")).json();
    let statuses: Vec<_> = report["lines"].as_array().unwrap().iter().map(|line| &line["status"]).collect();
    assert_eq!(statuses, ["rejected", "accepted", "rejected", "accepted", "rejected"], "{report}");
    assert_eq!(a.get("/v1/threats").json(), before);
}

#[test]
fn a_key_makes_no_key_that_could_do_more() {
    let home = Home::new();
    let Two { server, admin, b, .. } = two(&home);
    let ask = |client: &Client, body: &Value| client.post("/v1/keys", body);
    let body = |tenant: &str, scopes: &[&str]| json!({ "name": "n", "tenant": tenant, "scopes": scopes });
    ask(&b, &body("a", &["read"])).error(403, "forbidden");
    ask(&b, &body("default", &["read"])).error(403, "forbidden");
    ask(&b, &body("b", &["manage_tenants"])).error(403, "forbidden");
    ask(&b, &json!({ "name": "n", "scopes": SCOPES })).error(403, "forbidden");
    assert_eq!(ask(&b, &body("b", &["read"])).status, 201);
    let narrow = server.with_key(&make_key(&admin, "b", &["manage_keys"]));
    ask(&narrow, &body("b", &["read"])).error(403, "forbidden");
    let no_keys = server.with_key(&make_key(&admin, "b", &["manage_tenants"]));
    ask(&no_keys, &body("a", &["manage_tenants"])).error(403, "forbidden");
    // Names that belong to ringwall itself are refused to everybody.
    for reserved in ["_system", "_", "_a"] {
        ask(&admin, &body(reserved, &["read"])).error(403, "forbidden");
    }
    for wrong in ["", "A", "a b", "a/b", "ä", &"x".repeat(65)] {
        ask(&admin, &body(wrong, &["read"])).error(400, "invalid_request");
    }
    ask(&admin, &json!({ "name": "n", "scopes": [] })).error(400, "invalid_request");
    ask(&admin, &json!({ "name": "", "scopes": ["read"] })).error(400, "invalid_request");
    ask(&admin, &json!({ "name": "a\nb", "scopes": ["read"] })).error(400, "invalid_request");
    ask(&admin, &json!({ "name": "n", "scopes": ["raed"] })).error(400, "invalid_request");
    ask(&admin, &json!({ "name": "x".repeat(129), "scopes": ["read"] })).error(400, "invalid_request");
}

/// Every door that needs a key, with the scope that opens it.
const DOORS: [(&str, &str, &str); 14] = [
    ("POST", "/v1/decide", "decide"),
    ("GET", "/v1/decisions/dec_0", "read"),
    ("POST", "/v1/events", "ingest"),
    ("GET", "/v1/threats", "read"),
    ("GET", "/v1/threats/thr_0", "read"),
    ("GET", "/v1/responses", "read"),
    ("POST", "/v1/responses/rsp_0/undo", "respond"),
    ("GET", "/v1/policies", "read"),
    ("PUT", "/v1/policies", "manage_policies"),
    ("GET", "/v1/log/checkpoint", "read"),
    ("GET", "/v1/log/key", "read"),
    ("GET", "/v1/log/proof/0", "read"),
    ("GET", "/v1/keys", "manage_keys"),
    ("DELETE", "/v1/keys/0", "manage_keys"),
];
/// What needs no key.
const OPEN: [&str; 5] = ["/v1/setup", "/healthz", "/readyz", "/metrics", "/openapi.json"];

#[test]
fn every_door_needs_its_scope() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let body = |path: &str| match path {
        "/v1/decide" => read_request().to_string(),
        _ => json!({ "name": "n", "scopes": ["read"] }).to_string(),
    };
    let doors = DOORS.into_iter().chain([("POST", "/v1/keys", "manage_keys")]);
    let json = [("content-type", "application/json")];
    for (method, path, scope) in doors {
        let with = server.with_key(&make_key(&admin, "default", &[scope]));
        let others: Vec<_> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        let without = server.with_key(&make_key(&admin, "default", &others));
        let message = without.send(method, path, &json, body(path).as_bytes()).error(403, "forbidden");
        assert!(message.contains(&format!("lacks the scope \"{scope}\"")), "{message}");
        let reply = with.send(method, path, &json, body(path).as_bytes());
        assert!(!matches!(reply.status, 401 | 500..), "{method} {path}: {reply:?}");
        // A key that may make keys still may not grant what it lacks: that is the only other 403.
        assert!(reply.status != 403 || path == "/v1/keys", "{method} {path}: {reply:?}");
    }
}

#[test]
fn a_body_is_not_read_for_a_key_that_lacks_the_scope() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let reader = server.with_key(&make_key(&admin, "default", &["read"]));
    for (method, path) in [
        ("POST", "/v1/decide"),
        ("POST", "/v1/events?format=x"),
        ("PUT", "/v1/policies"),
        ("POST", "/v1/keys"),
    ] {
        reader.send(method, path, &[("content-type", "application/json")], b"{").error(403, "forbidden");
    }
}

#[test]
fn every_door_needs_a_key_and_the_table_has_every_door() {
    let home = Home::new();
    let (server, _) = fresh(&home, &[]);
    let document = server.as_stranger().get("/openapi.json").json();
    let mut doors = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            doors.push((method.to_uppercase(), path.clone()));
        }
    }
    assert_eq!(doors.len(), DOORS.len() + 1 + OPEN.len(), "a door is missing in the table: {doors:?}");
    for (method, path) in doors.iter().filter(|(_, path)| !OPEN.contains(&path.as_str())) {
        let path = path.replace("{id}", "x").replace("{index}", "0");
        let reply = server.as_stranger().send(method, &path, &[("content-type", "application/json")], b"{}");
        reply.error(401, "unauthenticated");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
}

#[test]
fn what_only_looks_like_a_key_is_none() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let key = admin.key.clone().unwrap();
    let (head, secret) = key.rsplit_once('_').unwrap();
    let id = head.strip_prefix("rw_").unwrap();
    let flipped = format!("{head}_{}A", &secret[..secret.len() - 1]);
    let flipped = if flipped == key { format!("{head}_{}B", &secret[..secret.len() - 1]) } else { flipped };
    let stranger = server.as_stranger();
    for wrong in [
        format!("Bearer {flipped}"),
        format!("Bearer {head}_"),
        format!("Bearer rw_{id}"),
        format!("Bearer {key}x"),
        format!("Bearer {}", key.to_uppercase()),
        format!("Basic {key}"),
        key.clone(),
        "Bearer ".to_owned(),
        "Bearer rw__".to_owned(),
    ] {
        stranger.send("GET", "/v1/threats", &[("authorization", &wrong)], b"").error(401, "unauthenticated");
    }
    let right = stranger.send("GET", "/v1/threats", &[("authorization", &format!("bearer {key}"))], b"");
    assert_eq!(right.status, 200);
}
