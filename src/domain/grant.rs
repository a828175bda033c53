//! What the rules make of facts, and the snapshot that the doors decide from.

use super::{Credential, DoorId, GroupId, PersonId, Reason, Text, Window, time::Millis};
use serde::{Deserialize, Serialize};

/// What kind of source a grant has. Each kind has its own maximum age without contact to the platform.
/// The code is part of the snapshot image: add at the end, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum GrantKind {
    /// A membership on a plan (R1).
    Plan = 1,
    /// A desk, office or floor assigned for longer (R9, R10).
    Assignment = 2,
    /// A booking (R12, R17).
    Booking = 3,
    /// A day or time pass (R20).
    Pass = 4,
    /// Given by hand, on the platform or at the gateway (R11).
    Direct = 5,
}

impl GrantKind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 5] = [
        Self::Plan,
        Self::Assignment,
        Self::Booking,
        Self::Pass,
        Self::Direct,
    ];

    /// The reason that an opening by this kind of grant gives.
    #[must_use]
    pub const fn granted(self) -> Reason {
        match self {
            Self::Plan => Reason::GrantedPlan,
            Self::Assignment => Reason::GrantedAssignment,
            Self::Booking => Reason::GrantedBooking,
            Self::Pass => Reason::GrantedPass,
            Self::Direct => Reason::GrantedDirect,
        }
    }

    /// The word that configuration and people use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Assignment => "assignment",
            Self::Booking => "booking",
            Self::Pass => "pass",
            Self::Direct => "direct",
        }
    }
}

/// The platform object that a grant comes from (R43).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// The object's id at the platform.
    pub id: Text,
    /// What people call it: the plan's name, the room's name.
    pub label: Text,
}

/// What a grant opens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Every door of a group, in the group's hours (R40).
    Group(GroupId),
    /// One door.
    Door(DoorId),
}

/// This person, this group or door, this window, because of this source and this rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// Who.
    pub person: PersonId,
    /// What.
    pub target: Target,
    /// When. Group hours narrow it further (R40).
    pub window: Window,
    /// What kind of source.
    pub kind: GrantKind,
    /// Which object at the platform.
    pub source: Source,
    /// Which rule of facts/platforms.md section 7: 1 to 44.
    pub rule: u8,
    /// Set when the source exists and opens nothing, so that a refusal can name it: `NoPassLeft`, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<Reason>,
}

/// What a block stops.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockTarget {
    /// One card, whoever holds it (lost, stolen).
    Credential(Credential),
    /// A person with all cards (R5).
    Person(PersonId),
}

/// A block beats every grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Block {
    /// What it stops.
    pub target: BlockTarget,
    /// Why, in the words of whoever set it.
    pub note: String,
}

/// A person as the doors need them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The platform's id.
    pub id: PersonId,
    /// Full name.
    pub name: Text,
}

/// Everything that the doors decide from, complete, swapped at once (invariant 4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The facts' version.
    pub version: u64,
    /// When the facts were fetched, Unix milliseconds.
    pub taken_at: Millis,
    /// Everybody with a card or a grant.
    pub people: Vec<Holder>,
    /// Which card is whose. A card with two holders opens for neither (R34).
    pub credentials: Vec<(Credential, PersonId)>,
    /// What they may open.
    pub grants: Vec<Grant>,
    /// What nothing may open.
    pub blocks: Vec<Block>,
}
