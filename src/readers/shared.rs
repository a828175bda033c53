//! What a line's thread shares with the rest of the daemon.

use super::Gate;
use crate::{
    clock::Clock,
    config::model::OutputRef,
    domain::{DoorId, LineId, ReaderId, Release},
    health::Health,
};
use arc_swap::ArcSwap;
use rustix::event::{EventfdFlags, eventfd};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

/// What other threads ask of a line.
#[derive(Debug)]
pub(super) enum LineCommand {
    /// Pulse an output of a device on the line.
    Output { target: OutputRef, hold: Duration },
}

/// How other threads reach a line. Never blocks: the channel is unbounded, the wake-up is a counter.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    commands: mpsc::Sender<LineCommand>,
    wake: Arc<OwnedFd>,
    stop: Arc<AtomicBool>,
    beat_ms: Arc<AtomicU64>,
}

impl Handle {
    pub(super) fn send(&self, command: LineCommand) -> bool {
        let sent = self.commands.send(command).is_ok();
        self.wake();
        sent
    }
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
    }
    pub(super) fn last_turn(&self) -> Duration {
        Duration::from_millis(self.beat_ms.load(Ordering::Relaxed))
    }
    fn wake(&self) {
        // A full counter means that the line has been woken 2^64 times and not looked: it wakes anyway.
        let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
    }
}

/// The line's own end.
#[derive(Debug)]
pub(super) struct Inbox {
    pub(super) commands: mpsc::Receiver<LineCommand>,
    wake: Arc<OwnedFd>,
    stop: Arc<AtomicBool>,
    beat_ms: Arc<AtomicU64>,
}

impl Inbox {
    /// Marks a turn of the line's loop. False when it shall end.
    pub(super) fn turn(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.beat_ms.store(now, Ordering::Relaxed);
        !self.stop.load(Ordering::Relaxed)
    }
    /// Forgets wake-ups that have been looked after.
    pub(super) fn rest(&self) {
        let _ = rustix::io::read(&*self.wake, &mut [0_u8; 8]);
    }
    pub(super) fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

/// Both ends of a new line's letter box.
///
/// # Errors
/// The system has no descriptor left.
pub(super) fn letter_box() -> io::Result<(Handle, Inbox)> {
    let wake = Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?);
    let (sender, receiver) = mpsc::channel();
    let handle = Handle {
        commands: sender,
        wake: Arc::clone(&wake),
        stop: Arc::default(),
        beat_ms: Arc::default(),
    };
    let inbox = Inbox {
        commands: receiver,
        wake,
        stop: Arc::clone(&handle.stop),
        beat_ms: Arc::clone(&handle.beat_ms),
    };
    Ok((handle, inbox))
}

/// Where devices and doors are: replaced as a whole when the configuration changes.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The line of each OSDP device.
    pub(super) devices: HashMap<ReaderId, Handle>,
    /// The output of each door that has one.
    pub(super) doors: HashMap<DoorId, OutputRef>,
    /// Devices with an input that a door watches.
    pub(super) watched: HashSet<ReaderId>,
}

/// What every line needs.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) gate: Arc<dyn Gate>,
    pub(super) clock: Clock,
    pub(super) health: Health,
    pub(super) table: Arc<ArcSwap<Table>>,
    pub(super) board: Board,
}

impl Common {
    /// The output that releases a door, if it has one.
    pub(super) fn output_of(&self, release: &Release) -> Option<OutputRef> {
        self.table.load().doors.get(&release.door).cloned()
    }
    /// Sends a pulse to the line of the device. False when there is no such device.
    pub(super) fn pulse(&self, target: OutputRef, hold: Duration) -> bool {
        let handle = self.table.load().devices.get(&target.reader).cloned();
        handle.is_some_and(|handle| handle.send(LineCommand::Output { target, hold }))
    }
    /// Begins a fault now.
    pub(super) fn raise(&self, key: &str, text: impl Into<String>) {
        self.health.raise(key, text, self.clock.now().at);
    }
}

/// The state of each line, for health's section `lines`.
#[derive(Clone, Debug, Default)]
pub(super) struct Board(Arc<Mutex<BTreeMap<LineId, LineState>>>);

/// State of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct LineState {
    pub(super) path: PathBuf,
    /// Whether the port is open.
    pub(super) open: bool,
    /// Bytes that belonged to no frame.
    pub(super) noise: u64,
    /// Frames with a wrong CRC, checksum or check character.
    pub(super) bad_checks: u64,
    /// Frames with a right check that nobody had asked for: replayed, late, another's.
    pub(super) strays: u64,
    /// Times that the port was opened.
    pub(super) opened: u64,
    pub(super) readers: BTreeMap<ReaderId, ReaderState>,
}

/// State of a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ReaderState {
    pub(super) online: bool,
    pub(super) secure: bool,
    pub(super) install_mode: bool,
    pub(super) presentations: u64,
    /// Commands that it left unanswered.
    pub(super) unanswered: u64,
}

impl Board {
    /// Replaces a line's state and shows all of them.
    pub(super) fn post(&self, line: &LineId, state: LineState, health: &Health) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.insert(line.clone(), state);
        health.section("lines", &*lines);
    }
    /// Forgets a line.
    pub(super) fn remove(&self, line: &LineId, health: &Health) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.remove(line);
        health.section("lines", &*lines);
    }
}
