//! Hostile and broken input over HTTP: a clear refusal, never a fault, and the server goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::print_stderr, clippy::string_slice, reason = "a test tells its seed and what it skipped")]

mod support;

use std::io::{BufReader, Read, Write};

use serde_json::json;
use support::{Client, Home, READERS, Reply, Rng, fresh, moment, read_reply, read_request};

/// The body must be refused with 400, and the message must hold these words.
#[track_caller]
fn refused(client: &Client, body: impl AsRef<[u8]>, words: &[&str]) {
    let message = client.post_bytes("/v1/decide", body.as_ref()).error(400, "invalid_request");
    assert!(words.iter().all(|word| message.contains(word)), "{words:?}: {message}");
    assert!(message.len() < 2000, "{message}");
    assert_eq!(client.decide(&read_request()).status, 200);
}

/// Sends bytes as they are on a connection of their own; `None` when the server just hangs up.
fn raw(client: &Client, bytes: &[u8]) -> Option<Reply> {
    let mut stream = client.connect();
    // The server may hang up before it has read everything.
    let _ = stream.write_all(bytes);
    read_reply(&mut BufReader::new(stream)).ok()
}

#[test]
fn a_body_that_is_not_what_it_should_be_is_refused_with_its_place() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let with = |field: &str| {
        format!(r#"{{"principal":{{"id":"ann"{field}}},"action":"dataset:read","resource":{{"id":"d1"}}}}"#)
    };
    assert_eq!(admin.post_bytes("/v1/decide", with("").as_bytes()).status, 200);
    refused(&admin, with(r#","role":"x""#), &["principal", "`role`"]);
    refused(&admin, with(r#","roles":"admin""#), &["principal.roles", "sequence"]);
    refused(&admin, with(r#","kind":"usr""#), &["principal.kind", "`usr`", "`user`"]);
    refused(&admin, with(r#","id":"bob""#), &["principal", "duplicate field `id`"]);
    refused(&admin, with(r#","attributes":{"a":1,"a":2}"#), &["principal.attributes", "`a`"]);
    refused(&admin, with(r#","attributes":{"a":NaN}"#), &["line 1"]);
    refused(&admin, with(r#","attributes":{"a":1e999}"#), &["principal.attributes", "range"]);
    refused(&admin, with(r#","attributes":{"a":9223372036854775808}"#), &["principal.attributes", "as text"]);
    refused(&admin, with(r#","attributes":{"clearance":"top_secret"}"#), &["`principal.clearance`"]);
    refused(&admin, with(r#","attributes":{"a":"\ud800"}"#), &["principal.attributes"]);
    refused(&admin, with("").replace("dataset:read", "read"), &["action", "`read`"]);
    refused(&admin, with("").replace("\"d1\"", "\"\""), &["resource.id", "empty"]);
    refused(&admin, with("").replace("\"d1\"", "\"a\\nb\""), &["resource.id"]);
    refused(
        &admin,
        with("").replace("\"d1\"", &format!("\"{}\"", "x".repeat(1025))),
        &["resource.id", "1024"],
    );
    refused(&admin, with("") + "x", &["trailing"]);
    refused(&admin, with("") + &with(""), &["trailing"]);
    refused(&admin, "", &["EOF"]);
    refused(&admin, "[]", &[]);
    refused(&admin, "null", &[]);
    refused(&admin, "\u{feff}{}", &[]);
    refused(&admin, [&b"{\"principal\":{\"id\":\""[..], b"\xff\xfe", b"\"}}"].concat(), &["principal.id"]);
}

#[test]
fn a_whole_number_is_never_rounded_on_the_quiet() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    for number in
        ["18446744073709551615", "18446744073709551616", "18446744073709551617", "-9223372036854775809"]
    {
        let body = read_request()
            .to_string()
            .replace("\"ann\"", &format!("\"ann\",\"attributes\":{{\"a\":{number}}}"));
        refused(&admin, body, &["principal.attributes", "as text"]);
    }
}

#[test]
fn deep_and_wide_bodies_are_refused_before_they_hurt() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let attributes = |value: &str| {
        let mut body = read_request();
        body["principal"]["attributes"] = json!({ "x": 0 });
        body.to_string().replace("\"x\":0", &format!("\"x\":{value}"))
    };
    refused(&admin, attributes(&("[".repeat(10_000) + &"]".repeat(10_000))), &["principal.attributes"]);
    refused(
        &admin,
        attributes(&("{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000))),
        &["principal.attributes"],
    );
    refused(&admin, "[".repeat(100_000), &[]);
    refused(&admin, attributes(&format!("[{}1]", "1,".repeat(100_000))), &["principal.attributes"]);
    refused(&admin, attributes(&format!("\"{}\"", "x".repeat(500_000))), &["principal.attributes"]);
}

#[test]
fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let home = Home::new();
    let config = home.write("small.toml", "[server]\nbody_bytes_max = 1000\nevents_body_bytes_max = 2000\n");
    let (_server, admin) = fresh(&home, &["--config", config.to_str().unwrap()]);
    let mut body = read_request().to_string();
    body.push_str(&" ".repeat(1000 - body.len()));
    assert_eq!(admin.post_bytes("/v1/decide", body.as_bytes()).status, 200);
    body.push(' ');
    let message = admin.post_bytes("/v1/decide", body.as_bytes()).error(413, "body_too_large");
    assert!(message.contains("1000 bytes"), "{message}");
    assert_eq!(admin.events(&"\n".repeat(2000)).status, 200);
    admin.events(&"\n".repeat(2001)).error(413, "body_too_large");
    admin.put_policies(&" ".repeat(64 << 20)).error(413, "body_too_large");
    // Nor does it help not to say how long the body is.
    let key = admin.key.as_deref().unwrap();
    let head = format!(
        "POST /v1/decide HTTP/1.1\r\nhost: r\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    let chunks = "200\r\n".to_owned() + &" ".repeat(512) + "\r\n";
    let reply = raw(&admin, (head + &chunks.repeat(3) + "0\r\n\r\n").as_bytes()).unwrap();
    reply.error(413, "body_too_large");
    assert_eq!(admin.get("/healthz").status, 200);
}

#[test]
fn only_clocks_that_agree_are_believed() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let at = |secs: i64| {
        let mut request = read_request();
        request["environment"] = json!({ "time": moment(secs) });
        admin.decide(&request)
    };
    for secs in [3600, -3600] {
        assert!(at(secs).error(400, "clock_skew").contains("environment.time"));
    }
    for secs in [60, -60] {
        assert_eq!(at(secs).status, 200);
    }
    for wrong in ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "9999999-01-01T00:00:00Z", ""] {
        let mut request = read_request();
        request["environment"] = json!({ "time": wrong });
        refused(&admin, request.to_string(), &["environment.time"]);
    }
}

#[test]
fn a_body_must_say_that_it_is_json() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let body = read_request().to_string();
    let send = |headers: &[(&str, &str)]| admin.send("POST", "/v1/decide", headers, body.as_bytes());
    for right in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(send(&[("content-type", right)]).status, 200);
    }
    for wrong in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", ""]
    {
        assert!(send(&[("content-type", wrong)]).error(400, "invalid_request").contains("application/json"));
    }
    send(&[]).error(400, "invalid_request");
}

#[test]
fn a_request_id_is_echoed_only_when_it_is_one() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let echo = |id: &str| {
        let reply = admin.send("GET", "/v1/threats", &[("x-request-id", id)], b"");
        assert_eq!(reply.status, 200);
        reply.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(echo("trace-1:a/b_c.d"), "trace-1:a/b_c.d");
    let long = "x".repeat(129);
    for wrong in ["", "a b", "a\tb", "<script>", "é", "a;b", "%0d%0a", long.as_str()] {
        let id = echo(wrong);
        assert!(id.starts_with("req_") && id.len() == 36, "{wrong}: {id}");
    }
    let missing = admin.send("GET", "/v1/threats/none", &[("x-request-id", "mine")], b"");
    missing.error(404, "not_found");
    assert_eq!(missing.text_at("/error/request_id"), "mine");
}

#[test]
fn ids_that_are_paths_or_worse_find_nothing() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    for id in [
        "../keys",
        "..%2f..%2fkeys",
        "%2e%2e%2fsigning.key",
        "%00",
        "%0d%0ax:%20y",
        "a'%20OR%20'1'='1",
        "%25",
    ] {
        for place in ["decisions", "threats", "log/proof"] {
            let reply = admin.get(&format!("/v1/{place}/{id}"));
            assert!(matches!(reply.status, 400 | 404), "{place}/{id}: {reply:?}");
            reply.error(reply.status, if reply.status == 400 { "invalid_request" } else { "not_found" });
        }
    }
    for index in
        ["-1", "18446744073709551616", "18446744073709551615", "9223372036854775808", "1e3", "0x0", "+1 "]
    {
        let reply = admin.get(&format!("/v1/log/proof/{}", index.replace(' ', "%20")));
        assert!(matches!(reply.status, 400 | 404), "{index}: {reply:?}");
    }
}

#[test]
fn an_id_that_is_no_text_is_refused_like_every_other() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.get("/v1/threats/%ff").error(400, "invalid_request");
    admin.get("/v1/decisions/%c3%28").error(400, "invalid_request");
}

#[test]
fn an_unknown_query_parameter_is_refused_by_name() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    for (path, name) in [("/v1/threats?limti=3", "`limti`"), ("/v1/threats?limit=many", "limit")] {
        assert!(admin.get(path).error(400, "invalid_request").contains(name));
    }
    let reply = admin.send("POST", "/v1/events?fromat=sshd", &[], b"");
    assert!(reply.error(400, "invalid_request").contains("`fromat`"));
    let reply = admin.send("POST", "/v1/events?format=sshd&format=ndjson", &[], b"");
    reply.error(400, "invalid_request");
}

#[test]
fn what_does_not_exist_is_said_so_in_the_same_form() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    for path in ["/", "/v1", "/v1/decide/", "/v2/decide", "/v1/../healthz", "//healthz"] {
        admin.get(path).error(404, "not_found");
    }
    admin.get("/v1/decide").error(405, "method_not_allowed");
    admin.send("PATCH", "/v1/policies", &[], b"").error(405, "method_not_allowed");
    admin.send("BREW", "/v1/decide", &[], b"").error(405, "method_not_allowed");
}

#[test]
fn broken_http_is_hung_up_on() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let many = "GET /healthz HTTP/1.1\r\nhost: r\r\n".to_owned() + &"a: b\r\n".repeat(10_000) + "\r\n";
    let long = format!("GET /{} HTTP/1.1\r\nhost: r\r\n\r\n", "x".repeat(1 << 20));
    let smuggled =
        "POST /v1/setup HTTP/1.1\r\nhost: r\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello";
    let folded = "GET /healthz HTTP/1.1\r\nhost: r\r\nx-request-id: a\r\n b\r\n\r\n";
    let split = "GET /healthz HTTP/1.1\r\nhost: r\r\nx-request-id: a\nset-cookie: b\r\n\r\n";
    for (name, bytes) in [
        ("10 000 headers", many.as_bytes()),
        ("a long path", long.as_bytes()),
        ("two lengths", smuggled.as_bytes()),
        ("a folded header", folded.as_bytes()),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        ("a NUL", b"GET /\0 HTTP/1.1\r\n\r\n"),
    ] {
        let reply = raw(&admin, bytes);
        assert!(reply.as_ref().is_none_or(|reply| matches!(reply.status, 400..500)), "{name}: {reply:?}");
    }
    let reply = raw(&admin, split.as_bytes());
    assert!(reply.is_none_or(|reply| reply.header("set-cookie").is_none()));
    assert_eq!(admin.get("/healthz").status, 200);
}

#[test]
fn who_sends_a_head_too_slowly_is_hung_up_on() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let mut slow = admin.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: r\r\n").unwrap();
    // The read ends because the server hangs up, long before the deadline of the connection.
    let mut told = Vec::new();
    slow.read_to_end(&mut told).unwrap();
    assert!(told.is_empty() || told.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&told));
}

#[test]
fn a_stranger_who_never_sends_a_body_is_hung_up_on() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    let mut slow = admin.connect();
    slow.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    slow.write_all(
        b"POST /v1/setup HTTP/1.1\r\nhost: r\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{",
    )
    .unwrap();
    let ended = slow.read_to_end(&mut Vec::new());
    assert!(ended.is_ok(), "a connection without a key is held for as long as the stranger likes: {ended:?}");
}

#[test]
fn strangers_who_try_keys_in_bulk_are_slowed_down_and_others_are_not() {
    let home = Home::new();
    let (server, admin) = fresh(&home, &[]);
    let stranger = server.with_key("rw_0_0");
    let replies: Vec<_> = (0..40).map(|_| stranger.get("/v1/threats")).collect();
    assert_eq!(replies[0].status, 401);
    let slowed = replies.iter().find(|reply| reply.status == 429).expect("a limit");
    slowed.error(429, "rate_limited");
    assert!(slowed.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert!(replies.iter().all(|reply| matches!(reply.status, 401 | 429)));
    let token = json!({ "token": "setup_x" });
    assert_eq!(server.as_stranger().post("/v1/setup", &token).status, 429);
    assert_eq!(admin.get("/v1/threats").status, 200);
    assert_eq!(server.as_stranger().get("/healthz").status, 200);
}

#[test]
fn a_key_that_asks_too_often_is_slowed_down() {
    let home = Home::new();
    let config = home.write("slow.toml", "[server]\nrate_per_key_per_sec = 1\nburst_per_key = 5\n");
    let (_server, admin) = fresh(&home, &["--config", config.to_str().unwrap()]);
    let replies: Vec<_> = (0..10).map(|_| admin.get("/v1/threats")).collect();
    assert_eq!(replies[..5].iter().filter(|reply| reply.status == 200).count(), 5);
    replies.iter().find(|reply| reply.status == 429).expect("a limit").error(429, "rate_limited");
}

/// Changes a body a little: bytes flipped, cut, doubled, or replaced by what parsers stumble over.
fn mutate(rng: &mut Rng, body: &[u8]) -> Vec<u8> {
    const PIECES: [&[u8]; 14] = [
        b"\"", b"{", b"}", b"[", b"]", b":", b",", b"null", b"-1", b"1e400", b"\\u0000", b"\xff", b"\\ud800",
        b"\n",
    ];
    let mut body = body.to_vec();
    for _ in 0..=rng.below(4) {
        let place = rng.below(body.len().max(1));
        match rng.below(5) {
            0 if !body.is_empty() => body[place] ^= 1 << rng.below(8),
            1 => body.truncate(place),
            2 => drop(body.splice(place..place, PIECES[rng.below(PIECES.len())].iter().copied())),
            3 if !body.is_empty() => drop(body.remove(place)),
            _ => {
                let end = (place + rng.below(20)).min(body.len());
                let piece = body[place.min(end)..end].to_vec();
                body.extend(piece);
            }
        }
    }
    body
}

#[test]
fn two_thousand_broken_bodies_break_nothing() {
    let home = Home::new();
    let (_server, admin) = fresh(&home, &[]);
    admin.put_policies(READERS);
    let mut rng = Rng::new(20_261_122);
    let mut request = read_request();
    request["environment"] = json!({ "source_ip": "198.51.100.1", "geo": { "country": "DE" }, "zone": "z" });
    request["principal"]["attributes"] = json!({ "a": [1, 2.5, { "b": true }], "c": "d" });
    request["parameters"] = json!({ "n": 7 });
    request["idempotency_key"] = json!("fuzz");
    let event = json!({ "type": "login", "user": "u", "ip": "10.0.0.1", "failed": true, "n": { "m": 1 } });
    let key = json!({ "name": "n", "tenant": "t", "scopes": ["read"] });
    let bodies = [
        ("POST", "/v1/decide", request.to_string()),
        ("POST", "/v1/events", format!("{event}\n{event}")),
        (
            "POST",
            "/v1/events?format=sshd",
            "Dec 10 06:55:48 h sshd[1]: Failed password for u from 1.2.3.4 port 5 ssh2".into(),
        ),
        ("PUT", "/v1/policies", READERS.to_owned()),
        ("POST", "/v1/keys", key.to_string()),
    ];
    for round in 0..2000 {
        // Most of them decisions: each policy or event that is accepted costs a write to the disk.
        let (method, path, body) = &bodies[if rng.below(2) == 0 { 0 } else { rng.below(bodies.len()) }];
        let body = mutate(&mut rng, body.as_bytes());
        let reply = admin.send(method, path, &[("content-type", "application/json")], &body);
        let shown = String::from_utf8_lossy(&body);
        assert!(reply.status < 500, "round {round}, {path}: {reply:?} to {shown}");
        if reply.status >= 400 {
            reply.error(reply.status, &reply.text_at("/error/code"));
        }
    }
    assert_eq!(admin.get("/readyz").status, 200);
    home.verify();
}
