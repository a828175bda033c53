//! The platform's rows as facts. Pure: no network, and the time is an argument.
//!
//! A person is a membership, because everything else names memberships or companies ("customers"); a user of two
//! locations has two.
//!
//! | file | what |
//! | --- | --- |
//! | `people` | the location, plans, companies, people and resources |
//! | `holdings` | subscriptions with what is assigned, bookings, day passes |

mod holdings;
mod people;
#[cfg(test)]
mod tests;

use super::{model::Membership, users::Users};
use crate::{
    config::model::CardText,
    domain::{
        Millis, PersonId, Text,
        facts::{self as neutral, Facts, Named},
    },
    platform::FactsProblem,
};
pub(super) use people::card_texts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The kind of all passes there are: the platform has no others.
pub(super) const DAY_PASS: &str = "day_pass";
/// Before the id of a SALTO KS access group that staff chose in a subscription, to make a plan of it.
pub(super) const SALTO: &str = "salto:";

/// What the configuration says about rows.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) location: String,
    pub(super) card_key: String,
    pub(super) cards: CardText,
}

/// Who has day passes: how many, as the membership or company itself says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HasPasses {
    pub(super) customer: String,
    pub(super) company: bool,
    pub(super) count: f64,
}

/// Facts in the making.
#[derive(Debug)]
pub(super) struct Draft<'s> {
    site: &'s Site,
    now: Millis,
    pub(super) facts: Facts,
    pub(super) problems: Vec<FactsProblem>,
    /// People of this location, by membership.
    people: HashSet<String>,
    /// The same, by user.
    users: Users,
    companies: HashSet<Text>,
    /// The SALTO KS access group of each plan.
    plans: HashMap<String, Option<String>>,
    tentative: Vec<neutral::Booking>,
    pub(super) has_passes: Vec<HasPasses>,
    /// Memberships that are named and are not of this location.
    pub(super) unknown: BTreeSet<String>,
    pub(super) strangers: BTreeSet<String>,
}

impl<'s> Draft<'s> {
    /// From nothing.
    pub(super) fn new(site: &'s Site, now: Millis) -> Self {
        Self {
            site,
            now,
            facts: Facts::default(),
            problems: Vec::new(),
            people: HashSet::new(),
            users: Users::default(),
            companies: HashSet::new(),
            plans: HashMap::new(),
            tentative: Vec::new(),
            has_passes: Vec::new(),
            unknown: BTreeSet::new(),
            strangers: BTreeSet::new(),
        }
    }

    /// From facts of before, of which parts are about to be replaced. `strangers`: people who are not of this location.
    pub(super) fn resume(
        site: &'s Site,
        now: Millis,
        last: Facts,
        strangers: BTreeSet<String>,
        users: Users,
    ) -> Self {
        let people = last.people.iter().map(|person| person.id.as_str().to_owned());
        Self {
            people: people.filter(|id| !strangers.contains(id)).collect(),
            companies: last.teams.iter().map(|team| team.id.clone()).collect(),
            users,
            strangers,
            facts: last,
            ..Self::new(site, now)
        }
    }

    /// Whether something of this location, or of none, is meant.
    pub(super) fn is_here(&self, location: Option<&str>) -> bool {
        location.is_none_or(|place| place == self.site.location)
    }

    /// Whether this membership counts no more, or not yet.
    pub(super) fn is_over(&self, row: &Membership) -> bool {
        let deleted = row
            .delete_date
            .as_deref()
            .and_then(|text| text.parse::<jiff::Timestamp>().ok());
        row.status.as_deref() == Some("requested")
            || deleted.is_some_and(|deleted| deleted.as_millisecond() <= self.now)
    }

    /// Whether this person is of this location.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.people.contains(id)
    }

    /// Whether somebody is named who was not known before.
    pub(super) fn names_newcomers(&self) -> bool {
        self.unknown.iter().any(|id| !self.strangers.contains(id))
    }

    /// How many bookings there are so far.
    pub(super) const fn bookings(&self) -> usize {
        self.facts.bookings.len() + self.tentative.len()
    }

    /// A row as what it should be, or a problem. `name` is the row's own id where it has one.
    pub(super) fn row<T: DeserializeOwned>(
        &mut self,
        collection: &'static str,
        index: usize,
        row: Value,
    ) -> Option<T> {
        let id = row
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        match serde_json::from_value(row) {
            Ok(row) => Some(row),
            Err(error) => {
                let error = crate::platform::http::without_values(&error.to_string());
                self.problem(
                    collection,
                    index,
                    &id,
                    format!("cannot be read ({error}); left out"),
                );
                None
            }
        }
    }

    fn problem(&mut self, collection: &'static str, index: usize, id: &str, text: impl Into<String>) {
        self.problems.push(FactsProblem {
            collection,
            index,
            field: None,
            id: id.to_owned(),
            text: text.into(),
        });
    }

    /// An instant, if there is one. What cannot be read is a problem, and `Err`.
    fn instant(
        &mut self,
        collection: &'static str,
        id: &str,
        what: &str,
        text: Option<&str>,
    ) -> Result<Option<Millis>, ()> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Some(at.as_millisecond())),
            Err(_) => {
                self.problem(
                    collection,
                    0,
                    id,
                    format!("has a {what} that is no time; left out"),
                );
                Err(())
            }
        }
    }

    /// The person of a customer or an attendee: by membership where it is of this location, else by user.
    fn who(&mut self, membership: Option<&str>, user: Option<&str>) -> Option<PersonId> {
        if let Some(id) = membership.filter(|id| self.people.contains(*id)) {
            return Some(id.into());
        }
        if let Some(person) = user.and_then(|user| self.users.get(user)) {
            return Some(person);
        }
        // A membership of another location of the network, or one that is gone: to be looked up.
        let id = membership.filter(|id| !id.is_empty() && !self.companies.contains(*id))?;
        self.unknown.insert(id.to_owned());
        Some(id.into())
    }

    /// Nobody has this membership (any more): what names it names nobody.
    pub(super) fn nobody(&mut self, id: &str) {
        let other = |person: &Option<PersonId>| person.as_ref().is_none_or(|person| person.as_str() != id);
        self.facts.people.retain(|person| person.id.as_str() != id);
        self.facts.memberships.retain(|it| other(&it.person));
        self.facts.assignments.retain(|it| other(&it.person));
        self.facts.passes.retain(|it| other(&it.person));
        for booking in self.facts.bookings.iter_mut().chain(&mut self.tentative) {
            if !other(&booking.person) {
                booking.person = None;
            }
            booking.invitees.retain(|invitee| invitee.as_str() != id);
        }
        self.users.forget(id);
        self.people.remove(id);
        self.strangers.remove(id);
    }

    /// The facts, the problems, who of the people is of another location, and the users.
    pub(super) fn finish(mut self) -> (Facts, Vec<FactsProblem>, BTreeSet<String>, Users) {
        let confirmed: HashSet<&str> = self.facts.bookings.iter().map(|it| it.id.as_str()).collect();
        let mut tentative = std::mem::take(&mut self.tentative);
        tentative.retain(|booking| !confirmed.contains(booking.id.as_str()));
        drop(confirmed);
        self.facts.bookings.append(&mut tentative);
        if !self.strangers.is_empty() {
            self.forget_strangers();
        }
        self.name_groups();
        self.facts.catalogue.passes = vec![Named {
            id: DAY_PASS.into(),
            name: "Day pass".into(),
        }];
        (self.facts, self.problems, self.strangers, self.users)
    }

    /// The SALTO KS access groups that staff chose in subscriptions stand among the plans, for the mapping.
    fn name_groups(&mut self) {
        let plans = self.facts.memberships.iter().map(|it| &it.plan);
        let groups: BTreeSet<&Text> = plans.filter(|plan| plan.starts_with(SALTO)).collect();
        let named = groups.into_iter().map(|group| Named {
            id: group.clone(),
            name: group.clone(),
        });
        let named: Vec<Named> = named.collect();
        let plans = &mut self.facts.catalogue.plans;
        plans.retain(|plan| !plan.id.starts_with(SALTO));
        plans.extend(named);
    }

    /// People of other locations count only while something here names them.
    fn forget_strangers(&mut self) {
        let facts = &self.facts;
        let holders = facts.memberships.iter().filter_map(|it| it.person.as_ref());
        let assigned = facts.assignments.iter().filter_map(|it| it.person.as_ref());
        let booked = facts
            .bookings
            .iter()
            .flat_map(|it| it.person.iter().chain(&it.invitees));
        let named: HashSet<&str> = holders
            .chain(assigned)
            .chain(booked)
            .map(PersonId::as_str)
            .collect();
        let gone: Vec<String> = self
            .strangers
            .iter()
            .filter(|id| !named.contains(id.as_str()))
            .cloned()
            .collect();
        self.facts
            .people
            .retain(|person| !gone.iter().any(|id| id == person.id.as_str()));
        for id in gone {
            self.strangers.remove(&id);
        }
    }
}
