//! What an update works out, and that it is little. That its result is always the full one is shown over random edits in
//! `tests/rules_incremental.rs`.

use super::*;
use crate::rules::{Incremental, Worked};
use std::sync::Arc;

fn facts() -> Facts {
    Facts {
        people: (0..20)
            .map(|n| in_team(&format!("p{n}"), if n < 10 { "acme" } else { "other" }))
            .collect(),
        memberships: (0..20)
            .map(|n| membership(&format!("m{n}"), "Day", Some(&format!("p{n}"))))
            .collect(),
        resources: vec![resource("blue", "Blue room", ResourceKind::Room)],
        bookings: (0..20)
            .map(|n| booking(&format!("b{n}"), "blue", &format!("p{n}"), n * 100, n * 100 + 50))
            .collect(),
        passes: vec![pass("x1", "p1", Some(1))],
        ..Facts::default()
    }
}

fn updated(before: &Facts, after: &Facts) -> Worked {
    let rules = RulesConfig {
        restrict_on_exhaustion: true,
        ..rules()
    };
    let mut incremental = Incremental::new(Arc::new(before.clone()), rules.clone(), site("UTC"));
    let worked = incremental.update(Arc::new(after.clone()));
    assert_eq!(*incremental.outcome(), grants(after, &rules, &site("UTC")));
    worked
}

#[test]
fn what_changed_is_worked_out_and_what_hangs_on_it() {
    let before = facts();
    let of = |edit: fn(&mut Facts)| {
        let mut after = before.clone();
        edit(&mut after);
        updated(&before, &after).objects
    };
    assert_eq!(of(|_| {}), 0);
    assert_eq!(of(|facts| facts.bookings[3].until += 1), 1, "a moved booking");
    assert_eq!(
        of(|facts| drop(facts.bookings.remove(3))),
        0,
        "a deleted one leaves nothing to work out"
    );
    assert_eq!(
        of(|facts| facts.bookings.reverse()),
        0,
        "another order is no change"
    );
    assert_eq!(of(|facts| facts.memberships[0].pass_based = true), 1);
    assert_eq!(of(|facts| facts.passes[0].left = Some(0)), 1);
    assert_eq!(
        of(|facts| facts.people[0].deactivated = true),
        3,
        "the person, the membership, the booking"
    );
    assert_eq!(
        of(|facts| facts.resources[0].kind = ResourceKind::Desk),
        20,
        "every booking of it"
    );
    let everything = updated(
        &before,
        &Facts {
            catalogue: crate::domain::facts::Catalogue {
                plans: vec![crate::domain::facts::Named {
                    id: "Day".into(),
                    name: "Daily".into(),
                }],
                ..Default::default()
            },
            ..before.clone()
        },
    );
    assert!(everything.everything);
}

#[test]
fn a_pass_works_out_the_plans_that_need_it() {
    let mut before = facts();
    before.memberships[1].pass_based = true;
    before.memberships.push(Membership {
        team: Some("acme".into()),
        pass_based: true,
        ..membership("team", "Flex", None)
    });
    let mut after = before.clone();
    after.passes[0].left = Some(0);
    assert_eq!(
        updated(&before, &after).objects,
        3,
        "the pass, the own plan, the team's plan"
    );
}

#[test]
fn what_two_objects_give_stays_until_both_are_gone() {
    let mut twice = facts();
    twice.memberships.push(twice.memberships[0].clone());
    twice.memberships.push(twice.memberships[0].clone());
    let mut incremental = Incremental::new(Arc::new(twice.clone()), rules(), site("UTC"));
    for _ in 0..3 {
        let place = twice.memberships.iter().position(|it| it.id == "m0").unwrap();
        twice.memberships.remove(place);
        incremental.update(Arc::new(twice.clone()));
        assert_eq!(*incremental.outcome(), grants(&twice, &rules(), &site("UTC")));
    }
    let other = RulesConfig::default();
    incremental.reconfigure(other.clone(), site("UTC"));
    assert_eq!(*incremental.outcome(), grants(&twice, &other, &site("UTC")));
}
