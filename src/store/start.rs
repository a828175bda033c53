//! The steps of the start, one for each thing that may be no good.

use super::{
    error::{DiskFault, StoreError},
    file::{self, Kind},
    image,
    journal::{self, Epoch, Extent, JOURNAL},
    open::{Recovered, StoreOptions},
    read::ReadStore,
    repair::Owner,
    ring::{RING_FILE, Ring},
    salvage::Salvage,
    scan::Found,
    shared::{Bell, Cursors, Shared, SharedRef, lock},
    state::STATE,
};
use crate::{
    clock::Clock,
    domain::{Millis, time::Moment},
    health::Health,
};
use arc_swap::ArcSwap;
use rusqlite::Connection;
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64},
    },
};
use tokio::sync::watch;

/// The start so far.
pub(super) struct Start<'a> {
    pub(super) options: &'a StoreOptions,
    pub(super) clock: &'a Clock,
    pub(super) health: &'a Health,
    pub(super) recovered: Recovered,
}

impl Start<'_> {
    pub(super) fn now(&self) -> Millis {
        let Moment { at, .. } = self.clock.now();
        at
    }

    pub(super) fn warn(&mut self, key: &str, text: &str) {
        self.health.raise(key, text, self.now());
        self.recovered.warnings.push(text.to_owned());
    }

    pub(super) fn warn_disk(&mut self, error: &StoreError) {
        let kind = error.disk_fault().unwrap_or(DiskFault::Broken).kind();
        self.warn(&format!("{kind}:journal"), &error.to_string());
    }

    /// A file that is gone, or empty, while its companion is there: opening it would begin a new one without a word.
    pub(super) fn look_for_losses(&mut self) {
        let dir = self.options.state_dir.clone();
        let blank = |name: &str| is_blank(&dir.join(name));
        // One that was moved aside is another matter, and told there.
        let lost = |kind: &Kind| blank(kind.name) && file::aside(&dir, kind).is_empty();
        if lost(&JOURNAL) && !blank(STATE.name) {
            self.warn(
                "journal_lost",
                "journal.db was gone or empty at the start, and a new one was begun: events and entries that were not delivered \
                 yet are lost. Check the card (`dmesg`); if somebody took the file away, stop the gateway and put it back",
            );
        }
        if lost(&STATE) && image::is_there(&dir) {
            self.warn(
                "state_lost",
                "state.db was gone or empty at the start, and a new one was begun: people and rights are fetched again, but \
                 BLOCKS AND CARDS THAT WERE GIVEN HERE ARE LOST. Block lost fobs again, and check the card (`dmesg`); if \
                 somebody took the file away, stop the gateway and put it back",
            );
        }
    }

    /// Brings a state of an earlier version up to date before anything asks for what only this version knows: the doors decide
    /// from it, and whoever would write it next may be a cloud that is down.
    ///
    /// # Errors
    /// `TooNew`.
    pub(super) fn bring_state_up_to_date(&mut self) -> Result<(), StoreError> {
        let dir = self.options.state_dir.clone();
        match file::is_older(&dir, &STATE) {
            Ok(true) => {
                if let Err(error) = file::open(&dir, &STATE) {
                    let kind = error.disk_fault().unwrap_or(DiskFault::Broken).kind();
                    self.warn(&format!("{kind}:state"), &error.to_string());
                }
                Ok(())
            }
            Err(error @ StoreError::TooNew { .. }) => Err(error),
            // Damage and the like show where it is read, each with its own behaviour.
            Ok(false) | Err(_) => Ok(()),
        }
    }

    /// Two writers would give the same numbers twice. A kill frees the lock.
    pub(super) fn lock_directory(&self) -> Result<Option<File>, StoreError> {
        let dir = &self.options.state_dir;
        let Ok(file) = File::open(dir) else {
            return Ok(None);
        };
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(dir.clone())),
            // A file system without locks: nothing to be done about it here.
            Ok(()) | Err(_) => Ok(Some(file)),
        }
    }

    pub(super) fn ring(&mut self) -> Result<(Ring, bool, Found), StoreError> {
        let path = self.options.runtime_dir.join(RING_FILE);
        match Ring::open(&path, self.options.ring_slots) {
            Ok((ring, found)) => {
                if found.unreadable {
                    self.warn(
                        "ring_unreadable",
                        "the ring in the runtime directory was not one of this version and was begun anew: events that \
                         were answered within the last 50 ms of the last run may be missing",
                    );
                }
                if found.torn > 0 {
                    let text = format!(
                        "{} slots of the ring could not be read: as many events may be missing",
                        found.torn
                    );
                    self.warn("ring_torn", &text);
                }
                Ok((ring, true, found))
            }
            Err(error) => {
                let text = format!(
                    "{}: {error}: answered events survive the death of the process only after 50 ms; make the \
                     directory and give it to the service ([paths] runtime)",
                    path.display()
                );
                self.warn("ring_unavailable", &text);
                let ring = Ring::in_process(self.options.ring_slots)
                    .map_err(|error| StoreError::system(&path, error))?;
                Ok((ring, false, Found::default()))
            }
        }
    }

    /// The journal, as far as it can be had: open for writing, readable, or not at all.
    /// The last part says whether its extent is known.
    pub(super) fn journal(
        &mut self,
    ) -> Result<(Option<Connection>, Extent, Option<Salvage>, bool), StoreError> {
        let dir = self.options.state_dir.clone();
        let path = dir.join(JOURNAL.name);
        let opened = file::open(&dir, &JOURNAL).and_then(|db| {
            let wrap = |error| StoreError::sqlite(&path, error);
            let mut extent = journal::extent(&db).map_err(wrap)?;
            let Some((salvage, damaged)) = Salvage::resume(&dir, &db).map_err(wrap)? else {
                return Ok((db, extent, None));
            };
            // Numbers that are still to be copied were given out as well.
            extent.last = extent.last.max(damaged.last);
            extent.torn_end = damaged.torn_end;
            Ok((db, extent, Some(salvage)))
        });
        let error = match opened {
            Ok((db, extent, salvage)) => return Ok((Some(db), extent, salvage, true)),
            Err(error @ StoreError::TooNew { .. }) => return Err(error),
            Err(error) => error,
        };
        self.warn_disk(&error);
        if error.disk_fault() == Some(DiskFault::Corrupt) {
            match Salvage::begin(&dir, self.now()) {
                Ok((salvage, extent)) => {
                    self.recovered.moved_aside.push(salvage.damaged().to_owned());
                    let db = file::open(&dir, &JOURNAL).ok();
                    return Ok((db, extent, Some(salvage), true));
                }
                Err(error) => self.warn_disk(&error),
            }
        }
        let read = file::open_read_only(&dir, &JOURNAL)
            .and_then(|db| journal::extent(&db).map_err(|error| StoreError::sqlite(&path, error)));
        Ok(match read {
            Ok(extent) => (None, extent, None, true),
            Err(_) => (None, Extent::default(), None, is_blank(&path)),
        })
    }

    /// Whether the ring belongs to another journal than the one that is here.
    pub(super) fn is_foreign(&self, found: &Found, extent: &Extent) -> bool {
        match (&found.installation, extent.epochs.last()) {
            (Some(ring), Some(epoch)) => *ring != epoch.installation,
            _ => false,
        }
    }

    pub(super) fn set_ring_aside(&mut self, found: &Found) -> Result<(Ring, Found), StoreError> {
        let path = self.options.runtime_dir.join(RING_FILE);
        let name = found.installation.clone().unwrap_or_default();
        let to = path.with_file_name(format!("{RING_FILE}.of-{name}"));
        fs::rename(&path, &to).map_err(|error| StoreError::system(&path, error))?;
        let text = format!(
            "the ring belonged to another journal (installation {name}) and was moved to {}: its last events are not in \
             this journal",
            to.display()
        );
        self.warn("ring_foreign", &text);
        let (ring, _, found) = self.ring()?;
        Ok((ring, found))
    }

    /// Decides whose the next events are. An id must never be given twice, so a journal whose end is not known for certain is
    /// followed by a new installation.
    pub(super) fn identify(
        &mut self,
        extent: &mut Extent,
        found: &Found,
        known: bool,
    ) -> Result<(), StoreError> {
        let lost_end = !self.recovered.moved_aside.is_empty() || !known;
        let first = match (&found.installation, extent.epochs.is_empty()) {
            // The ring knows every number that was given out.
            (Some(installation), true) => {
                extent.epochs.push(Epoch {
                    first: 1,
                    installation: installation.clone(),
                });
                return Ok(());
            }
            (Some(_), false) => return Ok(()),
            (None, true) if known && !lost_end => 1,
            (None, false) if !lost_end => return Ok(()),
            (None, false) if !extent.torn_end => extent.last + 1,
            // Nothing is known: above anything that counting can have reached.
            (None, _) => u64::try_from(self.now()).unwrap_or(0).max(1),
        };
        let installation = match self.options.installation.clone().filter(|_| first == 1) {
            Some(name) => name,
            None => random_installation()?,
        };
        extent.last = extent.last.max(first - 1);
        extent.epochs.push(Epoch { first, installation });
        Ok(())
    }

    pub(super) fn share(
        &self,
        ring: Ring,
        survives: bool,
        extent: &Extent,
        found: &Found,
        salvaging: bool,
    ) -> SharedRef {
        let in_memory = !survives || is_memory(&self.options.runtime_dir);
        let owner = Arc::new(Owner::new(
            self.options.state_dir.clone(),
            self.clock.clone(),
            self.health.clone(),
        ));
        let shared = Shared {
            state_dir: self.options.state_dir.clone(),
            max_events: self.options.max_events.max(1),
            ring_survives: survives,
            ring_in_memory: in_memory,
            clock: self.clock.clone(),
            health: self.health.clone(),
            committed: watch::Sender::new(ring.committed()),
            ring,
            epochs: ArcSwap::from_pointee(extent.epochs.clone()),
            cursors: Mutex::default(),
            turn: Mutex::default(),
            first: AtomicU64::new(extent.first),
            count: AtomicU64::new(extent.count),
            gone: AtomicU64::new(0),
            salvaging: AtomicBool::new(salvaging),
            audit_doubtful: AtomicBool::new(false),
            last_error: Mutex::default(),
            read: ReadStore::of(&owner),
            owner,
            thread: OnceLock::new(),
            bell: Bell::default(),
        };
        let mut cursors = Cursors::default();
        let _ = shared.ring.clear_cursors();
        for name in extent.cursors.keys().chain(found.cursors.keys()) {
            let stored = extent.cursors.get(name).copied().unwrap_or(0);
            let in_ring = found.cursors.get(name).copied().unwrap_or(0);
            shared.set_cursor(&mut cursors, name, stored.max(in_ring));
        }
        cursors.dirty = cursors.plain() != extent.cursors;
        *lock(&shared.cursors) = cursors;
        Arc::new(shared)
    }
}

/// Whether there was never a journal here: a directory without one, or the empty file that a full disk leaves.
fn is_blank(journal: &Path) -> bool {
    match fs::metadata(journal) {
        Ok(found) => found.len() == 0,
        Err(error) => {
            error.kind() == std::io::ErrorKind::NotFound && journal.parent().is_some_and(Path::is_dir)
        }
    }
}

fn is_memory(dir: &Path) -> bool {
    const TMPFS: i64 = 0x0102_1994; // TMPFS_MAGIC, RAMFS_MAGIC: linux/magic.h
    const RAMFS: i64 = 0x8584_58F6;
    rustix::fs::statfs(dir).is_ok_and(|stat| matches!(stat.f_type, TMPFS | RAMFS))
}

fn random_installation() -> Result<String, StoreError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 8];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| StoreError::system(path, error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
