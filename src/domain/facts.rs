//! What a platform says, in platform-neutral words, each with the id that it has there. Adapters make these,
//! the rules turn them into grants, the store keeps the last complete set.

use super::{Credential, PersonId, time::Millis};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A complete set of facts: everything the platform has to say, never a part of it (invariant 4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Grows with every change at the platform. A smaller one than before is held back.
    pub version: u64,
    /// Everybody who may be named below.
    #[serde(default)]
    pub people: Vec<Person>,
    /// Memberships (subscriptions, contracts) on plans.
    #[serde(default)]
    pub memberships: Vec<Membership>,
    /// Desks and offices assigned for longer.
    #[serde(default)]
    pub assignments: Vec<Assignment>,
    /// Bookable and assignable things.
    #[serde(default)]
    pub resources: Vec<Resource>,
    /// Single bookings, repeats already expanded by the platform.
    #[serde(default)]
    pub bookings: Vec<Booking>,
    /// Day and time passes.
    #[serde(default)]
    pub passes: Vec<Pass>,
}

/// A start or an end: an instant, or a local day in the location's zone. A day as an end is inclusive
/// ("last active day", facts: platforms.md 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// An instant, Unix milliseconds.
    At(Millis),
    /// A local calendar day.
    Day(Date),
}

/// A person as the platform knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The platform's id. Never the e-mail address (R35).
    pub id: PersonId,
    /// Full name, for staff.
    pub name: String,
    /// E-mail, for staff's search; empty when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The team (company) the person belongs to, by the platform's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whether the person is deactivated: revokes everything (R5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deactivated: bool,
    /// The cards that the platform holds for the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// Groups given to the person by hand on the platform (R11).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// A membership: a plan held by one person, or by a whole team when `person` is absent (R6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The platform's id.
    pub id: String,
    /// The plan, by id or name as the mapping names it.
    pub plan: String,
    /// The holder; absent means the whole team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The team that holds or pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// When it begins (R2); absent means it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<When>,
    /// When it ends or was cancelled to (R3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<When>,
    /// Whether the end is a cancellation rather than the natural end (C1).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// Whether the holder needs passes to use this plan (R22).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pass_based: bool,
}

/// A resource assigned to a person or a team for longer than a booking (R9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The platform's id.
    pub id: String,
    /// The resource's id.
    pub resource: String,
    /// The holder; absent means the whole team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// First instant or day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<When>,
    /// End, or last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<When>,
}

/// Something that can be booked or assigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The platform's id.
    pub id: String,
    /// Name, for the mapping and for staff.
    pub name: String,
    /// Room, desk or other: buffers and invitees differ by it (R13, R14, R17).
    #[serde(default)]
    pub kind: ResourceKind,
    /// The floor, by id or name (R10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<String>,
    /// The location, by id or name (R10, R36).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// What kind of thing a resource is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// Meeting room, phone booth, studio: booked by the clock.
    #[default]
    Room,
    /// Desk: booked by the day on some platforms.
    Desk,
    /// Private office.
    Office,
    /// Anything else.
    Other,
}

/// One booking of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// The platform's id (of the occurrence, where repeats are expanded).
    pub id: String,
    /// The resource's id.
    pub resource: String,
    /// Who booked, if it is a known person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Invited people who are known (R14).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invitees: Vec<PersonId>,
    /// First instant, Unix milliseconds.
    pub from: Millis,
    /// First instant after it, Unix milliseconds.
    pub until: Millis,
    /// Not confirmed yet: grants nothing by default (R19).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tentative: bool,
}

/// A day or time pass of a person or a team. The gateway never counts it down (invariant 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    /// The platform's id.
    pub id: String,
    /// The kind of pass, by id or name as the mapping names it.
    pub kind: String,
    /// The holder; absent means the whole team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// How many are left, as the platform last said; absent means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    /// A pass that runs now keeps opening until here, even when none is left (R23). Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_until: Option<Millis>,
    /// First instant or day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<When>,
    /// End, or last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<When>,
}
