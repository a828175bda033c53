//! Which groups of doors a plan, a room or a pass probably opens, by likeness of names. A suggestion only: what is like
//! nothing is shown and opens nothing (R8).

use crate::{
    config::{Config, profile::Mapping},
    domain::{
        GroupId,
        facts::{Named, ResourceKind},
        site::Site,
    },
    platform::Survey,
};
use serde::Serialize;

/// Names at least this alike are taken for the same.
const ALIKE: f64 = 0.86;

/// Why a line of the mapping says what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ground {
    /// The configuration has it so already.
    AsBefore,
    /// A group is called like it.
    Group,
    /// A door is called like it, and the group has that door and no other, if there is one.
    Door(String),
    /// Nothing is called like it.
    Nothing,
    /// The configuration maps it, and the platform does not show it: kept, for nothing is to get lost.
    NotSeen,
}

/// A line of the mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// The platform's id.
    pub(super) id: String,
    /// What people call it there.
    pub(super) name: String,
    /// Room, desk or office, for resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<ResourceKind>,
    /// Which groups.
    pub(super) groups: Vec<GroupId>,
    /// Why.
    pub(super) ground: Ground,
    /// The name stands for several things: the mapping has to name the id.
    #[serde(skip)]
    pub(super) by_id: bool,
}

impl Line {
    /// How the mapping names it.
    pub(super) fn key(&self) -> &str {
        if self.by_id { &self.id } else { &self.name }
    }
}

/// One table of the mapping.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Side {
    /// Of `[map.…]`.
    pub(super) table: &'static str,
    /// In words, for tables.
    #[serde(skip)]
    pub(super) what: &'static str,
    /// What there is.
    pub(super) lines: Vec<Line>,
}

/// The whole mapping that is suggested.
pub(super) fn plan(seen: &Survey, config: Option<&Config>) -> Vec<Side> {
    let rules = config.map(|config| &config.rules);
    let site = config.map(|config| &config.site);
    let catalogue = &seen.catalogue;
    let resources: Vec<Named> = seen
        .resources
        .iter()
        .map(|resource| Named {
            id: resource.id.clone(),
            name: resource.name.clone(),
        })
        .collect();
    let sides: [(&str, &str, &[Named], Option<&Mapping>); 6] = [
        ("plans", "plan", &catalogue.plans, rules.map(|it| &it.plans)),
        ("resources", "resource", &resources, rules.map(|it| &it.resources)),
        ("passes", "pass", &catalogue.passes, rules.map(|it| &it.passes)),
        ("floors", "floor", &catalogue.floors, rules.map(|it| &it.floors)),
        (
            "locations",
            "location",
            &catalogue.locations,
            rules.map(|it| &it.locations),
        ),
        (
            "groups",
            "group there",
            &catalogue.groups,
            rules.map(|it| &it.groups),
        ),
    ];
    let side = |(table, what, named, before): (&'static str, &'static str, &[Named], Option<&Mapping>)| {
        let mut lines: Vec<Line> = named.iter().map(|it| line(it, named, before, site)).collect();
        lines.extend(not_seen(named, before));
        if table == "resources" {
            for (line, resource) in lines.iter_mut().zip(&seen.resources) {
                line.kind = Some(resource.kind);
            }
        }
        lines.sort_by(|a, b| {
            (a.kind.map(|it| it as u8), &a.name, &a.id).cmp(&(b.kind.map(|it| it as u8), &b.name, &b.id))
        });
        Side { table, what, lines }
    };
    let sides = sides.map(side).into_iter();
    sides.filter(|side| !side.lines.is_empty()).collect()
}

/// What the configuration maps and the platform does not show.
fn not_seen<'a>(named: &'a [Named], before: Option<&'a Mapping>) -> impl Iterator<Item = Line> {
    let mapped = before.into_iter().flatten();
    let unknown = mapped.filter(|(key, _)| !named.iter().any(|it| it.id == **key || it.name == **key));
    unknown.map(|(key, groups)| Line {
        id: key.clone(),
        name: key.clone(),
        kind: None,
        groups: groups.clone(),
        ground: Ground::NotSeen,
        by_id: false,
    })
}

fn line(it: &Named, all: &[Named], before: Option<&Mapping>, site: Option<&Site>) -> Line {
    let by_id = all.iter().filter(|other| other.name == it.name).count() > 1;
    let mapped = before.and_then(|map| map.get(it.id.as_str()).or_else(|| map.get(it.name.as_str())));
    let (groups, ground) = match (mapped, site) {
        (Some(groups), _) => (groups.clone(), Ground::AsBefore),
        (None, Some(site)) => by_name(&it.name, site),
        (None, None) => (Vec::new(), Ground::Nothing),
    };
    Line {
        id: it.id.to_string(),
        name: it.name.to_string(),
        kind: None,
        groups,
        ground,
        by_id,
    }
}

fn by_name(name: &str, site: &Site) -> (Vec<GroupId>, Ground) {
    let best = |names: &mut dyn Iterator<Item = (usize, &str)>| {
        names
            .map(|(at, other)| (likeness(name, other), at))
            .filter(|(score, _)| *score >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, at)| at)
    };
    let mut groups = site.groups.iter().map(|group| group.id.as_str()).enumerate();
    if let Some(group) = best(&mut groups).and_then(|at| site.groups.get(at)) {
        return (vec![group.id.clone()], Ground::Group);
    }
    let both =
        |(at, door): (usize, &'_ crate::domain::site::Door)| (at, door.id.to_string(), door.name.clone());
    let named: Vec<(usize, String, String)> = site.doors.iter().enumerate().map(both).collect();
    let mut doors = named
        .iter()
        .flat_map(|(at, id, name)| [(*at, id.as_str()), (*at, name.as_str())])
        .filter(|(_, name)| !name.is_empty());
    let door = best(&mut doors).and_then(|at| site.doors.get(at));
    let Some(door) = door else {
        return (Vec::new(), Ground::Nothing);
    };
    // A group with more doors would open more than anybody asked for.
    let group = site
        .groups
        .iter()
        .find(|group| group.doors.as_slice() == std::slice::from_ref(&door.id));
    let shown = if door.name.is_empty() {
        door.id.to_string()
    } else {
        door.name.clone()
    };
    (
        group.map(|group| group.id.clone()).into_iter().collect(),
        Ground::Door(shown),
    )
}

/// 0 to 1: the words of both, whatever their case, order of spelling signs and plural.
fn likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    // "Meeting room 2nd floor" is not the meeting room, "Members" and "All members" are one.
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if short.iter().all(|word| long.contains(word)) && long.len() - short.len() <= 1 {
        return if short.len() == long.len() { 1.0 } else { 0.9 };
    }
    strsim::jaro_winkler(&a.join(" "), &b.join(" "))
}

fn words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .map(|word| match word.strip_suffix('s') {
            Some(stem) if stem.chars().count() > 2 => stem.to_owned(),
            _ => word.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_people_read_them() {
        for (a, b) in [
            ("Meeting room", "meeting-room"),
            ("Members", "all members"),
            ("Day Passes", "day-pass"),
            ("Studoi", "studio"),
        ] {
            assert!(likeness(a, b) >= ALIKE, "{a} {b}: {}", likeness(a, b));
        }
        for (a, b) in [
            ("Virtual", "members"),
            ("Hot desk", "meeting-room"),
            ("", "x"),
            ("Room", "meeting-room-door"),
        ] {
            assert!(likeness(a, b) < ALIKE, "{a} {b}: {}", likeness(a, b));
        }
    }
}
