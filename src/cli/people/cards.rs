//! Whose card is whose, and which are of two people (R34).

use crate::{
    domain::{Credential, PersonId},
    rules::Outcome,
};
use std::collections::HashMap;

/// The cards of everybody.
#[derive(Debug)]
pub(crate) struct Cards<'a> {
    held: HashMap<&'a PersonId, Vec<&'a Credential>>,
    holders: HashMap<&'a Credential, Vec<&'a PersonId>>,
    names: HashMap<&'a PersonId, &'a str>,
}

impl<'a> Cards<'a> {
    pub(crate) fn of(outcome: &'a Outcome) -> Self {
        let mut held: HashMap<_, Vec<_>> = HashMap::new();
        let mut holders: HashMap<_, Vec<_>> = HashMap::new();
        for (card, person) in &outcome.credentials {
            held.entry(person).or_default().push(card);
            let all = holders.entry(card).or_default();
            if !all.contains(&person) {
                all.push(person);
            }
        }
        let named = outcome
            .people
            .iter()
            .map(|holder| (&holder.id, holder.name.as_str()));
        Self {
            held,
            holders,
            names: named.collect(),
        }
    }

    /// How many a person has.
    pub(crate) fn count(&self, person: &PersonId) -> usize {
        self.held.get(person).map_or(0, Vec::len)
    }

    /// Those that somebody else has as well.
    pub(crate) fn shared(&self, person: &PersonId) -> impl Iterator<Item = &'a Credential> {
        let held = self.held.get(person).map(Vec::as_slice).unwrap_or_default();
        let of_two = |card: &&Credential| self.holders.get(card).is_some_and(|all| all.len() > 1);
        held.iter()
            .copied()
            .filter(of_two)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Whether a person has cards and none of them opens, whatever their rights.
    pub(crate) fn are_useless(&self, person: &PersonId) -> bool {
        let count = self.count(person);
        count > 0 && self.shared(person).count() == count
    }

    /// How many, for a table.
    pub(crate) fn words(&self, person: &PersonId) -> String {
        match (self.count(person), self.shared(person).count()) {
            (0, _) => "none".into(),
            (count, 0) => count.to_string(),
            (count, shared) => format!("{count}, {shared} shared"),
        }
    }

    /// Who holds a card, by name and id.
    pub(crate) fn holders(&self, card: &Credential) -> Vec<String> {
        let all = self.holders.get(card).map(Vec::as_slice).unwrap_or_default();
        let named = |id: &&PersonId| match self.names.get(id).copied().unwrap_or_default() {
            "" => id.to_string(),
            name => format!("{name} ({id})"),
        };
        all.iter().map(named).collect()
    }

    /// Why somebody's shared cards open nothing.
    pub(crate) fn why_shared(&self, person: &PersonId) -> String {
        let each = self.shared(person).map(|card| {
            format!(
                "{} belongs to {}",
                card.masked(),
                self.holders(card).join(" and ")
            )
        });
        format!("{}, R34", each.collect::<Vec<_>>().join("; "))
    }
}
