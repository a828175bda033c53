//! Managed access groups: what is wanted is all that is in them (R37). Others are not looked at (R38).

use super::{Act, Draft, Stage, Step, weigh::Lost};
use crate::{
    domain::PersonId,
    salto::{
        actual::Group as There,
        links::SPREADS,
        wanted::{Group, Slot, Why},
    },
};
use std::collections::{BTreeMap, BTreeSet};

impl<'a> Draft<'a> {
    /// Steps for groups, and which memberships are lost by them.
    pub(super) fn groups(&mut self) -> Lost {
        let mut by_name: BTreeMap<&'a str, Vec<&'a str>> = BTreeMap::new();
        for (id, group) in &self.actual.groups {
            by_name.entry(group.name.trim()).or_default().push(id);
        }
        let joins = self.joins(&by_name);
        let mut lost = Lost::default();
        let wanted = self.wanted;
        for (name, group) in &wanted.groups {
            let ids = by_name.remove(name.as_str()).unwrap_or_default();
            let Some(chosen) = self.chosen(name, &ids) else {
                continue;
            };
            for id in ids.iter().filter(|id| Some(**id) != chosen) {
                // At once: from here on its name means the other one.
                self.drop_group(id, None, &mut lost, Why::rule(37, "a second group of this name"));
            }
            match chosen {
                Some(id) => self.align(name, group, id, &joins, &mut lost),
                None => self.found(name, group),
            }
        }
        for ids in by_name.into_values() {
            for id in ids {
                self.drop_group(
                    id,
                    Some(&joins),
                    &mut lost,
                    Why::rule(37, "the group is not wanted any more"),
                );
            }
        }
        lost
    }

    /// Who gets a membership that is not there: such people move, they do not lose.
    fn joins(&self, by_name: &BTreeMap<&str, Vec<&str>>) -> BTreeSet<&'a str> {
        let mut joins = BTreeSet::new();
        for (name, group) in &self.wanted.groups {
            let there = by_name.get(name.as_str()).and_then(|ids| ids.first());
            let there = there.and_then(|id| self.actual.groups.get(*id));
            for person in group.members.keys() {
                let Some(user) = self.user_of(person) else {
                    continue;
                };
                if !there.is_some_and(|there| there.members.contains(user)) {
                    joins.insert(user);
                }
            }
        }
        joins
    }

    fn user_of(&self, person: &PersonId) -> Option<&'a str> {
        let user = self.actual.users.get(*self.users.get(person)?)?;
        Some(&user.user)
    }

    /// Which group of this name is the one. Nothing if nobody can tell; `Some(None)` if there is none.
    fn chosen(&mut self, name: &str, ids: &[&'a str]) -> Option<Option<&'a str>> {
        let own = name.starts_with(&self.policy.managed.prefix) && !self.policy.managed.names.contains(name);
        match ids {
            [] => Some(None),
            [one] => Some(Some(one)),
            // All of them are the gateway's: the fullest stays.
            _ if own => {
                let size = |id: &str| self.actual.groups.get(id).map_or(0, |group| group.members.len());
                Some(
                    ids.iter()
                        .copied()
                        .max_by_key(|id| (size(id), std::cmp::Reverse(*id))),
                )
            }
            _ => {
                let text = format!(
                    "{} access groups at SALTO KS are called \"{name}\": give all but one another name",
                    ids.len()
                );
                self.wait("group-twice", name, text);
                None
            }
        }
    }

    fn put(&mut self, stage: Stage, act: Act, who: &str, why: Why) {
        self.steps.push(Step {
            stage,
            act,
            who: who.to_owned(),
            why,
        });
    }

    /// A group that is not there.
    fn found(&mut self, name: &str, group: &'a Group) {
        let named = || name.to_owned();
        let asked = self.links.founding.get(name);
        let now = self.wanted.now;
        if asked.is_some_and(|at| (*at..at.saturating_add(SPREADS)).contains(&now)) {
            let text = format!(
                "the access group \"{name}\" was made at SALTO KS a moment ago and is not to be seen there yet"
            );
            self.wait("under-way", name, text);
            return;
        }
        self.put(
            Stage::Groups,
            Act::CreateGroup { group: named() },
            "",
            group.why.clone(),
        );
        self.fill(name, group, &There::default());
    }

    /// What comes into a group.
    fn fill(&mut self, name: &str, group: &'a Group, there: &There) {
        let today = self.wanted.today.map(|(day, _)| day);
        let as_of = |slot: Slot| today.map_or(slot, |today| slot.as_of(today));
        let have: BTreeSet<Slot> = there.slots.values().flatten().map(|slot| as_of(*slot)).collect();
        let named = || name.to_owned();
        for slot in group.slots.iter().filter(|slot| !have.contains(&as_of(**slot))) {
            let act = Act::AddSlot {
                group: named(),
                slot: *slot,
            };
            self.put(Stage::Open, act, "", Why::rule(40, "the hours of the group"));
        }
        for lock in group.locks.difference(&there.locks) {
            let act = Act::AddLock {
                group: named(),
                lock: lock.clone(),
            };
            self.put(Stage::Lock, act, "", Why::plain("a door of the group"));
        }
        for (person, why) in &group.members {
            let user = self.user_of(person);
            let is_there = user.is_some_and(|user| there.members.contains(user));
            if is_there || (user.is_none() && !self.coming.contains(person)) {
                continue; // or waits for a seat, which is said
            }
            let who = self
                .wanted
                .people
                .get(person)
                .map_or(person.as_str(), |who| who.name.as_str());
            let (who, act) = (
                who.to_owned(),
                Act::AddMember {
                    group: named(),
                    person: person.clone(),
                },
            );
            self.put(Stage::Join, act, &who, why.clone());
        }
    }

    /// A group that is there.
    fn align(&mut self, name: &str, group: &'a Group, id: &'a str, joins: &BTreeSet<&str>, lost: &mut Lost) {
        let Some(there) = self.actual.groups.get(id) else {
            return;
        };
        let before = self.steps.len();
        self.fill(name, group, there);
        // Whoever goes must be out before the group opens more, or it would open to them for a moment.
        let opens_more = self
            .steps
            .iter()
            .skip(before)
            .any(|step| matches!(step.stage, Stage::Open | Stage::Lock));
        self.close(name, group, id, there);
        let stay: BTreeSet<&str> = group
            .members
            .keys()
            .filter_map(|person| self.user_of(person))
            .collect();
        lost.counted(there.members.iter().map(String::as_str));
        for user in there.members.iter().filter(|user| !stay.contains(user.as_str())) {
            self.leave(name, id, user, joins, opens_more, lost);
        }
    }

    /// Schedules and locks that go.
    fn close(&mut self, name: &str, group: &Group, id: &str, there: &There) {
        let today = self.wanted.today.map(|(day, _)| day);
        let as_of = |slot: Slot| today.map_or(slot, |today| slot.as_of(today));
        let mut want: BTreeSet<Slot> = group.slots.iter().map(|slot| as_of(*slot)).collect();
        for (schedule, slot) in &there.slots {
            // Each is wanted once: a second one like it goes.
            if slot.is_some_and(|slot| want.remove(&as_of(slot))) {
                continue;
            }
            let act = Act::RemoveSlot {
                id: id.to_owned(),
                group: name.to_owned(),
                schedule: schedule.clone(),
                slot: *slot,
            };
            self.put(
                Stage::Close,
                act,
                "",
                Why::rule(40, "not among the hours of the group"),
            );
        }
        for lock in there.locks.difference(&group.locks) {
            let act = Act::RemoveLock {
                id: id.to_owned(),
                group: name.to_owned(),
                lock: lock.clone(),
            };
            self.put(Stage::Unlock, act, "", Why::rule(37, "no door of the group"));
        }
    }

    fn leave(
        &mut self,
        name: &str,
        id: &str,
        user: &'a str,
        joins: &BTreeSet<&str>,
        opens_more: bool,
        lost: &mut Lost,
    ) {
        let person = self.owners.get(user).copied();
        if self.is_pinned_user(user) {
            return;
        }
        let moves = joins.contains(user);
        // Whoever is at rest has nothing to lose by leaving first, and is not to find the old group open when woken.
        let stage = match moves && !opens_more && self.is_awake(user) {
            true => Stage::Move,
            false => Stage::Leave,
        };
        let (who, why) = match person {
            Some(person) => {
                let known = self.wanted.people.get(person);
                let why = match known.and_then(|who| who.blocked.as_ref()) {
                    Some(note) => Why::rule(5, note.clone()),
                    None if moves => Why::rule(7, "moves to another group"),
                    None => Why::rule(37, "nothing gives this person the group any more"),
                };
                (known.map_or(person.to_string(), |who| who.name.clone()), why)
            }
            None => {
                let there = self.actual.users.values().find(|there| there.user == user);
                let who = there.map_or("somebody unknown", |there| there.alias.as_str());
                (who.to_owned(), Why::rule(37, super::BY_HAND))
            }
        };
        if !moves {
            lost.one(user);
        }
        let act = Act::RemoveMember {
            id: id.to_owned(),
            group: name.to_owned(),
            user: user.to_owned(),
        };
        self.put(stage, act, &who, why);
    }

    fn is_awake(&self, user: &str) -> bool {
        let there = self.actual.users.values().find(|there| there.user == user);
        there.is_some_and(|there| !there.suspended && !there.blocked)
    }

    fn is_pinned_user(&self, user: &str) -> bool {
        let mut there = self.actual.users.iter();
        let found = there.find(|(_, there)| there.user == user);
        found.is_some_and(|(site_user, _)| self.is_pinned(site_user)) || self.policy.pinned.contains(user)
    }

    /// A group of the gateway's own that goes, unless somebody pinned has use of it.
    fn drop_group(&mut self, id: &'a str, joins: Option<&BTreeSet<&str>>, lost: &mut Lost, why: Why) {
        let Some(there) = self.actual.groups.get(id) else {
            return;
        };
        let name = there.name.trim();
        if !name.starts_with(&self.policy.managed.prefix) || self.policy.managed.names.contains(name) {
            return; // a name of [ks.groups] whose group has no door of KS: not made here, not removed here
        }
        let over = self.wanted.today.is_some_and(|(today, minute)| {
            let mut slots = there.slots.values();
            !there.slots.is_empty() && slots.all(|slot| slot.is_some_and(|slot| slot.is_over(today, minute)))
        });
        let (later, none) = (joins.is_some(), BTreeSet::new());
        let joins = joins.unwrap_or(&none);
        let pinned = later && there.members.iter().any(|user| self.is_pinned_user(user));
        if pinned && !over {
            for user in &there.members {
                self.leave(name, id, user, joins, false, lost);
            }
            return;
        }
        // Later only if nobody but those who move would have it for so long.
        let moves = later
            && !there.members.is_empty()
            && there
                .members
                .iter()
                .all(|user| joins.contains(user.as_str()) && self.is_awake(user));
        if !over {
            lost.counted(there.members.iter().map(String::as_str));
            for user in there.members.iter().filter(|user| !joins.contains(user.as_str())) {
                lost.one(user);
            }
        }
        let why = match over {
            true => Why::rule(15, "its window is over"),
            false => why,
        };
        let act = Act::DeleteGroup {
            id: id.to_owned(),
            group: name.to_owned(),
        };
        let stage = if moves { Stage::Move } else { Stage::Leave };
        self.put(stage, act, "", why);
    }
}
