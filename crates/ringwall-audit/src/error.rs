//! Everything that can go wrong in the audit log, as one type with stable codes.
//!
//! A refused proof, signature or leaf is an error here, because "could not be shown to be true" is all that a
//! verifier can say. Messages carry names, sizes, positions and the refused number or key, never a leaf and never key material.

use std::fmt;
use std::ops::RangeInclusive;

use crate::merkle::TileId;

/// Why something could not be sealed, proven or verified.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A value has no canonical JSON form: a float, a too large integer, a repeated key, too deep.
    NotRepresentable(Detail),
    /// Bytes are JSON in a form other than the canonical one, or not JSON.
    NotCanonical(Detail),
    /// A text or byte string does not follow its format.
    Malformed(Malformed),
    /// A key or key name cannot be used.
    BadKey(Detail),
    /// A signature of a known key does not verify.
    BadSignature(Detail),
    /// No known key signed the note.
    NoTrustedSignature,
    /// A checkpoint belongs to another log.
    WrongOrigin(Mismatch),
    /// A Merkle proof does not show what it claims.
    ProofRefused(Detail),
    /// A proof needs a tile that its source does not have.
    MissingTile(TileId),
    /// An index, size or range lies outside the tree.
    OutOfRange(Detail),
    /// A log entry is empty or too large.
    EntrySize(Detail),
    /// A batch does not start where the log ends.
    WrongIndex(Mismatch),
    /// The last seal was neither committed nor rolled back.
    SealPending,
    /// Stored log state contradicts its signed checkpoint.
    StateDisagrees(Detail),
    /// A stored leaf is not the one that was sealed.
    BadLeaf(BadLeaf),
    /// A stored tile node does not follow from the leaves.
    BadTile(BadTile),
    /// The log holds another number of leaves than was signed.
    SizeMismatch(Mismatch),
    /// The leaves give another root than was signed.
    RootMismatch(Mismatch),
    /// The crypto library could not sign.
    SigningFailed,
}

impl Error {
    /// A stable name for the kind of failure, for metrics and the HTTP door.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRepresentable(_) => "not_representable",
            Self::NotCanonical(_) => "not_canonical",
            Self::Malformed(_) => "malformed",
            Self::BadKey(_) => "bad_key",
            Self::BadSignature(_) => "bad_signature",
            Self::NoTrustedSignature => "no_trusted_signature",
            Self::WrongOrigin(_) => "wrong_origin",
            Self::ProofRefused(_) => "proof_refused",
            Self::MissingTile(_) => "missing_tile",
            Self::OutOfRange(_) => "out_of_range",
            Self::EntrySize(_) => "entry_size",
            Self::WrongIndex(_) => "wrong_index",
            Self::SealPending => "seal_pending",
            Self::StateDisagrees(_) => "state_disagrees",
            Self::BadLeaf(_) => "bad_leaf",
            Self::BadTile(_) => "bad_tile",
            Self::SizeMismatch(_) => "size_mismatch",
            Self::RootMismatch(_) => "root_mismatch",
            Self::SigningFailed => "signing_failed",
        }
    }

    /// Whether the same call may succeed later without the caller changing its arguments.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::MissingTile(_) | Self::SealPending)
    }

    pub(crate) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        Self::Malformed(Malformed { what, why: why.into() })
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::ProofRefused(Detail::new(why))
    }

    pub(crate) fn out_of_range(why: impl Into<String>) -> Self {
        Self::OutOfRange(Detail::new(why))
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRepresentable(detail) => write!(f, "no canonical form: {detail}"),
            Self::NotCanonical(detail) => write!(f, "not canonical json: {detail}"),
            Self::Malformed(malformed) => write!(f, "{malformed}"),
            Self::BadKey(detail) => write!(f, "unusable key: {detail}"),
            Self::BadSignature(detail) => write!(f, "bad signature: {detail}"),
            Self::NoTrustedSignature => write!(f, "no known key signed the note"),
            Self::WrongOrigin(mismatch) => write!(f, "the checkpoint is of another log: {mismatch}"),
            Self::ProofRefused(detail) => write!(f, "proof refused: {detail}"),
            Self::MissingTile(id) => {
                write!(f, "tile {} of level {} with {} hashes is missing", id.index, id.level, id.width)
            }
            Self::OutOfRange(detail) => write!(f, "out of range: {detail}"),
            Self::EntrySize(detail) => write!(f, "entry size: {detail}"),
            Self::WrongIndex(mismatch) => {
                write!(f, "the batch does not start where the log ends: {mismatch}")
            }
            Self::SealPending => write!(f, "the last seal is neither committed nor rolled back"),
            Self::StateDisagrees(detail) => write!(f, "log state contradicts its checkpoint: {detail}"),
            Self::BadLeaf(leaf) => write!(f, "{leaf}"),
            Self::BadTile(tile) => write!(f, "{tile}"),
            Self::SizeMismatch(mismatch) => write!(f, "the log has another size than was signed: {mismatch}"),
            Self::RootMismatch(mismatch) => write!(f, "the log has another root than was signed: {mismatch}"),
            Self::SigningFailed => write!(f, "the checkpoint could not be signed"),
        }
    }
}

/// What exactly was wrong, for a person to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Detail {
    why: String,
}

impl Detail {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Which format was broken, and where it broke.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Malformed {
    what: &'static str,
    why: String,
}

impl Malformed {
    /// The format that was expected, such as `signed note`.
    pub fn what(&self) -> &'static str {
        self.what
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed {}: {}", self.what, self.why)
    }
}

/// Two values that should have been equal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mismatch {
    expected: String,
    found: String,
}

impl Mismatch {
    pub(crate) fn new(expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self { expected: expected.to_string(), found: found.to_string() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected `{}`, found `{}`", self.expected, self.found)
    }
}

/// The first leaf of a stored log that cannot be what was sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadLeaf {
    index: u64,
    why: LeafFault,
}

impl BadLeaf {
    pub(crate) fn new(index: u64, why: LeafFault) -> Self {
        Self { index, why }
    }

    /// Index of the leaf.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// What is wrong with it.
    pub fn why(&self) -> &LeafFault {
        &self.why
    }
}

impl fmt::Display for BadLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf {}: {}", self.index, self.why)
    }
}

/// What is wrong with a stored leaf.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LeafFault {
    /// It is not there: a later one came in its place.
    Missing,
    /// It came a second time.
    Repeated,
    /// Its bytes do not hash to the hash stored with it.
    HashMismatch,
    /// Its bytes are not canonical JSON; the position and reason follow.
    NotCanonical(String),
    /// It is larger than an entry may be.
    TooLarge(usize),
    /// It has no bytes.
    Empty,
}

impl fmt::Display for LeafFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "missing"),
            Self::Repeated => write!(f, "came twice"),
            Self::HashMismatch => write!(f, "its bytes do not match the stored hash"),
            Self::NotCanonical(why) => write!(f, "{why}"),
            Self::TooLarge(len) => write!(f, "{len} bytes are too many"),
            Self::Empty => write!(f, "has no bytes"),
        }
    }
}

/// A stored tile node that does not follow from the leaves below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadTile {
    level: u8,
    index: u64,
    leaves: RangeInclusive<u64>,
    why: TileFault,
}

impl BadTile {
    pub(crate) fn new(level: u8, index: u64, why: TileFault) -> Self {
        let height = u32::from(level) * 8;
        let first = index.checked_shl(height).unwrap_or(u64::MAX);
        let last = first.saturating_add(1u64.checked_shl(height).map_or(u64::MAX, |leaves| leaves - 1));
        Self { level, index, leaves: first..=last, why }
    }

    /// Tile level of the node, from 1.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Index of the node among those of its level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The leaves below the node, the ones to look at.
    pub fn leaves(&self) -> RangeInclusive<u64> {
        self.leaves.clone()
    }

    /// What is wrong with it.
    pub fn why(&self) -> TileFault {
        self.why
    }
}

impl fmt::Display for BadTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.leaves.start(), self.leaves.end());
        write!(f, "tile node {} of level {} over leaves {first} to {last}: ", self.index, self.level)?;
        f.write_str(match self.why {
            TileFault::HashMismatch => "its hash does not follow from the leaves",
            TileFault::Missing => "missing",
            TileFault::Unexpected => "no such node, or it came before its leaves or twice",
        })
    }
}

/// What is wrong with a stored tile node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TileFault {
    /// Its hash is not the root of the leaves below it.
    HashMismatch,
    /// It is not there, though its leaves are.
    Missing,
    /// It has no place in the tree, or came before its leaves, or a second time.
    Unexpected,
}

#[cfg(test)]
mod tests;
