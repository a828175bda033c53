//! R1 to R11.

use super::*;

#[test]
fn r1_s4_63_a_plan_gives_all_its_groups() {
    let facts = Facts {
        people: vec![person("ada")],
        memberships: vec![membership("m1", "Flex", Some("ada"))],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("Europe/Madrid"));
    assert_eq!(
        opens(&outcome),
        [row("ada", "lounge", 1, "m1"), row("ada", "main", 1, "m1")]
    );
    assert_eq!(outcome.grants[0].kind, GrantKind::Plan);
    assert_eq!(outcome.grants[0].source.label, "Flex", "R43: what staff call it");
    assert_eq!(outcome.people[0].name, "ADA");
}

#[test]
fn r2_r3_s2_87_from_the_start_date_until_the_end_of_the_last_day() {
    let facts = Facts {
        people: vec![person("ada")],
        memberships: vec![Membership {
            starts: day("2026-05-01"),
            ends: day("2026-05-31"),
            ..membership("m1", "Day", Some("ada"))
        }],
        ..Facts::default()
    };
    let window = only_window(&grants(&facts, &rules(), &site("Europe/Madrid")));
    assert_eq!(window.from, Some(at("2026-04-30T22:00:00Z")));
    assert_eq!(
        window.until,
        Some(at("2026-05-31T22:00:00Z")),
        "the last day is inclusive"
    );
    assert!(window.contains(at("2026-05-31T21:59:59.999Z")) && !window.contains(at("2026-05-31T22:00:00Z")));
}

#[test]
fn r3_s1_45_cancelling_revokes_or_not_by_profile() {
    let facts = Facts {
        people: vec![person("ada")],
        memberships: vec![Membership {
            ends: day("2026-05-31"),
            cancelled: true,
            ..membership("m1", "Day", Some("ada"))
        }],
        ..Facts::default()
    };
    let keeps = RulesConfig {
        cancel_revokes: false,
        ..rules()
    };
    assert!(
        only_window(&grants(&facts, &rules(), &site("UTC")))
            .until
            .is_some()
    );
    assert_eq!(only_window(&grants(&facts, &keeps, &site("UTC"))), Window::ALWAYS);

    let mut undated = facts;
    undated.memberships[0].ends = None;
    let outcome = grants(&undated, &rules(), &site("UTC"));
    assert!(outcome.grants.is_empty());
    assert_eq!(outcome.warnings[0].key(), "cancelled_without_date");
}

#[test]
fn r5_s1_44_deactivation_revokes_everything_and_keeps_the_person_known() {
    let card = "uid:04A2B3C4D5E680".parse().unwrap();
    let facts = Facts {
        people: vec![Person {
            deactivated: true,
            credentials: vec![card],
            groups: vec!["Back door".into()],
            ..in_team("ada", "acme")
        }],
        memberships: vec![
            membership("m1", "Flex", Some("ada")),
            Membership {
                team: Some("acme".into()),
                ..membership("m2", "Flex", None)
            },
        ],
        resources: vec![resource("blue", "Blue room", ResourceKind::Room)],
        bookings: vec![booking("b1", "blue", "ada", 0, 1_000)],
        passes: vec![pass("p1", "ada", Some(3))],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("UTC"));
    assert!(outcome.grants.is_empty(), "{:?}", outcome.grants);
    assert_eq!(
        outcome.blocks,
        [Block {
            target: BlockTarget::Person("ada".into()),
            note: "deactivated at the platform".into()
        }]
    );
    assert_eq!((outcome.people.len(), outcome.credentials.len()), (1, 1));
}

#[test]
fn r6_s4_71_no_member_on_the_membership_means_the_whole_team() {
    let facts = Facts {
        people: vec![
            in_team("ada", "acme"),
            in_team("bob", "acme"),
            in_team("eve", "other"),
        ],
        memberships: vec![
            Membership {
                team: Some("acme".into()),
                ..membership("team", "Day", None)
            },
            Membership {
                team: Some("acme".into()),
                ..membership("own", "Flex", Some("ada"))
            },
        ],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("UTC"));
    assert_eq!(
        opens(&outcome),
        [
            row("ada", "lounge", 1, "own"),
            row("ada", "main", 1, "own"),
            row("ada", "main", 6, "team"),
            row("bob", "main", 6, "team")
        ],
        "a membership with a member is for that member alone"
    );
}

#[test]
fn r7_s3_77_a_plan_change_leaves_no_moment_without_either() {
    let facts = Facts {
        people: vec![person("ada")],
        memberships: vec![
            Membership {
                ends: day("2026-10-24"),
                ..membership("old", "Day", Some("ada"))
            },
            Membership {
                starts: day("2026-10-25"), // the clocks go back on this day
                ..membership("new", "Day", Some("ada"))
            },
        ],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("Europe/Madrid"));
    let end = outcome.grants.iter().find_map(|grant| grant.window.until);
    let start = outcome.grants.iter().find_map(|grant| grant.window.from);
    assert_eq!(end, start);
    assert_eq!(end, Some(at("2026-10-24T22:00:00Z")));
}

#[test]
fn r8_s3_78_an_unmapped_plan_opens_nothing_and_is_reported() {
    let facts = Facts {
        people: vec![person("ada"), person("bob")],
        memberships: vec![
            membership("m1", "Gold", Some("ada")),
            membership("m2", "Gold", Some("bob")),
        ],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("UTC"));
    assert!(outcome.grants.is_empty());
    let texts: Vec<String> = outcome.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "plan \"Gold\" (2 memberships) is not mapped and opens nothing; add it to [map.plans], with [] if that is meant"
        ]
    );
}

#[test]
fn r9_r10_s4_75_s4_85_an_assigned_desk_opens_itself_its_floor_and_its_location() {
    let desk = Resource {
        floor: Some("Floor 1".into()),
        location: Some("London".into()),
        ..resource("desk-7", "Desk 7", ResourceKind::Desk)
    };
    let facts = Facts {
        people: vec![in_team("ada", "acme"), in_team("bob", "acme"), person("eve")],
        resources: vec![desk, resource("shed", "Shed", ResourceKind::Other)],
        assignments: vec![
            Assignment {
                id: "a1".into(),
                resource: "desk-7".into(),
                person: None,
                team: Some("acme".into()),
                starts: None,
                ends: None,
            },
            Assignment {
                id: "a2".into(),
                resource: "shed".into(),
                person: Some("eve".into()),
                team: None,
                starts: None,
                ends: None,
            },
        ],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("UTC"));
    let of = |who: &str| {
        [
            row(who, "desks", 9, "a1"),
            row(who, "first", 10, "a1"),
            row(who, "house", 10, "a1"),
        ]
    };
    assert_eq!(
        opens(&outcome),
        [of("ada"), of("bob")].concat(),
        "S0:34: the whole team"
    );
    assert_eq!(
        warned(&outcome),
        [&RuleWarning::UnmappedAssignment {
            resource: "Shed".into(),
            assignments: 1
        }]
    );
}

#[test]
fn r10_s4_77_joes_desk_on_any_floor_in_london_opens_what_london_is_mapped_to() {
    let desk = |id: &str, floor: &str| Resource {
        floor: Some(floor.into()),
        location: Some("London".into()),
        ..resource(id, id, ResourceKind::Desk)
    };
    for floor in ["Floor 1", "Floor 2"] {
        let facts = Facts {
            people: vec![person("joe")],
            resources: vec![desk("d1", floor)],
            assignments: vec![Assignment {
                person: Some("joe".into()),
                ..Assignment::new("a1", "d1")
            }],
            ..Facts::default()
        };
        let found = opens(&grants(
            &facts,
            &as_on(Profile::OfficeRnd),
            &site("Europe/London"),
        ));
        assert!(
            found.contains(&row("joe", "house", 10, "a1")),
            "{floor}: {found:?}"
        );
        assert_eq!(
            found.contains(&row("joe", "first", 10, "a1")),
            floor == "Floor 1",
            "S4:87"
        );
    }
    // Membership of the location alone, without a desk, opens nothing (S4:75).
    let facts = Facts {
        people: vec![person("joe")],
        memberships: vec![Membership {
            location: Some("London".into()),
            ..membership("m1", "Unmapped", Some("joe"))
        }],
        ..Facts::default()
    };
    assert!(
        grants(&facts, &as_on(Profile::OfficeRnd), &site("Europe/London"))
            .grants
            .is_empty()
    );
}

#[test]
fn r11_a_group_given_by_hand_ends_when_the_platform_says() {
    let mut ada = person("ada");
    ada.groups = vec!["Back door".into()];
    ada.group_ends.insert("Back door".into(), 1_000);
    let facts = Facts {
        people: vec![ada],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("UTC"));
    let window = outcome.grants[0].window;
    assert_eq!(
        (window.from, window.until, outcome.grants[0].rule),
        (None, Some(1_000), 11)
    );
}

#[test]
fn r11_s3_46_directly_given_groups_need_no_plan_and_no_pass() {
    let mut ada = person("ada");
    ada.groups = vec!["Back door".into(), "Roof".into()];
    let facts = Facts {
        people: vec![ada],
        passes: vec![pass("p1", "ada", Some(0))],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("UTC"));
    assert_eq!(opens(&outcome), [row("ada", "back", 11, "Back door")]);
    assert_eq!(outcome.warnings[0].key(), "unmapped_group");
}
