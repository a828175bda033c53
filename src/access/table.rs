//! The hash table of cards: buckets of four, each card in one of two buckets (bucketised cuckoo hashing). A look-up
//! reads two buckets of 64 bytes at most, whatever cards somebody enrols or presents, and nine slots in ten are
//! full. The hash is SipHash-1-3, whose values are specified, so that images stay readable by later builds.

use siphasher::sip::SipHasher13;

/// Bytes of a slot: the credential's key and the value. An empty slot begins with scheme 0, which none has.
pub(super) const SLOT: usize = 16;
/// Slots in a bucket.
const WIDTH: usize = 4;
/// Moves before an insertion gives up. At nine slots in ten full, some dozens are usual.
const KICKS: u32 = 2_000;

pub(super) type Key = [u8; 12];

/// The two buckets of a key. `buckets` is not zero.
pub(super) fn homes(seed: u64, key: &Key, buckets: u32) -> (u32, u32) {
    let hash = SipHasher13::new_with_keys(seed, !seed).hash(key);
    let reduce = |half: u64| u32::try_from((half * u64::from(buckets)) >> 32).unwrap_or(0);
    (reduce(hash >> 32), reduce(hash & 0xFFFF_FFFF))
}

/// Looks a key up in the table's bytes.
pub(super) fn find(table: &[u8], seed: u64, key: &Key) -> Option<u32> {
    let buckets = u32::try_from(table.len() / (SLOT * WIDTH)).ok()?;
    let (first, second) = homes(seed, key, buckets);
    find_in(table, first, key).or_else(|| find_in(table, second, key))
}

fn find_in(table: &[u8], bucket: u32, key: &Key) -> Option<u32> {
    let start = usize::try_from(bucket).ok()? * SLOT * WIDTH;
    let bytes = table.get(start..start + SLOT * WIDTH)?;
    let slots = bytes.as_chunks::<SLOT>().0;
    slots.iter().find_map(|slot| {
        let (stored, value) = parts(slot);
        (stored == key).then_some(value)
    })
}

/// Key and value of a slot.
pub(super) fn parts(slot: &[u8; SLOT]) -> (&Key, u32) {
    let (key, value) = slot.split_first_chunk::<12>().unwrap_or((&[0; 12], &[]));
    let value = value
        .first_chunk::<4>()
        .map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes));
    (key, value)
}

/// Makes the table and the seed that it needs. The same entries give the same bytes. Keys are unique.
pub(super) fn build(entries: &[(Key, u32)]) -> Option<(Vec<u8>, u64)> {
    let mut seed = 0x6477_6163_6365_7373_u64; // an arbitrary start
    // Each attempt that fails gets another seed and a little more room: cards cannot be chosen against all of them.
    for attempt in 0..16 {
        let wanted = entries.len().div_ceil(WIDTH) * (20 + attempt) / 18 + 1;
        let buckets = u32::try_from(wanted).ok()?;
        if let Some(slots) = fill(entries, seed, buckets) {
            let mut bytes = Vec::with_capacity(slots.len() * SLOT);
            for (key, value) in slots {
                bytes.extend_from_slice(&key);
                bytes.extend_from_slice(&value.to_le_bytes());
            }
            return Some((bytes, seed));
        }
        seed = seed.rotate_left(17) ^ 0x9E37_79B9_7F4A_7C15;
    }
    None
}

type Entry = (Key, u32);
const EMPTY: Entry = ([0; 12], 0);

fn fill(entries: &[Entry], seed: u64, buckets: u32) -> Option<Vec<Entry>> {
    let count = usize::try_from(buckets).ok()?;
    let mut slots = vec![EMPTY; count.checked_mul(WIDTH)?];
    let mut turn = seed;
    for entry in entries {
        insert(&mut slots, *entry, seed, buckets, &mut turn)?;
    }
    Some(slots)
}

fn insert(slots: &mut [Entry], entry: Entry, seed: u64, buckets: u32, turn: &mut u64) -> Option<()> {
    let (mut entry, mut from) = (entry, None);
    for _ in 0..KICKS {
        let (first, second) = homes(seed, &entry.0, buckets);
        for home in [first, second] {
            if let Some(free) = bucket_of(slots, home)?.iter_mut().find(|slot| slot.0 == EMPTY.0) {
                *free = entry;
                return Some(());
            }
        }
        // Both are full: put somebody else out, never straight back to where this one was put out of.
        *turn = turn
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let home = match from {
            Some(last) if last == first => second,
            Some(last) if last == second => first,
            _ if *turn >> 63 == 0 => first,
            _ => second,
        };
        let victim = usize::try_from((*turn >> 40) % 4).ok()?;
        std::mem::swap(bucket_of(slots, home)?.get_mut(victim)?, &mut entry);
        from = Some(home);
    }
    None
}

fn bucket_of(slots: &mut [Entry], bucket: u32) -> Option<&mut [Entry]> {
    let start = usize::try_from(bucket).ok()? * WIDTH;
    slots.get_mut(start..start + WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> Key {
        let mut key = [0; 12];
        key[0] = 1;
        key[1] = 56;
        key[2..6].copy_from_slice(&n.to_be_bytes());
        key
    }

    #[test]
    fn finds_every_card_and_no_other_at_every_size() {
        for size in [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 100, 1_000, 20_000] {
            let entries: Vec<Entry> = (0..size).map(|n| (key(n), n * 3)).collect();
            let (table, seed) = build(&entries).unwrap();
            for (key, value) in &entries {
                assert_eq!(find(&table, seed, key), Some(*value));
            }
            for n in size..size + 1_000 {
                assert_eq!(find(&table, seed, &key(n)), None);
            }
            assert_eq!(
                build(&entries).unwrap().0,
                table,
                "the same cards, the same bytes"
            );
        }
    }

    #[test]
    fn cards_chosen_against_the_first_seed_get_another_one() {
        // 64 cards that all want one bucket of the first attempt: eight fit there at most.
        let (_, seed) = build(&[(key(0), 0)]).unwrap();
        let buckets = u32::try_from(64_usize.div_ceil(WIDTH) * 20 / 18 + 1).unwrap();
        let chosen: Vec<Entry> = (0..)
            .map(|n| (key(n), n))
            .filter(|(key, _)| homes(seed, key, buckets) == (0, 0))
            .take(64)
            .collect();
        let (table, other) = build(&chosen).unwrap();
        assert_ne!(seed, other);
        assert!(
            chosen
                .iter()
                .all(|(key, value)| find(&table, other, key) == Some(*value))
        );
    }
}
