//! The neutral words as JSON, TOML and CSV spell them: instants in RFC 3339, days as `YYYY-MM-DD`, cards as
//! `scheme:value`. Turned into [`crate::domain::facts`] item by item, so that one bad item names itself.

//!
//! | file | what |
//! | --- | --- |
//! | `read` | items to facts, page after page |
//! | `hours` | opening hours |

mod hours;
mod read;

use super::check::{Candidates, FactsProblem};
use hours::{OpeningItem, WeekItem};
use jiff::tz::TimeZone;
use serde::Deserialize;

pub(super) use read::Gathering;

/// All collections. A collection that is missing is empty.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Collections {
    #[serde(default)]
    pub(super) people: Vec<PersonItem>,
    #[serde(default)]
    pub(super) memberships: Vec<MembershipItem>,
    #[serde(default)]
    pub(super) assignments: Vec<AssignmentItem>,
    #[serde(default)]
    pub(super) resources: Vec<ResourceItem>,
    #[serde(default)]
    pub(super) bookings: Vec<BookingItem>,
    #[serde(default)]
    pub(super) passes: Vec<PassItem>,
    #[serde(default)]
    pub(super) teams: Vec<TeamItem>,
    #[serde(default)]
    pub(super) plans: Vec<NamedItem>,
    #[serde(default)]
    pub(super) locations: Vec<NamedItem>,
    #[serde(default)]
    pub(super) floors: Vec<NamedItem>,
    #[serde(default)]
    pub(super) pass_kinds: Vec<NamedItem>,
    #[serde(default)]
    pub(super) groups: Vec<NamedItem>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PersonItem {
    id: String,
    name: String,
    email: Option<String>,
    team: Option<String>,
    #[serde(default)]
    teams: Vec<String>,
    standing: Option<String>,
    door_access: Option<String>,
    joined: Option<String>,
    #[serde(default)]
    deactivated: bool,
    #[serde(default)]
    credentials: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MembershipItem {
    id: String,
    plan: String,
    person: Option<String>,
    team: Option<String>,
    starts: Option<String>,
    ends: Option<String>,
    #[serde(default)]
    cancelled: bool,
    #[serde(default)]
    pass_based: bool,
    location: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AssignmentItem {
    id: String,
    resource: String,
    person: Option<String>,
    team: Option<String>,
    starts: Option<String>,
    ends: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ResourceItem {
    id: String,
    name: String,
    kind: Option<String>,
    floor: Option<String>,
    location: Option<String>,
    opening: Option<OpeningItem>,
    /// For files, where `opening` is a text: the hours for everybody else.
    public_opening: Option<WeekItem>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BookingItem {
    id: String,
    resource: String,
    person: Option<String>,
    #[serde(default)]
    invitees: Vec<String>,
    from: String,
    until: String,
    #[serde(default)]
    tentative: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct PassItem {
    id: String,
    kind: String,
    person: Option<String>,
    team: Option<String>,
    /// Signed: some platforms let it fall below zero, which means none.
    left: Option<i64>,
    running_until: Option<String>,
    starts: Option<String>,
    ends: Option<String>,
    hours: Option<WeekItem>,
    location: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TeamItem {
    id: String,
    name: String,
    payer: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NamedItem {
    id: String,
    name: String,
}

impl Collections {
    /// Every item as a fact, or as a problem, where there are no further pages.
    pub(super) fn read(self, zone: Option<&TimeZone>) -> (Candidates, Vec<FactsProblem>) {
        let mut gathering = Gathering::new(zone);
        gathering.add(self);
        gathering.finish()
    }
}
