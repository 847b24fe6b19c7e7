//! The RFC 6962 Merkle tree: hashing, growing, proving, verifying.
//!
//! A tree is known by its size and root. It grows through a [`CompactRange`], which keeps only the roots of the
//! perfect subtrees on its right edge. Proofs are made from tile hashes, 256 to a tile, and verified from nothing
//! but hashes.
//!
//! Promises: sizes up to 2^64-1 without overflow; a proof verifies for one leaf, index, size and root only.

mod hash;
mod prove;
mod range;
mod verify;

pub use hash::{HASH_BYTES, Hash, empty_root, leaf_hash, node_hash};
pub use prove::{
    MAX_PROOF_HASHES, TileId, TileSource, consistency_proof, inclusion_proof, tiles_for_consistency,
    tiles_for_inclusion,
};
pub use range::{CompactRange, TileNode};
pub use verify::{
    Subtree, verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};

/// Hashes in a full tile.
pub const TILE_WIDTH: u16 = 256;

/// Tree levels that one tile spans.
const TILE_HEIGHT: u32 = 8;

#[cfg(test)]
pub(crate) mod tests;
