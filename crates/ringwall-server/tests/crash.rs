//! Kill -9 again and again under load: nothing that was acknowledged is lost, nothing is done twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::print_stderr, clippy::string_slice, reason = "a test tells its seed and what it skipped")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringwall_types::{AuditRecord, RecordBody, ResponseStatus};
use serde_json::json;
use support::{Client, Home, READERS, Rng, Server, fresh, guide_events, make_key, moment, read_from};

const ROUNDS: usize = 20;
const CLIENTS: usize = 4;

/// What the server acknowledged, and where it said that it stands.
#[derive(Default)]
struct Acknowledged {
    decisions: BTreeMap<u64, String>,
    events: BTreeMap<u64, String>,
    /// Addresses of which the server said that they are blocked.
    blocked: BTreeSet<String>,
}

/// Asks and reports until the server is gone; counts each acknowledgement in `done`.
fn work(address: SocketAddr, key: &str, name: &str, done: &AtomicUsize) -> Acknowledged {
    let client = Client::new(address, Some(key));
    let mut told = Acknowledged::default();
    let json = [("content-type", "application/json")];
    for turn in 0.. {
        let source = format!("10.{}", name.replace('-', "."));
        let request = {
            let mut request = read_from("198.51.100.1");
            request["principal"]["id"] = json!(format!("{name}-{turn}"));
            request["idempotency_key"] = json!(format!("{name}-{turn}"));
            request.to_string()
        };
        let Ok(reply) = client.try_send("POST", "/v1/decide", &json, request.as_bytes()) else { break };
        assert_eq!((reply.status, reply.text_at("/decision").as_str()), (200, "allow"), "{reply:?}");
        told.decisions.insert(reply.number_at("/log_index"), reply.text_at("/decision_id"));
        done.fetch_add(1, Ordering::Relaxed);

        let (lines, ids) = if turn == 1 {
            (guide_events(name, &format!("{source}.1")), vec![String::new(); 4])
        } else {
            let id = format!("{name}-{turn}");
            (json!({ "type": "note", "id": id, "user": name, "timestamp": moment(-1) }).to_string(), vec![id])
        };
        let Ok(reply) = client.try_send("POST", "/v1/events", &[], lines.as_bytes()) else { break };
        let report = reply.json();
        assert_eq!(report["accepted"].as_u64(), Some(ids.len() as u64), "{report}");
        for (line, id) in report["lines"].as_array().unwrap().iter().zip(ids) {
            told.events.insert(line["index"].as_u64().unwrap(), id);
        }
        done.fetch_add(1, Ordering::Relaxed);

        if turn == 1 && report["detected"] == true {
            let address = format!("{source}.1");
            let request = read_from(&address).to_string();
            let Ok(reply) = client.try_send("POST", "/v1/decide", &json, request.as_bytes()) else { break };
            assert_eq!(reply.text_at("/decision"), "deny", "{address} was detected: {reply:?}");
            told.decisions.insert(reply.number_at("/log_index"), reply.text_at("/decision_id"));
            told.blocked.insert(address);
        }
    }
    told
}

/// Every acknowledged record is there exactly once, at its place; nothing was done twice.
fn check(records: &[AuditRecord], told: &Acknowledged) {
    let (mut decisions, mut events) =
        (BTreeMap::<String, Vec<u64>>::new(), BTreeMap::<String, Vec<u64>>::new());
    let (mut stages, mut done) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
    for (index, record) in (0..).zip(records) {
        match &record.body {
            RecordBody::Decision(decision) => {
                decisions.entry(decision.verdict.decision_id().to_string()).or_default().push(index);
            }
            RecordBody::Event(event) => {
                let id = event.id.as_ref().map(ToString::to_string).unwrap_or_default();
                events.entry(id).or_default().push(index);
            }
            RecordBody::Threat(threat) => {
                *stages.entry((threat.id.clone(), threat.severity, threat.status)).or_default() += 1;
            }
            RecordBody::Response(response) if response.status == ResponseStatus::Done => {
                *done.entry(response.plan.idempotency_key.clone()).or_default() += 1;
            }
            RecordBody::Response(_) | RecordBody::Administration(_) => {}
        }
    }
    for (index, id) in &told.decisions {
        assert_eq!(decisions.get(id).map(Vec::as_slice), Some(&[*index][..]), "decision {id}");
    }
    for (index, id) in &told.events {
        let places = events.get(id).map(Vec::as_slice).unwrap_or_default();
        assert!(
            places.contains(index) && (id.is_empty() || places.len() == 1),
            "event {id} at {index}: {places:?}"
        );
    }
    assert!(stages.values().all(|count| *count == 1), "a stage was recorded twice: {stages:?}");
    assert!(done.values().all(|count| *count == 1), "a response was done twice: {done:?}");
}

#[test]
fn what_was_acknowledged_outlives_every_kill_and_nothing_is_done_twice() {
    let home = Home::new();
    let (first, admin) = fresh(&home, &[]);
    let key = make_key(&admin, "default", &["decide", "ingest", "read"]);
    admin.put_policies(READERS);
    first.stop();
    let mut rng = Rng::new(9);
    let mut told = Acknowledged::default();
    for round in 0..ROUNDS {
        let server = Server::start(&home, &[]);
        let client = server.with_key(&key);
        for address in &told.blocked {
            let answer = client.decide(&read_from(address));
            assert_eq!(
                answer.text_at("/reasons/0/code"),
                "address_blocked",
                "round {round}, {address}: {answer:?}"
            );
        }
        let (done, enough, address) = (AtomicUsize::new(0), 1 + rng.below(60), server.address);
        std::thread::scope(|scope| {
            let (done, key) = (&done, key.as_str());
            let working: Vec<_> = (0..CLIENTS)
                .map(|client| scope.spawn(move || work(address, key, &format!("{round}-{client}"), done)))
                .collect();
            while done.load(Ordering::Relaxed) < enough && !working.iter().all(|work| work.is_finished()) {
                std::thread::yield_now();
            }
            server.kill9();
            for worker in working {
                let own = worker.join().unwrap();
                told.decisions.extend(own.decisions);
                told.events.extend(own.events);
                told.blocked.extend(own.blocked);
            }
        });
        home.verify();
        check(&home.records(), &told);
    }
    assert!(told.decisions.len() > 5 * ROUNDS && !told.blocked.is_empty(), "the test has done something");
    // After a start and a stop in good order everything has been judged, and still nothing is there twice.
    let server = Server::start(&home, &[]);
    let client = server.with_key(&key);
    assert_eq!(client.events(&json!({ "type": "note", "user": "u" }).to_string()).json()["detected"], true);
    for address in &told.blocked {
        assert_eq!(client.decide(&read_from(address)).text_at("/decision"), "deny", "{address}");
    }
    for (index, id) in &told.decisions {
        assert_eq!(client.get(&format!("/v1/decisions/{id}")).number_at("/log_index"), *index);
    }
    server.stop();
    home.verify();
    check(&home.records(), &told);
}

#[test]
fn a_first_start_that_is_killed_at_any_moment_can_be_repeated() {
    let mut rng = Rng::new(10);
    for _ in 0..20 {
        let home = Home::new();
        let mut child = home
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Some spins are no time that anything depends on: wherever the kill falls, the next start must work.
        for _ in 0..rng.below(200_000) {
            std::hint::spin_loop();
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let (server, admin) = fresh(&home, &[]);
        assert_eq!(admin.get("/readyz").status, 200);
        drop(server);
    }
}
