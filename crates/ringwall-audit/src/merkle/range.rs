//! A growing tree, kept as the roots of the perfect subtrees that its size is the sum of.
//!
//! INVARIANT: one hash for each bit set in `size`, the largest subtree first. So the state of any log is at most
//! 64 hashes, and appending costs one node hash per leaf on average.

use super::TILE_HEIGHT;
use super::hash::{HASH_BYTES, Hash, empty_root, node_hash};
use crate::Error;

/// A tree that leaves are appended to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CompactRange {
    size: u64,
    hashes: Vec<Hash>,
}

/// The root of a full tile, which is a hash of the tile level above.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TileNode {
    /// Tile level that the hash belongs to, from 1; the subtree below it has the height 8 × `level`.
    pub level: u8,
    /// Position among the hashes of that level.
    pub index: u64,
    /// Root of the subtree.
    pub hash: Hash,
}

impl CompactRange {
    /// A tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf, and gives `on_tile_root` each tile node that it completes, lowest level first.
    ///
    /// Fails, and changes nothing, only when the tree holds 2^64-1 leaves already.
    pub fn append(&mut self, leaf: Hash, on_tile_root: &mut impl FnMut(TileNode)) -> Result<(), Error> {
        let size = self.size.checked_add(1).ok_or_else(|| Error::out_of_range("the tree is full"))?;
        let mut hash = leaf;
        for height in 1..=self.size.trailing_ones() {
            if let Some(left) = self.hashes.pop() {
                hash = node_hash(&left, &hash);
            }
            if height % TILE_HEIGHT == 0 {
                // A height is at most 64, so a level is at most 8.
                let level = u8::try_from(height / TILE_HEIGHT).unwrap_or(u8::MAX);
                on_tile_root(TileNode { level, index: self.size.checked_shr(height).unwrap_or(0), hash });
            }
        }
        self.hashes.push(hash);
        self.size = size;
        Ok(())
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash {
        let mut rightmost_first = self.hashes.iter().rev();
        let Some(smallest) = rightmost_first.next() else {
            return empty_root();
        };
        rightmost_first.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The state to store: the size as 8 big-endian bytes, then the hashes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE_BYTES + self.hashes.len() * HASH_BYTES);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for hash in &self.hashes {
            bytes.extend_from_slice(hash.as_bytes());
        }
        bytes
    }

    /// Reads stored state; refuses it unless the number of hashes is the one that the size asks for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = |why: &str| Error::malformed("log state", why);
        let (size, hashes) = bytes.split_first_chunk::<SIZE_BYTES>().ok_or_else(|| malformed("no size"))?;
        let size = u64::from_be_bytes(*size);
        let (hashes, rest) = hashes.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() {
            return Err(malformed("a hash is cut off"));
        }
        if hashes.len() != size.count_ones() as usize {
            return Err(malformed("the number of hashes does not fit the size"));
        }
        Ok(Self { size, hashes: hashes.iter().copied().map(Hash::from_bytes).collect() })
    }
}

const SIZE_BYTES: usize = size_of::<u64>();
