use std::collections::BTreeMap;

use proptest::prelude::*;
use ringwall_types::{EventKind, Outcome, SecurityEvent, TenantId};

use super::*;
use crate::testdata::{OPENSSH_TRUTH, Openssh, openssh};

fn reading() -> Reading {
    Reading::new(TenantId::initial(), "2024-12-11T00:00:00Z".parse().unwrap())
}

#[test]
fn one_bad_line_never_costs_the_next() {
    let text = b"{\"type\":\"login\"}\n\xff\n\n{\"type\":\"logi\"}\r\n{";
    let reading = reading();
    let lines: Vec<_> = read_lines(Format::Ndjson, text, &reading).collect();
    let states: Vec<_> = lines
        .iter()
        .map(|(line, parsed)| match parsed {
            Ok(Parsed::Event(_)) => format!("{line} event"),
            Ok(Parsed::Unrelated) => format!("{line} unrelated"),
            Err(error) => format!("{} error", error.line),
        })
        .collect();
    assert_eq!(states, ["1 event", "2 error", "3 unrelated", "4 event", "5 error"]);
}

#[test]
fn a_format_is_named_or_refused() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse::<Format>().unwrap(), format);
    }
    assert!("sshdd".parse::<Format>().unwrap_err().to_string().ends_with("did you mean `sshd`?"));
}

fn attempts(events: &[(u64, SecurityEvent)], outcome: Outcome) -> Vec<&(u64, SecurityEvent)> {
    let wanted = |event: &SecurityEvent| event.kind == EventKind::Authentication && event.outcome == outcome;
    events.iter().filter(|(_, event)| wanted(event)).collect()
}

#[test]
fn the_openssh_log_counts_as_its_ground_truth() {
    let Some(Openssh { events, truth, errors }) = openssh() else { return };
    assert_eq!(errors, 0, "{OPENSSH_TRUTH}");
    let failed = attempts(&events, Outcome::Failure);
    assert_eq!(failed.len() as u64, truth["failed_password_lines"].as_u64().unwrap());
    let total = |counted: &[&(u64, SecurityEvent)]| {
        counted.iter().map(|(_, e)| u64::from(e.count.get())).sum::<u64>()
    };
    assert_eq!(total(&failed), truth["failed_attempts"].as_u64().unwrap());
    let probes = events.iter().filter(|(_, event)| event.name == "none probe").count() as u64;
    assert_eq!(probes, truth["failed_none_lines"].as_u64().unwrap());

    let accepted = attempts(&events, Outcome::Success);
    let expected = &truth["accepted_logins"][0];
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].0, expected["line"].as_u64().unwrap());
    assert_eq!(accepted[0].1.principal.as_ref().unwrap().as_str(), expected["user"].as_str().unwrap());

    let mut by_source: BTreeMap<String, u64> = BTreeMap::new();
    let mut by_user: BTreeMap<String, u64> = BTreeMap::new();
    for (_, event) in failed {
        let count = u64::from(event.count.get());
        *by_source.entry(event.source_ip.unwrap().to_string()).or_default() += count;
        *by_user.entry(event.principal.as_ref().unwrap().as_str().to_owned()).or_default() += count;
    }
    let sources = truth["failed_sources"].as_array().unwrap();
    assert_eq!(by_source.len(), sources.len());
    for source in sources {
        let address = source["source_ip"].as_str().unwrap();
        assert_eq!(by_source[address], source["failed_attempts"].as_u64().unwrap(), "{address}");
    }
    let users = truth["failed_attempts_by_user"].as_object().unwrap();
    let users: BTreeMap<_, _> = users.iter().map(|(user, n)| (user.clone(), n.as_u64().unwrap())).collect();
    assert_eq!(by_user, users);
    let invalid = events.iter().filter(|(_, event)| event.name == "Invalid user").count() as u64;
    assert_eq!(invalid, truth["invalid_user_lines"].as_u64().unwrap());
}

const SEEDS: [&str; 7] = [
    "Dec 10 06:55:48 LabSZ sshd[24200]: Failed password for invalid user w from 173.234.31.186 port 38926 ssh2",
    "<38>1 2024-12-10T06:55:48Z LabSZ sshd 24200 ID [a@1 b=\"c\"] Accepted publickey for git from 1.2.3.4 port 5 ssh2: RSA X",
    "Dec 10 06:55:48 h sshd[1]: message repeated 5 times: [ Failed password for root from 5.36.59.76 port 42393 ssh2]",
    "2024-12-10T06:55:48+01:00 h sshd[1]: Invalid user x from 1.2.3.4 port 7",
    r#"{"type":"login","user":"a","ip":"1.2.3.4","failed":true,"timestamp":"2024-01-01T10:00:00Z","size_bytes":"5MB"}"#,
    r#"{"kind":"authentication","tenant":"default","time":"2024-01-01T10:00:00Z","count":3}"#,
    r#"{"type":"x","count":1,"deep":{"a":[0.5,1]},"outcome":"success"}"#,
];

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes: Vec<u8>) {
        let reading = reading();
        for format in Format::ALL {
            read_lines(format, &bytes, &reading).for_each(drop);
        }
    }

    #[test]
    fn no_mutation_of_a_line_makes_a_parser_panic(
        seed in 0..SEEDS.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 0..8),
    ) {
        let mut line = SEEDS[seed].as_bytes().to_vec();
        for (at, edit, byte) in edits {
            let at = at.index(line.len() + 1).min(line.len());
            match edit {
                0 => line.insert(at, byte),
                1 if at < line.len() => drop(line.remove(at)),
                2 if at < line.len() => line[at] = byte,
                _ => line.truncate(at.max(1)),
            }
        }
        let reading = reading();
        for format in Format::ALL {
            read_lines(format, &line, &reading).for_each(drop);
        }
    }

    #[test]
    fn no_name_forges_the_address(name in "[ -~]{0,60}") {
        let line = format!("Dec 10 06:55:48 h sshd[1]: Failed password for invalid user {name} from 9.9.9.9 port 5 ssh2");
        let reading = reading();
        for (_, parsed) in read_lines(Format::Sshd, line.as_bytes(), &reading) {
            let Ok(Parsed::Event(event)) = parsed else { panic!("{line}") };
            prop_assert_eq!(event.source_ip.unwrap().to_string(), "9.9.9.9");
            prop_assert_eq!(event.principal.as_ref().map_or("", |p| p.as_str()), name.as_str());
        }
    }
}
