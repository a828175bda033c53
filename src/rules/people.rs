//! Who is known, deactivated or not meant for doors, in which team, with which card.

use super::RuleWarning;
use crate::{
    config::model::{Connect, RulesConfig, TeamRule},
    domain::{
        Block, BlockTarget, Credential, Millis, PersonId,
        facts::{DoorAccess, Facts, Person, Standing, When},
        grant::Holder,
    },
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// The people of the facts, found by id, by team and by whom they pay for. Owned, so that it outlives the facts that it was
/// made of.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    known: HashMap<PersonId, Known>,
    teams: HashMap<String, Vec<PersonId>>,
    pays: HashMap<PersonId, Vec<String>>,
}

/// Somebody who is not deactivated.
#[derive(Clone, Copy, Debug)]
struct Known {
    standing: Standing,
    /// Switched on for doors (R31).
    connected: bool,
    /// Their place among the people of the facts.
    place: usize,
}

/// Who holds something, and whether as one of a team.
pub(super) type Holding<'a> = Vec<(&'a PersonId, bool)>;

impl Crowd {
    /// The deactivated are not in it: nothing of theirs counts (R5). Those who are not meant for doors are, so that a refusal
    /// can say so (R31).
    pub(super) fn new(facts: &Facts, rules: &RulesConfig, zone: Option<&TimeZone>) -> Self {
        let mut crowd = Self::default();
        crowd.known.reserve(facts.people.len());
        let people = facts.people.iter().enumerate();
        for (place, person) in people.filter(|(_, person)| !person.deactivated) {
            let known = Known {
                standing: person.standing,
                connected: counts(person, rules, zone),
                place,
            };
            crowd.known.insert(person.id.clone(), known);
            for team in person.all_teams() {
                // The name is cloned for a new team only.
                match crowd.teams.get_mut(team) {
                    Some(members) => members.push(person.id.clone()),
                    None => {
                        crowd.teams.insert(team.to_owned(), vec![person.id.clone()]);
                    }
                }
            }
        }
        for team in &facts.teams {
            if let Some(payer) = &team.payer {
                crowd
                    .pays
                    .entry(payer.clone())
                    .or_default()
                    .push(team.id.to_string());
            }
        }
        crowd
    }

    /// How a person stands to this location, unless they are deactivated.
    pub(super) fn standing(&self, id: &PersonId) -> Option<Standing> {
        self.known.get(id).map(|known| known.standing)
    }

    /// Whether somebody's rights open anything (R31).
    pub(super) fn is_connected(&self, id: &PersonId) -> bool {
        self.known.get(id).is_some_and(|known| known.connected)
    }

    /// The place of a person among the people of the facts, unless they are deactivated.
    pub(super) fn place(&self, id: &PersonId) -> Option<usize> {
        self.known.get(id).map(|known| known.place)
    }

    /// Who holds a pass: the person it names, or, where it names none, the whole team.
    pub(super) fn holders<'a>(&'a self, person: Option<&'a PersonId>, team: Option<&'a str>) -> Holding<'a> {
        match (person, team) {
            (Some(person), _) => self.named(person),
            (None, Some(team)) => self.members(team).iter().map(|member| (member, true)).collect(),
            (None, None) => Vec::new(),
        }
    }

    /// Who holds a membership or an assignment, by the rule for teams (R6, C7). The rights of a team are its own: that its
    /// payer is deactivated takes them from the payer alone.
    pub(super) fn contract<'a>(
        &'a self,
        person: Option<&'a PersonId>,
        team: Option<&'a str>,
        rule: TeamRule,
    ) -> Holding<'a> {
        let Some(person) = person else {
            return self.holders(None, team);
        };
        let mut holding = self.named(person);
        let mut add = |members: &'a [PersonId]| {
            for member in members {
                if !holding.iter().any(|(known, _)| *known == member) {
                    holding.push((member, true));
                }
            }
        };
        match rule {
            TeamRule::NoMember => {}
            TeamRule::CompanySubscription => {
                if let Some(team) = team {
                    add(self.members(team));
                }
            }
            TeamRule::PayerContract => {
                let paid = self.pays.get(person).map(Vec::as_slice).unwrap_or_default();
                for paid in paid.iter().filter(|paid| team.is_none_or(|team| team == **paid)) {
                    add(self.members(paid));
                }
            }
        }
        holding
    }

    fn named<'a>(&'a self, person: &'a PersonId) -> Holding<'a> {
        let known = self.known.get_key_value(person);
        known.map(|(person, _)| (person, false)).into_iter().collect()
    }

    fn members(&self, team: &str) -> &[PersonId] {
        self.teams.get(team).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Whether a person's rights count at all (R5, R31).
pub(super) fn counts(person: &Person, rules: &RulesConfig, zone: Option<&TimeZone>) -> bool {
    !person.deactivated
        && match (person.door_access, rules.connect) {
            (DoorAccess::Off, _) => false,
            (DoorAccess::On, _) | (DoorAccess::Auto, Connect::All) => true,
            (DoorAccess::Auto, Connect::Chosen) => false,
            (DoorAccess::Auto, Connect::NewOnly) => is_new(person, rules, zone).unwrap_or(false),
        }
}

/// Whether somebody joined since the day from which members count as new. `None`: nobody knows when (R31).
pub(super) fn is_new(person: &Person, rules: &RulesConfig, zone: Option<&TimeZone>) -> Option<bool> {
    let since = rules.connect_since?;
    match person.joined? {
        When::Day(day) => Some(since <= day),
        When::At(at) => {
            let begins: Millis = super::window::day_start(since, zone?)?;
            Some(begins <= at)
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
    holders.sort_unstable_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
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
    for pair in cards.windows(2) {
        let [(one, first), (other, second)] = pair else {
            continue;
        };
        if one == other {
            let people = held.entry(*one).or_default();
            if people.is_empty() {
                people.push(first.clone());
            }
            people.push(second.clone());
        }
    }
    if held.is_empty() {
        return (cards, Vec::new());
    }
    let names: HashMap<&PersonId, &str> = people.iter().map(|it| (&it.id, it.name.as_str())).collect();
    let named = |id: &PersonId| match names.get(id).copied().unwrap_or_default() {
        "" => id.to_string(),
        name => format!("{name} ({id})"),
    };
    let shared = held
        .into_iter()
        .map(|(credential, people)| RuleWarning::SharedCard {
            credential,
            names: people.iter().map(named).collect(),
            people,
        });
    (cards, shared.collect())
}
