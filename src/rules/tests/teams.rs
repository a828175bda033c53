//! R6, C7: whose a membership or an assigned desk is, by three rules.

use super::*;
use crate::domain::facts::Team;

fn company() -> Facts {
    let of_acme = |id: &str, person: Option<&str>| Membership {
        team: Some("acme".into()),
        ..membership(id, "Day", person)
    };
    Facts {
        people: vec![
            in_team("ada", "acme"),
            in_team("bob", "acme"),
            Person {
                teams: vec!["acme".into()],
                ..in_team("dan", "other")
            },
            person("eve"),
        ],
        teams: vec![Team {
            id: "acme".into(),
            name: "Acme".into(),
            payer: Some("ada".into()),
        }],
        memberships: vec![
            of_acme("own", Some("ada")),
            membership("alone", "Day", Some("eve")),
        ],
        ..Facts::default()
    }
}

fn reached(facts: &Facts, profile: Profile) -> Vec<String> {
    let outcome = grants(facts, &as_on(profile), &site("UTC"));
    opens(&outcome)
        .into_iter()
        .map(|(who, _, rule, source)| format!("{source} {who} R{rule}"))
        .collect()
}

#[test]
fn r6_s4_71_with_a_member_it_is_that_members_alone() {
    for profile in [
        Profile::OfficeRnd,
        Profile::Cobot,
        Profile::Coworks,
        Profile::Open,
    ] {
        assert_eq!(
            reached(&company(), profile),
            ["own ada R1", "alone eve R1"],
            "{profile:?}"
        );
    }
}

#[test]
fn r6_s2_89_a_subscription_of_a_company_is_for_all_its_users() {
    assert_eq!(
        reached(&company(), Profile::Spacebring),
        ["own ada R1", "own bob R6", "own dan R6", "alone eve R1"]
    );
}

#[test]
fn r6_s0_34_the_paying_members_contract_reaches_the_team() {
    let all = ["own ada R1", "own bob R6", "own dan R6", "alone eve R1"];
    assert_eq!(reached(&company(), Profile::Nexudus), all);
    let mut unnamed = company();
    unnamed.memberships[0].team = None;
    assert_eq!(
        reached(&unnamed, Profile::Nexudus),
        all,
        "a contract that names no team reaches those it pays for"
    );
    let mut other = company();
    other.memberships[0].team = Some("other".into());
    assert_eq!(
        reached(&other, Profile::Nexudus),
        ["own ada R1", "alone eve R1"],
        "and only those"
    );
    let mut not_the_payer = company();
    not_the_payer.teams[0].payer = Some("bob".into());
    assert_eq!(
        reached(&not_the_payer, Profile::Nexudus),
        ["own ada R1", "alone eve R1"]
    );
}

#[test]
fn r6_s0_34_linking_the_payers_contract_to_the_floor_plan_opens_it_to_the_team() {
    let mut facts = company();
    facts.memberships.clear();
    facts.resources = vec![resource("desk-7", "Desk 7", ResourceKind::Office)];
    facts.assignments = vec![Assignment {
        person: Some("ada".into()),
        ..Assignment::new("a1", "desk-7")
    }];
    assert_eq!(
        reached(&facts, Profile::Nexudus),
        ["a1 ada R9", "a1 bob R9", "a1 dan R9"]
    );
    assert_eq!(reached(&facts, Profile::OfficeRnd), ["a1 ada R9"]);
}

#[test]
fn r6_joining_or_leaving_a_team_changes_access_at_once() {
    let mut facts = company();
    facts.memberships = vec![Membership {
        team: Some("acme".into()),
        ..membership("all", "Day", None)
    }];
    assert_eq!(
        reached(&facts, Profile::OfficeRnd),
        ["all ada R6", "all bob R6", "all dan R6"]
    );
    facts.people[1].team = None;
    facts.people[3].team = Some("acme".into());
    assert_eq!(
        reached(&facts, Profile::OfficeRnd),
        ["all ada R6", "all dan R6", "all eve R6"]
    );
}

#[test]
fn r20_s4_113_a_teams_passes_are_the_teams_and_a_persons_are_not() {
    let mut facts = company();
    facts.memberships.clear();
    facts.passes = vec![
        Pass {
            person: None,
            team: Some("acme".into()),
            ..pass("team", "nobody", Some(1))
        },
        Pass {
            team: Some("acme".into()),
            ..pass("own", "ada", Some(1))
        },
    ];
    for (_, profile) in Profile::ALL {
        let expected = ["own ada R20", "team ada R20", "team bob R20", "team dan R20"];
        let mut found = reached(&facts, profile);
        found.sort();
        assert_eq!(found, expected, "{profile:?}");
    }
}
