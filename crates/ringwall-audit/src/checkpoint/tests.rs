//! Checkpoints: three strict lines, one origin, one signature at least.

use proptest::prelude::*;

use super::*;
use crate::merkle::{empty_root, leaf_hash};
use crate::note::tests::signing_key;
use crate::testdata;

const ORIGIN: &str = "ringwall.example/log";
const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

#[track_caller]
fn check_refused(text: &str) {
    assert_eq!(Checkpoint::parse(text).unwrap_err().code(), "malformed", "{text:?}");
}

#[test]
fn the_specifications_checkpoint_is_read_and_written_alike() {
    let Some(examples) = testdata::read_json("c2sp/format-examples.json") else { return };
    let note = examples["checkpoint"].as_str().unwrap();
    let text = SignedNote::parse(note.as_bytes()).unwrap().unverified_text().to_owned();
    let checkpoint = Checkpoint::parse(&text).unwrap();
    assert_eq!(checkpoint.origin(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size(), 20_852_163);
    assert_eq!(checkpoint.root().to_base64(), ROOT);
    assert_eq!(checkpoint.to_text(), text);
}

#[test]
fn a_checkpoint_text_has_one_spelling() {
    for size in ["0", "1", "18446744073709551615"] {
        let text = format!("a\n{size}\n{ROOT}\n");
        assert_eq!(Checkpoint::parse(&text).unwrap().to_text(), text);
    }
    for size in ["", "01", "00", "+1", "-1", " 1", "1 ", "0x1", "1.0", "1e3", "18446744073709551616", "١"] {
        check_refused(&format!("a\n{size}\n{ROOT}\n"));
    }
    check_refused("");
    check_refused("\n");
    check_refused("a\n1\n");
    check_refused(&format!("a\n1\n{ROOT}"));
    check_refused(&format!("\n1\n{ROOT}\n"));
    check_refused(&format!("a\n\n1\n{ROOT}\n"));
    check_refused("a\n1\n\n");
    check_refused("a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n");
    check_refused("a\n1\nCsUY\n");
    check_refused(&format!("a\n1\n{ROOT}\n\n"));
    check_refused(&format!("a\n1\n{ROOT}\n\nx\n"));
}

#[test]
fn extension_lines_are_read_past_and_never_written() {
    let checkpoint = Checkpoint::parse(&format!("a\n1\n{ROOT}\nextension\nanother\n")).unwrap();
    assert_eq!(checkpoint.to_text(), format!("a\n1\n{ROOT}\n"));
}

#[test]
fn an_origin_that_would_forge_lines_is_refused() {
    for origin in ["", "a\n5", "a\r", "\0"] {
        assert!(Checkpoint::new(origin, 1, empty_root()).is_err());
    }
}

#[test]
fn a_checkpoint_is_believed_for_its_own_log_and_key_only() {
    let (key, other) = (signing_key(ORIGIN, 1), signing_key(ORIGIN, 2));
    let checkpoint = Checkpoint::new(ORIGIN, 1, leaf_hash(b"{}")).unwrap();
    let note = checkpoint.sign(&key).unwrap();
    let keys = [key.verifier().clone(), other.verifier().clone()];
    assert_eq!(Checkpoint::open(&note, &keys, ORIGIN).unwrap(), checkpoint);
    assert_eq!(Checkpoint::open(&note, &keys, "ringwall.example/log2").unwrap_err().code(), "wrong_origin");
    assert_eq!(Checkpoint::open(&note, &keys[1..], ORIGIN).unwrap_err().code(), "no_trusted_signature");
    assert_eq!(Checkpoint::open(&checkpoint.to_text(), &keys, ORIGIN).unwrap_err().code(), "malformed");
    let signed_prose = key.sign("not a checkpoint\n").unwrap().to_string();
    assert_eq!(Checkpoint::open(&signed_prose, &keys, ORIGIN).unwrap_err().code(), "malformed");
}

#[test]
fn flipping_any_byte_of_a_checkpoint_refuses_it() {
    let key = signing_key(ORIGIN, 1);
    let keys = [key.verifier().clone()];
    let note = Checkpoint::new(ORIGIN, 7, leaf_hash(b"{}")).unwrap().sign(&key).unwrap().into_bytes();
    for at in 0..note.len() {
        for mask in 1..=255u8 {
            let mut bad = note.clone();
            bad[at] ^= mask;
            let is_believed =
                std::str::from_utf8(&bad).is_ok_and(|bad| Checkpoint::open(bad, &keys, ORIGIN).is_ok());
            assert!(!is_believed, "byte {at}, mask {mask}");
        }
    }
}

proptest! {
    #[test]
    fn every_checkpoint_reads_back(origin in "[^\\x00-\\x1f\\x7f]{1,20}", size: u64, bytes: [u8; 32]) {
        let checkpoint = Checkpoint::new(&origin, size, Hash::from_bytes(bytes)).unwrap();
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_text()).unwrap(), checkpoint);
    }

    #[test]
    fn no_text_makes_a_checkpoint_panic(text in "[a-z]{0,2}\n?[0-9+]{0,22}\n?[A-Za-z0-9+/=]{0,45}\n?\\PC{0,3}\n?") {
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert!(text.starts_with(&checkpoint.to_text()));
        }
    }
}
