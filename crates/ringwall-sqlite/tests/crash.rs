//! kill -9: whatever the store acknowledged is there afterwards, once, and its tree holds together.
//!
//! The test runs itself again as a child that appends and writes until it is killed; both sides follow from one seed.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test"
)]

mod support;

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use ringwall::audit::{Checkpoint, CompactRange, Hash, leaf_hash};
use ringwall::verify_log;
use ringwall_sqlite::SqliteStore;
use ringwall_store::{Expect, LogEntry, RecordKey, RecordWrite, Stores};
use ringwall_testkit::Random;
use ringwall_testkit::engine::{ORIGIN, sealed, verifier_key};
use ringwall_types::TenantId;
use support::{FileLog, entry};

/// Where the child works; its presence makes a process the child.
const DIRECTORY: &str = "RINGWALL_CRASH_DIRECTORY";
const ROUND: &str = "RINGWALL_CRASH_ROUND";
/// How often the child is killed; more on demand.
const ROUNDS: &str = "RINGWALL_CRASH_ROUNDS";
const SEED: &str = "RINGWALL_CRASH_SEED";
const WRITERS: u64 = 4;
/// A child is killed at the latest after so many acknowledgements.
const ACKNOWLEDGED_MAX: u64 = 120;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

/// Says one line that the parent reads even if this process dies right after.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The child's main loop; nothing in the parent.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let round = number(ROUND, 0);
    let store = Arc::new(SqliteStore::open(Path::new(&directory), sealed()).unwrap());
    let stores = Stores::of(store);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let mut working = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            working.spawn(append_for_ever(stores.clone(), round, writer));
        }
        working.spawn(write_for_ever(stores.clone(), round));
        working.join_next().await.unwrap().unwrap();
    });
}

async fn append_for_ever(stores: Stores, round: u64, writer: u64) {
    let mut random = Random::new(round * WRITERS + writer);
    for batch in 0.. {
        let entries: Vec<LogEntry> =
            (0..=random.below(4)).map(|part| entry(&format!("{round}/{writer}/{batch}/{part}"))).collect();
        let hashes: Vec<_> = entries.iter().map(|entry| leaf_hash(&entry.body).to_base64()).collect();
        let range = stores.log.append(entries).await.unwrap();
        for (index, hash) in range.zip(hashes) {
            say(&format!("R {index} {hash}"));
        }
        if random.below(8) == 0 {
            let head = stores.log.head().await.unwrap().unwrap();
            let signed = Checkpoint::open(&head.checkpoint, &[verifier_key()], ORIGIN).unwrap();
            say(&format!("C {} {}", signed.size(), signed.root().to_base64()));
        }
    }
}

async fn write_for_ever(stores: Stores, round: u64) {
    let mut random = Random::new(!round);
    let mut versions: BTreeMap<u64, u64> = BTreeMap::new();
    for step in 0.. {
        let id = random.below(10);
        let expect = versions.get(&id).map_or(Expect::Any, |version| Expect::Version(*version));
        let body = Some(format!("{round}/{step}").into_bytes());
        let version =
            stores.records.write(vec![RecordWrite { key: key(id), expect, body }]).await.unwrap()[0];
        versions.insert(id, version);
        say(&format!("D {id} {version} {round}/{step}"));
    }
}

fn key(id: u64) -> RecordKey {
    RecordKey::new(TenantId::initial(), "crash", id.to_string())
}

/// Everything that any child ever said.
#[derive(Default)]
struct Acknowledged {
    records: BTreeMap<u64, String>,
    checkpoints: BTreeMap<u64, String>,
    documents: BTreeMap<u64, (u64, String)>,
}

impl Acknowledged {
    fn hear(&mut self, line: &str) -> bool {
        let words: Vec<_> = line.split(' ').collect();
        match words.as_slice() {
            ["R", index, hash] => {
                let before = self.records.insert(index.parse().unwrap(), (*hash).to_owned());
                assert_eq!(before, None, "index {index} was given twice");
            }
            ["C", size, root] => {
                let before = self.checkpoints.insert(size.parse().unwrap(), (*root).to_owned());
                assert!(before.is_none_or(|before| before == *root), "two roots at size {size}");
            }
            ["D", id, version, body] => {
                let now = (version.parse().unwrap(), (*body).to_owned());
                let before = self.documents.insert(id.parse().unwrap(), now.clone());
                assert!(before.is_none_or(|before| before.0 < now.0), "versions only grow");
            }
            _ => return false,
        }
        true
    }

    async fn check(&self, directory: &Path) {
        let stores = Stores::of(Arc::new(SqliteStore::open(directory, sealed()).unwrap()));
        let verified = verify_log(&FileLog::open(directory), &verifier_key(), |_| ()).unwrap();
        let (mut range, mut bodies) = (CompactRange::new(), HashSet::new());
        while range.size() < verified.size {
            for entry in stores.log.read(range.size(), 1000).await.unwrap() {
                assert_eq!(entry.index, range.size(), "indexes are dense");
                let hash = leaf_hash(&entry.body);
                if let Some(acknowledged) = self.records.get(&entry.index) {
                    assert_eq!(*acknowledged, hash.to_base64(), "entry {}", entry.index);
                }
                assert!(bodies.insert(entry.body), "entry {} is there twice", entry.index);
                range.append(Hash::from_bytes(entry.hash), &mut |_| ()).unwrap();
                if let Some(root) = self.checkpoints.get(&range.size()) {
                    assert_eq!(*root, range.root().to_base64(), "the checkpoint of {}", range.size());
                }
            }
        }
        let newest = self.records.keys().max();
        assert!(newest.is_none_or(|newest| *newest < verified.size), "acknowledged entries are missing");
        assert!(self.checkpoints.keys().all(|size| *size <= verified.size), "a signed size is gone");
        for (id, (version, body)) in &self.documents {
            let stored = stores.records.read(&[key(*id)]).await.unwrap().remove(0).expect("a document");
            assert!(stored.version >= *version, "document {id} went back");
            if stored.version == *version {
                assert_eq!(String::from_utf8(stored.body).unwrap(), *body, "document {id}");
            }
        }
    }
}

fn spawn(directory: &Path, round: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, directory).env(ROUND, round.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_at_any_moment() {
    if std::env::var_os(DIRECTORY).is_some() {
        return;
    }
    let (seed, rounds) = (number(SEED, u64::from(std::process::id())), number(ROUNDS, 50));
    eprintln!("{SEED}={seed}");
    let directory = tempfile::tempdir().unwrap();
    let (mut random, mut acknowledged) = (Random::new(seed), Acknowledged::default());
    for round in 0..rounds {
        let mut child = spawn(directory.path(), round);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Now and then the child is killed while it opens the store.
        let mut left = if random.below(8) == 0 { 0 } else { random.below(ACKNOWLEDGED_MAX) };
        for _ in 0..random.below(200_000) {
            std::hint::spin_loop();
        }
        while left > 0 {
            let Some(Ok(line)) = lines.next() else {
                let output = child.wait_with_output().unwrap();
                panic!(
                    "seed {seed}, round {round}: the child ended: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
            };
            left -= u64::from(acknowledged.hear(&line));
        }
        // SIGKILL: nothing of the child runs after this.
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before is acknowledged; a line that was cut off ends at its last whole one.
        let rest: Vec<_> = lines.map_while(Result::ok).collect();
        let whole = rest.len().saturating_sub(1);
        for line in rest.iter().take(whole) {
            acknowledged.hear(line);
        }
        acknowledged.check(directory.path()).await;
    }
    assert!(acknowledged.records.len() as u64 > rounds, "seed {seed}: the children did little");
}
