//! The thread that runs the doors' machines. It owns them: nobody locks a door's state to read a card.

use super::{
    answer::{Granted, Recorder},
    machine::{Contact, Door, Effect, Input, Timing},
    world::World,
};
use crate::{
    clock::Clock,
    config::model::{Config, DoorConfig, InputRef, OutputRef},
    domain::{DoorId, EventKind, ReaderId, event::Draft, say::journal as say},
    health::Health,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

/// How often the keeper looks at the time when nothing happens.
const IDLE: Duration = Duration::from_millis(500);

/// What the keeper is told.
#[derive(Clone, Debug)]
pub enum Signal {
    /// An answer released a door.
    Granted(Granted),
    /// An input of a device changed.
    Input {
        /// The device.
        reader: ReaderId,
        /// The input's number.
        input: u8,
        /// Its level.
        active: bool,
        /// Whether it became so just now, or was only learnt now.
        changed: bool,
    },
    /// A device is away: what its inputs said is no longer known.
    Away(ReaderId),
    /// A person opens a door once; who, for the journal.
    Remote(DoorId, String),
    /// Lockdown of a door begins or ends.
    Lockdown(DoorId, bool),
    /// Another configuration.
    Reconfigure(Box<Config>),
    /// The gateway goes down.
    Stop,
}

/// What an event comes from.
#[derive(Clone, Copy)]
enum Cause<'a> {
    /// The time.
    Time,
    /// A device.
    Reader(&'a ReaderId),
    /// Somebody who asked for it.
    Person(&'a str),
    /// A command that says nothing more.
    Command,
}

/// Drives a strike for a while; the device times it.
pub trait Strikes: Send {
    /// Releases. Never blocks; a device that is away is a fault of its own.
    fn release(&self, output: &OutputRef, hold: Duration);
}

struct Kept {
    config: DoorConfig,
    machine: Door,
}

/// The keeper.
pub struct Keeper {
    doors: BTreeMap<DoorId, Kept>,
    world: Arc<World>,
    recorder: Arc<dyn Recorder>,
    strikes: Box<dyn Strikes>,
    clock: Clock,
    health: Health,
}

#[derive(Serialize)]
struct DoorState {
    state: &'static str,
    lockdown: bool,
    contact: &'static str,
}

impl Keeper {
    /// A keeper of the configuration's doors.
    #[must_use]
    pub fn new(
        config: &Config,
        world: Arc<World>,
        recorder: Arc<dyn Recorder>,
        strikes: Box<dyn Strikes>,
        clock: Clock,
        health: Health,
    ) -> Self {
        let mut keeper = Self {
            doors: BTreeMap::new(),
            world,
            recorder,
            strikes,
            clock,
            health,
        };
        keeper.reconfigure(config);
        keeper
    }

    /// Runs until `Stop`, or until nobody can signal any more.
    pub fn run(mut self, signals: &Receiver<Signal>) {
        loop {
            let signal = match signals.recv_timeout(self.pause()) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(signal) => Some(signal),
                Err(RecvTimeoutError::Timeout) => None,
            };
            if let Some(signal) = signal {
                self.handle(signal);
            }
            self.tick();
            self.show();
        }
    }

    fn pause(&self) -> Duration {
        let now = self.clock.monotonic();
        let next = self
            .doors
            .values()
            .filter_map(|door| door.machine.next_tick())
            .min();
        next.map_or(IDLE, |next| {
            next.saturating_sub(now).clamp(Duration::from_millis(1), IDLE)
        })
    }

    fn handle(&mut self, signal: Signal) {
        match signal {
            Signal::Granted(granted) => {
                let cause = Cause::Reader(&granted.reader);
                self.feed(&granted.door, Input::Granted(granted.hold), cause);
            }
            Signal::Remote(door, who) => {
                if let Some(hold) = self.doors.get(&door).map(|door| door.config.release_for) {
                    self.feed(&door, Input::Remote(hold), Cause::Person(&who));
                }
            }
            Signal::Lockdown(door, on) => {
                self.world.set_lockdown(&door, on);
                self.feed(&door, Input::Lockdown(on), Cause::Command);
            }
            Signal::Input {
                reader,
                input,
                active,
                changed,
            } => {
                for (door, input) in self.inputs(&reader, input, active) {
                    // A button that is found pressed when its reader comes back is nobody's wish (invariant 8).
                    if input == Input::RequestToExit(true) && !changed {
                        continue;
                    }
                    self.feed(&door, input, Cause::Reader(&reader));
                }
            }
            Signal::Away(reader) => {
                let watched = |door: &&Kept| {
                    door.config
                        .contact
                        .as_ref()
                        .is_some_and(|contact| contact.reader == reader)
                };
                let doors: Vec<_> = self
                    .doors
                    .values()
                    .filter(watched)
                    .map(|door| door.config.id.clone())
                    .collect();
                for door in doors {
                    self.feed(&door, Input::Contact(Contact::Unknown), Cause::Reader(&reader));
                }
            }
            Signal::Reconfigure(config) => self.reconfigure(&config),
            Signal::Stop => {}
        }
    }

    /// What an input of a device means to which doors.
    fn inputs(&self, reader: &ReaderId, input: u8, active: bool) -> Vec<(DoorId, Input)> {
        let level = |wired: Option<&InputRef>| {
            wired
                .filter(|wired| wired.reader == *reader && wired.input == input)
                .map(|wired| active != wired.active_low)
        };
        let mut found = Vec::new();
        for (id, door) in &self.doors {
            if let Some(open) = level(door.config.contact.as_ref()) {
                let contact = if open { Contact::Open } else { Contact::Closed };
                found.push((id.clone(), Input::Contact(contact)));
            }
            if let Some(pressed) = level(door.config.request_to_exit.as_ref()) {
                found.push((id.clone(), Input::RequestToExit(pressed)));
            }
        }
        found
    }

    fn feed(&mut self, id: &DoorId, input: Input, cause: Cause<'_>) {
        let now = self.clock.monotonic();
        let Some(door) = self.doors.get_mut(id) else {
            return;
        };
        let effects = door.machine.handle(input, now);
        self.apply(id, &effects, cause);
    }

    fn tick(&mut self) {
        let now = self.clock.monotonic();
        let due: Vec<_> = self
            .doors
            .iter_mut()
            .map(|(id, door)| (id.clone(), door.machine.handle(Input::Tick, now)))
            .filter(|(_, effects)| !effects.is_empty())
            .collect();
        for (id, effects) in due {
            self.apply(&id, &effects, Cause::Time);
        }
    }

    fn apply(&self, id: &DoorId, effects: &[Effect], cause: Cause<'_>) {
        for effect in effects {
            match effect {
                Effect::Release(hold) => {
                    let output = self.doors.get(id).and_then(|door| door.config.release.as_ref());
                    if let Some(output) = output {
                        self.strikes.release(output, *hold);
                    }
                }
                Effect::Event(kind) => {
                    self.record(id, *kind, cause);
                    self.fault(id, *kind);
                }
            }
        }
    }

    fn record(&self, id: &DoorId, kind: EventKind, cause: Cause<'_>) {
        let now = self.clock.now();
        let clock = now.quality();
        let mut draft = Draft::new(kind, now.at, clock);
        draft.door = Some(id.clone());
        match cause {
            Cause::Reader(reader) => draft.reader = Some(reader.clone()),
            Cause::Person(who) => draft.detail = Some(say::asked_by(who).into()),
            Cause::Time | Cause::Command => {}
        }
        self.recorder.record(&draft);
    }

    fn fault(&self, id: &DoorId, kind: EventKind) {
        let now = self.clock.now().at;
        match kind {
            EventKind::DoorForced => {
                let text = format!("door {id} was opened without being released; look at it and close it");
                self.health.raise(&format!("door_forced:{id}"), text, now);
            }
            EventKind::DoorHeld => {
                let text = format!("door {id} stands open for too long; close it");
                self.health.raise(&format!("door_held:{id}"), text, now);
            }
            EventKind::DoorSecured => {
                self.health.clear(&format!("door_forced:{id}"));
                self.health.clear(&format!("door_held:{id}"));
            }
            _ => {}
        }
    }

    fn reconfigure(&mut self, config: &Config) {
        let mut before = std::mem::take(&mut self.doors);
        for door in &config.doors {
            let timing = Timing {
                held_after: door.held_after,
                release_for: door.release_for,
            };
            let machine = match before.remove(&door.id) {
                Some(kept) if kept.config == *door => kept.machine,
                Some(kept) => {
                    let mut machine = Door::new(timing);
                    machine.handle(
                        Input::Lockdown(kept.machine.is_locked_down()),
                        self.clock.monotonic(),
                    );
                    machine
                }
                // A lockdown of before the start, or of a door that is there again: it began then.
                None => {
                    let mut machine = Door::new(timing);
                    let on = self.world.is_locked_down(&door.id);
                    machine.handle(Input::Lockdown(on), self.clock.monotonic());
                    machine
                }
            };
            self.doors.insert(
                door.id.clone(),
                Kept {
                    config: door.clone(),
                    machine,
                },
            );
        }
        self.show();
    }

    fn show(&self) {
        let now = self.clock.monotonic();
        let state = |door: &Kept| DoorState {
            state: door.machine.state(now),
            lockdown: door.machine.is_locked_down(),
            contact: match door.machine.contact() {
                Contact::Unknown => "unknown",
                Contact::Closed => "closed",
                Contact::Open => "open",
            },
        };
        let states: BTreeMap<&str, DoorState> = self
            .doors
            .iter()
            .map(|(id, door)| (id.as_str(), state(door)))
            .collect();
        self.health.section("doors", &states);
    }

    /// Passes one signal by hand, for tests that own the time.
    #[cfg(test)]
    pub(super) fn step(&mut self, signal: Signal) {
        self.handle(signal);
        self.tick();
        self.show();
    }
}
