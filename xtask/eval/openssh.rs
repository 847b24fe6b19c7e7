//! A log of sshd with counted ground truth: what the parser takes from it, and what rules find in it.

use std::collections::{BTreeMap, BTreeSet};

use ringwall::detect::{Detector, Limits, RuleSet, ThreatChange};
use ringwall::{Clock as _, SystemClock};
use ringwall_types::{IpAddress, Subject, Threat};
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::score::{Row, Score};
use crate::sshd::{Log, address, method, user};
use crate::workflow;

pub(crate) fn score(folder: &Folder, score: &mut Score) -> Result<(), String> {
    let truth = folder.json("ground-truth.json")?;
    let source =
        truth.get("source").and_then(Value::as_str).ok_or("ground-truth.json: `source` is missing")?;
    let bytes = folder.bytes(source)?;
    let log = Log::read(&bytes);
    score.add(counts(&truth, &log));
    score.add(accepted(&truth, &log));
    score.add(sources(&truth, &log));
    score.add(tallies("failures by user", truth.get("failed_attempts_by_user"), count(log.failures(), user)));
    let invalid = |key| truth.get(key);
    score.add(tallies(
        "unknown users by source",
        invalid("invalid_user_sources"),
        count(log.named("Invalid user"), address),
    ));
    score.add(tallies(
        "unknown users by name",
        invalid("invalid_user_names"),
        count(log.named("Invalid user"), user),
    ));
    for case in list(&truth, "brute_force") {
        score.add(brute_force(case, &log)?);
    }
    defaults(&truth, &log, score)?;
    shipped_workflow(&truth, &log, score)
}

fn list<'a>(truth: &'a Value, key: &str) -> &'a [Value] {
    truth.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(Value::as_u64)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

type Events<'a> = &'a (u64, ringwall_types::SecurityEvent);

/// Occurrences by a word of the event.
fn count<'a>(
    events: impl Iterator<Item = Events<'a>>,
    key: fn(&ringwall_types::SecurityEvent) -> String,
) -> BTreeMap<String, u64> {
    events.fold(BTreeMap::new(), |mut counts, (_, event)| {
        *counts.entry(key(event)).or_default() += u64::from(event.count.get());
        counts
    })
}

fn counts(truth: &Value, log: &Log) -> Row {
    let passwords = || log.failures().filter(|(_, event)| method(event) == "password");
    let attempts = passwords().map(|(_, event)| u64::from(event.count.get())).sum();
    let found = [
        ("lines", log.lines),
        ("failed_password_lines", passwords().count() as u64),
        ("failed_attempts", attempts),
        ("failed_none_lines", log.named("none probe").count() as u64),
        ("invalid_user_lines", log.named("Invalid user").count() as u64),
    ];
    let row = Row::new("counts").equal("unreadable lines", 0, log.errors.len());
    found.into_iter().fold(row, |row, (key, found)| match number(truth, key) {
        Some(expected) => row.equal(key, expected, found),
        None => row,
    })
}

fn accepted(truth: &Value, log: &Log) -> Row {
    let expected = list(truth, "accepted_logins").iter().map(|login| {
        let line = number(login, "line").unwrap_or(0);
        format!("line {line}: {} {} {}", text(login, "user"), text(login, "method"), text(login, "source_ip"))
    });
    let found = log.named("Accepted login");
    let found = found
        .map(|(line, event)| format!("line {line}: {} {} {}", user(event), method(event), address(event)));
    let repeats = list(truth, "repeat_lines").iter().map(|repeat| {
        let count = |key| number(repeat, key).unwrap_or(0);
        format!("line {}: {} times {}", count("line"), text(repeat, "source_ip"), count("times"))
    });
    let repeated = log.failures().filter(|(_, event)| event.count.get() > 1);
    let repeated =
        repeated.map(|(line, event)| format!("line {line}: {} times {}", address(event), event.count));
    let row = Row::new("accepted and repeated");
    let row = if truth.get("accepted_logins").is_some() {
        row.sets(&expected.collect(), &found.collect())
    } else {
        row
    };
    if truth.get("repeat_lines").is_some() { row.sets(&repeats.collect(), &repeated.collect()) } else { row }
}

/// Attempts and distinct users of each address.
fn sources(truth: &Value, log: &Log) -> Row {
    if truth.get("failed_sources").is_none() {
        return Row::new("failures by source");
    }
    let expected = list(truth, "failed_sources").iter().map(|source| {
        let count = |key| number(source, key).unwrap_or(0);
        format!(
            "{}: {} attempts, {} users",
            text(source, "source_ip"),
            count("failed_attempts"),
            count("users")
        )
    });
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, event) in log.failures() {
        users.entry(address(event)).or_default().insert(user(event));
    }
    let found = count(log.failures(), address).into_iter().map(|(address, attempts)| {
        let users = users.get(&address).map_or(0, BTreeSet::len);
        format!("{address}: {attempts} attempts, {users} users")
    });
    Row::new("failures by source").sets(&expected.collect(), &found.collect())
}

fn tallies(name: &str, truth: Option<&Value>, found: BTreeMap<String, u64>) -> Row {
    let Some(expected) = truth.and_then(Value::as_object) else { return Row::new(name) };
    let expected = expected.iter().map(|(key, count)| format!("`{key}`: {count}"));
    let found = found.into_iter().map(|(key, count)| format!("`{key}`: {count}"));
    Row::new(name).sets(&expected.collect(), &found.collect())
}

/// A rule with exactly this window and threshold finds these sources, each at this line.
fn brute_force(case: &Value, log: &Log) -> Result<Row, String> {
    let missing = |key: &str| format!("ground-truth.json: brute_force: `{key}` is missing");
    let window_secs = number(case, "window_s").ok_or_else(|| missing("window_s"))?;
    let threshold = number(case, "threshold").ok_or_else(|| missing("threshold"))?;
    let rules = json!({ "rules": [{
        "id": "by_address", "title": "By address", "subject": "source_ip", "quiet_secs": 864_000,
        "conditions": [{ "select": { "kinds": ["authentication"], "outcomes": ["failure"] },
            "levels": [{ "at_least": threshold, "within_secs": window_secs, "severity": "medium" }] }]
    }] });
    let rules = RuleSet::from_json(&rules.to_string()).map_err(|error| error.to_string())?;
    let found =
        fired(&rules, log).into_iter().map(|(address, (line, _))| format!("{address} at line {line}"));
    let row = Row::new(format!("{threshold} failures in {window_secs} s"));
    Ok(row.sets(&firings(case), &found.collect()))
}

fn firings(case: &Value) -> BTreeSet<String> {
    let sources = list(case, "sources").iter();
    let line = |source| number(source, "fires_at_line").unwrap_or(0);
    sources.map(|source| format!("{} at line {}", text(source, "source_ip"), line(source))).collect()
}

/// The addresses that any threat names, each with the line at which the first one opened, and that threat.
fn fired(rules: &RuleSet, log: &Log) -> BTreeMap<IpAddress, (u64, Threat)> {
    let mut detector = Detector::new(rules, Limits::default(), threat_id);
    let mut found = BTreeMap::new();
    for (line, event) in &log.events {
        for change in detector.observe(*line, event, SystemClock.now()).changes {
            let (ThreatChange::Opened(threat) | ThreatChange::Updated(threat)) = change else { continue };
            let by_subject = match threat.subject {
                Subject::SourceIp(address) => Some(address),
                Subject::Principal(_) => threat.source_ip,
            };
            if let Some(address) = by_subject {
                found.entry(address).or_insert((*line, threat));
            }
        }
    }
    found
}

/// Ids need only differ within one run.
fn threat_id(bytes: &[u8]) -> [u8; 16] {
    let hash = ringwall::audit::leaf_hash(bytes);
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// The case of the ground truth with this window and threshold.
fn case(truth: &Value, window_secs: u64, threshold: u64) -> Option<&Value> {
    list(truth, "brute_force").iter().find(|case| {
        number(case, "window_s") == Some(window_secs) && number(case, "threshold") == Some(threshold)
    })
}

/// The named rule counts pairs of user and address, so its truth is only near to the counted one.
fn defaults(truth: &Value, log: &Log, score: &mut Score) -> Result<(), String> {
    let Some(case) = case(truth, 60, 3) else { return Ok(()) };
    let rules = RuleSet::named(&["brute_force"]).map_err(|error| error.to_string())?;
    let expected = list(case, "sources").iter().map(|source| text(source, "source_ip").to_owned());
    let found = fired(&rules, log).into_keys().map(|address| address.to_string());
    let why = "addresses that the named rule finds, against those with 3 failures in 60 s whatever the user: it counts \
               pairs of user and address, and many users of one address";
    score.add(Row::aside("default rule `brute_force`", why).sets(&expected.collect(), &found.collect()));
    Ok(())
}

/// The example counts 3 failures of an address in 60 s, as one case of the ground truth does.
fn shipped_workflow(truth: &Value, log: &Log, score: &mut Score) -> Result<(), String> {
    let Some(case) = case(truth, 60, 3) else { return Ok(()) };
    let expected = list(case, "sources").iter().map(|source| text(source, "source_ip").to_owned());
    let found = workflow::addresses("ssh-monitoring", log)?;
    score.add(Row::new("workflow `ssh-monitoring`").sets(&expected.collect(), &found));
    Ok(())
}
