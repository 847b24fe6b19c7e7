//! Decisions over HTTP: what is asked, what is answered, and that the answer stands in the log.
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
use support::{Client, Home, READERS, fresh, guide_events, read_from, read_request, repository};

const MASKED: &str = "policies:\n  - id: readers\n    effect: allow\n    obligations:\n      \
    - {type: mask_fields, fields: [person.iban]}\n    conditions:\n      action.id: {equals: \"dataset:read\"}\n";

fn log_size(client: &Client) -> u64 {
    client.get("/v1/log/checkpoint").text().lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn nothing_is_allowed_until_a_policy_allows_it() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let denied = admin.decide(&read_request());
    assert_eq!(denied.status, 200);
    assert_eq!(denied.text_at("/decision"), "deny");
    assert_eq!(denied.text_at("/reasons/0/code"), "default_deny");
    let put = admin.put_policies(READERS);
    assert_eq!((put.status, put.json()), (200, json!({ "epoch": 1, "policies": 1, "warnings": [] })));
    assert_eq!(admin.decide(&read_request()).text_at("/decision"), "allow");
    let mut neighbour = read_request();
    neighbour["action"] = json!("dataset:reads");
    assert_eq!(admin.decide(&neighbour).text_at("/decision"), "deny");
    let kept = admin.get("/v1/policies");
    assert_eq!((kept.text().as_str(), kept.header("x-policy-epoch")), (READERS, Some("1")));
    assert_eq!(kept.header("content-type"), Some("application/yaml"));
}

#[test]
fn a_verdict_says_everything_and_the_log_says_the_same() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    assert_eq!(admin.put_policies(MASKED).status, 200);
    let verdict = admin.decide(&read_from("198.51.100.7")).json();
    assert_eq!(verdict["decision"], "allow");
    assert_eq!(verdict["risk"], 0);
    assert_eq!(verdict["policy_epoch"], 1);
    assert_eq!(verdict["obligations"], json!([{ "type": "mask_fields", "fields": ["person.iban"] }]));
    assert!(verdict["reasons"].as_array().unwrap().iter().any(|reason| reason["policy"] == "readers"));
    let layers: Vec<_> = verdict["trail"].as_array().unwrap().iter().map(|found| &found["layer"]).collect();
    assert_eq!(layers, ["perimeter", "application", "behavior"]);
    let recorded = admin.get(&format!("/v1/decisions/{}", verdict["decision_id"].as_str().unwrap()));
    assert_eq!(recorded.status, 200);
    let mut recorded = recorded.json();
    let index = recorded["log_index"].take();
    assert_eq!(index, verdict["log_index"]);
    assert_eq!((&recorded["principal"], &recorded["source_ip"]), (&json!("ann"), &json!("198.51.100.7")));
    let mut told = verdict.clone();
    told.as_object_mut().unwrap().remove("log_index");
    assert_eq!(recorded["verdict"], told);
    admin.get("/v1/decisions/dec_00000000000000000000000000000000").error(404, "not_found");
}

#[test]
fn a_repeated_request_is_one_request() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let mut request = read_request();
    request["idempotency_key"] = json!("once");
    let first = admin.decide(&request).json();
    let size = log_size(&admin);
    assert_eq!(admin.decide(&request).json(), first);
    assert_eq!(log_size(&admin), size);
    // The same request in another order of its fields is the same request.
    let turned = format!(
        r#"{{"idempotency_key":"once","resource":{},"action":"dataset:read","principal":{{"id":"ann"}}}}"#,
        request["resource"]
    );
    assert_eq!(admin.post_bytes("/v1/decide", turned.as_bytes()).json(), first);
    let mut other = request.clone();
    other["principal"]["id"] = json!("bob");
    admin.decide(&other).error(409, "idempotency_conflict");
    assert_eq!(log_size(&admin), size);
    request["idempotency_key"] = json!("twice");
    assert_ne!(admin.decide(&request).json()["decision_id"], first["decision_id"]);
}

#[test]
fn a_request_that_is_repeated_by_many_at_once_is_recorded_once() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let mut request = read_request();
    request["idempotency_key"] = json!("at-once");
    let before = log_size(&admin);
    let (address, key) = (server.address, admin.key.as_deref());
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let ask = || Client::new(address, key).decide(&request).json();
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(log_size(&admin), before + 1);
}

#[test]
fn a_repeated_request_gets_no_answer_that_no_longer_holds() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let mut request = read_from("203.0.113.9");
    request["idempotency_key"] = json!("before-the-block");
    let first = admin.decide(&request).json();
    assert_eq!(first["decision"], "allow");
    assert!(admin.events(&guide_events("admin", "203.0.113.9")).json()["detected"].as_bool().unwrap());
    let second = admin.decide(&request).json();
    assert_eq!(second["decision"], "deny");
    assert_ne!(second["decision_id"], first["decision_id"]);
    assert_eq!(admin.decide(&request).json(), second);
}

#[test]
fn a_repeated_request_gets_the_obligations_of_the_policies_in_force() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let mut request = read_request();
    request["idempotency_key"] = json!("before-the-mask");
    assert_eq!(admin.decide(&request).json().get("obligations"), None);
    admin.put_policies(MASKED);
    let answer = admin.decide(&request).json();
    assert_eq!(
        answer["obligations"],
        json!([{ "type": "mask_fields", "fields": ["person.iban"] }]),
        "{answer}"
    );
}

#[test]
fn bad_policies_are_refused_with_every_mistake_and_the_old_ones_stay() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let bad = "policies:\n  - id: one\n    effect: allow\n    conditions:\n      action.id: {equal: \"a:b\"}\n  \
        - id: two\n    effekt: deny\n    effect: allow\n    conditions:\n      user.id: {starts_wiht: a}\n";
    let refused = admin.put_policies(bad);
    refused.error(400, "policies_invalid");
    let details = refused.json()["error"]["details"].clone();
    let details: Vec<_> = details.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(details.len(), 3, "{details:?}");
    for (place, near) in [
        ("line 5, column 19", "`equals`"),
        ("line 7, column 5", "`effect`"),
        ("line 10, column 17", "`starts_with`"),
    ] {
        assert!(
            details
                .iter()
                .any(|line| line.starts_with(place) && line.contains(&format!("did you mean {near}?"))),
            "{place} {near}: {details:?}"
        );
    }
    for wrong in [&b"\xff\xfe"[..], b"policies: [", b"", b"7", b"policies: {}", b"\0"] {
        let reply = admin.send("PUT", "/v1/policies", &[("content-type", "application/yaml")], wrong);
        assert_eq!(reply.status, 400, "{wrong:?}: {reply:?}");
    }
    assert_eq!(admin.get("/v1/policies").text(), READERS);
    assert_eq!(admin.decide(&read_request()).json()["policy_epoch"], 1);
}

#[test]
fn policies_that_blow_up_when_they_are_read_are_refused() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for depth in 1..12 {
        let refs = format!("*a{}, ", depth - 1).repeat(9);
        bomb.push_str(&format!("a{depth}: &a{depth} [{}]\n", refs.trim_end_matches(", ")));
    }
    bomb.push_str("policies: []\n");
    admin.put_policies(&bomb).error(400, "policies_invalid");
    let deep = format!("policies: {}", "[".repeat(20_000));
    admin.put_policies(&deep).error(400, "policies_invalid");
    assert_eq!(admin.get("/healthz").status, 200);
}

#[test]
fn the_server_tells_how_it_is_to_anybody() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    admin.decide(&read_request());
    let stranger = server.as_stranger();
    assert_eq!(stranger.get("/healthz").json(), json!({ "status": "alive" }));
    assert_eq!(stranger.get("/readyz").json(), json!({ "status": "ready" }));
    let metrics = stranger.get("/metrics").text();
    for line in [
        "ringwall_decisions_total{decision=\"deny\"} 1",
        "ringwall_log_records 3",
        "ringwall_http_requests_total{",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(!metrics.contains("default"), "no tenant is named: {metrics}");
}

#[test]
fn the_description_of_the_api_is_the_one_in_the_repository() {
    let home = Home::new();
    let (server, _) = fresh(&home, &[]);
    let kept = std::fs::read(repository().join("schemas/openapi.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(server.as_stranger().get("/openapi.json").json(), kept);
    let printed = home.run(&["openapi"]);
    assert_eq!((printed.code, serde_json::from_str::<Value>(&printed.stdout).unwrap()), (0, kept));
}
