//! What a reader heard, and what it is told to show: the seam between readers and decisions, shaped by OSDP
//! (which has lights, a buzzer and outputs) and WRADAPT (which only speaks).

use super::{Credential, DoorId, ReaderId, Reason};
use std::time::Duration;

/// Somebody presented a credential at a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// Where.
    pub reader: ReaderId,
    /// What the reader made of it, or `None` for bits that no configured format accepts.
    pub credential: Option<Credential>,
}

/// What the reader shows the person. Each kind of reader turns this into what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Green, one beep.
    Granted,
    /// Red, three short beeps.
    Refused,
    /// Amber, two beeps: known, but not now (outside hours, lockdown, clock).
    NotNow,
}

/// Releases a door for a while. The device that drives the strike times it itself, so that the door is
/// secured again whatever becomes of the gateway (invariant 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Which door.
    pub door: DoorId,
    /// For how long.
    pub hold: Duration,
}

/// The answer to a presentation. By the time it exists the event is safe from the death of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Why. `reason.grants()` says whether the door opens.
    pub reason: Reason,
    /// What to show.
    pub feedback: Feedback,
    /// What to open.
    pub release: Option<Release>,
    /// The event's sequence in the journal.
    pub seq: u64,
}
