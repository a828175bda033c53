//! Rows to facts. Pure: the same rows always give the same facts.

use super::{
    model::Times,
    rows::{BookingRow, ExternalRow, MemberRow, Rows, TokenRow},
};
use crate::{
    config::model::CardText,
    domain::{
        Credential, Millis, PersonId,
        facts::{
            Assignment, Booking, Catalogue, Facts, Membership, Named, Pass, Person, Resource, Standing, Team,
            When,
        },
    },
    platform::{FactsProblem, cards},
};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Unreadable tokens that are named one by one; the rest is counted. Where a site has set the wrong `card_format` all of
/// them are unreadable, and the members should not be lost for that.
const NAMED_TOKENS: usize = 3;

/// The space and how it is to be understood.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) cards: CardText,
    pub(super) zone: TimeZone,
}

/// The facts in these rows, and what had to be left out. Rows go as they are used up: rows and facts are never in memory
/// whole at the same time.
pub(super) fn translate(mut rows: Rows, space: &Space) -> (Facts, Vec<FactsProblem>) {
    let mut problems = Vec::new();
    let member_rows = std::mem::take(&mut rows.members);
    let members: HashMap<&str, &MemberRow> = member_rows.iter().map(|it| (&*it.id, it)).collect();
    let catalogue = catalogue(&rows, space);
    let (bookings, outsiders) = bookings(&rows, &member_rows, &members, space, &mut problems);
    (rows.near, rows.far, rows.externals) = Default::default();
    let mut people = people(&member_rows, &rows.tokens, space, &mut problems);
    rows.tokens = Vec::new();
    let (passes, visitors) = passes(&rows, &members, space, &mut problems);
    (rows.passes, rows.drop_ins, rows.sessions) = Default::default();
    let memberships = memberships(&rows, &members);
    rows.plans = Vec::new();
    // The smallest id of a booking or pass names a contact who has several.
    let mut external: BTreeMap<PersonId, (Box<str>, Person)> = BTreeMap::new();
    for (source, person) in outsiders.into_iter().chain(visitors) {
        let first = external
            .entry(person.id.clone())
            .or_insert_with(|| (source.clone(), person.clone()));
        if source < first.0 {
            *first = (source, person);
        }
    }
    people.extend(external.into_values().map(|(_, person)| person));
    let facts = Facts {
        version: 0,
        people,
        memberships,
        assignments: assignments(&rows, &members),
        resources: resources(&rows, space),
        bookings,
        passes,
        teams: rows
            .teams
            .iter()
            .map(|it| Team {
                id: (&*it.id).into(),
                name: (&*it.name).into(),
                payer: None,
            })
            .collect(),
        catalogue,
    };
    (facts, problems)
}

fn problem(
    collection: &'static str,
    index: usize,
    field: &'static str,
    id: &str,
    text: String,
) -> FactsProblem {
    FactsProblem {
        collection,
        index,
        field: Some(field),
        id: id.to_owned(),
        text,
    }
}

fn people(
    members: &[MemberRow],
    tokens: &[TokenRow],
    space: &Space,
    problems: &mut Vec<FactsProblem>,
) -> Vec<Person> {
    let mut held = cards_of(tokens, space.cards, problems);
    members
        .iter()
        .map(|it| Person {
            email: it.email.as_deref().map(Into::into),
            team: it.team.as_deref().map(Into::into),
            joined: it.confirmed.map(When::Day),
            credentials: held.remove(&*it.id).unwrap_or_default(),
            ..Person::new(&*it.id, named(&it.name, it.email.as_deref(), &it.id))
        })
        .collect()
}

fn named(name: &str, email: Option<&str>, id: &str) -> String {
    let name = name.trim();
    if name.is_empty() {
        return email.unwrap_or(id).to_owned();
    }
    name.to_owned()
}

/// The cards among the check-in tokens, by membership.
fn cards_of<'a>(
    tokens: &'a [TokenRow],
    format: CardText,
    problems: &mut Vec<FactsProblem>,
) -> HashMap<&'a str, Vec<Credential>> {
    let mut held: HashMap<&str, Vec<Credential>> = HashMap::new();
    let mut unreadable = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        let text = token.text.reveal();
        if is_mac(text) {
            continue; // somebody's telephone on the wireless network: no card
        }
        match cards::read(text, format) {
            Ok(card) => {
                let cards = held.entry(&*token.membership).or_default();
                cards.push(card);
                cards.sort_unstable();
                cards.dedup();
            }
            Err(error) => {
                unreadable += 1;
                if unreadable <= NAMED_TOKENS {
                    let text = format!(
                        "has a check-in token that is no card ({error}); the token is left out; if it is one, set [cloud] card_format"
                    );
                    problems.push(problem("people", index, "credentials", &token.membership, text));
                }
            }
        }
    }
    if unreadable > NAMED_TOKENS {
        let more = unreadable - NAMED_TOKENS;
        let text = format!("{more} more check-in tokens are no cards; set [cloud] card_format if they are");
        problems.push(problem("people", 0, "credentials", "", text));
    }
    held
}

/// The hardware address of a telephone: six bytes in hexadecimal.
pub(super) fn is_mac(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let rest = text
        .bytes()
        .filter(|byte| matches!(byte, b':' | b'-' | b'.'))
        .count();
    digits == 12
        && digits + rest == text.len()
        && (rest > 0 || text.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// A plan holds from when both it and the membership have begun (C14) until the first of them ends; both ends are
/// last days (facts: platforms.md 2.6).
fn memberships(rows: &Rows, members: &HashMap<&str, &MemberRow>) -> Vec<Membership> {
    let made = rows.plans.iter().filter_map(|plan| {
        let member = members.get(&*plan.membership)?;
        let starts = member.confirmed?.max(plan.starts);
        let ends = earlier(plan.canceled, member.canceled);
        if ends.is_some_and(|ends| ends < starts) {
            return None; // cancelled before it began
        }
        Some(Membership {
            person: Some(PersonId::from(&*member.id)),
            starts: Some(When::Day(starts)),
            ends: ends.map(When::Day),
            cancelled: member.canceled.is_some() && ends == member.canceled,
            pass_based: rows.needs_passes.get(&plan.name).is_some_and(|(needs, _)| *needs),
            ..Membership::new(&*plan.id, &*plan.name)
        })
    });
    made.collect()
}

fn earlier<T: Ord + Copy>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// What a cancelled membership holds ends with it (S3:81).
fn assignments(rows: &Rows, members: &HashMap<&str, &MemberRow>) -> Vec<Assignment> {
    let made = rows.allocations.iter().filter_map(|it| {
        let to = it.to.as_deref()?;
        let mut ends = it.canceled;
        let (mut person, mut team) = (None, None);
        if it.team {
            team = Some(to.to_owned());
        } else {
            let member = members.get(to)?; // gone for long
            ends = earlier(ends, member.canceled);
            person = Some(PersonId::from(to));
        }
        if ends.is_some_and(|ends| ends < it.starts) {
            return None;
        }
        Some(Assignment {
            person,
            team: team.map(Into::into),
            starts: Some(When::Day(it.starts)),
            ends: ends.map(When::Day),
            ..Assignment::new(&*it.id, &*it.resource)
        })
    });
    made.collect()
}

fn resources(rows: &Rows, space: &Space) -> Vec<Resource> {
    let here = |it: &Resource| Resource {
        location: Some(space.id.as_str().into()),
        ..it.clone()
    };
    rows.resources.iter().map(here).collect()
}

/// The first instant after a local day.
fn after(day: Date, zone: &TimeZone) -> Option<Millis> {
    let next = day.checked_add(1.day()).ok()?;
    Some(next.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

/// Somebody who is no member, with the booking or pass that names them.
type Outsider = (Box<str>, Person);

fn outsider(kind: &str, id: &str, contact: Option<&str>, name: &str, email: Option<&str>) -> Person {
    let who = contact.map_or_else(|| format!("{kind}:{id}"), |contact| format!("contact:{contact}"));
    Person {
        email: email.map(Into::into),
        standing: Standing::External,
        ..Person::new(who.as_str(), named(name, email, id))
    }
}

fn bookings(
    rows: &Rows,
    member_rows: &[MemberRow],
    members: &HashMap<&str, &MemberRow>,
    space: &Space,
    problems: &mut Vec<FactsProblem>,
) -> (Vec<Booking>, Vec<Outsider>) {
    let known: HashSet<&str> = rows.resources.iter().map(|it| it.id.as_str()).collect();
    let emails = by_email(rows, member_rows);
    let ends: HashMap<&str, Millis> = members
        .values()
        .filter_map(|it| Some((&*it.id, after(it.canceled?, &space.zone)?)))
        .collect();
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    let mut made = Vec::new();
    for (row, resource) in rows.bookings().map(|row| (row, &*row.resource)) {
        let over = |id: &str| ends.get(id).is_some_and(|end| row.from >= *end);
        if row.external || row.membership.as_deref().is_some_and(over) {
            continue; // told better below; or of a membership that is over by then
        }
        if !known.contains(resource) {
            *missing.entry(resource).or_default() += 1;
            continue;
        }
        made.push(booking(row, members, &emails));
    }
    let mut outsiders = Vec::new();
    for row in &rows.externals {
        let Some(resource) = row.resource.as_deref().filter(|_| &*row.status != "canceled") else {
            continue;
        };
        if !known.contains(resource) {
            *missing.entry(resource).or_default() += 1;
            continue;
        }
        let person = external_person(row);
        made.push(Booking {
            person: Some(person.id.clone()),
            tentative: &*row.status != "approved",
            ..Booking::new(&*row.id, resource, row.from, row.until)
        });
        outsiders.push((row.id.clone(), person));
    }
    for (resource, count) in missing {
        let text =
            format!("is booked {count} times and is not among the resources; those bookings are left out");
        problems.push(problem("resources", 0, "id", resource, text));
    }
    (made, outsiders)
}

fn external_person(row: &ExternalRow) -> Person {
    outsider(
        "external",
        &row.id,
        row.contact.as_deref(),
        &row.name,
        row.email.as_deref(),
    )
}

fn booking(
    row: &BookingRow,
    members: &HashMap<&str, &MemberRow>,
    emails: &HashMap<String, Option<&str>>,
) -> Booking {
    let booker = row.membership.as_deref().filter(|id| members.contains_key(id));
    let mut invitees: Vec<PersonId> = row
        .attendees
        .iter()
        .filter_map(|email| (*emails.get(&**email)?).filter(|id| Some(*id) != booker))
        .map(PersonId::from)
        .collect();
    invitees.sort_unstable();
    invitees.dedup();
    Booking {
        person: booker.map(PersonId::from),
        invitees,
        ..Booking::new(&*row.id, &*row.resource, row.from, row.until)
    }
}

/// Attendees are named by their e-mail alone. An address of two members is nobody's.
fn by_email<'a>(rows: &Rows, members: &'a [MemberRow]) -> HashMap<String, Option<&'a str>> {
    let mut emails: HashMap<String, Option<&str>> = HashMap::new();
    if rows.bookings().all(|it| it.attendees.is_empty()) {
        return emails;
    }
    for it in members {
        if let Some(email) = &it.email {
            emails
                .entry(email.to_lowercase())
                .and_modify(|holder| *holder = None)
                .or_insert(Some(&*it.id));
        }
    }
    emails
}

fn passes(
    rows: &Rows,
    members: &HashMap<&str, &MemberRow>,
    space: &Space,
    problems: &mut Vec<FactsProblem>,
) -> (Vec<Pass>, Vec<Outsider>) {
    let mut made: BTreeMap<&str, Pass> = BTreeMap::new();
    for (index, row) in rows.passes.iter().enumerate() {
        let Some(member) = members.get(&*row.membership) else {
            continue;
        };
        let Ok(hours) = hours(&row.times) else {
            problems.push(odd_hours(index, &row.id));
            continue;
        };
        let over = member.canceled.and_then(|day| after(day, &space.zone));
        made.insert(
            &row.id,
            Pass {
                person: Some(PersonId::from(&*row.membership)),
                left: Some(1),
                ends: earlier(row.expires, over).map(When::At),
                hours,
                ..Pass::new(&*row.id, &*row.kind)
            },
        );
    }
    for row in &rows.sessions {
        let (Some(id), Some(kind)) = (row.pass.as_deref(), row.kind.as_deref()) else {
            continue; // a check-in that took no pass
        };
        if !members.contains_key(&*row.membership) {
            continue;
        }
        let pass = made.entry(id).or_insert_with(|| Pass {
            person: Some(PersonId::from(&*row.membership)),
            left: Some(0),
            ..Pass::new(id, kind)
        });
        pass.running_until = pass.running_until.max(Some(row.until));
    }
    let mut all: Vec<Pass> = made.into_values().collect();
    let mut visitors = Vec::new();
    for (index, row) in rows.drop_ins.iter().enumerate().filter(|(_, row)| row.confirmed) {
        let Ok(hours) = hours(&row.times) else {
            problems.push(odd_hours(index, &row.id));
            continue;
        };
        let (name, email) = (row.name.as_deref().unwrap_or_default(), row.email.as_deref());
        let person = outsider("drop-in", &row.id, row.contact.as_deref(), name, email);
        all.push(Pass {
            person: Some(person.id.clone()),
            starts: Some(When::Day(row.day)),
            ends: Some(When::Day(row.day)),
            hours,
            ..Pass::new(&*row.id, &*row.kind)
        });
        visitors.push((row.id.clone(), person));
    }
    (all, visitors)
}

fn hours(times: &Times) -> Result<Option<crate::domain::opening::Week>, ()> {
    match times {
        Times::Any => Ok(None),
        Times::Week(week) => Ok(Some(week.clone())),
        Times::Odd => Err(()),
    }
}

fn odd_hours(index: usize, id: &str) -> FactsProblem {
    let text = "has hours that make no sense; the pass is left out".to_owned();
    problem("passes", index, "hours", id, text)
}

/// Cobot maps by the plan's name (S3:58), so the name is the id here too.
fn catalogue(rows: &Rows, space: &Space) -> Catalogue {
    let plans: BTreeSet<&str> = rows.plans.iter().map(|it| &*it.name).collect();
    let running = rows.sessions.iter().filter_map(|it| it.kind.as_deref());
    let kinds: BTreeSet<&str> = rows
        .passes
        .iter()
        .map(|it| &*it.kind)
        .chain(running)
        .chain(rows.drop_ins.iter().map(|it| &*it.kind))
        .collect();
    let alike = |names: BTreeSet<&str>| {
        let named = |name: &str| Named {
            id: name.into(),
            name: name.into(),
        };
        names.into_iter().map(named).collect()
    };
    Catalogue {
        plans: alike(plans),
        passes: alike(kinds),
        locations: vec![Named {
            id: space.id.as_str().into(),
            name: space.name.as_str().into(),
        }],
        ..Catalogue::default()
    }
}
