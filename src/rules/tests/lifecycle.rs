//! R2 to R4, R31, R33, R35, R37 to R40: people who come, stay, are cancelled and go.

use super::*;
use crate::{
    config::model::Connect,
    domain::facts::{DoorAccess, Standing},
};

fn one(membership: Membership) -> Facts {
    Facts {
        people: vec![person("ada")],
        memberships: vec![membership],
        ..Facts::default()
    }
}

#[test]
fn r2_s4_69_nothing_before_it_begins() {
    let facts = one(Membership {
        starts: day("2026-06-01"),
        ..membership("m1", "Day", Some("ada"))
    });
    for (_, profile) in Profile::ALL {
        let window = only_window(&grants(&facts, &as_on(profile), &site("Europe/Madrid")));
        assert!(!window.contains(at("2026-05-31T21:59:59Z")) && window.contains(at("2026-05-31T22:00:00Z")));
    }
}

#[test]
fn r3_s3_81_s4_67_s2_87_a_cancelled_membership_ends_but_with_coworks_s1_45() {
    let facts = one(Membership {
        ends: day("2026-05-31"),
        cancelled: true,
        ..membership("m1", "Day", Some("ada"))
    });
    for (name, profile) in Profile::ALL {
        let outcome = grants(&facts, &as_on(profile), &site("UTC"));
        let ends = only_window(&outcome).until.is_some();
        assert_eq!(ends, profile != Profile::Coworks, "{name}");
    }
    let outcome = grants(&facts, &as_on(Profile::Coworks), &site("UTC"));
    let texts: Vec<String> = outcome.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "1 person is cancelled and may still enter, as [rules] cancel_revokes = false says: ADA (ada); deactivate at the platform whoever is not to get in any more"
        ]
    );
    let mut gone = facts;
    gone.people[0].deactivated = true; // S1:44
    let outcome = grants(&gone, &as_on(Profile::Coworks), &site("UTC"));
    assert!(outcome.grants.is_empty() && outcome.warnings.is_empty());
}

#[test]
fn r4_s2_87_there_is_no_fact_of_an_invoice_that_could_matter() {
    let text = serde_json::to_string(&one(membership("m1", "Day", Some("ada"))).memberships[0]).unwrap();
    assert!(!text.contains("paid") && !text.contains("invoice"), "{text}");
    let with = r#"{"id":"m1","plan":"Day","paid":false}"#;
    assert!(
        serde_json::from_str::<Membership>(with).is_err(),
        "an adapter cannot even say it"
    );
}

#[test]
fn r31_s3_52_new_members_only_and_s1_30_the_members_own_switch() {
    let joined = |id: &str, joined, door_access| Person {
        joined,
        door_access,
        ..person(id)
    };
    let facts = Facts {
        people: vec![
            joined("old", day("2026-04-30"), DoorAccess::Auto),
            joined("new", day("2026-05-01"), DoorAccess::Auto),
            joined(
                "late",
                Some(When::At(at("2026-04-30T22:00:00Z"))),
                DoorAccess::Auto,
            ),
            joined("by-hand", day("2025-01-01"), DoorAccess::On),
            joined("off", day("2026-06-01"), DoorAccess::Off),
            joined("unknown", None, DoorAccess::Auto),
        ],
        memberships: ["old", "new", "late", "by-hand", "off", "unknown"]
            .map(|id| membership(id, "Day", Some(id)))
            .to_vec(),
        ..Facts::default()
    };
    let connected = |connect, connect_since: Option<&str>| {
        let connect_since = connect_since.map(|day| day.parse().unwrap());
        let rules = RulesConfig {
            connect,
            connect_since,
            ..as_on(Profile::Cobot)
        };
        let outcome = grants(&facts, &rules, &site("Europe/Madrid"));
        let names: Vec<String> = opens(&outcome).into_iter().map(|it| it.0).collect();
        (names, outcome)
    };
    assert_eq!(
        connected(Connect::All, None).0,
        ["by-hand", "late", "new", "old", "unknown"]
    );
    let (_, chosen) = connected(Connect::Chosen, None);
    let old = chosen.grants.iter().find(|it| it.person.as_str() == "old");
    assert_eq!(
        old.map(|it| (it.rule, it.void)),
        Some((31, Some(Reason::NotConnected))),
        "a refusal can say why"
    );
    assert_eq!(
        connected(Connect::Chosen, None).0,
        ["by-hand"],
        "S3:42: connected by hand"
    );
    let (names, outcome) = connected(Connect::NewOnly, Some("2026-05-01"));
    assert_eq!(
        names,
        ["by-hand", "late", "new"],
        "S3:52: existing members are connected by hand"
    );
    assert_eq!(warned(&outcome)[0].key(), "no_join_date");
}

#[test]
fn r33_s4_125_who_has_no_rights_left_stays_known_with_card_and_name() {
    let card = "uid:04A2B3C4D5E680".parse().unwrap();
    let mut facts = one(Membership {
        ends: day("2020-05-31"),
        ..membership("m1", "Day", Some("ada"))
    });
    facts.people[0].credentials = vec![card];
    let outcome = grants(&facts, &as_on(Profile::OfficeRnd), &site("UTC"));
    assert_eq!((outcome.people.len(), outcome.credentials.len()), (1, 1));
    assert_eq!(
        outcome.grants.len(),
        1,
        "the right that is over is kept, so that the refusal can name it"
    );
}

#[test]
fn r35_s4_14_another_name_and_address_are_the_same_person() {
    let before = one(membership("m1", "Day", Some("ada")));
    let mut after = before.clone();
    after.people[0].name = "Ada King".into();
    after.people[0].email = Some("ada@example.com".into());
    let of = |facts: &Facts| grants(facts, &as_on(Profile::OfficeRnd), &site("UTC"));
    assert_eq!(
        of(&before).grants,
        of(&after).grants,
        "C13: the platform's id is the key"
    );
    assert_eq!(of(&after).people[0].name, "Ada King");
}

#[test]
fn r37_s4_121_whoever_the_platform_does_not_say_is_in_no_mapped_group() {
    let before = grants(
        &one(membership("m1", "Day", Some("ada"))),
        &as_on(Profile::OfficeRnd),
        &site("UTC"),
    );
    let after = grants(
        &Facts {
            people: vec![person("ada")],
            ..Facts::default()
        },
        &as_on(Profile::OfficeRnd),
        &site("UTC"),
    );
    assert!(
        !before.grants.is_empty() && after.grants.is_empty(),
        "nothing is left of the set before"
    );
}

#[test]
fn r38_s4_131_a_group_that_no_mapping_names_is_never_touched() {
    let mut with_cleaners = site("UTC");
    with_cleaners.groups.push(group("cleaners", None));
    let mut facts = one(membership("m1", "Day", Some("ada")));
    facts.people[0].groups = vec!["cleaners".into()];
    let outcome = grants(&facts, &as_on(Profile::OfficeRnd), &with_cleaners);
    assert!(
        outcome
            .grants
            .iter()
            .all(|it| it.target != Target::Group("cleaners".into()))
    );
    assert_eq!(
        outcome.warnings[0].key(),
        "unmapped_group",
        "not even by its name"
    );
}

#[test]
fn r39_s3_79_the_rules_read_facts_and_write_none() {
    let facts = one(membership("m1", "Day", Some("ada")));
    let kept = facts.clone();
    let _ = grants(&facts, &as_on(Profile::Cobot), &site("UTC"));
    assert_eq!(facts, kept);
}

#[test]
fn c11_s2_93_nonmembers_who_book_get_in_by_profile() {
    let facts = Facts {
        people: vec![
            Person {
                standing: Standing::External,
                ..person("ada")
            },
            Person {
                standing: Standing::Network,
                ..person("bob")
            },
        ],
        resources: vec![resource("blue", "Blue room", ResourceKind::Room)],
        bookings: vec![
            booking("b1", "blue", "ada", 0, 1_000),
            booking("b2", "blue", "bob", 0, 1_000),
        ],
        ..Facts::default()
    };
    for (name, profile) in Profile::ALL {
        let found = opens(&grants(&facts, &as_on(profile), &site("UTC")));
        let expected = if profile == Profile::Cobot { 1 } else { 2 };
        assert_eq!(
            found.len(),
            expected,
            "{name}: S3:33 speaks of members; those of the network are some"
        );
    }
}
