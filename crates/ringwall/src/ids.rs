//! Ids and digests.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use ringwall_types::Digest;

/// SHA-256 (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(digest(&SHA256, bytes).as_ref().first_chunk::<32>().copied().unwrap_or_default())
}

/// The first 128 bits of SHA-256, for ids that follow from content.
pub(crate) fn make_id(bytes: &[u8]) -> [u8; 16] {
    sha256(bytes).as_bytes().first_chunk::<16>().copied().unwrap_or_default()
}

/// Lower-case hexadecimal digits of `bytes` behind `prefix`: the form of every id that ringwall makes.
pub fn hex_id(prefix: &str, bytes: &[u8]) -> String {
    bytes.iter().fold(prefix.to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
