//! Events, log lines and records from a seed.

use ringwall_types::{
    AuditRecord, EventKind, Outcome, RecordBody, SecurityEvent, Sensitivity, TenantId, Timestamp,
};

use crate::Result;

/// A small generator of numbers (xorshift64*): good enough for traffic, and the same everywhere.
pub struct Numbers(u64);

impl Numbers {
    /// Starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end.max(1)
    }
}

/// Events of two thousand people in order of time, a hundred a second, of which `attack_percent` belong to attacks.
pub fn events(count: u64, attack_percent: u64, seed: u64) -> Result<Vec<SecurityEvent>> {
    let start: Timestamp = "2026-01-05T08:00:00Z".parse()?;
    let mut numbers = Numbers::new(seed);
    (0..count)
        .map(|number| {
            let time = start.saturating_add_micros(i64::try_from(number)? * 10_000);
            if numbers.below(100) < attack_percent {
                attack(&mut numbers, time)
            } else {
                everyday(&mut numbers, time)
            }
        })
        .collect()
}

fn everyday(numbers: &mut Numbers, time: Timestamp) -> Result<SecurityEvent> {
    let kind = match numbers.below(10) {
        0 => EventKind::Authentication,
        1 => EventKind::DataTransfer,
        2 => EventKind::Connection,
        3 | 4 => EventKind::FileAccess,
        _ => EventKind::Access,
    };
    let person = numbers.below(2000);
    let mut event = SecurityEvent::new(TenantId::initial(), time, kind);
    event.outcome = Outcome::Success;
    event.principal = Some(format!("person-{person}").parse()?);
    event.source_ip = Some(format!("10.2.{}.{}", person / 250, person % 250).parse()?);
    event.host = Some(format!("host-{}", person % 3).parse()?);
    event.resource = Some(format!("document-{}", numbers.below(5000)).parse()?);
    event.sensitivity = Some(Sensitivity::Internal);
    if kind == EventKind::DataTransfer {
        event.bytes = Some(numbers.below(10_000));
    }
    Ok(event)
}

/// One step of one of forty attackers: guessing, moving, taking, probing.
fn attack(numbers: &mut Numbers, time: Timestamp) -> Result<SecurityEvent> {
    let attacker = numbers.below(40);
    let (kind, outcome) = match attacker % 4 {
        0 => (EventKind::Authentication, Outcome::Failure),
        1 => (EventKind::Connection, Outcome::Success),
        2 => (EventKind::DataTransfer, Outcome::Success),
        _ => (EventKind::Access, Outcome::Failure),
    };
    let mut event = SecurityEvent::new(TenantId::initial(), time, kind);
    event.outcome = outcome;
    event.principal = Some(format!("victim-{}", attacker + 40 * numbers.below(3)).parse()?);
    event.source_ip = Some(format!("198.51.100.{attacker}").parse()?);
    event.host = Some(format!("host-{}", numbers.below(100)).parse()?);
    event.resource = Some(format!("document-{}", numbers.below(5000)).parse()?);
    event.sensitivity = Some(Sensitivity::Restricted);
    event.bytes = (kind == EventKind::DataTransfer).then(|| 20_000_000 + numbers.below(1000));
    Ok(event)
}

/// Lines of sshd: two in three are a failed password, a closed connection, an unknown user; the rest is noise.
pub fn sshd_lines(count: u64, seed: u64) -> String {
    let mut numbers = Numbers::new(seed);
    let mut line = |number: u64| {
        let (user, host, port) = (numbers.below(500), numbers.below(250), 1024 + numbers.below(60_000));
        let message = match numbers.below(6) {
            0 => format!("Failed password for user{user} from 203.0.113.{host} port {port} ssh2"),
            1 => {
                format!("Failed password for invalid user guest{user} from 203.0.113.{host} port {port} ssh2")
            }
            2 => format!("Invalid user guest{user} from 203.0.113.{host}"),
            3 => format!(
                "Accepted publickey for user{user} from 10.0.0.{host} port {port} ssh2: RSA SHA256:AbCdEf"
            ),
            4 => format!("Received disconnect from 203.0.113.{host}: 11: Bye Bye [preauth]"),
            _ => "pam_unix(sshd:auth): check pass; user unknown".to_owned(),
        };
        let secs = number % 86_400;
        format!(
            "Dec 10 {:02}:{:02}:{:02} gate sshd[{port}]: {message}\n",
            secs / 3600,
            secs / 60 % 60,
            secs % 60
        )
    };
    (0..count).map(&mut line).collect()
}

/// The same events as JSON, one a line.
pub fn ndjson(events: &[SecurityEvent]) -> Result<String> {
    let lines: std::result::Result<Vec<_>, _> = events.iter().map(serde_json::to_string).collect();
    Ok(lines?.join("\n"))
}

/// A record of an event as a leaf of the audit log, about 400 bytes.
pub fn leaf(number: u64) -> Result<Vec<u8>> {
    let time = "2026-01-05T08:00:00Z".parse::<Timestamp>()?.saturating_add_micros(i64::try_from(number)?);
    let event = everyday(&mut Numbers::new(number + 1), time)?;
    let record =
        AuditRecord { tenant: TenantId::initial(), recorded_at: time, body: RecordBody::Event(event) };
    Ok(ringwall::audit::to_canonical(&record)?)
}
