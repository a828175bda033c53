use super::*;
use crate::{
    domain::Credential,
    salto::{
        actual::{Group, Seats, User},
        links::{Intent, Link, Rest, SPREADS},
        wanted::{self, Person, Slot, Why},
    },
};
use jiff::civil::date;

fn tag(number: u8) -> Credential {
    Credential::ks_tag(&number.to_string()).unwrap()
}

fn person(name: &str) -> Person {
    Person {
        alias: name.into(),
        name: name.into(),
        email: None,
        active: true,
        blocked: None,
        tags: BTreeSet::new(),
        why: Why::plain("plan"),
    }
}

fn user(id: &str, alias: &str) -> User {
    User {
        user: id.into(),
        alias: alias.into(),
        ..User::default()
    }
}

fn link(site_user: &str, user: &str) -> Link {
    Link {
        site_user: site_user.into(),
        user: user.into(),
        alias: String::new(),
        tag: None,
        made: None,
        rests: BTreeSet::new(),
    }
}

fn group(name: &str, members: &[&str], slot: Slot) -> Group {
    Group {
        name: name.into(),
        members: members.iter().map(|user| (*user).to_owned()).collect(),
        locks: BTreeSet::from(["lock".into()]),
        slots: BTreeMap::from([("t1".into(), Some(slot))]),
    }
}

fn goal(members: &[&str]) -> wanted::Group {
    wanted::Group {
        locks: BTreeSet::from(["lock".into()]),
        slots: vec![Slot::ALWAYS],
        members: members
            .iter()
            .map(|id| ((*id).into(), Why::rule(1, "plan")))
            .collect(),
        why: Why::plain(""),
    }
}

/// Ana and Ben; Ana has the user `s-ana`.
struct World {
    wanted: Wanted,
    actual: Actual,
    links: Links,
    policy: Policy,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            wanted: Wanted {
                now: 1_000_000,
                today: Some((date(2026, 11, 23), 720)),
                ..Wanted::default()
            },
            actual: Actual::default(),
            links: Links::default(),
            policy: Policy {
                managed: Managed {
                    prefix: "Doorward ".into(),
                    names: BTreeSet::from(["Members".into()]),
                },
                pinned: BTreeSet::new(),
                deactivate: true,
                hold_share: 0.2,
            },
        };
        world.wanted.people.insert("ana".into(), person("Ana"));
        world.actual.users.insert("s-ana".into(), user("k-ana", "Ana"));
        world.links.users.insert("ana".into(), link("s-ana", "k-ana"));
        world
    }

    fn plan(&self) -> Plan {
        plan(&self.wanted, &self.actual, &self.links, &self.policy)
    }

    /// Acts with group and person.
    fn said(&self) -> Vec<String> {
        let plan = self.plan();
        let said = plan
            .steps
            .iter()
            .map(|step| format!("{} {} {}", step.act.name(), step.act.group(), step.who));
        let waits = plan.waits.iter().map(|waiting| format!("waits {}", waiting.kind));
        said.chain(waits)
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }
}

#[test]
fn a_change_of_plan_adds_before_it_takes_away() {
    let mut world = World::new();
    world
        .actual
        .groups
        .insert("g1".into(), group("Doorward old", &["k-ana"], Slot::ALWAYS));
    world
        .actual
        .groups
        .insert("g2".into(), group("Doorward new", &[], Slot::ALWAYS));
    world.wanted.groups.insert("Doorward old".into(), goal(&[]));
    world.wanted.groups.insert("Doorward new".into(), goal(&["ana"]));
    assert_eq!(
        world.said(),
        ["add-member Doorward new Ana", "remove-member Doorward old Ana"]
    );
    assert_eq!(world.plan().held, None, "nobody loses by a move");
    // Not if the old group is about to open more, which she is not to have for a moment.
    world.actual.groups.get_mut("g1").unwrap().locks.clear();
    assert_eq!(
        world.said(),
        [
            "remove-member Doorward old Ana",
            "add-lock Doorward old",
            "add-member Doorward new Ana"
        ]
    );
}

#[test]
fn new_hours_are_there_before_the_old_ones_go() {
    let mut world = World::new();
    let old = Slot {
        days: 1,
        ..Slot::ALWAYS
    };
    world
        .actual
        .groups
        .insert("g1".into(), group("Doorward a", &["k-ana"], old));
    world.wanted.groups.insert("Doorward a".into(), goal(&["ana"]));
    assert_eq!(
        world.said(),
        ["add-schedule Doorward a", "remove-schedule Doorward a"]
    );
}

#[test]
fn a_user_that_may_be_on_its_way_is_waited_for_and_one_that_came_is_the_one() {
    let mut world = World::new();
    world.wanted.people.insert("ben".into(), person("Ben"));
    let intent = Intent {
        alias: "Ben".into(),
        before: BTreeSet::from(["s-other".into()]),
        at: 999_000,
    };
    world.links.intents.insert("ben".into(), intent);
    world
        .actual
        .users
        .insert("s-other".into(), user("k-other", "Ben"));
    assert_eq!(world.said(), ["waits under-way"]);
    world.actual.users.insert("s-ben".into(), user("k-ben", "Ben"));
    assert_eq!(world.said(), ["adopt Ben"]);
    world.actual.users.remove("s-ben");
    world.wanted.now += SPREADS;
    assert_eq!(world.said(), ["create-user Ben"]);
    // Without an intent the other one is taken for Ben; two of them are for a person to tell apart.
    world.links.intents.clear();
    assert_eq!(world.said(), ["adopt Ben"]);
    world
        .actual
        .users
        .insert("s-third".into(), user("k-third", "ben"));
    assert_eq!(world.said(), ["waits ambiguous"]);
    world.wanted.people.get_mut("ben").unwrap().email = Some("Ben@example.com".into());
    world.actual.users.get_mut("s-third").unwrap().email = Some("ben@example.com".into());
    assert_eq!(world.said(), ["adopt Ben", "rename Ben"]);
}

#[test]
fn a_user_that_staff_deleted_is_made_again_and_one_made_just_now_is_not() {
    let mut world = World::new();
    world.actual.users.clear();
    assert_eq!(world.said(), ["create-user Ana"]);
    world.links.users.get_mut("ana").unwrap().made = Some(999_000);
    assert_eq!(world.said(), ["waits under-way"]);
}

#[test]
fn what_staff_suspended_or_blocked_by_hand_stays_and_what_the_gateway_did_it_takes_back() {
    let mut world = World::new();
    world.actual.users.get_mut("s-ana").unwrap().suspended = true;
    assert_eq!(world.said(), ["waits by-hand"]);
    world.links.users.get_mut("ana").unwrap().rests.insert(Rest::Idle);
    assert_eq!(world.said(), ["subscribe Ana"]);
    world.actual.seats = Some(Seats { all: 3, taken: 3 });
    assert_eq!(world.said(), ["waits no-seat"]);
    world.actual.users.get_mut("s-ana").unwrap().suspended = false;
    world.actual.users.get_mut("s-ana").unwrap().blocked = true;
    assert_eq!(world.said(), ["waits by-hand"]);
}

#[test]
fn seats_go_to_users_first_and_nobody_new_is_made_while_one_of_them_has_none() {
    let mut world = World::new();
    for id in ["ben", "cho", "dan"] {
        world.wanted.people.insert(id.into(), person(id));
    }
    world.actual.seats = Some(Seats { all: 3, taken: 1 });
    assert_eq!(
        world.said(),
        ["create-user ben", "create-user cho", "waits no-seat"],
        "by the platform's id"
    );
    // KS suspended Ana, whatever it says of its seats, or if it says nothing.
    world.actual.users.get_mut("s-ana").unwrap().suspended = true;
    world
        .links
        .users
        .get_mut("ana")
        .unwrap()
        .rests
        .insert(Rest::NoSeat);
    let first = ["subscribe Ana", "waits no-seat", "waits no-seat", "waits no-seat"];
    for seats in [Some(Seats { all: 9, taken: 0 }), None] {
        world.actual.seats = seats;
        assert_eq!(world.said(), first);
    }
    // Whoever rests because nobody needed the seat is no sign that there are none.
    world.links.users.get_mut("ana").unwrap().rests = BTreeSet::from([Rest::Idle]);
    assert_eq!(
        world.said(),
        [
            "create-user ben",
            "create-user cho",
            "create-user dan",
            "subscribe Ana"
        ]
    );
}

#[test]
fn who_is_not_active_rests_unless_an_administrator_or_pinned_or_the_profile_says_no() {
    let mut world = World::new();
    world.wanted.people.get_mut("ana").unwrap().active = false;
    assert_eq!(world.said(), ["suspend Ana"]);
    world.policy.deactivate = false;
    assert_eq!(world.said(), [""; 0]);
    world.policy.deactivate = true;
    world.policy.pinned.insert("ANA".into());
    assert_eq!(world.said(), [""; 0]);
    world.policy.pinned.clear();
    world.actual.users.get_mut("s-ana").unwrap().admin = true;
    assert_eq!(world.said(), [""; 0]);
    // Nobody here knows the platform's person any more: at rest, not deleted (R33).
    world.actual.users.get_mut("s-ana").unwrap().admin = false;
    world.wanted.people.clear();
    assert_eq!(world.said(), ["suspend Ana"]);
}

#[test]
fn a_tag_with_the_wrong_person_is_taken_first_and_one_with_a_stranger_is_said() {
    let mut world = World::new();
    world.wanted.people.insert("ben".into(), person("Ben"));
    world.wanted.people.get_mut("ben").unwrap().tags.insert(tag(7));
    world.actual.users.insert("s-ben".into(), user("k-ben", "Ben"));
    world.links.users.insert("ben".into(), link("s-ben", "k-ben"));
    world.actual.users.get_mut("s-ana").unwrap().tag = Some(tag(7));
    assert_eq!(world.said(), ["take-tag Ana", "give-tag Ben"]);
    world.actual.users.get_mut("s-ana").unwrap().tag = None;
    let mut stranger = user("k-x", "Xavier");
    stranger.tag = Some(tag(7));
    world.actual.users.insert("s-x".into(), stranger);
    assert_eq!(world.said(), ["waits tag-elsewhere"]);
    // A tag that nobody here knows of was given there by hand, and stays; a barred one goes.
    world.actual.users.get_mut("s-ana").unwrap().tag = Some(tag(9));
    assert_eq!(world.said(), ["waits tag-elsewhere"]);
    world.wanted.barred.insert(tag(9));
    assert_eq!(world.said(), ["take-tag Ana", "waits tag-elsewhere"]);
}

#[test]
fn two_groups_of_one_name_become_one_only_where_both_are_the_gateways() {
    let mut world = World::new();
    world.wanted.groups.insert("Doorward a".into(), goal(&["ana"]));
    world.wanted.groups.insert("Members".into(), goal(&["ana"]));
    for (id, name, members) in [
        ("g1", "Doorward a", &["k-ana"][..]),
        ("g2", "Doorward a", &[]),
        ("g3", "Members", &["k-ana"]),
        ("g4", "Members", &[]),
    ] {
        world
            .actual
            .groups
            .insert(id.into(), group(name, members, Slot::ALWAYS));
    }
    assert_eq!(world.said(), ["delete-group Doorward a", "waits group-twice"]);
    let plan = world.plan();
    assert!(matches!(&plan.steps[0].act, Act::DeleteGroup { id, .. } if id == "g2"));
}

#[test]
fn a_group_whose_window_is_over_is_no_loss() {
    let mut world = World::new();
    let over = Slot {
        start: Some(date(2026, 11, 23)),
        end: Some(date(2026, 11, 23)),
        last: 700,
        ..Slot::ALWAYS
    };
    for number in 0..5 {
        let id = format!("g{number}");
        world
            .actual
            .groups
            .insert(id, group(&format!("Doorward room {number}"), &["k-ana"], over));
    }
    let plan = world.plan();
    assert_eq!((plan.steps.len(), plan.held), (5, None));
    let open = Slot { last: 900, ..over };
    for group in world.actual.groups.values_mut() {
        group.slots.insert("t1".into(), Some(open));
    }
    assert!(
        world
            .plan()
            .held
            .is_some_and(|held| held.contains("5 of 5 memberships"))
    );
}
