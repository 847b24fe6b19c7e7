//! Events over HTTP: what becomes of a line, of a threat, and of whoever it names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::print_stderr, clippy::string_slice, reason = "a test tells its seed and what it skipped")]

mod support;

use ringwall_types::RecordBody;
use serde_json::{Value, json};
use support::{Client, Home, READERS, Server, fresh, guide_events, moment, read_from, read_request};

const ADDRESS: &str = "192.168.1.100";

fn threats(client: &Client) -> Vec<Value> {
    client.get("/v1/threats").json()["threats"].as_array().unwrap().clone()
}

fn responses(client: &Client) -> Vec<Value> {
    client.get("/v1/responses").json()["responses"].as_array().unwrap().clone()
}

fn decision(client: &Client, request: &Value) -> String {
    client.decide(request).text_at("/decision")
}

#[track_caller]
fn send_guide_events(client: &Client, user: &str, address: &str) {
    let report = client.events(&guide_events(user, address)).json();
    let counts = ["accepted", "rejected", "unrelated"].map(|key| report[key].as_u64().unwrap());
    assert_eq!((counts, &report["detected"]), ([4, 0, 0], &json!(true)), "{report}");
}

#[test]
fn the_guides_events_are_one_threat_that_binds_on_the_very_next_decision() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "allow");
    send_guide_events(&admin, "admin", ADDRESS);

    let denied = admin.decide(&read_from(ADDRESS)).json();
    let found = threats(&admin);
    assert_eq!(found.len(), 1, "{found:?}");
    let threat = &found[0];
    assert_eq!((&threat["rule"], &threat["severity"]), (&json!("brute_force"), &json!("medium")));
    assert_eq!((&threat["count"], &threat["source_ip"]), (&json!(3), &json!(ADDRESS)));
    assert_eq!(denied["decision"], "deny");
    assert_eq!(denied["reasons"][0]["code"], "address_blocked");
    assert_eq!(denied["reasons"][0]["threat"], threat["id"]);
    assert_eq!(admin.get(&format!("/v1/threats/{}", threat["id"].as_str().unwrap())).json(), *threat);
    // The same address written as an IPv6 one is the same address; its neighbour is not.
    assert_eq!(decision(&admin, &read_from("::ffff:192.168.1.100")), "deny");
    assert_eq!(decision(&admin, &read_from("192.168.1.101")), "allow");
    assert_eq!(decision(&admin, &read_request()), "allow");
}

#[test]
fn who_lifts_a_block_is_not_overruled_by_more_of_the_same() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    send_guide_events(&admin, "admin", ADDRESS);
    let block = responses(&admin).remove(0);
    assert_eq!((&block["plan"]["action"], &block["status"]), (&json!("block_ip"), &json!("done")));
    let undo = format!("/v1/responses/{}/undo", block["id"].as_str().unwrap());
    let undone = admin.post(&undo, &json!({}));
    assert_eq!((undone.status, undone.text_at("/status")), (200, "undone".to_owned()));
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "allow");
    admin.post(&undo, &json!({})).error(404, "not_found");

    send_guide_events(&admin, "admin", ADDRESS);
    let found = threats(&admin);
    assert_eq!((found.len(), &found[0]["count"]), (1, &json!(6)), "{found:?}");
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "allow");
    assert_eq!(responses(&admin), Vec::<Value>::new());
    // Another threat about another address still binds.
    send_guide_events(&admin, "admin", "192.168.1.7");
    assert_eq!(decision(&admin, &read_from("192.168.1.7")), "deny");
}

#[test]
fn a_bad_line_never_costs_the_next_one() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let good = guide_events("admin", ADDRESS);
    let mut lines: Vec<_> = good.lines().collect();
    lines.insert(1, "{\"type\": \"login\", \"failed\": \"perhaps\"}");
    lines.insert(3, "");
    lines.insert(4, "not json");
    let sent = [lines.join("\n").into_bytes(), b"\n\xff\xfe\n".to_vec()].concat();
    let report = admin.send("POST", "/v1/events", &[], &sent).json();
    let counts = ["accepted", "rejected", "unrelated"].map(|key| report[key].as_u64().unwrap());
    assert_eq!(counts, [4, 3, 1], "{report}");
    let told = report["lines"].as_array().unwrap();
    let statuses: Vec<_> =
        told.iter().map(|line| (line["line"].as_u64().unwrap(), &line["status"])).collect();
    let (accepted, rejected) = (&json!("accepted"), &json!("rejected"));
    let expected = [
        (1, accepted),
        (2, rejected),
        (3, accepted),
        (5, rejected),
        (6, accepted),
        (7, accepted),
        (8, rejected),
    ];
    assert_eq!(statuses, expected, "{report}");
    assert!(told[1]["reason"].as_str().unwrap().contains("failed"), "{report}");
    assert_eq!(threats(&admin).len(), 1);
}

#[test]
fn a_body_of_nothing_but_bad_lines_gets_an_answer_that_is_not_much_longer() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let sent = "x\n".repeat(50_000);
    let reply = admin.events(&sent);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["rejected"], 50_000);
    assert!(reply.body.len() < 1 << 20, "{} bytes were answered to {}", reply.body.len(), sent.len());
}

#[test]
fn sshd_lines_are_read_as_such_and_other_formats_are_refused_by_name() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let line = |secs: i64, text: &str| format!("{} web sshd[7]: {text}\n", moment(secs));
    let failed = "Failed password for invalid user root from 203.0.113.5 port 22 ssh2";
    let text = [
        line(-9, failed),
        line(-6, failed),
        line(-3, failed),
        line(-1, "Connection closed by 203.0.113.5 port 22 [preauth]"),
    ];
    let reply = admin.send("POST", "/v1/events?format=sshd&source=web", &[], text.concat().as_bytes());
    let report = reply.json();
    assert_eq!((&report["accepted"], &report["unrelated"]), (&json!(3), &json!(1)), "{report}");
    assert_eq!(threats(&admin)[0]["rule"], "brute_force");
    let wrong = admin.send("POST", "/v1/events?format=sshdd", &[], b"");
    assert!(wrong.error(400, "invalid_request").contains("did you mean `sshd`?"), "{wrong:?}");
    let wrong = admin.send("POST", "/v1/events?format=", &[], b"");
    assert_eq!(wrong.status, 400);
}

#[test]
fn events_with_equal_ids_count_once() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let event = |id: &str| {
        let event = json!({
            "type": "login", "id": id, "user": "u", "ip": ADDRESS, "failed": true, "timestamp": moment(-2),
        });
        format!("{event}\n")
    };
    admin.events(&[event("a"), event("a"), event("b"), event("a")].concat());
    admin.events(&event("b"));
    assert_eq!(threats(&admin), Vec::<Value>::new());
    admin.events(&event("c"));
    assert_eq!(threats(&admin)[0]["count"], 3);
}

#[test]
fn threats_and_blocks_outlive_the_process() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    send_guide_events(&admin, "admin", ADDRESS);
    let (found, bound) = (threats(&admin), responses(&admin));
    server.stop();
    let server = Server::start(&home, &[]);
    let admin = server.with_key(admin.key.as_deref().unwrap());
    assert_eq!((threats(&admin), responses(&admin)), (found, bound));
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "deny");
    // More evidence updates the same threat.
    send_guide_events(&admin, "admin", ADDRESS);
    let found = threats(&admin);
    assert_eq!((found.len(), &found[0]["count"]), (1, &json!(6)), "{found:?}");
    server.stop();
    let records = home.records();
    let of = |kind: &str| records.iter().filter(|record| record.body.kind() == kind).count();
    assert_eq!(of("event"), 8);
    // Medium once, high once; alert and block once each.
    let stages: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.body {
            RecordBody::Threat(threat) => Some(threat.severity.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(stages, ["medium", "high"]);
    assert_eq!(of("response"), 2);
}

#[test]
fn dry_run_finds_everything_and_binds_nobody() {
    let home = Home::new();
    let config = home.write("dry.toml", "[response]\nmode = \"dry_run\"\n");
    let (server, admin) = fresh(&home, &["--config", config.to_str().unwrap()]);
    admin.put_policies(READERS);
    send_guide_events(&admin, "admin", ADDRESS);
    assert_eq!(threats(&admin).len(), 1);
    assert_eq!(responses(&admin), Vec::<Value>::new());
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "allow");
    server.stop();
    let simulated = home.records().into_iter().filter(
        |record| matches!(&record.body, RecordBody::Response(response) if response.status.to_string() == "simulated"),
    );
    assert_eq!(simulated.count(), 2);
}

#[test]
fn who_is_on_the_allow_list_is_never_blocked() {
    let home = Home::new();
    let config = home.write("allow.toml", "[response.allow_list]\naddresses = [\"192.168.1.0/24\"]\n");
    let (_server, admin) = fresh(&home, &["--config", config.to_str().unwrap()]);
    admin.put_policies(READERS);
    send_guide_events(&admin, "admin", ADDRESS);
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "allow");
    send_guide_events(&admin, "admin", "192.168.2.100");
    assert_eq!(decision(&admin, &read_from("192.168.2.100")), "deny");
}

#[test]
fn a_block_from_before_lets_go_of_whoever_comes_on_the_allow_list() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    send_guide_events(&admin, "admin", ADDRESS);
    server.stop();
    let config = home.write("allow.toml", format!("[response.allow_list]\naddresses = [\"{ADDRESS}\"]\n"));
    let server = Server::start(&home, &["--config", config.to_str().unwrap()]);
    let admin = server.with_key(admin.key.as_deref().unwrap());
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "allow");
}

#[test]
fn a_locked_account_is_denied_from_everywhere() {
    let home = Home::new();
    let config = home.write("lock.toml", "[response]\nactions = [\"alert\", \"lock_account\"]\n");
    let (_server, admin) = fresh(&home, &["--config", config.to_str().unwrap()]);
    admin.put_policies(READERS);
    assert_eq!(decision(&admin, &read_from("10.0.0.1")), "allow");
    send_guide_events(&admin, "ann", ADDRESS);
    let denied = admin.decide(&read_from("10.0.0.1")).json();
    assert_eq!(
        (&denied["decision"], &denied["reasons"][0]["code"]),
        (&json!("deny"), &json!("principal_locked"))
    );
    assert_eq!(decision(&admin, &read_request()), "deny");
    let mut neighbour = read_from(ADDRESS);
    neighbour["principal"]["id"] = json!("bob");
    assert_eq!(decision(&admin, &neighbour), "allow");
}

#[test]
fn old_logs_find_threats_and_bind_nobody() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let old = |secs: i64| {
        let time = moment(secs - 86_400);
        format!(
            "{}\n",
            json!({ "type": "login", "user": "u", "ip": ADDRESS, "failed": true, "timestamp": time })
        )
    };
    admin.events(&[old(0), old(1), old(2)].concat());
    assert_eq!(threats(&admin).len(), 1);
    assert_eq!(decision(&admin, &read_from(ADDRESS)), "allow");
}

#[test]
fn threats_come_in_pages() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    for last in 1..=5 {
        send_guide_events(&admin, "admin", &format!("198.51.100.{last}"));
    }
    let all: Vec<_> =
        threats(&admin).iter().map(|threat| threat["id"].as_str().unwrap().to_owned()).collect();
    assert!(all.len() >= 5, "{all:?}");
    let (mut found, mut path) = (Vec::new(), "/v1/threats?limit=2".to_owned());
    for _ in 0..10 {
        let page = admin.get(&path).json();
        found.extend(
            page["threats"]
                .as_array()
                .unwrap()
                .iter()
                .map(|threat| threat["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/threats?limit=2&after={next}");
    }
    assert_eq!(found, all);
    admin.get("/v1/threats?limit=0").error(400, "invalid_request");
    admin.get("/v1/threats?limit=1001").error(400, "invalid_request");
}
