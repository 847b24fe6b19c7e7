//! Proof files: read strictly, believed only whole.

use proptest::prelude::*;

use super::*;
use crate::merkle::inclusion_proof;
use crate::merkle::tests::{Levels, root_from_leaf_hashes};
use crate::note::SigningKey;
use crate::note::tests::signing_key;
use crate::testdata;

const ORIGIN: &str = "ringwall.example/log";

fn leaves() -> Vec<Vec<u8>> {
    (0..11).map(|n| format!("{{\"n\":{n}}}").into_bytes()).collect()
}

fn note(key: &SigningKey, origin: &str) -> String {
    let hashes: Vec<Hash> = leaves().iter().map(|leaf| leaf_hash(leaf)).collect();
    Checkpoint::new(origin, 11, root_from_leaf_hashes(&hashes)).unwrap().sign(key).unwrap()
}

fn proof(index: u64, note: &str) -> LogProof {
    let leaves = leaves();
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let proof = inclusion_proof(index, 11, &Levels::new(&hashes)).unwrap();
    LogProof::new(Some(&leaves[index as usize]), index, proof, note).unwrap()
}

#[test]
fn a_proof_file_shows_its_leaf_to_whoever_has_the_verifier_key() {
    let key = signing_key(ORIGIN, 1);
    let keys = [key.verifier().clone()];
    for index in 0..11 {
        let file = proof(index, &note(&key, ORIGIN)).to_string();
        let read = LogProof::parse(file.as_bytes()).unwrap();
        assert_eq!(read.to_string(), file);
        let (checkpoint, leaf) = read.verify_self_contained(&keys).unwrap();
        assert_eq!((checkpoint.size(), checkpoint.origin()), (11, ORIGIN));
        assert_eq!(leaf, leaves()[index as usize]);
        assert_eq!(read.verify(leaf, &keys, ORIGIN).unwrap(), checkpoint);
        assert_eq!(read.index(), index);
    }
}

#[test]
fn a_proof_is_refused_for_another_leaf_log_or_key() {
    let (key, other) = (signing_key(ORIGIN, 1), signing_key(ORIGIN, 2));
    let keys = [key.verifier().clone()];
    let proof = proof(4, &note(&key, ORIGIN));
    let leaves = leaves();
    assert!(proof.verify(&leaves[4], &keys, ORIGIN).is_ok());
    assert_eq!(proof.verify(&leaves[5], &keys, ORIGIN).unwrap_err().code(), "proof_refused");
    assert_eq!(proof.verify(&leaves[4], &keys, "other.example").unwrap_err().code(), "wrong_origin");
    let others = [other.verifier().clone()];
    assert_eq!(proof.verify(&leaves[4], &others, ORIGIN).unwrap_err().code(), "no_trusted_signature");
    let swapped = LogProof::new(Some(&leaves[5]), 4, proof.hashes().to_vec(), &note(&key, ORIGIN)).unwrap();
    assert_eq!(swapped.verify_self_contained(&keys).unwrap_err().code(), "proof_refused");
}

#[test]
fn the_key_of_one_log_cannot_vouch_for_another_log_by_itself() {
    let key = signing_key("other.example", 1);
    let proof = proof(4, &note(&key, ORIGIN));
    let keys = [key.verifier().clone()];
    assert_eq!(proof.verify_self_contained(&keys).unwrap_err().code(), "wrong_origin");
    assert!(proof.verify(&leaves()[4], &keys, ORIGIN).is_ok());
}

#[test]
fn a_file_without_its_leaf_needs_the_leaf_beside_it() {
    let key = signing_key(ORIGIN, 1);
    let keys = [key.verifier().clone()];
    let with = proof(4, &note(&key, ORIGIN));
    let without = LogProof::new(None, 4, with.hashes().to_vec(), &note(&key, ORIGIN)).unwrap();
    assert!(!without.to_string().contains("extra"));
    let read = LogProof::parse(without.to_string().as_bytes()).unwrap();
    assert_eq!(read, without);
    assert_eq!(read.verify_self_contained(&keys).unwrap_err().code(), "malformed");
    assert!(read.verify(&leaves()[4], &keys, ORIGIN).is_ok());
}

#[test]
fn the_specifications_proof_is_read_once_its_abridged_lines_are_whole() {
    let Some(examples) = testdata::read_json("c2sp/format-examples.json") else { return };
    let abridged = examples["tlog_proof_abridged"].as_str().unwrap();
    assert_eq!(LogProof::parse(abridged.as_bytes()).unwrap_err().code(), "malformed");
    let whole: String = abridged
        .lines()
        .map(|line| match line.split_once(' ') {
            Some((first, rest)) if first == "\u{2014}" => {
                format!("{first} {} CQkJCQk=\n", rest.split_once(' ').unwrap().0)
            }
            Some(("extra", _)) => "extra YWdl\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    let read = LogProof::parse(whole.as_bytes()).unwrap();
    assert_eq!(read.to_string(), whole);
    assert_eq!(
        (read.index(), read.hashes().len(), read.unverified_extra()),
        (73_894, 5, Some(b"age".as_slice()))
    );
    assert_eq!(read.checkpoint_note().signatures().len(), 4);
    assert!(read.checkpoint_note().unverified_text().starts_with("example.com/fancylog\n109482\n"));
}

#[test]
fn any_departure_from_the_format_is_refused() {
    let key = signing_key(ORIGIN, 1);
    let file = proof(4, &note(&key, ORIGIN)).to_string();
    let check = |from: &str, to: &str| {
        assert!(file.contains(from), "{from}");
        let bad = file.replacen(from, to, 1);
        assert_eq!(LogProof::parse(bad.as_bytes()).unwrap_err().code(), "malformed", "{to:?}");
    };
    check("@v1\n", "@v2\n");
    check("@v1\n", "@v1\n\n");
    check("@v1\n", "@v1\r\n");
    check("c2sp", " c2sp");
    check("extra ", "Extra ");
    check("extra ", "extra  ");
    check("extra ", "extra");
    check("extra ", "extra YWdl\nextra ");
    check("extra ", "extra \u{e9}");
    check("index 4", "index 04");
    check("index 4", "index +4");
    check("index 4", "index 18446744073709551616");
    check("index 4", "index");
    check("index 4\n", "");
    check("index 4\n", "index 4\nindex 4\n");
    check("index 4\n", "index 4\nextra YWdl\n");
    check("index 4\n", "index 4\nAAAA\n");
    check("index 4\n", "index 4\n\n");
    check("\n\n", "\n");
    check(ORIGIN, &format!("\n{ORIGIN}\t"));
}

#[test]
fn a_proof_file_has_limits() {
    let key = signing_key(ORIGIN, 1);
    let note = note(&key, ORIGIN);
    let largest = vec![b'1'; MAX_ENTRY_BYTES];
    let hashes = vec![leaf_hash(b""); MAX_PROOF_HASHES];
    let file = LogProof::new(Some(&largest), u64::MAX, hashes.clone(), &note).unwrap().to_string();
    assert!(LogProof::parse(file.as_bytes()).is_ok());
    let hash_line = format!("{}\n", leaf_hash(b"").to_base64());
    let longer = file.replacen(&hash_line, &hash_line.repeat(2), 1);
    assert!(LogProof::parse(longer.as_bytes()).unwrap_err().to_string().contains("more than 64 hashes"));
    assert!(LogProof::new(None, 0, [hashes, vec![leaf_hash(b"")]].concat(), &note).is_err());
    assert!(LogProof::new(Some(&vec![0; MAX_ENTRY_BYTES + 1]), 0, Vec::new(), &note).is_err());
    assert!(
        LogProof::parse(&vec![b'a'; MAX_PROOF_FILE_BYTES + 1]).unwrap_err().to_string().contains("bytes")
    );
}

#[test]
fn flipping_any_byte_of_a_proof_file_refuses_it() {
    let key = signing_key(ORIGIN, 1);
    let keys = [key.verifier().clone()];
    for index in [0, 5, 10] {
        let file = proof(index, &note(&key, ORIGIN)).to_string().into_bytes();
        for at in 0..file.len() {
            for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                let mut bad = file.clone();
                bad[at] ^= mask;
                let read = LogProof::parse(&bad);
                let is_believed = read.is_ok_and(|proof| proof.verify_self_contained(&keys).is_ok());
                assert!(!is_believed, "byte {at}, mask {mask}");
            }
        }
    }
}

proptest! {
    #[test]
    fn edits_of_a_proof_file_never_panic_and_are_never_believed(
        index in 0u64..11,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0u8..3, any::<u8>()), 1..4)
    ) {
        let key = signing_key(ORIGIN, 1);
        let original = proof(index, &note(&key, ORIGIN));
        let mut file = original.to_string().into_bytes();
        for (at, kind, byte) in edits {
            let at = at.index(file.len());
            match kind {
                0 => file[at] = byte,
                1 => file.insert(at, byte),
                _ => drop(file.remove(at)),
            }
        }
        if let Ok(read) = LogProof::parse(&file) {
            prop_assert_eq!(read.to_string().into_bytes(), file);
            let is_believed = read.verify_self_contained(&[key.verifier().clone()]).is_ok();
            prop_assert!(!is_believed || read == original);
        }
    }

    #[test]
    fn no_bytes_make_a_proof_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let with_header = [HEADER.as_bytes(), b"\n", &bytes].concat();
        prop_assert!(LogProof::parse(&bytes).is_err());
        if let Ok(read) = LogProof::parse(&with_header) {
            prop_assert_eq!(read.to_string().into_bytes(), with_header);
        }
    }
}
