//! Scenario tests over logs of sshd: whether the parser takes from each line what the test says.
//!
//! The alerts themselves come from leaky buckets, a kind of rule that this version does not have: they are not scored.

use std::collections::BTreeSet;

use ringwall_types::{EventKind, Outcome, SecurityEvent};
use serde_json::Value;

use crate::folder::Folder;
use crate::score::{Row, Score};
use crate::sshd::{Log, address, user};

pub(crate) fn score(folder: &Folder, score: &mut Score) -> Result<(), String> {
    let mut skipped = Vec::new();
    for (name, test) in folder.with("expected.json")? {
        let expected = test.json("expected.json")?;
        let log_type = expected.get("log_type").and_then(Value::as_str).unwrap_or("syslog");
        let bytes = match expected.get("log_file").and_then(Value::as_str) {
            Some(file) => test.bytes(file).map_err(|error| format!("{name}: {error}"))?,
            None => return Err(format!("{name}: expected.json: `log_file` is missing")),
        };
        // Other programs write syslog, too.
        let is_sshd =
            bytes.split(|byte| *byte == b'\n').any(|line| line.windows(4).any(|word| word == b"sshd"));
        if log_type != "syslog" || !is_sshd {
            skipped.push(format!("{name} ({log_type}, not sshd)"));
            continue;
        }
        score.add(parsing(&name, &expected, &Log::read(&bytes)));
    }
    let why =
        "only parsing is scored: the alerts come from leaky buckets, a kind of rule that this version lacks";
    if !score.is_empty() {
        score.add(Row::aside("alerts", why));
    }
    if !skipped.is_empty() {
        score.add(Row::aside("other logs", format!("skipped: {}", skipped.join(", "))));
    }
    Ok(())
}

fn parsing(name: &str, expected: &Value, log: &Log) -> Row {
    let attempts: Vec<_> = log.events.iter().filter(|(_, event)| is_login(event)).collect();
    let mut row = Row::new(name).equal("unreadable lines", 0, log.errors.len());
    let none = expected.get("parsed_as_event").and_then(|counts| counts.get("false")).and_then(Value::as_u64);
    if let Some(none) = none {
        return row.equal("lines that are no login", none, log.lines - attempts.len() as u64);
    }
    // Alerts of several scenarios list the same events; a bucket keeps only its newest.
    let mut stated = BTreeSet::new();
    let mut most = 0;
    for result in expected.get("results").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default() {
        most = most.max(result.get("events_count").and_then(Value::as_u64).unwrap_or(0));
        for event in result.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default() {
            let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
            stated.insert(format!(
                "{} {}",
                text("source_ip"),
                if text("target_user").is_empty() { text("user") } else { text("target_user") }
            ));
        }
    }
    // What came while a scenario was silenced after its alert is in the log, too.
    row = row.equal("events in the largest alert, at least", most, most.min(attempts.len() as u64));
    let found = attempts.iter().map(|(_, event)| format!("{} {}", address(event), user(event))).collect();
    row.sets(&stated, &found)
}

/// What the tests call a login: tried, done, or for a user that does not exist.
fn is_login(event: &SecurityEvent) -> bool {
    let is_attempt = event.kind == EventKind::Authentication && event.outcome != Outcome::Unknown;
    is_attempt || event.name == "Invalid user"
}
