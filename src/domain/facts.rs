//! What a platform says, in platform-neutral words, each with the id that it has there. Adapters make these,
//! the rules turn them into grants, the store keeps the last complete set.

use super::{Credential, PersonId, Text, opening::Opening, opening::Week, time::Millis};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Teams (companies), where the rules need more of them than who is in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Team>,
    /// What there is to be mapped, named: plans that nobody holds yet included.
    #[serde(default, skip_serializing_if = "Catalogue::is_empty")]
    pub catalogue: Catalogue,
}

impl Facts {
    /// Gives back the room that its lists grew by and do not use.
    pub fn shrink(&mut self) {
        self.people.shrink_to_fit();
        self.memberships.shrink_to_fit();
        self.assignments.shrink_to_fit();
        self.resources.shrink_to_fit();
        self.bookings.shrink_to_fit();
        self.passes.shrink_to_fit();
        self.teams.shrink_to_fit();
    }
}

/// What a platform has that a mapping can name. Empty where a platform does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Catalogue {
    /// Plans. A membership names one by id; the mapping may name it by either.
    pub plans: Vec<Named>,
    /// Locations.
    pub locations: Vec<Named>,
    /// Floors.
    pub floors: Vec<Named>,
    /// Kinds of pass.
    pub passes: Vec<Named>,
    /// Groups that staff give by hand there (R11).
    pub groups: Vec<Named>,
}

impl Catalogue {
    /// Whether it names nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.plans.is_empty()
            && self.locations.is_empty()
            && self.floors.is_empty()
            && self.passes.is_empty()
            && self.groups.is_empty()
    }
}

/// Something at the platform with its id and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The platform's id.
    pub id: Text,
    /// What people call it.
    pub name: Text,
}

/// A team (company).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The platform's id, as people and memberships name it.
    pub id: Text,
    /// What people call it.
    pub name: Text,
    /// The member whose contract pays for the team (R6, C7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<PersonId>,
}

/// How a person stands to the location that the site is (R17, C11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A member of this location.
    #[default]
    Member,
    /// A member of another location of the same network.
    Network,
    /// No member: books from outside, holds a drop-in pass.
    External,
}

/// Whether the person has to do with doors at all (R31).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorAccess {
    /// As the site's setting says.
    #[default]
    Auto,
    /// Yes.
    On,
    /// No: nothing opens.
    Off,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    pub name: Text,
    /// E-mail, for staff's search; empty when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Text>,
    /// The team (company) the person belongs to, by the platform's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Text>,
    /// Further teams, where a person can be in several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Text>,
    /// Member of this location, of another one, or of none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub standing: Standing,
    /// Whether doors are meant for this person at all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub door_access: DoorAccess,
    /// Since when the platform has the person, if it says (R31).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<When>,
    /// Whether the person is deactivated: revokes everything (R5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deactivated: bool,
    /// The cards that the platform holds for the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// Groups given to the person by hand on the platform (R11).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Text>,
    /// Until when the person is in a group of `groups`, Unix milliseconds, where the platform says so. A group that is
    /// not here has no end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group_ends: BTreeMap<Text, Millis>,
}

/// A membership: a plan held by one person, or by a whole team when `person` is absent (R6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The platform's id.
    pub id: Text,
    /// The plan, by id or name as the mapping names it.
    pub plan: Text,
    /// The holder; absent means the whole team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The team that holds or pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Text>,
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
    /// The location, by the platform's id, where a membership belongs to one (R36).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Text>,
}

/// A resource assigned to a person or a team for longer than a booking (R9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The platform's id.
    pub id: Text,
    /// The resource's id.
    pub resource: Text,
    /// The holder; absent means the whole team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Text>,
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
    pub id: Text,
    /// Name, for the mapping and for staff.
    pub name: Text,
    /// Room, desk or other: buffers and invitees differ by it (R13, R14, R17).
    #[serde(default)]
    pub kind: ResourceKind,
    /// The floor, by id or name (R10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Text>,
    /// The location, by id or name (R10, R36).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Text>,
    /// When it can be used, where the platform says: a desk booked by the day is open so long (R17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
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
    pub id: Text,
    /// The resource's id.
    pub resource: Text,
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
    pub id: Text,
    /// The kind of pass, by id or name as the mapping names it.
    pub kind: Text,
    /// The holder; absent means the whole team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Text>,
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
    /// The hours of a pass that is for a part of the day (R21). Absent: all day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Week>,
    /// The location, by the platform's id, where a pass belongs to one (R36).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Text>,
}

impl Person {
    /// A member with nothing but a name.
    #[must_use]
    pub fn new(id: impl Into<PersonId>, name: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            email: None,
            team: None,
            teams: Vec::new(),
            standing: Standing::Member,
            door_access: DoorAccess::Auto,
            joined: None,
            deactivated: false,
            credentials: Vec::new(),
            groups: Vec::new(),
            group_ends: BTreeMap::new(),
        }
    }

    /// Every team that the person is in.
    pub fn all_teams(&self) -> impl Iterator<Item = &str> {
        self.team.iter().chain(&self.teams).map(Text::as_str)
    }
}

impl Membership {
    /// A membership of nobody yet, without a start and an end.
    #[must_use]
    pub fn new(id: impl Into<Text>, plan: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            plan: plan.into(),
            person: None,
            team: None,
            starts: None,
            ends: None,
            cancelled: false,
            pass_based: false,
            location: None,
        }
    }
}

impl Assignment {
    /// An assignment to nobody yet, without a start and an end.
    #[must_use]
    pub fn new(id: impl Into<Text>, resource: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            resource: resource.into(),
            person: None,
            team: None,
            starts: None,
            ends: None,
        }
    }
}

impl Resource {
    /// A resource on no floor and in no location.
    #[must_use]
    pub fn new(id: impl Into<Text>, name: impl Into<Text>, kind: ResourceKind) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            kind,
            floor: None,
            location: None,
            opening: None,
        }
    }
}

impl Booking {
    /// A confirmed booking by nobody yet, from and until Unix milliseconds.
    #[must_use]
    pub fn new(id: impl Into<Text>, resource: impl Into<Text>, from: Millis, until: Millis) -> Self {
        Self {
            id: id.into(),
            resource: resource.into(),
            person: None,
            invitees: Vec::new(),
            from,
            until,
            tentative: false,
        }
    }
}

impl Pass {
    /// A pass of nobody yet: valid for ever, all day, as often as one likes.
    #[must_use]
    pub fn new(id: impl Into<Text>, kind: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            person: None,
            team: None,
            left: None,
            running_until: None,
            starts: None,
            ends: None,
            hours: None,
            location: None,
        }
    }
}
