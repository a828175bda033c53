//! A slow model of a KS site in memory: what a step does to it, and who opens what then.

use doorward::{
    domain::{Credential, PersonId},
    salto::{
        actual::{Actual, Group, User},
        links::{Link, Links, Rest},
        plan::{Act, Step},
        wanted::Slot,
    },
};
use jiff::civil::{Date, date};
use std::collections::BTreeSet;

pub(crate) const TODAY: Date = date(2026, 11, 23);
pub(crate) const LOCKS: [&str; 3] = ["l0", "l1", "l2"];

/// A site: everything that the gateway may see, and groups of others that it must not.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) actual: Actual,
    /// Locks and members of a group that is not managed.
    pub(crate) cleaners: Group,
    pub(crate) made: usize,
}

pub(crate) fn tag(number: u8) -> Credential {
    Credential::ks_tag(&number.to_string()).unwrap()
}

pub(crate) fn slots() -> [Slot; 4] {
    let hours = |days, from, last| Slot {
        days,
        from,
        last,
        start: None,
        end: None,
    };
    let dated = Slot {
        start: Some(date(2026, 11, 20)),
        end: Some(date(2026, 11, 30)),
        ..Slot::ALWAYS
    };
    [
        Slot::ALWAYS,
        hours(0b1_1111, 480, 1_199),
        hours(0b110_0000, 600, 899),
        dated,
    ]
}

/// Instants that tell the schedules apart.
pub(crate) const PROBES: [(Date, u16); 5] = [
    (date(2026, 11, 23), 500),
    (date(2026, 11, 28), 700),
    (date(2026, 12, 1), 100),
    (date(2026, 12, 1), 500),
    (date(2026, 12, 5), 700),
];

pub(crate) type Opening = (String, &'static str, usize);

impl Site {
    pub(crate) fn user(&self, id: &str) -> Option<(&String, &User)> {
        self.actual.users.iter().find(|(_, user)| user.user == id)
    }

    /// Which user opens which lock at which probe, through managed groups.
    pub(crate) fn opens(&self) -> BTreeSet<Opening> {
        let mut open = BTreeSet::new();
        for group in self.actual.groups.values() {
            for member in &group.members {
                let awake = self
                    .user(member)
                    .is_some_and(|(_, user)| !user.blocked && !user.suspended);
                for lock in LOCKS.iter().filter(|lock| awake && group.locks.contains(**lock)) {
                    for (at, (day, minute)) in PROBES.iter().enumerate() {
                        let mut all = group.slots.values().flatten();
                        if all.any(|slot| slot.opens(*day, *minute)) {
                            open.insert((member.clone(), *lock, at));
                        }
                    }
                }
            }
        }
        open
    }

    /// The same by the tag in the hand.
    pub(crate) fn tags_open(&self) -> BTreeSet<(Credential, &'static str, usize)> {
        let by_user = self.opens().into_iter();
        by_user
            .filter_map(|(user, lock, at)| Some((self.user(&user)?.1.tag?, lock, at)))
            .collect()
    }

    pub(crate) fn group(&mut self, name: &str) -> &mut Group {
        self.actual
            .groups
            .values_mut()
            .find(|group| group.name == name)
            .expect("the group is there before it is filled")
    }

    pub(crate) fn act(&mut self, links: &mut Links, step: &Step) {
        let site_user = |links: &Links, person: &PersonId| links.users[person].site_user.clone();
        match &step.act {
            Act::Adopt { person, site_user } => {
                let user = &self.actual.users[site_user];
                let link = Link {
                    site_user: site_user.clone(),
                    user: user.user.clone(),
                    alias: user.alias.clone(),
                    tag: None,
                    made: None,
                    rests: BTreeSet::new(),
                };
                links.users.insert(person.clone(), link);
            }
            Act::CreateUser {
                person, alias, tag, ..
            } => {
                self.made += 1;
                let (id, user_id) = (format!("new-s{}", self.made), format!("new-p{}", self.made));
                if let Some(tag) = tag {
                    assert!(
                        self.actual.users.values().all(|user| user.tag != Some(*tag)),
                        "one tag, one user"
                    );
                }
                let taken = self.actual.users.values().filter(|user| !user.suspended).count();
                let full = self.actual.seats.is_some_and(|seats| taken >= seats.all as usize);
                assert!(!full, "no user is made without a seat");
                let user = User {
                    user: user_id.clone(),
                    alias: alias.clone(),
                    tag: *tag,
                    ..User::default()
                };
                self.actual.users.insert(id.clone(), user);
                let link = Link {
                    site_user: id,
                    user: user_id,
                    alias: alias.clone(),
                    tag: *tag,
                    made: None,
                    rests: BTreeSet::new(),
                };
                links.users.insert(person.clone(), link);
            }
            Act::Rename { person, alias } => {
                self.actual
                    .users
                    .get_mut(&site_user(links, person))
                    .unwrap()
                    .alias = alias.clone();
            }
            Act::GiveTag { person, tag } => {
                assert!(
                    self.actual.users.values().all(|user| user.tag != Some(*tag)),
                    "one tag, one user"
                );
                self.actual.users.get_mut(&site_user(links, person)).unwrap().tag = Some(*tag);
                links.users.get_mut(person).unwrap().tag = Some(*tag);
            }
            Act::TakeTag { person } => {
                self.actual.users.get_mut(&site_user(links, person)).unwrap().tag = None;
                links.users.get_mut(person).unwrap().tag = None;
            }
            Act::Block { person } | Act::Unblock { person } => {
                let blocks = matches!(step.act, Act::Block { .. });
                self.actual
                    .users
                    .get_mut(&site_user(links, person))
                    .unwrap()
                    .blocked = blocks;
                let rests = &mut links.users.get_mut(person).unwrap().rests;
                if blocks {
                    rests.insert(Rest::Blocked)
                } else {
                    rests.remove(&Rest::Blocked)
                };
            }
            Act::Suspend { person } | Act::Subscribe { person } => {
                let rests = matches!(step.act, Act::Suspend { .. });
                self.actual
                    .users
                    .get_mut(&site_user(links, person))
                    .unwrap()
                    .suspended = rests;
                let link = links.users.get_mut(person).unwrap();
                link.rests.retain(|rest| *rest == Rest::Blocked);
                if rests {
                    link.rests.insert(Rest::Idle);
                }
            }
            Act::CreateGroup { group } => {
                self.made += 1;
                let made = Group {
                    name: group.clone(),
                    ..Group::default()
                };
                self.actual.groups.insert(format!("new-g{}", self.made), made);
            }
            Act::DeleteGroup { id, .. } => drop(self.actual.groups.remove(id).unwrap()),
            Act::AddSlot { group, slot } => {
                self.made += 1;
                let id = format!("new-t{}", self.made);
                self.group(group).slots.insert(id, Some(*slot));
            }
            Act::RemoveSlot { id, schedule, .. } => {
                self.actual
                    .groups
                    .get_mut(id)
                    .unwrap()
                    .slots
                    .remove(schedule)
                    .unwrap();
            }
            Act::AddLock { group, lock } => assert!(self.group(group).locks.insert(lock.clone())),
            Act::RemoveLock { id, lock, .. } => {
                assert!(self.actual.groups.get_mut(id).unwrap().locks.remove(lock));
            }
            Act::AddMember { group, person } => {
                let user = links.users[person].user.clone();
                assert!(
                    !self.group(group).slots.is_empty(),
                    "nobody joins a group without a schedule"
                );
                assert!(self.group(group).members.insert(user));
            }
            Act::RemoveMember { id, user, .. } => {
                assert!(self.actual.groups.get_mut(id).unwrap().members.remove(user));
            }
        }
    }
}
