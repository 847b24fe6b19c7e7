//! What every store of documents, counters, leases and notices promises.

use ringwall_types::CounterAdd;

use super::{at, tenant};
use crate::{
    BATCH_MAX, CounterKey, Error, Expect, LeaseKey, Notice, RateAnswer, RateLimit, RateTake, RecordKey,
    RecordWrite, Stores, Topic,
};

fn key(owner: &str, id: &str) -> RecordKey {
    RecordKey::new(tenant(owner), "thing", id)
}

fn put(owner: &str, id: &str, expect: Expect, body: &str) -> RecordWrite {
    RecordWrite { key: key(owner, id), expect, body: Some(body.into()) }
}

async fn body(stores: &Stores, owner: &str, id: &str) -> Option<String> {
    let record = stores.records.read(&[key(owner, id)]).await.unwrap().remove(0)?;
    Some(String::from_utf8(record.body).unwrap())
}

pub(super) async fn versions_are_compared_and_batches_are_atomic(stores: Stores) {
    let write = |batch| stores.records.write(batch);
    let first = write(vec![put("a", "1", Expect::Absent, "one")]).await.unwrap()[0];
    let again = write(vec![put("a", "1", Expect::Absent, "no")]).await.unwrap_err();
    assert_eq!(again, Error::Conflict { key: "thing/1".into() });

    let second = write(vec![put("a", "1", Expect::Version(first), "two")]).await.unwrap()[0];
    assert!(second > first);
    let batch = vec![put("a", "2", Expect::Any, "new"), put("a", "1", Expect::Version(first), "stale")];
    assert_eq!(write(batch).await.unwrap_err().code(), "version_conflict");
    assert_eq!(body(&stores, "a", "2").await, None, "nothing of a refused batch is written");
    assert_eq!(body(&stores, "a", "1").await.as_deref(), Some("two"));

    let delete = RecordWrite { key: key("a", "1"), expect: Expect::Version(second), body: None };
    assert_eq!(write(vec![delete]).await.unwrap(), [0]);
    let third = write(vec![put("a", "1", Expect::Absent, "three")]).await.unwrap()[0];
    assert!(third > second, "a document made again never meets an old expectation");
    assert_eq!(body(&stores, "b", "1").await, None, "another tenant has no such document");
}

pub(super) async fn one_of_many_writers_wins_each_version(stores: Stores) {
    const WRITERS: u64 = 16;
    stores.records.write(vec![put("a", "sum", Expect::Absent, "0")]).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let records = stores.records.clone();
        writers.spawn(async move {
            loop {
                let record = records.read(&[key("a", "sum")]).await.unwrap().remove(0).unwrap();
                let sum: u64 = std::str::from_utf8(&record.body).unwrap().parse().unwrap();
                let write = put("a", "sum", Expect::Version(record.version), &(sum + 1).to_string());
                match records.write(vec![write]).await {
                    Ok(_) => break,
                    Err(Error::Conflict { .. } | Error::Busy) => tokio::task::yield_now().await,
                    Err(other) => panic!("{other}"),
                }
            }
        });
    }
    writers.join_all().await;
    assert_eq!(body(&stores, "a", "sum").await, Some(WRITERS.to_string()));
}

pub(super) async fn pages_are_stable_ordered_and_of_one_tenant(stores: Stores) {
    let batch = (0..50).map(|number| put("a", &format!("{number:03}"), Expect::Any, "x")).collect();
    stores.records.write(batch).await.unwrap();
    stores.records.write(vec![put("b", "010x", Expect::Any, "foreign")]).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = stores.records.scan(&tenant("a"), "thing", after.as_deref(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        after = Some(last.id.clone());
        seen.extend(page.into_iter().map(|record| record.id));
        // Writes behind the cursor neither repeat nor hide what is before it.
        stores.records.write(vec![put("a", "000", Expect::Any, "again")]).await.unwrap();
    }
    assert!(seen.iter().map(String::as_str).eq((0..50).map(|n| format!("{n:03}")).collect::<Vec<_>>()));
    assert!(stores.records.scan(&tenant("a"), "other", None, 7).await.unwrap().is_empty());
}

pub(super) async fn limits_are_errors(stores: Stores) {
    let batch: Vec<_> =
        (0..=BATCH_MAX).map(|number| put("a", &number.to_string(), Expect::Any, "x")).collect();
    let keys: Vec<_> = batch.iter().map(|write| write.key.clone()).collect();
    assert_eq!(stores.records.write(batch).await.unwrap_err().code(), "limit_exceeded");
    assert_eq!(stores.records.read(&keys).await.unwrap_err().code(), "limit_exceeded");
    let twice = vec![put("a", "1", Expect::Any, "x"), put("a", "1", Expect::Any, "y")];
    assert_eq!(stores.records.write(twice).await.unwrap_err().code(), "limit_exceeded");
    let long = put("a", &"i".repeat(crate::ID_BYTES_MAX + 1), Expect::Any, "x");
    assert_eq!(stores.records.write(vec![long]).await.unwrap_err().code(), "limit_exceeded");
    assert!(stores.records.scan(&tenant("a"), "thing", None, 10).await.unwrap().is_empty());
}

pub(super) async fn counters_count_their_window_and_no_other(stores: Stores) {
    let add = |owner: &str, name: &str, secs| {
        let add = CounterAdd { tenant: tenant(owner), key: name.into(), amount: 2, window_secs: 16 };
        let counters = stores.counters.clone();
        async move { counters.add(vec![add], at(secs)).await.unwrap()[0] }
    };
    assert_eq!(add("a", "k", 100).await, 2);
    assert_eq!(add("a", "k", 116).await, 4, "the far edge of the window still counts");
    assert_eq!(add("a", "k", 118).await, 4, "past the edge and its slice the first has gone");
    assert_eq!(add("b", "k", 118).await, 2, "another tenant's counter of that name is another counter");
    assert_eq!(add("a", "l", 118).await, 2);
    assert_eq!(add("a", "k", 1000).await, 2);
}

pub(super) async fn rates_are_kept_and_separate(stores: Stores) {
    let take = |owner: &str, secs| {
        let limit = RateLimit { burst: 2, interval_micros: 1_000_000 };
        let key = CounterKey { tenant: tenant(owner), name: "r".into() };
        let counters = stores.counters.clone();
        async move { counters.take(vec![RateTake { key, limit, cost: 1 }], at(secs)).await.unwrap()[0] }
    };
    assert_eq!(take("a", 10).await, RateAnswer::Granted);
    assert_eq!(take("a", 10).await, RateAnswer::Granted);
    assert_eq!(take("a", 10).await, RateAnswer::Refused { retry_micros: Some(1_000_000) });
    assert_eq!(take("b", 10).await, RateAnswer::Granted, "one tenant's traffic never spends another's");
    assert_eq!(take("a", 11).await, RateAnswer::Granted);
    assert_eq!(take("a", 11).await, RateAnswer::Refused { retry_micros: Some(1_000_000) });
}

pub(super) async fn a_lease_has_one_owner_and_growing_fences(stores: Stores) {
    let key = LeaseKey { tenant: tenant("a"), name: "leader".into() };
    let acquire = |owner: &str, now| stores.leases.acquire(key.clone(), owner.into(), 10, at(now));
    let first = acquire("one", 0).await.unwrap().expect("free");
    assert!(acquire("two", 9).await.unwrap().is_none(), "held by another");
    assert_eq!(acquire("one", 5).await.unwrap().unwrap().fence, first.fence, "asking again is renewing");
    let first = stores.leases.renew(first, 10, at(8)).await.unwrap();
    assert!(acquire("two", 17).await.unwrap().is_none());

    let second = acquire("two", 18).await.unwrap().expect("ended");
    assert!(second.fence > first.fence);
    assert_eq!(stores.leases.renew(first.clone(), 10, at(18)).await.unwrap_err().code(), "stale_fence");
    assert_eq!(stores.leases.check(key.clone(), first.fence).await.unwrap_err().code(), "stale_fence");
    stores.leases.check(key.clone(), second.fence).await.unwrap();
    stores.leases.release(first).await.unwrap();
    assert!(acquire("one", 19).await.unwrap().is_none(), "a former owner cannot release another's lease");
    stores.leases.release(second.clone()).await.unwrap();
    let third = acquire("one", 19).await.unwrap().expect("released");
    assert!(third.fence > second.fence);
    let other = LeaseKey { tenant: tenant("b"), ..key.clone() };
    assert!(stores.leases.acquire(other, "two".into(), 10, at(19)).await.unwrap().is_some());
}

pub(super) async fn notices_reach_their_own_topic_only(stores: Stores) {
    let topic = |owner: &str, name| Topic { tenant: tenant(owner), name };
    let mut mine = stores.bus.subscribe(topic("a", "policies")).unwrap();
    stores.bus.publish(topic("b", "policies"), b"foreign".to_vec()).await.unwrap();
    stores.bus.publish(topic("a", "blocks"), b"other".to_vec()).await.unwrap();
    for number in 0..3_u8 {
        stores.bus.publish(topic("a", "policies"), vec![number]).await.unwrap();
    }
    for number in 0..3_u8 {
        assert_eq!(mine.next().await.unwrap(), Notice::Payload(vec![number]));
    }
    for _ in 0..=crate::TOPIC_CAPACITY {
        stores.bus.publish(topic("a", "policies"), vec![9]).await.unwrap();
    }
    assert_eq!(mine.next().await.unwrap(), Notice::Missed(1), "who is too slow is told what it missed");
}
