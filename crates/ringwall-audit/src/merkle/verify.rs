//! Verifies proofs from hashes alone: inclusion and consistency (RFC 9162 section 2.1), and both for a subtree
//! (draft-ietf-plants-merkle-tree-certs).
//!
//! The tree forms are the subtree forms over `0..size`, with one exception: a consistency proof from size 0
//! shows nothing and is refused, while an empty subtree is consistent with every tree.

use super::hash::{Hash, empty_root, node_hash};
use crate::Error;

/// Leaves that form a subtree of some tree: an aligned range, cut off at the right edge at most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Subtree {
    start: u64,
    end: u64,
}

impl Subtree {
    /// Accepts `start..end` if `start` is a multiple of the smallest power of two that holds the range.
    pub fn new(start: u64, end: u64) -> Result<Self, Error> {
        let refused = || Error::out_of_range(format!("`{start}..{end}` is no subtree"));
        let len = end.checked_sub(start).ok_or_else(refused)?;
        let is_aligned = match len.checked_next_power_of_two() {
            Some(width) => start.is_multiple_of(width),
            None => start == 0,
        };
        if is_aligned { Ok(Self { start, end }) } else { Err(refused()) }
    }

    /// First leaf.
    pub fn start(self) -> u64 {
        self.start
    }

    /// One past the last leaf.
    pub fn end(self) -> u64 {
        self.end
    }
}

/// Accepts `proof` only if the tree of `size` leaves with root `root` holds `leaf` at `index`.
///
/// `size` and `root` must come from one checkpoint: a root alone does not tell its size.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Error> {
    verify_subtree_inclusion(leaf, index, Subtree { start: 0, end: size }, proof, root)
}

/// Accepts `proof` only if the first `size1` leaves of the tree with root `root2` form the tree with `root1`.
pub fn verify_consistency(
    size1: u64,
    size2: u64,
    proof: &[Hash],
    root1: &Hash,
    root2: &Hash,
) -> Result<(), Error> {
    if size1 == 0 {
        return Err(Error::refused("consistency with an empty tree shows nothing"));
    }
    verify_subtree_consistency(Subtree { start: 0, end: size1 }, size2, proof, root1, root2)
}

/// Accepts `proof` only if the subtree with root `root` holds `leaf` at `index`, counted from the tree's start.
pub fn verify_subtree_inclusion(
    leaf: &Hash,
    index: u64,
    subtree: Subtree,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Error> {
    if index < subtree.start || index >= subtree.end {
        return Err(Error::refused(format!(
            "leaf {index} lies outside `{}..{}`",
            subtree.start, subtree.end
        )));
    }
    let mut node = index - subtree.start;
    let mut last = subtree.end - subtree.start - 1;
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(Error::refused("too many hashes"));
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A last node without a sibling moves up unhashed until it is a right child.
            let climb = node.trailing_zeros();
            node >>= climb;
            last >>= climb;
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(Error::refused("too few hashes"));
    }
    if hash == *root { Ok(()) } else { Err(Error::refused("the hashes give another root")) }
}

/// Accepts `proof` only if `subtree` with root `subtree_root` is a part of the tree of `size` leaves and `root`.
///
/// An empty subtree is a part of every tree, whatever `root` is.
pub fn verify_subtree_consistency(
    subtree: Subtree,
    size: u64,
    proof: &[Hash],
    subtree_root: &Hash,
    root: &Hash,
) -> Result<(), Error> {
    let Subtree { start, end } = subtree;
    if end > size {
        return Err(Error::refused(format!("`{start}..{end}` reaches beyond {size} leaves")));
    }
    if start == end {
        let is_empty = proof.is_empty() && *subtree_root == empty_root();
        return if is_empty { Ok(()) } else { Err(Error::refused("an empty subtree with content")) };
    }
    let (mut first, mut last, mut edge) = (start, end - 1, size - 1);
    // Up to the highest node that is whole in both trees: the proof starts there.
    let whole = (first ^ last).checked_ilog2().map_or(0, |bit| bit + 1);
    let climb = if last == edge { whole } else { whole.min(last.trailing_ones()) };
    (first, last, edge) = (shift(first, climb), shift(last, climb), shift(edge, climb));
    let (mut old, mut hashes) = (*subtree_root, proof);
    if first != last {
        (old, hashes) = match proof {
            [seed, rest @ ..] => (*seed, rest),
            [] => return Err(Error::refused("too few hashes")),
        };
    }
    let mut new = old;
    for hash in hashes {
        if edge == 0 {
            return Err(Error::refused("too many hashes"));
        }
        if last & 1 == 1 || last == edge {
            if first < last {
                old = node_hash(hash, &old);
            }
            new = node_hash(hash, &new);
            let climb = last.trailing_zeros();
            (first, last, edge) = (shift(first, climb), shift(last, climb), shift(edge, climb));
        } else {
            new = node_hash(&new, hash);
        }
        (first, last, edge) = (first >> 1, last >> 1, edge >> 1);
    }
    match (edge, old == *subtree_root, new == *root) {
        (0, true, true) => Ok(()),
        (0, ..) => Err(Error::refused("the hashes give another root")),
        _ => Err(Error::refused("too few hashes")),
    }
}

/// Shifts right; a shift by the whole width leaves nothing.
fn shift(value: u64, by: u32) -> u64 {
    value.checked_shr(by).unwrap_or(0)
}
