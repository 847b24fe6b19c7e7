//! The audit log as evidence: canonical leaves, a Merkle tree over them, signed checkpoints, proofs.
//!
//! Decides how a record becomes bytes (RFC 8785), how bytes become a tree (RFC 6962, RFC 9162) and how the tree
//! is written down for anyone's verifier (C2SP tlog-tiles, signed-note, tlog-checkpoint, tlog-proof).
//!
//! Promises: what [`LogWriter`] seals, [`LogVerifier`] accepts; flipping any byte of a leaf, a stored hash, a
//! checkpoint or a proof file is refused; hostile input of any shape gives an [`Error`], never a panic.
//!
//! Does not store, send, read a clock or draw randomness: the caller keeps the bytes it gets, and brings seeds
//! and stored facts as arguments.

mod canonical;
mod checkpoint;
mod error;
mod log;
mod merkle;
mod note;
mod proof;
#[cfg(test)]
mod testdata;
mod tile;

pub use canonical::{MAX_DEPTH, MAX_SAFE_INTEGER, check_canonical, to_canonical};
pub use checkpoint::Checkpoint;
pub use error::{BadLeaf, BadTile, Detail, Error, LeafFault, Malformed, Mismatch, TileFault};
pub use log::{LogVerifier, LogWriter, Sealed};
pub use merkle::{
    CompactRange, HASH_BYTES, Hash, MAX_PROOF_HASHES, Subtree, TILE_WIDTH, TileId, TileNode, TileSource,
    consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash, tiles_for_consistency,
    tiles_for_inclusion, verify_consistency, verify_inclusion, verify_subtree_consistency,
    verify_subtree_inclusion,
};
pub use note::{
    KeyName, MAX_NOTE_BYTES, MAX_SIGNATURES, NoteSignature, SignedNote, SigningKey, VerifiedNote, VerifierKey,
};
pub use proof::{LogProof, MAX_PROOF_FILE_BYTES};
pub use tile::{
    MAX_ENTRY_BYTES, TilePath, decode_entry_bundle, decode_tile, encode_entry_bundle, encode_tile,
};
pub use zeroize::Zeroizing;
