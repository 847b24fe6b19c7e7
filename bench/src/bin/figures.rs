//! Prints the project's figures as one Markdown table, with the machine that they were measured on.
//!
//! `cargo xtask bench figures`. Each figure is measured after a warm-up; peers run in the same process on the same disk.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ringwall::authz::{Context, PolicySet, evaluate};
use ringwall::detect::{DEFAULT_RULES, Detector, Format, Limits, Reading, RuleSet, read_lines};
use ringwall::{Clock as _, Engine, SystemClock};
use ringwall_bench::measure::{Samples, Spent, machine, per_second, start};
use ringwall_bench::{Result, appends, engines, http, peers, traffic};
use ringwall_types::{SecurityEvent, TenantId};
use tokio::sync::watch;

const IN_FLIGHT: u64 = 64;

#[tokio::main]
async fn main() -> Result<()> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&place)?;
    let directory = tempfile::Builder::new().prefix("figures-").tempdir_in(&place)?;
    let directory = directory.path();
    println!("{}\n", machine(directory)?);
    println!("| what | figure | processor time | peer in the same run |\n|---|---|---|---|");
    decisions(directory).await?;
    verdicts().await?;
    policies()?;
    detection()?;
    parsing()?;
    append(directory).await?;
    over_http(directory).await
}

fn row(what: &str, figure: String, cpu: String, peer: String) {
    println!("| {what} | {figure} | {cpu} | {peer} |");
}

fn rate(count: u64, spent: Spent) -> (String, String) {
    (format!("{:.0}/s", per_second(count, spent.wall)), each(count, spent.cpu))
}

fn each(count: u64, cpu: Duration) -> String {
    format!("{:.2} µs each", cpu.as_secs_f64() * 1e6 / count as f64)
}

fn latency(samples: &Samples) -> String {
    let micros = |percent| samples.percentile(percent).as_secs_f64() * 1e6;
    format!("p50 {:.1} µs, p99 {:.1} µs", micros(50), micros(99))
}

/// Decisions that are durable before they are given, with detection following the log as in the server.
async fn decisions(directory: &Path) -> Result<()> {
    let engine = engines::durable(&directory.join("decisions"), 10).await?;
    let (stop, stopped) = watch::channel(false);
    let following = tokio::spawn(engine.clone().follow(stopped));
    decide(&engine, 5_000, false).await?;
    let count = 50_000;
    let ended = start()?;
    let samples = decide(&engine, count, false).await?;
    let (figure, cpu) = rate(count, ended()?);
    row(
        "durable audited decisions, 64 in flight",
        format!("{figure}; {}", latency(&samples)),
        cpu,
        String::new(),
    );
    let count = 10_000;
    let ended = start()?;
    let samples = decide(&engine, count, true).await?;
    let (figure, cpu) = rate(count, ended()?);
    row(
        "the same, until its proof is in hand",
        format!("{figure}; {}", latency(&samples)),
        cpu,
        String::new(),
    );
    stop.send_replace(true);
    Ok(following.await?)
}

/// Latency of each decision, and of its proof if `with_proof`.
async fn decide(engine: &Arc<Engine>, count: u64, with_proof: bool) -> Result<Samples> {
    let next = Arc::new(AtomicU64::new(0));
    let mut callers = Vec::new();
    for _ in 0..IN_FLIGHT {
        let (engine, next) = (engine.clone(), next.clone());
        callers.push(tokio::spawn(async move {
            let (caller, mut latencies) = (engines::caller(), Vec::new());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Result::Ok(latencies);
                }
                let request = engines::request(number)?;
                let started = Instant::now();
                let answer = engine.decide(&caller, request).await?;
                let index = answer.log_index.ok_or("a decision was not recorded")?;
                if with_proof {
                    black_box(engine.prove(&caller, index).await?);
                }
                latencies.push(started.elapsed());
            }
        }));
    }
    let mut latencies = Vec::new();
    for caller in callers {
        latencies.extend(caller.await??);
    }
    Ok(Samples::new(latencies))
}

/// The whole verdict, all layers, recorded in memory only.
async fn verdicts() -> Result<()> {
    let engine = engines::in_memory(10).await?;
    let caller = engines::caller();
    let mut latencies = Vec::new();
    let mut ended = start()?;
    let (warm_up, count) = (5_000, 50_000);
    for number in 0..warm_up + count {
        if number == warm_up {
            latencies.clear();
            ended = start()?;
        }
        let request = engines::request(number)?;
        let started = Instant::now();
        black_box(engine.decide(&caller, request).await?);
        latencies.push(started.elapsed());
    }
    let (_, cpu) = rate(count, ended()?);
    row(
        "verdict in process, sealed in memory, no disk",
        latency(&Samples::new(latencies)),
        cpu,
        String::new(),
    );
    Ok(())
}

fn policies() -> Result<()> {
    for count in [10, 100, 1000] {
        let set = PolicySet::from_yaml(&engines::policy_text(count)).map_err(|errors| errors.to_string())?;
        let context = Context::from_request(&engines::request(7)?, SystemClock.now());
        // A clock costs as much as a small evaluation, so many are timed together.
        let (mut latencies, together) = (Vec::new(), 100);
        for _ in 0..2_000 {
            let started = Instant::now();
            for _ in 0..together {
                black_box(evaluate(black_box(&set), black_box(&context)));
            }
            latencies.push(started.elapsed() / together);
        }
        row(
            &format!("policies alone, {count} of them"),
            nanos(&Samples::new(latencies)),
            String::new(),
            String::new(),
        );
    }
    Ok(())
}

fn nanos(samples: &Samples) -> String {
    format!("p50 {} ns, p99 {} ns", samples.percentile(50).as_nanos(), samples.percentile(99).as_nanos())
}

fn detection() -> Result<()> {
    for attack_percent in [0, 2] {
        let events = traffic::events(500_000, attack_percent, 42)?;
        let count = events.len() as u64;
        detect(&events[..50_000])?;
        let ended = start()?;
        let opened = detect(&events)?;
        let (figure, cpu) = rate(count, ended()?);
        let what = format!("the six rules, one core, {attack_percent} % attack");
        row(&what, format!("{figure} ({opened} threats)"), cpu, String::new());
    }
    Ok(())
}

fn detect(events: &[SecurityEvent]) -> Result<u64> {
    let id = |bytes: &[u8]| {
        ringwall::audit::leaf_hash(bytes).as_bytes().first_chunk().copied().unwrap_or_default()
    };
    let mut detector = Detector::new(&RuleSet::named(&DEFAULT_RULES)?, Limits::default(), id);
    for (position, event) in (0..).zip(events) {
        black_box(detector.observe(position, event, event.time));
    }
    Ok(detector.metrics().opened)
}

fn parsing() -> Result<()> {
    let reading = Reading::new(TenantId::initial(), SystemClock.now());
    let lines = 200_000;
    let texts = [
        (Format::Sshd, traffic::sshd_lines(lines, 42)),
        (Format::Ndjson, traffic::ndjson(&traffic::events(lines, 2, 42)?)?),
    ];
    for (format, text) in texts {
        let read = |bytes: &[u8]| {
            read_lines(format, bytes, &reading).filter(|(_, parsed)| parsed.is_ok()).count() as u64
        };
        read(&text.as_bytes()[..text.len() / 10]);
        let ended = start()?;
        if black_box(read(text.as_bytes())) != lines {
            return Err("a line could not be read".into());
        }
        let spent = ended()?;
        let (figure, cpu) = rate(lines, spent);
        let speed = per_second(text.len() as u64, spent.wall) / 1e6;
        row(&format!("lines read, {format}"), format!("{figure} ({speed:.0} MB/s)"), cpu, String::new());
    }
    Ok(())
}

/// Appends to the sealed log beside a plain table on the same disk.
async fn append(directory: &Path) -> Result<()> {
    let mut table = peers::PlainTable::open(directory)?;
    let mut plain = |count: u64, batch: u64| -> Result<String> {
        table.append(0, count / 10, batch)?;
        let ended = start()?;
        table.append(0, count, batch)?;
        let (figure, cpu) = rate(count, ended()?);
        Ok(format!("plain SQLite, {batch} to a transaction: {figure}, {cpu}"))
    };
    let one_by_one = plain(2_000, 1)?;
    let batched = plain(100_000, 512)?;
    let (store, _) = engines::sqlite(&directory.join("appends"))?;
    for (in_flight, count, peer) in
        [(1, 2_000, &one_by_one), (64, 50_000, &one_by_one), (512, 100_000, &batched)]
    {
        appends::append(&store, count / 10, in_flight).await?;
        let ended = start()?;
        appends::append(&store, count, in_flight).await?;
        let (figure, cpu) = rate(count, ended()?);
        row(&format!("durable sealed appends, {in_flight} in flight"), figure, cpu, peer.clone());
    }
    Ok(())
}

async fn over_http(directory: &Path) -> Result<()> {
    let place = directory.join("http");
    std::fs::create_dir(&place)?;
    let server = Arc::new(http::Server::start(&place).await?);
    server.decide(5_000, IN_FLIGHT).await?;
    let answered = server.decide(50_000, IN_FLIGHT).await?;
    let figure =
        format!("{:.0}/s; {}", per_second(answered.count, answered.wall), latency(&answered.latency));
    let cpu = format!("server {}", each(answered.count, answered.cpu));
    row("durable decisions over HTTP, 64 connections kept alive", figure, cpu, String::new());
    Ok(())
}
