use ringwall_types::TenantId;

use super::*;

fn reading() -> Reading {
    Reading::new(TenantId::initial(), "2024-12-11T00:00:00Z".parse().unwrap())
}

fn parse(line: &str) -> Result<Parsed, ParseError> {
    parse_ndjson_line(line.as_bytes(), &reading())
}

#[track_caller]
fn event_of(line: &str) -> SecurityEvent {
    match parse(line) {
        Ok(Parsed::Event(event)) => *event,
        other => panic!("{line}: {other:?}"),
    }
}

#[track_caller]
fn refused(line: &str, reason: &str) {
    let error = parse(line).expect_err(line);
    assert!(error.reason().contains(reason), "{line}: {error}");
}

#[test]
fn the_guides_words_are_understood() {
    let event = event_of(
        r#"{"type":"login","user":"admin","ip":"192.168.1.100","failed":true,"timestamp":"2024-01-01T10:00:00Z"}"#,
    );
    assert_eq!(
        (event.kind, event.outcome, event.name.as_str()),
        (EventKind::Authentication, Outcome::Failure, "login")
    );
    assert_eq!(event.principal.unwrap().as_str(), "admin");
    assert_eq!(event.source_ip.unwrap().to_string(), "192.168.1.100");
    assert!(event.flags.is_empty() && event.attributes.is_empty());

    let event = event_of(
        r#"{"type":"download","user_id":"u","size_bytes":"500MB","file":"/a","time":"2024-01-01T10:00:00",
            "target":"t","host":"h","sensitivity":"confidential","id":"e1","source":"s","outcome":"success","count":2}"#,
    );
    assert_eq!((event.kind, event.bytes, event.count.get()), (EventKind::DataTransfer, Some(500_000_000), 2));
    assert_eq!(event.time.to_string(), "2024-01-01T10:00:00Z");
    assert!(event.flags.contains(&EventFlag::TimeNaive));
    assert_eq!((event.outcome, event.resource.unwrap().as_str()), (Outcome::Success, "/a"));
}

#[test]
fn an_unknown_type_is_kept_by_its_name_and_a_missing_time_is_the_arrival() {
    let event = event_of(r#"{"type":"coffee","strength":1.5,"deep":{"a":[0.5,1]},"nothing":null,"big":3.0}"#);
    assert_eq!(
        (event.kind, event.name.as_str(), event.time),
        (EventKind::Other, "coffee", reading().arrival)
    );
    assert!(event.flags.contains(&EventFlag::TimeMissing));
    assert_eq!(event.attributes.value("strength"), Some(&Value::from("1.5")));
    assert_eq!(
        event.attributes.at(["deep", "a"]),
        Some(&Value::List(vec![Value::from("0.5"), Value::from(1)]))
    );
    assert_eq!(event.attributes.value("big"), Some(&Value::from(3)));
    assert_eq!(event.attributes.value("nothing"), None);
}

#[test]
fn what_is_wrong_is_refused_with_a_reason() {
    for (line, reason) in [
        ("[]", "no JSON object"),
        ("7", "no JSON object"),
        ("{", "no JSON object"),
        (r#"{"type":"login"} x"#, "no JSON object"),
        (r#"{"type":"login","a":NaN}"#, "no JSON object"),
        (r#"{"user":"a"}"#, "needs `type`"),
        (r#"{"type":""}"#, "is empty"),
        (r#"{"type":7}"#, "`type` must be text"),
        (r#"{"type":"login","user":"a","user_id":"a"}"#, "say the same thing"),
        (r#"{"type":"login","failed":true,"outcome":"failure"}"#, "say the same thing"),
        (r#"{"type":"login","user":"a","user":"b"}"#, "given twice"),
        (r#"{"type":"login","user":7}"#, "`user` must be text"),
        (r#"{"type":"login","failed":"yes"}"#, "`failed` must be true or false"),
        (r#"{"type":"login","ip":"1.2.3"}"#, "ip address"),
        (r#"{"type":"login","timestamp":"yesterday"}"#, "time"),
        (r#"{"type":"login","timestamp":1704103200}"#, "`timestamp` must be text"),
        (r#"{"type":"login","timestamp":"2024-01-01"}"#, "time"),
        (r#"{"type":"login","count":0}"#, "`count` is 0"),
        (r#"{"type":"login","count":1.5}"#, "`count` must be a whole number"),
        (r#"{"type":"login","bytes":-1}"#, "must not be negative"),
        (r#"{"type":"login","bytes":"5 parsecs"}"#, "no amount of data"),
        (r#"{"type":"login","outcome":"failur"}"#, "did you mean `failure`?"),
        (r#"{"type":"login","sensitivity":"secretish"}"#, "sensitivity"),
        (r#"{"type":"login","tenant":"other"}"#, "not the caller's"),
        (r#"{"type":"login","user":""}"#, "must not be empty"),
    ] {
        refused(line, reason);
    }
    assert!(parse_ndjson_line(b"{\"type\":\"\xff\"}", &reading()).unwrap_err().reason().contains("UTF-8"));
    refused(&format!(r#"{{"type":"login","a":"{}"}}"#, "x".repeat(crate::LINE_BYTES_MAX)), "limit");
    refused(&format!(r#"{{"type":"login","a":{}{}}}"#, "[".repeat(40), "]".repeat(40)), "nested");
    refused(&format!(r#"{{"type":"{}"}}"#, "x".repeat(129)), "limit is 128");
}

#[test]
fn a_serialized_event_reads_back_as_itself() {
    let mut event = SecurityEvent::new(TenantId::initial(), reading().arrival, EventKind::Connection);
    event.host = Some("h".parse().unwrap());
    event.attributes.insert("x", 1_i64);
    let line = serde_json::to_string(&event).unwrap();
    assert_eq!(event_of(&line), event);
    refused(&line.replace("\"default\"", "\"other\""), "not the caller's");
    refused(&line.replace("\"host\"", "\"hots\""), "did you mean `host`?");
}
