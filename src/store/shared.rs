//! What the store's handles and the journal's thread share.

use super::{
    error::{DiskFault, StoreError},
    journal::{self, Epoch},
    read::ReadStore,
    repair::Owner,
    ring::Ring,
};
use crate::{clock::Clock, domain::EventId, health::Health};
use arc_swap::ArcSwap;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    thread::Thread,
    time::Duration,
};
use tokio::sync::watch;

/// State of the store that more than one thread sees.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state_dir: PathBuf,
    pub(super) max_events: u64,
    pub(super) ring: Ring,
    /// Whether the ring survives the process, and is in memory rather than on a disk.
    pub(super) ring_survives: bool,
    pub(super) ring_in_memory: bool,
    pub(super) clock: Clock,
    pub(super) health: Health,
    pub(super) committed: watch::Sender<u64>,
    pub(super) epochs: ArcSwap<Vec<Epoch>>,
    pub(super) cursors: Mutex<Cursors>,
    /// Held while another index comes into force.
    pub(super) turn: Mutex<()>,
    /// Lowest sequence in the journal and number of events, as the thread last saw them.
    pub(super) first: AtomicU64,
    pub(super) count: AtomicU64,
    /// Events that are gone: torn slots, and numbers whose event never came.
    pub(super) gone: AtomicU64,
    /// Events of a damaged file are being fetched back: delivery waits, so that order holds.
    pub(super) salvaging: AtomicBool,
    /// Rows of the audit trail may have gone with a damaged file.
    pub(super) audit_doubtful: AtomicBool,
    pub(super) last_error: Mutex<Option<String>>,
    pub(super) read: ReadStore,
    pub(super) owner: Arc<Owner>,
    pub(super) thread: OnceLock<Thread>,
    pub(super) bell: Bell,
}

/// Whether the journal's thread has to be called. Waking costs a system call and, on a busy machine, the caller's
/// turn: an event does it only for a thread that does not look by itself.
#[derive(Debug, Default)]
pub(super) struct Bell {
    asleep: AtomicBool,
    /// When it was rung, in nanoseconds of the monotonic clock.
    rung: AtomicU64,
}

impl Bell {
    /// True when the thread is to be woken. The event must be in the ring by now: either this sees the thread asleep, or
    /// the thread sees the event.
    fn call(&self, clock: &Clock) -> bool {
        fence(Ordering::SeqCst);
        if !self.asleep.load(Ordering::Relaxed) {
            return false;
        }
        let nanos = u64::try_from(clock.monotonic().as_nanos()).unwrap_or(u64::MAX);
        self.rung.store(nanos, Ordering::Relaxed);
        self.asleep.swap(false, Ordering::AcqRel)
    }
    /// The thread, before its last look.
    pub(super) fn lie_down(&self) {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }
    /// The thread, awake: when it was called, if it was.
    pub(super) fn get_up(&self) -> Option<Duration> {
        let slept_on = self.asleep.swap(false, Ordering::AcqRel);
        (!slept_on).then(|| Duration::from_nanos(self.rung.load(Ordering::Relaxed)))
    }
}

/// The subscribers.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    /// Each subscriber's place in the ring's head and cursor.
    pub(super) by_name: BTreeMap<String, (u64, u64)>,
    /// They differ from the journal's table.
    pub(super) dirty: bool,
    /// And the difference should not wait: somebody came or went.
    pub(super) urgent: bool,
}

impl Cursors {
    /// Everything up to here may go.
    pub(super) fn delivered_to_all(&self) -> u64 {
        self.by_name
            .values()
            .map(|(_, seq)| *seq)
            .min()
            .unwrap_or(u64::MAX)
    }
    pub(super) fn plain(&self) -> BTreeMap<String, u64> {
        self.by_name
            .iter()
            .map(|(name, (_, seq))| (name.clone(), *seq))
            .collect()
    }
    fn free_place(&self) -> u64 {
        let taken: Vec<u64> = self.by_name.values().map(|(place, _)| *place).collect();
        (0..).find(|place| !taken.contains(place)).unwrap_or(u64::MAX)
    }
}

/// Locks, whatever became of the last holder: the values are plain.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Something to commit: wakes the journal's thread if it sleeps without looking. Otherwise a look at a flag.
    pub(super) fn call(&self) {
        if self.bell.call(&self.clock) {
            self.wake();
        }
    }

    /// Something to do at once.
    pub(super) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(super) fn event_id(&self, seq: u64) -> EventId {
        journal::event_id(&self.epochs.load(), seq)
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now().at
    }

    /// Adds or moves a subscriber, in memory and in the ring's head.
    pub(super) fn set_cursor(&self, cursors: &mut Cursors, name: &str, seq: u64) {
        let place = cursors
            .by_name
            .get(name)
            .map_or_else(|| cursors.free_place(), |(place, _)| *place);
        cursors.by_name.insert(name.to_owned(), (place, seq));
        cursors.dirty = true;
        // Without it a kill repeats deliveries, which their ids make harmless.
        let _ = self.ring.put_cursor(place, name, seq);
    }

    /// Shows a fault of one of the files, and no other of that file.
    pub(super) fn raise(&self, file: &str, error: &StoreError) {
        let Some(fault) = error.disk_fault() else { return };
        *lock(&self.last_error) = Some(error.to_string());
        self.health
            .raise(&format!("{}:{file}", fault.kind()), error.to_string(), self.now());
        self.clear_but(file, Some(fault));
    }

    /// Ends the faults of one of the files, but `fault`.
    pub(super) fn clear_but(&self, file: &str, fault: Option<DiskFault>) {
        for other in DiskFault::ALL.into_iter().filter(|other| Some(*other) != fault) {
            if other != DiskFault::Corrupt {
                self.health.clear(&format!("{}:{file}", other.kind()));
            }
        }
        if fault.is_none() {
            *lock(&self.last_error) = None;
        }
    }

    /// Shows what was lost, once there is something.
    pub(super) fn report_losses(&self) {
        let (full, gone) = (self.ring.lost(), self.gone.load(Ordering::Relaxed));
        if full + gone > 0 {
            let text = format!(
                "{full} events found no room and {gone} could not be read back from the ring: doors went on deciding, \
                 these entries are missing from the journal; look at the other faults for the cause"
            );
            self.health.raise("events_lost", text, self.now());
        }
    }
}

/// The store's shared state, as rooms hold it.
pub(super) type SharedRef = Arc<Shared>;
