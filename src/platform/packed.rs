//! Rows that an adapter keeps for the next hint, small: a hint comes now and then, and between two of them a Pi needs its
//! memory for other things.

use super::PlatformError;
use flate2::{Compression, bufread::ZlibDecoder, write::ZlibEncoder};
use postcard::{Error as Odd, de_flavors::Flavor};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use std::{
    collections::BTreeMap,
    fmt,
    io::{BufReader, Read},
    marker::PhantomData,
};

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

/// For days in rows: a number, and not a text that has to stay while it is read ([`Unpacking`]).
pub(super) mod day {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(in super::super) fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        (day.year(), day.month(), day.day()).serialize(serializer)
    }
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Date, D::Error> {
        let (year, month, day) = Deserialize::deserialize(deserializer)?;
        Date::new(year, month, day).map_err(D::Error::custom)
    }
}

/// The same for days that may not be there.
pub(super) mod maybe_day {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Day(#[serde(with = "super::day")] Date);

    #[expect(clippy::ref_option, reason = "what serde gives a module that writes a field")]
    pub(in super::super) fn serialize<S: Serializer>(
        day: &Option<Date>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        day.map(Day).serialize(serializer)
    }
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Date>, D::Error> {
        Ok(Option::<Day>::deserialize(deserializer)?.map(|Day(day)| day))
    }
}

/// A map that is built at once from rows in order: its nodes are full. One that grows row by row leaves half of each empty.
pub(super) fn dense<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: Ord + Deserialize<'de>,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Reads<K, V>(PhantomData<fn() -> (K, V)>);
    impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Reads<K, V> {
        type Value = BTreeMap<K, V>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut rows = Vec::with_capacity(map.size_hint().unwrap_or(0).min(CAUTIOUS));
            while let Some(row) = map.next_entry()? {
                rows.push(row);
            }
            Ok(rows.into_iter().collect())
        }
    }
    deserializer.deserialize_map(Reads(PhantomData))
}

/// Room for more rows than this is made as they come.
const CAUTIOUS: usize = 100_000;

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
        let mut rows = postcard::Deserializer::from_flavor(Unpacking {
            from: BufReader::new(ZlibDecoder::new(&*self.bytes)),
            piece: Vec::new(),
        });
        T::deserialize(&mut rows).map_err(odd)
    }
}

/// Reads while it inflates: the bytes of all rows would be half as much again as the rows. What a type wants to borrow
/// until everything is read is refused, so nothing that is packed may contain such (texts are `String` or `Box<str>`).
struct Unpacking<R> {
    from: R,
    piece: Vec<u8>,
}

impl<'de, R: Read + 'de> Flavor<'de> for Unpacking<R> {
    type Remainder = ();
    type Source = ();

    fn pop(&mut self) -> Result<u8, Odd> {
        let mut byte = [0];
        self.from
            .read_exact(&mut byte)
            .map_err(|_| Odd::DeserializeUnexpectedEnd)?;
        let [byte] = byte;
        Ok(byte)
    }

    fn try_take_n(&mut self, _: usize) -> Result<&'de [u8], Odd> {
        Err(Odd::WontImplement)
    }

    fn try_take_n_temp<'a>(&'a mut self, count: usize) -> Result<&'a [u8], Odd>
    where
        'de: 'a,
    {
        self.piece.resize(count, 0);
        self.from
            .read_exact(&mut self.piece)
            .map_err(|_| Odd::DeserializeUnexpectedEnd)?;
        Ok(&self.piece)
    }

    fn finalize(self) -> Result<(), Odd> {
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        name: String,
        other: Option<Box<str>>,
        #[serde(with = "day")]
        day: Date,
        #[serde(with = "maybe_day")]
        end: Option<Date>,
        #[serde(with = "named")]
        list: Vec<f64>,
    }

    #[test]
    fn rows_come_back_as_they_were_and_half_of_them_is_an_error() {
        let rows: Vec<Row> = (0..500)
            .map(|number| Row {
                name: "ñ".repeat(number),
                other: (number % 3 == 0).then(|| number.to_string().into()),
                day: date(-9999, 1, 1),
                end: (number % 2 == 0).then_some(date(9999, 12, 31)),
                list: vec![0.25; number % 5],
            })
            .collect();
        let mut packed = Packed::of(&rows).unwrap();
        assert_eq!(packed.open().unwrap(), rows);
        packed.bytes = packed.bytes[..packed.bytes.len() / 2].into();
        assert!(packed.open().is_err());
    }
}
