//! A faulty store that injects nothing is the store behind it, and what it injects is what was asked for.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use ringwall_store::{LogEntry, MemoryStore, Stores, conformance};
use ringwall_testkit::{Fault, FaultyStore, Shape};
use ringwall_types::TenantId;

fn memory() -> Stores {
    Stores::of(Arc::new(MemoryStore::open(conformance::log_options()).unwrap()))
}

fn entry(body: &str) -> Vec<LogEntry> {
    vec![LogEntry { tenant: TenantId::initial(), body: body.into() }]
}

#[tokio::test]
async fn a_quiet_faulty_store_keeps_every_promise_of_the_suite() {
    conformance::run_all(|| async { FaultyStore::around(memory()).0 }).await;
}

#[tokio::test]
async fn the_nth_call_is_refused_and_no_other() {
    let (stores, switch) = FaultyStore::around(memory());
    switch.nth(Shape::Append, 1, Fault::full());
    assert_eq!(stores.log.append(entry("0")).await.unwrap(), 0..1);
    assert_eq!(stores.log.append(entry("lost")).await.unwrap_err().code(), "disk_full");
    assert_eq!(stores.log.append(entry("1")).await.unwrap(), 1..2);
    assert_eq!(switch.calls(Shape::Append), 3);
}

#[tokio::test]
async fn every_call_is_refused_until_the_switch_is_healed() {
    let (stores, switch) = FaultyStore::around(memory());
    switch.every(Shape::Append, Fault::busy());
    for _ in 0..3 {
        assert_eq!(stores.log.append(entry("x")).await.unwrap_err().code(), "store_busy");
    }
    assert!(stores.log.head().await.unwrap().is_none(), "other shapes are not met");
    switch.heal();
    assert_eq!(stores.log.append(entry("0")).await.unwrap(), 0..1);
}

#[tokio::test]
async fn a_lost_answer_was_done_and_a_call_that_hangs_is_done_later() {
    let (stores, switch) = FaultyStore::around(memory());
    switch.nth(Shape::Append, 0, Fault::LoseAnswer);
    assert_eq!(stores.log.append(entry("0")).await.unwrap_err().code(), "store_io");
    assert_eq!(*stores.log.size().borrow(), 1);
    switch.every(Shape::Append, Fault::Hang);
    let hanging = tokio::spawn({
        let log = stores.log.clone();
        async move { log.append(entry("1")).await }
    });
    let begun = async {
        while switch.hanging(Shape::Append) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), begun).await.unwrap();
    assert_eq!(*stores.log.size().borrow(), 1);
    switch.heal();
    assert_eq!(hanging.await.unwrap().unwrap(), 1..2);
}
