//! What happened, as the journal keeps it and as the building network and the cloud are told.

use super::{
    Credential, DoorId, EventId, PersonId, ReaderId, Reason,
    time::{Millis, Moment},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How much the time of an event may be believed (invariant 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    /// The kernel's clock was synchronised, or an RTC is configured.
    Trusted,
    /// A guess: never earlier than the last time on disk, maybe much too early.
    Untrusted,
}

/// What kind of event. The code is what the journal keeps: add at the end, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum EventKind {
    /// A presentation that was granted. Becomes a check-in.
    Granted = 1,
    /// A presentation that was refused.
    Refused = 2,
    /// A reader answers.
    ReaderOnline = 10,
    /// A reader stopped answering, or its line is gone.
    ReaderOffline = 11,
    /// A reader reports that its case was opened.
    ReaderTamper = 12,
    /// The tamper is over.
    ReaderTamperEnded = 13,
    /// A reader runs without its own key (install mode).
    ReaderInsecure = 14,
    /// The door was opened from inside by its request-to-exit.
    RequestToExit = 20,
    /// The door stands open longer than allowed after an entry.
    DoorHeld = 21,
    /// The door opened without being released.
    DoorForced = 22,
    /// The door is closed again after held or forced.
    DoorSecured = 23,
    /// The door was released by a person at the desk or by the building network.
    RemoteRelease = 24,
    /// Lockdown begins.
    LockdownBegan = 25,
    /// Lockdown ends.
    LockdownEnded = 26,
    /// The battery of a lock is low or critical; `detail` says which.
    BatteryLow = 27,
    /// It is good again.
    BatteryGood = 28,
    /// A lock or its IQ does not answer SALTO KS.
    LockOffline = 29,
    /// It answers again.
    LockOnline = 30,
    /// A lock of SALTO KS said something that is no entry: office mode, privacy mode, a category that nobody knows yet;
    /// `detail` says which.
    LockNoted = 31,
    /// The gateway began to decide.
    Started = 40,
    /// The gateway ended in good order.
    Stopped = 41,
    /// A new configuration is in force.
    ConfigApplied = 42,
    /// A configuration was refused; the old one stays.
    ConfigRefused = 43,
    /// A snapshot came into force.
    SnapshotApplied = 44,
    /// A snapshot was held back until somebody confirms it.
    SnapshotHeld = 45,
    /// The clock became trusted, or lost trust; `detail` says which.
    ClockChanged = 46,
    /// A fault began or ended; `detail` says which.
    Fault = 47,
    /// A card was given to a person, moved or taken back at the desk; `detail` says which.
    CardChanged = 48,
    /// A card or a person was blocked at the desk, or freed; `detail` says which.
    BlockChanged = 49,
}

impl EventKind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 29] = [
        Self::Granted,
        Self::Refused,
        Self::ReaderOnline,
        Self::ReaderOffline,
        Self::ReaderTamper,
        Self::ReaderTamperEnded,
        Self::ReaderInsecure,
        Self::RequestToExit,
        Self::DoorHeld,
        Self::DoorForced,
        Self::DoorSecured,
        Self::RemoteRelease,
        Self::LockdownBegan,
        Self::LockdownEnded,
        Self::BatteryLow,
        Self::BatteryGood,
        Self::LockOffline,
        Self::LockOnline,
        Self::LockNoted,
        Self::Started,
        Self::Stopped,
        Self::ConfigApplied,
        Self::ConfigRefused,
        Self::SnapshotApplied,
        Self::SnapshotHeld,
        Self::ClockChanged,
        Self::Fault,
        Self::CardChanged,
        Self::BlockChanged,
    ];

    /// The kind of a code, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }

    /// The stable name, as serialised.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::ReaderOnline => "reader_online",
            Self::ReaderOffline => "reader_offline",
            Self::ReaderTamper => "reader_tamper",
            Self::ReaderTamperEnded => "reader_tamper_ended",
            Self::ReaderInsecure => "reader_insecure",
            Self::RequestToExit => "request_to_exit",
            Self::DoorHeld => "door_held",
            Self::DoorForced => "door_forced",
            Self::DoorSecured => "door_secured",
            Self::RemoteRelease => "remote_release",
            Self::LockdownBegan => "lockdown_began",
            Self::LockdownEnded => "lockdown_ended",
            Self::BatteryLow => "battery_low",
            Self::BatteryGood => "battery_good",
            Self::LockOffline => "lock_offline",
            Self::LockOnline => "lock_online",
            Self::LockNoted => "lock_noted",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::ConfigApplied => "config_applied",
            Self::ConfigRefused => "config_refused",
            Self::SnapshotApplied => "snapshot_applied",
            Self::SnapshotHeld => "snapshot_held",
            Self::ClockChanged => "clock_changed",
            Self::Fault => "fault",
            Self::CardChanged => "card_changed",
            Self::BlockChanged => "block_changed",
        }
    }
}

/// An event before the journal gave it a place: everything but sequence and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// When, Unix milliseconds.
    pub at: Millis,
    /// How much that time may be believed.
    pub clock: ClockQuality,
    /// What.
    pub kind: EventKind,
    /// At which door.
    pub door: Option<DoorId>,
    /// At which reader.
    pub reader: Option<ReaderId>,
    /// Which card. Stays in the journal; leaves it only as a platform's own card number.
    pub credential: Option<Credential>,
    /// Whose card.
    pub person: Option<PersonId>,
    /// The person's name then, so that history stays readable.
    pub person_name: Option<String>,
    /// Why the decision came out as it did.
    pub reason: Option<Reason>,
    /// The platform object of the deciding grant or of the nearest miss.
    pub source: Option<String>,
    /// The rule of that grant, 1 to 44.
    pub rule: Option<u8>,
    /// Anything a person should read besides: short, without card numbers.
    pub detail: Option<String>,
}

impl Draft {
    /// An event that names nothing but its kind and time.
    #[must_use]
    pub const fn new(kind: EventKind, at: Millis, clock: ClockQuality) -> Self {
        Self {
            at,
            clock,
            kind,
            door: None,
            reader: None,
            credential: None,
            person: None,
            person_name: None,
            reason: None,
            source: None,
            rule: None,
            detail: None,
        }
    }
}

/// An event with its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryEvent {
    /// Unique for ever; the cloud's idempotency key.
    pub id: EventId,
    /// Grows by one for each event of this installation.
    pub seq: u64,
    /// What happened.
    pub body: Draft,
}

impl EntryEvent {
    /// Whether the event is older at its delivery than it may be to count as live (invariant 6). When in doubt it is
    /// late: a clock that stepped back by more than the limit, or an untrusted one that does not know how long the power
    /// was away. `recorded_before`: the highest sequence that was there when this run began.
    #[must_use]
    pub fn is_late(&self, now: Moment, late_after: Duration, recorded_before: u64) -> bool {
        let limit = u64::try_from(late_after.as_millis()).unwrap_or(u64::MAX);
        let age_unknown = !now.trusted && self.seq <= recorded_before;
        age_unknown || now.at.abs_diff(self.body.at) > limit
    }
}
