//! Rows to facts. Pure: no network, no clock; the same rows and the same day give the same facts, in whatever order they
//! came, so a patched set is what a whole reading would have been.

use super::rows::{Assignment, Booking, Location, Member, Membership, Pass, PassStatus, Rows, Status};
use crate::{
    config::model::CardText,
    domain::{
        Credential, Millis, PersonId, Text,
        facts::{self, Catalogue, DoorAccess, Facts, Named, Person, ResourceKind, Standing, Team, When},
        time::DAY_MS,
    },
    platform::{FactsProblem, cards},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet};

/// The one kind of pass that there is: the integration for SALTO KS maps "Day Passes" as a whole (seed S4:111).
pub(super) const DAY_PASS: &str = "Day pass";
/// What ended longer ago than this explains no refusal any more, and is left out.
const FORGOTTEN_MS: Millis = 30 * DAY_MS;
/// A desk in an office in a wing: as far as anybody builds.
const MOST_PARENTS: usize = 8;

/// What the translation needs besides the rows.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// `[cloud.officernd] location`.
    pub(super) location: Option<String>,
    /// `card_format`.
    pub(super) cards: CardText,
    /// Of the site, where a location has none.
    pub(super) zone: TimeZone,
}

impl Site {
    /// The zone of the location that the site is.
    pub(super) fn zone(&self, locations: &BTreeMap<Text, Location>) -> TimeZone {
        let ours = match &self.location {
            Some(id) => locations.get(id.as_str()),
            None => locations.values().next().filter(|_| locations.len() == 1),
        };
        let named = ours.and_then(|location| TimeZone::get(location.zone.as_deref()?).ok());
        named.unwrap_or_else(|| self.zone.clone())
    }
}

/// The span of time of which bookings are read: whole days of UTC, so that it moves once a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Millis,
    pub(super) until: Millis,
}

impl Span {
    /// From yesterday, for buffers, over `days`.
    pub(super) fn around(now: Millis, days: Millis) -> Self {
        let today = now.saturating_sub(now.rem_euclid(DAY_MS));
        Self {
            from: today.saturating_sub(DAY_MS),
            until: today.saturating_add(days.saturating_add(1).saturating_mul(DAY_MS)),
        }
    }
}

/// The facts of these rows, and what was left out. `version` stays 0. Rows go as they are used up: rows and facts are never
/// in memory whole at the same time.
pub(super) fn facts(mut rows: Rows, site: &Site, span: Span, now: Millis) -> (Facts, Vec<FactsProblem>) {
    let mut problems = Vec::new();
    for (index, ((collection, id), text)) in rows.unread.iter().enumerate() {
        problems.push(problem(collection, index, None, id, text));
    }
    let zone = site.zone(&rows.locations);
    let today = day_of(now, &zone);
    let (resources, teams, catalogue) = (resources(&rows), teams(&rows), catalogue(&rows));
    let named_visitors: BTreeSet<Text> = rows
        .bookings
        .iter()
        .filter(|((_, from), row)| within(*from, row, span))
        .flat_map(|(_, booking)| booking.visitors.iter().cloned())
        .collect();
    let all = std::mem::take(&mut rows.bookings);
    let bookings = bookings(all, &rows, span, &mut problems);
    let assignments = std::mem::take(&mut rows.assignments).into_iter().enumerate();
    let assignments = assignments
        .filter_map(|(index, (id, row))| assignment(index, &id, row, &rows, &zone, now, &mut problems))
        .collect();
    let with_passes: BTreeSet<Text> = rows
        .passes
        .values_mut()
        .filter_map(|pass| pass.membership.take())
        .collect();
    let memberships = std::mem::take(&mut rows.memberships)
        .into_iter()
        .filter_map(|(id, row)| {
            let pass_based = with_passes.contains(&id);
            let mut made = membership(id, row, &zone, now)?;
            made.pass_based = pass_based;
            Some(made)
        });
    let memberships = memberships.collect();
    drop(with_passes);
    let all = std::mem::take(&mut rows.passes);
    let passes = passes(all, &rows, &zone, today, now);
    let mut people = Vec::with_capacity(rows.members.len());
    for (index, (id, member)) in rows.members.into_iter().enumerate() {
        people.push(person(&id, member, site, index, &mut problems));
    }
    for id in named_visitors {
        if let Some(visitor) = rows.visitors.get(&id) {
            let mut guest = Person::new(id.as_str(), visitor.name.as_str());
            guest.email.clone_from(&visitor.email);
            guest.standing = Standing::External;
            people.push(guest);
        }
    }
    let facts = Facts {
        version: 0,
        people,
        memberships,
        assignments,
        resources,
        bookings,
        passes,
        teams,
        catalogue,
    };
    (facts, problems)
}

fn problem(
    collection: &'static str,
    index: usize,
    field: Option<&'static str>,
    id: &str,
    text: &str,
) -> FactsProblem {
    FactsProblem {
        collection,
        index,
        field,
        id: id.to_owned(),
        text: text.to_owned(),
    }
}

fn person(id: &str, row: Member, site: &Site, index: usize, problems: &mut Vec<FactsProblem>) -> Person {
    let mut person = Person::new(id, row.name);
    person.email = row.email;
    person.team = row.company;
    person.deactivated = row.status == Status::Former;
    if row.status == Status::NotApproved {
        person.door_access = DoorAccess::Off;
    }
    if let (Some(ours), Some(theirs)) = (&site.location, &row.location)
        && ours != theirs
    {
        person.standing = Standing::Network;
    }
    let (found, unread) = credentials(row.cards.as_deref().unwrap_or_default(), site.cards);
    person.credentials = found;
    for error in unread {
        let text = format!("has a card that cannot be read ({error}); the card is left out");
        problems.push(problem("people", index, Some("credentials"), id, &text));
    }
    person
}

/// The cards in a text: several stand with commas, semicolons or line ends between them.
pub(super) fn credentials(
    text: &str,
    format: CardText,
) -> (Vec<Credential>, Vec<crate::domain::CredentialError>) {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for part in parts(text, format) {
        match cards::read(part, format) {
            Ok(credential) => found.push(credential),
            Err(error) => unread.push(error),
        }
    }
    found.sort_unstable();
    found.dedup();
    (found, unread)
}

/// The single numbers of a text. A comma parts a facility from its number in `wiegand26`, so there a line end or a
/// semicolon parts two cards.
pub(super) fn parts(text: &str, format: CardText) -> impl Iterator<Item = &str> {
    let comma = format != CardText::Wiegand26;
    let parts = text.split(move |c| matches!(c, ';' | '\n' | '\r') || (comma && c == ','));
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// Nobody's and unapproved ones are left out; so are those that ended long ago.
fn membership(id: Text, row: Membership, zone: &TimeZone, now: Millis) -> Option<facts::Membership> {
    if !row.approved || forgotten(row.ends, now) || (row.expired && row.ends.is_none()) {
        return None;
    }
    let mut made = facts::Membership::new(id, row.plan);
    made.person = row.member.map(PersonId::from);
    made.team = row.company;
    made.location = row.location;
    made.starts = row.starts.map(|at| When::Day(day_of_date(at, zone)));
    made.ends = row.ends.map(|at| When::Day(day_of_date(at, zone)));
    Some(made)
}

/// An assignment holds as long as both it and its membership do (facts: platforms.md 4.3).
fn assignment(
    index: usize,
    id: &str,
    row: Assignment,
    rows: &Rows,
    zone: &TimeZone,
    now: Millis,
    problems: &mut Vec<FactsProblem>,
) -> Option<facts::Assignment> {
    let Some(membership) = rows.memberships.get(&row.membership) else {
        let text = format!(
            "names membership {}, which is not among the memberships; left out",
            row.membership
        );
        problems.push(problem("assignments", index, Some("membership"), id, &text));
        return None;
    };
    let ends = [row.ends, membership.ends].into_iter().flatten().min();
    if !membership.approved || forgotten(ends, now) || (membership.expired && ends.is_none()) {
        return None;
    }
    let starts = [row.starts, membership.starts].into_iter().flatten().max();
    let mut made = facts::Assignment::new(id, row.resource);
    made.person = membership.member.as_deref().map(PersonId::from);
    made.team.clone_from(&membership.company);
    made.starts = starts.map(|at| When::Day(day_of_date(at, zone)));
    made.ends = ends.map(|at| When::Day(day_of_date(at, zone)));
    // The one began only after the other had ended: at no time both.
    match (made.starts, made.ends) {
        (Some(When::Day(first)), Some(When::Day(last))) if last < first => None,
        _ => Some(made),
    }
}

fn forgotten(ends: Option<Millis>, now: Millis) -> bool {
    ends.is_some_and(|ends| ends < now.saturating_sub(FORGOTTEN_MS))
}

fn resources(rows: &Rows) -> Vec<facts::Resource> {
    let one = |(id, row): (&Text, &super::rows::Resource)| {
        let kind = match row.kind.as_str() {
            "meeting_room" => ResourceKind::Room,
            "team_room" => ResourceKind::Office,
            "desk" | "desk_tr" | "hotdesk" | "desk_na" => ResourceKind::Desk,
            _ => ResourceKind::Other,
        };
        let mut made = facts::Resource::new(id.as_str(), row.name.as_str(), kind);
        made.floor = floor_of(rows, id);
        let by_floor = made
            .floor
            .as_ref()
            .and_then(|floor| rows.floors.get(floor)?.location.clone());
        made.location = row.location.clone().or(by_floor);
        made
    };
    rows.resources.iter().map(one).collect()
}

/// The resource's own floor, or that of the nearest parent that has one. A parent may be a floor itself.
fn floor_of(rows: &Rows, id: &str) -> Option<Text> {
    let mut level = vec![Text::from(id)];
    let mut seen = BTreeSet::new();
    for _ in 0..MOST_PARENTS {
        let mut above = Vec::new();
        for id in level {
            if rows.floors.contains_key(&id) {
                return Some(id);
            }
            let Some(row) = rows.resources.get(&id).filter(|_| seen.insert(id)) else {
                continue;
            };
            if row.floor.is_some() {
                return row.floor.clone();
            }
            above.extend(row.parents.iter().cloned());
        }
        level = above;
    }
    None
}

pub(super) const fn within(from: Millis, row: &Booking, span: Span) -> bool {
    !row.cancelled && row.until > span.from && from < span.until
}

/// A booking is its own times: service slots are the staff's, who clean before and after, and open nothing.
fn bookings(
    all: BTreeMap<(Text, Millis), Booking>,
    rows: &Rows,
    span: Span,
    problems: &mut Vec<FactsProblem>,
) -> Vec<facts::Booking> {
    let mut made = Vec::with_capacity(all.len());
    let mut all = all.into_iter().peekable();
    let (mut before, mut index) = (Text::default(), 0);
    while let Some(((id, from), row)) = all.next() {
        // In the order of the ids: occurrences of one booking stand side by side.
        let next = all.peek().is_some_and(|((next, _), _)| *next == id);
        let one_of_many = row.series || next || before == id;
        before.clone_from(&id);
        if !within(from, &row, span) {
            continue;
        }
        let name = match Timestamp::from_millisecond(from) {
            Ok(at) if one_of_many => Text::from(format!("{id}@{at}")),
            _ => id.clone(),
        };
        let mut booking = facts::Booking::new(name, row.resource, from, row.until);
        booking.tentative = row.tentative;
        // Somebody who is gone altogether: those who were invited keep the booking.
        booking.person = row
            .member
            .as_deref()
            .filter(|id| rows.members.contains_key(*id))
            .map(PersonId::from);
        if let (Some(member), None) = (&row.member, &booking.person) {
            let text = format!("is of {member}, who is not among the members; opens for those invited only");
            problems.push(problem("bookings", index, Some("person"), &id, &text));
        }
        let known = |id: &&Text| rows.members.contains_key(*id) || rows.visitors.contains_key(*id);
        let guests = row.members.iter().chain(&row.visitors).filter(known);
        booking.invitees = guests.map(|id| PersonId::from(id.as_str())).collect();
        booking.invitees.sort_unstable();
        booking.invitees.dedup();
        made.push(booking);
        index += 1;
    }
    made
}

/// Passes, and those that somebody is in on today. A pass that is used up is in the facts only as long as that.
fn passes(
    all: BTreeMap<Text, Pass>,
    rows: &Rows,
    zone: &TimeZone,
    today: Date,
    now: Millis,
) -> Vec<facts::Pass> {
    let in_use: BTreeSet<&str> = rows
        .check_ins
        .values()
        .filter_map(|it| it.pass.as_deref())
        .collect();
    let holders: BTreeMap<Text, Option<Text>> = in_use
        .into_iter()
        .filter_map(|id| Some((id.into(), all.get(id)?.member.clone())))
        .collect();
    let mut made = Vec::with_capacity(all.len());
    for (id, row) in all {
        if row.status == PassStatus::Pending || forgotten(row.ends, now) {
            continue;
        }
        made.push(pass(id, row, zone));
    }
    for check_in in rows.check_ins.values() {
        let Some((id, holder)) = check_in.pass.as_ref().and_then(|id| holders.get_key_value(id)) else {
            continue;
        };
        if day_of(check_in.from, zone) != today {
            continue;
        }
        // The pass is in use, used up or not (R23); a company's pass only by the one who is in.
        let Some(until) = check_in.until.or_else(|| midnight_after(check_in.from, zone)) else {
            continue;
        };
        let own = holder.as_ref() == Some(&check_in.member);
        match made.iter_mut().find(|pass| own && pass.id == *id) {
            Some(pass) => pass.running_until = pass.running_until.max(Some(until)),
            None => {
                let name = format!("{id}@{}", check_in.member);
                if made.iter().any(|pass| pass.id == name) || !rows.members.contains_key(&check_in.member) {
                    continue;
                }
                let mut running = facts::Pass::new(name, DAY_PASS);
                running.person = Some(PersonId::from(check_in.member.as_str()));
                running.left = Some(0);
                running.running_until = Some(until);
                made.push(running);
            }
        }
    }
    made
}

fn pass(id: Text, row: Pass, zone: &TimeZone) -> facts::Pass {
    let mut made = facts::Pass::new(id, DAY_PASS);
    made.person = row.member.map(PersonId::from);
    made.team = row.company;
    made.left = Some(if row.status == PassStatus::Valid {
        row.left
    } else {
        0
    });
    made.starts = row.starts.map(|at| When::Day(day_of_date(at, zone)));
    made.ends = row.ends.map(|at| When::Day(day_of_date(at, zone)));
    made
}

fn teams(rows: &Rows) -> Vec<Team> {
    let one = |(id, name): (&Text, &Text)| Team {
        id: id.clone(),
        name: name.clone(),
        payer: None,
    };
    rows.companies.iter().map(one).collect()
}

pub(super) fn catalogue(rows: &Rows) -> Catalogue {
    let one = |id: &Text, name: &Text| Named {
        id: id.clone(),
        name: name.clone(),
    };
    Catalogue {
        plans: rows.plans.iter().map(|(id, name)| one(id, name)).collect(),
        locations: rows
            .locations
            .iter()
            .map(|(id, row)| one(id, &row.name))
            .collect(),
        floors: rows.floors.iter().map(|(id, row)| one(id, &row.name)).collect(),
        passes: vec![Named {
            id: "day_pass".into(),
            name: DAY_PASS.into(),
        }],
        groups: Vec::new(),
    }
}

/// The local day of an instant.
pub(super) fn day_of(at: Millis, zone: &TimeZone) -> Date {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    zone.to_datetime(at).date()
}

/// The day that a date field means. The platform writes days as instants: midnight UTC, or midnight of the location, or
/// the last moment of either. An instant within a second of a midnight of UTC is that day of UTC; else the local day.
fn day_of_date(at: Millis, zone: &TimeZone) -> Date {
    let into = at.rem_euclid(DAY_MS);
    if into == 0 || into >= DAY_MS - 1_000 {
        return day_of(at, &TimeZone::UTC);
    }
    day_of(at, zone)
}

/// The end of the local day of an instant: where a check-in without an end runs to (facts: platforms.md 4.4).
pub(super) fn midnight_after(at: Millis, zone: &TimeZone) -> Option<Millis> {
    let next = day_of(at, zone).tomorrow().ok()?;
    let start = next.to_zoned(zone.clone()).ok()?;
    Some(start.timestamp().as_millisecond())
}

/// The begin of the local day of an instant.
pub(super) fn midnight_before(at: Millis, zone: &TimeZone) -> Option<Millis> {
    let start = day_of(at, zone).to_zoned(zone.clone()).ok()?;
    Some(start.timestamp().as_millisecond())
}
