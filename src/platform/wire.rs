//! The neutral words as JSON, TOML and CSV spell them: instants in RFC 3339, days as `YYYY-MM-DD`, cards as
//! `scheme:value`. Turned into [`crate::domain::facts`] item by item, so that one bad item names itself.

use super::check::{Candidates, FactsProblem, Numbered};
use crate::domain::{
    Credential, Millis, PersonId,
    facts::{Assignment, Booking, Catalogue, Membership, Pass, Person, Resource, ResourceKind, When},
};
use jiff::{civil, tz::TimeZone};
use serde::Deserialize;

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
    pub(super) fn len(&self) -> usize {
        self.people.len()
            + self.memberships.len()
            + self.assignments.len()
            + self.resources.len()
            + self.bookings.len()
            + self.passes.len()
    }

    /// Adds a further page.
    pub(super) fn append(&mut self, mut page: Self) {
        self.people.append(&mut page.people);
        self.memberships.append(&mut page.memberships);
        self.assignments.append(&mut page.assignments);
        self.resources.append(&mut page.resources);
        self.bookings.append(&mut page.bookings);
        self.passes.append(&mut page.passes);
    }

    /// Every item as a fact, or as a problem. `zone` lets instants without an offset mean local time there.
    pub(super) fn read(self, zone: Option<&TimeZone>) -> (Candidates, Vec<FactsProblem>) {
        let mut reader = Reader {
            zone,
            problems: Vec::new(),
            collection: "",
            index: 0,
            id: String::new(),
        };
        let candidates = Candidates {
            people: reader.all("people", self.people, |it| &it.id, Reader::person),
            memberships: reader.all("memberships", self.memberships, |it| &it.id, Reader::membership),
            assignments: reader.all("assignments", self.assignments, |it| &it.id, Reader::assignment),
            resources: reader.all("resources", self.resources, |it| &it.id, Reader::resource),
            bookings: reader.all("bookings", self.bookings, |it| &it.id, Reader::booking),
            passes: reader.all("passes", self.passes, |it| &it.id, Reader::pass),
            teams: Vec::new(),
            catalogue: Catalogue::default(),
        };
        (candidates, reader.problems)
    }
}

/// Reads item after item and remembers where it is.
struct Reader<'a> {
    zone: Option<&'a TimeZone>,
    problems: Vec<FactsProblem>,
    collection: &'static str,
    index: usize,
    id: String,
}

impl Reader<'_> {
    fn all<W, T>(
        &mut self,
        collection: &'static str,
        items: Vec<W>,
        id: fn(&W) -> &String,
        read: fn(&mut Self, W) -> Option<T>,
    ) -> Vec<Numbered<T>> {
        self.collection = collection;
        let mut numbered = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            self.index = index;
            id(&item).trim().clone_into(&mut self.id);
            if self.id.is_empty() {
                self.problem("id", "has no id; left out");
            } else if let Some(fact) = read(self, item) {
                numbered.push(Numbered { index, fact });
            }
        }
        numbered
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
