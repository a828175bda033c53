//! R40, C10: hours live on the group, and what is granted is narrowed by them at the door, not here.

use super::*;
use crate::{
    access::{Index, Limits, Query},
    domain::{
        Moment,
        site::{Door, Schedule, Span},
    },
};

#[test]
fn r40_s3_10_a_plan_of_weekdays_and_one_around_the_clock() {
    let weekdays = Schedule {
        id: "weekdays".into(),
        week: std::array::from_fn(|day| {
            if day < 5 {
                vec![Span {
                    from: 480,
                    until: 1_080,
                }]
            } else {
                vec![]
            }
        }),
        holiday: vec![],
    };
    let with_front = |id: &str, hours| Group {
        doors: vec!["front".into()],
        ..group(id, hours)
    };
    let house = Site {
        doors: vec![Door {
            id: "front".into(),
            name: "Front".into(),
            open_for_all: None,
        }],
        groups: vec![with_front("main", Some("weekdays")), with_front("lounge", None)],
        schedules: vec![weekdays],
        ..site("Europe/Madrid")
    };
    let cards = ["uid:04A2B3C4D5E680", "uid:04A2B3C4D5E681"].map(|text| text.parse().unwrap());
    let facts = Facts {
        people: vec![
            Person {
                credentials: vec![cards[0]],
                ..person("basic")
            },
            Person {
                credentials: vec![cards[1]],
                ..person("full")
            },
        ],
        memberships: vec![
            membership("m1", "Basic", Some("basic")),
            membership("m2", "Full time", Some("full")),
        ],
        ..Facts::default()
    };
    let rules = RulesConfig {
        plans: map(&[("Basic", &["main"]), ("Full time", &["lounge"])]),
        ..RulesConfig::of(Profile::Cobot)
    };
    let (snapshot, _) = grants(&facts, &rules, &house).into_snapshot(1, 0);
    let index = Index::build(&snapshot, &house).unwrap().0;
    let limits = Limits::default();
    let reason = |card: usize, now: &str| {
        let query = Query {
            credential: Some(&cards[card]),
            door: index.door("front"),
            now: Moment::trusted(at(now)),
            lockdown: false,
            limits: &limits,
        };
        index.decide(&query).reason
    };
    let (wednesday, saturday) = ("2026-05-20T08:00:00Z", "2026-05-23T08:00:00Z");
    assert_eq!(
        (reason(0, wednesday), reason(1, wednesday)),
        (Reason::GrantedPlan, Reason::GrantedPlan)
    );
    assert_eq!(
        (reason(0, saturday), reason(1, saturday)),
        (Reason::OutsideHours, Reason::GrantedPlan)
    );
}
