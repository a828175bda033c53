//! What should stand at KS: the same grants as at the gateway's own doors, in the words of KS. Pure.
//!
//! | file | what |
//! | --- | --- |
//! | `slot` | a time schedule of KS as a value |
//! | `hours` | windows and weekly hours to such values |
//! | `groups` | grants to access groups and their members |
//! | `people` | names and tags |
//!
//! Why it is so, and not otherwise: docs/decisions/0017-ks-wanted-state.md.

mod groups;
mod hours;
mod people;
pub mod slot;

pub use hours::HOLIDAYS_AHEAD_DAYS;
pub use people::folded;
pub use slot::Slot;

use super::doors::Doors;
use crate::{
    config::model::KsConfig,
    domain::{Credential, Grant, GrantKind, Millis, PersonId, Snapshot, Source, Text, site::Site},
};
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the wanted state is made of.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// What is in force at the gateway's own doors.
    pub snapshot: &'a Snapshot,
    /// E-mail addresses, where the platform has them.
    pub emails: &'a HashMap<PersonId, Text>,
    /// Doors, groups, hours and holidays.
    pub site: &'a Site,
    /// `[ks]`.
    pub config: &'a KsConfig,
    /// Which lock is which door.
    pub doors: &'a Doors,
    /// Tags of KS, each with the card that the same fob is.
    pub pairs: &'a [(Credential, Credential)],
    /// Unix milliseconds.
    pub now: Millis,
    /// The zone of the clock at the locks.
    pub zone: &'a TimeZone,
}

/// Why something stands at KS, or goes (R43).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Why {
    /// In words.
    pub text: String,
    /// Which rule of `docs/rules.md`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u8>,
    /// What kind of grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<GrantKind>,
    /// Which object at the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Why {
    /// By a rule.
    #[must_use]
    pub fn rule(rule: u8, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            rule: Some(rule),
            ..Self::default()
        }
    }

    /// Without a rule: how KS or the configuration wants it.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// By a grant.
    #[must_use]
    pub fn grant(grant: &Grant) -> Self {
        Self {
            text: format!("{} {}", grant.kind.name(), grant.source.label),
            rule: Some(grant.rule),
            kind: Some(grant.kind),
            source: Some(grant.source.clone()),
        }
    }
}

/// A person as KS should have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Full name; with a mark behind it if another person has the same.
    pub alias: String,
    /// Full name.
    pub name: String,
    /// Only where invitations are wanted.
    pub email: Option<String>,
    /// Whether the person has use of a door of KS, now or by a booking to come (R32).
    pub active: bool,
    /// Why everything is revoked, in the words of whoever did it (R5).
    pub blocked: Option<String>,
    /// Tag numbers that are this person's alone. One of them is wanted; KS has room for one.
    pub tags: BTreeSet<Credential>,
    /// Why the person is active.
    pub why: Why,
}

/// An access group as KS should have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its locks by UUID.
    pub locks: BTreeSet<String>,
    /// When it opens.
    pub slots: Vec<Slot>,
    /// Who is in it, and why.
    pub members: BTreeMap<PersonId, Why>,
    /// Why it is there.
    pub why: Why,
}

/// What should stand at KS at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Everybody whom the gateway knows, active or not.
    pub people: BTreeMap<PersonId, Person>,
    /// Access groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Tags of blocked cards, and tags that two people claim: nobody has them.
    pub barred: BTreeSet<Credential>,
    /// When, Unix milliseconds.
    pub now: Millis,
    /// The local day and minute at the locks; absent only for instants that no calendar has.
    pub today: Option<(Date, u16)>,
    /// The next instant at which something else is wanted though nothing changed: a window begins, ends, or comes near.
    pub next: Option<Millis>,
    /// What KS cannot be told as it is, in words.
    pub notes: Vec<String>,
}

impl Wanted {
    /// The same a moment later, before anything else is wanted.
    pub fn tick(&mut self, now: Millis, zone: &TimeZone) {
        (self.now, self.today) = (now, hours::local(now, zone));
    }
}

/// Works it out.
#[must_use]
pub fn wanted(given: &Given<'_>) -> Wanted {
    let today = hours::local(given.now, given.zone);
    let (groups, mut notes) = groups::groups(given);
    let (people, barred) = people::people(given, &groups.used);
    if given.zone.iana_name().is_some_and(|name| name != given.site.zone) {
        notes.push(format!(
            "the site at SALTO KS keeps the time of {}, the gateway that of {}: hours of groups are taken by the locks' clock",
            given.zone.iana_name().unwrap_or_default(),
            given.site.zone
        ));
    }
    Wanted {
        people,
        groups: groups.by_name,
        barred,
        now: given.now,
        today,
        next: groups.next,
        notes,
    }
}

#[cfg(test)]
mod tests;
