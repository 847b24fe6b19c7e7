//! Durable appends to the sealed log with 1, 64 and 512 in flight, beside a plain table on the same disk.

use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ringwall_bench::{appends, engines, peers};

fn durable(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let (store, _) = engines::sqlite(directory.path()).expect("a store");
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(1)).sample_size(10);
    for in_flight in [1, 64, 512] {
        group.bench_function(format!("sealed, {in_flight} in flight"), |bencher| {
            bencher.to_async(&runtime).iter_custom(|count| {
                let store = store.clone();
                async move {
                    let started = Instant::now();
                    appends::append(&store, count, in_flight).await.expect("leaves are appended");
                    started.elapsed()
                }
            });
        });
    }
    let mut table = peers::PlainTable::open(directory.path()).expect("a table");
    for batch in [1, 512] {
        group.bench_function(format!("plain SQLite, {batch} to a transaction"), |bencher| {
            bencher.iter_custom(|count| {
                let started = Instant::now();
                table.append(0, count, batch).expect("rows are appended");
                started.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, durable);
criterion_main!(benches);
