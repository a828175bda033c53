//! What every rule looks things up in: people, resources, passes, names, the site's groups, the zone.

use super::{names::Names, people::Crowd};
use crate::{
    config::model::RulesConfig,
    domain::{
        GroupId, PersonId, Text,
        facts::{Facts, Pass, Resource},
        site::Site,
    },
};
use jiff::tz::TimeZone;
use std::{collections::HashMap, sync::Arc};

/// What rules and site say, and the facts do not change.
#[derive(Debug)]
pub(super) struct Book<'r> {
    pub(super) rules: &'r RulesConfig,
    pub(super) zone: Option<TimeZone>,
    /// Every group of the site, and whether it has hours.
    pub(super) groups: HashMap<GroupId, bool>,
}

impl<'r> Book<'r> {
    pub(super) fn new(rules: &'r RulesConfig, site: &Site) -> Self {
        let groups = site
            .groups
            .iter()
            .map(|group| (group.id.clone(), group.hours.is_some()));
        Self {
            rules,
            zone: TimeZone::get(&site.zone).ok(),
            groups: groups.collect(),
        }
    }

    pub(super) const fn zone(&self) -> Option<&TimeZone> {
        self.zone.as_ref()
    }
}

/// Indexes over one set of facts, by place and by owned id. Each part is good for every set of facts in which what it was made of
/// is the same, in the same order.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) crowd: Arc<Crowd>,
    resources: Arc<HashMap<Text, usize>>,
    passes: Arc<HashMap<PersonId, Vec<usize>>>,
    pub(super) names: Arc<AllNames>,
}

/// What the catalogue calls things.
#[derive(Debug)]
pub(super) struct AllNames {
    pub(super) plans: Names,
    pub(super) floors: Names,
    pub(super) locations: Names,
    pub(super) passes: Names,
    pub(super) groups: Names,
}

/// Which kinds of facts differ from those that a look was made of.
#[derive(Clone, Copy)]
pub(super) struct Stale {
    pub(super) people: bool,
    pub(super) resources: bool,
    pub(super) passes: bool,
}

impl Look {
    pub(super) fn new(facts: &Facts, book: &Book<'_>) -> Self {
        let catalogue = &facts.catalogue;
        let names = AllNames {
            plans: Names::new(&catalogue.plans),
            floors: Names::new(&catalogue.floors),
            locations: Names::new(&catalogue.locations),
            passes: Names::new(&catalogue.passes),
            groups: Names::new(&catalogue.groups),
        };
        let crowd = Crowd::new(facts, book.rules, book.zone());
        Self {
            passes: Arc::new(passes(facts, book, &crowd)),
            crowd: Arc::new(crowd),
            resources: Arc::new(resources(facts)),
            names: Arc::new(names),
        }
    }

    /// The same for other facts with the same catalogue.
    pub(super) fn renewed(&self, facts: &Facts, book: &Book<'_>, stale: Stale) -> Self {
        let mut look = self.clone();
        if stale.people {
            look.crowd = Arc::new(Crowd::new(facts, book.rules, book.zone()));
        }
        if stale.resources {
            look.resources = Arc::new(resources(facts));
        }
        if stale.people || stale.passes {
            look.passes = Arc::new(passes(facts, book, &look.crowd));
        }
        look
    }
}

fn resources(facts: &Facts) -> HashMap<Text, usize> {
    let places = facts.resources.iter().enumerate();
    places.map(|(at, resource)| (resource.id.clone(), at)).collect()
}

/// Whose passes are where, if a plan may hang on them (R22).
fn passes(facts: &Facts, book: &Book<'_>, crowd: &Crowd) -> HashMap<PersonId, Vec<usize>> {
    let mut passes: HashMap<PersonId, Vec<usize>> = HashMap::new();
    if book.rules.restrict_on_exhaustion {
        for (at, pass) in facts.passes.iter().enumerate() {
            for (person, _) in crowd.holders(pass.person.as_ref(), pass.team.as_deref()) {
                passes.entry(person.clone()).or_default().push(at);
            }
        }
    }
    passes
}

/// One set of facts with its indexes.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) facts: &'a Facts,
    pub(super) look: &'a Look,
    pub(super) book: &'a Book<'a>,
}

impl<'a> Context<'a> {
    pub(super) const fn rules(&self) -> &'a RulesConfig {
        self.book.rules
    }

    /// What people call somebody.
    pub(super) fn name(&self, id: &PersonId) -> &'a str {
        let place = self.look.crowd.place(id);
        let person = place.and_then(|place| self.facts.people.get(place));
        person.map_or("", |person| person.name.as_str())
    }

    pub(super) fn resource(&self, id: &str) -> Option<&'a Resource> {
        self.facts.resources.get(*self.look.resources.get(id)?)
    }

    /// The passes of a person, own ones and the team's. Known only where a plan may hang on them (R22).
    pub(super) fn passes_of(&self, person: &PersonId) -> impl Iterator<Item = &'a Pass> {
        let places = self
            .look
            .passes
            .get(person)
            .map(Vec::as_slice)
            .unwrap_or_default();
        places.iter().filter_map(|at| self.facts.passes.get(*at))
    }

    /// Whether what is at this location counts here (R36).
    pub(super) fn in_scope(&self, location: Option<&str>) -> bool {
        let only = &self.rules().only_locations;
        only.is_empty() || location.is_none_or(|location| self.look.names.locations.listed(only, location))
    }
}
