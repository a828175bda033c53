//! What the OSDP scenarios share: a gate that grants by table, lines on simulated readers, waiting for things.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::harness::wait_for;
use doorward::{
    clock::Clock,
    config::model::{CardFormat, DoorConfig, LineConfig, LineKind, OsdpReader, OutputRef},
    domain::{Answer, Credential, Feedback, Presentation, Reason, Release, secret::ChannelKey},
    health::Health,
    readers::{Gate, LineEvent, Lines},
};
use doorward_peers::osdp::{Color, Seen, What};
use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

pub(crate) const KEY: [u8; 16] = *b"doorward-test-01";
pub(crate) const MEMBER: &str = "uid:04A2B3C4D5E680";
pub(crate) const MEMBER_BYTES: [u8; 7] = [0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80];

#[expect(clippy::disallowed_methods, reason = "scenarios wait in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What a reader at [`crate::harness::site::FRONT_DOOR`] is told about a card: its light, and whether output 1 was released
/// for the door's four seconds.
#[track_caller]
pub(crate) fn answered(seen: &mpsc::Receiver<Seen>) -> (Color, bool) {
    let (mut light, mut released) = (None, false);
    wait_for("an answer", || {
        for seen in seen.try_iter() {
            match seen.what {
                What::Light { color, .. } => light = Some(color),
                What::Output {
                    output: 1,
                    control: 5,
                    timer: 40,
                } => released = true,
                _ => {}
            }
        }
        match light {
            Some(Color::Green) if !released => Err((light, released)),
            Some(color) => Ok((color, released)),
            None => Err((light, released)),
        }
    })
}

/// Grants those in the table, at the door named like the reader; refuses the rest.
pub(crate) struct TableGate {
    members: HashSet<Credential>,
    pub(crate) presented: Mutex<mpsc::Sender<(Presentation, Instant)>>,
    pub(crate) events: Mutex<Vec<LineEvent>>,
}

impl Gate for TableGate {
    fn present(&self, presentation: &Presentation) -> Answer {
        let _ = self.presented.lock().unwrap().send((presentation.clone(), now()));
        let known = presentation
            .credential
            .is_some_and(|card| self.members.contains(&card));
        Answer {
            reason: if known {
                Reason::GrantedPlan
            } else {
                Reason::UnknownCredential
            },
            feedback: if known {
                Feedback::Granted
            } else {
                Feedback::Refused
            },
            release: known.then(|| Release {
                door: presentation.reader.as_str().into(),
                hold: Duration::from_secs(4),
            }),
            seq: 1,
        }
    }
    fn line_event(&self, event: LineEvent) {
        self.events.lock().unwrap().push(event);
    }
}

pub(crate) struct Site {
    pub(crate) lines: Lines,
    pub(crate) gate: Arc<TableGate>,
    pub(crate) health: Health,
    pub(crate) presented: mpsc::Receiver<(Presentation, Instant)>,
}

pub(crate) fn reader(name: &str, address: u8, key: Option<[u8; 16]>) -> OsdpReader {
    OsdpReader {
        id: name.into(),
        address,
        key: key.map(ChannelKey::new),
        install_mode: false,
        door: name.into(),
        card: CardFormat::Auto,
    }
}

pub(crate) fn osdp_line(id: &str, path: &Path, readers: Vec<OsdpReader>) -> LineConfig {
    LineConfig {
        id: id.into(),
        path: path.to_owned(),
        baud: 115_200,
        kind: LineKind::Osdp(readers),
    }
}

pub(crate) fn door(name: &str, output: Option<(&str, u8)>) -> DoorConfig {
    DoorConfig {
        id: name.into(),
        release: output.map(|(reader, output)| OutputRef {
            reader: reader.into(),
            output,
        }),
        release_for: Duration::from_secs(4),
        contact: None,
        request_to_exit: None,
        held_after: Duration::from_secs(30),
        ks_lock: None,
    }
}

impl Site {
    pub(crate) fn start(lines: &[LineConfig], doors: &[DoorConfig]) -> Self {
        let (sender, presented) = mpsc::channel();
        let gate = Arc::new(TableGate {
            members: [MEMBER.parse().unwrap(), Credential::wiegand26(123, 45678)].into(),
            presented: Mutex::new(sender),
            events: Mutex::default(),
        });
        let health = Health::default();
        let lines = Lines::start(lines, doors, gate.clone(), Clock::system(true, 0), health.clone());
        Self {
            lines,
            gate,
            health,
            presented,
        }
    }

    pub(crate) fn happened(&self, event: &LineEvent) -> usize {
        let events = self.gate.events.lock().unwrap();
        events.iter().filter(|other| *other == event).count()
    }

    /// Waits until an event has happened `times` times; says how long it took.
    pub(crate) fn wait_for(&self, event: &LineEvent, times: usize, within: Duration) -> Duration {
        wait_until(
            &format!("{event:?} x{times}: {:?}", self.gate.events),
            within,
            || self.happened(event) >= times,
        )
    }

    pub(crate) fn wait_online(&self, readers: &[&str]) {
        for reader in readers {
            self.wait_for(&online(reader), 1, Duration::from_secs(10));
        }
    }

    pub(crate) fn fault(&self, key: &str) -> Option<String> {
        let doc = self.health.doc();
        doc.faults
            .into_iter()
            .find(|fault| fault.key == key)
            .map(|fault| fault.text)
    }

    pub(crate) fn line_counter(&self, line: &str, counter: &str) -> u64 {
        let doc = self.health.doc();
        let section = doc.sections.get("lines").cloned().unwrap_or_default();
        section[line][counter].as_u64().unwrap_or(0)
    }
}

pub(crate) fn online(reader: &str) -> LineEvent {
    LineEvent::Online {
        reader: reader.into(),
    }
}

pub(crate) fn offline(reader: &str) -> LineEvent {
    LineEvent::Offline {
        reader: reader.into(),
    }
}

pub(crate) fn wait_until(what: &str, within: Duration, mut done: impl FnMut() -> bool) -> Duration {
    let start = now();
    while !done() {
        assert!(start.elapsed() < within, "not within {within:?}: {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    start.elapsed()
}
