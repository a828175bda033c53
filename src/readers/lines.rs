//! Starts, stops and feeds the lines. One thread each, named `line-<id>`.

use super::{
    Gate, adaptor, bus,
    shared::{Board, Common, Handle, Inbox, Table, letter_box},
};
use crate::{
    clock::Clock,
    config::model::{DoorConfig, LineConfig, LineKind, OutputRef},
    domain::{LineId, ReaderId},
    health::Health,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

/// The running lines. Dropping it stops and joins them.
pub struct Lines {
    common: Common,
    running: Mutex<BTreeMap<LineId, Running>>,
}

struct Running {
    config: LineConfig,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Lines {
    /// Starts a thread for each line. Returns at once: ports are opened, and opened again, by the threads.
    #[must_use]
    pub fn start(
        lines: &[LineConfig],
        doors: &[DoorConfig],
        gate: Arc<dyn Gate>,
        clock: Clock,
        health: Health,
    ) -> Self {
        let started = Self {
            common: Common {
                gate,
                clock,
                health,
                table: Arc::default(),
                board: Board::default(),
            },
            running: Mutex::default(),
        };
        started.reconfigure(lines, doors);
        started
    }

    /// Takes a new configuration over: lines that are not in it any more, or differ, stop; new ones start;
    /// the others go on undisturbed.
    pub fn reconfigure(&self, lines: &[LineConfig], doors: &[DoorConfig]) {
        let mut running = self.running();
        let gone: Vec<LineId> = running
            .values()
            .filter(|line| !lines.contains(&line.config))
            .map(|line| line.config.id.clone())
            .collect();
        let stopped: Vec<Running> = gone.iter().filter_map(|id| running.remove(id)).collect();
        for line in &stopped {
            line.handle.stop();
        }
        for line in stopped {
            self.finish(line);
        }
        let mut fresh = Vec::new();
        for config in lines {
            if running.contains_key(&config.id) {
                continue;
            }
            match letter_box() {
                Ok((handle, inbox)) => {
                    // A first heartbeat, so that the line does not look dead before its first turn.
                    let _ = inbox.turn(self.common.clock.monotonic());
                    fresh.push((config.id.clone(), inbox));
                    let line = Running {
                        config: config.clone(),
                        handle,
                        thread: None,
                    };
                    running.insert(config.id.clone(), line);
                }
                Err(error) => self.not_started(&config.id, &error),
            }
        }
        // Before the first thread runs: a release must find its way from the first presentation on.
        self.common.table.store(Arc::new(table(&running, doors)));
        for (id, inbox) in fresh {
            let Some(line) = running.get_mut(&id) else {
                continue;
            };
            match self.launch(&line.config, inbox) {
                Ok(thread) => line.thread = Some(thread),
                Err(error) => self.not_started(&id, &error),
            }
        }
    }

    fn not_started(&self, id: &LineId, error: &std::io::Error) {
        let text = format!("line {id} could not be started: {error}; restart the gateway");
        tracing::error!("{text}");
        self.common.raise(&format!("line_lost:{id}"), text);
    }

    /// Switches an output on for `hold`, timed by the device itself. From any thread, without waiting; whether
    /// the device confirms it shows as an event. False when no line has such a device.
    #[must_use]
    pub fn output(&self, target: &OutputRef, hold: Duration) -> bool {
        self.common.pulse(target.clone(), hold)
    }

    /// When each line's thread last took a turn, by [`Clock::monotonic`]. A turn takes 0.3 s at most, also with
    /// the adapter gone.
    #[must_use]
    pub fn heartbeats(&self) -> Vec<(LineId, Duration)> {
        let running = self.running();
        running
            .iter()
            .map(|(id, line)| (id.clone(), line.handle.last_turn()))
            .collect()
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<LineId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self, config: &LineConfig, inbox: Inbox) -> std::io::Result<JoinHandle<()>> {
        let (common, line) = (self.common.clone(), config.clone());
        std::thread::Builder::new()
            .name(format!("line-{}", config.id))
            .spawn(move || match &line.kind {
                LineKind::Osdp(readers) => bus::run(&line, readers, &common, &inbox),
                LineKind::Wradapt(reader) => adaptor::run(&line, reader, &common, &inbox),
            })
    }

    fn finish(&self, mut line: Running) {
        let panicked = line.thread.take().is_some_and(|thread| thread.join().is_err());
        let id = &line.config.id;
        if panicked {
            tracing::error!(line = %id, "the line's thread had panicked");
        }
        for kind in ["line_lost", "line_crossed"] {
            self.common.health.clear(&format!("{kind}:{id}"));
        }
        for reader in readers_of(&line.config) {
            for kind in OF_A_READER {
                self.common.health.clear(&format!("{kind}:{reader}"));
            }
        }
        self.common.board.remove(id, &self.common.health);
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.reconfigure(&[], &[]);
    }
}

/// Faults of a reader: they go with it.
const OF_A_READER: [&str; 6] = [
    "install_mode",
    "reader_key",
    "reader_offline",
    "reader_power",
    "reader_tamper",
    "reader_unsteady",
];

fn readers_of(line: &LineConfig) -> Vec<ReaderId> {
    match &line.kind {
        LineKind::Osdp(readers) => readers.iter().map(|reader| reader.id.clone()).collect(),
        LineKind::Wradapt(reader) => vec![reader.id.clone()],
    }
}

fn table(running: &BTreeMap<LineId, Running>, doors: &[DoorConfig]) -> Table {
    let mut devices = HashMap::new();
    for line in running.values() {
        if let LineKind::Osdp(readers) = &line.config.kind {
            devices.extend(
                readers
                    .iter()
                    .map(|reader| (reader.id.clone(), line.handle.clone())),
            );
        }
    }
    let inputs = doors
        .iter()
        .flat_map(|door| [&door.contact, &door.request_to_exit]);
    Table {
        devices,
        watched: inputs.flatten().map(|input| input.reader.clone()).collect(),
        doors: doors
            .iter()
            .filter_map(|door| Some((door.id.clone(), door.release.clone()?)))
            .collect(),
    }
}
