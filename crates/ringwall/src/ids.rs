//! Ids that follow from content.

use aws_lc_rs::digest::{SHA256, digest};

/// The first 128 bits of SHA-256.
pub(crate) fn make_id(bytes: &[u8]) -> [u8; 16] {
    digest(&SHA256, bytes).as_ref().first_chunk::<16>().copied().unwrap_or_default()
}
