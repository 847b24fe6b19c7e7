//! Seals batches of leaves: their hashes, the tile nodes they complete, the new state, one signed checkpoint.
//!
//! Sealing and storing are two steps, because the store may fail. A seal is not part of the log until the caller
//! says [`LogWriter::committed`]; after [`LogWriter::rolled_back`] the log is as if it had never been.
//!
//! INVARIANT: a checkpoint that left the store is never contradicted by a later one. So a [`Sealed`] must be
//! published only after its transaction is durable, and if a commit's outcome is unknown the writer must be made
//! anew from what the store holds, with [`LogWriter::resume`].

use super::check_leaf;
use crate::Error;
use crate::checkpoint::Checkpoint;
use crate::error::{Detail, LeafFault, Mismatch};
use crate::merkle::{CompactRange, Hash, TileNode, leaf_hash};
use crate::note::SigningKey;

/// The one writer of a log.
#[derive(Debug)]
pub struct LogWriter {
    origin: String,
    key: SigningKey,
    range: CompactRange,
    pending: Option<CompactRange>,
}

/// What one transaction stores beside the leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// Hash of each leaf, in order.
    pub leaf_hashes: Vec<Hash>,
    /// Tile nodes that the batch completed.
    pub tile_nodes: Vec<TileNode>,
    /// State to give to [`LogWriter::resume`], replacing the last one.
    pub state: Vec<u8>,
    /// Signed checkpoint over the log with the batch, replacing the last one.
    pub checkpoint: String,
}

impl LogWriter {
    /// Begins a new log. The `key` must be named like the log, so that a proof file says whose key checks it.
    pub fn new(origin: &str, key: SigningKey) -> Result<Self, Error> {
        let name = key.verifier().name();
        if name.as_str() != origin {
            return Err(Error::BadKey(Detail::new(format!(
                "key `{name}` cannot sign for the log `{origin}`"
            ))));
        }
        Ok(Self { origin: origin.to_owned(), key, range: CompactRange::new(), pending: None })
    }

    /// Goes on with a stored log; refuses if `state` is not what the signed `checkpoint` says.
    pub fn resume(origin: &str, key: SigningKey, state: &[u8], checkpoint: &str) -> Result<Self, Error> {
        let mut writer = Self::new(origin, key)?;
        writer.restart(Some((state, checkpoint)))?;
        Ok(writer)
    }

    /// Takes up what the store holds, or an empty log, in place of everything known so far: after a commit whose outcome
    /// is unknown, the store alone says how it ended.
    pub fn restart(&mut self, stored: Option<(&[u8], &str)>) -> Result<(), Error> {
        let range = match stored {
            Some((state, checkpoint)) => self.stored_range(state, checkpoint)?,
            None => CompactRange::new(),
        };
        self.pending = None;
        self.range = range;
        Ok(())
    }

    fn stored_range(&self, state: &[u8], checkpoint: &str) -> Result<CompactRange, Error> {
        let signed = Checkpoint::open(checkpoint, std::slice::from_ref(self.key.verifier()), &self.origin)?;
        let range = CompactRange::from_bytes(state)?;
        let disagrees = |what, signed: String, found: String| {
            let mismatch = Mismatch::new(signed, found);
            Err(Error::StateDisagrees(Detail::new(format!("{what}: {mismatch}"))))
        };
        if range.size() != signed.size() {
            return disagrees("size", signed.size().to_string(), range.size().to_string());
        }
        if range.root() != *signed.root() {
            return disagrees("root", signed.root().to_string(), range.root().to_string());
        }
        Ok(range)
    }

    /// Seals `leaves` as the leaves from `first_index` on; nothing changes until [`LogWriter::committed`].
    ///
    /// Refuses leaves that are empty, too large or not canonical JSON: what is sealed must verify for ever. An
    /// empty batch is allowed and signs the log as it is.
    pub fn seal(&mut self, first_index: u64, leaves: &[&[u8]]) -> Result<Sealed, Error> {
        if self.pending.is_some() {
            return Err(Error::SealPending);
        }
        if first_index != self.size() {
            return Err(Error::WrongIndex(Mismatch::new(self.size(), first_index)));
        }
        let mut range = self.range.clone();
        let mut tile_nodes = Vec::new();
        let mut leaf_hashes = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            check_leaf(leaf).map_err(|fault| unsealable(range.size(), &fault))?;
            let hash = leaf_hash(leaf);
            range.append(hash, &mut |node| tile_nodes.push(node))?;
            leaf_hashes.push(hash);
        }
        let checkpoint = Checkpoint::new(&self.origin, range.size(), range.root())?.sign(&self.key)?;
        let state = range.to_bytes();
        self.pending = Some(range);
        Ok(Sealed { leaf_hashes, tile_nodes, state, checkpoint })
    }

    /// Makes the last seal part of the log: its transaction is durable. Without a seal, does nothing.
    pub fn committed(&mut self) {
        if let Some(range) = self.pending.take() {
            self.range = range;
        }
    }

    /// Forgets the last seal: its transaction left nothing behind, and nobody saw its checkpoint.
    pub fn rolled_back(&mut self) {
        self.pending = None;
    }

    /// Committed leaves, which is the index of the next one.
    pub fn size(&self) -> u64 {
        self.range.size()
    }

    /// Root over the committed leaves.
    pub fn root(&self) -> Hash {
        self.range.root()
    }

    /// Identity of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key that signs, for verifiers.
    pub fn verifier(&self) -> &crate::VerifierKey {
        self.key.verifier()
    }
}

fn unsealable(index: u64, fault: &LeafFault) -> Error {
    let why = Detail::new(format!("leaf {index}: {fault}"));
    match fault {
        LeafFault::Empty | LeafFault::TooLarge(_) => Error::EntrySize(why),
        _ => Error::NotCanonical(why),
    }
}
