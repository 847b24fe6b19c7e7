//! Checks a whole stored log in one pass: every leaf, every stored hash, every tile node, the signed end.
//!
//! Names the first thing that is wrong as narrowly as the stored hashes allow. A leaf changed alone is named by
//! its index; a leaf changed together with its stored hash by the run of leaves below the first tile node that
//! differs; a log rewritten whole by its root.
//!
//! Memory: the tile nodes that were computed but not yet compared, one for 256 leaves if none is ever fed.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::check_leaf;
use crate::Error;
use crate::checkpoint::Checkpoint;
use crate::error::{BadLeaf, BadTile, LeafFault, Mismatch, TileFault};
use crate::merkle::{CompactRange, Hash, leaf_hash};
use crate::note::VerifierKey;

/// A check under way. After an error the check has failed: `finish` cannot succeed any more.
#[derive(Debug, Default)]
pub struct LogVerifier {
    range: CompactRange,
    awaited: BTreeMap<(u8, u64), Hash>,
    failed: Option<Error>,
}

impl LogVerifier {
    /// Begins at leaf 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks the next leaf: its place, its bytes, the hash stored with it.
    pub fn leaf(&mut self, index: u64, bytes: &[u8], stored_hash: &Hash) -> Result<(), Error> {
        self.go_on()?;
        let next = self.range.size();
        let checked = match index.cmp(&next) {
            Ordering::Greater => Err(BadLeaf::new(next, LeafFault::Missing)),
            Ordering::Less => Err(BadLeaf::new(index, LeafFault::Repeated)),
            Ordering::Equal => check_stored(bytes, stored_hash).map_err(|fault| BadLeaf::new(index, fault)),
        };
        let awaited = &mut self.awaited;
        let appended = checked.map_err(Error::BadLeaf).and_then(|()| {
            self.range.append(*stored_hash, &mut |node| {
                awaited.insert((node.level, node.index), node.hash);
            })
        });
        self.remember(appended)
    }

    /// Checks a stored tile node; the leaves below it must have come before.
    pub fn tile_node(&mut self, level: u8, index: u64, stored_hash: &Hash) -> Result<(), Error> {
        self.go_on()?;
        let fault = match self.awaited.remove(&(level, index)) {
            Some(hash) if hash == *stored_hash => return Ok(()),
            Some(_) => TileFault::HashMismatch,
            None => TileFault::Unexpected,
        };
        self.remember(Err(Error::BadTile(BadTile::new(level, index, fault))))
    }

    /// Leaves checked so far.
    pub fn size(&self) -> u64 {
        self.range.size()
    }

    /// Ends the check: all tile nodes came, and size and root are the ones that were signed for the log `origin`.
    pub fn finish(self, checkpoint: &str, keys: &[VerifierKey], origin: &str) -> Result<Checkpoint, Error> {
        self.go_on()?;
        let checkpoint = Checkpoint::open(checkpoint, keys, origin)?;
        if self.range.size() != checkpoint.size() {
            return Err(Error::SizeMismatch(Mismatch::new(checkpoint.size(), self.range.size())));
        }
        if let Some((level, index)) = self.awaited.keys().next() {
            return Err(Error::BadTile(BadTile::new(*level, *index, TileFault::Missing)));
        }
        if self.range.root() != *checkpoint.root() {
            return Err(Error::RootMismatch(Mismatch::new(checkpoint.root(), self.range.root())));
        }
        Ok(checkpoint)
    }

    fn go_on(&self) -> Result<(), Error> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn remember(&mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        self.failed = outcome.as_ref().err().cloned();
        outcome
    }
}

fn check_stored(bytes: &[u8], stored_hash: &Hash) -> Result<(), LeafFault> {
    // Changed bytes come first: they are mostly broken JSON too, and the hash says more.
    if !bytes.is_empty() && leaf_hash(bytes) != *stored_hash {
        return Err(LeafFault::HashMismatch);
    }
    check_leaf(bytes)
}
