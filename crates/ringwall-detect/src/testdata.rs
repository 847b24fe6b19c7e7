//! Public data, read in place. Absent data skips a test loudly, unless `RINGWALL_REQUIRE_DATA` is set.

use ringwall_types::{SecurityEvent, TenantId};

use crate::{Format, Parsed, Reading, read_lines};

pub(crate) const OPENSSH_TRUTH: &str = "openssh-2k/ground-truth.json";
const OPENSSH_LOG: &str = "openssh-2k/OpenSSH_2k.log";

/// The log as events by line, what was counted in it, and how many lines could not be read.
pub(crate) struct Openssh {
    pub(crate) events: Vec<(u64, SecurityEvent)>,
    pub(crate) truth: serde_json::Value,
    pub(crate) errors: usize,
}

pub(crate) fn openssh() -> Option<Openssh> {
    let truth = serde_json::from_slice(&bytes_of(OPENSSH_TRUTH)?).unwrap();
    let log = bytes_of(OPENSSH_LOG)?;
    let reading = Reading::new(TenantId::initial(), "2016-12-11T00:00:00Z".parse().unwrap());
    let (mut events, mut errors) = (Vec::new(), 0);
    for (line, parsed) in read_lines(Format::Sshd, &log, &reading) {
        match parsed {
            Ok(Parsed::Event(event)) => events.push((line, *event)),
            Ok(Parsed::Unrelated) => {}
            Err(_) => errors += 1,
        }
    }
    Some(Openssh { events, truth, errors })
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn bytes_of(name: &str) -> Option<Vec<u8>> {
    let path = format!("{}/../../../shared/data/detect/{name}", env!("CARGO_MANIFEST_DIR"));
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if std::env::var_os("RINGWALL_REQUIRE_DATA").is_some() => panic!("{path}: {error}"),
        Err(error) => {
            eprintln!("skipped: {name}: {error}");
            None
        }
    }
}
