//! The arguments of an event or of an acknowledgement, however many.

use std::fmt;

use rmpv::Value;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
    ser::SerializeTuple,
};

/// socketioxide spreads a tuple over the arguments and takes anything else for the first one. The length of a
/// Rust tuple is part of its type; this is a tuple to serde whose length is not.
///
/// The values are those of MessagePack because they, unlike those of JSON, can be binary.
#[derive(Clone, Debug, Default)]
pub struct Args(pub Vec<Value>);

impl FromIterator<Value> for Args {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for value in &self.0 {
            tuple.serialize_element(value)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNumber;

        impl<'de> Visitor<'de> for AnyNumber {
            type Value = Args;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the arguments of an event")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Args, A::Error> {
                let mut args = Vec::new();
                while let Some(value) = values.next_element()? {
                    args.push(value);
                }
                Ok(Args(args))
            }
        }

        // JSON does not look at the length.
        deserializer.deserialize_tuple(1, AnyNumber)
    }
}
