//! What the platform's things are called, so that a mapping may name them by id or by name, and whether a mapping names
//! something that is not there.

use super::RuleWarning;
use crate::{
    config::model::{Mapping, RulesConfig},
    domain::{
        GroupId, Text,
        facts::{Facts, Named},
    },
};
use std::collections::{BTreeSet, HashMap};

/// Ids and names of one kind of thing.
#[derive(Debug, Default)]
pub(super) struct Names {
    name_of: HashMap<Text, Text>,
    id_of: HashMap<Text, Text>,
}

impl Names {
    pub(super) fn new(named: &[Named]) -> Self {
        let pair = |one: &Named| (one.id.clone(), one.name.clone());
        let turned = |one: &Named| (one.name.clone(), one.id.clone());
        Self {
            name_of: named.iter().map(pair).collect(),
            id_of: named.iter().map(turned).collect(),
        }
    }

    /// What people call it; what the facts call it when nothing else is known.
    pub(super) fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.name_of.get(key).map_or(key, Text::as_str)
    }

    /// What the mapping says of it: as the facts name it, by its name, or by its id.
    pub(super) fn lookup<'a>(&self, map: &'a Mapping, key: &str) -> Option<&'a [GroupId]> {
        let other = |names: &HashMap<Text, Text>| names.get(key).and_then(|other| map.get(other.as_str()));
        let found = map
            .get(key)
            .or_else(|| other(&self.name_of))
            .or_else(|| other(&self.id_of));
        found.map(Vec::as_slice)
    }

    /// Whether a list of ids and names has it.
    pub(super) fn listed(&self, list: &[String], key: &str) -> bool {
        let is = |text: &String| {
            text == key
                || [&self.name_of, &self.id_of]
                    .iter()
                    .any(|names| names.get(key).is_some_and(|other| other == text))
        };
        list.iter().any(is)
    }
}

/// Names in the mapping that the platform does not have. Where the platform does not tell what it has, nothing is said.
pub(super) fn strangers(facts: &Facts, rules: &RulesConfig) -> Vec<RuleWarning> {
    type Known<'a> = Option<BTreeSet<&'a str>>;
    fn known<'a>(named: &'a [Named], used: impl Iterator<Item = &'a Text>) -> Known<'a> {
        if named.is_empty() {
            return None;
        }
        let named = named.iter().flat_map(|one| [one.id.as_str(), one.name.as_str()]);
        Some(named.chain(used.map(Text::as_str)).collect())
    }
    let catalogue = &facts.catalogue;
    let resources = facts.resources.iter();
    let all = resources
        .clone()
        .flat_map(|it| [it.id.as_str(), it.name.as_str()]);
    let all: BTreeSet<&str> = all.collect();
    let floors = resources.clone().filter_map(|it| it.floor.as_ref());
    let locations = known(
        &catalogue.locations,
        resources.filter_map(|it| it.location.as_ref()),
    );
    let tables: [(&'static str, &Mapping, Known<'_>); 6] = [
        (
            "map.plans",
            &rules.plans,
            known(&catalogue.plans, facts.memberships.iter().map(|it| &it.plan)),
        ),
        (
            "map.resources",
            &rules.resources,
            (!all.is_empty()).then_some(all),
        ),
        ("map.floors", &rules.floors, known(&catalogue.floors, floors)),
        ("map.locations", &rules.locations, locations.clone()),
        (
            "map.passes",
            &rules.passes,
            known(&catalogue.passes, facts.passes.iter().map(|it| &it.kind)),
        ),
        (
            "map.groups",
            &rules.groups,
            known(&catalogue.groups, facts.people.iter().flat_map(|it| &it.groups)),
        ),
    ];
    let mut found = Vec::new();
    for (section, map, known) in tables {
        if let Some(known) = known {
            found.extend(map.keys().filter_map(|name| stranger(section, name, &known)));
        }
    }
    if let Some(known) = locations {
        let scope = rules.only_locations.iter();
        found.extend(scope.filter_map(|name| stranger("rules", name, &known)));
    }
    found
}

fn stranger(section: &str, name: &str, known: &BTreeSet<&str>) -> Option<RuleWarning> {
    if known.contains(name) {
        return None;
    }
    let lower = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    // As far as a slip goes: a third of the letters.
    let near = known.iter().map(|known| (distance(known), known));
    let near = near.filter(|(distance, known)| *distance <= known.chars().count().max(3) / 3);
    Some(RuleWarning::UnknownName {
        section: section.to_owned(),
        name: name.to_owned(),
        nearest: near.min().map(|(_, known)| (*known).to_owned()),
    })
}
