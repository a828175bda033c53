//! The platform's rows as facts. Pure: no network, and the time is an argument.
//!
//! A person is a membership, because everything else names memberships or companies ("customers"); a user of two
//! locations has two.

use super::{
    hours,
    model::{Balance, Booking, Company, Location, Membership, Plan, Resource, Subscription, User},
};
use crate::{
    config::model::CardText,
    domain::{
        Millis, PersonId,
        facts::{
            self as neutral, Assignment, DoorAccess, Facts, Named, Pass, Person, ResourceKind, Standing,
            Team, When,
        },
    },
    platform::{FactsProblem, cards},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    by_user: HashMap<String, PersonId>,
    /// Only some users are known, because the rest was taken over from earlier facts.
    users_incomplete: bool,
    /// Something could not be told for sure without reading everything.
    pub(super) uncertain: bool,
    companies: HashSet<String>,
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
            by_user: HashMap::new(),
            users_incomplete: false,
            uncertain: false,
            companies: HashSet::new(),
            plans: HashMap::new(),
            tentative: Vec::new(),
            has_passes: Vec::new(),
            unknown: BTreeSet::new(),
            strangers: BTreeSet::new(),
        }
    }

    /// From facts of before, of which parts are about to be replaced. `strangers`: people who are not of this location.
    pub(super) fn resume(site: &'s Site, now: Millis, last: Facts, strangers: BTreeSet<String>) -> Self {
        let people = last.people.iter().map(|person| person.id.as_str().to_owned());
        Self {
            people: people.filter(|id| !strangers.contains(id)).collect(),
            companies: last.teams.iter().map(|team| team.id.clone()).collect(),
            users_incomplete: true,
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

    /// The site's own location, and whether its zone is the one that the gateway reckons with.
    pub(super) fn location(&mut self, row: &Location, zone: &str) {
        let name = row.title.clone().unwrap_or_else(|| row.id.clone());
        self.facts.catalogue.locations = vec![Named {
            id: row.id.clone(),
            name,
        }];
        if let Some(theirs) = row.timezone_id.as_deref().filter(|theirs| *theirs != zone) {
            let text = format!(
                "is in {theirs} at Spacebring and in {zone} here; windows are reckoned in {zone}: correct [site] zone"
            );
            self.problem("locations", 0, &row.id, text);
        }
    }

    /// A plan.
    pub(super) fn plan(&mut self, row: Plan) {
        let name = row.title.unwrap_or_else(|| row.id.clone());
        let group = row.access.and_then(|access| access.saltoks_access_group_ref);
        self.plans
            .insert(row.id.clone(), group.filter(|group| !group.is_empty()));
        self.facts.catalogue.plans.push(Named { id: row.id, name });
    }

    /// A company.
    pub(super) fn company(&mut self, row: Company) {
        let Ok(deleted) = self.instant("teams", &row.id, "deleteDate", row.delete_date.as_deref()) else {
            return;
        };
        if deleted.is_some_and(|deleted| deleted <= self.now) {
            return;
        }
        self.companies.insert(row.id.clone());
        self.passes_of(&row.id, true, row.day_passes.and_then(|passes| passes.expiring));
        let name = row.title.unwrap_or_else(|| row.id.clone());
        self.facts.teams.push(Team {
            id: row.id,
            name,
            payer: None,
        });
    }

    fn passes_of(&mut self, customer: &str, company: bool, count: Option<f64>) {
        if let Some(count) = count.filter(|count| *count > 0.0) {
            self.has_passes.push(HasPasses {
                customer: customer.to_owned(),
                company,
                count,
            });
        }
    }

    /// A membership of this location, or of another one when somebody named it.
    pub(super) fn member(&mut self, index: usize, row: Membership) {
        let id = PersonId::from(row.id.as_str());
        let mut person = Person::new(id.clone(), name(row.user.as_ref()));
        person.email = row
            .user
            .as_ref()
            .and_then(|user| user.email.clone())
            .filter(|email| !email.is_empty());
        let here = self.is_here(row.location_ref.as_deref());
        person.standing = match (here, row.kind.as_deref()) {
            (_, Some("nonmember")) => Standing::External,
            (true, _) => Standing::Member,
            (false, _) => Standing::Network,
        };
        // Somebody who has only asked to join is nobody's member yet.
        if row.status.as_deref() == Some("requested") {
            person.door_access = DoorAccess::Off;
        }
        let Ok(joined) = self.instant("people", &row.id, "createDate", row.create_date.as_deref()) else {
            return;
        };
        person.joined = joined.map(When::At);
        let Ok(deleted) = self.instant("people", &row.id, "deleteDate", row.delete_date.as_deref()) else {
            return;
        };
        person.deactivated = deleted.is_some_and(|deleted| deleted <= self.now);
        for text in card_texts(
            row.metadata
                .as_ref()
                .and_then(|data| data.get(&self.site.card_key)),
        ) {
            match cards::read(&text, self.site.cards) {
                Ok(card) if !person.credentials.contains(&card) => person.credentials.push(card),
                Ok(_) => {}
                Err(error) => {
                    let key = &self.site.card_key;
                    let text = format!(
                        "has a card in metadata {key:?} that cannot be read ({error}); the card is left out"
                    );
                    self.problem("people", index, &row.id, text);
                }
            }
        }
        if here {
            person.team = row.company_ref.filter(|team| !team.is_empty());
            let user = row.user_ref.or_else(|| row.user.and_then(|user| user.id));
            if let Some(user) = user {
                self.by_user.insert(user, id);
            }
            self.people.insert(row.id.clone());
            self.passes_of(&row.id, false, row.day_passes.and_then(|passes| passes.expiring));
        } else {
            self.strangers.insert(row.id.clone());
        }
        self.facts.people.push(person);
    }

    /// A room, a desk, an office.
    pub(super) fn resource(&mut self, index: usize, row: Resource) {
        let title = row.title.unwrap_or_else(|| row.id.clone());
        let mut resource = neutral::Resource::new(row.id, title, kind(row.kind.as_deref()));
        resource.location = row.location_ref;
        let (opening, mistakes) = hours::opening(row.schedule);
        resource.opening = opening;
        for mistake in mistakes {
            let id = resource.id.clone();
            self.problem("resources", index, &id, mistake);
        }
        self.facts.resources.push(resource);
    }

    /// The person of a customer or an attendee: by membership where it is of this location, else by user.
    fn who(&mut self, membership: Option<&str>, user: Option<&str>) -> Option<PersonId> {
        if let Some(id) = membership.filter(|id| self.people.contains(*id)) {
            return Some(id.into());
        }
        if let Some(person) = user.and_then(|user| self.by_user.get(user)) {
            return Some(person.clone());
        }
        if user.is_some() && self.users_incomplete {
            self.uncertain = true;
        }
        // A membership of another location of the network, or one that is gone: to be looked up.
        let id = membership.filter(|id| !id.is_empty() && !self.companies.contains(*id))?;
        self.unknown.insert(id.to_owned());
        Some(id.into())
    }

    /// A subscription: a membership for each of its plans, and what is assigned with it. Payment does not matter (R4).
    pub(super) fn subscription(&mut self, row: Subscription) {
        // `incomplete` was never paid for the first time, so it never became active; the others are over.
        if !matches!(row.status.as_deref(), Some("active" | "scheduled")) {
            return;
        }
        if !self.is_here(row.location_ref.as_deref()) {
            return;
        }
        let dates = [&row.start_date, &row.end_date, &row.delete_date];
        let [Ok(start), Ok(end), Ok(deleted)] =
            dates.map(|text| self.instant("memberships", &row.id, "date", text.as_deref()))
        else {
            return;
        };
        let (person, team) = self.holder(&row);
        if person.is_none() && team.is_none() {
            self.problem("memberships", 0, &row.id, "has no customer; left out");
            return;
        }
        let earliest = |a: Option<Millis>, b: Option<Millis>| a.into_iter().chain(b).min();
        let end = earliest(end, deleted);
        for item in row.items {
            let Some(plan) = self.plan_of(&item) else { continue };
            let dates = [&item.start_date, &item.end_date];
            let [Ok(from), Ok(until)] =
                dates.map(|text| self.instant("memberships", &row.id, "date of an item", text.as_deref()))
            else {
                continue;
            };
            let mut membership = neutral::Membership::new(format!("{}/{}", row.id, item.id), plan);
            membership.person.clone_from(&person);
            membership.team.clone_from(&team);
            membership.starts = start.max(from).map(When::At);
            membership.ends = earliest(end, until).map(When::At);
            membership.cancelled = deleted.is_some();
            membership.pass_based = item.day_passes.is_some_and(|count| count > 0.0);
            membership.location = Some(self.site.location.clone());
            self.facts.memberships.push(membership);
        }
        for assigned in row.assignments {
            let Some(resource) = assigned.resource.and_then(|resource| resource.id) else {
                continue;
            };
            let mut assignment = Assignment::new(format!("{}/{}", row.id, assigned.id), resource);
            assignment.person.clone_from(&person);
            assignment.team.clone_from(&team);
            assignment.starts = start.map(When::At);
            assignment.ends = end.map(When::At);
            self.facts.assignments.push(assignment);
        }
    }

    fn holder(&mut self, row: &Subscription) -> (Option<PersonId>, Option<String>) {
        let customer = row.customer.as_ref();
        let id = row
            .customer_ref
            .as_deref()
            .or_else(|| customer.and_then(|customer| customer.id.as_deref()));
        let kind = row
            .subscription_type
            .as_deref()
            .or_else(|| customer.and_then(|customer| customer.kind.as_deref()));
        if kind == Some("company") {
            let team = row.company_ref.as_deref().or(id);
            return (None, team.map(ToOwned::to_owned));
        }
        let user = row.user_ref.as_deref().or_else(|| {
            let user = customer.and_then(|customer| customer.user.as_ref());
            user.and_then(|user| user.id.as_deref())
        });
        (self.who(row.membership_ref.as_deref().or(id), user), None)
    }

    /// What a line of a subscription stands for in the mapping: its plan; or `salto:…` where staff chose another
    /// SALTO KS access group in this subscription than its plan has.
    fn plan_of(&self, item: &super::model::Item) -> Option<String> {
        let plan = item
            .plan_ref
            .clone()
            .or_else(|| item.plan.as_ref().and_then(|plan| plan.id.clone()));
        let own = item
            .saltoks_access_group_ref
            .as_deref()
            .filter(|group| !group.is_empty());
        let Some(own) = own else { return plan };
        let usual = plan
            .as_ref()
            .and_then(|plan| self.plans.get(plan))
            .cloned()
            .flatten();
        if usual.as_deref() == Some(own) {
            return plan;
        }
        Some(format!("{SALTO}{own}"))
    }

    /// One occurrence of a booking. Tentative ones first: one that is confirmed meanwhile then counts as confirmed.
    pub(super) fn booking(&mut self, row: Booking, tentative: bool) {
        let dates = [Some(&row.start_date), Some(&row.end_date)];
        let [Ok(Some(from)), Ok(Some(until))] =
            dates.map(|text| self.instant("bookings", &row.id, "date", text.map(String::as_str)))
        else {
            return;
        };
        if row.delete_date.is_some() {
            return;
        }
        let resource = row.resource_ref.unwrap_or_default();
        let mut booking = neutral::Booking::new(row.id, resource, from, until);
        let owner = row.membership_ref_owner.or(row.customer_ref);
        let user = row.user_owner.and_then(|user| user.id);
        booking.person = self.who(owner.as_deref(), user.as_deref());
        booking.tentative = tentative;
        for attendee in row.attendees {
            let user = attendee.user.and_then(|user| user.id);
            let person = self.who(attendee.membership_ref.as_deref(), user.as_deref());
            if let Some(person) = person.filter(|person| booking.person.as_ref() != Some(person))
                && !booking.invitees.contains(&person)
            {
                booking.invitees.push(person);
            }
        }
        booking.invitees.sort_unstable();
        if tentative {
            self.tentative.push(booking);
        } else {
            self.facts.bookings.push(booking);
        }
    }

    /// The day passes of a customer. The gateway counts none down (invariant 10).
    pub(super) fn passes(&mut self, customer: &str, company: bool, balances: &[Balance]) {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for balance in balances {
            let Ok(ends) = self.instant(
                "passes",
                customer,
                "expirationDate",
                balance.expiration_date.as_deref(),
            ) else {
                continue;
            };
            let source = balance.subscription_ref.as_deref().unwrap_or("own");
            let base = format!("{customer}/{source}");
            let number = numbers.entry(base.clone()).or_default();
            *number += 1;
            let mut pass = Pass::new(format!("{base}/{number}"), DAY_PASS);
            if company {
                pass.team = Some(customer.to_owned());
            } else {
                pass.person = Some(customer.into());
            }
            pass.left = Some(whole(balance.amount.unwrap_or_default()));
            pass.ends = ends.map(When::At);
            self.facts.passes.push(pass);
        }
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
        self.people.remove(id);
        self.strangers.remove(id);
    }

    /// The facts, the problems, and who of the people is of another location.
    pub(super) fn finish(mut self) -> (Facts, Vec<FactsProblem>, BTreeSet<String>) {
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
        (self.facts, self.problems, self.strangers)
    }

    /// The SALTO KS access groups that staff chose in subscriptions stand among the plans, for the mapping.
    fn name_groups(&mut self) {
        let plans = self.facts.memberships.iter().map(|it| &it.plan);
        let groups: BTreeSet<&String> = plans.filter(|plan| plan.starts_with(SALTO)).collect();
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

fn name(user: Option<&User>) -> String {
    let Some(user) = user else { return String::new() };
    let parts = [&user.name, &user.surname].map(|part| part.as_deref().unwrap_or_default().trim());
    let name = parts.join(" ");
    match name.trim() {
        "" => user.email.clone().unwrap_or_default(),
        name => name.to_owned(),
    }
}

/// Card numbers in a value of the metadata: a text, a number, or a list of them; commas and semicolons between.
pub(super) fn card_texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => {
            let parts = text.split([',', ';', '\n']).map(str::trim);
            parts
                .filter(|part| !part.is_empty())
                .map(ToOwned::to_owned)
                .collect()
        }
        Some(Value::Number(number)) => vec![number.to_string()],
        Some(Value::Array(list)) => list.iter().flat_map(|value| card_texts(Some(value))).collect(),
        _ => Vec::new(),
    }
}

fn kind(text: Option<&str>) -> ResourceKind {
    match text {
        Some("hotDesk" | "dedicatedDesk") => ResourceKind::Desk,
        Some("office") => ResourceKind::Office,
        Some("room" | "meetingRoom" | "conferenceRoom" | "phoneBooth" | "eventSpace" | "studio") => {
            ResourceKind::Room
        }
        _ => ResourceKind::Other,
    }
}

/// Whole passes; a part of one is none.
fn whole(amount: f64) -> u32 {
    let amount = amount.floor().clamp(0.0, f64::from(u32::MAX));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let amount = amount as u32;
    amount
}
