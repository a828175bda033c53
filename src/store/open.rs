//! The start of the store: what each file holds, whose it is, and what to do when one of them is no good.

use super::{
    Inner, Noted, Store,
    error::{DiskFault, StoreError},
    file::{self, Kind},
    journal::{self, Epoch, Extent, JOURNAL},
    read::ReadStore,
    repair::Owner,
    ring::{DEFAULT_SLOTS, Found, RING_FILE, Ring},
    salvage::Salvage,
    shared::{Bell, Cursors, Shared, SharedRef, lock},
    state::{self, STATE},
    writer::Writer,
};
use crate::{
    clock::Clock,
    domain::{Millis, time::Moment},
    health::Health,
};
use arc_swap::ArcSwap;
use rusqlite::Connection;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64},
        mpsc,
    },
};
use tokio::sync::watch;

/// Where the store lives and how much it holds.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `[paths] state`: the databases.
    pub state_dir: PathBuf,
    /// `[paths] runtime`: the ring. Memory (tmpfs) on the appliance.
    pub runtime_dir: PathBuf,
    /// `[journal] max_events`.
    pub max_events: u64,
    /// Slots of the ring.
    pub ring_slots: u64,
    /// The installation's id, for a new journal; random when absent.
    pub installation: Option<String>,
}

impl StoreOptions {
    /// The usual store: 250,000 events, random installation.
    #[must_use]
    pub fn new(state_dir: impl Into<PathBuf>, runtime_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            runtime_dir: runtime_dir.into(),
            max_events: 250_000,
            ring_slots: DEFAULT_SLOTS,
            installation: None,
        }
    }
}

/// What the start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Events in the ring that the journal did not have: they follow within moments.
    pub from_ring: u64,
    /// Slots of the ring that could not be read.
    pub torn: u64,
    /// The journal's highest sequence.
    pub last: u64,
    /// The installation that new events belong to.
    pub installation: String,
    /// Files that were damaged and moved aside now.
    pub moved_aside: Vec<PathBuf>,
    /// What is not as it should be, in words; each is a fault as well.
    pub warnings: Vec<String>,
}

/// The last time on disk, for [`Clock::system`], before the store is open. `None` when nothing is stored or nothing
/// can be read.
#[must_use]
pub fn time_floor(state_dir: &Path) -> Option<Millis> {
    ReadStore::new(state_dir).last_time().ok().flatten()
}

/// Longest name of an installation, in bytes.
const MAX_INSTALLATION: usize = 32;

pub(super) fn check_name(what: &'static str, value: &str, most: usize) -> Result<(), StoreError> {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if value.is_empty() || value.len() > most || !value.bytes().all(fine) {
        return Err(StoreError::BadName {
            what,
            value: value.to_owned(),
            most,
        });
    }
    Ok(())
}

/// The start so far.
struct Start<'a> {
    options: &'a StoreOptions,
    clock: &'a Clock,
    health: &'a Health,
    recovered: Recovered,
}

impl Store {
    /// Opens the store. A disk that is full, cannot be written or is damaged does not stop it: events wait in the ring, what
    /// can be read is read, the fault is shown and the store goes on by itself when it is over.
    ///
    /// # Errors
    /// `InUse`, `TooNew`, `BadName`, or `System` when there is not even memory for the ring.
    pub fn open(
        options: &StoreOptions,
        clock: &Clock,
        health: &Health,
    ) -> Result<(Self, Recovered), StoreError> {
        let mut start = Start {
            options,
            clock,
            health,
            recovered: Recovered::default(),
        };
        if let Some(name) = &options.installation {
            check_name("the installation", name, MAX_INSTALLATION)?;
        }
        for dir in [&options.state_dir, &options.runtime_dir] {
            // What this cannot make shows at the files, each with its own behaviour.
            let _ = fs::DirBuilder::new().recursive(true).mode(0o750).create(dir);
        }
        let guard = start.lock_directory()?;
        let (mut ring, survives, mut found) = start.ring()?;
        let (connection, mut extent, salvage, known) = start.journal()?;
        let fresh = extent.epochs.is_empty();
        if start.is_foreign(&found, &extent) {
            (ring, found) = start.set_ring_aside(&found)?;
        }
        start.identify(&mut extent, &found, known && salvage.is_none())?;
        let head = extent.last.max(found.last);
        let committed = if known {
            extent.last
        } else {
            found.seqs.first().map_or(head, |first| first - 1)
        };
        start.recovered.installation = extent
            .epochs
            .last()
            .map(|e| e.installation.clone())
            .unwrap_or_default();
        if ring
            .begin(&start.recovered.installation, committed, head)
            .is_err()
        {
            start.warn(
                "ring_unavailable",
                "the ring's head cannot be written: after a kill its events are not found again",
            );
        }
        let holes = holes(&found, ring.committed(), head);
        start.recovered.torn = found.torn;
        start.recovered.last = extent.last;
        start.recovered.from_ring = head
            .saturating_sub(ring.committed())
            .saturating_sub(holes.len() as u64);
        let shared = start.share(ring, survives, &extent, &found, salvage.is_some());
        let mut writer = Writer::new(Arc::clone(&shared), connection, holes);
        writer.salvage = salvage;
        if fresh {
            lock(&shared.cursors).urgent = true;
        }
        let store = spawn(shared, writer, guard)?;
        show_damaged(&options.state_dir, health, start.now());
        Ok((store, start.recovered))
    }

    /// Opens the store for reading only, in any process: [`ReadStore::open`].
    ///
    /// # Errors
    /// `Missing`, `TooNew`, `Disk`.
    pub fn open_read_only(state_dir: &Path) -> Result<ReadStore, StoreError> {
        ReadStore::open(state_dir)
    }
}

impl Start<'_> {
    fn now(&self) -> Millis {
        let Moment { at, .. } = self.clock.now();
        at
    }

    fn warn(&mut self, key: &str, text: &str) {
        self.health.raise(key, text, self.now());
        self.recovered.warnings.push(text.to_owned());
    }

    fn warn_disk(&mut self, error: &StoreError) {
        let kind = error.disk_fault().unwrap_or(DiskFault::Broken).kind();
        self.warn(&format!("{kind}:journal"), &error.to_string());
    }

    /// Two writers would give the same numbers twice. A kill frees the lock.
    fn lock_directory(&self) -> Result<Option<File>, StoreError> {
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

    fn ring(&mut self) -> Result<(Ring, bool, Found), StoreError> {
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
    fn journal(&mut self) -> Result<(Option<Connection>, Extent, Option<Salvage>, bool), StoreError> {
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
    fn is_foreign(&self, found: &Found, extent: &Extent) -> bool {
        match (&found.installation, extent.epochs.last()) {
            (Some(ring), Some(epoch)) => *ring != epoch.installation,
            _ => false,
        }
    }

    fn set_ring_aside(&mut self, found: &Found) -> Result<(Ring, Found), StoreError> {
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
    fn identify(&mut self, extent: &mut Extent, found: &Found, known: bool) -> Result<(), StoreError> {
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

    fn share(
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
            first: AtomicU64::new(extent.first),
            count: AtomicU64::new(extent.count),
            gone: AtomicU64::new(0),
            salvaging: AtomicBool::new(salvaging),
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

/// Numbers above `committed` that have no event in the ring: never answered, or torn.
fn holes(found: &Found, committed: u64, head: u64) -> BTreeSet<u64> {
    let mut holes: BTreeSet<u64> = (committed + 1..=head).collect();
    for seq in &found.seqs {
        holes.remove(seq);
    }
    holes
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

fn spawn(shared: SharedRef, mut writer: Writer, guard: Option<File>) -> Result<Store, StoreError> {
    let (commands, inbox) = mpsc::channel();
    if let Some(db) = &writer.connection {
        let epochs = shared.epochs.load();
        if let Err(error) = journal::write_epochs(db, &epochs) {
            shared.raise(
                "journal",
                &StoreError::sqlite(&shared.state_dir.join(JOURNAL.name), error),
            );
            writer = Writer::new(Arc::clone(&shared), None, std::mem::take(&mut writer.holes));
        }
    }
    let thread = std::thread::Builder::new()
        .name("journal".into())
        .spawn(move || writer.run(&inbox))
        .map_err(|error| StoreError::system(&shared.state_dir, error))?;
    let _ = shared.thread.set(thread.thread().clone());
    shared.wake();
    let value = |key| match file::open_read_only(&shared.state_dir, &STATE) {
        Ok(db) => state::value(&db, key).ok().flatten(),
        Err(_) => None,
    };
    let (contact, time) = (value(state::CONTACT), value(state::TIME));
    Ok(Store(Arc::new(Inner {
        shared,
        commands: Mutex::new(Some(commands)),
        thread: Mutex::new(Some(thread)),
        contact: Noted::new(contact),
        time: Noted::new(time),
        guard,
    })))
}

/// Shows damaged files for as long as they lie there, and nothing once somebody took them away.
pub(super) fn show_damaged(dir: &Path, health: &Health, now: Millis) {
    let show = |kind: &Kind, name: &str| {
        let key = format!("{}:{name}", DiskFault::Corrupt.kind());
        let Some(last) = file::aside(dir, kind).pop() else {
            health.clear(&key);
            return;
        };
        let text = format!(
            "{} was damaged and moved aside to {}; a new one holds what could be read of it. Check the card, then remove \
             the damaged file",
            kind.name,
            last.display()
        );
        health.raise(&key, text, now);
    };
    show(&JOURNAL, "journal");
    show(&STATE, "state");
}
