//! Reads what stands at KS. All of it costs three requests for each managed group; a steady state costs the pages of users,
//! one of groups, and a part of what is in them, in turn: the rest is as it was read or written last.

use super::{Actual, Group, Managed, User};
use crate::{
    domain::Millis,
    salto::{
        Connect, KsError,
        client::{V1_1, V1_2},
        links::SPREADS,
        model::{AccessGroup, SiteUser, TimeSchedule},
        together::together,
        wanted::Slot,
    },
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Users of a page, as the client asks for them.
const PAGE: usize = 200;

/// One site of one account, and how much of it at once.
#[derive(Clone, Debug)]
pub struct At {
    /// The account.
    pub connect: Connect,
    /// The site's UUID.
    pub site: String,
    /// Requests under way at a time.
    pub at_once: usize,
}

impl At {
    /// The path of something at the site.
    #[must_use]
    pub fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        ["sites", self.site.as_str()]
            .iter()
            .chain(rest)
            .copied()
            .collect()
    }
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything: before a plan that a person asked for, after a failure, and now and then.
    Full,
    /// Users, groups, and a part of what is in groups.
    Steady,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Members,
    Locks,
    Slots,
}

enum Found {
    Members(BTreeSet<String>),
    Locks(BTreeSet<String>),
    Slots(BTreeMap<String, Option<Slot>>),
}

/// A member as a list has it: a user of the site with the person inside, or the person.
#[derive(Deserialize)]
struct Member {
    id: String,
    #[serde(default)]
    user: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    id: String,
}

/// A lock as a group's list has it.
#[derive(Deserialize)]
struct GroupLock {
    #[serde(alias = "lock_id")]
    id: String,
}

/// Knows what was read, and reads again.
#[derive(Debug, Default)]
pub struct Reader {
    /// As it was read or written last.
    pub actual: Actual,
    /// Whether something went wrong since: then a steady read is not enough.
    distrusted: bool,
    /// Whose turn it is.
    queue: VecDeque<(String, Part)>,
    /// What was made a moment ago, and when: lists may not have it yet.
    fresh: HashMap<String, Millis>,
    read: bool,
}

impl Reader {
    /// The next read is a full one.
    pub const fn distrust(&mut self) {
        self.distrusted = true;
    }

    /// Whether a steady read would be enough.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        self.read && !self.distrusted
    }

    /// A user or a group was made.
    pub fn made(&mut self, id: &str, now: Millis) {
        self.fresh.insert(id.to_owned(), now);
    }

    /// Reads. On failure what was known stays, and the next read is a full one. `insides`: requests that a steady read may
    /// spend on what is in groups; one part is always looked at.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn read(
        &mut self,
        at: &At,
        managed: &Managed,
        depth: Depth,
        insides: usize,
        now: Millis,
    ) -> Result<(), KsError> {
        let depth = if self.is_trusted() { depth } else { Depth::Full };
        self.distrusted = true;
        self.fresh
            .retain(|_, made| (*made..made.saturating_add(SPREADS)).contains(&now));
        let users: Vec<SiteUser> = at
            .connect
            .list(V1_2, &at.path(&["users"]), &[], "list the users")
            .await?;
        let listed: Vec<AccessGroup> = at
            .connect
            .list(V1_2, &at.path(&["access_groups"]), &[], "list the access groups")
            .await?;
        let mut users: BTreeMap<String, User> = users
            .iter()
            .map(|user| (user.id.clone(), User::of(user)))
            .collect();
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut parts: Vec<(String, Part)> = Vec::new();
        for listed in listed {
            let name = listed.customer_reference.unwrap_or_default();
            if !managed.has(&name) {
                continue;
            }
            let known = self
                .actual
                .groups
                .get(&listed.id)
                .filter(|_| depth == Depth::Steady);
            let mut group = known.cloned().unwrap_or_default();
            group.name = name;
            if known.is_none() {
                parts.extend([Part::Members, Part::Locks, Part::Slots].map(|part| (listed.id.clone(), part)));
            }
            groups.insert(listed.id, group);
        }
        for (id, user) in &self.actual.users {
            if self.fresh.contains_key(id) {
                users.entry(id.clone()).or_insert_with(|| user.clone());
            }
        }
        for (id, group) in &self.actual.groups {
            if self.fresh.contains_key(id) {
                groups.entry(id.clone()).or_insert_with(|| group.clone());
            }
        }
        if parts.is_empty() {
            parts = self.turn(&groups, insides);
        }
        look_into(at, parts, &mut groups).await?;
        self.actual = Actual {
            users,
            groups,
            seats: self.actual.seats,
        };
        (self.read, self.distrusted) = (true, false);
        Ok(())
    }

    /// Whose turn it is, as far as the requests go.
    fn turn(&mut self, groups: &BTreeMap<String, Group>, insides: usize) -> Vec<(String, Part)> {
        self.queue.retain(|(id, _)| groups.contains_key(id));
        if self.queue.is_empty() {
            let each = |id: &String| [Part::Members, Part::Slots, Part::Locks].map(|part| (id.clone(), part));
            self.queue.extend(groups.keys().flat_map(each));
        }
        let (mut parts, mut left) = (Vec::new(), insides);
        while let Some((id, part)) = self.queue.front() {
            let members = groups.get(id).map_or(0, |group| group.members.len());
            let cost = match part {
                Part::Members => members.div_ceil(PAGE).max(1),
                Part::Locks | Part::Slots => 1,
            };
            if cost > left && !parts.is_empty() {
                break;
            }
            left = left.saturating_sub(cost);
            parts.extend(self.queue.pop_front());
        }
        parts
    }
}

async fn look_into(
    at: &At,
    parts: Vec<(String, Part)>,
    groups: &mut BTreeMap<String, Group>,
) -> Result<(), KsError> {
    let mut parts = parts.into_iter();
    let mut failed = None;
    let mut found = Vec::new();
    together(
        at.at_once,
        || {
            let (id, part) = parts.next()?;
            let at = at.clone();
            Some(async move {
                let found = look(&at, &id, part).await;
                (id, found)
            })
        },
        |(id, looked)| match looked {
            Ok(part) => found.push((id, part)),
            Err(error) => failed = failed.take().or(Some(error)),
        },
    )
    .await;
    if let Some(error) = failed {
        return Err(error);
    }
    for (id, part) in found {
        let Some(group) = groups.get_mut(&id) else {
            continue;
        };
        match part {
            Found::Members(members) => group.members = members,
            Found::Locks(locks) => group.locks = locks,
            Found::Slots(slots) => group.slots = slots,
        }
    }
    Ok(())
}

async fn look(at: &At, id: &str, part: Part) -> Result<Found, KsError> {
    let connect = &at.connect;
    Ok(match part {
        Part::Members => {
            let path = at.path(&["access_groups", id, "users"]);
            let members: Vec<Member> = connect
                .list(V1_2, &path, &[], "list the members of an access group")
                .await?;
            let person = |member: Member| member.user.map_or(member.id, |user| user.id);
            Found::Members(members.into_iter().map(person).collect())
        }
        Part::Locks => {
            let path = at.path(&["access_groups", id, "locks"]);
            let locks: Vec<GroupLock> = connect
                .list(V1_1, &path, &[], "list the locks of an access group")
                .await?;
            Found::Locks(locks.into_iter().map(|lock| lock.id).collect())
        }
        Part::Slots => {
            let path = at.path(&["access_groups", id, "time_schedules"]);
            let slots: Vec<TimeSchedule> = connect
                .list(V1_1, &path, &[], "list the time schedules of an access group")
                .await?;
            let slot = |said: TimeSchedule| Some((said.id.clone()?, Slot::of_ks(&said)));
            Found::Slots(slots.into_iter().filter_map(slot).collect())
        }
    })
}
