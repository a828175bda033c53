//! One door: secured, released, open, held, forced, locked down. Pure: inputs and time in, effects out.
//!
//! The machine never decides who may enter and does not know which wire the door hangs on. It never releases
//! because a channel failed or came back (invariant 8): only a grant, a person's command or a
//! request-to-exit does.

use crate::domain::EventKind;
use std::time::Duration;

/// Time since the gateway's start; never goes back.
pub type Mono = Duration;

/// After a release ends, a door that opens this much later still counts as opened by it: the strike of a slow
/// door, the hand on its handle.
const RELEASE_GRACE: Duration = Duration::from_millis(500);

/// What a door's contact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// Nothing known: no contact wired, or its device is away.
    Unknown,
    /// Closed.
    Closed,
    /// Open.
    Open,
}

/// What happens to a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A presentation was granted; the strike is already released for this long by the answer itself.
    Granted(Duration),
    /// A person at the desk or the building network opens once.
    Remote(Duration),
    /// The contact reports.
    Contact(Contact),
    /// The request-to-exit button or sensor: pressed or let go.
    RequestToExit(bool),
    /// Lockdown begins or ends.
    Lockdown(bool),
    /// Time has passed.
    Tick,
}

/// What the door wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Release the strike for this long; the device times it.
    Release(Duration),
    /// Journal this.
    Event(EventKind),
}

/// How long a door may stay open, and how long a request-to-exit releases it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Open for longer than this is door-held.
    pub held_after: Duration,
    /// Release after a request-to-exit or a remote command without a time of its own.
    pub release_for: Duration,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    timing: Timing,
    contact: Contact,
    released_until: Option<Mono>,
    open_since: Option<Mono>,
    alarm: Option<EventKind>,
    lockdown: bool,
}

impl Door {
    /// A door of which nothing is known yet.
    #[must_use]
    pub const fn new(timing: Timing) -> Self {
        Self {
            timing,
            contact: Contact::Unknown,
            released_until: None,
            open_since: None,
            alarm: None,
            lockdown: false,
        }
    }

    /// A word for people: what the door is doing.
    #[must_use]
    pub fn state(&self, now: Mono) -> &'static str {
        match (self.alarm, self.lockdown, self.contact) {
            (Some(EventKind::DoorForced), ..) => "forced",
            (Some(_), ..) => "held",
            (None, true, _) => "lockdown",
            (None, false, Contact::Open) => "open",
            (None, false, _) if self.is_released(now) => "released",
            _ => "secured",
        }
    }

    /// What the contact last said.
    #[must_use]
    pub const fn contact(&self) -> Contact {
        self.contact
    }

    /// Whether the door is locked down.
    #[must_use]
    pub const fn is_locked_down(&self) -> bool {
        self.lockdown
    }

    /// When `Tick` is needed next.
    #[must_use]
    pub fn next_tick(&self) -> Option<Mono> {
        let open = self.open_since.filter(|_| self.alarm.is_none())?;
        Some(open.saturating_add(self.timing.held_after))
    }

    fn is_released(&self, now: Mono) -> bool {
        self.released_until
            .is_some_and(|until| now < until.saturating_add(RELEASE_GRACE))
    }

    /// Takes an input. Never fails, never blocks.
    pub fn handle(&mut self, input: Input, now: Mono) -> Vec<Effect> {
        match input {
            Input::Granted(hold) => {
                self.release(hold, now);
                Vec::new()
            }
            Input::Remote(hold) if self.lockdown => {
                let _ = hold; // the caller is told by the command's own refusal
                Vec::new()
            }
            Input::Remote(hold) => {
                self.release(hold, now);
                vec![Effect::Release(hold), Effect::Event(EventKind::RemoteRelease)]
            }
            // A way out is never locked down: life safety comes before the building's secrets.
            Input::RequestToExit(true) => {
                self.release(self.timing.release_for, now);
                vec![
                    Effect::Release(self.timing.release_for),
                    Effect::Event(EventKind::RequestToExit),
                ]
            }
            Input::RequestToExit(false) => Vec::new(),
            Input::Lockdown(on) if on == self.lockdown => Vec::new(),
            Input::Lockdown(on) => {
                self.lockdown = on;
                if on {
                    self.released_until = None;
                }
                let kind = if on {
                    EventKind::LockdownBegan
                } else {
                    EventKind::LockdownEnded
                };
                vec![Effect::Event(kind)]
            }
            Input::Contact(contact) => self.contact_says(contact, now),
            Input::Tick => self.tick(now),
        }
    }

    fn release(&mut self, hold: Duration, now: Mono) {
        let until = now.saturating_add(hold);
        self.released_until = Some(self.released_until.map_or(until, |before| before.max(until)));
    }

    fn contact_says(&mut self, contact: Contact, now: Mono) -> Vec<Effect> {
        let before = std::mem::replace(&mut self.contact, contact);
        match (before, contact) {
            (Contact::Closed, Contact::Open) => {
                self.open_since = Some(now);
                if self.is_released(now) {
                    return Vec::new();
                }
                self.alarm = Some(EventKind::DoorForced);
                vec![Effect::Event(EventKind::DoorForced)]
            }
            // Found open: nobody saw it open, so it is not called forced, but it may be held.
            (Contact::Unknown, Contact::Open) => {
                self.open_since.get_or_insert(now);
                Vec::new()
            }
            (_, Contact::Closed) => {
                self.open_since = None;
                self.released_until = None;
                let alarm = self.alarm.take();
                alarm
                    .map(|_| Effect::Event(EventKind::DoorSecured))
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn tick(&mut self, now: Mono) -> Vec<Effect> {
        if self.alarm.is_none() && self.next_tick().is_some_and(|due| due <= now) {
            self.alarm = Some(EventKind::DoorHeld);
            return vec![Effect::Event(EventKind::DoorHeld)];
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TIMING: Timing = Timing {
        held_after: Duration::from_secs(20),
        release_for: Duration::from_secs(5),
    };

    fn s(seconds: u64) -> Mono {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_entry_opens_and_secures_without_alarm() {
        let mut door = Door::new(TIMING);
        assert_eq!(door.handle(Input::Contact(Contact::Closed), s(0)), []);
        assert_eq!(
            door.handle(Input::Granted(s(5)), s(1)),
            [],
            "the answer has released it already"
        );
        assert_eq!(door.state(s(2)), "released");
        assert_eq!(door.handle(Input::Contact(Contact::Open), s(2)), []);
        assert_eq!(door.handle(Input::Contact(Contact::Closed), s(4)), []);
        assert_eq!(
            door.state(s(4)),
            "secured",
            "closing ends the release: nobody follows in"
        );
    }

    #[test]
    fn opening_without_release_is_forced_and_closing_secures() {
        let mut door = Door::new(TIMING);
        door.handle(Input::Contact(Contact::Closed), s(0));
        assert_eq!(
            door.handle(Input::Contact(Contact::Open), s(9)),
            [Effect::Event(EventKind::DoorForced)]
        );
        assert_eq!(door.handle(Input::Tick, s(99)), [], "one alarm at a time");
        assert_eq!(
            door.handle(Input::Contact(Contact::Closed), s(100)),
            [Effect::Event(EventKind::DoorSecured)]
        );
    }

    #[test]
    fn open_for_too_long_is_held_once() {
        let mut door = Door::new(TIMING);
        door.handle(Input::Contact(Contact::Closed), s(0));
        door.handle(Input::Granted(s(5)), s(1));
        door.handle(Input::Contact(Contact::Open), s(3));
        assert_eq!(door.next_tick(), Some(s(23)));
        assert_eq!(door.handle(Input::Tick, s(22)), []);
        assert_eq!(
            door.handle(Input::Tick, s(23)),
            [Effect::Event(EventKind::DoorHeld)]
        );
        assert_eq!(
            (door.handle(Input::Tick, s(60)), door.next_tick()),
            (vec![], None)
        );
    }

    #[test]
    fn a_device_that_comes_back_never_releases_and_never_cries_forced() {
        let mut door = Door::new(TIMING);
        door.handle(Input::Contact(Contact::Closed), s(0));
        assert_eq!(door.handle(Input::Contact(Contact::Unknown), s(1)), []);
        assert_eq!(door.handle(Input::Contact(Contact::Open), s(9)), []);
        assert_eq!(
            door.handle(Input::Tick, s(29)),
            [Effect::Event(EventKind::DoorHeld)]
        );
    }

    #[test]
    fn lockdown_stops_commands_and_not_the_way_out() {
        let mut door = Door::new(TIMING);
        assert_eq!(
            door.handle(Input::Lockdown(true), s(0)),
            [Effect::Event(EventKind::LockdownBegan)]
        );
        assert_eq!(door.handle(Input::Lockdown(true), s(0)), []);
        assert_eq!(door.handle(Input::Remote(s(5)), s(1)), []);
        let out = [Effect::Release(s(5)), Effect::Event(EventKind::RequestToExit)];
        assert_eq!(door.handle(Input::RequestToExit(true), s(2)), out);
        assert_eq!(
            door.handle(Input::Lockdown(false), s(3)),
            [Effect::Event(EventKind::LockdownEnded)]
        );
    }

    fn input() -> impl Strategy<Value = Input> {
        prop_oneof![
            (0_u64..9).prop_map(|n| Input::Granted(s(n))),
            (0_u64..9).prop_map(|n| Input::Remote(s(n))),
            prop::sample::select(vec![Contact::Unknown, Contact::Closed, Contact::Open])
                .prop_map(Input::Contact),
            any::<bool>().prop_map(Input::RequestToExit),
            any::<bool>().prop_map(Input::Lockdown),
            Just(Input::Tick),
        ]
    }

    proptest! {
        /// Invariant 8, whatever happens in whatever order: contacts, time and lockdown never release.
        #[test]
        fn only_a_person_releases(steps in prop::collection::vec((input(), 0_u64..30), 0..60)) {
            let (mut door, mut now) = (Door::new(TIMING), s(0));
            for (input, pause) in steps {
                now += s(pause);
                let released = door.handle(input, now).iter().any(|effect| matches!(effect, Effect::Release(_)));
                let person = matches!(input, Input::Remote(_) | Input::RequestToExit(true));
                prop_assert!(!released || person, "{:?} released", input);
            }
        }
    }
}
