//! Grants to access groups. Whoever may open something for good is in the group of that thing; whoever may until a day is in
//! one that ends with that day; a booking has one for its window. So everything that ends, ends at KS by itself.

use super::{
    Given, Group, Why,
    hours::{self, Hours, MINUTE, day_start, floor, local},
    people::mark,
};
use crate::domain::{
    Grant, GrantKind, GroupId, Millis, PersonId, Window, grant::Target, site::Schedule, time::DAY_MS,
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A window of this length or shorter is told to KS from its beginning, before it begins.
const SHORT: Millis = 31 * DAY_MS;

/// What the grants come to.
#[derive(Debug, Default)]
pub(super) struct Groups<'a> {
    pub(super) by_name: BTreeMap<String, Group>,
    /// Who has use of a door of KS, and why.
    pub(super) used: HashMap<&'a PersonId, Why>,
    pub(super) next: Option<Millis>,
}

/// How a grant is told to KS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// For good.
    Standing,
    /// Until then; membership begins when the right does.
    Until(Millis),
    /// From then until then.
    Exact(Millis, Millis),
}

/// A thing with locks of KS, and its hours.
struct Thing<'a> {
    label: String,
    locks: BTreeSet<String>,
    hours: Option<&'a Schedule>,
}

/// Groups by name, and what KS cannot be told.
pub(super) fn groups<'a>(given: &Given<'a>) -> (Groups<'a>, Vec<String>) {
    let mut book = Book::new(given);
    for grant in &given.snapshot.grants {
        book.take(grant);
    }
    book.finish()
}

struct Book<'a, 'g> {
    given: &'g Given<'a>,
    things: BTreeMap<Target, Thing<'a>>,
    /// Who is where: the strongest place comes first.
    places: BTreeMap<(&'a Target, &'a PersonId), BTreeMap<Place, &'a Grant>>,
    blocked: BTreeSet<&'a PersonId>,
    groups: Groups<'a>,
    notes: Vec<String>,
}

impl<'a, 'g> Book<'a, 'g> {
    fn new(given: &'g Given<'a>) -> Self {
        let site = given.site;
        let locks = |doors: &mut dyn Iterator<Item = &'a crate::domain::DoorId>| -> BTreeSet<String> {
            doors
                .filter_map(|door| given.doors.lock(door.as_str()).map(str::to_owned))
                .collect()
        };
        let of_group = site.groups.iter().map(|group| {
            let hours = group.hours.as_ref();
            let thing = Thing {
                label: group.id.to_string(),
                locks: locks(&mut group.doors.iter()),
                hours: hours.and_then(|id| site.schedules.iter().find(|schedule| schedule.id == *id)),
            };
            (Target::Group(group.id.clone()), thing)
        });
        let of_door = site.doors.iter().map(|door| {
            let thing = Thing {
                label: format!("door {}", door.id),
                locks: locks(&mut std::iter::once(&door.id)),
                hours: None,
            };
            (Target::Door(door.id.clone()), thing)
        });
        let blocked = given
            .snapshot
            .blocks
            .iter()
            .filter_map(|block| match &block.target {
                crate::domain::BlockTarget::Person(person) => Some(person),
                crate::domain::BlockTarget::Credential(_) => None,
            });
        Self {
            things: of_group
                .chain(of_door)
                .filter(|(_, thing)| !thing.locks.is_empty())
                .collect(),
            blocked: blocked.collect(),
            given,
            places: BTreeMap::new(),
            groups: Groups::default(),
            notes: Vec::new(),
        }
    }

    fn take(&mut self, grant: &'a Grant) {
        let known = self.things.contains_key(&grant.target);
        if !known || grant.void.is_some() || grant.window.is_empty() || self.blocked.contains(&grant.person) {
            return;
        }
        let now = self.given.now;
        let ahead = Millis::try_from(self.given.config.bookings_ahead.as_millis()).unwrap_or(DAY_MS);
        let Window { from, until } = grant.window;
        let until = until.map(floor);
        if until.is_some_and(|until| until <= now) {
            return;
        }
        let begun = from.is_none_or(|from| floor(from) <= now);
        let booking = grant.kind == GrantKind::Booking;
        let place = match (from, until) {
            (Some(from), Some(until)) if booking || until.saturating_sub(from) <= SHORT => {
                let from = floor(from);
                let comes_near = from.saturating_sub(ahead);
                self.wake(comes_near);
                (comes_near <= now).then_some(Place::Exact(from, until))
            }
            (from, until) => {
                from.map(floor).into_iter().for_each(|from| self.wake(from));
                let place = until.map_or(Place::Standing, Place::Until);
                begun.then_some(place)
            }
        };
        until.into_iter().for_each(|until| self.wake(until));
        if begun || booking || place.is_some() {
            self.groups
                .used
                .entry(&grant.person)
                .or_insert_with(|| Why::grant(grant));
        }
        if let Some(place) = place {
            let places = self.places.entry((&grant.target, &grant.person)).or_default();
            places.entry(place).or_insert(grant);
        }
    }

    /// Something changes then.
    fn wake(&mut self, at: Millis) {
        if at > self.given.now && self.groups.next.is_none_or(|next| at < next) {
            self.groups.next = Some(at);
        }
    }

    fn finish(mut self) -> (Groups<'a>, Vec<String>) {
        let tomorrow = local(self.given.now, self.given.zone)
            .and_then(|(today, _)| today.tomorrow().ok())
            .and_then(|day| day_start(day, self.given.zone));
        tomorrow.into_iter().for_each(|at| self.wake(at));
        // Groups are there even while nobody is in them: who comes next is one request away from the door.
        let standing: Vec<Target> = self
            .things
            .keys()
            .filter(|target| matches!(target, Target::Group(_)))
            .cloned()
            .collect();
        let mut taken: BTreeMap<String, Target> = BTreeMap::new();
        for target in standing {
            if let Some(name) = self.free_name(&target, &mut taken) {
                self.put(&name, &target, Place::Standing);
            }
        }
        for ((target, person), places) in std::mem::take(&mut self.places) {
            for (place, grant) in needed(&places) {
                let name = self.name(target, place);
                if place == Place::Standing && taken.get(&name).is_some_and(|owner| owner != target) {
                    continue; // said already: two groups here have one name there
                }
                self.put(&name, target, place);
                if let Some(group) = self.groups.by_name.get_mut(&name) {
                    group.members.insert(person.clone(), Why::grant(grant));
                }
            }
        }
        // A window that lies outside the group's hours opens nothing, and KS is not bothered with it.
        self.groups
            .by_name
            .retain(|name, group| taken.contains_key(name) || !group.slots.is_empty());
        (self.groups, self.notes)
    }

    /// The name of a standing group, unless another one has it.
    fn free_name(&mut self, target: &Target, taken: &mut BTreeMap<String, Target>) -> Option<String> {
        let name = self.name(target, Place::Standing);
        if let Some(other) = taken.get(&name) {
            self.notes.push(format!(
                "[ks.groups] gives {} and {} the same access group \"{name}\": only the first is kept there",
                label(other),
                label(target)
            ));
            return None;
        }
        taken.insert(name.clone(), target.clone());
        Some(name)
    }

    fn put(&mut self, name: &str, target: &Target, place: Place) {
        let Some(thing) = self.things.get(target) else {
            return;
        };
        if self.groups.by_name.contains_key(name) {
            return;
        }
        let window = match place {
            Place::Standing => Window::ALWAYS,
            Place::Until(until) => Window {
                from: None,
                until: Some(until),
            },
            Place::Exact(from, until) => Window::between(from, until),
        };
        let hours = Hours {
            week: thing.hours,
            holidays: &self.given.site.holidays,
        };
        let Some((today, _)) = local(self.given.now, self.given.zone) else {
            return;
        };
        let group = Group {
            locks: thing.locks.clone(),
            slots: hours::slots(hours, window, self.given.zone, today),
            members: BTreeMap::new(),
            why: match place {
                Place::Standing => Why::rule(40, format!("{} has doors of SALTO KS", label(target))),
                Place::Until(_) => Why::rule(3, format!("rights to {} that end then", label(target))),
                Place::Exact(..) => Why::rule(15, format!("{} in this window only", label(target))),
            },
        };
        self.groups.by_name.insert(name.to_owned(), group);
    }

    /// The same place has the same name for ever: a start again finds what it made.
    fn name(&self, target: &Target, place: Place) -> String {
        let config = self.given.config;
        let thing = self.things.get(target).map_or("", |thing| thing.label.as_str());
        let zone = self.given.zone;
        match place {
            Place::Standing => match target {
                Target::Group(id) => own_name(config, id),
                Target::Door(_) => format!("{}{thing}", config.prefix),
            },
            Place::Until(until) => {
                let last = wall(until - MINUTE, zone);
                format!(
                    "{}{thing} until {last} {}",
                    config.prefix,
                    mark(&format!("{thing}|{until}"), 6)
                )
            }
            Place::Exact(from, until) => {
                let key = mark(&format!("{thing}|{from}|{until}"), 6);
                format!("{}{thing} {} {key}", config.prefix, wall(from, zone))
            }
        }
    }
}

/// The name of a group's standing access group.
fn own_name(config: &crate::config::model::KsConfig, id: &GroupId) -> String {
    config
        .groups
        .get(id)
        .map_or_else(|| format!("{}{id}", config.prefix), |name| name.trim().to_owned())
}

fn label(target: &Target) -> String {
    match target {
        Target::Group(id) => format!("group {id}"),
        Target::Door(id) => format!("door {id}"),
    }
}

fn wall(at: Millis, zone: &TimeZone) -> String {
    match local(at, zone) {
        Some((day, minute)) => format!("{day} {:02}:{:02}", minute / 60, minute % 60),
        None => at.to_string(),
    }
}

/// What is not in another one already: a standing right covers all, and one until a day every window that ends before it.
fn needed<'a>(places: &BTreeMap<Place, &'a Grant>) -> Vec<(Place, &'a Grant)> {
    if let Some(grant) = places.get(&Place::Standing) {
        return vec![(Place::Standing, *grant)];
    }
    let longest = places.iter().rev().find_map(|(place, grant)| match place {
        Place::Until(until) => Some((*until, *grant)),
        _ => None,
    });
    let covers = |end: Millis| longest.is_some_and(|(until, _)| end <= until);
    let exact = places.iter().filter_map(|(place, grant)| match place {
        Place::Exact(_, end) if !covers(*end) => Some((*place, *grant)),
        _ => None,
    });
    longest
        .map(|(until, grant)| (Place::Until(until), grant))
        .into_iter()
        .chain(exact)
        .collect()
}
