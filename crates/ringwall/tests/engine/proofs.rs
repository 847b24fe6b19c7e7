//! What is recorded can be proven, and what was tampered with is named.

use std::ops::Range;

use ringwall::{Caller, Config, LogSource, check_proof, prove_offline, verify_log};
use ringwall_store::{Error, Head, Node, StoredEntry, Stores};
use ringwall_testkit::Random;
use ringwall_testkit::engine::verifier_key;
use ringwall_testkit::requests::failed_login;
use ringwall_types::TenantId;

use crate::support::Rig;

/// A whole log, read once, that a test can tamper with.
#[derive(Clone)]
struct Copied {
    head: Option<Head>,
    entries: Vec<StoredEntry>,
    nodes: Vec<Node>,
}

impl Copied {
    async fn of(stores: &Stores) -> Self {
        let mut entries: Vec<StoredEntry> = Vec::new();
        loop {
            let page = stores.log.read(entries.len() as u64, 1000).await.unwrap();
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        let hashes = stores.log.hashes(1, 0..entries.len() as u64 / 256).await.unwrap();
        let nodes = (0..).zip(hashes).map(|(index, hash)| Node { level: 1, index, hash }).collect();
        Self { head: stores.log.head().await.unwrap(), entries, nodes }
    }
}

impl LogSource for Copied {
    fn head(&self) -> Result<Option<Head>, Error> {
        Ok(self.head.clone())
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, Error> {
        let after = self.entries.iter().filter(|entry| entry.index >= from);
        Ok(after.take(limit).cloned().collect())
    }

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<[u8; 32]>, Error> {
        let hashes: Vec<_> = match level {
            0 => self.entries.iter().map(|entry| (entry.index, entry.hash)).collect(),
            _ => self.nodes.iter().map(|node| (node.index, node.hash)).collect(),
        };
        Ok(hashes.into_iter().filter(|(index, _)| range.contains(index)).map(|(_, hash)| hash).collect())
    }

    fn nodes(&self) -> Result<Vec<Node>, Error> {
        Ok(self.nodes.clone())
    }
}

/// 600 records in batches of 1 to 40.
async fn filled() -> Rig {
    let rig = Rig::without_policies(Config::default());
    rig.engine.replace_policies(&rig.caller, "policies: []").await.unwrap();
    let follower = ringwall_testkit::engine::Follower::start(&rig.engine);
    let mut random = Random::new(600);
    let mut size = 1;
    while size < 600 {
        let batch = random.below(40).min(599 - size) + 1;
        let line = |number| failed_login(rig.clock.after_secs(0), &format!("u{number}"), "10.0.0.1");
        // Successful ones would do as well; what they say does not matter here.
        let lines: Vec<_> = (size..size + batch).map(|n| line(n).replace("true", "false")).collect();
        rig.ingest(&lines).await;
        size += batch;
    }
    follower.stop().await;
    assert_eq!(*rig.stores.log.size().borrow(), 600);
    rig
}

#[tokio::test]
async fn every_record_has_a_proof_that_needs_nothing_but_the_key() {
    let rig = filled().await;
    let copied = Copied::of(&rig.stores).await;
    for index in 0..600 {
        let proof = rig.engine.prove(&rig.caller, index).await.unwrap();
        let (proven, checkpoint, record) = check_proof(proof.text.as_bytes(), &verifier_key()).unwrap();
        assert_eq!((proven, checkpoint.size(), proof.size), (index, 600, 600));
        let stored = &copied.entries[usize::try_from(index).unwrap()];
        assert_eq!(ringwall::audit::to_canonical(&record).unwrap(), stored.body);
        assert_eq!(prove_offline(&copied, index).unwrap(), proof);
    }
    assert_eq!(rig.engine.prove(&rig.caller, 600).await.unwrap_err().code(), "not_found");
    let other = Caller::process(TenantId::new("other").unwrap());
    let foreign = rig.engine.prove(&other, 5).await.unwrap_err();
    assert_eq!((foreign.code(), foreign.to_string().as_str()), ("not_found", "there is no record 5"));
}

#[tokio::test]
async fn a_proof_of_every_early_size_verifies() {
    let rig = Rig::without_policies(Config::default());
    rig.engine.replace_policies(&rig.caller, "policies: []").await.unwrap();
    for size in 1..70 {
        for index in [0, size / 2, size - 1] {
            let proof = rig.engine.prove(&rig.caller, index).await.unwrap();
            let (proven, checkpoint, _) = check_proof(proof.text.as_bytes(), &verifier_key()).unwrap();
            assert_eq!((proven, checkpoint.size()), (index, size));
        }
        rig.engine.administer(&rig.caller, "counted", "", size.to_string()).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_without_a_record_proves_nothing_and_does_not_verify() {
    let rig = Rig::without_policies(Config::default());
    assert_eq!(rig.engine.checkpoint().await.unwrap_err().code(), "not_found");
    assert_eq!(rig.engine.prove(&rig.caller, 0).await.unwrap_err().code(), "not_found");
    let refused = verify_log(&Copied::of(&rig.stores).await, &verifier_key(), |_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "stored data contradicts itself: there is no record and no checkpoint");
}

#[tokio::test]
async fn a_changed_proof_is_refused() {
    let rig = Rig::without_policies(Config::default());
    for number in 0..5 {
        rig.engine.administer(&rig.caller, "counted", "", number.to_string()).await.unwrap();
    }
    let proof = rig.engine.prove(&rig.caller, 2).await.unwrap().text;
    for (from, to) in [("index 2", "index 3"), ("\n5\n", "\n6\n"), ("extra e", "extra f")] {
        assert!(proof.contains(from), "{proof}");
        assert!(check_proof(proof.replacen(from, to, 1).as_bytes(), &verifier_key()).is_err(), "{from}");
    }
}

#[tokio::test]
async fn a_whole_log_verifies_and_what_was_tampered_with_is_named() {
    let rig = filled().await;
    let honest = Copied::of(&rig.stores).await;
    let mut heard = 0;
    let verified = verify_log(&honest, &verifier_key(), |checked| heard = checked).unwrap();
    let checkpoint = rig.engine.checkpoint().await.unwrap();
    assert_eq!((verified.size, heard), (600, 600));
    assert!(checkpoint.contains(&verified.root));

    #[track_caller]
    fn names(log: &Copied, part: &str) {
        let error = verify_log(log, &verifier_key(), |_| ()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let tampered = |change: &dyn Fn(&mut Copied)| {
        let mut log = honest.clone();
        change(&mut log);
        log
    };
    names(&tampered(&|log| log.entries[317].body[5] ^= 1), "leaf 317: its bytes do not match");
    names(&tampered(&|log| log.entries[317].hash[5] ^= 1), "leaf 317: its bytes do not match");
    names(&tampered(&|log| drop(log.entries.remove(317))), "leaf 317: missing");
    names(&tampered(&|log| log.entries[317].index = 316), "leaf 316: came twice");
    let foreign = TenantId::new("other").unwrap();
    names(
        &tampered(&|log| log.entries[317].tenant = foreign.clone()),
        "leaf 317 belongs to `default` but is filed under `other`",
    );
    names(&tampered(&|log| log.nodes[1].hash[0] ^= 1), "tile node 1 of level 1 over leaves 256 to 511");
    names(&tampered(&|log| log.nodes.retain(|node| node.index != 0)), "tile node 0 of level 1");
    names(&tampered(&|log| log.entries.truncate(599)), "600");
    names(&tampered(&|log| log.head = None), "checkpoint");
    let rewritten = tampered(&|log| {
        let body = String::from_utf8(log.entries[590].body.clone()).unwrap().replace("10.0.0.1", "10.0.0.2");
        log.entries[590].hash = *ringwall::audit::leaf_hash(body.as_bytes()).as_bytes();
        log.entries[590].body = body.into_bytes();
    });
    names(&rewritten, "another root than was signed");
}
