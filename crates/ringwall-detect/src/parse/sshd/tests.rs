use ringwall_types::{EventFlag, TenantId, Value};

use super::*;

fn reading() -> Reading {
    Reading::new(TenantId::initial(), "2024-12-11T00:00:00Z".parse().unwrap())
}

fn parse(line: &str) -> Result<Parsed, ParseError> {
    parse_sshd_line(line.as_bytes(), &reading())
}

#[track_caller]
fn event_of(line: &str) -> SecurityEvent {
    match parse(line) {
        Ok(Parsed::Event(event)) => *event,
        other => panic!("{line}: {other:?}"),
    }
}

#[track_caller]
fn message(message: &str) -> SecurityEvent {
    event_of(&format!("Dec 10 06:55:48 LabSZ sshd[24200]: {message}"))
}

#[track_caller]
fn check(text: &str, user: &str, address: Option<&str>) {
    let event = message(text);
    assert_eq!(event.principal.as_ref().map_or("", |principal| principal.as_str()), user, "{text}");
    assert_eq!(event.source_ip.map(|ip| ip.to_string()).as_deref(), address, "{text}");
}

#[test]
fn every_frame_of_the_same_message_is_the_same_attempt() {
    let words = "Failed password for invalid user webmaster from 173.234.31.186 port 38926 ssh2";
    for frame in [
        format!("Dec 10 06:55:48 LabSZ sshd[24200]: {words}\r\n"),
        format!("<38>Dec 10 06:55:48 LabSZ sshd-session[24200]: {words}"),
        format!("2024-12-10T06:55:48Z LabSZ sshd[24200]: {words}"),
        format!("2024-12-10T07:55:48.000+01:00 LabSZ sshd: {words}"),
        format!("<38>1 2024-12-10T06:55:48Z LabSZ sshd 24200 - - {words}"),
        format!("1 2024-12-10T06:55:48Z LabSZ sshd 24200 ID [a@1 b=\"] \\\" c\"][d@1] \u{feff}{words}"),
    ] {
        let event = event_of(&frame);
        assert_eq!(event.time.to_string(), "2024-12-10T06:55:48Z", "{frame}");
        assert_eq!(event.kind, EventKind::Authentication);
        assert_eq!(event.outcome, Outcome::Failure);
        assert_eq!(event.host.as_ref().unwrap().as_str(), "LabSZ");
        assert_eq!(event.principal.as_ref().unwrap().as_str(), "webmaster");
        assert_eq!(event.source_ip.unwrap().to_string(), "173.234.31.186");
        assert_eq!(event.attributes.value("method"), Some(&Value::from("password")));
        assert_eq!(event.attributes.value("port"), Some(&Value::from(38926)));
        assert_eq!(event.attributes.value("invalid_user"), Some(&Value::from(true)));
        assert_eq!(event.flags.contains(&EventFlag::TimeNaive), frame.contains("Dec 10"), "{frame}");
    }
}

#[test]
fn a_missing_time_is_the_arrival_and_says_so() {
    let event = event_of("<38>1 - LabSZ sshd 1 - - Failed password for root from 1.2.3.4 port 5 ssh2");
    assert_eq!(event.time, reading().arrival);
    assert!(event.flags.contains(&EventFlag::TimeMissing));
}

#[test]
fn the_year_is_the_latest_that_is_not_more_than_a_day_ahead() {
    for (reference, stamp, expected) in [
        ("2025-01-01T00:10:00Z", "Dec 31 23:59:59", "2024-12-31T23:59:59Z"),
        ("2025-01-01T00:10:00Z", "Jan  1 00:00:01", "2025-01-01T00:00:01Z"),
        ("2024-12-31T12:00:00Z", "Jan  1 11:59:59", "2025-01-01T11:59:59Z"),
        ("2024-12-31T12:00:00Z", "Jan  1 12:00:01", "2024-01-01T12:00:01Z"),
        ("2023-06-01T00:00:00Z", "Feb 29 01:02:03", "2020-02-29T01:02:03Z"),
    ] {
        let reading = Reading { year_reference: reference.parse().unwrap(), ..reading() };
        let line = format!("{stamp} h sshd[1]: Failed password for root from 1.2.3.4 port 5 ssh2");
        let Ok(Parsed::Event(event)) = parse_sshd_line(line.as_bytes(), &reading) else { panic!("{line}") };
        assert_eq!(event.time.to_string(), expected, "{stamp} before {reference}");
    }
}

#[test]
fn a_name_cannot_forge_the_address() {
    check("Failed password for root from 9.9.9.9 port 5 ssh2", "root", Some("9.9.9.9"));
    check("Failed password for root from 9.9.9.9 port 5", "root", Some("9.9.9.9"));
    check(
        "Failed password for invalid user x from 1.2.3.4 port 1 ssh2 from 9.9.9.9 port 5 ssh2",
        "x from 1.2.3.4 port 1 ssh2",
        Some("9.9.9.9"),
    );
    check("Failed password for invalid user  0101 from 9.9.9.9 port 5 ssh2", " 0101", Some("9.9.9.9"));
    check("Failed password for invalid user  from 9.9.9.9 port 5 ssh2", "", Some("9.9.9.9"));
    check("Failed password for a b for c from 9.9.9.9 port 5 ssh2", "a b for c", Some("9.9.9.9"));
    check("Failed password for root from ::ffff:9.9.9.9 port 5 ssh2", "root", Some("9.9.9.9"));
    check("Failed password for root from fe80::1%eth0 port 5 ssh2", "root", Some("fe80::1"));
    check("Invalid user x from 1.2.3.4 from 9.9.9.9", "x from 1.2.3.4", Some("9.9.9.9"));
    check("Invalid user  from 9.9.9.9 port 7", "", Some("9.9.9.9"));
}

#[test]
fn the_id_of_a_certificate_cannot_forge_the_address() {
    let key = "RSA SHA256:AbC";
    check(&format!("Failed publickey for git from 9.9.9.9 port 5 ssh2: {key}"), "git", Some("9.9.9.9"));
    check(
        &format!("Failed publickey for x from 1.1.1.1 port 1 ssh2: {key} from 9.9.9.9 port 5 ssh2: {key}"),
        &format!("x from 1.1.1.1 port 1 ssh2: {key}"),
        Some("9.9.9.9"),
    );
    let certificate = "ED25519-CERT SHA256:AbC ID me (serial 0) CA ED25519 SHA256:X";
    check(
        &format!("Accepted publickey for git from 9.9.9.9 port 5 ssh2: {certificate}"),
        "git",
        Some("9.9.9.9"),
    );
    let forged = "ED25519-CERT SHA256:A ID from 6.6.6.6 port 1 ssh2: RSA SHA256:B (serial 0) CA RSA SHA256:X";
    let event = message(&format!("Failed publickey for git from 9.9.9.9 port 5 ssh2: {forged}"));
    assert_ne!(event.source_ip.map(|ip| ip.to_string()).as_deref(), Some("6.6.6.6"));
}

#[test]
fn a_host_name_is_no_address() {
    let event = message("Failed password for root from evil.example port 5 ssh2");
    assert_eq!(event.source_ip, None);
    assert_eq!(event.attributes.value("source_host"), Some(&Value::from("evil.example")));
}

#[test]
fn a_probe_for_methods_is_no_attempt() {
    let event = message("Failed none for invalid user 0 from 5.188.10.180 port 49811 ssh2");
    assert_eq!((event.outcome, event.name.as_str()), (Outcome::Unknown, "none probe"));
}

#[test]
fn a_repeated_message_counts_as_often_as_it_says() {
    let event =
        message("message repeated 5 times: [ Failed password for root from 5.36.59.76 port 42393 ssh2]");
    assert_eq!(event.count.get(), 5);
    assert_eq!(event.source_ip.unwrap().to_string(), "5.36.59.76");
    for wrong in ["0", "-1", "4294967296", "many"] {
        let line = format!(
            "Dec 10 06:55:48 h sshd[1]: message repeated {wrong} times: [ Failed password for root from 5.36.59.76 port 1 ssh2]"
        );
        assert!(parse(&line).is_err(), "{wrong}");
    }
}

#[test]
fn an_accepted_login_is_a_success() {
    let event = message("Accepted password for fztu from 119.137.62.142 port 49116 ssh2");
    assert_eq!((event.kind, event.outcome), (EventKind::Authentication, Outcome::Success));
}

#[test]
fn what_reports_the_same_attempt_again_is_no_attempt() {
    for text in [
        "Invalid user webmaster from 173.234.31.186",
        "input_userauth_request: invalid user webmaster [preauth]",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=1.2.3.4 user=root",
        "PAM 5 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=1.2.3.4 user=root",
        "reverse mapping checking getaddrinfo for a.b [1.2.3.4] failed - POSSIBLE BREAK-IN ATTEMPT!",
        "Connection closed by 212.47.254.145 [preauth]",
        "Failed to parse something",
    ] {
        if let Ok(Parsed::Event(event)) = parse(&format!("Dec 10 06:55:46 LabSZ sshd[24200]: {text}")) {
            assert_eq!((event.kind, event.outcome), (EventKind::Other, Outcome::Unknown), "{text}");
        }
    }
}

#[test]
fn other_programs_do_not_concern_us_and_other_lines_are_errors() {
    let other = "Dec 10 06:55:46 LabSZ cron[1]: Failed password for root from 1.2.3.4 port 5 ssh2";
    assert_eq!(parse(other).unwrap(), Parsed::Unrelated);
    assert_eq!(parse("Dec 10 06:55:46 LabSZ last message repeated 3 times").unwrap(), Parsed::Unrelated);
    for wrong in
        ["hello", "Foo 10 06:55:46 h sshd[1]: x", "Dec 32 06:55:46 h sshd[1]: x", "Dec 10 25:00:00 h sshd: x"]
    {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
    assert!(parse_sshd_line(b"Dec 10 06:55:46 h sshd[1]: \xff", &reading()).is_err());
    assert!(parse(&"x".repeat(crate::LINE_BYTES_MAX + 1)).unwrap_err().reason().contains("limit"));
}
