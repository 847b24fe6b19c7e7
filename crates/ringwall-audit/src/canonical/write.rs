//! A serde serializer that writes canonical JSON straight into bytes.
//!
//! Entries of an object are written as they come and put in order when the object ends, so a record whose fields
//! are declared in order is never copied.

use std::cmp::Ordering;
use std::fmt::Display;
use std::io::Write as _;
use std::ops::Range;

use serde::ser::{Serialize, Serializer};

use super::nested::{Array, Object};
use super::{MAX_DEPTH, MAX_SAFE_INTEGER, first_escape, key_order, short_escape};
use crate::Error;
use crate::error::Detail;

/// The output, and the entries of every object that is still open.
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
    pub(super) keys: String,
    pub(super) entries: Vec<Entry>,
    scratch: Vec<u8>,
    pub(super) depth: usize,
}

/// One key and value: the plain key in `Writer::keys`, the written pair in `Writer::out`.
pub(super) struct Entry {
    pub(super) key: Range<usize>,
    pub(super) pair: Range<usize>,
}

impl Writer {
    /// Has room for a record of the usual size, so that writing it asks for memory once.
    pub(super) fn new() -> Self {
        Self {
            out: Vec::with_capacity(1024),
            keys: String::with_capacity(256),
            entries: Vec::with_capacity(32),
            scratch: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    pub(super) fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(unrepresentable(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    fn integer(&mut self, magnitude: u128, shown: impl Display) -> Result<(), Error> {
        if magnitude > u128::from(MAX_SAFE_INTEGER) {
            return Err(unrepresentable(format!("integer `{shown}` is beyond 2^53; give it as a string")));
        }
        write!(self.out, "{shown}").map_err(|error| unrepresentable(error.to_string()))
    }

    /// Opens the one-entry object that stands for an enum variant with content.
    fn variant(&mut self, name: &str) -> Result<(), Error> {
        self.enter()?;
        self.out.push(b'{');
        write_string(&mut self.out, name);
        self.out.push(b':');
        Ok(())
    }

    /// Puts the entries from `first_entry` on in key order; refuses a key that comes twice.
    pub(super) fn order(&mut self, first_entry: usize, body_start: usize) -> Result<(), Error> {
        let Self { out, keys, entries, scratch, .. } = self;
        // INVARIANT: every entry's ranges were taken from `keys` and `out`, which only grow while it is open.
        let key = |entry: &Entry| keys.get(entry.key.clone()).unwrap_or_default();
        let mine = entries.get_mut(first_entry..).unwrap_or_default();
        if mine.is_sorted_by(|a, b| key_order(key(a), key(b)) == Ordering::Less) {
            return Ok(());
        }
        mine.sort_unstable_by(|a, b| key_order(key(a), key(b)));
        for (a, b) in mine.iter().zip(mine.iter().skip(1)) {
            if key(a) == key(b) {
                return Err(unrepresentable(format!("key `{}` comes twice", key(a))));
            }
        }
        scratch.clear();
        scratch.extend(out.drain(body_start..));
        for (nth, entry) in mine.iter().enumerate() {
            if nth > 0 {
                out.push(b',');
            }
            let pair = entry.pair.start - body_start..entry.pair.end - body_start;
            out.extend_from_slice(scratch.get(pair).unwrap_or_default());
        }
        Ok(())
    }
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Array<'w>;
    type SerializeTuple = Array<'w>;
    type SerializeTupleStruct = Array<'w>;
    type SerializeTupleVariant = Array<'w>;
    type SerializeMap = Object<'w>;
    type SerializeStruct = Object<'w>;
    type SerializeStructVariant = Object<'w>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.integer(value.unsigned_abs().into(), value)
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.integer(value.unsigned_abs(), value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.integer(value.into(), value)
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.integer(value, value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        Err(unrepresentable(format!(
            "float `{value}`; give it as an integer of a smaller unit or as a string"
        )))
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        write_string(&mut self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'w>, Error> {
        Array::open(self, b"]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'w>, Error> {
        Array::open(self, b"]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'w>, Error> {
        Array::open(self, b"]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Array<'w>, Error> {
        self.variant(variant)?;
        Array::open(self, b"]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'w>, Error> {
        Object::open(self, b"}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'w>, Error> {
        Object::open(self, b"}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'w>, Error> {
        self.variant(variant)?;
        Object::open(self, b"}}")
    }
}

impl serde::ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        unrepresentable(message.to_string())
    }
}

pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = first_escape(rest) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        if let Some((byte, after)) = tail.split_first() {
            write_escape(out, *byte);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match short_escape(byte) {
        Some(letter) => out.extend_from_slice(&[b'\\', letter]),
        // Only control characters come here, so the code has two hex digits, the first 0 or 1.
        None => {
            let low = byte & 0x0F;
            let digit = if low < 10 { b'0' + low } else { b'a' + low - 10 };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), digit]);
        }
    }
}

pub(super) fn unrepresentable(why: impl Into<String>) -> Error {
    Error::NotRepresentable(Detail::new(why))
}
