//! Makes proofs from tile hashes: which tiles a proof needs, and the proof itself.
//!
//! A proof is a list of tree nodes. Each node is a run of leaves, a run is a sum of perfect subtrees, and a perfect
//! subtree is found whole in one tile: the tile of the level just below its root.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::hash::{Hash, node_hash};
use super::{TILE_HEIGHT, TILE_WIDTH};
use crate::Error;

/// No proof in a tree of 64-bit size has more hashes.
pub const MAX_PROOF_HASHES: usize = 64;

/// One tile of a tree of a given size.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TileId {
    /// Tile level: 0 holds leaf hashes, each level above holds the roots of full tiles below.
    pub level: u8,
    /// Position among the tiles of that level.
    pub index: u64,
    /// Hashes in it, 1 to 256; fewer than 256 only at the right edge of the tree.
    pub width: u16,
}

/// Whoever holds tiles: a map, a store's rows read before, a directory.
pub trait TileSource {
    /// The hashes of the tile, exactly `id.width` of them, or `None` if they are not at hand.
    fn tile(&self, id: TileId) -> Option<&[Hash]>;
}

impl TileSource for BTreeMap<TileId, Vec<Hash>> {
    fn tile(&self, id: TileId) -> Option<&[Hash]> {
        self.get(&id).map(Vec::as_slice)
    }
}

/// The tiles that [`inclusion_proof`] will ask for, each once.
pub fn tiles_for_inclusion(index: u64, size: u64) -> Result<Vec<TileId>, Error> {
    Ok(tiles_for(&inclusion_path(index, size)?, size))
}

/// The tiles that [`consistency_proof`] will ask for, each once.
pub fn tiles_for_consistency(size1: u64, size2: u64) -> Result<Vec<TileId>, Error> {
    Ok(tiles_for(&consistency_path(size1, size2)?, size2))
}

/// Proves that the leaf at `index` is in the tree of `size` leaves; the leaf's sibling comes first.
pub fn inclusion_proof(index: u64, size: u64, tiles: &impl TileSource) -> Result<Vec<Hash>, Error> {
    inclusion_path(index, size)?.into_iter().map(|run| run_root(run, size, tiles)).collect()
}

/// Proves that the tree of `size1` leaves is the beginning of the tree of `size2` leaves.
pub fn consistency_proof(size1: u64, size2: u64, tiles: &impl TileSource) -> Result<Vec<Hash>, Error> {
    consistency_path(size1, size2)?.into_iter().map(|run| run_root(run, size2, tiles)).collect()
}

/// The runs of leaves whose roots prove a leaf, lowest first.
fn inclusion_path(index: u64, size: u64) -> Result<Vec<Range<u64>>, Error> {
    if index >= size {
        return Err(Error::out_of_range(format!("leaf {index} of a tree with {size} leaves")));
    }
    let mut path = Vec::new();
    let mut run = 0..size;
    while let Some(middle) = split(&run) {
        let (left, right) = (run.start..middle, middle..run.end);
        let is_left = index < middle;
        path.push(if is_left { right.clone() } else { left.clone() });
        run = if is_left { left } else { right };
    }
    path.reverse();
    Ok(path)
}

/// The runs of leaves whose roots prove that `size1` leaves are a beginning, lowest first.
fn consistency_path(size1: u64, size2: u64) -> Result<Vec<Range<u64>>, Error> {
    if size1 == 0 || size1 > size2 {
        return Err(Error::out_of_range(format!("consistency of {size1} with {size2} leaves")));
    }
    let mut path = Vec::new();
    let mut run = 0..size2;
    while run.end != size1 {
        // INVARIANT: size1 lies inside the run and not at its end, so the run has two leaves at least.
        let Some(middle) = split(&run) else { break };
        let (left, right) = (run.start..middle, middle..run.end);
        let is_left = size1 <= middle;
        path.push(if is_left { right.clone() } else { left.clone() });
        run = if is_left { left } else { right };
    }
    // A run from 0 is the old tree itself, whose root the verifier has.
    if run.start != 0 {
        path.push(run);
    }
    path.reverse();
    Ok(path)
}

/// Where RFC 6962 splits a run: after the largest power of two smaller than its length.
fn split(run: &Range<u64>) -> Option<u64> {
    let last = (run.end - run.start).checked_sub(1)?;
    Some(run.start + (1 << last.checked_ilog2()?))
}

/// The root of a perfect subtree, as hashes of one tile.
struct Perfect {
    tile: TileId,
    offset: usize,
    count: usize,
}

/// The perfect subtrees of a run, from the left. A run starts at a multiple of its largest subtree.
fn perfect_subtrees(run: Range<u64>, size: u64) -> impl Iterator<Item = Perfect> {
    let mut start = run.start;
    std::iter::from_fn(move || {
        let height = (run.end - start).checked_ilog2()?;
        let level = height / TILE_HEIGHT;
        let count = 1u64 << (height % TILE_HEIGHT);
        let first = start >> (level * TILE_HEIGHT);
        let index = first / u64::from(TILE_WIDTH);
        let on_level = size >> (level * TILE_HEIGHT);
        let width = (on_level - index * u64::from(TILE_WIDTH)).min(u64::from(TILE_WIDTH));
        start += 1 << height;
        // A level is below 8, a width at most 256, an offset and a count below 256: no conversion loses bits.
        Some(Perfect {
            tile: TileId { level: level as u8, index, width: width as u16 },
            offset: (first % u64::from(TILE_WIDTH)) as usize,
            count: count as usize,
        })
    })
}

fn tiles_for(path: &[Range<u64>], size: u64) -> Vec<TileId> {
    let needed: BTreeSet<TileId> =
        path.iter().flat_map(|run| perfect_subtrees(run.clone(), size)).map(|perfect| perfect.tile).collect();
    needed.into_iter().collect()
}

fn run_root(run: Range<u64>, size: u64, tiles: &impl TileSource) -> Result<Hash, Error> {
    let roots: Vec<Hash> =
        perfect_subtrees(run, size).map(|perfect| perfect_root(&perfect, tiles)).collect::<Result<_, _>>()?;
    let mut smallest_first = roots.into_iter().rev();
    let smallest = smallest_first.next().ok_or_else(|| Error::out_of_range("a run without leaves"))?;
    Ok(smallest_first.fold(smallest, |right, left| node_hash(&left, &right)))
}

fn perfect_root(perfect: &Perfect, tiles: &impl TileSource) -> Result<Hash, Error> {
    let tile = tiles.tile(perfect.tile).ok_or(Error::MissingTile(perfect.tile))?;
    if tile.len() != usize::from(perfect.tile.width) {
        let (found, wanted) = (tile.len(), perfect.tile.width);
        return Err(Error::malformed("tile", format!("{found} hashes, not {wanted}")));
    }
    let mut row = tile
        .get(perfect.offset..)
        .unwrap_or_default()
        .iter()
        .take(perfect.count)
        .copied()
        .collect::<Vec<_>>();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied().ok_or(Error::MissingTile(perfect.tile))
}
