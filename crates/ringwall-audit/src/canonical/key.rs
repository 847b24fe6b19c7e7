//! Object keys: text, or a scalar that has one spelling as text.

use serde::ser::{Impossible, Serialize, Serializer};

use super::write::unrepresentable;
use crate::Error;

/// Takes a map key as plain text; refuses everything that JSON could not use as a key.
pub(super) struct KeyWriter<'w> {
    keys: &'w mut String,
}

impl<'w> KeyWriter<'w> {
    pub(super) fn new(keys: &'w mut String) -> Self {
        Self { keys }
    }
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

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
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
