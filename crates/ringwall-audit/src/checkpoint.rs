//! C2SP checkpoints: the size and root of a log, as a text that the log signs.
//!
//! Writes exactly three lines. Reads extension lines, because the specification allows them, and drops them:
//! nothing here gives them a meaning.

use crate::Error;
use crate::error::Mismatch;
use crate::merkle::Hash;
use crate::note::{SignedNote, SigningKey, VerifiedNote, VerifierKey};

/// What a log was at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// States that the log `origin` has `size` leaves and the root `root`.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, Error> {
        if origin.is_empty() || origin.contains(|c: char| c.is_ascii_control()) {
            return Err(malformed("an origin is one line of text"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads a note text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut lines =
            text.strip_suffix('\n').ok_or_else(|| malformed("does not end in a newline"))?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(malformed("fewer than three lines"));
        };
        if lines.any(str::is_empty) {
            return Err(malformed("an extension line is empty"));
        }
        let size = parse_decimal(size).ok_or_else(|| malformed(format!("`{size}` is no size")))?;
        Self::new(origin, size, Hash::from_base64(root)?)
    }

    /// The note text.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// The signed note.
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        key.sign(&self.to_text()).map(|note| note.to_string())
    }

    /// Reads a signed note and believes it if one of the `keys` signed it for the log `origin`.
    ///
    /// The caller vouches that the `keys` may sign for `origin`.
    pub fn open(note: &str, keys: &[VerifierKey], origin: &str) -> Result<Self, Error> {
        let checkpoint = Self::from_verified(&SignedNote::parse(note.as_bytes())?.open(keys)?)?;
        if checkpoint.origin != origin {
            return Err(Error::WrongOrigin(Mismatch::new(origin, checkpoint.origin)));
        }
        Ok(checkpoint)
    }

    /// Reads a note that was verified before, whatever its origin.
    pub fn from_verified(note: &VerifiedNote) -> Result<Self, Error> {
        Self::parse(note.text())
    }

    /// Identity of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Leaves in the log.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    pub fn root(&self) -> &Hash {
        &self.root
    }
}

/// Reads an ASCII decimal in its only spelling: no sign, no leading zero.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn malformed(why: impl Into<String>) -> Error {
    Error::malformed("checkpoint", why)
}

#[cfg(test)]
mod tests;
