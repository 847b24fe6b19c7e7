//! The six rules and the parsers on one core.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringwall::detect::{DEFAULT_RULES, Detector, Format, Limits, Reading, RuleSet, read_lines};
use ringwall::{Clock as _, SystemClock};
use ringwall_bench::traffic;
use ringwall_types::TenantId;

const COUNT: u64 = 100_000;

fn rules(criterion: &mut Criterion) {
    let rules = RuleSet::named(&DEFAULT_RULES).expect("the named rules are valid");
    let id = |bytes: &[u8]| {
        ringwall::audit::leaf_hash(bytes).as_bytes().first_chunk().copied().unwrap_or_default()
    };
    let mut group = criterion.benchmark_group("detect");
    group.throughput(Throughput::Elements(COUNT)).sample_size(20);
    for attack_percent in [0, 2] {
        let events = traffic::events(COUNT, attack_percent, 42).expect("events are valid");
        group.bench_function(format!("six rules, {attack_percent} % attack"), |bencher| {
            bencher.iter(|| {
                let mut detector = Detector::new(&rules, Limits::default(), id);
                for (position, event) in (0..).zip(&events) {
                    black_box(detector.observe(position, event, event.time));
                }
                detector.metrics().opened
            });
        });
    }
    group.finish();
}

fn parsers(criterion: &mut Criterion) {
    let reading = Reading::new(TenantId::initial(), SystemClock.now());
    let events = traffic::events(COUNT, 2, 42).expect("events are valid");
    let texts = [
        (Format::Sshd, traffic::sshd_lines(COUNT, 42)),
        (Format::Ndjson, traffic::ndjson(&events).expect("events are written")),
    ];
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(COUNT)).sample_size(20);
    for (format, text) in texts {
        group.bench_function(format.as_str(), |bencher| {
            bencher.iter(|| {
                read_lines(format, text.as_bytes(), &reading).filter(|(_, read)| read.is_ok()).count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rules, parsers);
criterion_main!(benches);
