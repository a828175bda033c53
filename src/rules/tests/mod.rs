//! Golden scenarios, each named after its rule and, where a document states it, the line (S2:93 is line 93 of
//! the third of the five published integration guides, see docs/rules.md), and a slow, obvious model.

mod bookings;
mod days;
mod desks;
mod effective;
mod hours;
mod incremental;
mod lifecycle;
mod mapping;
mod model;
mod pass_hours;
mod passes_and_cards;
mod people_and_plans;
mod teams;

use super::{Outcome, RuleWarning, grants};
use crate::{
    config::model::{Profile, RulesConfig},
    domain::{
        Block, BlockTarget, GrantKind, GroupId, Millis, Reason, Window,
        facts::{Assignment, Booking, Facts, Membership, Pass, Person, Resource, ResourceKind, When},
        grant::Target,
        site::{Group, Site},
    },
};
use std::{collections::BTreeMap, time::Duration};

/// Every group that the mapping of these tests names.
const GROUPS: [&str; 8] = [
    "main", "lounge", "rooms", "desks", "studio", "first", "house", "back",
];

fn group(id: &str, hours: Option<&str>) -> Group {
    Group {
        id: id.into(),
        doors: vec![],
        hours: hours.map(Into::into),
    }
}
fn site(zone: &str) -> Site {
    Site {
        zone: zone.into(),
        doors: vec![],
        groups: GROUPS.iter().map(|id| group(id, None)).collect(),
        schedules: vec![],
        holidays: vec![],
    }
}
fn map(entries: &[(&str, &[&str])]) -> BTreeMap<String, Vec<GroupId>> {
    entries
        .iter()
        .map(|(name, groups)| {
            (
                (*name).to_owned(),
                groups.iter().map(|id| GroupId::from(*id)).collect(),
            )
        })
        .collect()
}
fn rules() -> RulesConfig {
    RulesConfig {
        cancel_revokes: true,
        plans: map(&[("Flex", &["main", "lounge"]), ("Day", &["main"])]),
        resources: map(&[
            ("Blue room", &["rooms"]),
            ("desk-7", &["desks"]),
            ("Studio", &["studio"]),
        ]),
        floors: map(&[("Floor 1", &["first"])]),
        locations: map(&[("London", &["house"])]),
        passes: map(&[("Day pass", &["main"])]),
        groups: map(&[("Back door", &["back"])]),
        ..RulesConfig::default()
    }
}
/// A platform's profile with the mapping above.
fn as_on(profile: Profile) -> RulesConfig {
    let mapped = rules();
    RulesConfig {
        plans: mapped.plans,
        resources: mapped.resources,
        floors: mapped.floors,
        locations: mapped.locations,
        passes: mapped.passes,
        groups: mapped.groups,
        ..RulesConfig::of(profile)
    }
}
/// The windows of the grants that open, in their order.
fn windows(outcome: &Outcome) -> Vec<Window> {
    let open = outcome.grants.iter().filter(|grant| grant.void.is_none());
    open.map(|grant| grant.window).collect()
}
fn between(from: &str, until: &str) -> Window {
    Window::between(at(from), at(until))
}
fn person(id: &str) -> Person {
    Person::new(id, id.to_uppercase())
}
fn in_team(id: &str, team: &str) -> Person {
    Person {
        team: Some(team.into()),
        ..person(id)
    }
}
fn membership(id: &str, plan: &str, person: Option<&str>) -> Membership {
    Membership {
        person: person.map(Into::into),
        ..Membership::new(id, plan)
    }
}
fn resource(id: &str, name: &str, kind: ResourceKind) -> Resource {
    Resource::new(id, name, kind)
}
fn booking(id: &str, resource: &str, who: &str, from: Millis, until: Millis) -> Booking {
    Booking {
        person: Some(who.into()),
        ..Booking::new(id, resource, from, until)
    }
}
fn pass(id: &str, who: &str, left: Option<u32>) -> Pass {
    Pass {
        person: Some(who.into()),
        left,
        ..Pass::new(id, "Day pass")
    }
}
fn day(text: &str) -> Option<When> {
    Some(When::Day(text.parse().unwrap()))
}
fn at(text: &str) -> Millis {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}
/// What opens: person, group, rule, source. Void grants are left out.
fn opens(outcome: &Outcome) -> Vec<(String, String, u8, String)> {
    let open = outcome.grants.iter().filter(|grant| grant.void.is_none());
    let mut rows: Vec<_> = open
        .map(|grant| {
            let Target::Group(group) = &grant.target else {
                panic!("rules grant groups")
            };
            (
                grant.person.to_string(),
                group.to_string(),
                grant.rule,
                grant.source.id.to_string(),
            )
        })
        .collect();
    rows.sort();
    rows
}
fn row(person: &str, group: &str, rule: u8, source: &str) -> (String, String, u8, String) {
    (person.into(), group.into(), rule, source.into())
}
/// The warnings, but for entries of the mapping above that a test has no use for.
fn warned(outcome: &Outcome) -> Vec<&RuleWarning> {
    let all = outcome.warnings.iter();
    all.filter(|warning| warning.key() != "unknown_name").collect()
}
fn only_window(outcome: &Outcome) -> Window {
    let [grant] = outcome.grants.as_slice() else {
        panic!("one grant: {:?}", outcome.grants)
    };
    grant.window
}

fn buffers(before: u64, after: u64) -> RulesConfig {
    RulesConfig {
        room_before: Duration::from_secs(before * 60),
        room_after: Duration::from_secs(after * 60),
        ..rules()
    }
}
