//! R8 to R12, R36: things by id or by name, places that do not count, names that nobody has.

use super::*;
use crate::domain::facts::{Catalogue, Named};

fn named(id: &str, name: &str) -> Named {
    Named {
        id: id.into(),
        name: name.into(),
    }
}

fn by_id() -> Facts {
    Facts {
        people: vec![Person {
            groups: vec!["g-1".into()],
            ..person("ada")
        }],
        memberships: vec![membership("m1", "plan-1", Some("ada"))],
        passes: vec![Pass {
            kind: "kind-1".into(),
            ..pass("p1", "ada", Some(1))
        }],
        resources: vec![Resource {
            floor: Some("floor-1".into()),
            location: Some("place-1".into()),
            ..resource("shed", "Shed", ResourceKind::Desk)
        }],
        assignments: vec![Assignment {
            person: Some("ada".into()),
            ..Assignment::new("a1", "shed")
        }],
        catalogue: Catalogue {
            plans: vec![
                named("plan-1", "Day"),
                named("plan-2", "Flex"),
                named("plan-3", "Flexx"),
            ],
            passes: vec![named("kind-1", "Day pass")],
            floors: vec![named("floor-1", "Floor 1")],
            locations: vec![named("place-1", "London")],
            groups: vec![named("g-1", "Back door")],
        },
        ..Facts::default()
    }
}

#[test]
fn r1_s3_58_what_the_facts_name_by_id_the_mapping_may_name_by_name() {
    let outcome = grants(&by_id(), &as_on(Profile::Cobot), &site("UTC"));
    assert_eq!(
        opens(&outcome),
        [
            row("ada", "back", 11, "g-1"),
            row("ada", "first", 10, "a1"),
            row("ada", "house", 10, "a1"),
            row("ada", "main", 1, "m1"),
            row("ada", "main", 20, "p1"),
        ]
    );
    let labels: Vec<&str> = outcome.grants.iter().map(|it| it.source.label.as_str()).collect();
    assert_eq!(
        labels,
        ["Back door", "Shed", "Shed", "Day", "Day pass"],
        "R43: what staff call it"
    );
}

#[test]
fn r1_the_facts_may_say_the_name_and_the_mapping_the_id() {
    let mut facts = by_id();
    facts.memberships[0].plan = "Day".into();
    let rules = RulesConfig {
        plans: map(&[("plan-1", &["lounge"])]),
        ..as_on(Profile::Cobot)
    };
    assert!(opens(&grants(&facts, &rules, &site("UTC"))).contains(&row("ada", "lounge", 1, "m1")));
}

#[test]
fn r8_an_unmapped_plan_is_reported_by_its_name() {
    let mut facts = by_id();
    facts.memberships[0].plan = "plan-3".into();
    let outcome = grants(&facts, &as_on(Profile::Cobot), &site("UTC"));
    assert!(outcome.warnings.contains(&RuleWarning::UnmappedPlan {
        plan: "Flexx".into(),
        memberships: 1
    }));
}

#[test]
fn a_name_that_the_platform_does_not_have_is_reported_with_the_nearest() {
    let rules = RulesConfig {
        plans: map(&[("Dayy", &["main"]), ("Platinum", &["main"])]),
        only_locations: vec!["Londn".into()],
        ..as_on(Profile::Cobot)
    };
    let outcome = grants(&by_id(), &rules, &site("UTC"));
    let texts: Vec<String> = outcome.warnings.iter().map(ToString::to_string).collect();
    for expected in [
        "[map.plans] names \"Dayy\", which the platform does not have; did you mean \"Day\"?",
        "[map.plans] names \"Platinum\", which the platform does not have; take it out, or correct it to what the platform shows",
        "[rules] names \"Londn\", which the platform does not have; did you mean \"London\"?",
    ] {
        assert!(
            texts.iter().any(|text| text == expected),
            "{expected}\n{texts:#?}"
        );
    }
    let silent = Facts {
        catalogue: Catalogue::default(),
        resources: vec![],
        assignments: vec![],
        ..by_id()
    };
    let outcome = grants(&silent, &rules, &site("UTC"));
    let unknown = outcome.warnings.iter().filter(|it| it.key() == "unknown_name");
    assert_eq!(
        unknown.count(),
        0,
        "a platform that does not tell what it has proves nothing"
    );
}

#[test]
fn a_mapping_to_a_group_that_is_gone_opens_nothing_there_and_is_reported_once() {
    let rules = RulesConfig {
        plans: map(&[("Day", &["main", "annexe"])]),
        ..as_on(Profile::Cobot)
    };
    let facts = Facts {
        people: vec![person("ada"), person("bob")],
        memberships: vec![
            membership("m1", "Day", Some("ada")),
            membership("m2", "Day", Some("bob")),
        ],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules, &site("UTC"));
    assert_eq!(
        opens(&outcome),
        [row("ada", "main", 1, "m1"), row("bob", "main", 1, "m2")]
    );
    let gone: Vec<_> = outcome
        .warnings
        .iter()
        .filter(|it| it.key() == "group_gone")
        .collect();
    assert_eq!(gone.len(), 1);
    assert!(
        gone[0]
            .to_string()
            .starts_with("[map.plans] \"Day\" names the group \"annexe\""),
        "{}",
        gone[0]
    );
}

#[test]
fn r36_s4_26_only_what_is_at_a_listed_location_counts_and_blank_means_all() {
    let mut facts = by_id();
    facts.memberships[0].location = Some("place-1".into());
    facts.memberships.push(Membership {
        location: Some("place-2".into()),
        ..membership("m2", "Flex", Some("ada"))
    });
    facts.passes.push(Pass {
        location: Some("place-2".into()),
        ..pass("p2", "ada", Some(1))
    });
    facts.resources.push(Resource {
        location: Some("place-2".into()),
        ..resource("blue", "Blue room", ResourceKind::Room)
    });
    facts.bookings = vec![booking("b1", "blue", "ada", 0, 1_000)];
    facts.catalogue.locations.push(named("place-2", "Paris"));
    let sources = |only: &[&str]| {
        let only_locations = only.iter().map(|it| (*it).to_owned()).collect();
        let rules = RulesConfig {
            only_locations,
            ..as_on(Profile::OfficeRnd)
        };
        let mut found: Vec<String> = opens(&grants(&facts, &rules, &site("UTC")))
            .into_iter()
            .map(|it| it.3)
            .collect();
        found.sort();
        found.dedup();
        found
    };
    assert_eq!(sources(&[]), ["a1", "b1", "g-1", "m1", "m2", "p1", "p2"]);
    assert_eq!(
        sources(&["London"]),
        ["a1", "g-1", "m1", "p1"],
        "what names no location counts everywhere"
    );
    assert_eq!(sources(&["place-2"]), ["b1", "g-1", "m2", "p1", "p2"]);
    assert_eq!(sources(&["place-1", "Paris"]), sources(&[]));
}

#[test]
fn r12_s3_30_a_booked_room_that_is_not_mapped_opens_nothing_and_an_assigned_one_by_its_floor() {
    let facts = Facts {
        bookings: vec![booking("b1", "shed", "ada", 0, 1_000)],
        ..by_id()
    };
    let outcome = grants(&facts, &as_on(Profile::Cobot), &site("UTC"));
    assert!(
        outcome.grants.iter().all(|it| it.kind != GrantKind::Booking),
        "S4:75: floors widen assignments only"
    );
}
