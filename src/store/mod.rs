//! SQLite and the ring: snapshot, journal, outbox, cards. No SQL anywhere else.
//!
//! | file | what |
//! | --- | --- |
//! | `audit` | who did what: a chain of records in the journal's file |
//! | `keep` | what the rooms keep besides events: snapshots, cards, blocks, marks of time |
//! | `health` | how the store is doing |
//! | `record` | an event as bytes |
//! | `ring`, `slot`, `scan` | where an event stands before its reader is answered (invariant 3), its bytes, the next process's look at them |
//! | `writer` | the journal's thread: group commit with full sync |
//! | `schedule` | when that thread commits, looks, or lies down |
//! | `bounds` | how many events the journal holds |
//! | `mend` | how that thread replaces a damaged journal |
//! | `repair` | damage that only a reader meets |
//! | `salvage` | fetching back what a damaged journal still gives |
//! | `journal` | the journal's tables |
//! | `state`, `state_writer` | the tables of snapshots, local cards, blocks, marks of time, in a file of their own |
//! | `cards` | cards that the gateway gives out or takes back, guests, and what the platform is to be told |
//! | `documents` | small documents that a room keeps for itself |
//! | `image` | the files of index images |
//! | `file` | opening, migrating, moving aside |
//! | `open`, `start` | the start: what each file holds and whose it is |
//! | `read` | reading, from any process |
//!
//! `docs/journal.md` says what each fault does.

mod audit;
mod bounds;
mod cards;
mod documents;
mod error;
mod file;
mod health;
mod image;
mod journal;
mod keep;
mod mend;
mod open;
mod read;
mod record;
mod repair;
mod ring;
mod salvage;
mod scan;
mod schedule;
mod shared;
mod slot;
mod start;
mod state;
mod state_writer;
mod writer;

pub use audit::{AuditDraft, AuditFlaw, AuditRecord, AuditVerdict};
pub use cards::{CardChange, CardKind, CardWrite, Changed, GUEST, Guest, KeptBlock, LocalCard, WriteState};
pub use documents::Change;
pub use error::{DiskFault, StoreError};
pub use health::StoreHealth;
pub use open::{Recovered, StoreOptions, time_floor};
pub use read::ReadStore;
pub use record::{
    MAX_DETAIL, MAX_DOOR, MAX_NAME, MAX_PERSON, MAX_RECORD, MAX_SOURCE, RecordError, decode, encode,
};
pub use ring::DEFAULT_SLOTS;
pub use slot::{Slot, parse_slot};
pub use state::{PackedFacts, SnapshotMeta, StoredSnapshot};

use crate::domain::{EntryEvent, EventId, Millis, event::Draft};
use shared::{SharedRef, lock};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};
use tokio::sync::watch;
use writer::Command;

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
    /// The end of the audit trail, once it is known.
    audit: Mutex<Option<audit::Head>>,
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

    /// Whether a damaged journal is being fetched back: until it is, what was recorded cannot all be read.
    #[must_use]
    pub fn is_salvaging(&self) -> bool {
        self.0.shared.salvaging.load(Ordering::Acquire)
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
                let file = self.shared.state_dir.join(state::STATE.name);
                let _ = writer.with(&self.shared.state_dir, self.shared.now(), &mut |db| {
                    state::set_value(db, key, due).map_err(|error| StoreError::sqlite(&file, error))
                });
            }
        }
        writer.fold(&self.shared.state_dir);
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
