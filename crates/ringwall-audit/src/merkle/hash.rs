//! The three SHA-256 hashes of RFC 6962: of a leaf, of an inner node, of the empty tree.
//!
//! Leaf and node inputs begin with different bytes, so neither can be passed off as the other.

use std::fmt;

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// A node of the tree: a leaf hash, an inner node or a root.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// Takes the bytes of a hash that was stored before.
    pub fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// Standard base64 with padding, as C2SP texts write hashes.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads the one base64 form that [`Hash::to_base64`] writes.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let bytes = STANDARD.decode(text).map_err(|error| Error::malformed("hash", error.to_string()))?;
        Self::try_from(bytes.as_slice())
    }

    fn from_digest(digest: &Digest) -> Self {
        let mut bytes = [0; HASH_BYTES];
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = <[u8; HASH_BYTES]>::try_from(bytes)
            .map_err(|_| Error::malformed("hash", format!("{} bytes, not {HASH_BYTES}", bytes.len())))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(serde::de::Error::custom)
    }
}

/// Hashes the bytes of an entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[0x00]);
    context.update(entry);
    Hash::from_digest(&context.finish())
}

/// Hashes two children into their parent.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [0x01; 1 + 2 * HASH_BYTES];
    let children = left.0.iter().chain(&right.0);
    for (to, from) in input.iter_mut().skip(1).zip(children) {
        *to = *from;
    }
    Hash::from_digest(&digest(&SHA256, &input))
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    Hash::from_digest(&digest(&SHA256, &[]))
}
