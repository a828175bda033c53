//! Reading the store from any process: beside the running daemon, without it, or on a card that cannot be
//! written.

use super::{
    error::{DiskFault, StoreError},
    file, image,
    journal::{self, JOURNAL},
    repair::Owner,
    shared::lock,
    state::{self, STATE, SnapshotMeta, StoredSnapshot},
};
use crate::domain::{Block, EntryEvent, Millis, facts::Facts};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// The store, for reading only. Sees what was committed before each call.
#[derive(Debug)]
pub struct ReadStore {
    dir: PathBuf,
    journal: Mutex<Option<Connection>>,
    /// In the daemon: who repairs what is damaged.
    owner: Option<Arc<Owner>>,
}

impl ReadStore {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            journal: Mutex::new(None),
            owner: None,
        }
    }

    /// The daemon's own: damage that it meets is repaired.
    pub(super) fn of(owner: &Arc<Owner>) -> Self {
        Self {
            owner: Some(Arc::clone(owner)),
            ..Self::new(&owner.dir)
        }
    }

    /// Opens the store in `dir` for reading.
    ///
    /// # Errors
    /// `Missing` when there is none; `TooNew`; `Disk`.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let store = Self::new(dir);
        store.journal(|_| Ok(()))?;
        Ok(store)
    }

    fn journal<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut slot = lock(&self.journal);
        let open = match slot.take() {
            Some(open) => Ok(open),
            None => file::open_read_only(&self.dir, &JOURNAL),
        };
        // After an error the connection is dropped: the file may have been replaced.
        let answer = open.and_then(|connection| {
            let answer = ask(&connection)?;
            *slot = Some(connection);
            Ok(answer)
        });
        if let (Err(error), Some(owner)) = (&answer, &self.owner)
            && error.disk_fault() == Some(DiskFault::Corrupt)
        {
            owner.suspect_journal();
        }
        answer
    }

    /// Lets go of the file, which was replaced or can now be written.
    pub(super) fn reset(&self) {
        lock(&self.journal).take();
    }

    /// Asks for rows of the audit trail. A file of before the trail has none.
    pub(super) fn audit_rows<T: Default>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let answer = self.journal(|db| {
            if !db.table_exists(None, "audit").unwrap_or(true) {
                return Ok(T::default());
            }
            ask(db).map_err(|error| StoreError::sqlite(&self.path(), error))
        });
        match answer {
            Err(StoreError::Missing(_)) => Ok(T::default()),
            other => other,
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(JOURNAL.name)
    }

    pub(super) fn state<T>(&self, ask: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let attempt = || {
            let connection = file::open_read_only(&self.dir, &STATE)?;
            ask(&connection).map_err(|error| StoreError::sqlite(&self.dir.join(STATE.name), error))
        };
        match (attempt(), &self.owner) {
            // A column that is not there yet is no damage.
            (Err(error), _)
                if error.disk_fault() == Some(DiskFault::Corrupt)
                    && file::is_older(&self.dir, &STATE).unwrap_or(false) =>
            {
                Err(StoreError::Older(self.dir.join(STATE.name)))
            }
            (Err(error), Some(owner)) if error.disk_fault() == Some(DiskFault::Corrupt) => {
                owner.repair_state()?;
                attempt()
            }
            (answer, _) => answer,
        }
    }

    /// Events above `seq`, at most `limit`, in the journal's order. Begin with 0.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<EntryEvent>, StoreError> {
        self.journal(|db| journal::events_after(db, &self.path(), seq, limit))
    }

    /// Events below `seq`, at most `limit`, the newest first. Begin with `u64::MAX`.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn events_before(&self, seq: u64, limit: usize) -> Result<Vec<EntryEvent>, StoreError> {
        match self.journal(|db| journal::events_before(db, &self.path(), seq, limit)) {
            Err(StoreError::Missing(_)) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The sequence of the newest event before `at` (Unix milliseconds): `events_after` of it begins there. Times may
    /// jump where the clock was stepped, so this finds one such place by bisection.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn seq_before(&self, at: Millis) -> Result<u64, StoreError> {
        self.journal(|db| {
            let wrap = |error| StoreError::sqlite(&self.path(), error);
            let extent = journal::extent(db).map_err(wrap)?;
            let (mut low, mut high) = (extent.first.saturating_sub(1), extent.last);
            while low < high {
                let middle = low + (high - low) / 2;
                match journal::events_after(db, &self.path(), middle, 1)?.first() {
                    Some(event) if event.body.at < at => low = event.seq,
                    _ => high = middle,
                }
            }
            Ok(low)
        })
    }

    /// Lowest and highest sequence, and about how many events there are.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn extent(&self) -> Result<(u64, u64, u64), StoreError> {
        self.journal(|db| {
            let extent = journal::extent(db).map_err(|error| StoreError::sqlite(&self.path(), error))?;
            Ok((extent.first, extent.last, extent.count))
        })
    }

    /// Each subscriber's cursor, as the journal has it on disk.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn cursors(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let read =
            |db: &Connection| journal::cursors(db).map_err(|error| StoreError::sqlite(&self.path(), error));
        Ok(self.journal(read)?.into_iter().collect())
    }

    /// The snapshot in force.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot` when what is stored does not read back.
    pub fn active(&self) -> Result<Option<StoredSnapshot>, StoreError> {
        self.snapshot(state::ACTIVE)
    }

    /// The snapshot that waits for somebody to confirm it.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot` when what is stored does not read back.
    pub fn held(&self) -> Result<Option<StoredSnapshot>, StoreError> {
        self.snapshot(state::HELD)
    }

    fn snapshot(&self, role: &str) -> Result<Option<StoredSnapshot>, StoreError> {
        // The writer may replace the snapshot, and remove its image, between a look at the row and one at the file.
        for last in [false, false, true] {
            let found = match self.state(|db| state::snapshot(db, role)) {
                Err(StoreError::Missing(_)) => return Ok(None),
                other => other?,
            };
            let Some((id, meta, named)) = found else {
                return Ok(None);
            };
            let image = match named {
                Some(named) => image::read(&self.dir, named),
                None => Some(Vec::new()),
            };
            let Some(image) = image.or(last.then(Vec::new)) else {
                continue;
            };
            let meta = serde_json::from_str(&meta).map_err(|source| StoreError::Snapshot {
                file: self.dir.join(STATE.name),
                source,
            })?;
            return Ok(Some(StoredSnapshot { meta, image, id }));
        }
        Ok(None)
    }

    /// What is known about the snapshot in force, without its image.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot` when what is stored does not read back.
    pub fn active_meta(&self) -> Result<Option<SnapshotMeta>, StoreError> {
        let found = match self.state(|db| state::snapshot(db, state::ACTIVE)) {
            Err(StoreError::Missing(_)) => return Ok(None),
            other => other?,
        };
        let meta = found.map(|(_, meta, _)| serde_json::from_str(&meta));
        meta.transpose().map_err(|source| StoreError::Snapshot {
            file: self.dir.join(STATE.name),
            source,
        })
    }

    /// The facts in force, without their image.
    ///
    /// # Errors
    /// As for [`Self::facts`].
    pub fn active_facts(&self) -> Result<Option<Facts>, StoreError> {
        let found = self.state(|db| match state::snapshot(db, state::ACTIVE)? {
            Some((id, ..)) => state::facts(db, id).map(Some),
            None => Ok(None),
        });
        let bytes = match found {
            Err(StoreError::Missing(_)) => None,
            other => other?,
        };
        let facts = bytes.map(|bytes| state::unpack(&bytes)).transpose();
        facts.map_err(|source| StoreError::Snapshot {
            file: self.dir.join(STATE.name),
            source,
        })
    }

    /// The facts of a snapshot. Slow for large sites: they are kept compressed.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot` when they do not read back or were replaced meanwhile.
    pub fn facts(&self, snapshot: &StoredSnapshot) -> Result<Facts, StoreError> {
        let bytes = self.state(|db| state::facts(db, snapshot.id))?;
        state::unpack(&bytes).map_err(|source| StoreError::Snapshot {
            file: self.dir.join(STATE.name),
            source,
        })
    }

    /// Everything that is blocked at the gateway.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn blocks(&self) -> Result<Vec<Block>, StoreError> {
        Ok(self.kept_blocks()?.into_iter().map(|kept| kept.block).collect())
    }

    pub(super) fn or_empty<T>(
        &self,
        ask: impl Fn(&Connection) -> rusqlite::Result<Vec<T>>,
    ) -> Result<Vec<T>, StoreError> {
        match self.state(ask) {
            Err(StoreError::Missing(_)) => Ok(Vec::new()),
            other => other,
        }
    }

    /// When the platform was last reached, Unix milliseconds, to five minutes.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn last_contact(&self) -> Result<Option<Millis>, StoreError> {
        self.value(state::CONTACT)
    }

    /// The last time on disk, Unix milliseconds: below it an untrusted clock is never believed. The newest event's or
    /// the last noted, whichever is later.
    ///
    /// # Errors
    /// `Disk` when neither file can be read.
    pub fn last_time(&self) -> Result<Option<Millis>, StoreError> {
        let noted = self.value(state::TIME);
        let newest = self
            .journal(|db| journal::newest_time(db).map_err(|error| StoreError::sqlite(&self.path(), error)));
        match (noted, newest) {
            (Ok(noted), Ok(newest)) => Ok(noted.max(newest)),
            (Ok(Some(time)), Err(_)) | (Err(_), Ok(Some(time))) => Ok(Some(time)),
            (Ok(None), Err(StoreError::Missing(_))) => Ok(None),
            (Ok(None), Err(error)) | (Err(error), _) => Err(error),
        }
    }

    /// The last time that was noted while it was trusted, Unix milliseconds, to an hour: it is at least as late as this
    /// for certain.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn last_trusted_time(&self) -> Result<Option<Millis>, StoreError> {
        self.value(state::TIME)
    }

    fn value(&self, key: &str) -> Result<Option<Millis>, StoreError> {
        match self.state(|db| state::value(db, key)) {
            Err(StoreError::Missing(_)) => Ok(None),
            other => other,
        }
    }
}
