//! Arrays and objects on their way into a [`Writer`], under each of the names that serde has for them.

use std::ops::Range;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::key::KeyWriter;
use super::write::{Entry, Writer, unrepresentable, write_string};
use crate::Error;

/// An array that is being written.
pub(super) struct Array<'w> {
    writer: &'w mut Writer,
    is_first: bool,
    close: &'static [u8],
}

impl<'w> Array<'w> {
    /// Begins an array; `close` ends it, and has a byte for each level that ends with it.
    pub(super) fn open(writer: &'w mut Writer, close: &'static [u8]) -> Result<Self, Error> {
        writer.enter()?;
        writer.out.push(b'[');
        Ok(Self { writer, is_first: true, close })
    }
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

is_array!(
    SerializeTuple.serialize_element,
    SerializeTupleStruct.serialize_field,
    SerializeTupleVariant.serialize_field
);

/// An object that is being written.
pub(super) struct Object<'w> {
    writer: &'w mut Writer,
    body_start: usize,
    first_entry: usize,
    keys_start: usize,
    open: Option<Range<usize>>,
    close: &'static [u8],
}

impl<'w> Object<'w> {
    /// Begins an object; `close` ends it, and has a byte for each level that ends with it.
    pub(super) fn open(writer: &'w mut Writer, close: &'static [u8]) -> Result<Self, Error> {
        writer.enter()?;
        writer.out.push(b'{');
        let body_start = writer.out.len();
        let (first_entry, keys_start) = (writer.entries.len(), writer.keys.len());
        Ok(Self { writer, body_start, first_entry, keys_start, open: None, close })
    }
}

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let start = self.writer.keys.len();
        key.serialize(KeyWriter::new(&mut self.writer.keys))?;
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
