//! Notes against the specification's example and its neighbours that must be refused.

use proptest::prelude::*;

use super::*;
use crate::Zeroizing;
use crate::testdata;

pub(crate) fn signing_key(name: &str, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::parse(name).unwrap(), Zeroizing::new([seed; 32])).unwrap()
}

fn open(note: &str, keys: &[VerifierKey]) -> Result<VerifiedNote, Error> {
    SignedNote::parse(note.as_bytes())?.open(keys)
}

#[track_caller]
fn check_refused(note: impl AsRef<[u8]>, why: &str) {
    let error = SignedNote::parse(note.as_ref()).unwrap_err();
    assert_eq!(error.code(), "malformed");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn the_specifications_notes_and_their_neighbours_get_the_right_answer() {
    let Some(cases) = testdata::read_json("c2sp/notes.json") else { return };
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let keys: Vec<VerifierKey> = case["vkeys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap().parse().unwrap())
            .collect();
        let note = case["note"].as_str().unwrap();
        let opened = open(note, &keys);
        assert_eq!(opened.is_ok(), case["valid"].as_bool().unwrap(), "{}: {opened:?}", case["name"]);
        if let Ok(parsed) = SignedNote::parse(note.as_bytes()) {
            assert_eq!(parsed.to_string(), note);
        }
    }
    let code = |name: &str| {
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        let keys: Vec<VerifierKey> = case["vkeys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap().parse().unwrap())
            .collect();
        open(case["note"].as_str().unwrap(), &keys).unwrap_err().code()
    };
    assert_eq!(code("unknown-key-only"), "no_trusted_signature");
    assert_eq!(code("key-id-differs"), "no_trusted_signature");
    assert_eq!(code("other-spec-note"), "no_trusted_signature");
    assert_eq!(code("text-changed"), "bad_signature");
    assert_eq!(code("signature-bit-flipped"), "bad_signature");
    assert_eq!(code("trailing-text"), "malformed");
}

#[test]
fn notes_of_the_specifications_are_read_and_written_alike() {
    let Some(examples) = testdata::read_json("c2sp/format-examples.json") else { return };
    let text = |name: &str| examples[name].as_str().unwrap();
    for (name, signatures) in [("checkpoint", 1), ("checkpoint_cosigned", 2)] {
        let note = SignedNote::parse(text(name).as_bytes()).unwrap();
        assert_eq!(note.signatures().len(), signatures);
        assert_eq!(note.signatures()[0].name().as_str(), "example.com/behind-the-sofa");
        assert_eq!(note.signatures()[0].key_id(), [0x03, 0x3d, 0xe0, 0xae]);
        assert_eq!(note.to_string(), text(name));
        assert!(note.unverified_text().starts_with("example.com/behind-the-sofa\n20852163\n"));
    }
    // These are abridged by their authors, so no strict reader takes them.
    check_refused(text("tlog_proof_abridged"), "signature");
    check_refused(examples["witness_request_bodies"][0].as_str().unwrap(), "signature");
    check_refused(text("policy"), "");
}

#[test]
fn a_key_signs_and_its_verifier_key_believes() {
    let key = signing_key("ringwall.example/log", 1);
    let note = key.sign("first\n\nlast\n").unwrap();
    let vkey: VerifierKey = key.verifier().to_string().parse().unwrap();
    assert_eq!(vkey, *key.verifier());
    let verified = open(&note.to_string(), std::slice::from_ref(&vkey)).unwrap();
    assert_eq!(verified.text(), "first\n\nlast\n");
    assert_eq!(verified.signers(), [vkey]);
}

#[test]
fn a_signing_key_shows_nothing_of_its_seed() {
    let shown = format!("{:?}", signing_key("a", 0xab));
    assert!(shown.contains("verifier"));
    for seed in ["171, 171", "abab", "ABAB", "q6ur"] {
        assert!(!shown.contains(seed), "{shown}");
    }
}

#[test]
fn the_known_seed_of_rfc_8032_gives_its_known_public_key() {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let seed = std::array::from_fn(|n| u8::from_str_radix(seed.get(2 * n..2 * n + 2).unwrap(), 16).unwrap());
    let key = SigningKey::from_seed(KeyName::parse("a").unwrap(), Zeroizing::new(seed)).unwrap();
    let vkey = key.verifier().to_string();
    let bytes = STANDARD.decode(vkey.splitn(3, '+').nth(2).unwrap()).unwrap();
    assert_eq!(bytes[..5], [0x01, 0xd7, 0x5a, 0x98, 0x01]);
}

#[test]
fn a_known_key_that_fails_refuses_a_note_that_another_known_key_signed() {
    let (good, bad) = (signing_key("good", 1), signing_key("bad", 2));
    let keys = [good.verifier().clone(), bad.verifier().clone()];
    let signed = good.sign("text\n").unwrap().to_string();
    let other = bad.sign("other\n").unwrap().to_string();
    let stray = other.split_once("\n\n").unwrap().1;
    assert_eq!(open(&format!("{signed}{stray}"), &keys).unwrap_err().code(), "bad_signature");
    assert!(open(&format!("{signed}{stray}"), &keys[..1]).is_ok());
    assert_eq!(open(&format!("{signed}{stray}"), &keys[1..]).unwrap_err().code(), "bad_signature");

    let both = bad.sign("text\n").unwrap().to_string();
    let both = format!("{signed}{}", both.split_once("\n\n").unwrap().1);
    assert_eq!(open(&both, &keys).unwrap().signers().len(), 2);
}

#[test]
fn a_key_that_shares_only_its_name_is_unknown() {
    let (ours, theirs) = (signing_key("same", 1), signing_key("same", 2));
    let note = theirs.sign("text\n").unwrap().to_string();
    assert_eq!(open(&note, &[ours.verifier().clone()]).unwrap_err(), Error::NoTrustedSignature);
}

#[test]
fn texts_that_no_note_can_hold_are_not_signed() {
    let key = signing_key("a", 1);
    for text in ["", "no newline", "tab\t\n", "return\r\n", "nul\0\n", "escape\u{1b}\n"] {
        assert_eq!(key.sign(text).unwrap_err().code(), "malformed", "{text:?}");
    }
    for text in ["\n", "\n\n", "a\n\n\n", "\u{7f}\u{80}\u{2028}é\n", "\u{2014} a b\n"] {
        let note = key.sign(text).unwrap().to_string();
        assert_eq!(open(&note, &[key.verifier().clone()]).unwrap().text(), text);
    }
}

#[test]
fn names_that_would_blur_a_line_are_refused() {
    for name in ["", " ", "a b", "a+b", "a\n", "a\u{2003}b", "a\u{a0}", "a\0", "\u{85}", &"a".repeat(256)] {
        assert_eq!(KeyName::parse(name).unwrap_err().code(), "bad_key", "{name:?}");
    }
    for name in ["a", "example.com/log", "é", &"a".repeat(255)] {
        assert_eq!(KeyName::parse(name).unwrap().as_str(), name);
    }
}

#[test]
fn a_verifier_key_with_another_id_type_or_length_is_refused() {
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert_eq!(vkey.parse::<VerifierKey>().unwrap().to_string(), vkey);
    for bad in [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903a+",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2l",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ] {
        assert_eq!(bad.parse::<VerifierKey>().unwrap_err().code(), "bad_key", "{bad}");
    }
}

#[test]
fn a_note_has_limits_and_takes_sixteen_signatures_of_any_size() {
    let line = |bytes: usize| format!("{LINE_START}witness {}\n", STANDARD.encode(vec![9; bytes]));
    let key = signing_key("a", 1);
    let note = key.sign("text\n").unwrap().to_string();
    let keys = [key.verifier().clone()];
    assert!(open(&format!("{note}{}", line(5000).repeat(15)), &keys).is_ok());
    assert!(open(&format!("{note}{}", line(5000).repeat(MAX_SIGNATURES - 1)), &keys).is_ok());
    check_refused(format!("{note}{}", line(68).repeat(MAX_SIGNATURES)), "more than 64 signatures");
    check_refused(format!("{}\n{note}", "x".repeat(MAX_NOTE_BYTES)), "bytes");
    check_refused(format!("{note}{}", line(4)), "cut off");
    check_refused(format!("{note}{}", line(3)), "cut off");
    assert!(SignedNote::parse(format!("{note}{}", line(5)).as_bytes()).is_ok());
}

#[test]
fn a_note_with_any_departure_from_the_grammar_is_refused() {
    let sig = "CQkJCQk=";
    check_refused("", "no blank line");
    check_refused(format!("text\n\u{2014} a {sig}\n"), "no blank line");
    check_refused("text\n\n", "newline");
    check_refused("text\n\n\n", "newline");
    check_refused("text\n\nx\n", "em dash");
    check_refused(format!("text\n\n\u{2014} a {sig}"), "newline");
    check_refused(format!("text\n\n\u{2014} a {sig}\n\n"), "newline");
    check_refused(format!("text\n\n\u{2014}  a {sig}\n"), "key name");
    check_refused(format!("text\n\n\u{2014} a  {sig}\n"), "signature");
    check_refused(format!("text\n\n\u{2014} a {sig} \n"), "signature");
    check_refused(format!("text\n\n\u{2014} a+b {sig}\n"), "key name");
    check_refused("text\n\n\u{2014} a\n", "em dash");
    check_refused(format!("text\n\n\u{2013} a {sig}\n"), "em dash");
    check_refused("text\n\n\u{2014} a CQkJCQl=\n", "signature");
    check_refused("text\n\n\u{2014} a CQkJCQk\n", "signature");
    check_refused("text\n\n\u{2014} a CQkJCQ-_\n", "signature");
    check_refused(format!("te\txt\n\n\u{2014} a {sig}\n"), "control");
    check_refused([b"\xff\n\n\xe2\x80\x94 a ".as_slice(), sig.as_bytes(), b"\n"].concat(), "utf-8");
}

#[test]
fn flipping_any_bit_of_a_note_refuses_it() {
    let key = signing_key("ringwall.example/log", 3);
    let keys = [key.verifier().clone()];
    let note = key.sign("one\n\ntwo\n").unwrap().to_string().into_bytes();
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bad = note.clone();
            bad[at] ^= 1 << bit;
            assert!(
                SignedNote::parse(&bad).and_then(|note| note.open(&keys)).is_err(),
                "byte {at}, bit {bit}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_note_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(note) = SignedNote::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn a_note_that_is_read_is_written_alike(
        text in "[a-z\n\u{2014} ]{0,30}", lines in prop::collection::vec("\u{2014} [a-z+]{0,3} [A-Za-z0-9+/]{8}", 0..4)
    ) {
        let note = format!("{text}\n\n{}\n", lines.join("\n"));
        if let Ok(parsed) = SignedNote::parse(note.as_bytes()) {
            prop_assert_eq!(parsed.to_string(), note);
        }
    }

    #[test]
    fn no_text_makes_a_verifier_key_panic(text in "[a-z]{0,3}\\+?[0-9a-f]{0,9}\\+?[A-Za-z0-9+/=]{0,50}") {
        if let Ok(key) = text.parse::<VerifierKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn whatever_is_signed_is_believed(text in "[^\\x00-\\x1f]{0,40}", seed: [u8; 32]) {
        let key = SigningKey::from_seed(KeyName::parse("a").unwrap(), Zeroizing::new(seed)).unwrap();
        let text = format!("{text}\n");
        let note = key.sign(&text).unwrap().to_string();
        let verified = open(&note, &[key.verifier().clone()]).unwrap();
        prop_assert_eq!(verified.text(), text);
    }
}
