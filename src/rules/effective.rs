//! What people may do at an instant, and what changes between two such lists: for people who look into access, and
//! for a preview of a change. Nothing here decides at a door.

use super::{Outcome, window};
use crate::domain::{
    BlockTarget, Grant, GrantKind, PersonId, Reason, ScheduleId, Source, Window,
    grant::Target,
    site::{Schedule, Site},
    time::Millis,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// One person with everything that opens now or may still open, in the order of [`Outcome::people`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonAccess {
    /// The platform's id.
    pub person: PersonId,
    /// Full name.
    pub name: String,
    /// Why nothing opens for this person, whatever stands below (R5). In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// What is open first, then what comes, then what opens nothing; each of them by target and source.
    pub access: Vec<Access>,
}

impl PersonAccess {
    /// Whether some door's group is open to this person at the instant of the list.
    #[must_use]
    pub fn opens_something(&self) -> bool {
        self.blocked.is_none() && self.access.iter().any(|access| access.state == State::Open)
    }
}

/// One right: a grant as people read it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Access {
    /// How it stands at the instant.
    pub state: State,
    /// The group or door.
    pub target: Target,
    /// What kind of source.
    pub kind: GrantKind,
    /// The object at the platform (R43).
    pub source: Source,
    /// From when to when, Unix milliseconds. `until` is the first instant at which it is over; an absent end is open.
    pub window: Window,
    /// The schedule that narrows it further (R40).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<ScheduleId>,
    /// Which rule of `docs/rules.md`, 1 to 44.
    pub rule: u8,
}

/// How a right stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It opens.
    Open,
    /// It has begun; the hours of its group are closed at this instant (R40).
    OutsideHours,
    /// It has not begun.
    NotYet,
    /// It exists and opens nothing, for this reason: no pass is left, say.
    Void(Reason),
}

/// A right that comes, goes or changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose.
    pub person: PersonId,
    /// Full name.
    pub name: String,
    /// What was; absent when the right is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Access>,
    /// What is; absent when the right is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Access>,
    /// Set when the person as such was blocked or freed: whether they are blocked now (R5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
}

/// For each person of an outcome what they may open at an instant, or could later. Rights that are over are left out.
/// A person without any right is in the list too.
///
/// A schedule in a zone that is unknown counts as closed.
#[must_use]
pub fn effective(outcome: &Outcome, site: &Site, at: Millis) -> Vec<PersonAccess> {
    let hours = Hours::at(site, at);
    let mut of: HashMap<&PersonId, Vec<Access>> = HashMap::with_capacity(outcome.people.len());
    for grant in &outcome.grants {
        if let Some(access) = access(grant, &hours, at) {
            of.entry(&grant.person).or_default().push(access);
        }
    }
    let blocks = outcome.blocks.iter().filter_map(|block| match &block.target {
        BlockTarget::Person(person) => Some((person, &block.note)),
        BlockTarget::Credential(_) => None,
    });
    let blocks: HashMap<&PersonId, &String> = blocks.collect();
    let one = |holder: &crate::domain::grant::Holder| {
        let mut access = of.remove(&holder.id).unwrap_or_default();
        access.sort_unstable();
        PersonAccess {
            person: holder.id.clone(),
            name: holder.name.to_string(),
            blocked: blocks.get(&holder.id).map(|note| (*note).clone()),
            access,
        }
    };
    outcome.people.iter().map(one).collect()
}

fn access(grant: &Grant, hours: &Hours<'_>, at: Millis) -> Option<Access> {
    if grant.window.is_empty() || grant.window.until.is_some_and(|until| until <= at) {
        return None;
    }
    let schedule = match &grant.target {
        Target::Group(group) => hours.of.get(group.as_str()).copied().flatten(),
        Target::Door(_) => None,
    };
    let state = match grant.void {
        Some(reason) => State::Void(reason),
        None if !grant.window.contains(at) => State::NotYet,
        None if schedule.is_some_and(|(_, open)| !open) => State::OutsideHours,
        None => State::Open,
    };
    Some(Access {
        state,
        target: grant.target.clone(),
        kind: grant.kind,
        source: grant.source.clone(),
        window: grant.window,
        hours: schedule.map(|(id, _)| id.clone()),
        rule: grant.rule,
    })
}

/// The hours of each group and whether they are open at one instant.
struct Hours<'a> {
    of: HashMap<&'a str, Option<(&'a ScheduleId, bool)>>,
}

impl<'a> Hours<'a> {
    fn at(site: &'a Site, at: Millis) -> Self {
        let zone = TimeZone::get(&site.zone).ok();
        let open = |id: &ScheduleId| {
            let schedule = site.schedules.iter().find(|schedule| schedule.id == *id);
            matches!((schedule, &zone), (Some(schedule), Some(zone)) if is_open(schedule, site, zone, at))
        };
        let of = site.groups.iter().map(|group| {
            let hours = group.hours.as_ref().map(|id| (id, open(id)));
            (group.id.as_str(), hours)
        });
        Self { of: of.collect() }
    }
}

/// Whether the clock on the wall shows an hour of the schedule.
fn is_open(schedule: &Schedule, site: &Site, zone: &TimeZone, at: Millis) -> bool {
    let Ok(instant) = Timestamp::from_millisecond(at) else {
        return false;
    };
    let wall = instant.to_zoned(zone.clone());
    let minute = window::minute_of(wall.time());
    let day = if site.holidays.contains(&wall.date()) {
        Some(&schedule.holiday)
    } else {
        let weekday = usize::try_from(wall.weekday().to_monday_zero_offset()).unwrap_or(0);
        schedule.week.get(weekday)
    };
    day.is_some_and(|spans| {
        spans
            .iter()
            .any(|span| span.from <= minute && minute < span.until)
    })
}

/// What tells two rights of one person apart for as long as they exist: their window may move.
type Key<'a> = (&'a Target, GrantKind, &'a str, u8);

/// What changes from one list to another one of the same instant: rights that are new, gone or different, and people who
/// are blocked or freed. Sorted by name; a person who is in one list only has all rights gained or lost.
#[must_use]
pub fn changes(before: &[PersonAccess], after: &[PersonAccess]) -> Vec<Change> {
    let mut people: BTreeMap<(&str, &PersonId), [Option<&PersonAccess>; 2]> = BTreeMap::new();
    let named: HashMap<&PersonId, &str> = before
        .iter()
        .chain(after)
        .map(|one| (&one.person, one.name.as_str()))
        .collect();
    for (list, side) in [(before, 0), (after, 1)] {
        for one in list {
            let name = named.get(&one.person).copied().unwrap_or_default();
            if let Some(slot) = people.entry((name, &one.person)).or_default().get_mut(side) {
                *slot = Some(one);
            }
        }
    }
    let mut found = Vec::new();
    for ((name, person), [before, after]) in people {
        let change = |before: Option<&Access>, after: Option<&Access>, blocked| Change {
            person: person.clone(),
            name: name.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
            blocked,
        };
        let is_blocked = |one: Option<&PersonAccess>| one.is_some_and(|one| one.blocked.is_some());
        if is_blocked(before) != is_blocked(after) {
            found.push(change(None, None, Some(is_blocked(after))));
        }
        let list = |one: Option<&'_ PersonAccess>| one.map_or(&[][..], |one| one.access.as_slice()).to_vec();
        for (before, after) in paired(&list(before), &list(after)) {
            found.push(change(before, after, None));
        }
    }
    found
}

/// What is not in both lists, with what takes its place.
fn paired<'a>(before: &'a [Access], after: &'a [Access]) -> Vec<(Option<&'a Access>, Option<&'a Access>)> {
    let mut by_key: BTreeMap<Key<'a>, [Vec<&'a Access>; 2]> = BTreeMap::new();
    for (list, side) in [(before, 0), (after, 1)] {
        let other = if side == 0 { after } else { before };
        for access in list.iter().filter(|access| !other.contains(access)) {
            let key = (
                &access.target,
                access.kind,
                access.source.id.as_str(),
                access.rule,
            );
            if let Some(side) = by_key.entry(key).or_default().get_mut(side) {
                side.push(access);
            }
        }
    }
    let mut pairs = Vec::new();
    for [gone, new] in by_key.into_values() {
        let longest = gone.len().max(new.len());
        pairs.extend((0..longest).map(|at| (gone.get(at).copied(), new.get(at).copied())));
    }
    pairs
}

/// Who has no use of doors at an instant (R32): nothing opens, by hours or not, no booking is to come, and the person is
/// not blocked anyway.
///
/// S3:48 asks for people with "no access via their plan and no upcoming bookings". Taken at its word that would also
/// switch off those who have only doors given by hand, an assigned desk or a pass, whose access S3:46 keeps: they count
/// as active here for as long as those open something. A plan counts from its start on (R2), a booking as soon as it is made.
#[must_use]
pub fn inactive(outcome: &Outcome, at: Millis) -> Vec<PersonId> {
    let useful = |grant: &&Grant| {
        let begun = grant.kind == GrantKind::Booking || grant.window.from.is_none_or(|from| from <= at);
        grant.void.is_none() && begun && grant.window.until.is_none_or(|until| at < until)
    };
    let active: std::collections::HashSet<&PersonId> = outcome
        .grants
        .iter()
        .filter(useful)
        .map(|grant| &grant.person)
        .collect();
    let idle = outcome
        .people
        .iter()
        .filter(|holder| !active.contains(&holder.id));
    idle.map(|holder| holder.id.clone()).collect()
}
