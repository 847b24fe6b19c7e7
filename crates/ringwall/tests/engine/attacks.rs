//! Attacks that once worked.

use std::path::Path;
use std::sync::Arc;

use ringwall::detect::Format;
use ringwall::{Caller, Config};
use ringwall_testkit::engine::{Follower, caller, sqlite};
use ringwall_testkit::requests::failed_login;
use ringwall_types::{ResponseAction, TenantId};

use crate::support::{Rig, denied};

#[tokio::test]
async fn sums_beyond_what_json_reads_exactly_stop_no_detection() {
    let rig = Rig::new(Config::default()).await;
    let other = Caller::process(TenantId::new("other").unwrap());
    let now = rig.clock.after_secs(0);
    let huge =
        format!(r#"{{"type":"download","user":"x","bytes":9007199254740991,"count":9,"timestamp":"{now}"}}"#);
    rig.ingest_as(&other, &[huge]).await;
    let threats = rig.engine.threats(&other, None, 10).await.unwrap();
    assert_eq!((threats.len(), threats[0].measured), (1, 1 << 53));
    rig.fail_logins(3, "bob", "203.0.113.9").await;
    denied(&rig.reads_from("203.0.113.9").await, "address_blocked");
}

/// The log file of a store that is closed, to be put back later.
fn kept(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join("log.db")).unwrap()
}

fn put_back(directory: &Path, log: Option<&[u8]>) {
    std::fs::remove_file(directory.join("log.db")).unwrap();
    if let Some(log) = log {
        std::fs::write(directory.join("log.db"), log).unwrap();
    }
}

#[tokio::test]
async fn a_log_that_was_emptied_or_replaced_is_refused() {
    let (directory, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for place in [directory.path(), foreign.path()] {
        let (engine, clock) = sqlite(place, Config::default());
        if place == foreign.path() {
            clock.advance_secs(1);
        }
        engine.begin().await.unwrap();
        engine.begin().await.unwrap();
        assert_eq!(*engine.stores().log.size().borrow(), 1, "a log is begun once");
    }
    let (own, other) = (kept(directory.path()), kept(foreign.path()));
    for (log, fits) in [(None, false), (Some(&other), false), (Some(&own), true)] {
        put_back(directory.path(), log.map(Vec::as_slice));
        let begun = sqlite(directory.path(), Config::default()).0.begin().await;
        assert_eq!(begun.as_ref().err().map(|error| error.code()), (!fits).then_some("store_corrupt"));
    }
}

#[tokio::test]
async fn a_detector_that_knows_another_log_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let fail = async |count: i64| {
        let (engine, clock) = sqlite(directory.path(), Config::default());
        engine.begin().await.unwrap();
        let follower = Follower::start(&engine);
        let line = |back: i64| failed_login(clock.after_secs(-back), "bob", "203.0.113.9");
        let lines = (0..count).map(line).collect::<Vec<_>>().join("\n");
        let report = engine.ingest(&caller(), Format::Ndjson, None, lines.as_bytes()).await.unwrap();
        assert!(report.detected);
        follower.stop().await;
        engine.threats(&caller(), None, 10).await.unwrap().len()
    };
    assert_eq!(fail(1).await, 0);
    let older = kept(directory.path());
    assert_eq!(fail(1).await, 0);
    put_back(directory.path(), Some(&older));
    assert_eq!(fail(3).await, 1, "events behind the saved index are judged");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lifted_is_not_bound_again_by_evidence_that_comes_meanwhile() {
    let rig = Arc::new(Rig::new(Config::default()).await);
    for round in 0..30 {
        let address = format!("198.51.100.{round}");
        rig.fail_logins(3, "bob", &address).await;
        let blocks = rig.engine.responses(&rig.caller).await.unwrap();
        let block =
            blocks.iter().find(|block| block.plan.action == ResponseAction::BlockIp).unwrap().id.clone();
        let more = {
            let (rig, address) = (rig.clone(), address.clone());
            tokio::spawn(async move {
                for _ in 0..5 {
                    rig.fail_logins(1, "bob", &address).await;
                }
            })
        };
        rig.engine.undo(&rig.caller, &block).await.unwrap();
        more.await.unwrap();
        assert!(rig.engine.responses(&rig.caller).await.unwrap().is_empty(), "round {round}");
    }
}
