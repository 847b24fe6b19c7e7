//! A disk that is full refuses, loses nothing, and is usable again as soon as there is room.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ringwall::verify_log;
use ringwall_sqlite::SqliteStore;
use ringwall_store::{Error, Expect, RecordKey, RecordWrite, Stores};
use ringwall_testkit::engine::{sealed, verifier_key};
use ringwall_types::TenantId;
use support::{FileLog, entry};

/// When this variable is set, a system on which nothing can be mounted fails the test instead of skipping it.
const REQUIRE_TOOLS: &str = "RINGWALL_REQUIRE_TOOLS";
const BALLAST_BYTES: usize = 1 << 20;
/// More than fit on the small disk.
const WRITES_MAX: usize = 100_000;

/// A small file system in memory; it goes when this is dropped.
struct SmallDisk {
    place: tempfile::TempDir,
}

impl SmallDisk {
    /// `None`, loudly, where nothing can be mounted.
    fn mounted(options: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "ringwall-test"])
            .arg(place.path())
            .output();
        if mount.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self { place });
        }
        assert!(std::env::var_os(REQUIRE_TOOLS).is_none(), "a file system must be mounted: {mount:?}");
        eprintln!("SKIPPED: a tmpfs cannot be mounted here; run as root to test full disks");
        None
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    fn ballast(&self) -> PathBuf {
        self.place.path().join("ballast")
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", options]).arg(self.place.path()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.place.path()).status();
    }
}

fn open(directory: &Path) -> Stores {
    Stores::of(Arc::new(SqliteStore::open(directory, sealed()).unwrap()))
}

fn write(number: usize, expect: Expect) -> RecordWrite {
    let key = RecordKey::new(TenantId::initial(), "thing", format!("{number:06}"));
    RecordWrite { key, expect, body: Some(vec![b'x'; 500]) }
}

#[tokio::test]
async fn a_log_on_a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mounted("size=3m") else { return };
    std::fs::write(disk.ballast(), vec![0; BALLAST_BYTES]).unwrap();
    let stores = open(&disk.data());
    let mut acknowledged = Vec::new();
    let error = loop {
        assert!(acknowledged.len() < WRITES_MAX, "the disk is never full");
        let entry = entry(&acknowledged.len().to_string());
        match stores.log.append(vec![entry.clone()]).await {
            Ok(range) => {
                assert_eq!(range.start, acknowledged.len() as u64);
                acknowledged.push(entry.body);
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::Full);
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    for _ in 0..20 {
        // A small one may still fit; what is refused is refused in the store's own words.
        match stores.log.append(vec![entry("again")]).await {
            Ok(_) => acknowledged.push(entry("again").body),
            Err(error) => assert_eq!(error, Error::Full),
        }
    }
    std::fs::remove_file(disk.ballast()).unwrap();
    let range = stores.log.append(vec![entry("afterwards")]).await.unwrap();
    acknowledged.push(entry("afterwards").body);
    assert_eq!(range, acknowledged.len() as u64 - 1..acknowledged.len() as u64);
    let stored = stores.log.read(0, 10_000).await.unwrap();
    assert!(stored.iter().map(|entry| &entry.body).eq(acknowledged.iter().take(10_000)));
    let verified = verify_log(&FileLog::open(&disk.data()), &verifier_key(), |_| ()).unwrap();
    assert_eq!(verified.size, acknowledged.len() as u64);
    drop(stores);
    let stores = open(&disk.data());
    assert_eq!(*stores.log.size().borrow(), acknowledged.len() as u64);
    stores.log.append(vec![entry("after a new start")]).await.unwrap();
}

#[tokio::test]
async fn documents_on_a_full_disk_lose_nothing_and_go_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mounted("size=3m") else { return };
    std::fs::write(disk.ballast(), vec![0; BALLAST_BYTES]).unwrap();
    let stores = open(&disk.data());
    let mut versions = Vec::new();
    let error = loop {
        assert!(versions.len() < WRITES_MAX, "the disk is never full");
        match stores.records.write(vec![write(versions.len(), Expect::Absent)]).await {
            Ok(written) => versions.extend(written),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::Full);
    std::fs::remove_file(disk.ballast()).unwrap();
    versions.extend(stores.records.write(vec![write(versions.len(), Expect::Absent)]).await.unwrap());
    let check = async |stores: &Stores| {
        let (mut stored, mut after) = (Vec::new(), None::<String>);
        loop {
            let page =
                stores.records.scan(&TenantId::initial(), "thing", after.as_deref(), 500).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            stored.extend(page.into_iter().map(|record| record.version));
        }
        assert_eq!(stored, versions);
    };
    check(&stores).await;
    drop(stores);
    check(&open(&disk.data())).await;
}

#[tokio::test]
async fn a_read_only_place_is_told_as_such_and_its_log_can_still_be_verified() {
    let Some(disk) = SmallDisk::mounted("size=3m") else { return };
    let stores = open(&disk.data());
    stores.log.append(vec![entry("0"), entry("1")]).await.unwrap();
    drop(stores);
    disk.remount("remount,ro");
    let error = SqliteStore::open(&disk.data(), sealed()).err().expect("a refusal");
    assert_eq!(error.code(), "store_read_only", "{error}");
    let verified = verify_log(&FileLog::open(&disk.data()), &verifier_key(), |_| ()).unwrap();
    assert_eq!(verified.size, 2);
    disk.remount("remount,rw");
    assert_eq!(open(&disk.data()).log.append(vec![entry("2")]).await.unwrap(), 2..3);
}
