//! The ring: a preallocated file in the runtime directory (memory on the appliance) in which an event stands
//! before its reader is answered (invariant 3). One `pwrite` to memory survives the death of the process and waits for no
//! disk and no lock (invariant 1). `docs/decisions/0004-ring-before-answer.md` says why.
//!
//! Layout: a block of 4,096 bytes (magic, slot size, number of slots, installation, CRC-32; from byte 1,024 the
//! subscribers' cursors), then the slots of 512 bytes: CRC-32, length, sequence, event. Event `seq` stands in slot
//! `seq % slots`. Slots never straddle a page of memory, so a kill cannot tear one: it is there or it is not.

use super::record::{self, MAX_RECORD};
use crate::domain::event::Draft;
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Name of the ring in the runtime directory.
pub(super) const RING_FILE: &str = "ring";
/// Slots unless told otherwise: 8 MiB, five minutes at 50 events a second.
pub const DEFAULT_SLOTS: u64 = 16_384;

const MAGIC: [u8; 8] = *b"DWRING\x00\x01";
const HEADER: u64 = 4_096;
const SLOT: usize = 512;
const PREFIX: usize = 16;
const CURSORS: u64 = 1_024;
const CURSOR: usize = 64;
/// Most subscribers whose cursors survive a kill.
const MAX_CURSORS: u64 = (HEADER - CURSORS) / CURSOR as u64;
const INSTALLATION: usize = 32;
/// Longest name of a subscriber, in bytes.
pub(super) const MAX_SUBSCRIBER: usize = CURSOR - 13;

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

fn fill_slot(slot: &mut [u8; SLOT], seq: u64, draft: &Draft) -> usize {
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

/// The open ring.
#[derive(Debug)]
pub(super) struct Ring {
    file: File,
    slots: u64,
    /// Highest sequence given out.
    head: AtomicU64,
    /// Everything up to here is in the journal, so its slot may be written again.
    committed: AtomicU64,
    /// Events that found no free slot.
    lost: AtomicU64,
    /// Events whose slot could not be written: safe from nothing but still on their way to the journal.
    spilled: Mutex<BTreeMap<u64, Box<[u8]>>>,
}

/// What the journal finds for a sequence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The event's bytes.
    Event(Vec<u8>),
    /// Its thread has the number and has not written yet.
    NotYet,
    /// Will never come: overwritten, or unreadable.
    Gone,
}

impl Ring {
    /// Opens or makes the ring and reserves its memory, so that a lack of it shows now and not at a door.
    ///
    /// # Errors
    /// The operating system's, when the directory cannot be written or has no room.
    pub(super) fn open(path: &Path, slots: u64) -> io::Result<(Self, Found)> {
        let slots = slots.max(1);
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let used = file.metadata()?.len();
        let mut found = if used == 0 {
            Found::default()
        } else {
            scan(&file, slots)
        };
        if found.unreadable {
            file.set_len(0)?;
        }
        reserve(&file, slots)?;
        if found.installation.is_none() && !found.unreadable && used > 0 {
            found.unreadable = true;
        }
        Ok((Self::around(file, slots), found))
    }

    /// A ring in anonymous memory, for when the runtime directory cannot be used: it does not survive the process.
    ///
    /// # Errors
    /// The operating system's, when there is no memory.
    pub(super) fn in_process(slots: u64) -> io::Result<Self> {
        let slots = slots.max(1);
        let file = File::from(rustix::fs::memfd_create(
            "doorward-ring",
            rustix::fs::MemfdFlags::CLOEXEC,
        )?);
        reserve(&file, slots)?;
        Ok(Self::around(file, slots))
    }

    fn around(file: File, slots: u64) -> Self {
        Self {
            file,
            slots,
            head: AtomicU64::new(0),
            committed: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            spilled: Mutex::default(),
        }
    }

    /// Says whose events these are and where they stand: `committed` is the journal's last, `head` the last number
    /// that was ever given out.
    ///
    /// # Errors
    /// The operating system's, when the head cannot be written.
    pub(super) fn begin(&self, installation: &str, committed: u64, head: u64) -> io::Result<()> {
        let head = head.max(committed);
        self.head.store(head, Ordering::SeqCst);
        let oldest = head.saturating_sub(self.slots);
        self.committed.store(committed.max(oldest), Ordering::SeqCst);
        let mut block = [0_u8; 52];
        let fields = MAGIC
            .into_iter()
            .chain(u32::try_from(SLOT).unwrap_or(0).to_le_bytes())
            .chain(u32::try_from(self.slots).unwrap_or(0).to_le_bytes())
            .chain(installation.bytes().take(INSTALLATION));
        for (to, from) in block.iter_mut().zip(fields) {
            *to = from;
        }
        let crc = crc32fast::hash(block.get(..48).unwrap_or(&[])).to_le_bytes();
        for (to, from) in block.iter_mut().skip(48).zip(crc) {
            *to = from;
        }
        self.file.write_all_at(&block, 0)
    }

    /// Puts an event into the ring and returns its sequence: an atomic step and one write to memory. Returns 0 when every
    /// slot holds an event that the journal has not got yet: the oldest are kept, this one is counted as lost.
    pub(super) fn put(&self, draft: &Draft) -> u64 {
        let step = self
            .head
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |head| {
                let pending = head.saturating_sub(self.committed.load(Ordering::Acquire));
                (pending < self.slots).then_some(head + 1)
            });
        let Ok(before) = step else {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return 0;
        };
        let seq = before + 1;
        let mut slot = [0; SLOT];
        let used = fill_slot(&mut slot, seq, draft);
        let bytes = slot.get(..used).unwrap_or(&[]);
        if self.file.write_all_at(bytes, self.place(seq)).is_err() {
            self.spills().insert(seq, bytes.into());
        }
        seq
    }

    fn spills(&self) -> MutexGuard<'_, BTreeMap<u64, Box<[u8]>>> {
        self.spilled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, seq: u64) -> u64 {
        HEADER + (seq % self.slots) * SLOT as u64
    }

    /// The event of a sequence, for the journal.
    pub(super) fn take(&self, seq: u64) -> Taken {
        let mut slot = [0; SLOT];
        let read = self.file.read_exact_at(&mut slot, self.place(seq));
        match parse_slot(&slot) {
            Slot::Event(found, event) if found == seq && read.is_ok() => return Taken::Event(event.to_vec()),
            Slot::Event(found, _) if found > seq => return Taken::Gone,
            _ => {}
        }
        match self.spills().get(&seq).map(|bytes| parse_slot(bytes)) {
            Some(Slot::Event(_, event)) => Taken::Event(event.to_vec()),
            _ => Taken::NotYet,
        }
    }

    /// Frees the slots up to `seq`: the journal has them on disk.
    pub(super) fn commit(&self, seq: u64) {
        self.committed.store(seq, Ordering::Release);
        let mut spilled = self.spills();
        if !spilled.is_empty() {
            *spilled = spilled.split_off(&(seq + 1));
        }
    }

    /// Puts a subscriber's cursor where a kill does not reach it. `place` is the subscriber's own number, from 0.
    ///
    /// # Errors
    /// The operating system's; also when there is no place of that number.
    pub(super) fn put_cursor(&self, place: u64, subscriber: &str, seq: u64) -> io::Result<()> {
        if place >= MAX_CURSORS || subscriber.len() > MAX_SUBSCRIBER {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut entry = [0_u8; CURSOR];
        let fields = seq
            .to_le_bytes()
            .into_iter()
            .chain([u8::try_from(subscriber.len()).unwrap_or(0)])
            .chain(subscriber.bytes());
        for (to, from) in entry.iter_mut().skip(4).zip(fields) {
            *to = from;
        }
        let crc = crc32fast::hash(entry.get(4..).unwrap_or(&[])).to_le_bytes();
        for (to, from) in entry.iter_mut().zip(crc) {
            *to = from;
        }
        self.file.write_all_at(&entry, CURSORS + place * CURSOR as u64)
    }

    /// Forgets every cursor.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn clear_cursors(&self) -> io::Result<()> {
        self.file.write_all_at(&[0; (HEADER - CURSORS) as usize], CURSORS)
    }

    /// Highest sequence given out.
    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }
    /// Everything up to here is in the journal.
    pub(super) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }
    /// Number of slots.
    pub(super) fn slots(&self) -> u64 {
        self.slots
    }
    /// Events that found no free slot since the ring was opened.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
    /// Events that wait for the journal without the ring's protection.
    pub(super) fn spilled(&self) -> u64 {
        self.spills().len() as u64
    }
}

/// Reserves the ring's memory.
fn reserve(file: &File, slots: u64) -> io::Result<()> {
    let bytes = HEADER + slots * SLOT as u64;
    file.set_len(bytes)?;
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes)?;
    Ok(())
}

/// What the file holds. Total: a file that is no ring of this shape is `unreadable`, whatever its bytes.
fn scan(file: &File, slots: u64) -> Found {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::event::*, store::record::tests::any_draft};
    use proptest::prelude::*;

    fn draft(at: i64) -> Draft {
        Draft::new(EventKind::Granted, at, ClockQuality::Trusted)
    }

    fn held(ring: &Ring, seq: u64) -> Option<i64> {
        match ring.take(seq) {
            Taken::Event(bytes) => Some(record::decode(&bytes).unwrap().at),
            _ => None,
        }
    }

    #[test]
    fn what_was_put_is_found_again_by_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RING_FILE);
        let (ring, found) = Ring::open(&path, 8).unwrap();
        assert_eq!(found, Found::default());
        ring.begin("abc", 0, 0).unwrap();
        ring.put_cursor(0, "mqtt", 2).unwrap();
        for at in 1..=5 {
            assert_eq!(ring.put(&draft(at)), at as u64);
        }
        drop(ring);
        let (ring, found) = Ring::open(&path, 8).unwrap();
        assert_eq!(found.installation.as_deref(), Some("abc"));
        assert_eq!((found.last, found.seqs), (5, vec![1, 2, 3, 4, 5]));
        assert_eq!(found.cursors, BTreeMap::from([("mqtt".into(), 2)]));
        ring.begin("abc", 2, 5).unwrap();
        assert_eq!(held(&ring, 3), Some(3));
        assert_eq!(ring.put(&draft(6)), 6);
        assert_eq!(ring.take(7), Taken::NotYet);
    }

    #[test]
    fn a_full_ring_keeps_the_oldest_and_counts_the_rest() {
        let ring = Ring::in_process(4).unwrap();
        ring.begin("abc", 0, 0).unwrap();
        let given: Vec<u64> = (1..=6).map(|at| ring.put(&draft(at))).collect();
        assert_eq!(given, [1, 2, 3, 4, 0, 0]);
        assert_eq!((ring.lost(), held(&ring, 1)), (2, Some(1)));
        ring.commit(1);
        assert_eq!(ring.put(&draft(7)), 5);
        assert_eq!((held(&ring, 5), ring.take(1)), (Some(7), Taken::Gone));
    }

    #[test]
    fn a_corrupt_slot_is_counted_and_the_others_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RING_FILE);
        let (ring, _) = Ring::open(&path, 8).unwrap();
        ring.begin("abc", 0, 0).unwrap();
        for at in 1..=3 {
            ring.put(&draft(at));
        }
        ring.file.write_all_at(&[0xFF], ring.place(2) + 20).unwrap();
        let (_, found) = Ring::open(&path, 8).unwrap();
        assert_eq!((found.seqs, found.torn, found.last), (vec![1, 3], 1, 3));
    }

    #[test]
    fn a_ring_that_cannot_be_reserved_is_refused_at_the_start() {
        let error = Ring::open(Path::new("/nonexistent/ring"), 8).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_file_is_opened_and_any_valid_slot_found(
            noise in prop::collection::vec(any::<u8>(), 0..12_000),
            keep_head in any::<bool>(),
            event in any_draft(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(RING_FILE);
            let (ring, _) = Ring::open(&path, 16).unwrap();
            ring.begin("abc", 0, 0).unwrap();
            ring.put(&event);
            let from = if keep_head { HEADER + 2 * SLOT as u64 } else { 0 };
            ring.file.write_all_at(&noise, from).unwrap();
            let (again, found) = Ring::open(&path, 16).unwrap();
            if keep_head {
                prop_assert_eq!(found.seqs, vec![1]);
                again.begin("abc", 0, 1).unwrap();
                prop_assert!(matches!(again.take(1), Taken::Event(_)));
            }
            prop_assert_eq!(again.file.metadata().unwrap().len(), HEADER + 16 * SLOT as u64);
        }
        #[test]
        fn any_slot_is_read_or_torn(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse_slot(&bytes);
        }
    }
}
