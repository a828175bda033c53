//! Openings from afar that the gateway itself asked for. They are in the journal with who asked; what KS tells of them
//! afterwards is the same opening and no second one.

use super::map;
use crate::domain::{DoorId, EntryEvent, EventKind, Millis};
use std::sync::{Arc, Mutex, PoisonError};

/// Clocks of KS and gateway may differ by this much: a one-time password is good for as long.
const WINDOW: Millis = 3 * 60_000;
/// So many are remembered.
const MOST: usize = 64;
/// What an entry of KS about one is called in the journal.
pub(super) const TOLD: &str = "opened from afar by this gateway";

/// One of them. By its number it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

#[derive(Debug)]
struct Opening {
    ticket: u64,
    door: DoorId,
    at: Millis,
    /// KS has told of it.
    told: bool,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    openings: Vec<Opening>,
    /// The journal was read.
    read: bool,
}

/// What is remembered. Cheap to clone; clones share.
#[derive(Clone, Debug, Default)]
pub struct OwnOpenings(Arc<Mutex<State>>);

impl OwnOpenings {
    fn with<T>(&self, job: impl FnOnce(&mut State) -> T) -> T {
        job(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// KS is about to be asked: its entry may be here before its answer.
    #[must_use]
    pub fn begin(&self, door: &DoorId, at: Millis) -> Ticket {
        self.with(|state| state.add(door, at))
    }

    /// KS refused it: no entry is of this opening.
    pub fn never(&self, ticket: Ticket) {
        self.with(|state| state.openings.retain(|opening| opening.ticket != ticket.0));
    }

    /// Whether an entry that happened then at this door may be of an opening that KS has not told of.
    #[must_use]
    pub fn may_be(&self, door: &DoorId, at: Millis) -> bool {
        self.with(|state| state.find(door, at).is_some())
    }

    /// The same, and from now on KS has told of it.
    pub fn claim(&self, door: &DoorId, at: Millis) -> bool {
        self.with(|state| {
            let found = state.find(door, at);
            found.map(|opening| opening.told = true).is_some()
        })
    }

    /// Whether the journal was read since the start.
    pub(super) fn is_read(&self) -> bool {
        self.with(|state| state.read)
    }

    /// What the journal has of before the start, the newest first.
    pub(super) fn read(&self, events: &[EntryEvent]) {
        let read = self.with(|state| std::mem::replace(&mut state.read, true));
        for event in events.iter().rev().filter(|_| !read) {
            let body = &event.body;
            let Some(door) = &body.door else { continue };
            let of_ks = body.source.as_deref().is_some_and(map::is_source);
            match body.kind {
                EventKind::RemoteRelease if !of_ks => drop(self.begin(door, body.at)),
                EventKind::LockNoted if of_ks && body.detail.as_deref() == Some(TOLD) => {
                    self.claim(door, body.at);
                }
                _ => {}
            }
        }
    }
}

impl State {
    fn add(&mut self, door: &DoorId, at: Millis) -> Ticket {
        self.next += 1;
        if self.openings.len() >= MOST {
            self.openings.remove(0);
        }
        self.openings.push(Opening {
            ticket: self.next,
            door: door.clone(),
            at,
            told: false,
        });
        Ticket(self.next)
    }

    fn find(&mut self, door: &DoorId, at: Millis) -> Option<&mut Opening> {
        let mut openings = self.openings.iter_mut();
        openings.find(|opening| {
            !opening.told && opening.door == *door && opening.at.abs_diff(at) <= WINDOW.unsigned_abs()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ClockQuality, event::Draft};

    const AT: Millis = 1_780_308_000_000;

    #[test]
    fn an_opening_is_told_of_once_at_its_door_and_near_its_time() {
        let own = OwnOpenings::default();
        let front = DoorId::from("front");
        let _ = own.begin(&front, AT);
        assert!(!own.claim(&"back".into(), AT));
        assert!(!own.claim(&front, AT + WINDOW + 1));
        assert!(own.may_be(&front, AT - 30_000), "their clock may be behind");
        assert!(own.claim(&front, AT - 30_000));
        assert!(!own.claim(&front, AT), "another one is somebody else's");
        let refused = own.begin(&front, AT);
        own.never(refused);
        assert!(!own.claim(&front, AT));
    }

    #[test]
    fn after_a_restart_the_journal_says_which_were_told_of() {
        let event = |seq: u64, kind, at, source: Option<&str>, detail: &str| EntryEvent {
            id: format!("i-{seq}").as_str().into(),
            seq,
            body: Draft {
                door: Some("front".into()),
                source: source.map(str::to_owned),
                detail: Some(detail.to_owned()),
                ..Draft::new(kind, at, ClockQuality::Trusted)
            },
        };
        let mut events = vec![
            event(1, EventKind::RemoteRelease, AT, None, "asked for by ada"),
            event(2, EventKind::LockNoted, AT + 1_000, Some("ks:e1"), TOLD),
            event(
                3,
                EventKind::RemoteRelease,
                AT + 5_000,
                Some("ks:e2"),
                "opened from afar",
            ),
            event(4, EventKind::RemoteRelease, AT + 9_000, None, "asked for by ada"),
        ];
        events.reverse();
        let own = OwnOpenings::default();
        own.read(&events);
        own.read(&events);
        let front = DoorId::from("front");
        assert!(own.claim(&front, AT + 9_000));
        assert!(
            !own.claim(&front, AT + 9_000),
            "the first was told of, the third was theirs"
        );
    }
}
