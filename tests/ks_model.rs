//! Plans against a slow model of a KS site in memory. Whatever is wanted and whatever stands there: carried out step by step
//! a plan ends in what is wanted, the next plan is empty, groups of others are as they were, and at no step does anything
//! open that opened neither before nor is wanted.

use crate::ks_model_site::{LOCKS, Opening, PROBES, Site, TODAY, slots, tag};
use doorward::{
    domain::PersonId,
    salto::{
        actual::{Actual, Group, Managed, Seats, User},
        links::{Link, Links, Rest},
        plan::{Policy, plan},
        wanted::{self, Slot, Wanted, Why},
    },
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What chance decides about a person: active, blocked, tags; and about the user with it.
#[derive(Clone, Debug)]
struct Chance {
    active: bool,
    blocked: bool,
    tag: Option<u8>,
    /// The user: none, unlinked, or linked.
    user: u8,
    has_tag: Option<u8>,
    suspended: bool,
    /// By the gateway.
    idle: bool,
    is_blocked: bool,
    admin: bool,
}

fn chance() -> impl Strategy<Value = Chance> {
    let person = (
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.1),
        prop::option::of(0_u8..6),
    );
    let user = (
        0_u8..4,
        prop::option::of(0_u8..6),
        prop::bool::weighted(0.25),
        any::<bool>(),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    );
    (person, user).prop_map(
        |((active, blocked, tag), (user, has_tag, suspended, idle, is_blocked, admin))| Chance {
            active,
            blocked,
            tag,
            user,
            has_tag,
            suspended,
            idle,
            is_blocked,
            admin,
        },
    )
}

type GroupChance = (bool, u8, u8, u8);

fn wanted_of(people: &[Chance], groups: &[GroupChance]) -> Wanted {
    let mut wanted = Wanted {
        today: Some((TODAY, 600)),
        ..Wanted::default()
    };
    let mut claimed = BTreeSet::new();
    for (at, one) in people.iter().enumerate() {
        let tags = one.tag.map(tag).filter(|tag| claimed.insert(*tag));
        let person = wanted::Person {
            alias: format!("Person {at}"),
            name: format!("Person {at}"),
            email: None,
            active: one.active && !one.blocked,
            blocked: one.blocked.then(|| "left".to_owned()),
            tags: tags.into_iter().collect(),
            why: Why::plain("chance"),
        };
        wanted.people.insert(format!("p{at}").as_str().into(), person);
    }
    for (at, (is, members, locks, hours)) in groups.iter().enumerate() {
        if !is {
            continue;
        }
        let active = wanted.people.iter().filter(|(_, person)| person.active);
        let member = |(place, (id, _)): (usize, (&PersonId, _))| {
            (members & (1 << place) != 0).then(|| (id.clone(), Why::plain("chance")))
        };
        let group = wanted::Group {
            locks: (0..3)
                .filter(|bit| locks & (1 << bit) != 0)
                .map(|bit| LOCKS[bit].to_owned())
                .collect(),
            slots: (0..4)
                .filter(|bit| (hours | 1 << (hours % 4)) & (1 << bit) != 0)
                .map(|bit| slots()[bit])
                .collect(),
            members: active.enumerate().filter_map(member).collect(),
            why: Why::plain("chance"),
        };
        wanted
            .groups
            .insert(format!("Doorward {}", ["a", "b", "c"][at]), group);
    }
    wanted
}

fn site_of(people: &[Chance], groups: &[GroupChance], strangers: u8, seats: Option<u32>) -> (Site, Links) {
    let (mut actual, mut links) = (Actual::default(), Links::default());
    let mut given = BTreeSet::new();
    for (at, one) in people.iter().enumerate().filter(|(_, one)| one.user > 0) {
        let (site_user, user) = (format!("s{at}"), format!("k{at}"));
        if one.user > 1 {
            let mut rests = BTreeSet::new();
            if one.suspended && one.idle {
                rests.insert(Rest::Idle);
            }
            if one.is_blocked && one.idle {
                rests.insert(Rest::Blocked);
            }
            let link = Link {
                site_user: site_user.clone(),
                user: user.clone(),
                alias: String::new(),
                tag: None,
                made: None,
                rests,
            };
            links.users.insert(format!("p{at}").as_str().into(), link);
        }
        let there = User {
            user,
            alias: format!("person  {at}"),
            email: None,
            tag: one.has_tag.map(tag).filter(|tag| given.insert(*tag)),
            blocked: one.is_blocked,
            suspended: one.suspended,
            admin: one.admin,
        };
        actual.users.insert(site_user, there);
    }
    for at in 0..strangers {
        let there = User {
            user: format!("h{at}"),
            alias: format!("By hand {at}"),
            tag: Some(tag(5)).filter(|tag| given.insert(*tag)),
            ..User::default()
        };
        actual.users.insert(format!("sh{at}"), there);
    }
    let users: Vec<String> = actual.users.values().map(|user| user.user.clone()).collect();
    for (at, (is, members, locks, hours)) in groups.iter().enumerate() {
        if !is {
            continue;
        }
        let mut group = Group {
            name: format!("Doorward {}", ["a", "b", "d", "a"][at]),
            members: users
                .iter()
                .enumerate()
                .filter(|(bit, _)| members & (1 << bit) != 0)
                .map(|(_, user)| user.clone())
                .collect(),
            locks: (0..3)
                .filter(|bit| locks & (1 << bit) != 0)
                .map(|bit| LOCKS[bit].to_owned())
                .collect(),
            slots: BTreeMap::new(),
        };
        for bit in (0..4).filter(|bit| hours & (1 << bit) != 0) {
            group.slots.insert(format!("t{at}-{bit}"), Some(slots()[bit]));
        }
        if hours & 16 != 0 {
            group.slots.insert(format!("t{at}-x"), None);
        }
        actual.groups.insert(format!("g{at}"), group);
    }
    actual.seats = seats.map(|all| Seats {
        all,
        taken: u32::try_from(actual.users.values().filter(|user| !user.suspended).count()).unwrap(),
    });
    let cleaners = Group {
        name: "Cleaners".into(),
        members: users.into_iter().take(2).collect(),
        ..Group::default()
    };
    let site = Site {
        actual,
        cleaners,
        made: 0,
    };
    (site, links)
}

fn policy(deactivate: bool, pinned: bool) -> Policy {
    let pins = pinned.then(|| ["By hand 0".to_owned(), "k1".to_owned()]);
    Policy {
        managed: Managed {
            prefix: "Doorward ".into(),
            names: BTreeSet::new(),
        },
        pinned: pins.into_iter().flatten().collect(),
        deactivate,
        hold_share: 1.0,
    }
}

/// What is wanted, in the same terms as what opens.
fn wanted_opens(wanted: &Wanted, links: &Links) -> BTreeSet<Opening> {
    let mut open = BTreeSet::new();
    for group in wanted.groups.values() {
        for person in group.members.keys() {
            let Some(link) = links.users.get(person) else {
                continue;
            };
            for lock in LOCKS.iter().filter(|lock| group.locks.contains(**lock)) {
                for (at, (day, minute)) in PROBES.iter().enumerate() {
                    if group.slots.iter().any(|slot| slot.opens(*day, *minute)) {
                        open.insert((link.user.clone(), *lock, at));
                    }
                }
            }
        }
    }
    open
}

/// Who in a group is not wanted and stays all the same.
fn is_pinned(policy: &Policy, site: &Site, user: &str) -> bool {
    let alias = site.user(user).map_or("", |(_, user)| user.alias.as_str());
    policy.pinned.contains(user) || policy.pinned.contains(alias)
}

fn in_step(wanted: &Wanted, site: &Site, links: &Links, policy: &Policy, waiting: &BTreeSet<PersonId>) {
    for (name, group) in &wanted.groups {
        let there: Vec<&Group> = site
            .actual
            .groups
            .values()
            .filter(|there| there.name == *name)
            .collect();
        let [there] = there[..] else {
            panic!("{} groups called {name}", there.len())
        };
        assert_eq!(there.locks, group.locks, "{name}");
        let slots: BTreeSet<Slot> = group.slots.iter().map(|slot| slot.as_of(TODAY)).collect();
        let have: Vec<Slot> = there
            .slots
            .values()
            .map(|slot| slot.unwrap().as_of(TODAY))
            .collect();
        assert_eq!(
            (have.iter().copied().collect::<BTreeSet<_>>(), have.len()),
            (slots.clone(), slots.len()),
            "{name}"
        );
        let members: BTreeSet<&str> = group
            .members
            .keys()
            .filter(|person| !waiting.contains(*person))
            .map(|person| links.users[person].user.as_str())
            .collect();
        let have = there
            .members
            .iter()
            .filter(|user| members.contains(user.as_str()) || !is_pinned(policy, site, user));
        assert_eq!(
            have.map(String::as_str).collect::<BTreeSet<_>>(),
            members,
            "{name}"
        );
    }
    for there in site
        .actual
        .groups
        .values()
        .filter(|there| !wanted.groups.contains_key(&there.name))
    {
        assert!(
            there.members.iter().all(|user| is_pinned(policy, site, user)),
            "{there:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]
    #[test]
    fn a_plan_ends_in_what_is_wanted_and_opens_nothing_else_on_the_way(
        people in prop::collection::vec(chance(), 5),
        goal in prop::collection::vec((prop::bool::weighted(0.8), any::<u8>(), 0_u8..8, 0_u8..16), 3),
        now in prop::collection::vec((prop::bool::weighted(0.6), any::<u8>(), 0_u8..8, 0_u8..32), 4),
        strangers in 0_u8..3,
        deactivate in any::<bool>(),
        pinned in any::<bool>(),
        seats in prop::option::of(2_u32..9),
    ) {
        let wanted = wanted_of(&people, &goal);
        let (mut site, mut links) = site_of(&people, &now, strangers, seats);
        let policy = policy(deactivate, pinned);
        let (before, tags_before, cleaners) = (site.opens(), site.tags_open(), site.cleaners.clone());
        let plan1 = plan(&wanted, &site.actual, &links, &policy);
        for step in &plan1.steps {
            site.act(&mut links, step);
            let allowed: BTreeSet<Opening> = wanted_opens(&wanted, &links).union(&before).cloned().collect();
            let now = site.opens();
            // Whoever is pinned stays where they are, whatever that opens.
            let free = |opening: &&Opening| !is_pinned(&policy, &site, &opening.0);
            let more: Vec<_> = now.difference(&allowed).filter(free).collect();
            prop_assert!(more.is_empty(), "{:?} opens {:?}\nplan {:#?}", step, more, plan1.steps);
            for opening in site.tags_open().difference(&tags_before) {
                let user = site.actual.users.values().find(|user| user.tag == Some(opening.0)).unwrap();
                let as_user = (user.user.clone(), opening.1, opening.2);
                let pinned = is_pinned(&policy, &site, &as_user.0);
                prop_assert!(pinned || allowed.contains(&as_user), "{:?} opens {:?} by tag", step, opening);
            }
        }
        let waiting: BTreeSet<PersonId> = wanted.people.keys().filter(|person| !links.users.contains_key(*person)
            || !site.actual.users.contains_key(&links.users[*person].site_user)).cloned().collect();
        if seats.is_none() {
            prop_assert!(waiting.iter().all(|person| !wanted.people[person].active), "{:?}", plan1.waits);
        }
        in_step(&wanted, &site, &links, &policy, &waiting);
        prop_assert_eq!(&site.cleaners, &cleaners);
        let taken = site.actual.users.values().filter(|user| !user.suspended).count();
        site.actual.seats = site.actual.seats.map(|seats| Seats { taken: u32::try_from(taken).unwrap(), ..seats });
        let plan2 = plan(&wanted, &site.actual, &links, &policy);
        prop_assert!(plan2.steps.is_empty(), "again: {:#?}\nfirst: {:#?}", plan2.steps, plan1.steps);
        prop_assert!(plan2.held.is_none());
    }
}
