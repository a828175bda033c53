//! R20 to R23, R34, R41, and what is wrong with dates.

use super::*;

#[test]
fn r20_s4_113_a_pass_opens_until_used_up_or_over() {
    let facts = Facts {
        people: vec![person("ada"), person("bob"), in_team("eve", "acme")],
        passes: vec![
            Pass {
                ends: day("2026-05-31"),
                ..pass("p1", "ada", Some(2))
            },
            pass("p2", "bob", Some(0)),
            Pass {
                person: None,
                team: Some("acme".into()),
                ..pass("p3", "nobody", None)
            },
        ],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("UTC"));
    assert_eq!(
        opens(&outcome),
        [row("ada", "main", 20, "p1"), row("eve", "main", 20, "p3")]
    );
    let void = outcome
        .grants
        .iter()
        .find(|it| it.person.as_str() == "bob")
        .unwrap();
    assert_eq!(
        void.void,
        Some(Reason::NoPassLeft),
        "so that the refusal can name it"
    );
}

#[test]
fn r22_s3_46_out_of_passes_the_plan_stops_and_bookings_and_direct_groups_do_not() {
    let mut ada = person("ada");
    ada.groups = vec!["Back door".into()];
    let mut facts = Facts {
        people: vec![ada],
        memberships: vec![
            Membership {
                pass_based: true,
                ..membership("m1", "Flex", Some("ada"))
            },
            membership("m2", "Day", Some("ada")),
        ],
        resources: vec![resource("blue", "Blue room", ResourceKind::Room)],
        bookings: vec![booking("b1", "blue", "ada", 0, 1_000)],
        ..Facts::default()
    };
    let strict = RulesConfig {
        restrict_on_exhaustion: true,
        ..rules()
    };
    let rest = [
        row("ada", "back", 11, "Back door"),
        row("ada", "main", 1, "m2"),
        row("ada", "rooms", 12, "b1"),
    ];
    let outcome = grants(&facts, &strict, &site("UTC"));
    assert_eq!(opens(&outcome), rest, "a plan that needs no pass is not caught");
    let void: Vec<_> = outcome.grants.iter().filter(|it| it.void.is_some()).collect();
    assert!(
        void.len() == 2
            && void
                .iter()
                .all(|it| it.void == Some(Reason::NoPassLeft) && it.rule == 22)
    );

    facts.passes = vec![pass("p1", "ada", Some(1))];
    let bought = opens(&grants(&facts, &strict, &site("UTC")));
    assert!(
        bought.contains(&row("ada", "lounge", 22, "m1")),
        "restored at once: {bought:?}"
    );
    facts.passes.clear();
    assert!(opens(&grants(&facts, &rules(), &site("UTC"))).contains(&row("ada", "lounge", 1, "m1")));
}

#[test]
fn r23_s3_73_the_last_pass_opens_until_it_has_run_out() {
    let mut facts = Facts {
        people: vec![person("ada")],
        memberships: vec![Membership {
            pass_based: true,
            ..membership("m1", "Flex", Some("ada"))
        }],
        passes: vec![Pass {
            running_until: Some(5_000),
            ..pass("p1", "ada", Some(0))
        }],
        ..Facts::default()
    };
    let strict = RulesConfig {
        restrict_on_exhaustion: true,
        ..rules()
    };
    let open_at = |facts: &Facts, now: Millis| {
        let outcome = grants(facts, &strict, &site("UTC"));
        let open = outcome
            .grants
            .iter()
            .filter(|it| it.void.is_none() && it.window.contains(now));
        open.map(|it| it.kind).collect::<Vec<_>>()
    };
    assert_eq!(
        open_at(&facts, 4_999),
        [GrantKind::Plan, GrantKind::Plan, GrantKind::Pass]
    );
    assert_eq!(open_at(&facts, 5_000), []);
    facts.passes[0].left = Some(1);
    assert_eq!(
        open_at(&facts, 5_000),
        [GrantKind::Plan, GrantKind::Plan, GrantKind::Pass]
    );
}

/// R34, S0:36: card numbers are typed in by hand, several for a person, so one may stand at two people.
#[test]
fn r34_a_card_of_two_people_is_kept_for_both_and_reported_without_its_number() {
    let card = "uid:04A2B3C4D5E680".parse().unwrap();
    let mut people = vec![person("ada"), person("bob")];
    for person in &mut people {
        person.credentials = vec![card, card];
    }
    people[0].credentials.push("ks:02309289".parse().unwrap());
    let outcome = grants(
        &Facts {
            people,
            ..Facts::default()
        },
        &rules(),
        &site("UTC"),
    );
    assert_eq!(
        outcome.credentials.len(),
        3,
        "both holders of the one, the holder of the other"
    );
    assert_eq!(
        outcome.warnings[0].to_string(),
        "card uid:…80 belongs to ADA (ada) and BOB (bob) and opens for nobody; take it from all but one at the platform",
        "in names that staff know"
    );
}

/// R41, S2:35: plan, desk and booking are conditions of their own, and any of them is enough.
#[test]
fn r41_losing_one_source_leaves_the_rest() {
    let both = Facts {
        people: vec![person("ada")],
        memberships: vec![membership("m1", "Day", Some("ada"))],
        passes: vec![pass("p1", "ada", Some(1))],
        ..Facts::default()
    };
    let mut one = both.clone();
    one.memberships.clear();
    assert_eq!(
        opens(&grants(&both, &rules(), &site("UTC"))),
        [row("ada", "main", 1, "m1"), row("ada", "main", 20, "p1")]
    );
    assert_eq!(
        opens(&grants(&one, &rules(), &site("UTC"))),
        [row("ada", "main", 20, "p1")]
    );
}

#[test]
fn what_ends_before_it_begins_opens_nothing_and_is_reported() {
    let facts = Facts {
        people: vec![person("ada")],
        memberships: vec![Membership {
            starts: day("2026-06-02"),
            ends: day("2026-05-31"),
            ..membership("m1", "Day", Some("ada"))
        }],
        resources: vec![resource("blue", "Blue room", ResourceKind::Room)],
        bookings: vec![booking("b1", "blue", "ada", 1_000, 1_000)],
        ..Facts::default()
    };
    let outcome = grants(&facts, &buffers(30, 30), &site("UTC"));
    assert!(outcome.grants.is_empty(), "a buffer does not revive it");
    let texts: Vec<String> = warned(&outcome).iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "booking b1 ends before it begins and opens nothing; correct its dates at the platform",
            "membership m1 ends before it begins and opens nothing; correct its dates at the platform"
        ]
    );
}

#[test]
fn an_unknown_zone_grants_no_day_and_says_so() {
    let facts = Facts {
        people: vec![person("ada")],
        memberships: vec![
            Membership {
                ends: day("2026-05-31"),
                ..membership("m1", "Day", Some("ada"))
            },
            membership("m2", "Day", Some("ada")),
        ],
        ..Facts::default()
    };
    let outcome = grants(&facts, &rules(), &site("Mars/Olympus"));
    assert_eq!(opens(&outcome), [row("ada", "main", 1, "m2")]);
    assert_eq!(outcome.warnings[0].key(), "unknown_zone");
}
