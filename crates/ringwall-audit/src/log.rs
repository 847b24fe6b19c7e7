//! The log as a whole: a writer that seals batches, a verifier that checks everything that was stored.

mod verifier;
mod writer;

pub use verifier::LogVerifier;
pub use writer::{LogWriter, Sealed};

use crate::Error;
use crate::canonical::check_canonical;
use crate::error::LeafFault;
use crate::tile::MAX_ENTRY_BYTES;

/// What bytes must be to become a leaf, for writer and verifier alike.
fn check_leaf(bytes: &[u8]) -> Result<(), LeafFault> {
    if bytes.is_empty() {
        return Err(LeafFault::Empty);
    }
    if bytes.len() > MAX_ENTRY_BYTES {
        return Err(LeafFault::TooLarge(bytes.len()));
    }
    check_canonical(bytes).map_err(|error: Error| LeafFault::NotCanonical(error.to_string()))
}

#[cfg(test)]
mod tests;
