#![allow(
    missing_docs,
    clippy::all,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing
)]
use ringwall_detect::*;
use ringwall_types::*;
fn id(b: &[u8]) -> [u8; 16] {
    let mut o = [0; 16];
    for (i, x) in b.iter().enumerate() {
        o[i % 16] ^= x;
    }
    o
}
fn run(label: &str, ev: &[SecurityEvent]) {
    let set = RuleSet::named(&DEFAULT_RULES).unwrap();
    let mut d = Detector::new(&set, Limits::default(), id);
    let arr = "2025-01-01T00:00:00Z".parse().unwrap();
    let t = std::time::Instant::now();
    let mut ch = 0;
    for (i, e) in ev.iter().enumerate() {
        ch += d.observe(i as u64, e, arr).changes.len();
    }
    let s = t.elapsed().as_secs_f64();
    println!("{label}: {:.0} ev/s, {ch} changes, {:?}", ev.len() as f64 / s, d.metrics());
}
fn main() {
    let t0: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let users: Vec<PrincipalId> = (0..20000).map(|i| format!("user{i}").parse().unwrap()).collect();
    let hosts: Vec<HostName> = (0..50).map(|i| format!("host{i}").parse().unwrap()).collect();
    let res: Vec<ResourceId> = (0..5000).map(|i| format!("/data/{i}").parse().unwrap()).collect();
    let mut x = 88172645463325252u64;
    let mut r = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    let n = 1_000_000;
    let mk = |i: i64, gap: i64, k: EventKind| {
        SecurityEvent::new(TenantId::initial(), t0.saturating_add_micros(i * gap), k)
    };
    let mut ev = vec![];
    for i in 0..n {
        let p = (r() % 20000) as usize;
        let k = [
            EventKind::Access,
            EventKind::Access,
            EventKind::Access,
            EventKind::FileAccess,
            EventKind::Authentication,
            EventKind::Authentication,
            EventKind::DataTransfer,
            EventKind::Connection,
            EventKind::Access,
            EventKind::Other,
        ][(r() % 10) as usize];
        let mut e = mk(i, 20_000, k);
        e.principal = Some(users[p].clone());
        e.source_ip = Some(format!("10.1.{}.{}", p / 200, p % 200).parse().unwrap());
        e.outcome = if r() % 20 == 0 { Outcome::Failure } else { Outcome::Success };
        e.resource = Some(res[(r() % 5000) as usize].clone());
        e.host = Some(hosts[p % 3].clone());
        if r() % 10 == 0 {
            e.sensitivity = Some(Sensitivity::Confidential);
        }
        if k == EventKind::DataTransfer {
            e.bytes = Some(r() % 100000);
        }
        ev.push(e);
    }
    run("ordinary mix", &ev);
    for e in &mut ev {
        e.kind = EventKind::Authentication;
    }
    run("logins only", &ev);
    for e in &mut ev {
        e.outcome = Outcome::Failure;
        e.source_ip = Some("6.6.6.6".parse().unwrap());
    }
    run("one address attacks 20000 principals", &ev[..200_000]);
    for e in &mut ev {
        e.principal = Some(users[0].clone());
    }
    run("one pair, 50/s", &ev[..200_000]);
    for (i, e) in ev.iter_mut().enumerate() {
        e.source_ip = Some(std::net::Ipv4Addr::from(i as u32 + 1).to_string().parse().unwrap());
        e.principal = Some(format!("j{i}").parse().unwrap());
    }
    run("1M junk subjects", &ev);
}
