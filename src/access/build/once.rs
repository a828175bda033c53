//! Things that stand in the image once, however often they are put there. Only numbers are held beside the image: keys
//! with their texts would be twice as much memory as the image itself.

use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash, RandomState};

/// Numbers of what stands in a part already.
#[derive(Default)]
pub(super) struct Once {
    state: RandomState,
    /// Half of a hash, and a number.
    known: HashTable<(u32, u32)>,
}

/// Spreads half a hash over the bits that a table looks at, which are the uppermost and the lowest.
const fn spread(half: u32) -> u64 {
    let half = half as u64;
    half << 32 | half
}

impl Once {
    /// The number of a thing that `is` knows under its number, if it is there.
    pub(super) fn find(&self, thing: &impl Hash, is: impl Fn(u32) -> bool) -> Option<u32> {
        let half = self.half(thing);
        let found = self
            .known
            .find(spread(half), |(hash, number)| *hash == half && is(*number));
        found.map(|(_, number)| *number)
    }

    /// Notes a thing that was not there, and gives its number: they are counted.
    pub(super) fn put(&mut self, thing: &impl Hash) -> Option<u32> {
        let number = u32::try_from(self.known.len()).ok()?;
        let half = self.half(thing);
        self.known
            .insert_unique(spread(half), (half, number), |(half, _)| spread(*half));
        Some(number)
    }

    fn half(&self, thing: &impl Hash) -> u32 {
        (self.state.hash_one(thing) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_has_one_number_and_another_of_the_same_hash_has_its_own() {
        /// Everything has the same hash.
        struct Alike(&'static str);
        impl Hash for Alike {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                0.hash(state);
            }
        }
        let (mut once, mut put) = (Once::default(), Vec::new());
        for text in ["a", "b", "a", "c", "b"] {
            let thing = Alike(text);
            let known = |number: u32| put[usize::try_from(number).unwrap()] == thing.0;
            if once.find(&thing, known).is_none() {
                assert_eq!(once.put(&thing), u32::try_from(put.len()).ok());
                put.push(text);
            }
        }
        assert_eq!(put, ["a", "b", "c"]);
    }
}
