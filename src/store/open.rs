//! The start of the store: what each file holds, whose it is, and what to do when one of them is no good.

use super::{
    Inner, Noted, Store,
    error::{DiskFault, StoreError},
    file::{self, Kind},
    journal::{self, JOURNAL},
    read::ReadStore,
    ring::DEFAULT_SLOTS,
    scan::Found,
    shared::{SharedRef, lock},
    start::Start,
    state::{self, STATE},
    writer::Writer,
};
use crate::{clock::Clock, domain::Millis, health::Health};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
};

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
        start.look_for_losses();
        start.bring_state_up_to_date()?;
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

/// Numbers above `committed` that have no event in the ring: never answered, or torn.
fn holes(found: &Found, committed: u64, head: u64) -> BTreeSet<u64> {
    let mut holes: BTreeSet<u64> = (committed + 1..=head).collect();
    for seq in &found.seqs {
        holes.remove(seq);
    }
    holes
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
        audit: Mutex::default(),
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
