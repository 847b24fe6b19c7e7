//! C2SP tlog-proof files: one leaf, its inclusion proof and the signed checkpoint, checked offline.
//!
//! The format leaves the `extra` line unauthenticated. Here it holds the leaf itself, which the proof then
//! authenticates, so a file needs nothing beside it but the log's verifier key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Error;
use crate::checkpoint::{Checkpoint, parse_decimal};
use crate::error::Mismatch;
use crate::merkle::{Hash, MAX_PROOF_HASHES, leaf_hash, verify_inclusion};
use crate::note::{MAX_NOTE_BYTES, SignedNote, VerifierKey};
use crate::tile::MAX_ENTRY_BYTES;

/// The largest proof file that is read: the largest leaf in base64, 64 hashes, the largest checkpoint.
pub const MAX_PROOF_FILE_BYTES: usize =
    MAX_ENTRY_BYTES / 3 * 4 + MAX_PROOF_HASHES * 45 + MAX_NOTE_BYTES + 1024;

/// A proof as it stands in a file; believed only after one of the `verify` calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    hashes: Vec<Hash>,
    checkpoint: SignedNote,
}

impl LogProof {
    /// Puts a proof for the leaf at `index` together; `checkpoint` is the signed note, `leaf` goes into the file.
    pub fn new(leaf: Option<&[u8]>, index: u64, hashes: Vec<Hash>, checkpoint: &str) -> Result<Self, Error> {
        if leaf.is_some_and(|leaf| leaf.len() > MAX_ENTRY_BYTES) {
            return Err(malformed("the extra data is larger than an entry may be"));
        }
        if hashes.len() > MAX_PROOF_HASHES {
            return Err(malformed(format!("more than {MAX_PROOF_HASHES} hashes")));
        }
        let checkpoint = SignedNote::parse(checkpoint.as_bytes())?;
        Checkpoint::parse(checkpoint.unverified_text())?;
        Ok(Self { extra: leaf.map(<[u8]>::to_vec), index, hashes, checkpoint })
    }

    /// Reads a proof file.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_PROOF_FILE_BYTES {
            return Err(malformed(format!("more than {MAX_PROOF_FILE_BYTES} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(|| malformed("no blank line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed(format!("does not begin with `{HEADER}`")));
        }
        let extra = lines.next_if(|line| line.starts_with(EXTRA)).and_then(|line| line.strip_prefix(EXTRA));
        let extra =
            extra.map(|base64| STANDARD.decode(base64).map_err(|error| malformed(format!("extra: {error}"))));
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix(INDEX))
            .and_then(parse_decimal)
            .ok_or_else(|| malformed("no index"))?;
        let hashes = lines.map(Hash::from_base64).take(MAX_PROOF_HASHES + 1).collect::<Result<_, _>>()?;
        Self::new(extra.transpose()?.as_deref(), index, hashes, checkpoint)
    }

    /// Believes the proof for `entry` if one of the `keys` signed the checkpoint of the log `origin`.
    pub fn verify(&self, entry: &[u8], keys: &[VerifierKey], origin: &str) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::from_verified(&self.checkpoint.open(keys)?)?;
        if checkpoint.origin() != origin {
            return Err(Error::WrongOrigin(Mismatch::new(origin, checkpoint.origin())));
        }
        self.include(entry, &checkpoint)?;
        Ok(checkpoint)
    }

    /// Believes the leaf in the file if the log that it names has signed it with one of the `keys`.
    ///
    /// As no origin is asked for, only a key whose name is the checkpoint's origin counts.
    pub fn verify_self_contained(&self, keys: &[VerifierKey]) -> Result<(Checkpoint, &[u8]), Error> {
        let leaf = self.extra.as_deref().ok_or_else(|| malformed("the file does not hold its leaf"))?;
        let note = self.checkpoint.open(keys)?;
        let checkpoint = Checkpoint::from_verified(&note)?;
        if !note.signers().iter().any(|key| key.name().as_str() == checkpoint.origin()) {
            let signer = note.signers().first().map_or("", |key| key.name().as_str());
            return Err(Error::WrongOrigin(Mismatch::new(signer, checkpoint.origin())));
        }
        self.include(leaf, &checkpoint)?;
        Ok((checkpoint, leaf))
    }

    fn include(&self, entry: &[u8], checkpoint: &Checkpoint) -> Result<(), Error> {
        verify_inclusion(&leaf_hash(entry), self.index, checkpoint.size(), &self.hashes, checkpoint.root())
    }

    /// The extra data of the file, not to be believed.
    pub fn unverified_extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Index of the leaf.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof, the leaf's sibling first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The checkpoint note, not to be believed.
    pub fn checkpoint_note(&self) -> &SignedNote {
        &self.checkpoint
    }
}

/// The text of the proof file.
impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "{EXTRA}{}", STANDARD.encode(extra))?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn malformed(why: impl Into<String>) -> Error {
    Error::malformed("log proof", why)
}

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";

#[cfg(test)]
mod tests;
