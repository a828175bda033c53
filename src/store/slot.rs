//! A slot of the ring: CRC-32, length, sequence, event.

use super::record::{self, MAX_RECORD};
use crate::domain::event::Draft;

/// Bytes of a slot: they never straddle a page of memory.
pub(super) const SLOT: usize = 512;
const PREFIX: usize = 16;

const _: () = assert!(PREFIX + MAX_RECORD == SLOT, "an event fills a slot at most");

/// What one slot holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    /// Never written.
    Empty,
    /// Written, and not what was written: counted, skipped.
    Torn,
    /// Event bytes and their sequence.
    Event(u64, &'a [u8]),
}

/// Reads a slot. Total: any bytes are one of the three.
#[must_use]
pub fn parse_slot(bytes: &[u8]) -> Slot<'_> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Slot::Torn;
    };
    if prefix.iter().all(|byte| *byte == 0) {
        return Slot::Empty;
    }
    let [c0, c1, c2, c3, l0, l1, _, _, seq @ ..] = *prefix;
    let length = usize::from(u16::from_le_bytes([l0, l1]));
    let Some(event) = rest.get(..length) else {
        return Slot::Torn;
    };
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(prefix.get(4..).unwrap_or(&[]));
    hasher.update(event);
    let seq = u64::from_le_bytes(seq);
    if hasher.finalize() == u32::from_le_bytes([c0, c1, c2, c3]) && seq > 0 {
        Slot::Event(seq, event)
    } else {
        Slot::Torn
    }
}

/// Writes an event into a slot and returns how many of its bytes that takes.
pub(super) fn fill_slot(slot: &mut [u8; SLOT], seq: u64, draft: &Draft) -> usize {
    let mut event = [0; MAX_RECORD];
    let length = record::encode(draft, &mut event);
    let (prefix, body) = slot.split_at_mut(PREFIX);
    body.copy_from_slice(&event);
    let low = u16::try_from(length).unwrap_or(0).to_le_bytes();
    let mut head = [0; PREFIX];
    for (to, from) in head
        .iter_mut()
        .skip(4)
        .zip(low.into_iter().chain([0, 0]).chain(seq.to_le_bytes()))
    {
        *to = from;
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head.get(4..).unwrap_or(&[]));
    hasher.update(body.get(..length).unwrap_or(&[]));
    for (to, from) in head.iter_mut().zip(hasher.finalize().to_le_bytes()) {
        *to = from;
    }
    prefix.copy_from_slice(&head);
    PREFIX + length
}
