//! Why a decision came out as it did. The names are stable: integrators match on them, the journal keeps the
//! codes. Add at the end, never renumber; `docs/reasons.md` documents each and a test keeps it complete.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $name:literal $outcome:ident $words:literal;)*) => {
        /// The closed list of reasons, for grants and refusals alike (invariant 2: a refusal has a reason).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[repr(u8)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* $variant = $code,)*
        }
        impl Reason {
            /// Every reason, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The stable name, in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
            /// The stable code, as the journal keeps it.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }
            /// The reason of a code, if there is one.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
            /// Whether this reason opens the door.
            #[must_use]
            pub const fn grants(self) -> bool {
                match self { $(Self::$variant => reasons!(@$outcome),)* }
            }
            /// Plain words for staff, a whole clause without a full stop.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }
        }
    };
    (@grant) => { true };
    (@refuse) => { false };
}

reasons! {
    /// A membership (plan) opens the door.
    GrantedPlan = 1 "granted_plan" grant "has a plan that opens this door";
    /// An assigned desk, office or floor opens the door.
    GrantedAssignment = 2 "granted_assignment" grant "has a desk or office behind this door";
    /// A booking that runs now opens the door.
    GrantedBooking = 3 "granted_booking" grant "has a booking now";
    /// A day or time pass opens the door.
    GrantedPass = 4 "granted_pass" grant "has a pass";
    /// Rights given to the person by hand, on the platform or at the gateway, open the door.
    GrantedDirect = 5 "granted_direct" grant "was given this door by hand";
    /// The door stands open to everybody by its schedule.
    GrantedDoorOpen = 6 "granted_door_open" grant "the door is open to everybody now";

    /// SALTO KS opened its own door.
    GrantedByKs = 7 "granted_by_ks" grant "SALTO KS opened the door";

    /// No person holds this credential.
    UnknownCredential = 32 "unknown_credential" refuse "the card is not known here";
    /// The credential itself is blocked (lost, stolen).
    CredentialBlocked = 33 "credential_blocked" refuse "the card is blocked";
    /// The person is blocked or deactivated (R5).
    PersonBlocked = 34 "person_blocked" refuse "the person is blocked";
    /// Two people hold this credential, so nobody does (R34).
    CredentialAmbiguous = 35 "credential_ambiguous" refuse "the card belongs to two people";
    /// The person has rights, none of them at this door.
    NoGrantForDoor = 36 "no_grant_for_door" refuse "has no rights at this door";
    /// The person has no rights at all.
    NoGrant = 37 "no_grant" refuse "has no rights anywhere";
    /// The nearest grant has not begun.
    NotYet = 38 "not_yet" refuse "the right has not begun yet";
    /// The nearest grant is over.
    Ended = 39 "ended" refuse "the right has ended";
    /// A grant is in force, the hours of its group are not.
    OutsideHours = 40 "outside_hours" refuse "outside the hours of this right";
    /// A grant would open, but its days of validity without contact to the platform are over.
    Stale = 41 "stale" refuse "the platform was not reached for too long";
    /// A grant with a window or hours, and the clock is not to be believed (declared policy).
    ClockUntrusted = 42 "clock_untrusted" refuse "the time is not known for certain";
    /// The door is locked down.
    Lockdown = 43 "lockdown" refuse "the door is locked down";
    /// The reader is not bound to a door that the running configuration knows.
    UnknownDoor = 44 "unknown_door" refuse "the reader belongs to no door";
    /// The reader sent bits that no configured format accepts.
    UnreadableCard = 45 "unreadable_card" refuse "the card could not be read as a number";
    /// There is no snapshot yet: nothing was ever fetched.
    NoSnapshot = 46 "no_snapshot" refuse "nothing has been fetched from the platform yet";
    /// The person's passes are used up (R20, R22).
    NoPassLeft = 47 "no_pass_left" refuse "no pass is left";
    /// A request that names nothing that exists: refused instead of failing (invariant 2).
    InternalError = 48 "internal_error" refuse "the gateway could not decide";
    /// SALTO KS refused at its own door; the event's detail says what it said.
    RefusedByKs = 49 "refused_by_ks" refuse "SALTO KS refused";
    /// The reader is lent to the enrolment desk for a moment: it answers nobody, and nothing is journalled.
    AtTheDesk = 50 "at_the_desk" refuse "the reader is lent to the enrolment desk";
    /// The person has rights, and is not switched on for doors (R31).
    NotConnected = 51 "not_connected" refuse "is not switched on for doors";
    /// The booking has not been confirmed (R19).
    NotConfirmed = 52 "not_confirmed" refuse "the booking is not confirmed";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_round_trip() {
        let mut seen = std::collections::HashSet::new();
        for reason in Reason::ALL {
            assert!(seen.insert(reason.name()), "{reason} twice");
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
            assert_eq!(
                reason.grants(),
                reason.code() < 32,
                "{reason}: grants are below 32"
            );
        }
    }
}
