//! Complete facts again after fetching only what hints name. What it gives is what a whole fetch would give; where that
//! cannot be promised, a whole fetch it is.

use super::{
    api::{self, Api},
    facts::{self, Addresses, Setup, Space},
    fetch::{self, Filters},
    model::{CheckedIn, Coworker, Reserved, Visitor},
};
use crate::{
    domain::{Millis, PersonId, facts::Facts},
    platform::{FactsProblem, Hint, PlatformError},
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// More people than this at once, and a whole fetch is cheaper.
const MOST_PEOPLE: usize = 4;
/// The same for bookings: each costs a request for its visitors.
const MOST_BOOKINGS: usize = 10;

/// What hints come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything.
    Whole,
    /// These people and bookings, and nothing else.
    Some {
        people: BTreeSet<u64>,
        bookings: BTreeSet<u64>,
        all_bookings: bool,
    },
}

/// Reads hints. What was pushed is not fetched.
pub(super) fn wanted(hints: &[Hint]) -> Wanted {
    let (mut people, mut bookings) = (BTreeSet::new(), BTreeSet::new());
    let mut all_bookings = false;
    for hint in hints {
        let understood = match hint {
            Hint::Pushed(_) => true,
            Hint::Collection("bookings") => {
                all_bookings = true;
                true
            }
            Hint::Object {
                collection: "bookings",
                id,
            } => number(id.split(':').next().unwrap_or_default(), &mut bookings),
            Hint::Person(id) => number(id.as_str(), &mut people),
            Hint::Anything | Hint::Collection(_) | Hint::Object { .. } => false,
        };
        if !understood {
            return Wanted::Whole;
        }
    }
    if people.len() > MOST_PEOPLE || bookings.len() > MOST_BOOKINGS {
        return Wanted::Whole;
    }
    Wanted::Some {
        people,
        bookings,
        all_bookings,
    }
}

fn number(text: &str, into: &mut BTreeSet<u64>) -> bool {
    let Ok(number) = text.parse() else {
        return false;
    };
    into.insert(number);
    true
}

/// The work in progress: the last facts, with what has been fetched put in its place.
pub(super) struct Patch<'a> {
    pub(super) api: &'a Api,
    pub(super) space: &'a Space,
    pub(super) setup: &'a Setup,
    pub(super) now: Millis,
    pub(super) facts: Facts,
    pub(super) problems: Vec<FactsProblem>,
}

impl Patch<'_> {
    /// Fetches one person with everything that the person holds. False: only a whole fetch tells it all.
    pub(super) async fn person(&mut self, number: u64) -> Result<bool, PlatformError> {
        let id = facts::person_id(number);
        let row: Option<Coworker> = self.api.one(api::COWORKERS, number).await?;
        let last = self.facts.people.iter().position(|person| person.id == id);
        let mut made = None;
        if let Some(row) = row {
            let index = last.unwrap_or(self.facts.people.len());
            let mut person = facts::person(&row, index, self.space, &mut self.problems);
            fetch::into_teams(&mut person, &self.known(&row.teams));
            made = Some(person);
        }
        let was = last.and_then(|last| self.facts.people.get(last));
        if was.and_then(|was| was.email.as_ref()) != made.as_ref().and_then(|is| is.email.as_ref())
            && self.has_invitees()
        {
            return Ok(false); // who a visitor is goes by the address
        }
        if self.shares(&id, was.into_iter().chain(&made).flat_map(|it| it.all_teams())) {
            return Ok(false);
        }
        match (last, made) {
            (Some(last), Some(person)) => {
                if let Some(place) = self.facts.people.get_mut(last) {
                    *place = person;
                }
            }
            (Some(last), None) => {
                self.facts.people.remove(last);
            }
            (None, Some(person)) => self.facts.people.push(person),
            (None, None) => {}
        }
        self.holdings(number, &id).await?;
        Ok(true)
    }

    /// Of these teams, the location's own.
    fn known(&self, teams: &[u64]) -> Vec<u64> {
        let ours: HashSet<&str> = self.facts.teams.iter().map(|team| team.id.as_str()).collect();
        let known = teams
            .iter()
            .filter(|team| ours.contains(team.to_string().as_str()));
        known.copied().collect()
    }

    fn has_invitees(&self) -> bool {
        self.facts
            .people
            .iter()
            .any(|person| facts::is_visitor(&person.id))
            || self
                .facts
                .bookings
                .iter()
                .any(|booking| !booking.invitees.is_empty())
    }

    /// Whether somebody's passes are other people's as well: an entry of one then changes what another has left.
    fn shares<'t>(&self, id: &PersonId, teams: impl Iterator<Item = &'t str>) -> bool {
        let sharing: Vec<String> = self
            .setup
            .sharing
            .iter()
            .map(|(team, _)| team.to_string())
            .collect();
        let pays = |payer: u64| facts::person_id(payer) == *id;
        self.setup.sharing.iter().any(|(_, payer)| pays(*payer))
            || teams.into_iter().any(|team| sharing.iter().any(|it| it == team))
    }

    /// Contracts, what they assign, and passes.
    async fn holdings(&mut self, number: u64, id: &PersonId) -> Result<(), PlatformError> {
        let theirs = |holder: &Option<PersonId>| holder.as_ref() == Some(id);
        self.facts.memberships.retain(|it| !theirs(&it.person));
        self.facts.assignments.retain(|it| !theirs(&it.person));
        self.facts.passes.retain(|it| !theirs(&it.person));
        let memberships = &mut self.facts.memberships;
        let contracts = fetch::contracts(self.api, self.space, Some(number), self.setup, memberships).await?;
        if !contracts.is_empty() {
            for item in fetch::items(self.api, self.space).await? {
                self.facts
                    .assignments
                    .extend(facts::assignments(&item, &contracts));
            }
        }
        let passes = fetch::passes(self.api, Some(number)).await?;
        if passes.is_empty() {
            return Ok(());
        }
        let mut query = Filters::at(self.now, self.space.business).check_ins.to_vec();
        query.push(("Checkin_Coworker", number.to_string()));
        let check_ins: Vec<CheckedIn> = self.api.all(api::CHECK_INS, &query, |row| row).await?;
        for pass in passes {
            self.facts
                .passes
                .extend(facts::passes(&pass, &check_ins, self.setup, self.space));
        }
        Ok(())
    }

    /// Fetches some bookings, with whom they invite.
    pub(super) async fn bookings(&mut self, numbers: &BTreeSet<u64>) -> Result<(), PlatformError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let numbers: Vec<u64> = numbers.iter().copied().collect();
        let filters = Filters::at(self.now, self.space.business);
        let rows: Vec<Reserved> = self.api.several(api::BOOKINGS, &numbers).await?;
        let mut visitors: BTreeMap<u64, Vec<Visitor>> = BTreeMap::new();
        for row in &rows {
            let query = [
                ("BookingVisitor_Booking", row.id.to_string()),
                filters.visitors.clone(),
            ];
            visitors.insert(row.id, self.api.all(api::VISITORS, &query, |row| row).await?);
        }
        let gone: HashSet<String> = numbers
            .iter()
            .flat_map(|number| [number.to_string(), format!("{number}:item")])
            .collect();
        self.facts
            .bookings
            .retain(|booking| !gone.contains(booking.id.as_str()));
        let addresses = Addresses::of(self.facts.people.iter());
        let resources: HashSet<&str> = self.facts.resources.iter().map(|it| it.id.as_str()).collect();
        let mut outside = Vec::new();
        for row in rows.iter().filter(|row| filters.lists(row)) {
            let invited: Vec<&Visitor> = visitors.get(&row.id).into_iter().flatten().collect();
            let (invited, strangers) = facts::invitees(&invited, &addresses);
            let index = self.facts.bookings.len();
            let here = |id: &str| resources.contains(id);
            let booked = facts::bookings(row, index, &invited, here, &mut self.problems);
            if !booked.is_empty() {
                outside.extend(strangers);
            }
            self.facts.bookings.extend(booked);
        }
        let fresh: HashSet<PersonId> = outside.iter().map(|person| person.id.clone()).collect();
        self.facts.people.retain(|person| !fresh.contains(&person.id));
        fetch::add_visitors(&mut self.facts.people, outside);
        self.forget_visitors();
        Ok(())
    }

    /// Fetches all bookings.
    pub(super) async fn all_bookings(&mut self) -> Result<(), PlatformError> {
        self.facts.bookings.clear();
        self.facts.people.retain(|person| !facts::is_visitor(&person.id));
        let filters = Filters::at(self.now, self.space.business);
        fetch::bookings(self.api, &filters, &mut self.facts, &mut self.problems).await
    }

    /// Visitors whom no booking invites any more.
    fn forget_visitors(&mut self) {
        let invited: HashSet<&PersonId> = self.facts.bookings.iter().flat_map(|it| &it.invitees).collect();
        self.facts
            .people
            .retain(|person| !facts::is_visitor(&person.id) || invited.contains(&person.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_narrowed_as_far_as_they_can_be() {
        let booking = |id: &str| Hint::Object {
            collection: "bookings",
            id: id.into(),
        };
        let some = |people: &[u64], bookings: &[u64]| Wanted::Some {
            people: people.iter().copied().collect(),
            bookings: bookings.iter().copied().collect(),
            all_bookings: false,
        };
        assert_eq!(
            wanted(&[Hint::Person("9".into()), booking("88"), booking("88:item")]),
            some(&[9], &[88])
        );
        assert_eq!(wanted(&[Hint::Pushed("{}".into())]), some(&[], &[]));
        for broad in [
            Hint::Anything,
            Hint::Collection("teams"),
            Hint::Person("visitor:7".into()),
            booking("soon"),
        ] {
            assert_eq!(wanted(&[Hint::Person("9".into()), broad]), Wanted::Whole);
        }
        let many: Vec<Hint> = (1..=5).map(|id| Hint::Person(facts::person_id(id))).collect();
        assert_eq!(wanted(&many), Wanted::Whole);
    }
}
