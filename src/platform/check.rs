//! Facts that contradict themselves.
//!
//! A single bad item is left out and named, because that can only take access away, and the rest of the site
//! should not wait for it. More than a few in a set mean that the platform or its adapter is broken, and the
//! set is refused whole: the doors go on with the last good one (invariant 4).

use super::PlatformError;
use crate::domain::{
    PersonId, Text,
    facts::{Assignment, Booking, Catalogue, Facts, Membership, Pass, Person, Resource, Team, When},
};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
};

/// So many problems are always borne: a small site has a few odd records as well.
const ALWAYS_BORNE: usize = 5;
/// One item in this many may be bad (2 %).
const ONE_IN: usize = 50;

/// One item that contradicts itself or the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsProblem {
    /// Which collection, as the contract names it.
    pub collection: &'static str,
    /// Which item of it, 0 first.
    pub index: usize,
    /// Which field, where one is to blame.
    pub field: Option<&'static str>,
    /// The item's id.
    pub id: String,
    /// What is wrong with it and what became of it, as the rest of a sentence.
    pub text: String,
}

impl fmt::Display for FactsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() {
            write!(f, "{}, item {}: {}", self.collection, self.index + 1, self.text)
        } else {
            write!(f, "{} {}: {}", self.collection, self.id, self.text)
        }
    }
}

/// A fact and its place in its collection.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    pub(super) index: usize,
    pub(super) fact: T,
}

/// Facts that were read and not yet compared with each other.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub(super) people: Vec<Numbered<Person>>,
    pub(super) memberships: Vec<Numbered<Membership>>,
    pub(super) assignments: Vec<Numbered<Assignment>>,
    pub(super) resources: Vec<Numbered<Resource>>,
    pub(super) bookings: Vec<Numbered<Booking>>,
    pub(super) passes: Vec<Numbered<Pass>>,
    /// Taken as they are: nothing refers to them by need.
    pub(super) teams: Vec<Team>,
    /// As `teams`.
    pub(super) catalogue: Catalogue,
}

/// The facts that hold together, and what was left out. `version` becomes theirs.
pub(super) fn check(
    candidates: Candidates,
    version: u64,
    mut problems: Vec<FactsProblem>,
) -> (Facts, Vec<FactsProblem>) {
    let people = unique(
        "people",
        candidates.people,
        |it| it.id.as_str(),
        &mut problems,
        merge_people,
    );
    let resources = unique(
        "resources",
        candidates.resources,
        |it| &it.id,
        &mut problems,
        drop_both,
    );
    let known = Known {
        people: people.iter().map(|it| it.fact.id.clone()).collect(),
        resources: resources.iter().map(|it| it.fact.id.clone()).collect(),
    };
    let mut memberships = unique(
        "memberships",
        candidates.memberships,
        |it| &it.id,
        &mut problems,
        drop_both,
    );
    retain(
        "memberships",
        &mut memberships,
        |it| &it.id,
        &mut problems,
        |it| {
            known.holder(it.person.as_ref(), it.team.as_ref())?;
            in_order(it.starts, it.ends)
        },
    );
    let mut assignments = unique(
        "assignments",
        candidates.assignments,
        |it| &it.id,
        &mut problems,
        drop_both,
    );
    retain(
        "assignments",
        &mut assignments,
        |it| &it.id,
        &mut problems,
        |it| {
            known.holder(it.person.as_ref(), it.team.as_ref())?;
            known.resource(&it.resource)?;
            in_order(it.starts, it.ends)
        },
    );
    let mut passes = unique("passes", candidates.passes, |it| &it.id, &mut problems, drop_both);
    retain(
        "passes",
        &mut passes,
        |it| &it.id,
        &mut problems,
        |it| {
            known.holder(it.person.as_ref(), it.team.as_ref())?;
            in_order(it.starts, it.ends)
        },
    );
    let mut bookings = unique(
        "bookings",
        candidates.bookings,
        |it| &it.id,
        &mut problems,
        drop_both,
    );
    retain(
        "bookings",
        &mut bookings,
        |it| &it.id,
        &mut problems,
        |it| {
            if it.until <= it.from {
                return Err(Flaw::new("until", "ends before it begins; left out"));
            }
            known.resource(&it.resource)?;
            it.person.as_ref().map_or(Ok(()), |person| known.person(person))
        },
    );
    for booking in &mut bookings {
        known.invitees(booking, &mut problems);
    }
    let facts = Facts {
        version,
        people: plain(people),
        memberships: plain(memberships),
        assignments: plain(assignments),
        resources: plain(resources),
        bookings: plain(bookings),
        passes: plain(passes),
        teams: candidates.teams,
        catalogue: candidates.catalogue,
    };
    (facts, problems)
}

/// Refuses the whole set when more than a few of its `items` are bad.
pub(super) fn bearable(problems: &[FactsProblem], items: usize, place: &str) -> Result<(), PlatformError> {
    if problems.len() <= ALWAYS_BORNE.max(items / ONE_IN) {
        return Ok(());
    }
    let first: Vec<String> = problems.iter().take(3).map(ToString::to_string).collect();
    Err(PlatformError::malformed(format_args!(
        "{} of {items} items from {place} contradict themselves, so none are taken and the doors go on with the last good facts; first: {}; correct them there",
        problems.len(),
        first.join("; ")
    )))
}

fn numbered<T>(items: Vec<T>) -> Vec<Numbered<T>> {
    let numbered = items.into_iter().enumerate();
    numbered.map(|(index, fact)| Numbered { index, fact }).collect()
}

impl From<Facts> for Candidates {
    fn from(facts: Facts) -> Self {
        Self {
            people: numbered(facts.people),
            memberships: numbered(facts.memberships),
            assignments: numbered(facts.assignments),
            resources: numbered(facts.resources),
            bookings: numbered(facts.bookings),
            passes: numbered(facts.passes),
            teams: facts.teams,
            catalogue: facts.catalogue,
        }
    }
}

fn plain<T>(items: Vec<Numbered<T>>) -> Vec<T> {
    items.into_iter().map(|item| item.fact).collect()
}

/// What is wrong with one item.
struct Flaw {
    field: &'static str,
    text: String,
}

impl Flaw {
    fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self {
            field,
            text: text.into(),
        }
    }
}

struct Known {
    people: HashSet<PersonId>,
    resources: HashSet<Text>,
}

impl Known {
    fn person(&self, id: &PersonId) -> Result<(), Flaw> {
        if self.people.contains(id) {
            return Ok(());
        }
        Err(Flaw::new(
            "person",
            format!("names person {id}, who is not among the people; left out"),
        ))
    }
    fn resource(&self, id: &str) -> Result<(), Flaw> {
        if self.resources.contains(id) {
            return Ok(());
        }
        let text = format!("names resource {id}, which is not among the resources; left out");
        Err(Flaw::new("resource", text))
    }
    fn holder(&self, person: Option<&PersonId>, team: Option<&Text>) -> Result<(), Flaw> {
        match (person, team) {
            (Some(person), _) => self.person(person),
            (None, Some(_)) => Ok(()), // a team may have no people yet
            (None, None) => Err(Flaw::new("person", "names neither a person nor a team; left out")),
        }
    }
    fn invitees(&self, booking: &mut Numbered<Booking>, problems: &mut Vec<FactsProblem>) {
        let (index, id) = (booking.index, booking.fact.id.clone());
        booking.fact.invitees.retain(|invitee| {
            let known = self.people.contains(invitee);
            if !known {
                problems.push(FactsProblem {
                    collection: "bookings",
                    index,
                    field: Some("invitees"),
                    id: id.clone().into(),
                    text: format!("invites {invitee}, who is not among the people; the invitee is left out"),
                });
            }
            known
        });
    }
}

/// Ends of different kinds are compared by the rules, which know the zone.
fn in_order(starts: Option<When>, ends: Option<When>) -> Result<(), Flaw> {
    let wrong = match (starts, ends) {
        (Some(When::Day(first)), Some(When::Day(last))) => last < first,
        (Some(When::At(from)), Some(When::At(until))) => until <= from,
        _ => false,
    };
    if wrong {
        return Err(Flaw::new("ends", "ends before it begins; left out"));
    }
    Ok(())
}

fn retain<T>(
    collection: &'static str,
    items: &mut Vec<Numbered<T>>,
    id: fn(&T) -> &str,
    problems: &mut Vec<FactsProblem>,
    sound: impl Fn(&T) -> Result<(), Flaw>,
) {
    items.retain(|item| match sound(&item.fact) {
        Ok(()) => true,
        Err(flaw) => {
            problems.push(FactsProblem {
                collection,
                index: item.index,
                field: Some(flaw.field),
                id: id(&item.fact).to_owned(),
                text: flaw.text,
            });
            false
        }
    });
}

/// What becomes of two different items with one id: a replacement for both, if any, and the words.
type Settle<T> = fn(&T, &T) -> (Option<T>, &'static str);

/// One item an id. The same item twice is kept once; different ones are settled, and named at the second.
fn unique<T: PartialEq>(
    collection: &'static str,
    items: Vec<Numbered<T>>,
    id: fn(&T) -> &str,
    problems: &mut Vec<FactsProblem>,
    settle: Settle<T>,
) -> Vec<Numbered<T>> {
    let mut seen = HashSet::with_capacity(items.len());
    if items.iter().all(|item| seen.insert(id(&item.fact))) {
        return items;
    }
    drop(seen);
    // The place in `kept` for each id. A place stays when its item is dropped, so that a third copy is dropped too.
    let mut places: HashMap<String, usize> = HashMap::with_capacity(items.len());
    let mut kept: Vec<Option<Numbered<T>>> = Vec::with_capacity(items.len());
    for item in items {
        let name = id(&item.fact).to_owned();
        match places.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(kept.len());
                kept.push(Some(item));
            }
            Entry::Occupied(entry) => {
                let Some(place) = kept.get_mut(*entry.get()) else {
                    continue;
                };
                let index = place.as_ref().map_or(item.index, |first| first.index);
                let (settled, text) = match place.as_ref() {
                    Some(first) if first.fact == item.fact => (
                        place.take().map(|first| first.fact),
                        "is listed twice, alike; taken once",
                    ),
                    Some(first) => settle(&first.fact, &item.fact),
                    None => (None, "is listed again with other contents; left out"),
                };
                problems.push(FactsProblem {
                    collection,
                    index: item.index,
                    field: Some("id"),
                    id: entry.key().clone(),
                    text: text.to_owned(),
                });
                *place = settled.map(|fact| Numbered { index, fact });
            }
        }
    }
    kept.into_iter().flatten().collect()
}

fn drop_both<T>(_: &T, _: &T) -> (Option<T>, &'static str) {
    (None, "is listed twice with different contents; both are left out")
}

/// A person twice with different contents gets nothing, and stays known as blocked with all the cards of both:
/// leaving the cards out could make somebody else the only holder of one (R34).
fn merge_people(first: &Person, second: &Person) -> (Option<Person>, &'static str) {
    let mut both = first.clone();
    both.deactivated = true;
    both.credentials.extend_from_slice(&second.credentials);
    both.credentials.sort_unstable();
    both.credentials.dedup();
    (
        Some(both),
        "is listed twice with different contents; opens nothing until that is put right",
    )
}
