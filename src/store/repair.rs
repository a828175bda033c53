//! What the running store does when somebody who only reads meets damage. The readers of the daemon are its only
//! witnesses for pages that nothing writes any more.

use super::{
    error::{DiskFault, StoreError},
    file,
    journal::JOURNAL,
    open::show_damaged,
    shared::lock,
    state,
};
use crate::{clock::Clock, health::Health};
use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// The one who may replace the files: the writer of the state, and the way to the journal's thread.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) dir: PathBuf,
    pub(super) clock: Clock,
    pub(super) health: Health,
    pub(super) state: Mutex<state::Writer>,
    /// A reader met damage in the journal: its thread is to look for itself.
    suspected: AtomicBool,
}

impl Owner {
    pub(super) fn new(dir: PathBuf, clock: Clock, health: Health) -> Self {
        Self {
            dir,
            clock,
            health,
            state: Mutex::default(),
            suspected: AtomicBool::new(false),
        }
    }

    /// A reader met damage in the journal.
    pub(super) fn suspect_journal(&self) {
        self.suspected.store(true, Ordering::Relaxed);
    }

    pub(super) fn journal_suspected(&self) -> bool {
        self.suspected.load(Ordering::Relaxed)
    }

    /// Reads the whole journal, if a reader met damage. Some megabytes at most, and events wait in the ring meanwhile.
    /// The reader is not simply believed: it may have read a file that was replaced since.
    ///
    /// # Errors
    /// `Disk`: the damage, or what else the disk does.
    pub(super) fn check_journal(&self) -> Result<(), StoreError> {
        if self.suspected.swap(false, Ordering::Relaxed) {
            file::check(&self.dir, &JOURNAL)?;
        }
        Ok(())
    }

    /// Moves the state aside, if it is damaged, and carries what can be read into a new one.
    ///
    /// # Errors
    /// `Disk`, when the new one cannot be made.
    pub(super) fn repair_state(&self) -> Result<(), StoreError> {
        let mut writer = lock(&self.state);
        match file::check(&self.dir, &state::STATE) {
            Err(error) if error.disk_fault() == Some(DiskFault::Corrupt) => {}
            other => return other,
        }
        writer.replace_damaged(&self.dir, self.clock.now().at)?;
        drop(writer);
        show_damaged(&self.dir, &self.health, self.clock.now().at);
        Ok(())
    }
}
