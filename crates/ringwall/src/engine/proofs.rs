//! What the audit log can prove: checkpoints, and that a record is in the log, for somebody who trusts only the key.

use std::collections::BTreeMap;
use std::ops::Range;

use ringwall_audit::{Hash, LogProof, TileId, VerifierKey, inclusion_proof, tiles_for_inclusion};
use ringwall_store::{EventLog, Head};

use super::{Caller, Engine};
use crate::Error;

/// A proof file with what it proves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// Position of the record.
    pub index: u64,
    /// Size of the log that the proof is about.
    pub size: u64,
    /// The file, in the C2SP tlog-proof format, with the record in it.
    pub text: String,
}

impl Engine {
    /// The signed checkpoint of the newest batch; an error while the log is empty.
    pub async fn checkpoint(&self) -> Result<String, Error> {
        Ok(head(self.stores.log.as_ref()).await?.checkpoint)
    }

    /// The key with which checkpoints and proofs are verified, as a C2SP vkey.
    pub fn log_key(&self) -> &VerifierKey {
        &self.log_key
    }

    /// A proof that the record at `index` is in the log. Only for records of the caller's tenant.
    pub async fn prove(&self, caller: &Caller, index: u64) -> Result<Proof, Error> {
        let log = self.stores.log.as_ref();
        let entry = log.read(index, 1).await?.into_iter().next();
        let own = entry.filter(|entry| entry.index == index && entry.tenant == caller.tenant);
        let Some(entry) = own else { return Err(Error::NotFound(format!("there is no record {index}"))) };
        let head = head(log).await?;
        prove(log, &head, index, &entry.body).await
    }
}

/// Makes the proof from the stored hashes.
async fn prove(log: &dyn EventLog, head: &Head, index: u64, leaf: &[u8]) -> Result<Proof, Error> {
    let mut tiles = Tiles::new();
    for tile in tiles_for_inclusion(index, head.size)? {
        let hashes = log.hashes(tile.level, hashes_of(tile)).await?;
        tiles.insert(tile, hashes.into_iter().map(Hash::from_bytes).collect());
    }
    assemble(head, index, leaf, &tiles)
}

/// Stored hashes, tile by tile.
pub(crate) type Tiles = BTreeMap<TileId, Vec<Hash>>;

/// Where the hashes of a tile are, within its level.
pub(crate) fn hashes_of(tile: TileId) -> Range<u64> {
    let start = tile.index * 256;
    start..start + u64::from(tile.width)
}

/// Makes the proof file, once the hashes are there.
pub(crate) fn assemble(head: &Head, index: u64, leaf: &[u8], tiles: &Tiles) -> Result<Proof, Error> {
    let hashes = inclusion_proof(index, head.size, tiles)?;
    let proof = LogProof::new(Some(leaf), index, hashes, &head.checkpoint)?;
    Ok(Proof { index, size: head.size, text: proof.to_string() })
}

async fn head(log: &dyn EventLog) -> Result<Head, Error> {
    let head = log.head().await?;
    head.ok_or_else(|| Error::NotFound("the audit log is still empty".to_owned()))
}
