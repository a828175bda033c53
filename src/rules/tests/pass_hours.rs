//! R20 to R26: passes of a part of the day, that come back, that run, of a day with its own beginning.

use super::*;
use crate::domain::opening::{Hours, Week};

fn mornings() -> Week {
    Week {
        hours: vec![Hours {
            weekdays: vec![1, 2, 3, 4, 5],
            from: 480,
            until: 720,
        }],
        closed: vec![],
    }
}

fn holding(passes: Vec<Pass>) -> Facts {
    Facts {
        people: vec![person("ada")],
        memberships: vec![Membership {
            pass_based: true,
            ..membership("m1", "Flex", Some("ada"))
        }],
        passes,
        ..Facts::default()
    }
}

fn kinds(facts: &Facts, rules: &RulesConfig, now: &str) -> Vec<GrantKind> {
    let outcome = grants(facts, rules, &site("Europe/Madrid"));
    let now = at(now);
    let mut open: Vec<_> = outcome
        .grants
        .iter()
        .filter(|it| it.void.is_none() && it.window.contains(now))
        .collect();
    open.dedup_by_key(|it| it.kind);
    open.into_iter().map(|it| it.kind).collect()
}

#[test]
fn r21_s0_13_a_morning_pass_opens_in_the_morning_and_in_its_validity() {
    let month = Pass {
        hours: Some(mornings()),
        starts: day("2026-05-01"),
        ends: day("2026-05-31"),
        ..pass("p1", "ada", Some(3))
    };
    let facts = Facts {
        memberships: vec![],
        ..holding(vec![month])
    };
    let rules = as_on(Profile::Nexudus);
    let outcome = grants(&facts, &rules, &site("Europe/Madrid"));
    assert_eq!(outcome.grants.len(), 21, "21 working days in that May");
    assert!(outcome.grants.iter().all(|it| it.rule == 21));
    assert_eq!(
        windows(&outcome)[0],
        between("2026-05-01T06:00:00Z", "2026-05-01T10:00:00Z")
    );
    for (now, opens) in [
        ("2026-05-20T06:00:00Z", true),  // Wednesday, 08:00
        ("2026-05-20T10:00:00Z", false), // 12:00
        ("2026-05-23T08:00:00Z", false), // Saturday
        ("2026-06-01T08:00:00Z", false), // over
    ] {
        assert_eq!(!kinds(&facts, &rules, now).is_empty(), opens, "{now}");
    }
}

#[test]
fn r21_r40_hours_of_a_pass_without_an_end_are_its_groups() {
    let open_ended = Pass {
        hours: Some(mornings()),
        ..pass("p1", "ada", Some(3))
    };
    let facts = holding(vec![open_ended.clone()]);
    let outcome = grants(&facts, &as_on(Profile::Nexudus), &site("Europe/Madrid"));
    let keys: Vec<_> = warned(&outcome).iter().map(|it| it.to_string()).collect();
    assert_eq!(
        keys,
        [
            "pass \"Day pass\" is for certain hours and opens all day (1 pass); give one of its groups hours, or add a group that has them"
        ]
    );
    let mut with_hours = site("Europe/Madrid");
    with_hours.groups[0] = group("main", Some("mornings"));
    assert!(warned(&grants(&facts, &as_on(Profile::Nexudus), &with_hours)).is_empty());
    let year = Pass {
        starts: day("2026-01-01"),
        ends: day("2026-12-31"),
        ..open_ended
    };
    let outcome = grants(
        &holding(vec![year]),
        &as_on(Profile::Nexudus),
        &site("Europe/Madrid"),
    );
    assert_eq!(warned(&outcome).len(), 1, "too long to work out day by day");
}

#[test]
fn r22_s3_46_the_toggle_is_off_in_the_guide_and_may_be_turned_on() {
    let none = holding(vec![pass("p1", "ada", Some(0))]);
    assert_eq!(
        kinds(&none, &as_on(Profile::Cobot), "2026-05-20T08:00:00Z"),
        [GrantKind::Plan]
    );
    let restricting = RulesConfig {
        restrict_on_exhaustion: true,
        ..as_on(Profile::Cobot)
    };
    assert_eq!(kinds(&none, &restricting, "2026-05-20T08:00:00Z"), []);
    assert_eq!(
        kinds(&none, &as_on(Profile::OfficeRnd), "2026-05-20T08:00:00Z"),
        [],
        "C4: S4:113 always does"
    );
}

#[test]
fn r24_s3_72_which_pass_goes_first_changes_nothing_here() {
    let half = Pass {
        kind: "Half day".into(),
        ..pass("cheap", "ada", Some(1))
    };
    let whole = pass("dear", "ada", Some(1));
    let rules = as_on(Profile::OfficeRnd);
    let open = |passes: Vec<Pass>| opens(&grants(&holding(passes), &rules, &site("UTC")));
    assert_eq!(
        open(vec![half.clone(), whole.clone()]),
        open(vec![whole.clone(), half.clone()])
    );
    // The platform took the cheap one: the plan goes on by the other, until the platform says that none is left.
    let taken = Pass {
        left: Some(0),
        ..half
    };
    assert!(open(vec![taken.clone(), whole.clone()]).contains(&row("ada", "lounge", 22, "m1")));
    assert_eq!(
        open(vec![
            taken,
            Pass {
                left: Some(0),
                ..whole
            }
        ]),
        []
    );
}

#[test]
fn r25_s3_72_a_pass_that_comes_back_after_an_upgrade_opens_again() {
    let rules = as_on(Profile::OfficeRnd);
    let open = |left| {
        opens(&grants(
            &holding(vec![pass("p1", "ada", Some(left))]),
            &rules,
            &site("UTC"),
        ))
        .len()
    };
    assert_eq!(
        (open(0), open(1)),
        (0, 3),
        "no count is kept here that the platform's could contradict"
    );
}

#[test]
fn r26_s3_73_while_one_pass_runs_the_person_is_in_as_often_as_they_like() {
    let running = Pass {
        running_until: Some(at("2026-05-21T01:59:59Z")),
        starts: day("2026-05-22"), // whatever the validity of the next one says
        ..pass("p1", "ada", Some(0))
    };
    let facts = holding(vec![running]);
    let rules = as_on(Profile::OfficeRnd);
    let both = [GrantKind::Plan, GrantKind::Pass];
    for again in [
        "2026-05-20T08:00:00Z",
        "2026-05-20T12:00:00Z",
        "2026-05-21T01:59:58Z",
    ] {
        assert_eq!(kinds(&facts, &rules, again), both, "{again}");
    }
    assert_eq!(kinds(&facts, &rules, "2026-05-21T01:59:59Z"), []);
}

#[test]
fn r20_a_day_of_passes_may_begin_later_than_at_midnight() {
    let today = Pass {
        starts: day("2026-05-20"),
        ends: day("2026-05-20"),
        ..pass("p1", "ada", Some(1))
    };
    let facts = Facts {
        memberships: vec![],
        ..holding(vec![today])
    };
    let of = |rules: RulesConfig| windows(&grants(&facts, &rules, &site("Europe/Madrid")))[0];
    let cobot = of(as_on(Profile::Cobot));
    assert_eq!(
        cobot,
        between("2026-05-20T02:00:00Z", "2026-05-21T02:00:00Z"),
        "04:00 to 03:59:59"
    );
    let cut_off = RulesConfig {
        day_starts: 180,
        ..as_on(Profile::Nexudus)
    };
    assert_eq!(
        of(cut_off),
        between("2026-05-20T01:00:00Z", "2026-05-21T01:00:00Z")
    );
    assert_eq!(
        of(as_on(Profile::OfficeRnd)),
        between("2026-05-19T22:00:00Z", "2026-05-20T22:00:00Z")
    );
}
