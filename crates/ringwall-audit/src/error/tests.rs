//! Errors: stable codes, plain messages.

use super::*;

fn one_of_each() -> Vec<Error> {
    let detail = || Detail::new("`why`");
    let mismatch = || Mismatch::new(1, 2);
    vec![
        Error::NotRepresentable(detail()),
        Error::NotCanonical(detail()),
        Error::malformed("tile", "`why`"),
        Error::BadKey(detail()),
        Error::BadSignature(detail()),
        Error::NoTrustedSignature,
        Error::WrongOrigin(mismatch()),
        Error::ProofRefused(detail()),
        Error::MissingTile(TileId { level: 0, index: 1, width: 2 }),
        Error::OutOfRange(detail()),
        Error::EntrySize(detail()),
        Error::WrongIndex(mismatch()),
        Error::SealPending,
        Error::StateDisagrees(detail()),
        Error::BadLeaf(BadLeaf::new(3, LeafFault::Missing)),
        Error::BadTile(BadTile::new(1, 2, TileFault::Missing)),
        Error::SizeMismatch(mismatch()),
        Error::RootMismatch(mismatch()),
        Error::SigningFailed,
    ]
}

#[test]
fn every_error_has_its_own_code() {
    let codes: std::collections::BTreeSet<&str> = one_of_each().iter().map(Error::code).collect();
    assert_eq!(codes.len(), one_of_each().len());
    assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
}

#[test]
fn every_message_is_lower_case_and_has_no_full_stop() {
    for error in one_of_each() {
        let message = error.to_string();
        assert!(message.chars().all(|c| !c.is_uppercase()), "{message}");
        assert!(!message.ends_with('.'), "{message}");
    }
}

#[test]
fn only_waiting_helps_against_a_pending_seal_or_a_missing_tile() {
    let retryable: Vec<&str> =
        one_of_each().iter().filter(|error| error.is_retryable()).map(Error::code).collect();
    assert_eq!(retryable, ["missing_tile", "seal_pending"]);
}

#[test]
fn a_bad_tile_names_the_leaves_below_it() {
    assert_eq!(BadTile::new(1, 0, TileFault::Missing).leaves(), 0..=255);
    assert_eq!(BadTile::new(2, 3, TileFault::Missing).leaves(), 196_608..=262_143);
    assert_eq!(*BadTile::new(255, u64::MAX, TileFault::Missing).leaves().end(), u64::MAX);
}
