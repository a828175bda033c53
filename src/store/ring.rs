//! The ring: a preallocated file in the runtime directory (memory on the appliance) in which an event stands
//! before its reader is answered (invariant 3). One `pwrite` to memory survives the death of the process and waits for no
//! disk and no lock (invariant 1). `docs/decisions/0004-ring-before-answer.md` says why.
//!
//! Layout: a block of 4,096 bytes (magic, slot size, number of slots, installation, CRC-32; from byte 1,024 the
//! subscribers' cursors), then the slots of 512 bytes: CRC-32, length, sequence, event. Event `seq` stands in slot
//! `seq % slots`. Slots never straddle a page of memory, so a kill cannot tear one: it is there or it is not.

use super::{
    scan::{Found, scan},
    slot::{SLOT, Slot, fill_slot, parse_slot},
};
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

pub(super) const MAGIC: [u8; 8] = *b"DWRING\x00\x01";
pub(super) const HEADER: u64 = 4_096;
pub(super) const CURSORS: u64 = 1_024;
pub(super) const CURSOR: usize = 64;
/// Most subscribers whose cursors survive a kill.
const MAX_CURSORS: u64 = (HEADER - CURSORS) / CURSOR as u64;
const INSTALLATION: usize = 32;
/// Longest name of a subscriber, in bytes.
pub(super) const MAX_SUBSCRIBER: usize = CURSOR - 13;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::event::*,
        store::record::{self, tests::any_draft},
    };
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
