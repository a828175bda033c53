use super::*;
use crate::{
    config::model::{DoorConfig, KsConfig},
    domain::{
        Block, BlockTarget, Reason, Text, Window,
        grant::{Holder, Target},
        site::{Door, Group as SiteGroup, Schedule, Span},
    },
    salto::{doors, model::Lock},
};

const NAMES: [(&str, &str); 4] = [
    ("ana", "Ana Ruiz"),
    ("ben", "Ben Okoro"),
    ("cho", "Cho Min"),
    ("dup", "Ana  ruiz"),
];

/// A site with two doors of KS and one of its own.
struct World {
    snapshot: Snapshot,
    site: Site,
    config: KsConfig,
    doors: Doors,
    pairs: Vec<(Credential, Credential)>,
    emails: HashMap<PersonId, Text>,
}

fn at(text: &str) -> Millis {
    let wall: jiff::civil::DateTime = text.parse().unwrap();
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    wall.to_zoned(zone).unwrap().timestamp().as_millisecond()
}

fn grant(person: &str, group: &str, kind: GrantKind, from: Option<&str>, until: Option<&str>) -> Grant {
    Grant {
        person: person.into(),
        target: Target::Group(group.into()),
        window: Window {
            from: from.map(at),
            until: until.map(at),
        },
        kind,
        source: Source {
            id: format!("{}-{person}", kind.name()).into(),
            label: "Something".into(),
        },
        rule: if kind == GrantKind::Booking { 12 } else { 1 },
        void: None,
    }
}

impl World {
    fn new(grants: Vec<Grant>) -> Self {
        let door = |id: &str| Door {
            id: id.into(),
            name: id.into(),
            open_for_all: None,
        };
        let group = |id: &str, doors: &[&str], hours: Option<&str>| SiteGroup {
            id: id.into(),
            doors: doors.iter().map(|door| (*door).into()).collect(),
            hours: hours.map(Into::into),
        };
        let span = vec![Span {
            from: 480,
            until: 1_200,
        }];
        let day = Schedule {
            id: "day".into(),
            week: [
                span.clone(),
                span.clone(),
                span.clone(),
                span.clone(),
                span,
                vec![],
                vec![],
            ],
            holiday: vec![],
        };
        let site = Site {
            zone: "Europe/Madrid".into(),
            doors: vec![door("front"), door("room"), door("shed")],
            groups: vec![
                group("members", &["front", "shed"], None),
                group("days", &["front"], Some("day")),
                group("room", &["front", "room"], None),
                group("garden", &["shed"], None),
            ],
            schedules: vec![day],
            holidays: vec![],
        };
        let locks: Vec<Lock> = serde_json::from_value(serde_json::json!([
            { "id": "lock-f", "customer_reference": "Front" }, { "id": "lock-r", "customer_reference": "Room" },
        ]))
        .unwrap();
        let config = |id: &str, lock: Option<&str>| DoorConfig {
            id: id.into(),
            release: None,
            release_for: std::time::Duration::ZERO,
            contact: None,
            request_to_exit: None,
            held_after: std::time::Duration::ZERO,
            ks_lock: lock.map(Into::into),
        };
        let configs = [
            config("front", Some("Front")),
            config("room", Some("Room")),
            config("shed", None),
        ];
        Self {
            snapshot: Snapshot {
                people: NAMES
                    .map(|(id, name)| Holder {
                        id: id.into(),
                        name: name.into(),
                    })
                    .to_vec(),
                grants,
                ..Snapshot::default()
            },
            site,
            config: crate::salto::testing::config(),
            doors: doors::resolve(&configs, &locks, &BTreeMap::new()),
            pairs: Vec::new(),
            emails: HashMap::new(),
        }
    }

    fn wanted(&self, now: &str) -> Wanted {
        wanted(&Given {
            snapshot: &self.snapshot,
            emails: &self.emails,
            site: &self.site,
            config: &self.config,
            doors: &self.doors,
            pairs: &self.pairs,
            now: at(now),
            zone: &TimeZone::get("Europe/Madrid").unwrap(),
        })
    }
}

/// Group, hours, members: those with members only.
fn said(wanted: &Wanted) -> Vec<String> {
    let full = wanted
        .groups
        .iter()
        .filter(|(_, group)| !group.members.is_empty());
    full.map(|(name, group)| {
        let slots: Vec<String> = group.slots.iter().map(ToString::to_string).collect();
        let members: Vec<&str> = group.members.keys().map(PersonId::as_str).collect();
        format!("{name}: {} [{}]", slots.join(", "), members.join(" "))
    })
    .collect()
}

const NOON: &str = "2026-11-23T12:00";

#[test]
fn a_group_here_with_doors_of_ks_is_a_group_there_and_one_without_is_none() {
    let world = World::new(vec![
        grant("ana", "members", GrantKind::Plan, Some("2026-01-01T00:00"), None),
        grant("ben", "days", GrantKind::Direct, None, None),
        grant("cho", "garden", GrantKind::Plan, None, None),
        grant("cho", "room", GrantKind::Plan, Some("2026-12-01T00:00"), None),
    ]);
    let wanted = world.wanted(NOON);
    assert_eq!(
        said(&wanted),
        [
            "Doorward days: Mon Tue Wed Thu Fri 08:00-19:59 [ben]",
            "Doorward members: daily 00:00-23:59 [ana]",
        ]
    );
    assert_eq!(
        wanted.groups.keys().collect::<Vec<_>>(),
        ["Doorward days", "Doorward members", "Doorward room"]
    );
    assert_eq!(
        wanted.groups["Doorward members"].locks,
        BTreeSet::from(["lock-f".into()])
    );
    assert!(
        !wanted.people["cho"].active,
        "not before it begins (R2), and the garden has no lock of KS"
    );
    let why = &wanted.groups["Doorward members"].members["ana"];
    assert_eq!((why.rule, why.kind), (Some(1), Some(GrantKind::Plan)));
    assert_eq!(why.source.as_ref().unwrap().id, "plan-ana");
    assert_eq!(
        said(&world.wanted("2026-12-01T00:00")).len(),
        3,
        "and from its beginning on"
    );
}

#[test]
fn a_booking_has_a_group_of_its_own_from_two_days_before_until_its_end() {
    let booking = |person| {
        grant(
            person,
            "room",
            GrantKind::Booking,
            Some("2026-11-25T13:55"),
            Some("2026-11-25T16:05"),
        )
    };
    let world = World::new(vec![booking("ana"), booking("ben")]);
    let early = world.wanted("2026-11-23T13:54");
    assert_eq!(said(&early), [""; 0]);
    assert!(
        early.people["ana"].active,
        "a booking to come keeps a person active (R32)"
    );
    assert_eq!(early.next, Some(at("2026-11-23T13:55")));
    let [group] = <[String; 1]>::try_from(said(&world.wanted("2026-11-23T13:55"))).unwrap();
    let expected = "Doorward room 2026-11-25 13:55 ";
    assert!(group.starts_with(expected), "{group}");
    assert!(
        group.ends_with(": Wed 13:55-16:04 on 2026-11-25 [ana ben]"),
        "{group}"
    );
    assert_eq!(said(&world.wanted("2026-11-25T16:04")).len(), 1);
    let name = |now| {
        world
            .wanted(now)
            .groups
            .keys()
            .find(|name| name.starts_with(expected))
            .cloned()
    };
    assert_eq!(
        name("2026-11-23T20:00"),
        name("2026-11-25T16:04"),
        "the same name throughout"
    );
    assert!(name("2026-11-25T16:05").is_none() && !world.wanted("2026-11-25T16:05").people["ana"].active);
}

#[test]
fn a_membership_with_an_end_shares_a_group_that_ends_by_itself() {
    let ends = |person, from| {
        grant(
            person,
            "members",
            GrantKind::Plan,
            Some(from),
            Some("2027-02-01T00:00"),
        )
    };
    let world = World::new(vec![
        ends("ana", "2026-01-01T00:00"),
        ends("ben", "2026-06-01T00:00"),
        // Held twice: for good covers until, until covers a booking.
        ends("cho", "2026-01-01T00:00"),
        grant("cho", "members", GrantKind::Assignment, None, None),
        grant(
            "ana",
            "members",
            GrantKind::Booking,
            Some("2026-11-24T10:00"),
            Some("2026-11-24T11:00"),
        ),
    ]);
    let said = said(&world.wanted(NOON));
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0], "Doorward members: daily 00:00-23:59 [cho]");
    assert!(
        said[1].starts_with("Doorward members until 2027-01-31 23:59 "),
        "{said:?}"
    );
    assert!(
        said[1].ends_with(": daily 00:00-23:59 to 2027-01-31 [ana ben]"),
        "{said:?}"
    );
}

#[test]
fn one_door_has_a_group_and_a_name_of_ks_is_used() {
    let mut world = World::new(vec![grant("ana", "members", GrantKind::Plan, None, None)]);
    world
        .config
        .groups
        .insert("members".into(), "Members 24/7".into());
    world.config.groups.insert("days".into(), "Members 24/7".into());
    world.snapshot.grants.push(Grant {
        target: Target::Door("front".into()),
        ..grant("ben", "x", GrantKind::Direct, None, None)
    });
    world
        .snapshot
        .grants
        .push(grant("cho", "days", GrantKind::Plan, None, None));
    let wanted = world.wanted(NOON);
    let said = said(&wanted);
    assert_eq!(said[0], "Doorward door front: daily 00:00-23:59 [ben]");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].starts_with("Members 24/7:"), "{said:?}");
    assert_eq!(
        wanted.notes.len(),
        1,
        "two groups here cannot be one there: {:?}",
        wanted.notes
    );
}

#[test]
fn the_blocked_and_the_void_open_nothing() {
    let mut world = World::new(vec![
        grant("ana", "members", GrantKind::Plan, None, None),
        Grant {
            void: Some(Reason::NoPassLeft),
            ..grant("ben", "members", GrantKind::Plan, None, None)
        },
    ]);
    world.snapshot.blocks.push(Block {
        target: BlockTarget::Person("ana".into()),
        note: "left".into(),
    });
    let wanted = world.wanted(NOON);
    assert_eq!(said(&wanted), [""; 0]);
    assert_eq!(wanted.people["ana"].blocked.as_deref(), Some("left"));
    assert!(!wanted.people["ana"].active && !wanted.people["ben"].active);
}

#[test]
fn two_people_of_one_name_are_told_apart_and_always_in_the_same_way() {
    let world = World::new(vec![grant("ana", "members", GrantKind::Plan, None, None)]);
    let wanted = world.wanted(NOON);
    let alias = |id: &str| wanted.people[id].alias.clone();
    assert!(alias("ana").starts_with("Ana Ruiz (") && alias("dup").starts_with("Ana ruiz ("));
    assert_ne!(alias("ana")[8..], alias("dup")[8..]);
    assert_eq!(alias("ben"), "Ben Okoro");
    assert_eq!(wanted.people["ana"].name, "Ana Ruiz");
}

#[test]
fn a_tag_is_one_persons_by_its_number_or_by_a_pair_or_it_is_nobodys() {
    let tag = |digits: &str| Credential::ks_tag(digits).unwrap();
    let uid = |last: u8| Credential::uid(&[4, 1, 2, 3, 4, 5, last]).unwrap();
    let mut world = World::new(Vec::new());
    world.snapshot.credentials = vec![
        (tag("1"), "ana".into()),
        (uid(1), "ben".into()),
        (tag("3"), "ana".into()),
        (tag("3"), "ben".into()),
        (uid(9), "cho".into()),
        (uid(7), "ben".into()),
        (tag("70"), "cho".into()),
    ];
    world.pairs = vec![(tag("10"), uid(1)), (tag("90"), uid(9)), (tag("70"), uid(7))];
    world.snapshot.blocks.push(Block {
        target: BlockTarget::Credential(uid(9)),
        note: "lost".into(),
    });
    let wanted = world.wanted(NOON);
    let tags = |id: &str| wanted.people[id].tags.iter().copied().collect::<Vec<_>>();
    assert_eq!(
        (tags("ana"), tags("ben"), tags("cho")),
        (vec![tag("1")], vec![tag("10")], vec![])
    );
    assert_eq!(wanted.barred, BTreeSet::from([tag("3"), tag("70"), tag("90")]));
}

#[test]
fn an_address_goes_there_only_where_invitations_are_wanted() {
    let mut world = World::new(Vec::new());
    world.emails.insert("ana".into(), "ana@example.com".into());
    assert_eq!(world.wanted(NOON).people["ana"].email, None);
    world.config.invite = true;
    assert_eq!(
        world.wanted(NOON).people["ana"].email.as_deref(),
        Some("ana@example.com")
    );
}
