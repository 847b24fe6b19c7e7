//! What can be checked without a running server: a whole stored log, a proof file.
//!
//! Promises: names the first leaf that is wrong; trusts nothing but the public key.

use ringwall_audit::{Checkpoint, Hash, LogProof, LogVerifier, VerifierKey, tiles_for_inclusion};
use ringwall_store::{Head, Node, StoredEntry};
use ringwall_types::{AuditRecord, TenantId};

use crate::Error;
use crate::engine::{Proof, Tiles, assemble, hashes_of};
use crate::journal::parse;

/// How many entries are read at once.
const CHUNK: usize = 1000;

/// A stored log, read without anybody's help.
pub trait LogSource {
    /// Size, state and checkpoint; `None` while the log is empty.
    fn head(&self) -> Result<Option<Head>, ringwall_store::Error>;

    /// Entries from `from` on, at most `limit`.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<StoredEntry>, ringwall_store::Error>;

    /// Hashes of entries (level 0) or of nodes.
    fn hashes(&self, level: u8, range: std::ops::Range<u64>) -> Result<Vec<[u8; 32]>, ringwall_store::Error>;

    /// Every inner node, ordered by level and index.
    fn nodes(&self) -> Result<Vec<Node>, ringwall_store::Error>;
}

/// A log that holds together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many records there are.
    pub size: u64,
    /// The root that was signed, base64.
    pub root: String,
}

/// Checks every record, every hash, every node and the signed checkpoint.
///
/// `progress` hears how many records were checked. Errors name the first leaf that is wrong.
pub fn verify_log(
    log: &dyn LogSource,
    key: &VerifierKey,
    mut progress: impl FnMut(u64),
) -> Result<Verified, Error> {
    // The head first: what is appended while this reads lies behind it and is left for the next time.
    let head = log.head()?;
    let size = head.as_ref().map_or(0, |head| head.size);
    let mut verifier = LogVerifier::new();
    while verifier.size() < size {
        let entries = read_or_name(log, verifier.size(), size)?;
        if entries.is_empty() {
            break;
        }
        for entry in &entries {
            verifier.leaf(entry.index, &entry.body, &Hash::from_bytes(entry.hash))?;
            check_owner(entry)?;
        }
        progress(verifier.size());
    }
    for node in log.nodes()?.iter().filter(|node| is_complete(node, size)) {
        verifier.tile_node(node.level, node.index, &Hash::from_bytes(node.hash))?;
    }
    let grew = log.head()?.map_or(0, |head| head.size) != size;
    if !grew && let Some(entry) = log.read(size, 1)?.first() {
        let message = format!("leaf {} lies behind the signed checkpoint of size {size}", entry.index);
        return Err(ringwall_store::Error::Corrupt(message).into());
    }
    let Some(head) = head else {
        // Every log begins with a record, so one without any was emptied.
        return Err(ringwall_store::Error::Corrupt("there is no record and no checkpoint".to_owned()).into());
    };
    let checkpoint = verifier.finish(&head.checkpoint, std::slice::from_ref(key), key.name().as_str())?;
    Ok(Verified { size: checkpoint.size(), root: checkpoint.root().to_base64() })
}

/// Whether all leaves below a node are among the first `size`.
fn is_complete(node: &Node, size: u64) -> bool {
    let leaves = 256_u64
        .checked_pow(u32::from(node.level))
        .and_then(|width| width.checked_mul(node.index.checked_add(1)?));
    leaves.is_some_and(|leaves| leaves <= size)
}

/// Reads a chunk; when the file itself is damaged there, finds the leaf at which it can no longer be read.
fn read_or_name(log: &dyn LogSource, next: u64, size: u64) -> Result<Vec<StoredEntry>, Error> {
    let limit = usize::try_from(size - next).unwrap_or(CHUNK).min(CHUNK);
    log.read(next, limit).map_err(|error| {
        let unreadable = (next..next + CHUNK as u64).find(|index| log.read(*index, 1).is_err());
        let leaf = unreadable.unwrap_or(next);
        ringwall_store::Error::Corrupt(format!("leaf {leaf} cannot be read: {error}")).into()
    })
}

/// What every leaf has, whatever it records.
#[derive(serde::Deserialize)]
struct Owner {
    tenant: TenantId,
}

/// The tenant stands beside the leaf so that it can be read without parsing; it must be the leaf's own.
fn check_owner(entry: &StoredEntry) -> Result<(), Error> {
    let record: Owner = serde_json::from_slice(&entry.body).map_err(|error| {
        ringwall_store::Error::Corrupt(format!("leaf {} names no tenant: {error}", entry.index))
    })?;
    if record.tenant == entry.tenant {
        return Ok(());
    }
    let message =
        format!("leaf {} belongs to `{}` but is filed under `{}`", entry.index, record.tenant, entry.tenant);
    Err(ringwall_store::Error::Corrupt(message).into())
}

/// Makes a proof from a stored log alone.
pub fn prove_offline(log: &dyn LogSource, index: u64) -> Result<Proof, Error> {
    let missing = || Error::NotFound(format!("there is no record {index}"));
    let head = log.head()?.ok_or_else(missing)?;
    let entry =
        log.read(index, 1)?.into_iter().next().filter(|entry| entry.index == index).ok_or_else(missing)?;
    let mut tiles = Tiles::new();
    for tile in tiles_for_inclusion(index, head.size)? {
        let hashes = log.hashes(tile.level, hashes_of(tile))?;
        tiles.insert(tile, hashes.into_iter().map(Hash::from_bytes).collect());
    }
    assemble(&head, index, &entry.body, &tiles)
}

/// Verifies a proof file with nothing but the public key; gives the signed checkpoint and the record that is proven.
pub fn check_proof(file: &[u8], key: &VerifierKey) -> Result<(u64, Checkpoint, AuditRecord), Error> {
    let proof = LogProof::parse(file)?;
    let (checkpoint, leaf) = proof.verify_self_contained(std::slice::from_ref(key))?;
    Ok((proof.index(), checkpoint, parse(leaf)?))
}
