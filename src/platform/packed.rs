//! Rows that an adapter keeps for the next hint, small: a hint comes now and then, and between two of them a Pi needs its
//! memory for other things.

use super::PlatformError;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, io::Read as _, marker::PhantomData};

/// For parts of rows whose own way to write themselves leaves fields out, as those of `domain` do: only a format that names
/// its fields reads them again.
pub(super) mod named {
    use serde::{
        Deserialize, Deserializer, Serialize, Serializer,
        de::{DeserializeOwned, Error as _},
        ser::Error as _,
    };

    pub(in super::super) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(value).map_err(S::Error::custom)?;
        serializer.serialize_str(&text)
    }
    pub(in super::super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}

/// A value that was written and deflated: a tenth of what it takes when it is open. In memory only.
pub(super) struct Packed<T> {
    bytes: Box<[u8]>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Packed<T> {
    /// Packs a value.
    pub(super) fn of(value: &T) -> Result<Self, PlatformError> {
        let packer = ZlibEncoder::new(Vec::new(), Compression::fast());
        let packer = postcard::to_io(value, packer).map_err(odd)?;
        let bytes = packer.finish().map_err(odd)?.into_boxed_slice();
        Ok(Self {
            bytes,
            kind: PhantomData,
        })
    }

    /// The value again.
    pub(super) fn open(&self) -> Result<T, PlatformError> {
        let mut open = Vec::new();
        ZlibDecoder::new(&*self.bytes)
            .read_to_end(&mut open)
            .map_err(odd)?;
        postcard::from_bytes(&open).map_err(odd)
    }
}

/// Never to be seen: what was packed here opens here.
fn odd(error: impl fmt::Display) -> PlatformError {
    PlatformError::malformed(format_args!(
        "what was read last cannot be kept in memory ({error}); the next fetch reads everything"
    ))
}

impl<T> fmt::Debug for Packed<T> {
    /// Card numbers are in it (invariant 7).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.bytes.len())
    }
}
