//! The command line over files: a log that is verified, proofs that are taken away, workflows over a log file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::print_stderr, clippy::string_slice, reason = "a test tells its seed and what it skipped")]

mod support;

use std::fs;

use ringwall_sqlite::LogReader;
use ringwall_store::StoredEntry;
use serde_json::{Value, json};
use support::{Home, Output, READERS, Rng, Server, fresh, guide_events, moment, read_request, repository};

/// A directory with a real log of about `decisions` records and more; gives its public key.
fn filled(decisions: usize) -> (Home, String) {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    admin.events(&guide_events("admin", "203.0.113.9"));
    for number in 0..decisions {
        let mut request = read_request();
        request["principal"]["id"] = json!(format!("principal-{number}"));
        assert_eq!(admin.decide(&request).status, 200);
    }
    let key = server.log_key.clone();
    drop(admin);
    server.stop();
    let left = home.data().join("log.db-wal");
    assert_eq!(fs::metadata(&left).map_or(0, |file| file.len()), 0);
    let _ = fs::remove_file(left);
    (home, key)
}

fn entries(home: &Home) -> Vec<StoredEntry> {
    LogReader::open(&home.data()).and_then(|log| log.read(0, 1000)).unwrap_or_default()
}

#[track_caller]
fn exits(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.code, code, "{output:?}");
    let told = format!("{}{}", output.stdout, output.stderr);
    assert!(words.iter().all(|word| told.contains(word)), "{words:?}: {output:?}");
    assert!(!told.contains("panicked"), "{output:?}");
}

#[test]
fn a_real_log_verifies_while_the_server_runs_and_after_it() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    admin.decide(&read_request());
    exits(&home.run(&["log", "verify"]), 0, &["verified: 3 records", &server.log_key]);
    let checkpoint = home.run(&["log", "checkpoint"]);
    assert_eq!((checkpoint.code, checkpoint.stdout), (0, admin.get("/v1/log/checkpoint").text()));
    let key = server.log_key.clone();
    server.stop();
    exits(&home.run(&["log", "verify", "--key", &key]), 0, &["verified: 3 records"]);
    let (_, other) = filled(0);
    exits(&home.run(&["log", "verify", "--key", &other]), 3, &["NOT verify"]);
}

#[test]
fn a_log_begins_with_a_record_and_an_absent_one_is_told() {
    let home = Home::new();
    let absent = home.run(&["log", "verify"]);
    exits(&absent, 1, &[home.data().to_str().unwrap()]);
    Server::start(&home, &[]).stop();
    exits(&home.run(&["log", "verify"]), 0, &["verified: 1 records"]);
    exits(&home.run(&["log", "prove", "1"]), 1, &["there is no record 1"]);
}

/// Where `body` stands in the file; `None` when it stands there more than once.
fn place_of(file: &[u8], body: &[u8]) -> Option<usize> {
    let mut found = file.windows(body.len()).enumerate().filter(|(_, bytes)| *bytes == body);
    match (found.next(), found.next()) {
        (Some((place, _)), None) => Some(place),
        _ => None,
    }
}

#[test]
fn one_changed_byte_is_found_and_its_leaf_is_named() {
    let (home, _) = filled(60);
    let place = home.data().join("log.db");
    let (whole, before) = (fs::read(&place).unwrap(), entries(&home));
    assert!(before.len() > 65);
    let mut rng = Rng::new(4);
    let mut flip = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << rng.below(8);
        fs::write(&place, &bytes).unwrap();
        let verified = home.run(&["log", "verify"]);
        assert!(!verified.stderr.contains("panicked"), "byte {at}: {verified:?}");
        verified
    };
    // Inside a leaf: its owner, its body, its hash.
    let mut rng = Rng::new(5);
    for _ in 0..40 {
        let entry = &before[rng.below(before.len())];
        let Some(body) = place_of(&whole, &entry.body) else { continue };
        let owner = entry.tenant.as_str().len();
        let at = body - owner + rng.below(owner + entry.body.len() + 32);
        let verified = flip(at);
        assert_eq!(verified.code, 3, "byte {at}, leaf {}: {verified:?}", entry.index);
        let named = format!("leaf {}", entry.index);
        let is_named = verified
            .stderr
            .split(&named)
            .nth(1)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        assert!(is_named, "byte {at}, {named}: {verified:?}");
    }
    // Anywhere: found, or harmless.
    let mut found = 0;
    for _ in 0..60 {
        let at = rng.below(whole.len());
        let verified = flip(at);
        match verified.code {
            3 => found += 1,
            0 => assert_eq!(entries(&home), before, "byte {at} changed a record unseen"),
            _ => panic!("byte {at}: {verified:?}"),
        }
    }
    assert!(found >= 20, "{found} of 60");
    fs::write(&place, &whole).unwrap();
    home.verify();
}

#[test]
fn a_log_that_was_cut_or_is_no_log_does_not_verify() {
    let (home, _) = filled(20);
    let place = home.data().join("log.db");
    let whole = fs::read(&place).unwrap();
    for length in [0, 1, 100, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(&place, &whole[..length]).unwrap();
        exits(&home.run(&["log", "verify"]), 3, &["NOT verify"]);
    }
    fs::write(&place, "no database at all").unwrap();
    exits(&home.run(&["log", "verify"]), 3, &["NOT verify"]);
    fs::remove_file(&place).unwrap();
    exits(&home.run(&["log", "verify"]), 3, &["there is no log"]);
}

#[test]
fn a_log_of_before_put_in_place_of_the_newer_one_verifies_only_as_the_older_one() {
    let (home, key) = filled(3);
    let place = home.data().join("log.db");
    let old = fs::read(&place).unwrap();
    let size = entries(&home).len();
    let server = Server::start(&home, &[]);
    server.stop();
    fs::write(&place, &old).unwrap();
    exits(&home.run(&["log", "verify", "--key", &key]), 0, &[&format!("verified: {size} records")]);
}

#[test]
fn a_proof_is_checked_anywhere_with_nothing_but_the_key() {
    let (home, key) = filled(5);
    let away = Home::new();
    for (index, entry) in entries(&home).iter().enumerate() {
        let proof = home.run(&["log", "prove", &index.to_string()]);
        assert_eq!(proof.code, 0, "{proof:?}");
        let file = away.write("record.tlog-proof", &proof.stdout);
        let checked = away.run(&["log", "check", file.to_str().unwrap(), "--key", &key]);
        exits(&checked, 0, &[&format!("verified: record {index} of ")]);
        let shown: Value = serde_json::from_str(checked.stdout.split_once('\n').unwrap().1).unwrap();
        assert_eq!(shown, serde_json::from_slice::<Value>(&entry.body).unwrap());
    }
    let named = home.run(&["log", "prove", "1", "--out", away.path("named").to_str().unwrap()]);
    exits(&named, 0, &["record 1 of"]);
    let key_file = away.write("key.pub", &key);
    exits(&away.run(&["log", "check", "named", "--key", key_file.to_str().unwrap()]), 0, &["record 1"]);
    exits(&home.run(&["log", "prove", "999"]), 1, &["there is no record 999"]);
    exits(&away.run(&["log", "check", "absent", "--key", &key]), 1, &["absent"]);
    exits(&away.run(&["log", "check", "named", "--key", "absent"]), 1, &["absent"]);
    exits(&away.run(&["log", "check", "named", "--key", "a+b+c"]), 1, &["public key"]);
}

#[test]
fn a_proof_over_http_is_the_one_of_the_command_line() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let index = admin.decide(&read_request()).number_at("/log_index");
    let proof = admin.get(&format!("/v1/log/proof/{index}")).text();
    assert_eq!(home.run(&["log", "prove", &index.to_string()]).stdout, proof);
    let file = home.write("p", proof);
    exits(&home.run(&["log", "check", file.to_str().unwrap(), "--key", &server.log_key]), 0, &["verified"]);
}

#[test]
fn a_proof_that_was_touched_is_refused() {
    let (home, key) = filled(5);
    let (_, other) = filled(0);
    let prove = |index: &str| home.run(&["log", "prove", index]).stdout;
    let (one, two) = (prove("3"), prove("4"));
    let away = Home::new();
    let check = |bytes: &[u8], key: &str| {
        let file = away.write("p", bytes);
        away.run(&["log", "check", file.to_str().unwrap(), "--key", key])
    };
    exits(&check(one.as_bytes(), &key), 0, &["verified: record 3"]);
    exits(&check(one.as_bytes(), &other), 3, &["NOT verify"]);
    let leaf = |proof: &str| proof.lines().find(|line| line.starts_with("extra ")).unwrap().to_owned();
    exits(&check(one.replace(&leaf(&one), &leaf(&two)).as_bytes(), &key), 3, &["NOT verify"]);
    exits(&check(one.replace("index 3", "index 4").as_bytes(), &key), 3, &["NOT verify"]);
    for wrong in [&b""[..], b"\xff", b"extra ", &one.as_bytes()[..one.len() / 2]] {
        exits(&check(wrong, &key), 3, &["NOT verify"]);
    }
    let mut rng = Rng::new(6);
    for _ in 0..60 {
        let mut bytes = one.clone().into_bytes();
        let at = rng.below(bytes.len());
        bytes[at] ^= 1 << rng.below(8);
        let checked = check(&bytes, &key);
        assert_eq!(checked.code, 3, "byte {at} of {one}: {checked:?}");
    }
}

/// Six lines of an SSH server: three guesses, one that is unrelated, one that is no line, one login of somebody else.
fn sshd_log() -> String {
    let line = |secs: i64, text: &str| format!("{} web sshd[7]: {text}\n", moment(secs));
    let failed = "Failed password for root from 203.0.113.5 port 22 ssh2";
    [
        line(-30, failed),
        line(-20, failed),
        line(-15, "Connection closed by 203.0.113.5 port 22 [preauth]"),
        "what is this\n".to_owned(),
        line(-10, failed),
        line(-5, "Accepted publickey for ann from 198.51.100.2 port 22 ssh2"),
    ]
    .concat()
}

fn workflow() -> String {
    repository().join("examples/workflows/ssh-monitoring.yaml").to_str().unwrap().to_owned()
}

#[test]
fn a_workflow_over_a_log_says_what_it_found_and_binds_nobody() {
    let home = Home::new();
    let log = home.write("auth.log", sshd_log());
    let run = |more: &[&str]| {
        let workflow = workflow();
        let arguments = ["run", &workflow, "--events", log.to_str().unwrap(), "--format", "sshd"];
        home.run(&[&arguments, more].concat())
    };
    let table = run(&[]);
    exits(
        &table,
        0,
        &[
            "SEVERITY",
            "medium",
            "brute_force",
            "203.0.113.5",
            "root",
            "T1110",
            "block_ip 203.0.113.5 for 15 min",
        ],
    );
    exits(&table, 0, &["1 threats in 4 events (6 lines read, 1 unrelated, 1 rejected)", "line 4: "]);
    let report: Value = serde_json::from_str(&run(&["--json"]).stdout).unwrap();
    assert_eq!(report["lines"], json!({ "read": 6, "events": 4, "unrelated": 1, "rejected": 1 }));
    assert_eq!((&report["rejected"][0]["line"], report["threats"].as_array().unwrap().len()), (&json!(4), 1));
    assert_eq!(report["threats"][0]["source_ip"], "203.0.113.5");
    for (severity, code) in [("info", 3), ("medium", 3), ("high", 0), ("critical", 0)] {
        assert_eq!(run(&["--fail-on", severity]).code, code, "{severity}");
    }
    exits(&run(&["--fail-on", "hihg"]), 1, &["--fail-on", "`hihg`", "did you mean `high`?"]);
    exits(&run(&["--input", "events"]), 1, &["its inputs are: security_events", "--input"]);
    exits(&run(&["--input", "security_events"]), 0, &["1 threats"]);
    assert!(!home.data().exists(), "nothing is kept");
}

#[test]
fn a_run_that_cannot_be_says_why() {
    let home = Home::new();
    let (log, workflow) = (home.write("auth.log", sshd_log()), workflow());
    let log = log.to_str().unwrap();
    exits(&home.run(&["run", &workflow, "--events", "absent.log"]), 1, &["absent.log"]);
    exits(&home.run(&["run", &workflow, "--events", "."]), 1, &[".: "]);
    exits(&home.run(&["run", "absent.yaml", "--events", log]), 1, &["absent.yaml"]);
    exits(
        &home.run(&["run", &workflow, "--events", log, "--format", "shd"]),
        1,
        &["--format", "did you mean `sshd`?"],
    );
    let text = fs::read_to_string(&workflow).unwrap();
    let run = |name: &str, text: &str| {
        let file = home.write(name, text);
        home.run(&["run", file.to_str().unwrap(), "--events", log, "--format", "sshd"])
    };
    let kind = run("kind.yaml", &text.replace("kind: AuditLogNode", "kind: AuditLogNod"));
    exits(&kind, 1, &["kind.yaml", "`AuditLogNod`", "did you mean `AuditLogNode`?"]);
    let port = run("port.yaml", &text.replace("detect.threats,", "detect.threat,"));
    exits(&port, 1, &["did you mean `threats`?"]);
    let key = run("key.yaml", &text.replace("nodes:", "nodez:"));
    exits(&key, 1, &["key.yaml", "nodez"]);
    let rule = run("rule.yaml", &text.replace("[brute_force]", "[brute_farce]"));
    exits(&rule, 1, &["brute_farce", "brute_force"]);
    let cycle = "name: cycle\nnodes:\n  a: {kind: SecurityEventNode}\n  b: {kind: SecurityEventNode}\nconnections:\n  \
        - {from: a.security_event, to: b.metadata}\n  - {from: b.security_event, to: a.metadata}\n";
    exits(
        &run("cycle.yaml", cycle),
        1,
        &["cycle.yaml", "does not build", "cycle: nodes wait for each other"],
    );
    exits(&run("none.yaml", ""), 1, &["none.yaml"]);
    exits(&run("none.json", "{"), 1, &["none.json"]);
    // Lines that nobody can read fail nothing.
    home.write("junk", b"\xff\xfe\0\x1b[31m\n".repeat(100));
    let junk = home.run(&["run", &workflow, "--events", "junk", "--format", "sshd"]);
    exits(&junk, 0, &["no threats", "100 rejected", "… and 80 more"]);
    assert!(!junk.stderr.contains('\x1b') && !junk.stdout.contains('\x1b'), "{junk:?}");
    exits(&home.run(&["run", &workflow, "--events", "/dev/null", "--format", "sshd"]), 0, &["in 0 events"]);
}

#[test]
fn the_thirteen_sources_of_a_real_log_are_found() {
    let data = repository().join("../shared/data/detect/openssh-2k");
    if !data.exists() {
        assert!(std::env::var_os("RINGWALL_REQUIRE_DATA").is_none(), "{} is absent", data.display());
        return eprintln!("SKIPPED: {} is absent", data.display());
    }
    let home = Home::new();
    let (log, workflow) = (data.join("OpenSSH_2k.log"), workflow());
    let run = home.run(&["run", &workflow, "--events", log.to_str().unwrap(), "--format", "sshd", "--json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let truth: Value = serde_json::from_slice(&fs::read(data.join("ground-truth.json")).unwrap()).unwrap();
    let window = truth["brute_force"].as_array().unwrap();
    let window = window.iter().find(|case| case["window_s"] == 60 && case["threshold"] == 3).unwrap();
    let sources = |list: &Value| {
        let sources =
            list.as_array().unwrap().iter().map(|entry| entry["source_ip"].as_str().unwrap().to_owned());
        let mut sources: Vec<_> = sources.collect();
        sources.sort_unstable();
        sources
    };
    assert_eq!(sources(&report["threats"]), sources(&window["sources"]));
    assert_eq!(sources(&report["threats"]).len(), 13);
    assert_eq!(report["lines"]["read"], 2000);
}

#[test]
fn policies_and_settings_are_checked_before_anything_starts() {
    let home = Home::new();
    let good = home.write("good.yaml", READERS);
    exits(&home.run(&["policy", "check", good.to_str().unwrap()]), 0, &["1 policies, no mistakes"]);
    home.write("bad.yaml", READERS.replace("equals", "equal").replace("effect:", "efect:"));
    let bad = home.run(&["policy", "check", "bad.yaml"]);
    exits(&bad, 3, &["bad.yaml: line 3, column 5", "did you mean `effect`?", "did you mean `equals`?"]);
    exits(&home.run(&["policy", "check", "absent.yaml"]), 1, &["absent.yaml"]);

    exits(&home.run(&["config", "check"]), 0, &["no mistakes"]);
    home.write("ringwall.toml", "[server]\nlisten = \"127.0.0.1:1\"\n");
    exits(&home.run(&["config", "check"]), 0, &["ringwall.toml: no mistakes"]);
    home.write("ringwall.toml", "[sever]\nlisten = \"127.0.0.1:1\"\n");
    exits(
        &home.run(&["config", "check"]),
        3,
        &["ringwall.toml", "unknown key `sever`; did you mean `server`?"],
    );
    home.write("ringwall.toml", "[response]\nmode = \"dry\"\n");
    exits(&home.run(&["config", "check"]), 3, &["ringwall.toml", "response.mode", "dry_run"]);
    home.write("ringwall.toml", "[response]\nttl_secs = 0\n");
    exits(&home.run(&["config", "check"]), 3, &["response.ttl_secs"]);
    home.write("ringwall.toml", "[server\n");
    exits(&home.run(&["config", "check"]), 3, &["ringwall.toml", "1"]);
    exits(&home.run(&["--config", "absent.toml", "serve", "--listen", "127.0.0.1:0"]), 1, &["absent.toml"]);
    exits(&home.run(&["serve", "--listen", "127.0.0.1:0"]), 1, &["ringwall.toml"]);
    let schema = home.run(&["config", "schema"]);
    assert!(serde_json::from_str::<Value>(&schema.stdout).unwrap()["properties"]["server"].is_object());
}

#[test]
fn what_config_check_passes_a_server_does_not_refuse() {
    let home = Home::new();
    home.write("ringwall.toml", "[detection]\nrules = [\"brute_farce\"]\n");
    exits(&home.run(&["serve", "--listen", "127.0.0.1:0"]), 1, &["brute_farce", "brute_force"]);
    exits(&home.run(&["config", "check"]), 3, &["brute_farce", "brute_force"]);
}

#[test]
fn every_command_explains_itself() {
    let home = Home::new();
    let commands: [&[&str]; 15] = [
        &[],
        &["serve"],
        &["run"],
        &["log"],
        &["log", "verify"],
        &["log", "checkpoint"],
        &["log", "prove"],
        &["log", "check"],
        &["policy"],
        &["policy", "check"],
        &["config"],
        &["config", "check"],
        &["config", "show"],
        &["openapi"],
        &["completions"],
    ];
    for command in commands {
        let help = home.run(&[command, &["--help"]].concat());
        exits(&help, 0, &["Usage: ringwall"]);
        assert_eq!(help.stderr, "");
    }
    exits(&home.run(&["--version"]), 0, &["ringwall 0.1.0"]);
    exits(&home.run(&[]), 2, &["Usage"]);
    exits(&home.run(&["sevre"]), 2, &["serve"]);
    exits(&home.run(&["serve", "--listen", "nowhere"]), 2, &["nowhere"]);
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&["completions", shell]);
        assert!(script.code == 0 && script.stdout.contains("ringwall"), "{script:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let home = Home::new();
    for command in
        [&["openapi"][..], &["completions", "bash"], &["config", "show"], &["config", "schema"], &["--help"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = support::finish(home.command(command).stdout(writer));
        assert!(!ended.stderr.contains("panicked"), "{command:?}: {ended:?}");
    }
}
