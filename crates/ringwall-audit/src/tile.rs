//! Tiles and entry bundles as C2SP tlog-tiles names and writes them.
//!
//! A tile is the concatenation of its hashes. A bundle holds the entries below a level-0 tile, each after its
//! length in two big-endian bytes. A path has exactly one spelling; any other is refused.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::error::Detail;
use crate::merkle::{HASH_BYTES, Hash, TILE_WIDTH, TileId};

/// The largest entry that a bundle's two-byte length can hold.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// The highest level that a tile path may name.
const MAX_LEVEL: u8 = 63;

/// What a log serves under `tile/`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TilePath {
    /// Hashes: `tile/<level>/<index>[.p/<width>]`.
    Tile(TileId),
    /// The entries under a level-0 tile: `tile/entries/<index>[.p/<width>]`.
    Entries {
        /// Position among the bundles.
        index: u64,
        /// Entries in it, 1 to 256.
        width: u16,
    },
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match *self {
            Self::Tile(id) => {
                write!(f, "tile/{}/", id.level)?;
                (id.index, id.width)
            }
            Self::Entries { index, width } => {
                f.write_str("tile/entries/")?;
                (index, width)
            }
        };
        write_index(f, index)?;
        if width < TILE_WIDTH { write!(f, ".p/{width}") } else { Ok(()) }
    }
}

impl FromStr for TilePath {
    type Err = Error;

    fn from_str(path: &str) -> Result<Self, Error> {
        let refused = || Error::malformed("tile path", format!("`{path}` names no tile"));
        if path.len() > MAX_PATH_BYTES {
            return Err(Error::malformed("tile path", "too long"));
        }
        let (kind, place) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or_else(refused)?;
        let (index, width) = match place.split_once(".p/") {
            Some((index, width)) => (index, width.parse().map_err(|_| refused())?),
            None => (place, TILE_WIDTH),
        };
        let index = parse_index(index).ok_or_else(refused)?;
        let parsed = if kind == "entries" {
            Self::Entries { index, width }
        } else {
            Self::Tile(TileId { level: kind.parse().map_err(|_| refused())?, index, width })
        };
        let is_known = (1..=TILE_WIDTH).contains(&width)
            && !matches!(parsed, Self::Tile(TileId { level, .. }) if level > MAX_LEVEL);
        // One spelling only: signs, leading zeros and spare groups do not survive the way back.
        if is_known && parsed.to_string() == path { Ok(parsed) } else { Err(refused()) }
    }
}

/// Writes the hashes of a tile.
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect()
}

/// Reads the hashes of a tile of `width` hashes.
pub fn decode_tile(width: u16, bytes: &[u8]) -> Result<Vec<Hash>, Error> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if !rest.is_empty() || hashes.len() != usize::from(width) || !(1..=TILE_WIDTH).contains(&width) {
        return Err(Error::malformed("tile", format!("{} bytes for {width} hashes", bytes.len())));
    }
    Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
}

/// Writes 1 to 256 entries as a bundle.
pub fn encode_entry_bundle(entries: &[&[u8]]) -> Result<Vec<u8>, Error> {
    if entries.is_empty() || entries.len() > usize::from(TILE_WIDTH) {
        return Err(Error::malformed("entry bundle", format!("{} entries", entries.len())));
    }
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.len()).sum());
    for entry in entries {
        let len = u16::try_from(entry.len())
            .map_err(|_| Error::EntrySize(Detail::new(format!("{} bytes are too many", entry.len()))))?;
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads the entries of a bundle that holds `width` of them.
pub fn decode_entry_bundle(width: u16, bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let malformed = |why: &str| Error::malformed("entry bundle", why);
    if !(1..=TILE_WIDTH).contains(&width) {
        return Err(malformed("a width is 1 to 256"));
    }
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(usize::from(width));
    for _ in 0..width {
        let (len, after) = rest.split_first_chunk::<2>().ok_or_else(|| malformed("a length is cut off"))?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, after) = after.split_at_checked(len).ok_or_else(|| malformed("an entry is cut off"))?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(malformed("something follows the last entry")) }
}

/// Groups of three digits, all but the last marked by `x`.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let mut divisor = 1;
    while index / divisor >= 1000 {
        divisor *= 1000;
    }
    while divisor > 1 {
        write!(f, "x{:03}/", index / divisor % 1000)?;
        divisor /= 1000;
    }
    write!(f, "{:03}", index % 1000)
}

fn parse_index(text: &str) -> Option<u64> {
    text.split('/').try_fold(0u64, |index, group| {
        let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index.checked_mul(1000)?.checked_add(digits)
    })
}

/// Longer than the longest path: seven groups of a 64-bit index, level and width.
const MAX_PATH_BYTES: usize = 64;

#[cfg(test)]
mod tests;
