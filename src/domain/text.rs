//! Texts of a platform: ids and names.

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};
use std::{borrow::Borrow, fmt, ops::Deref};

/// A text of a platform. Up to 24 bytes, which is what ids and most names have, stand in place and not on the heap: of
/// 10,000 members' facts that is a third of the memory.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(CompactString);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}
impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}
impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

macro_rules! made_from {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Text {
            fn from(text: $kind) -> Self {
                Self(text.into())
            }
        }
    )* };
}
made_from!(&str, String, &String, Box<str>);

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0.into()
    }
}

macro_rules! same_as {
    ($($kind:ty),*) => { $(
        impl PartialEq<$kind> for Text {
            fn eq(&self, other: &$kind) -> bool {
                self.as_str() == &**other
            }
        }
        impl PartialEq<Text> for $kind {
            fn eq(&self, other: &Text) -> bool {
                &**self == other.as_str()
            }
        }
    )* };
}
same_as!(&str, String);

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Text> for str {
    fn eq(&self, other: &Text) -> bool {
        self == other.as_str()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text::from(text))
            }
        }
        // As a text that need not stay while the rest is read: a format may read it piece by piece.
        deserializer.deserialize_string(Reads)
    }
}
