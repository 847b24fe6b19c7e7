//! The log from sealing to verifying: nothing contradicted, nothing changed unseen.

use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::error::{BadLeaf, BadTile, TileFault};
use crate::merkle::tests::{Levels, root_from_leaf_hashes};
use crate::merkle::{Hash, TileNode, consistency_proof, empty_root, leaf_hash, verify_consistency};
use crate::note::VerifierKey;
use crate::note::tests::signing_key;

const ORIGIN: &str = "ringwall.example/log";

fn record(n: usize) -> Vec<u8> {
    format!("{{\"action\":\"dataset:export\",\"n\":{n}}}").into_bytes()
}

fn writer() -> LogWriter {
    LogWriter::new(ORIGIN, signing_key(ORIGIN, 1)).unwrap()
}

fn keys() -> [VerifierKey; 1] {
    [signing_key(ORIGIN, 1).verifier().clone()]
}

/// What a store would hold.
#[derive(Clone, Default)]
struct Stored {
    leaves: Vec<(Vec<u8>, Hash)>,
    nodes: Vec<TileNode>,
    state: Vec<u8>,
    checkpoint: String,
}

impl Stored {
    fn write(&mut self, writer: &mut LogWriter, leaves: &[Vec<u8>]) {
        let borrowed: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
        let sealed = writer.seal(self.leaves.len() as u64, &borrowed).unwrap();
        writer.committed();
        self.leaves.extend(leaves.iter().cloned().zip(sealed.leaf_hashes));
        self.nodes.extend(sealed.tile_nodes);
        (self.state, self.checkpoint) = (sealed.state, sealed.checkpoint);
    }

    fn verify(&self) -> Result<Checkpoint, Error> {
        let mut verifier = LogVerifier::new();
        for (index, (bytes, hash)) in (0u64..).zip(&self.leaves) {
            verifier.leaf(index, bytes, hash)?;
        }
        for node in &self.nodes {
            verifier.tile_node(node.level, node.index, &node.hash)?;
        }
        verifier.finish(&self.checkpoint, &keys(), ORIGIN)
    }
}

fn stored(count: usize) -> Stored {
    let mut stored = Stored::default();
    stored.write(&mut writer(), &(0..count).map(record).collect::<Vec<_>>());
    stored
}

#[track_caller]
fn check_bad_leaf(stored: &Stored, index: u64, why: LeafFault) {
    assert_eq!(stored.verify().unwrap_err(), Error::BadLeaf(BadLeaf::new(index, why)));
}

#[test]
fn what_is_sealed_verifies() {
    for count in [0, 1, 2, 255, 256, 257, 600] {
        let stored = stored(count);
        let checkpoint = stored.verify().unwrap();
        assert_eq!(checkpoint.size(), count as u64);
        let hashes: Vec<Hash> = stored.leaves.iter().map(|(_, hash)| *hash).collect();
        assert_eq!(*checkpoint.root(), root_from_leaf_hashes(&hashes));
        assert_eq!(stored.nodes.len(), count / 256);
    }
}

#[test]
fn every_checkpoint_is_consistent_with_every_earlier_one() {
    let (mut writer, mut stored) = (writer(), Stored::default());
    let mut checkpoints = Vec::new();
    for batch in [1, 0, 3, 252, 1, 40, 300] {
        let from = stored.leaves.len();
        stored.write(&mut writer, &(from..from + batch).map(record).collect::<Vec<_>>());
        checkpoints.push(Checkpoint::open(&stored.checkpoint, &keys(), ORIGIN).unwrap());
    }
    let tiles = Levels::new(&stored.leaves.iter().map(|(_, hash)| *hash).collect::<Vec<_>>());
    for (n, new) in checkpoints.iter().enumerate() {
        for old in &checkpoints[..=n] {
            let proof = consistency_proof(old.size(), new.size(), &tiles).unwrap();
            verify_consistency(old.size(), new.size(), &proof, old.root(), new.root()).unwrap();
        }
    }
    stored.verify().unwrap();
}

#[test]
fn a_rolled_back_batch_leaves_no_trace() {
    let (mut writer, mut stored) = (writer(), Stored::default());
    stored.write(&mut writer, &[record(0)]);
    let (size, root) = (writer.size(), writer.root());
    let first = writer.seal(1, &[&record(1)]).unwrap();
    assert_eq!((writer.size(), writer.root()), (size, root));
    writer.rolled_back();
    assert_eq!((writer.size(), writer.root()), (size, root));
    assert_eq!(writer.seal(1, &[&record(1)]).unwrap(), first);
    writer.rolled_back();
    stored.write(&mut writer, &[record(2)]);
    stored.verify().unwrap();
}

#[test]
fn a_second_seal_waits_for_the_outcome_of_the_first() {
    let mut writer = writer();
    writer.seal(0, &[&record(0)]).unwrap();
    let error = writer.seal(1, &[&record(1)]).unwrap_err();
    assert_eq!(error, Error::SealPending);
    assert!(error.is_retryable());
    writer.committed();
    assert_eq!(writer.size(), 1);
    writer.committed();
    assert_eq!(writer.size(), 1);
    assert!(writer.seal(1, &[&record(1)]).is_ok());
}

#[test]
fn a_batch_begins_where_the_log_ends() {
    let mut writer = writer();
    assert_eq!(writer.seal(1, &[&record(0)]).unwrap_err().code(), "wrong_index");
    writer.seal(0, &[&record(0)]).unwrap();
    writer.committed();
    assert_eq!(writer.seal(0, &[&record(1)]).unwrap_err().code(), "wrong_index");
    assert!(writer.seal(1, &[&record(1)]).is_ok());
}

#[test]
fn a_batch_with_one_unusable_leaf_is_refused_whole() {
    let mut writer = writer();
    let largest = format!("\"{}\"", "x".repeat(crate::MAX_ENTRY_BYTES - 2));
    let too_large = format!("\"{}\"", "x".repeat(crate::MAX_ENTRY_BYTES - 1));
    let mut check = |leaf: &[u8], code: &str| {
        let error = writer.seal(0, &[&record(0), leaf]).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains("leaf 1"), "{error}");
    };
    check(b"", "entry_size");
    check(too_large.as_bytes(), "entry_size");
    check(b"plain text", "not_canonical");
    check(b"{\"a\": 1}", "not_canonical");
    assert!(writer.seal(0, &[&record(0), largest.as_bytes()]).is_ok());
}

#[test]
fn a_writer_resumes_from_what_was_stored_and_goes_on_alike() {
    let (mut whole, mut first, mut second) = (writer(), Stored::default(), Stored::default());
    for count in [3, 300, 1] {
        let from = first.leaves.len();
        let batch: Vec<Vec<u8>> = (from..from + count).map(record).collect();
        first.write(&mut whole, &batch);
        let mut resumed = if from == 0 {
            writer()
        } else {
            LogWriter::resume(ORIGIN, signing_key(ORIGIN, 1), &second.state, &second.checkpoint).unwrap()
        };
        second.write(&mut resumed, &batch);
        assert_eq!(first.checkpoint, second.checkpoint);
        assert_eq!(resumed.size(), whole.size());
    }
    second.verify().unwrap();
}

#[test]
fn a_writer_does_not_resume_from_state_that_was_not_signed() {
    let (old, new) = (stored(3), stored(5));
    let resume = |seed, state: &[u8], checkpoint: &str| {
        LogWriter::resume(ORIGIN, signing_key(ORIGIN, seed), state, checkpoint).map(|writer| writer.size())
    };
    assert_eq!(resume(1, &new.state, &new.checkpoint), Ok(5));
    assert_eq!(resume(1, &old.state, &new.checkpoint).unwrap_err().code(), "state_disagrees");
    assert_eq!(resume(1, &new.state, &old.checkpoint).unwrap_err().code(), "state_disagrees");
    assert_eq!(resume(2, &new.state, &new.checkpoint).unwrap_err().code(), "no_trusted_signature");
    assert_eq!(resume(1, &new.state[1..], &new.checkpoint).unwrap_err().code(), "malformed");
    for at in 0..new.state.len() {
        let mut bad = new.state.clone();
        bad[at] ^= 1;
        assert!(resume(1, &bad, &new.checkpoint).is_err(), "byte {at}");
    }
    let elsewhere = LogWriter::resume("b", signing_key("b", 1), &new.state, &new.checkpoint);
    assert_eq!(elsewhere.unwrap_err().code(), "no_trusted_signature");
}

#[test]
fn a_key_signs_only_for_the_log_of_its_name() {
    assert_eq!(LogWriter::new(ORIGIN, signing_key("other", 1)).unwrap_err().code(), "bad_key");
}

#[test]
fn an_empty_log_has_a_checkpoint_too() {
    let stored = stored(0);
    assert_eq!(*stored.verify().unwrap().root(), empty_root());
    assert!(LogWriter::resume(ORIGIN, signing_key(ORIGIN, 1), &stored.state, &stored.checkpoint).is_ok());
}

#[test]
fn the_first_changed_leaf_is_named() {
    let mut bad = stored(600);
    bad.leaves[500].0 = record(7);
    bad.leaves[300].0 = record(8);
    check_bad_leaf(&bad, 300, LeafFault::HashMismatch);
    bad.leaves[20].1 = leaf_hash(b"{}");
    check_bad_leaf(&bad, 20, LeafFault::HashMismatch);
}

#[test]
fn a_removed_or_repeated_leaf_is_named() {
    let good = stored(10);
    let mut verifier = LogVerifier::new();
    let leaf = |verifier: &mut LogVerifier, index: usize| {
        let (bytes, hash) = &good.leaves[index];
        verifier.leaf(index as u64, bytes, hash)
    };
    leaf(&mut verifier, 0).unwrap();
    let missing = Error::BadLeaf(BadLeaf::new(1, LeafFault::Missing));
    assert_eq!(leaf(&mut verifier, 2).unwrap_err(), missing);
    assert_eq!(leaf(&mut verifier, 1).unwrap_err(), missing, "the first fault stays");
    assert_eq!(verifier.finish(&good.checkpoint, &keys(), ORIGIN).unwrap_err(), missing);

    let mut verifier = LogVerifier::new();
    leaf(&mut verifier, 0).unwrap();
    leaf(&mut verifier, 1).unwrap();
    let repeated = Error::BadLeaf(BadLeaf::new(0, LeafFault::Repeated));
    assert_eq!(leaf(&mut verifier, 0).unwrap_err(), repeated);
}

#[test]
fn a_leaf_that_could_never_have_been_sealed_is_named_even_with_its_own_hash() {
    let check = |bytes: &[u8], why: LeafFault| {
        let mut bad = stored(5);
        bad.leaves[3] = (bytes.to_vec(), leaf_hash(bytes));
        check_bad_leaf(&bad, 3, why);
    };
    check(b"", LeafFault::Empty);
    check(b"{ }", LeafFault::NotCanonical("not canonical json: expected `\"`, at byte 1".into()));
    let too_large = format!("\"{}\"", "x".repeat(70_000)).into_bytes();
    check(&too_large, LeafFault::TooLarge(70_002));
}

#[test]
fn a_leaf_changed_with_its_hash_is_found_below_the_first_tile_node_that_differs() {
    let mut bad = stored(600);
    bad.leaves[300] = (record(8), leaf_hash(&record(8)));
    let error = bad.verify().unwrap_err();
    assert_eq!(error, Error::BadTile(BadTile::new(1, 1, TileFault::HashMismatch)));
    assert!(error.to_string().contains("leaves 256 to 511"), "{error}");

    let mut at_the_edge = stored(600);
    at_the_edge.leaves[599] = (record(8), leaf_hash(&record(8)));
    assert_eq!(at_the_edge.verify().unwrap_err().code(), "root_mismatch");
}

#[test]
fn a_tile_node_that_is_changed_missing_or_too_many_is_named() {
    let good = stored(600);
    let check = |change: &dyn Fn(&mut Stored), index: u64, why: TileFault| {
        let mut bad = good.clone();
        change(&mut bad);
        assert_eq!(bad.verify().unwrap_err(), Error::BadTile(BadTile::new(1, index, why)));
    };
    check(&|bad| bad.nodes[0].hash = leaf_hash(b""), 0, TileFault::HashMismatch);
    check(&|bad| bad.nodes.truncate(0), 0, TileFault::Missing);
    check(&|bad| bad.nodes.truncate(1), 1, TileFault::Missing);
    check(&|bad| bad.nodes.push(bad.nodes[1]), 1, TileFault::Unexpected);
    check(&|bad| bad.nodes[1].index = 2, 2, TileFault::Unexpected);
    let mut wild = LogVerifier::new();
    assert_eq!(wild.tile_node(255, u64::MAX, &empty_root()).unwrap_err().code(), "bad_tile");
}

#[test]
fn a_log_is_measured_against_the_checkpoint_that_was_signed() {
    let good = stored(5);
    let with = |checkpoint: String| Stored { checkpoint, ..good.clone() }.verify().unwrap_err().code();
    assert_eq!(with(stored(4).checkpoint), "size_mismatch");
    assert_eq!(with(stored(6).checkpoint), "size_mismatch");
    let sign = |seed, origin, root| {
        Checkpoint::new(origin, 5, root).unwrap().sign(&signing_key(ORIGIN, seed)).unwrap()
    };
    assert_eq!(with(sign(1, ORIGIN, empty_root())), "root_mismatch");
    assert_eq!(with(sign(1, "other", empty_root())), "wrong_origin");
    assert_eq!(with(sign(2, ORIGIN, empty_root())), "no_trusted_signature");
    assert_eq!(with(good.checkpoint.replacen('5', "6", 1)), "bad_signature");
    assert_eq!(with(String::new()), "malformed");
}

#[test]
fn flipping_any_bit_of_any_leaf_names_that_leaf() {
    let good = stored(20);
    for (index, (leaf, hash)) in good.leaves.iter().enumerate() {
        for at in 0..leaf.len() {
            let mut bad = good.clone();
            bad.leaves[index].0[at] ^= 1 << (at % 8);
            check_bad_leaf(&bad, index as u64, LeafFault::HashMismatch);
        }
        for at in 0..32 {
            let mut bytes = *hash.as_bytes();
            bytes[at] ^= 1;
            let mut bad = good.clone();
            bad.leaves[index].1 = Hash::from_bytes(bytes);
            check_bad_leaf(&bad, index as u64, LeafFault::HashMismatch);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn batches_do_not_change_the_log(
        batches in prop::collection::vec((0usize..90, any::<bool>()), 1..8)
    ) {
        let (mut batched, mut writer) = (Stored::default(), writer());
        for (count, is_retried) in batches {
            let from = batched.leaves.len();
            let leaves: Vec<Vec<u8>> = (from..from + count).map(record).collect();
            if is_retried {
                let borrowed: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
                writer.seal(from as u64, &borrowed).unwrap();
                writer.rolled_back();
            }
            batched.write(&mut writer, &leaves);
        }
        let at_once = stored(batched.leaves.len());
        prop_assert_eq!(&at_once.checkpoint, &batched.checkpoint);
        prop_assert_eq!(&at_once.nodes, &batched.nodes);
        prop_assert_eq!(&at_once.state, &batched.state);
        prop_assert!(batched.verify().is_ok());
    }
}
