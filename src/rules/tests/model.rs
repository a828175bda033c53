//! The window arithmetic against a slow, obvious model.

use super::*;
use jiff::{civil::Date, tz::TimeZone};
use proptest::prelude::*;

/// The obvious way to say what the window arithmetic computes: look at the calendar on the wall.
fn model_day(now: Millis, zone: &TimeZone, starts: Option<Date>, ends: Option<Date>) -> bool {
    let today = jiff::Timestamp::from_millisecond(now)
        .unwrap()
        .to_zoned(zone.clone())
        .date();
    starts.is_none_or(|first| first <= today) && ends.is_none_or(|last| today <= last)
}

const ZONES: [&str; 7] = [
    "Europe/Madrid",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Beirut",         // changes at midnight
    "America/Havana",      // changes at midnight, and back at one
    "Australia/Lord_Howe", // changes by half an hour
    "Pacific/Apia",        // had no 30 December 2011
];

proptest! {
    #[test]
    fn a_membership_opens_exactly_on_its_days(
        zone in 0_usize..7,
        base in 0_i64..7_300,
        length in -2_i64..40,
        open_start: bool,
        open_end: bool,
        minute in -3_000_i64..60_000,
    ) {
        let first = Date::constant(2006, 1, 1).saturating_add(jiff::Span::new().days(base));
        let last = first.saturating_add(jiff::Span::new().days(length));
        let starts = (!open_start).then_some(first);
        let ends = (!open_end).then_some(last);
        let tz = TimeZone::get(ZONES[zone]).unwrap();
        let start = first.at(12, 0, 0, 0).to_zoned(tz.clone()).unwrap().timestamp().as_millisecond();
        let now = start + minute * 60_000;
        let facts = Facts {
            people: vec![person("ada")],
            memberships: vec![Membership {
                starts: starts.map(When::Day),
                ends: ends.map(When::Day),
                ..membership("m1", "Day", Some("ada"))
            }],
            ..Facts::default()
        };
        let outcome = grants(&facts, &rules(), &site(ZONES[zone]));
        let open = outcome.grants.iter().any(|grant| grant.window.contains(now));
        prop_assert_eq!(open, model_day(now, &tz, starts, ends));
    }

    #[test]
    fn a_pass_based_plan_opens_exactly_while_a_pass_does(
        passes in proptest::collection::vec((0_i64..50, 0_i64..50, 0_u32..3, proptest::option::of(0_i64..60)), 0..5),
        plan_from in 0_i64..30,
        plan_length in 1_i64..40,
        now in 0_i64..80,
    ) {
        let facts = Facts {
            people: vec![person("ada")],
            memberships: vec![Membership {
                pass_based: true,
                starts: Some(When::At(plan_from)),
                ends: Some(When::At(plan_from + plan_length)),
                ..membership("m1", "Day", Some("ada"))
            }],
            passes: passes.iter().enumerate().map(|(index, (from, length, left, running))| Pass {
                kind: "unmapped".into(),
                starts: Some(When::At(*from)),
                ends: Some(When::At(from + length)),
                running_until: *running,
                ..pass(&format!("p{index}"), "ada", Some(*left))
            }).collect(),
            ..Facts::default()
        };
        let strict = RulesConfig { restrict_on_exhaustion: true, ..rules() };
        let outcome = grants(&facts, &strict, &site("UTC"));
        let open = outcome.grants.iter().any(|it| it.void.is_none() && it.window.contains(now));
        let on_plan = plan_from <= now && now < plan_from + plan_length;
        let has_pass = passes.iter().any(|(from, length, left, running)| {
            // What runs has begun, whenever the rest of the pass does. A pass that ends before it begins is none, and is
            // reported.
            *length > 0
                && ((*from <= now && *left > 0 && now < from + length)
                    || running.is_some_and(|until| now < until))
        });
        prop_assert_eq!(open, on_plan && has_pass);
        // What opens is cut into as few grants as can be: no two touch.
        for (a, b) in outcome.grants.iter().zip(outcome.grants.iter().skip(1)) {
            prop_assert!(a.window.until < b.window.from);
        }
    }
}
