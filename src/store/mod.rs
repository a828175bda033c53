//! SQLite and the ring: snapshot, journal, outbox, cards. No SQL anywhere else.
//!
//! | file | what |
//! | --- | --- |
//! | `record` | an event as bytes |
//! | `ring` | where an event stands before its reader is answered (invariant 3) |
//! | `writer` | the journal's thread: group commit with full sync, bounds, recovery |
//! | `schedule` | when that thread commits, looks, or lies down |
//! | `journal` | the journal's tables |
//! | `repair` | damage that only a reader meets |
//! | `salvage` | fetching back what a damaged journal still gives |
//! | `state` | snapshots, local cards, blocks, marks of time, in a file of their own |
//! | `file` | opening, migrating, moving aside |
//! | `open` | the start: what each file holds and whose it is |
//! | `read` | reading, from any process |
//!
//! `docs/journal.md` says what each fault does.

mod error;
mod file;
mod journal;
mod open;
mod read;
mod record;
mod repair;
mod ring;
mod salvage;
mod schedule;
mod shared;
mod state;
mod writer;

pub use error::{DiskFault, StoreError};
pub use open::{Recovered, StoreOptions, time_floor};
pub use read::ReadStore;
pub use record::{
    MAX_DETAIL, MAX_DOOR, MAX_NAME, MAX_PERSON, MAX_RECORD, MAX_SOURCE, RecordError, decode, encode,
};
pub use ring::{DEFAULT_SLOTS, Slot, parse_slot};
pub use state::{LocalCard, SnapshotMeta, StoredSnapshot};

use crate::domain::{
    Block, BlockTarget, Credential, EntryEvent, EventId, Millis, event::Draft, facts::Facts,
};
use serde::Serialize;
use shared::{SharedRef, lock};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};
use tokio::sync::watch;
use writer::Command;

/// Contact with the platform is written to the card at most this often: staleness counts in days.
const CONTACT_EVERY: Millis = 300_000;
/// The time is written at most this often; events carry it to the card besides.
const TIME_EVERY: Millis = 3_600_000;

/// The store, open for writing. Cheap to clone; the last clone to go closes it.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: SharedRef,
    commands: Mutex<Option<mpsc::Sender<Command>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    contact: Noted,
    time: Noted,
    /// Holds the lock on the state directory.
    guard: Option<std::fs::File>,
}

/// A time in memory and as it is on disk.
#[derive(Debug)]
struct Noted {
    now: AtomicI64,
    on_disk: AtomicI64,
}

impl Noted {
    fn new(value: Option<Millis>) -> Self {
        let value = value.unwrap_or(Millis::MIN);
        Self {
            now: AtomicI64::new(value),
            on_disk: AtomicI64::new(value),
        }
    }
    fn get(&self) -> Option<Millis> {
        Some(self.now.load(Ordering::Relaxed)).filter(|value| *value != Millis::MIN)
    }
    fn due(&self, every: Millis) -> Option<Millis> {
        let now = self.now.load(Ordering::Relaxed);
        (now.abs_diff(self.on_disk.load(Ordering::Relaxed)) >= every.unsigned_abs()).then_some(now)
    }
}

/// Where a new subscriber begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the next event.
    Next,
    /// With the oldest event that the journal still has.
    Oldest,
}

/// How the store is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreHealth {
    /// Events in the journal.
    pub events: u64,
    /// Its bound.
    pub max_events: u64,
    /// Lowest sequence in the journal, 0 when empty.
    pub first: u64,
    /// Highest sequence in the journal.
    pub last: u64,
    /// Undelivered events of each subscriber.
    pub unsent: BTreeMap<String, u64>,
    /// Events in the ring that are not in the journal yet.
    pub ring_used: u64,
    /// Its size.
    pub ring_slots: u64,
    /// Whether answered events survive the death of the process before they are in the journal.
    pub ring_survives: bool,
    /// Whether the ring is in memory. On a disk a write may have to wait for it.
    pub ring_in_memory: bool,
    /// Events since the start that found no room, or could not be read back from the ring.
    pub lost: u64,
    /// What the disk last said, until it works again.
    pub last_error: Option<String>,
}

impl Store {
    /// Keeps an event: by the return it survives the death of the process, soon after it is in the journal. No
    /// lock, no disk, never fails. Returns its sequence, or 0 when the ring is full of events that a failing disk or a
    /// full journal does not take: then it is counted as lost and shown.
    pub fn record(&self, draft: &Draft) -> u64 {
        let seq = self.0.shared.ring.put(draft);
        self.0.shared.call();
        seq
    }

    /// The id of a sequence: `<installation>-<sequence>`.
    #[must_use]
    pub fn event_id(&self, seq: u64) -> EventId {
        self.0.shared.event_id(seq)
    }

    /// The highest sequence that is in the journal with full sync. Also wakes when delivery may go on.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.0.shared.committed.subscribe()
    }

    /// Journalled events above `seq`, at most `limit`, in order. Empty while a damaged journal is being fetched
    /// back, so that nobody skips what is still to come. Blocks on the disk: not for async tasks.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<EntryEvent>, StoreError> {
        if self.0.shared.salvaging.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        match self.0.shared.read.events_after(seq, limit) {
            Err(StoreError::Missing(_)) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Makes a subscriber: events above its cursor are kept until it acknowledges them. One that is there
    /// keeps its cursor. Returns the cursor.
    ///
    /// # Errors
    /// `BadName`.
    pub fn register(&self, subscriber: &str, begin: Begin) -> Result<u64, StoreError> {
        open::check_name("the subscriber", subscriber, ring::MAX_SUBSCRIBER)?;
        let shared = &self.0.shared;
        let mut cursors = lock(&shared.cursors);
        if let Some((_, seq)) = cursors.by_name.get(subscriber) {
            return Ok(*seq);
        }
        let seq = match begin {
            Begin::Next => shared.ring.head(),
            Begin::Oldest => shared.first.load(Ordering::Relaxed).saturating_sub(1),
        };
        shared.set_cursor(&mut cursors, subscriber, seq);
        cursors.urgent = true;
        drop(cursors);
        shared.wake();
        Ok(seq)
    }

    /// Ends a subscriber: it holds no event back any more.
    pub fn forget(&self, subscriber: &str) {
        let shared = &self.0.shared;
        let mut cursors = lock(&shared.cursors);
        if cursors.by_name.remove(subscriber).is_some() {
            cursors.dirty = true;
            cursors.urgent = true;
            // Rewritten whole: there are a handful. What a failing write leaves behind is corrected at the next start.
            let _ = shared.ring.clear_cursors();
            for (name, (place, seq)) in &cursors.by_name {
                let _ = shared.ring.put_cursor(*place, name, *seq);
            }
        }
        drop(cursors);
        shared.wake();
    }

    /// Who is registered.
    #[must_use]
    pub fn subscribers(&self) -> Vec<String> {
        lock(&self.0.shared.cursors).by_name.keys().cloned().collect()
    }

    /// Everything up to here was delivered to this subscriber; 0 for an unknown one.
    #[must_use]
    pub fn cursor(&self, subscriber: &str) -> u64 {
        lock(&self.0.shared.cursors)
            .by_name
            .get(subscriber)
            .map_or(0, |(_, seq)| *seq)
    }

    /// Everything up to `seq` was delivered. Survives a kill at once, a power cut after a minute at most: until then
    /// delivery may repeat, with the same ids. A cursor never goes back.
    ///
    /// # Errors
    /// `UnknownSubscriber`.
    pub fn acknowledge(&self, subscriber: &str, seq: u64) -> Result<(), StoreError> {
        let shared = &self.0.shared;
        let mut cursors = lock(&shared.cursors);
        let Some((_, before)) = cursors.by_name.get(subscriber).copied() else {
            return Err(StoreError::UnknownSubscriber(subscriber.to_owned()));
        };
        if seq > before {
            shared.set_cursor(&mut cursors, subscriber, seq.min(shared.ring.head()));
            drop(cursors);
            if shared.ring.head() > shared.ring.committed() {
                shared.call();
            }
        }
        Ok(())
    }

    fn write<T>(
        &self,
        mut work: impl FnMut(&mut rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let shared = &self.0.shared;
        let mut writer = lock(&shared.owner.state);
        let result = writer.with(&shared.state_dir, shared.now(), &mut work);
        drop(writer);
        match &result {
            Ok(_) => shared.clear_but("state", None),
            Err(error) => shared.raise("state", error),
        }
        open::show_damaged(&shared.state_dir, &shared.health, shared.now());
        result
    }

    /// Replaces the snapshot in force, in one transaction with full sync: a crash leaves the old or the new one. A held
    /// one is dropped. Slow for large sites, and blocks: not for async tasks.
    ///
    /// # Errors
    /// `Disk`: the old one stays.
    pub fn apply_snapshot(&self, meta: &SnapshotMeta, facts: &Facts, image: &[u8]) -> Result<(), StoreError> {
        self.put_snapshot(state::ACTIVE, meta, facts, image)
    }

    /// Keeps an implausible snapshot until somebody confirms it (invariant 4).
    ///
    /// # Errors
    /// `Disk`: nothing is held.
    pub fn hold_snapshot(&self, meta: &SnapshotMeta, facts: &Facts, image: &[u8]) -> Result<(), StoreError> {
        self.put_snapshot(state::HELD, meta, facts, image)
    }

    fn put_snapshot(
        &self,
        role: &str,
        meta: &SnapshotMeta,
        facts: &Facts,
        image: &[u8],
    ) -> Result<(), StoreError> {
        let snapshot = |source| StoreError::Snapshot {
            file: self.0.shared.state_dir.join(state::STATE.name),
            source,
        };
        let packed = state::pack(facts).map_err(snapshot)?;
        let meta = serde_json::to_string(meta).map_err(snapshot)?;
        self.write(|db| state::put_snapshot(db, role, &meta, &packed, image))?;
        lock(&self.0.shared.owner.state).fold();
        Ok(())
    }

    /// Puts the held snapshot in force. False if none is held.
    ///
    /// # Errors
    /// `Disk`: it stays held.
    pub fn accept_held(&self) -> Result<bool, StoreError> {
        self.write(state::accept_held)
    }

    /// Drops the held snapshot. False if none is held.
    ///
    /// # Errors
    /// `Disk`: it stays held.
    pub fn discard_held(&self) -> Result<bool, StoreError> {
        self.write(state::discard_held)
    }

    /// Replaces the index image of the snapshot in force: the site changed, the facts did not. False if there is none.
    ///
    /// # Errors
    /// `Disk`: the old one stays.
    pub fn replace_image(&self, image: &[u8]) -> Result<bool, StoreError> {
        self.write(|db| state::replace_image(db, image))
    }

    /// Everything that can be read: snapshots, facts, blocks, cards, events. Each call sees what was committed
    /// before it.
    #[must_use]
    pub fn read(&self) -> &ReadStore {
        &self.0.shared.read
    }

    /// The snapshot in force.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot`.
    pub fn active(&self) -> Result<Option<StoredSnapshot>, StoreError> {
        self.read().active()
    }

    /// The snapshot that waits for confirmation.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot`.
    pub fn held(&self) -> Result<Option<StoredSnapshot>, StoreError> {
        self.read().held()
    }

    /// The facts of a snapshot.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot`.
    pub fn facts(&self, snapshot: &StoredSnapshot) -> Result<Facts, StoreError> {
        self.read().facts(snapshot)
    }

    /// The platform answered just now. In memory at once, on the card every five minutes.
    pub fn note_contact(&self, at: Millis) {
        self.note(&self.0.contact, state::CONTACT, at, CONTACT_EVERY);
    }

    /// When the platform last answered, Unix milliseconds.
    #[must_use]
    pub fn last_contact(&self) -> Option<Millis> {
        self.0.contact.get()
    }

    /// A trusted time, as a floor for the clock after the next boot. On the card once an hour; call it every minute.
    pub fn note_time(&self, at: Millis) {
        self.note(&self.0.time, state::TIME, at, TIME_EVERY);
    }

    fn note(&self, noted: &Noted, key: &str, at: Millis, every: Millis) {
        noted.now.store(at, Ordering::Relaxed);
        if let Some(due) = noted.due(every) {
            // A failure is shown as the state's fault; the next call tries again.
            if self.write(|db| state::set_value(db, key, due)).is_ok() {
                noted.on_disk.store(due, Ordering::Relaxed);
            }
        }
    }

    /// Cards that were given out at the gateway.
    ///
    /// # Errors
    /// `Disk`.
    pub fn local_cards(&self) -> Result<Vec<LocalCard>, StoreError> {
        self.read().local_cards()
    }

    /// Gives out a card, or changes one.
    ///
    /// # Errors
    /// `Disk`: nothing is changed.
    pub fn add_local_card(&self, card: &LocalCard) -> Result<(), StoreError> {
        self.write(|db| state::add_local_card(db, card))
    }

    /// Takes a card back. False if it was not given out here.
    ///
    /// # Errors
    /// `Disk`: nothing is changed.
    pub fn remove_local_card(&self, card: &Credential) -> Result<bool, StoreError> {
        self.write(|db| state::remove_local_card(db, card))
    }

    /// Everything that is blocked at the gateway.
    ///
    /// # Errors
    /// `Disk`.
    pub fn blocks(&self) -> Result<Vec<Block>, StoreError> {
        self.read().blocks()
    }

    /// Blocks a card or a person, with full sync.
    ///
    /// # Errors
    /// `Disk`: the block is not kept. The caller blocks in memory all the same and says so.
    pub fn add_block(&self, block: &Block) -> Result<(), StoreError> {
        self.write(|db| state::add_block(db, block))
    }

    /// Lifts a block. False if there was none.
    ///
    /// # Errors
    /// `Disk`: the block stays.
    pub fn remove_block(&self, target: &BlockTarget) -> Result<bool, StoreError> {
        self.write(|db| state::remove_block(db, target))
    }

    /// How the store is doing.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        let shared = &self.0.shared;
        let last = shared.ring.committed();
        let cursors = lock(&shared.cursors).plain();
        let unsent = cursors
            .into_iter()
            .map(|(name, seq)| (name, last.saturating_sub(seq)))
            .collect();
        StoreHealth {
            events: shared.count.load(Ordering::Relaxed),
            max_events: shared.max_events,
            first: shared.first.load(Ordering::Relaxed),
            last,
            unsent,
            ring_used: shared.ring.head().saturating_sub(last),
            ring_slots: shared.ring.slots(),
            ring_survives: shared.ring_survives && shared.ring.spilled() == 0,
            ring_in_memory: shared.ring_in_memory,
            lost: shared.ring.lost() + shared.gone.load(Ordering::Relaxed),
            last_error: lock(&shared.last_error).clone(),
        }
    }

    /// Commits everything that was recorded before the call, cursors included. Blocks on the disk.
    ///
    /// # Errors
    /// `Disk` when it does not take them: they stay in the ring. `Closed`.
    pub fn flush(&self) -> Result<(), StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let sent = lock(&self.0.commands)
            .as_ref()
            .map(|commands| commands.send(Command::Flush(reply)));
        if !matches!(sent, Some(Ok(()))) {
            return Err(StoreError::Closed);
        }
        self.0.shared.wake();
        answer.recv().map_err(|_| StoreError::Closed)?
    }

    /// Commits everything and ends the journal's thread. Other clones may go on reading; what they record stays in
    /// the ring for the next start.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    fn close(&self) {
        let Some(commands) = lock(&self.commands).take() else {
            return;
        };
        let _ = commands.send(Command::Close);
        self.shared.wake();
        if let Some(thread) = lock(&self.thread).take() {
            // A panic there was reported by the panic hook; there is nothing to add.
            let _ = thread.join();
        }
        let mut writer = lock(&self.shared.owner.state);
        for (noted, key) in [(&self.contact, state::CONTACT), (&self.time, state::TIME)] {
            if let Some(due) = noted.due(1) {
                let _ = writer.with(&self.shared.state_dir, self.shared.now(), &mut |db| {
                    state::set_value(db, key, due)
                });
            }
        }
        writer.fold();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
        if let Some(guard) = &self.guard {
            // By name: a child process that is just being forked holds the file open for a moment longer.
            let _ = rustix::fs::flock(guard, rustix::fs::FlockOperation::Unlock);
        }
    }
}
