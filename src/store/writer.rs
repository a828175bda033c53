//! The journal's thread: the only writer of the journal. Takes events from the ring, commits them in groups with full sync,
//! keeps the journal within its bound, and goes on when the disk comes back.

use super::{
    audit::{self, Append},
    error::{DiskFault, StoreError},
    file,
    journal::{self, JOURNAL},
    ring::Taken,
    salvage::Salvage,
    schedule::{Next, Schedule},
    shared::{SharedRef, lock},
};
use rusqlite::Connection;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

/// Most events in one commit.
pub(super) const GROUP: u64 = 1_024;
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
    /// Add a record to the audit trail.
    Audit(Box<Append>),
    /// Commit and end.
    Close,
}

pub(super) struct Writer {
    pub(super) shared: SharedRef,
    pub(super) connection: Option<Connection>,
    /// Numbers in the ring for which there is no event.
    pub(super) holes: BTreeSet<u64>,
    pub(super) salvage: Option<Salvage>,
    pub(super) backoff: Option<Duration>,
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
                Ok(Command::Audit(append)) => {
                    let done = self.audit(&append);
                    let _ = append.reply.send(done);
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

    pub(super) fn pending(&self) -> u64 {
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

    /// A record of the audit trail, in a transaction of its own.
    fn audit(&mut self, append: &Append) -> Result<(), StoreError> {
        if self.connection.is_none() {
            self.turn()?;
        }
        let Some(connection) = self.connection.as_mut() else {
            return Err(StoreError::Closed);
        };
        let path = self.shared.state_dir.join(JOURNAL.name);
        let done = audit::append(connection, &append.row, append.first)
            .map_err(|error| StoreError::sqlite(&path, error));
        if done
            .as_ref()
            .is_err_and(|error| error.disk_fault() == Some(DiskFault::Corrupt))
        {
            self.shared.owner.suspect_journal();
        }
        done
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

    pub(super) fn done_through(&self, seq: u64) {
        self.shared.ring.commit(seq);
        self.shared.committed.send_if_modified(|committed| {
            let grew = seq > *committed;
            *committed = seq.max(*committed);
            grew
        });
    }

    fn fold(&self) {
        if let Some(connection) = &self.connection {
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}
