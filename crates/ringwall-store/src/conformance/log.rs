//! What every log promises.

use std::collections::BTreeSet;

use super::{checkpoint, hash, tenant};
use crate::{ENTRY_BYTES_MAX, Error, LogEntry, LogQuery, PAGE_MAX, Stores, Term};

fn entry(owner: &str, body: impl Into<Vec<u8>>) -> LogEntry {
    LogEntry { tenant: tenant(owner), body: body.into() }
}

pub(super) async fn indexes_are_dense_and_ordered_under_many_writers(stores: Stores) {
    const WRITERS: usize = 32;
    const EACH: usize = 20;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let log = stores.log.clone();
        writers.spawn(async move {
            let mut given = Vec::new();
            for number in 0..EACH {
                let batch: Vec<_> =
                    (0..=number % 3).map(|part| entry("a", format!("{writer} {number} {part}"))).collect();
                let count = batch.len() as u64;
                let range = loop {
                    match log.append(batch.clone()).await {
                        Err(Error::Busy) => tokio::task::yield_now().await,
                        other => break other.unwrap(),
                    }
                };
                assert_eq!(range.end - range.start, count);
                for (part, index) in range.enumerate() {
                    given.push((index, format!("{writer} {number} {part}")));
                }
            }
            given
        });
    }
    let mut given = writers.join_all().await.concat();
    given.sort();
    let stored = stores.log.read(0, PAGE_MAX).await.unwrap();
    assert_eq!(stored.len(), given.len());
    for (expected, (entry, (index, body))) in stored.iter().zip(&given).enumerate() {
        assert_eq!((entry.index, *index), (expected as u64, expected as u64), "indexes are dense");
        assert_eq!(entry.body, body.as_bytes(), "each writer's entry is where it was told");
    }
}

pub(super) async fn a_batch_is_appended_whole_or_not_at_all(stores: Stores) {
    let log = &stores.log;
    assert_eq!(log.append(vec![]).await.unwrap(), 0..0);
    assert!(log.head().await.unwrap().is_none());
    assert_eq!(log.append(vec![entry("a", "1"), entry("a", "2")]).await.unwrap(), 0..2);

    let refused = log.append(vec![entry("a", "3"), entry("a", "poison")]).await.unwrap_err();
    assert_eq!(refused.code(), "seal_failed");
    for wrong in [vec![], vec![0; ENTRY_BYTES_MAX + 1]] {
        let refused = log.append(vec![entry("a", "3"), entry("a", wrong)]).await.unwrap_err();
        assert_eq!(refused.code(), "limit_exceeded");
    }
    assert_eq!(log.append(vec![entry("a", vec![7; ENTRY_BYTES_MAX])]).await.unwrap(), 2..3);
    let bodies: Vec<_> = log.read(0, 10).await.unwrap().into_iter().map(|entry| entry.body.len()).collect();
    assert_eq!(bodies, [1, 1, ENTRY_BYTES_MAX]);
}

pub(super) async fn the_seal_covers_exactly_what_is_stored(stores: Stores) {
    let log = &stores.log;
    for batch in 0..6 {
        log.append((0..100).map(|number| entry("a", format!("{batch} {number}"))).collect()).await.unwrap();
        let head = log.head().await.unwrap().unwrap();
        let size = (batch + 1) * 100;
        assert_eq!((head.size, head.checkpoint), (size, checkpoint(size)));
        assert_eq!(head.state, size.to_be_bytes());
        assert_eq!(*log.size().borrow(), size);
    }
    let stored = log.read(250, 10).await.unwrap();
    let hashes = log.hashes(0, 250..260).await.unwrap();
    assert!(
        stored.iter().zip(&hashes).all(|(entry, given)| entry.hash == *given && hash(&entry.body) == *given)
    );
    assert_eq!((stored.len(), hashes.len()), (10, 10));
    assert_eq!(log.hashes(1, 0..10).await.unwrap(), [[0; 32], [1; 32]]);
    assert_eq!(log.hashes(1, 1..2).await.unwrap(), [[1; 32]]);
    assert!(log.hashes(2, 0..1).await.unwrap().is_empty());
    assert!(log.read(600, 10).await.unwrap().is_empty() && log.read(u64::MAX, 10).await.unwrap().is_empty());
}

pub(super) async fn a_follower_sees_each_index_once_in_order(stores: Stores) {
    const ENTRIES: u64 = 500;
    let log = stores.log.clone();
    let follower = tokio::spawn(async move {
        let (mut size, mut cursor, mut seen) = (log.size(), 0, Vec::new());
        while cursor < ENTRIES {
            size.wait_for(|size| *size > cursor).await.unwrap();
            for entry in log.read(cursor, 7).await.unwrap() {
                seen.push(entry.index);
                cursor = entry.index + 1;
            }
        }
        seen
    });
    for number in 0..ENTRIES {
        stores.log.append(vec![entry("a", number.to_string())]).await.unwrap();
    }
    assert!(follower.await.unwrap().into_iter().eq(0..ENTRIES));
}

pub(super) async fn search_finds_at_once_newest_first_and_within_the_tenant(stores: Stores) {
    let log = &stores.log;
    let query = |owner: &str, value: &str, before, limit| {
        let term = Term { field: "word", value: value.to_owned() };
        log.search(LogQuery { tenant: tenant(owner), term, before, limit })
    };
    for number in 0..30 {
        let owner = if number % 3 == 0 { "a" } else { "b" };
        log.append(vec![entry(owner, format!("{number} word=x word={number}"))]).await.unwrap();
        assert_eq!(
            query(owner, &number.to_string(), None, 10).await.unwrap(),
            [number],
            "found as soon as appended"
        );
    }
    assert_eq!(query("a", "x", None, 3).await.unwrap(), [27, 24, 21]);
    assert_eq!(query("a", "x", Some(21), 3).await.unwrap(), [18, 15, 12]);
    assert_eq!(
        query("b", "27", None, 10).await.unwrap(),
        [] as [u64; 0],
        "another tenant's entry is not found"
    );
    let all: BTreeSet<_> = query("b", "x", None, 1000).await.unwrap().into_iter().collect();
    assert_eq!(all, (0..30).filter(|number| number % 3 != 0).collect());
    assert!(query("a", "nothing", None, 10).await.unwrap().is_empty());
}
