//! The neutral words as JSON, TOML and CSV spell them: instants in RFC 3339, days as `YYYY-MM-DD`, cards as
//! `scheme:value`. Turned into [`crate::domain::facts`] item by item, so that one bad item names itself.

use super::check::{Candidates, FactsProblem, Numbered};
use crate::domain::{
    Credential, Millis, PersonId,
    facts::{Assignment, Booking, Membership, Pass, Person, Resource, ResourceKind, When},
};
use jiff::{civil, tz::TimeZone};
use serde::Deserialize;
use std::collections::BTreeMap;

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
}

#[derive(Debug, Deserialize)]
pub(super) struct PersonItem {
    id: String,
    name: String,
    email: Option<String>,
    team: Option<String>,
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
}

impl Collections {
    /// Every item as a fact, or as a problem, where there are no further pages.
    pub(super) fn read(self, zone: Option<&TimeZone>) -> (Candidates, Vec<FactsProblem>) {
        let mut gathering = Gathering::new(zone);
        gathering.add(self);
        gathering.finish()
    }
}

/// Items that become facts, or problems, page after page. Nothing else is kept of a page, so that a large site's facts
/// are never in memory twice.
#[derive(Debug)]
pub(super) struct Gathering<'a> {
    zone: Option<&'a TimeZone>,
    candidates: Candidates,
    problems: Vec<FactsProblem>,
    /// How many items of each collection there were so far: an item's place is counted over all pages.
    seen: BTreeMap<&'static str, usize>,
    collection: &'static str,
    index: usize,
    id: String,
}

impl<'a> Gathering<'a> {
    /// Nothing yet. `zone` lets instants without an offset mean local time there.
    pub(super) fn new(zone: Option<&'a TimeZone>) -> Self {
        Self {
            zone,
            candidates: Candidates::default(),
            problems: Vec::new(),
            seen: BTreeMap::new(),
            collection: "",
            index: 0,
            id: String::new(),
        }
    }

    /// How many items there were, the bad ones included.
    pub(super) fn len(&self) -> usize {
        self.seen.values().sum()
    }

    /// Adds a page.
    pub(super) fn add(&mut self, page: Collections) {
        let mut all = std::mem::take(&mut self.candidates);
        self.all("people", page.people, &mut all.people, |it| &it.id, Self::person);
        self.all(
            "memberships",
            page.memberships,
            &mut all.memberships,
            |it| &it.id,
            Self::membership,
        );
        self.all(
            "assignments",
            page.assignments,
            &mut all.assignments,
            |it| &it.id,
            Self::assignment,
        );
        self.all(
            "resources",
            page.resources,
            &mut all.resources,
            |it| &it.id,
            Self::resource,
        );
        self.all(
            "bookings",
            page.bookings,
            &mut all.bookings,
            |it| &it.id,
            Self::booking,
        );
        self.all("passes", page.passes, &mut all.passes, |it| &it.id, Self::pass);
        self.candidates = all;
    }

    /// What came of all pages.
    pub(super) fn finish(self) -> (Candidates, Vec<FactsProblem>) {
        (self.candidates, self.problems)
    }

    fn all<W, T>(
        &mut self,
        collection: &'static str,
        items: Vec<W>,
        into: &mut Vec<Numbered<T>>,
        id: fn(&W) -> &String,
        read: fn(&mut Self, W) -> Option<T>,
    ) {
        self.collection = collection;
        let first = self.seen.get(collection).copied().unwrap_or(0);
        self.seen.insert(collection, first + items.len());
        into.reserve(items.len());
        for (index, item) in (first..).zip(items) {
            self.index = index;
            id(&item).trim().clone_into(&mut self.id);
            if self.id.is_empty() {
                self.problem("id", "has no id; left out");
            } else if let Some(fact) = read(self, item) {
                into.push(Numbered { index, fact });
            }
        }
    }

    fn person(&mut self, item: PersonItem) -> Option<Person> {
        let mut credentials = Vec::with_capacity(item.credentials.len());
        for text in &item.credentials {
            match text.parse::<Credential>() {
                Ok(card) if card.is_random_uid() => self.problem(
                    "credentials",
                    "has a card whose number changes at every presentation, so it names nobody; the card is left out",
                ),
                Ok(card) => credentials.push(card),
                // The number itself is not repeated: it may stand in a log.
                Err(error) => self.problem("credentials", &format!("has a card that cannot be read ({error}); the card is left out")),
            }
        }
        Some(Person {
            email: filled(item.email),
            team: filled(item.team),
            deactivated: item.deactivated,
            credentials,
            groups: item.groups,
            ..Person::new(item.id.trim(), item.name)
        })
    }

    fn membership(&mut self, item: MembershipItem) -> Option<Membership> {
        let (starts, ends) = self.limits(item.starts, item.ends)?;
        Some(Membership {
            person: person(item.person),
            team: filled(item.team),
            starts,
            ends,
            cancelled: item.cancelled,
            pass_based: item.pass_based,
            ..Membership::new(item.id, item.plan)
        })
    }

    fn assignment(&mut self, item: AssignmentItem) -> Option<Assignment> {
        let (starts, ends) = self.limits(item.starts, item.ends)?;
        Some(Assignment {
            id: item.id,
            resource: item.resource,
            person: person(item.person),
            team: filled(item.team),
            starts,
            ends,
        })
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape that all readers of items share"
    )]
    fn resource(&mut self, item: ResourceItem) -> Option<Resource> {
        let kind = match item.kind.as_deref() {
            None | Some("" | "room") => ResourceKind::Room,
            Some("desk") => ResourceKind::Desk,
            Some("office") => ResourceKind::Office,
            Some(_) => ResourceKind::Other, // the contract may grow kinds
        };
        Some(Resource {
            floor: filled(item.floor),
            location: filled(item.location),
            ..Resource::new(item.id, item.name, kind)
        })
    }

    fn booking(&mut self, item: BookingItem) -> Option<Booking> {
        let (from, until) = (
            self.instant("from", &item.from)?,
            self.instant("until", &item.until)?,
        );
        Some(Booking {
            id: item.id,
            resource: item.resource,
            person: person(item.person),
            invitees: item.invitees.into_iter().map(PersonId::from).collect(),
            from,
            until,
            tentative: item.tentative,
        })
    }

    fn pass(&mut self, item: PassItem) -> Option<Pass> {
        let (starts, ends) = self.limits(item.starts, item.ends)?;
        let running_until = match filled(item.running_until) {
            None => None,
            Some(text) => Some(self.instant("running_until", &text)?),
        };
        Some(Pass {
            person: person(item.person),
            team: filled(item.team),
            left: item
                .left
                .map(|left| u32::try_from(left.max(0)).unwrap_or(u32::MAX)),
            running_until,
            starts,
            ends,
            ..Pass::new(item.id, item.kind)
        })
    }

    fn limits(
        &mut self,
        starts: Option<String>,
        ends: Option<String>,
    ) -> Option<(Option<When>, Option<When>)> {
        Some((self.when("starts", starts)?, self.when("ends", ends)?))
    }

    /// The outer `None` means that the text is no time, and was reported.
    fn when(&mut self, field: &'static str, text: Option<String>) -> Option<Option<When>> {
        let Some(text) = filled(text) else {
            return Some(None);
        };
        if let Ok(day) = text.parse::<civil::Date>()
            && text.len() == 10
        {
            return Some(Some(When::Day(day)));
        }
        Some(Some(When::At(self.instant(field, &text)?)))
    }

    fn instant(&mut self, field: &'static str, text: &str) -> Option<Millis> {
        let read = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let local: civil::DateTime = text.parse().ok()?;
            Some(local.to_zoned(self.zone?.clone()).ok()?.timestamp())
        });
        if read.is_none() {
            let shown: String = text.chars().take(40).collect();
            self.problem(
                field,
                &format!("has \"{shown}\" as {field}, which is no time; write 2026-05-31T18:00:00Z (or +02:00); left out"),
            );
        }
        Some(read?.as_millisecond())
    }

    fn problem(&mut self, field: &'static str, text: &str) {
        self.problems.push(FactsProblem {
            collection: self.collection,
            index: self.index,
            field: Some(field),
            id: self.id.clone(),
            text: text.to_owned(),
        });
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn person(id: Option<String>) -> Option<PersonId> {
    filled(id).map(PersonId::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_over_all_pages() {
        let page = |text: &str| serde_json::from_str::<Collections>(text).unwrap();
        let mut gathering = Gathering::new(None);
        gathering.add(page(
            r#"{"people":[{"id":"a","name":"A"},{"id":"b","name":"B"}],"passes":[{"id":"x","kind":"Day"}]}"#,
        ));
        gathering.add(page(
            r#"{"people":[{"id":" ","name":"C"},{"id":"d","name":"D","credentials":["ks:x"]}]}"#,
        ));
        assert_eq!(gathering.len(), 5, "the bad one counts as well");
        let (candidates, problems) = gathering.finish();
        let places: Vec<usize> = candidates.people.iter().map(|it| it.index).collect();
        assert_eq!(places, [0, 1, 3]);
        let named: Vec<_> = problems.iter().map(|it| (it.collection, it.index)).collect();
        assert_eq!(named, [("people", 2), ("people", 3)]);
    }
}
