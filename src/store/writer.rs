//! The journal's thread: the only writer of the journal. Takes events from the ring, commits them in groups with full sync,
//! keeps the journal within its bound, and goes on when the disk comes back.

use super::{
    error::{DiskFault, StoreError},
    file,
    journal::{self, Epoch, JOURNAL},
    ring::Taken,
    salvage::Salvage,
    schedule::{Next, Schedule},
    shared::{SharedRef, lock},
};
use rusqlite::Connection;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

/// Most events in one commit.
const GROUP: u64 = 1_024;
/// Acknowledgements reach the card at most this late, or with the next deletion; a kill loses none (they stand in the
/// ring's head), a power cut repeats deliveries, which their ids make harmless.
const CURSORS_EVERY: Duration = Duration::from_secs(60);
/// Longest pause between attempts on a failing disk.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// Numbers whose thread has not written yet are waited for this often, a millisecond each, then given up.
const PATIENCE: u32 = 2_000;

/// What the handles ask of the thread.
pub(super) enum Command {
    /// Commit what is there, cursors included, and say how it went.
    Flush(SyncSender<Result<(), StoreError>>),
    /// Commit and end.
    Close,
}

pub(super) struct Writer {
    pub(super) shared: SharedRef,
    pub(super) connection: Option<Connection>,
    /// Numbers in the ring for which there is no event.
    pub(super) holes: BTreeSet<u64>,
    pub(super) salvage: Option<Salvage>,
    backoff: Option<Duration>,
    schedule: Schedule,
    /// Time that went by while the clock stood (a test's clock): what waits is committed all the same.
    stood: Duration,
    cursors_written: Duration,
}

impl Writer {
    pub(super) fn new(shared: SharedRef, connection: Option<Connection>, holes: BTreeSet<u64>) -> Self {
        let backoff = connection.is_none().then_some(Duration::from_millis(100));
        Self {
            shared,
            connection,
            holes,
            salvage: None,
            backoff,
            schedule: Schedule::default(),
            stood: Duration::ZERO,
            cursors_written: Duration::ZERO,
        }
    }

    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        self.cursors_written = self.shared.clock.monotonic();
        loop {
            // On a failing disk events wake nobody: the pause is kept, commands are heard.
            let next = match self.backoff {
                Some(pause) => commands.recv_timeout(pause),
                None => commands.recv_timeout(Duration::ZERO),
            };
            match next {
                Ok(Command::Flush(reply)) => {
                    let done = self.everything();
                    let _ = reply.send(done);
                    continue;
                }
                Ok(Command::Close) | Err(RecvTimeoutError::Disconnected) => {
                    if self.everything().is_ok() {
                        self.fold();
                    }
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.backoff.is_some() || self.has_chores() {
                let _ = self.turn();
                continue;
            }
            let now = self.instant();
            match self.schedule.next(now, self.waiting(), GROUP) {
                Next::Commit => drop(self.turn()),
                Next::Look(after) => self.look_after(after),
                Next::LieDown => self.lie_down(),
            }
        }
    }

    fn instant(&self) -> Duration {
        self.shared.clock.monotonic() + self.stood
    }

    /// Commands end the pause, events do not.
    fn look_after(&mut self, pause: Duration) {
        let before = self.shared.clock.monotonic();
        thread::park_timeout(pause);
        if self.shared.clock.monotonic() == before {
            self.stood += pause;
        }
    }

    /// Until somebody calls, with a look now and then for what nobody calls for.
    fn lie_down(&mut self) {
        self.shared.report_losses();
        self.shared.bell.lie_down();
        // An event may have come between the look and the bell: its thread saw nobody to wake.
        if self.waiting() == 0 {
            thread::park_timeout(Duration::from_secs(1));
        }
        let at = self.shared.bell.get_up().unwrap_or(self.shared.clock.monotonic());
        self.schedule.called(at + self.stood);
    }

    /// Events that can be committed now.
    fn waiting(&self) -> u64 {
        if self.room() > 0 { self.pending() } else { 0 }
    }

    fn pending(&self) -> u64 {
        self.shared
            .ring
            .head()
            .saturating_sub(self.shared.ring.committed())
    }

    /// Whether there is work that is not an event's.
    fn has_chores(&self) -> bool {
        self.salvage.is_some()
            || self.shared.owner.journal_suspected()
            || self.cursors_due()
            || self.surplus(0) > 0 && self.deletable()
    }

    fn cursors_due(&self) -> bool {
        let cursors = lock(&self.shared.cursors);
        let waited = self.shared.clock.monotonic().saturating_sub(self.cursors_written);
        cursors.urgent || cursors.dirty && waited >= CURSORS_EVERY
    }

    /// Deleting a few at a time would rewrite the same pages for each event.
    fn slack(&self) -> u64 {
        (self.shared.max_events / 8).clamp(1, 512)
    }

    fn surplus(&self, coming: u64) -> u64 {
        let count = self.shared.count.load(Ordering::Relaxed) + coming;
        if count > self.shared.max_events + self.slack() {
            count - self.shared.max_events
        } else {
            0
        }
    }

    fn deletable(&self) -> bool {
        lock(&self.shared.cursors).delivered_to_all() >= self.shared.first.load(Ordering::Relaxed)
    }

    /// How many events may come in now. None, when the journal is full of unsent ones: then they wait in the ring.
    fn room(&self) -> u64 {
        if self.deletable() {
            return GROUP;
        }
        let bound = self.shared.max_events + self.slack();
        bound
            .saturating_sub(self.shared.count.load(Ordering::Relaxed))
            .min(GROUP)
    }

    /// Commits until nothing is left that can be committed.
    fn everything(&mut self) -> Result<(), StoreError> {
        lock(&self.shared.cursors).urgent = true;
        loop {
            let before = self.shared.ring.committed();
            self.turn()?;
            if self.pending() == 0 || self.room() == 0 || self.shared.ring.committed() == before {
                return Ok(());
            }
        }
    }

    /// One commit, and what follows from how it went.
    fn turn(&mut self) -> Result<(), StoreError> {
        let result = self.attempt();
        match &result {
            Ok(()) => {
                self.backoff = None;
                self.shared.clear_but("journal", None);
            }
            Err(error) => {
                self.shared.raise("journal", error);
                let fault = error.disk_fault();
                if fault != Some(DiskFault::Full) {
                    self.connection = None;
                }
                let pause = self.backoff.map_or(Duration::from_millis(100), |last| last * 2);
                self.backoff = Some(pause.min(LONGEST_BACKOFF));
                if fault == Some(DiskFault::Corrupt) {
                    self.replace_damaged();
                }
            }
        }
        self.show_bounds();
        self.shared.report_losses();
        result
    }

    fn attempt(&mut self) -> Result<(), StoreError> {
        if self.connection.is_none() {
            let connection = file::open(&self.shared.state_dir, &JOURNAL)?;
            self.adopt(&connection)?;
            self.connection = Some(connection);
            self.shared.read.reset();
        }
        if self.salvage.is_none() {
            self.shared.owner.check_journal()?;
        }
        let began = self.instant();
        let head = self.shared.ring.head();
        let (events, through) = self.collect();
        self.commit(&events, through)?;
        if !events.is_empty() {
            self.schedule.committed(began, self.instant(), through >= head);
        }
        self.salvage_some()
    }

    /// Learns what a file that could not be read before holds, and tells it what happened meanwhile.
    fn adopt(&mut self, db: &Connection) -> Result<(), StoreError> {
        let path = self.shared.state_dir.join(JOURNAL.name);
        let wrap = |error| StoreError::sqlite(&path, error);
        let extent = journal::extent(db).map_err(wrap)?;
        let mut epochs: Vec<Epoch> = extent.epochs.clone();
        for ours in self.shared.epochs.load().iter() {
            if !epochs.iter().any(|epoch| epoch.first == ours.first) {
                epochs.push(ours.clone());
            }
        }
        epochs.sort_by_key(|epoch| epoch.first);
        journal::write_epochs(db, &epochs).map_err(wrap)?;
        self.shared.epochs.store(Arc::new(epochs));
        self.shared.first.store(extent.first, Ordering::Relaxed);
        self.shared.count.store(extent.count, Ordering::Relaxed);
        let mut cursors = lock(&self.shared.cursors);
        for (name, seq) in extent.cursors {
            let known = cursors.by_name.get(&name).map_or(0, |(_, seq)| *seq);
            self.shared.set_cursor(&mut cursors, &name, seq.max(known));
        }
        drop(cursors);
        if (self.shared.ring.committed()..=self.shared.ring.head()).contains(&extent.last) {
            self.done_through(extent.last);
        }
        Ok(())
    }

    /// Takes the next events from the ring: what there is, up to a group and the journal's room.
    fn collect(&mut self) -> (Vec<(u64, Vec<u8>)>, u64) {
        let committed = self.shared.ring.committed();
        let until = self.shared.ring.head().min(committed + self.room());
        let mut events = Vec::new();
        let mut through = committed;
        let mut patience = PATIENCE;
        while through < until {
            let seq = through + 1;
            if self.holes.remove(&seq) {
                through = seq;
                continue;
            }
            match self.shared.ring.take(seq) {
                Taken::Event(body) => {
                    events.push((seq, body));
                    through = seq;
                }
                Taken::Gone => {
                    self.shared.gone.fetch_add(1, Ordering::Relaxed);
                    through = seq;
                }
                // A thread has taken its number and is about to write: the rest comes with the next commit.
                Taken::NotYet if !events.is_empty() => break,
                Taken::NotYet if patience > 0 => {
                    patience -= 1;
                    thread::sleep(Duration::from_millis(1));
                }
                Taken::NotYet => {
                    self.shared.gone.fetch_add(1, Ordering::Relaxed);
                    through = seq;
                }
            }
        }
        (events, through)
    }

    fn commit(&mut self, events: &[(u64, Vec<u8>)], through: u64) -> Result<(), StoreError> {
        let coming = events.len() as u64;
        let surplus = self.surplus(coming).min(4 * GROUP);
        let (delivered, cursors) = self.cursors_to_write(surplus > 0);
        let Some(connection) = self.connection.as_mut() else {
            return Err(StoreError::Closed);
        };
        let path = self.shared.state_dir.join(JOURNAL.name);
        let mut trimmed = 0;
        if coming > 0 || surplus > 0 || cursors.is_some() {
            let mut work = || {
                let transaction = connection.transaction()?;
                journal::insert(&transaction, events)?;
                if surplus > 0 {
                    trimmed = journal::trim(&transaction, delivered, surplus)?;
                }
                if let Some(cursors) = &cursors {
                    journal::write_cursors(&transaction, cursors)?;
                }
                transaction.commit()
            };
            work().map_err(|error| StoreError::sqlite(&path, error))?;
        }
        if let Some(written) = cursors {
            self.cursors_written = self.shared.clock.monotonic();
            let mut now = lock(&self.shared.cursors);
            now.urgent = false;
            now.dirty = now.plain() != written;
        }
        self.shared.count.fetch_add(coming, Ordering::Relaxed);
        self.shared.count.fetch_sub(trimmed, Ordering::Relaxed);
        if let Some((first, _)) = events.first() {
            let _ = self
                .shared
                .first
                .compare_exchange(0, *first, Ordering::Relaxed, Ordering::Relaxed);
        }
        if trimmed > 0 {
            self.find_first()?;
        }
        if through > self.shared.ring.committed() {
            self.done_through(through);
        }
        Ok(())
    }

    fn find_first(&self) -> Result<(), StoreError> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        let rows = journal::rows_after(connection, 0, 1)
            .map_err(|error| StoreError::sqlite(&self.shared.state_dir.join(JOURNAL.name), error))?;
        self.shared
            .first
            .store(rows.first().map_or(0, |(seq, _)| *seq), Ordering::Relaxed);
        Ok(())
    }

    /// What everybody has, and the cursors, if it is time to write them.
    fn cursors_to_write(&self, anyway: bool) -> (u64, Option<BTreeMap<String, u64>>) {
        let due = self.cursors_due();
        let cursors = lock(&self.shared.cursors);
        let write = due || anyway && cursors.dirty;
        (cursors.delivered_to_all(), write.then(|| cursors.plain()))
    }

    fn done_through(&self, seq: u64) {
        self.shared.ring.commit(seq);
        self.shared.committed.send_if_modified(|committed| {
            let grew = seq > *committed;
            *committed = seq.max(*committed);
            grew
        });
    }

    /// Raises and ends the faults of a journal that fills up.
    fn show_bounds(&self) {
        let shared = &self.shared;
        let delivered = lock(&shared.cursors).delivered_to_all();
        let unsent = shared
            .ring
            .committed()
            .saturating_sub(delivered)
            .min(shared.count.load(Ordering::Relaxed));
        let max = shared.max_events;
        if unsent.saturating_mul(5) >= max.saturating_mul(4) {
            let text = format!(
                "{unsent} of at most {max} events in the journal wait for delivery: see why the cloud or the broker \
                 does not take them, before there is no room"
            );
            shared.health.raise("journal_nearly_full", text, shared.now());
        } else if unsent.saturating_mul(4) < max.saturating_mul(3) {
            shared.health.clear("journal_nearly_full");
        }
        if self.room() == 0 {
            let text = format!(
                "the journal holds {unsent} events that were not delivered, its bound: the oldest are kept, new ones \
                 wait in memory ({} of {}) and are lost beyond it; doors go on deciding",
                self.pending(),
                shared.ring.slots()
            );
            shared.health.raise("journal_full", text, shared.now());
        } else {
            shared.health.clear("journal_full");
        }
    }

    /// Moves a damaged journal aside, begins a new one and fetches back what can be read.
    fn replace_damaged(&mut self) {
        self.connection = None;
        self.shared.read.reset();
        match Salvage::begin(&self.shared.state_dir, self.shared.now()) {
            Ok((salvage, _)) => {
                self.take_again();
                self.shared.salvaging.store(true, Ordering::Release);
                self.salvage = Some(salvage);
                self.backoff = None;
                lock(&self.shared.cursors).urgent = true;
            }
            Err(error) => self.shared.raise("journal", &error),
        }
    }

    /// Whatever of the end was not readable may still stand in the ring: takes it once more. Half the ring at most, so
    /// that new events find room meanwhile.
    fn take_again(&mut self) {
        let ring = &self.shared.ring;
        let committed = ring.committed();
        let oldest = ring.head().saturating_sub(ring.slots() / 2) + 1;
        let held = |seq: &u64| matches!(ring.take(*seq), Taken::Event(_));
        let Some(first) = (oldest..=committed).find(held) else {
            return;
        };
        self.holes.extend((first..=committed).filter(|seq| !held(seq)));
        ring.commit(first - 1);
    }

    fn salvage_some(&mut self) -> Result<(), StoreError> {
        let (Some(salvage), Some(connection)) = (&mut self.salvage, &mut self.connection) else {
            return Ok(());
        };
        let path = self.shared.state_dir.join(JOURNAL.name);
        let done = salvage
            .step(connection)
            .map_err(|error| StoreError::sqlite(&path, error))?;
        if done {
            let extent = journal::extent(connection).map_err(|error| StoreError::sqlite(&path, error))?;
            self.shared.first.store(extent.first, Ordering::Relaxed);
            self.shared.count.store(extent.count, Ordering::Relaxed);
            self.salvage = None;
            self.shared.salvaging.store(false, Ordering::Release);
            self.shared.committed.send_modify(|_| ());
        }
        Ok(())
    }

    fn fold(&self) {
        if let Some(connection) = &self.connection {
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}
