//! Start, stop, start again: what a server makes, what it keeps, and when it refuses to start.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::print_stderr, clippy::string_slice, reason = "a test tells its seed and what it skipped")]

mod support;

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{
    Home, Output, READERS, Server, finish, fresh, guide_events, has_tool, moment, read_from, read_reply,
    read_request,
};

/// The server must refuse to start, with exit code 1 and a message that holds these words.
#[track_caller]
fn refused(home: &Home, arguments: &[&str], words: &[&str]) -> Output {
    let Err(ended) = Server::try_start(home, arguments) else { panic!("the server started") };
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.starts_with("ringwall: "), "{ended:?}");
    assert!(words.iter().all(|word| ended.stderr.contains(word)), "{words:?}: {ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    ended
}

fn mode(place: &Path) -> u32 {
    fs::metadata(place).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_makes_files_for_its_owner_alone_and_a_token_that_works_once() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    assert_eq!(mode(&home.data()), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(home.data()).unwrap() {
        let place = entry.unwrap().path();
        assert_eq!(mode(&place), 0o600, "{}", place.display());
        files += 1;
    }
    assert!(files >= 5);
    let public = fs::read_to_string(home.data().join("signing.pub")).unwrap();
    assert_eq!(public.trim(), server.log_key);

    let token = server.token();
    let stranger = server.as_stranger();
    let exchange = |token: &str| stranger.post("/v1/setup", &json!({ "token": token }));
    exchange("setup_wrong").error(403, "forbidden");
    let first = exchange(&token);
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(
        (first.text_at("/tenant"), first.json()["scopes"].as_array().unwrap().len()),
        ("default".into(), 7)
    );
    exchange(&token).error(403, "forbidden");
    let key = first.text_at("/api_key");
    assert_eq!(server.with_key(&key).get("/v1/keys").status, 200);
    assert_eq!(server.stop(), ["stopped"]);
    // Neither token nor key stands in any file.
    let secret = key.rsplit('_').next().unwrap();
    for entry in fs::read_dir(home.data()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for word in [secret, token.as_str()] {
            assert!(!bytes.windows(word.len()).any(|found| found == word.as_bytes()));
        }
    }
}

#[test]
fn of_many_who_exchange_the_token_at_once_one_gets_a_key() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let (token, address) = (server.token(), server.address);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let exchange =
            || support::Client::new(address, None).post("/v1/setup", &json!({ "token": token })).status;
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(exchange)).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 403)), "{statuses:?}");
}

#[test]
fn a_token_that_nobody_used_is_replaced_at_the_next_start() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let old = server.token();
    server.stop();
    let server = Server::start(&home, &[]);
    let new = server.token();
    let exchange = |token: &str| server.as_stranger().post("/v1/setup", &json!({ "token": token })).status;
    assert_eq!((exchange(&old), exchange(&new)), (403, 201));
}

#[test]
fn the_second_start_goes_on_where_the_first_one_stopped() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let key = admin.key.clone().unwrap();
    admin.put_policies(READERS);
    admin.events(&guide_events("admin", "203.0.113.9"));
    let first = admin.decide(&read_request()).json();
    let kept = ["/v1/policies", "/v1/threats", "/v1/responses", "/v1/keys", "/v1/log/key"];
    let before = kept.map(|path| admin.get(path).body);
    let log_key = server.log_key.clone();
    server.stop();

    let server = Server::start(&home, &[]);
    let admin = server.with_key(&key);
    assert_eq!(server.log_key, log_key);
    assert_eq!(kept.map(|path| admin.get(path).body), before);
    assert_eq!(admin.decide(&read_from("203.0.113.9")).text_at("/reasons/0/code"), "address_blocked");
    let next = admin.decide(&read_request());
    assert_eq!(next.text_at("/decision"), "allow");
    assert!(next.number_at("/log_index") > first["log_index"].as_u64().unwrap());
    let id = first["decision_id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("/v1/decisions/{id}")).json()["log_index"], first["log_index"]);
    // Nothing but the last word is printed: no token.
    assert_eq!(server.stop(), ["stopped"]);
    home.verify();
}

#[test]
fn after_a_clean_stop_every_file_is_whole_by_itself() {
    let home = Home::new();
    fresh(&home, &[]).0.stop();
    for name in ["log.db-wal", "index.db-wal", "state.db-wal"] {
        let left = fs::metadata(home.data().join(name)).map_or(0, |file| file.len());
        assert_eq!(left, 0, "{name}: a copy of the file alone would miss what is in here");
    }
}

#[test]
fn a_revoked_key_stays_revoked() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let key = support::make_key(&admin, "default", &["read"]);
    let id = key.split('_').nth(1).unwrap();
    let guest = server.with_key(&key);
    assert_eq!(guest.get("/v1/threats").status, 200);
    assert_eq!(admin.delete(&format!("/v1/keys/{id}")).status, 204);
    guest.get("/v1/threats").error(401, "unauthenticated");
    admin.delete(&format!("/v1/keys/{id}")).error(404, "not_found");
    server.stop();
    let server = Server::start(&home, &[]);
    server.with_key(&key).get("/v1/threats").error(401, "unauthenticated");
}

/// An upload that is under way when the signal comes is finished, and a new one is not begun.
#[track_caller]
fn finishes_what_is_under_way(signal: &str) {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let note = format!("{}\n", json!({ "type": "note", "user": "ann", "timestamp": moment(-1) }));
    let events = guide_events("admin", "203.0.113.9") + &note.repeat(1996);
    let key = admin.key.as_deref().unwrap();
    let mut upload = support::Client::new(server.address, None).connect();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: ringwall\r\nauthorization: Bearer {key}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        events.len()
    );
    upload.write_all(head.as_bytes()).unwrap();
    let mut told = [0; 25];
    upload.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n", "the server has begun to read the body");
    let (early, late) = events.as_bytes().split_at(events.len() / 2);
    upload.write_all(early).unwrap();
    server.signal(signal);
    // The signal has arrived when nobody new is let in.
    let refused = (0..1_000_000).any(|_| TcpStream::connect(server.address).is_err());
    assert!(refused, "the server goes on to listen");
    upload.write_all(late).unwrap();
    let reply = read_reply(&mut BufReader::new(upload)).unwrap();
    assert_eq!((reply.status, reply.number_at("/accepted")), (200, 2000), "{reply:?}");
    assert_eq!(reply.json()["detected"], true);
    server.stopped();
    let events = home.records().iter().filter(|record| record.body.kind() == "event").count();
    assert_eq!(events, 2000);
    home.verify();
}

#[test]
fn a_termination_finishes_the_upload_under_way() {
    finishes_what_is_under_way("TERM");
}

#[test]
fn an_interrupt_finishes_the_upload_under_way() {
    finishes_what_is_under_way("INT");
}

#[test]
fn who_never_finishes_an_upload_cannot_keep_the_server_from_stopping() {
    let home = Home::new();
    let config = home.write("short.toml", "[server]\ndrain_secs = 1\n");
    let (server, admin) = fresh(&home, &["--config", config.to_str().unwrap()]);
    let mut upload = admin.connect();
    let key = admin.key.as_deref().unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: ringwall\r\nauthorization: Bearer {key}\r\ncontent-length: 100\r\n\
         expect: 100-continue\r\n\r\n"
    );
    upload.write_all(head.as_bytes()).unwrap();
    upload.read_exact(&mut [0; 25]).unwrap();
    let idle = admin.connect();
    server.stop();
    drop((upload, idle));
}

#[test]
fn a_signal_right_after_the_start_stops_the_server_in_good_order() {
    let home = Home::new();
    for _ in 0..12 {
        let server = Server::start(&home, &[]);
        server.stop();
    }
}

#[test]
fn the_open_network_needs_tls_or_a_danger() {
    let home = Home::new();
    refused(
        &home,
        &["--listen", "0.0.0.0:0"],
        &["0.0.0.0:0 is not a loopback address", "server.tls.certificate", "--danger-listen-without-tls"],
    );
    assert!(!home.data().exists(), "nothing is made before it can start");
    refused(&home, &["--listen", "[::]:0"], &["is not a loopback address"]);
    let server = Server::start(&home, &["--listen", "0.0.0.0:0", "--danger-listen-without-tls"]);
    assert!(server.url.starts_with("http://0.0.0.0:"), "{}", server.url);
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    assert_eq!(support::Client::new(local, None).get("/readyz").status, 200);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    let other = Home::new();
    let taken = server.address.to_string();
    refused(&other, &["--listen", &taken], &["cannot listen on", &taken]);
    assert!(!other.data().exists(), "who cannot listen touches no data");
}

#[test]
fn one_process_at_a_time_uses_a_directory() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    refused(&home, &[], &[home.data().to_str().unwrap()]);
    assert_eq!(admin.decide(&read_request()).status, 200);
    // Reading the log needs no lock.
    home.verify();
}

#[test]
fn of_two_first_starts_at_once_one_wins_and_its_key_fits_its_log() {
    for _ in 0..6 {
        let home = Home::new();
        let mut racers: Vec<_> = (0..4)
            .map(|_| {
                home.command(&["serve", "--listen", "127.0.0.1:0"])
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut winners = 0;
        for racer in &mut racers {
            let mut first = String::new();
            let mut stdout = BufReader::new(racer.stdout.take().unwrap());
            std::io::BufRead::read_line(&mut stdout, &mut first).unwrap();
            if first.starts_with("ringwall 0.1.0 listens on") {
                winners += 1;
                // A first record, so that the log is sealed with the winner's key.
                let url = first.trim().rsplit("://").next().unwrap().parse().unwrap();
                let mut lines = std::io::BufRead::lines(stdout).map_while(Result::ok);
                let token =
                    lines.find_map(|line| line.strip_prefix("setup token: ").map(str::to_owned)).unwrap();
                assert!(lines.next().is_some_and(|line| line.starts_with("exchange it once")));
                let made = support::Client::new(url, None).post("/v1/setup", &json!({ "token": token }));
                assert_eq!(made.status, 201);
            }
        }
        for mut racer in racers {
            racer.kill().unwrap();
            racer.wait().unwrap();
        }
        assert!(winners <= 1, "{winners} processes use one directory");
        let server = Server::start(&home, &[]);
        server.stop();
        home.verify();
    }
}

#[test]
fn a_log_without_its_key_is_not_gone_on_with() {
    let home = Home::new();
    let (server, _) = fresh(&home, &[]);
    server.stop();
    let (place, aside) = (home.data().join("signing.key"), home.path("aside"));
    fs::rename(&place, &aside).unwrap();
    refused(&home, &[], &["signing.key is missing", "put the key back"]);
    assert!(!place.exists(), "no other key was made");
    for wrong in ["", "ringwall-signing-key-v1 x AAAA\n", "\u{fffd}"] {
        fs::write(&place, wrong).unwrap();
        refused(&home, &[], &["signing.key"]);
    }
    let other = Home::new();
    fresh(&other, &[]).0.stop();
    fs::copy(other.data().join("signing.key"), &place).unwrap();
    refused(&home, &[], &["was not sealed with this key"]);
    fs::rename(&aside, &place).unwrap();
    Server::start(&home, &[]).stop();
    home.verify();
}

#[test]
fn files_of_a_newer_version_are_left_alone() {
    for name in ["log.db", "state.db"] {
        let home = Home::new();
        fresh(&home, &[]).0.stop();
        // Bytes 60 to 63 of an SQLite file are its `user_version`.
        let file = File::options().write(true).open(home.data().join(name)).unwrap();
        file.write_all_at(&99u32.to_be_bytes(), 60).unwrap();
        let before = fs::read(home.data().join(name)).unwrap();
        refused(&home, &[], &[name, "99"]);
        assert_eq!(fs::read(home.data().join(name)).unwrap(), before);
    }
}

#[test]
fn a_file_in_place_of_the_directory_is_named() {
    let home = Home::new();
    home.write("data", "a file");
    refused(&home, &[], &[home.data().to_str().unwrap()]);
}

/// A mount that ends with the test.
struct Mount(std::path::PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let home = Home::new();
    fresh(&home, &[]).0.stop();
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["--bind", "-o", options]).arg(home.data()).arg(home.data()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !mount("bind") {
        assert!(std::env::var_os("RINGWALL_REQUIRE_TOOLS").is_none(), "no file system can be mounted");
        return eprintln!("SKIPPED: no file system can be mounted here");
    }
    let _mount = Mount(home.data());
    assert!(mount("remount,bind,ro"));
    refused(&home, &[], &[home.data().to_str().unwrap(), "is not writable"]);
    home.verify();
}

#[test]
fn tls_works_and_plain_text_does_not_reach_behind_it() {
    if !has_tool("openssl") || !has_tool("curl") {
        return;
    }
    let home = Home::new();
    let made = finish(Command::new("openssl").current_dir(home.path("")).args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]));
    assert_eq!(made.code, 0, "{made:?}");
    let config = home.write("tls.toml", "[server.tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n");
    let server = Server::start(&home, &["--config", config.to_str().unwrap(), "--listen", "0.0.0.0:0"]);
    let port = server.address.port();
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let ask = |arguments: &[&str], url: &str| {
        finish(
            Command::new("curl")
                .current_dir(home.path(""))
                .args(["-sS", "-m", "30"])
                .args(arguments)
                .arg(url),
        )
    };
    let url = format!("https://127.0.0.1:{port}/healthz");
    let answer = ask(&["--cacert", "cert.pem"], &url);
    assert_eq!((answer.code, answer.stdout.as_str()), (0, r#"{"status":"alive"}"#), "{answer:?}");
    assert_eq!(ask(&["--cacert", "cert.pem", "--tls-max", "1.2"], &url).code, 0);
    assert_ne!(ask(&[], &url).code, 0, "a certificate that nobody vouches for");
    assert_ne!(ask(&["--cacert", "cert.pem", "--tls-max", "1.1"], &url).code, 0);
    assert_ne!(ask(&[], &format!("http://127.0.0.1:{port}/healthz")).code, 0, "plain text");
    server.stop();
    home.write("cert.pem", "no certificate");
    refused(&home, &["--config", config.to_str().unwrap()], &["cert.pem"]);
}

#[test]
fn the_environment_wins_over_the_file_and_the_command_line_over_both() {
    let home = Home::new();
    home.write("ringwall.toml", "[response]\nttl_secs = 60\nmode = \"off\"\n");
    let show = |variables: &[(&str, &str)], arguments: &[&str]| {
        let shown = finish(home.command(arguments).args(["config", "show"]).envs(variables.iter().copied()));
        assert_eq!(shown.code, 0, "{shown:?}");
        serde_json::from_str::<Value>(&shown.stdout).unwrap()
    };
    let shown = show(&[("RINGWALL_RESPONSE__TTL_SECS", "120")], &[]);
    assert_eq!((&shown["response"]["ttl_secs"], &shown["response"]["mode"]), (&json!(120), &json!("off")));
    assert_eq!(shown["data"]["directory"], json!(home.data()));
    let unknown = finish(home.command(&["config", "check"]).env("RINGWALL_RESPONSE__TTL_SEC", "1"));
    assert_eq!(unknown.code, 3);
    assert!(
        unknown.stderr.contains("environment: unknown key `ttl_sec`; did you mean `ttl_secs`?"),
        "{unknown:?}"
    );
}

#[test]
fn the_variable_of_the_log_level_is_no_unknown_key() {
    let home = Home::new();
    let checked = finish(home.command(&["config", "check"]).env("RINGWALL_LOG", "info"));
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn a_policy_file_is_in_force_from_the_start_and_a_bad_one_prevents_it() {
    let home = Home::new();
    let good = home.write("good.yaml", READERS);
    let (server, admin) = fresh(&home, &["--policies", good.to_str().unwrap()]);
    let key = admin.key.clone().unwrap();
    assert_eq!(admin.decide(&read_request()).text_at("/decision"), "allow");
    server.stop();
    let server = Server::start(&home, &["--policies", good.to_str().unwrap()]);
    assert_eq!(server.with_key(&key).decide(&read_request()).json()["policy_epoch"], 1);
    server.stop();
    let bad = home.write("bad.yaml", READERS.replace("equals", "equal"));
    refused(&home, &["--policies", bad.to_str().unwrap()], &["bad.yaml", "line 5", "did you mean `equals`?"]);
    refused(&home, &["--policies", "absent.yaml"], &["absent.yaml"]);
    let server = Server::start(&home, &[]);
    assert_eq!(server.with_key(&key).get("/v1/policies").text(), READERS);
}

#[test]
fn events_that_nobody_judged_before_a_stop_are_judged_at_the_next_start() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let lines = guide_events("admin", "203.0.113.9");
    let (first, rest) = lines.split_at(lines.find('\n').unwrap() + 1);
    admin.events(first);
    server.stop();
    let server = Server::start(&home, &[]);
    let admin = server.with_key(admin.key.as_deref().unwrap());
    admin.events(rest);
    assert_eq!(admin.get("/v1/threats").json()["threats"][0]["count"], 3);
    assert_eq!(admin.decide(&read_from("203.0.113.9")).text_at("/decision"), "deny");
}
