//! The one byte form of a record: RFC 8785 canonical JSON (JCS), so that equal records are equal leaves.
//!
//! Promises: equal values give equal bytes, whatever the order of their keys; [`check_canonical`] accepts exactly
//! the bytes that [`to_canonical`] can write.
//!
//! Narrower than the RFC on purpose: no floats at all, and no integer beyond [`MAX_SAFE_INTEGER`], because the
//! rounding of either could make two records one. Callers give such numbers as strings.

mod check;
mod key;
mod nested;
mod write;

use std::cmp::Ordering;

use serde::Serialize;

use crate::Error;

pub use check::check_canonical;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;

/// The largest integer, of either sign, that every JSON reader keeps exact: 2^53.
pub const MAX_SAFE_INTEGER: u64 = 1 << 53;

/// Writes `value` in its canonical form.
///
/// Refuses floats, integers beyond [`MAX_SAFE_INTEGER`], keys that come twice, keys that are not text, and
/// nesting beyond [`MAX_DEPTH`]. A `serde_json::Value` is a value like any other.
pub fn to_canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut writer = write::Writer::new();
    value.serialize(&mut writer)?;
    Ok(writer.into_bytes())
}

/// Orders two keys by their UTF-16 code units, as RFC 8785 asks.
fn key_order(a: &str, b: &str) -> Ordering {
    let differing = a.bytes().zip(b.bytes()).find(|(x, y)| x != y);
    match differing {
        None => a.len().cmp(&b.len()),
        // UTF-8 and UTF-16 order disagree only where U+E000..U+FFFF meets a surrogate pair, and those
        // characters begin with a byte of 0xEE or above.
        Some((x, y)) if x.max(y) < 0xEE => x.cmp(&y),
        Some(_) => a.encode_utf16().cmp(b.encode_utf16()),
    }
}

/// The letter after the backslash for the characters that have a short escape.
fn short_escape(byte: u8) -> Option<u8> {
    match byte {
        b'"' | b'\\' => Some(byte),
        0x08 => Some(b'b'),
        0x09 => Some(b't'),
        0x0A => Some(b'n'),
        0x0C => Some(b'f'),
        0x0D => Some(b'r'),
        _ => None,
    }
}

/// Where the first byte stands that a string cannot hold as it is.
fn first_escape(text: &[u8]) -> Option<usize> {
    let must_escape = |byte: &u8| (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
    // Whole chunks are looked at without branches, which the compiler turns into vector code.
    let is_clean = |chunk: &&[u8; 16]| !chunk.iter().fold(false, |found, byte| found | must_escape(byte));
    let clean = 16 * text.as_chunks::<16>().0.iter().take_while(is_clean).count();
    let rest = text.get(clean..)?;
    rest.iter().position(must_escape).map(|at| clean + at)
}

#[cfg(test)]
mod tests;
