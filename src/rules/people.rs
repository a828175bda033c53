//! Who is known, deactivated, in which team, with which card.

use super::RuleWarning;
use crate::domain::{Block, BlockTarget, Credential, PersonId, facts::Person, grant::Holder};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The people of the facts, found by id and by team. The deactivated are in neither: nothing is granted to
/// them (R5).
pub(super) struct Crowd<'a> {
    active: HashSet<&'a PersonId>,
    teams: HashMap<&'a str, Vec<&'a PersonId>>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(people: &'a [Person]) -> Self {
        let mut crowd = Self {
            active: HashSet::with_capacity(people.len()),
            teams: HashMap::new(),
        };
        for person in people.iter().filter(|person| !person.deactivated) {
            crowd.active.insert(&person.id);
            if let Some(team) = &person.team {
                crowd.teams.entry(team).or_default().push(&person.id);
            }
        }
        crowd
    }

    /// The person, if known and active.
    pub(super) fn active(&self, id: &'a PersonId) -> Option<&'a PersonId> {
        self.active.get(id).copied()
    }

    /// Who holds something: the person it names, or, where it names none, the whole team (R6).
    pub(super) fn holders(&self, person: Option<&'a PersonId>, team: Option<&'a str>) -> Vec<&'a PersonId> {
        match (person, team) {
            (Some(person), _) => self.active(person).into_iter().collect(),
            (None, Some(team)) => self.teams.get(team).cloned().unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }
}

pub(super) fn holders(people: &[Person]) -> Vec<Holder> {
    let mut holders: Vec<Holder> = people
        .iter()
        .map(|person| Holder {
            id: person.id.clone(),
            name: person.name.clone(),
        })
        .collect();
    holders.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    holders
}

pub(super) fn blocks(people: &[Person]) -> Vec<Block> {
    let mut blocks: Vec<Block> = people
        .iter()
        .filter(|person| person.deactivated)
        .map(|person| Block {
            target: BlockTarget::Person(person.id.clone()),
            note: "deactivated at the platform".to_owned(),
        })
        .collect();
    blocks.sort_unstable();
    blocks
}

/// Every card with its holder, and a warning for each that has two (R34). The deactivated count as holders, so
/// that a card is never handed on by deactivating somebody.
pub(super) fn cards(people: &[Person]) -> (Vec<(Credential, PersonId)>, Vec<RuleWarning>) {
    let mut cards: Vec<(Credential, PersonId)> = people
        .iter()
        .flat_map(|person| {
            person
                .credentials
                .iter()
                .map(|credential| (*credential, person.id.clone()))
        })
        .collect();
    cards.sort_unstable();
    cards.dedup();
    let mut held: BTreeMap<Credential, Vec<PersonId>> = BTreeMap::new();
    for (credential, person) in &cards {
        held.entry(*credential).or_default().push(person.clone());
    }
    let shared = held
        .into_iter()
        .filter(|(_, people)| people.len() > 1)
        .map(|(credential, people)| RuleWarning::SharedCard { credential, people });
    (cards, shared.collect())
}
