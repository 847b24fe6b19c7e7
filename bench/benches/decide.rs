//! Decisions: durable with 64 in flight, in memory one by one, and the policies alone.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringwall::authz::{Context, PolicySet, evaluate};
use ringwall::{Clock as _, Engine, SystemClock};
use ringwall_bench::engines;

const IN_FLIGHT: u64 = 64;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts")
}

async fn decide(engine: &Arc<Engine>, count: u64) -> Duration {
    let started = Instant::now();
    let callers: Vec<_> = (0..IN_FLIGHT)
        .map(|first| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for number in (first..count).step_by(IN_FLIGHT as usize) {
                    let request = engines::request(number).expect("the request is valid");
                    let answer = engine.decide(&engines::caller(), request).await.expect("it is decided");
                    assert!(answer.log_index.is_some(), "a decision was not recorded");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller ends");
    }
    started.elapsed()
}

fn decisions(criterion: &mut Criterion) {
    let runtime = runtime();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let engine = runtime.block_on(engines::durable(directory.path(), 10)).expect("an engine");
    group.bench_function("durable, 64 in flight", |bencher| {
        bencher.to_async(&runtime).iter_custom(|count| {
            let engine = engine.clone();
            async move { decide(&engine, count).await }
        });
    });
    let engine = runtime.block_on(engines::in_memory(10)).expect("an engine");
    let request = engines::request(7).expect("the request is valid");
    group.bench_function("in memory, one by one", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| engine.decide(black_box(DECIDES_FOR.get_or_init(engines::caller)), request.clone()));
    });
    group.finish();
}

static DECIDES_FOR: std::sync::OnceLock<ringwall::Caller> = std::sync::OnceLock::new();

fn policies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluate");
    for count in [10, 100, 1000] {
        let set = PolicySet::from_yaml(&engines::policy_text(count)).expect("the policies load");
        let request = engines::request(7).expect("the request is valid");
        let context = Context::from_request(&request, SystemClock.now());
        group.bench_function(format!("{count} policies"), |bencher| {
            bencher.iter(|| evaluate(black_box(&set), black_box(&context)));
        });
    }
    group.finish();
}

criterion_group!(benches, decisions, policies);
criterion_main!(benches);
