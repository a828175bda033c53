//! What a ring holds that another process left behind.

use super::{
    record,
    ring::{CURSOR, CURSORS, HEADER, MAGIC},
    slot::{SLOT, Slot, parse_slot},
};
use std::{collections::BTreeMap, fs::File, os::unix::fs::FileExt};

/// What a ring held when it was opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Whose events, if the ring had a valid head.
    pub(super) installation: Option<String>,
    /// Highest sequence.
    pub(super) last: u64,
    /// Sequences of the readable events, ascending.
    pub(super) seqs: Vec<u64>,
    /// Slots that were written and cannot be read.
    pub(super) torn: u64,
    /// Cursors by subscriber.
    pub(super) cursors: BTreeMap<String, u64>,
    /// A file was there and was no ring of this shape: it was started afresh.
    pub(super) unreadable: bool,
}

/// What the file holds. Total: a file that is no ring of this shape is `unreadable`, whatever its bytes.
pub(super) fn scan(file: &File, slots: u64) -> Found {
    let mut found = Found::default();
    let mut head = [0_u8; HEADER as usize];
    let whole = file.read_exact_at(&mut head, 0).is_ok();
    let Some(installation) = parse_head(&head, slots).filter(|_| whole) else {
        found.unreadable = true;
        return found;
    };
    found.installation = Some(installation);
    for entry in head.get(CURSORS as usize..).unwrap_or(&[]).chunks_exact(CURSOR) {
        if let Some((name, seq)) = parse_cursor(entry) {
            found.cursors.insert(name, seq);
        }
    }
    let mut chunk = vec![0_u8; SLOT * 128];
    let mut index = 0;
    while index < slots {
        let count = usize::try_from((slots - index).min(128)).unwrap_or(0);
        let part = chunk.get_mut(..count * SLOT).unwrap_or_default();
        if file.read_exact_at(part, HEADER + index * SLOT as u64).is_err() {
            found.torn += slots - index; // a short file: the rest was never reserved or was cut off
            break;
        }
        for slot in part.chunks_exact(SLOT) {
            match parse_slot(slot) {
                Slot::Empty => {}
                Slot::Event(seq, event) if seq % slots == index && record::decode(event).is_ok() => {
                    found.seqs.push(seq);
                }
                Slot::Torn | Slot::Event(..) => found.torn += 1,
            }
            index += 1;
        }
    }
    found.seqs.sort_unstable();
    found.last = found.seqs.last().copied().unwrap_or(0);
    found
}

fn parse_head(block: &[u8], slots: u64) -> Option<String> {
    let body = block.get(..48)?;
    let crc = block.get(48..52)?.first_chunk::<4>()?;
    let shape = block.get(8..16)?.first_chunk::<8>()?;
    let [s0, s1, s2, s3, n0, n1, n2, n3] = *shape;
    let fits = block.starts_with(&MAGIC)
        && crc32fast::hash(body) == u32::from_le_bytes(*crc)
        && u32::from_le_bytes([s0, s1, s2, s3]) as usize == SLOT
        && u64::from(u32::from_le_bytes([n0, n1, n2, n3])) == slots;
    let name = block.get(16..48)?;
    let name = name.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?;
    (fits && !name.is_empty()).then(|| name.to_owned())
}

fn parse_cursor(entry: &[u8]) -> Option<(String, u64)> {
    let (crc, body) = entry.split_first_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (seq, rest) = body.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first()?;
    let name = rest.get(..usize::from(*length))?;
    let name = std::str::from_utf8(name).ok()?;
    (!name.is_empty()).then(|| (name.to_owned(), u64::from_le_bytes(*seq)))
}
