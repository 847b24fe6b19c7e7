//! A serde serializer that writes canonical JSON straight into bytes.
//!
//! Entries of an object are written as they come and put in order when the object ends, so a record whose fields
//! are declared in order is never copied.

use std::cmp::Ordering;
use std::fmt::Display;
use std::io::Write as _;
use std::ops::Range;

use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{MAX_DEPTH, MAX_SAFE_INTEGER, key_order, short_escape};
use crate::Error;
use crate::error::Detail;

/// The output, and the entries of every object that is still open.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
    keys: String,
    entries: Vec<Entry>,
    scratch: Vec<u8>,
    depth: usize,
}

/// One key and value: the plain key in `Writer::keys`, the written pair in `Writer::out`.
struct Entry {
    key: Range<usize>,
    pair: Range<usize>,
}

impl Writer {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn enter(&mut self) -> Result<(), Error> {
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

    fn array(&mut self, close: &'static [u8]) -> Result<Array<'_>, Error> {
        self.enter()?;
        self.out.push(b'[');
        Ok(Array { writer: self, is_first: true, close })
    }

    fn object(&mut self, close: &'static [u8]) -> Result<Object<'_>, Error> {
        self.enter()?;
        self.out.push(b'{');
        let body_start = self.out.len();
        let (first_entry, keys_start) = (self.entries.len(), self.keys.len());
        Ok(Object { writer: self, body_start, first_entry, keys_start, open: None, close })
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
    fn order(&mut self, first_entry: usize, body_start: usize) -> Result<(), Error> {
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
        Err(unrepresentable(format!("float `{value}`; give it as an integer of a smaller unit or as a string")))
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

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
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
        self.array(b"]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'w>, Error> {
        self.array(b"]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'w>, Error> {
        self.array(b"]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Array<'w>, Error> {
        self.variant(variant)?;
        self.array(b"]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'w>, Error> {
        self.object(b"}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'w>, Error> {
        self.object(b"}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'w>, Error> {
        self.variant(variant)?;
        self.object(b"}}")
    }
}

/// An array that is being written.
pub(super) struct Array<'w> {
    writer: &'w mut Writer,
    is_first: bool,
    close: &'static [u8],
}

impl SerializeSeq for Array<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !self.is_first {
            self.writer.out.push(b',');
        }
        self.is_first = false;
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Error> {
        self.writer.out.extend_from_slice(self.close);
        self.writer.depth -= self.close.len();
        Ok(())
    }
}

/// The other shapes that serde calls by another name but that are arrays in JSON.
macro_rules! is_array {
    ($($shape:ident . $step:ident),+) => { $(
        impl $shape for Array<'_> {
            type Ok = ();
            type Error = Error;

            fn $step<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                SerializeSeq::serialize_element(self, value)
            }

            fn end(self) -> Result<(), Error> {
                SerializeSeq::end(self)
            }
        }
    )+ };
}

is_array!(SerializeTuple.serialize_element, SerializeTupleStruct.serialize_field, SerializeTupleVariant.serialize_field);

/// An object that is being written.
pub(super) struct Object<'w> {
    writer: &'w mut Writer,
    body_start: usize,
    first_entry: usize,
    keys_start: usize,
    open: Option<Range<usize>>,
    close: &'static [u8],
}

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.writer.keys.len();
        key.serialize(KeyWriter { keys: &mut self.writer.keys })?;
        self.open = Some(start..self.writer.keys.len());
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let Some(key) = self.open.take() else {
            return Err(unrepresentable("a value without a key"));
        };
        let Writer { out, keys, .. } = &mut *self.writer;
        if out.len() > self.body_start {
            out.push(b',');
        }
        let pair_start = out.len();
        write_string(out, keys.get(key.clone()).unwrap_or_default());
        out.push(b':');
        value.serialize(&mut *self.writer)?;
        let pair = pair_start..self.writer.out.len();
        self.writer.entries.push(Entry { key, pair });
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.writer.order(self.first_entry, self.body_start)?;
        self.writer.entries.truncate(self.first_entry);
        self.writer.keys.truncate(self.keys_start);
        self.writer.out.extend_from_slice(self.close);
        self.writer.depth -= self.close.len();
        Ok(())
    }
}

/// Structs, whose keys are field names.
macro_rules! is_object {
    ($($shape:ident),+) => { $(
        impl $shape for Object<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                let start = self.writer.keys.len();
                self.writer.keys.push_str(key);
                self.open = Some(start..self.writer.keys.len());
                SerializeMap::serialize_value(self, value)
            }

            fn end(self) -> Result<(), Error> {
                SerializeMap::end(self)
            }
        }
    )+ };
}

is_object!(SerializeStruct, SerializeStructVariant);

/// Takes a map key as plain text; refuses everything that JSON could not use as a key.
struct KeyWriter<'w> {
    keys: &'w mut String,
}

/// Scalars whose key is their decimal or literal text.
macro_rules! key_by_text {
    ($($method:ident: $scalar:ty),+) => { $(
        fn $method(self, value: $scalar) -> Result<(), Error> {
            self.serialize_str(&value.to_string())
        }
    )+ };
}

/// Shapes that are no keys.
macro_rules! key_refused {
    ($($method:ident($($argument:ty),*) -> $answer:ty),+ $(,)?) => { $(
        fn $method(self, $(_: $argument),*) -> Result<$answer, Error> {
            Err(unrepresentable("an object key must be text"))
        }
    )+ };
}

impl Serializer for KeyWriter<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    key_by_text!(
        serialize_bool: bool, serialize_char: char,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    );

    key_refused!(
        serialize_f32(f32) -> (),
        serialize_f64(f64) -> (),
        serialize_bytes(&[u8]) -> (),
        serialize_none() -> (),
        serialize_unit() -> (),
        serialize_unit_struct(&'static str) -> (),
        serialize_seq(Option<usize>) -> Self::SerializeSeq,
        serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
        serialize_map(Option<usize>) -> Self::SerializeMap,
        serialize_struct(&'static str, usize) -> Self::SerializeStruct,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant,
    );

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.keys.push_str(value);
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(unrepresentable("an object key must be text"))
    }
}

impl serde::ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        unrepresentable(message.to_string())
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
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

fn unrepresentable(why: impl Into<String>) -> Error {
    Error::NotRepresentable(Detail::new(why))
}
