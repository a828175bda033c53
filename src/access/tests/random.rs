//! The index and the model agree on random snapshots, sites and questions.

use super::*;
use crate::access::model::{Answer, Model};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// A zone and an instant close to something odd that its clocks do.
const ODD: [(&str, &str); 9] = [
    ("Europe/Madrid", "2026-03-29T01:00:00Z"),
    ("Europe/Madrid", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"), // half an hour
    ("Africa/Casablanca", "2026-02-15T02:00:00Z"),   // Ramadan, backwards
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),        // a day that never was
    ("Asia/Kolkata", "2026-01-01T00:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"), // at midnight
    ("UTC", "2024-02-29T12:00:00Z"),
];
const HOUR: Millis = 3_600_000;
const PEOPLE: [&str; 4] = ["a", "b", "c", "d"];
const GROUPS: [&str; 4] = ["g0", "g1", "g2", "nowhere"];
const DOORS: [&str; 3] = ["d0", "d1", "d2"];
const SCHEDULES: [&str; 3] = ["s0", "s1", "s2"];

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let span = (0_u16..96, 1_u16..24).prop_map(|(from, length)| Span {
        from: from * 15,
        until: ((from + length) * 15).min(1440),
    });
    vec(span, 0..3)
}

fn schedule(id: &'static str) -> impl Strategy<Value = Schedule> {
    (vec(spans(), 7), spans(), 0_u8..4).prop_map(move |(mut week, holiday, sparse)| {
        if sparse == 0 {
            week.iter_mut().for_each(Vec::clear);
        }
        Schedule {
            id: id.into(),
            week: week.try_into().unwrap(),
            holiday,
        }
    })
}

prop_compose! {
    fn sites(zone: &'static str, around: Millis)(
        schedules in SCHEDULES.map(schedule),
        hours in vec(option::of(select(&SCHEDULES[..])), 3),
        doors in vec(vec(select(&DOORS[..]), 0..3), 3),
        open in vec(option::weighted(0.2, select(&SCHEDULES[..])), 3),
        holidays in vec(-4_i64..10, 0..4),
    ) -> Site {
        let day = |days: i64| {
            let at = jiff::Timestamp::from_millisecond(around + days * 24 * HOUR).unwrap();
            at.to_zoned(jiff::tz::TimeZone::get(zone).unwrap()).date()
        };
        Site {
            zone: zone.into(),
            doors: DOORS.iter().zip(&open).map(|(id, open)| Door {
                id: (*id).into(),
                name: String::new(),
                open_for_all: open.map(Into::into),
            }).collect(),
            groups: GROUPS.iter().zip(&doors).zip(&hours).map(|((id, doors), hours)| Group {
                id: (*id).into(),
                doors: doors.iter().map(|door| (*door).into()).collect(),
                hours: hours.map(Into::into),
            }).collect(),
            schedules: schedules.to_vec(),
            holidays: holidays.into_iter().map(day).collect(),
        }
    }
}

fn instant(around: Millis) -> impl Strategy<Value = Millis> {
    prop_oneof![
        (-300_i64..300).prop_map(move |quarter| around + quarter * HOUR / 4),
        (-80 * HOUR..80 * HOUR).prop_map(move |offset| around + offset),
    ]
}

prop_compose! {
    fn grants(around: Millis)(
        person in select(&PEOPLE[..]),
        target in prop_oneof![select(&GROUPS[..]).prop_map(|id| Target::Group(id.into())),
                              select(&DOORS[..]).prop_map(|id| Target::Door(id.into()))],
        from in option::of(instant(around)),
        until in option::of(instant(around)),
        kind in select(&GrantKind::ALL[..]),
        source in 0..4,
        void in option::weighted(0.15, prop_oneof![Just(Reason::NoPassLeft), Just(Reason::NotConnected), Just(Reason::NotConfirmed)]),
    ) -> Grant {
        let source = Source { id: format!("x{source}").into(), label: "label".into() };
        Grant { person: person.into(), target, window: Window { from, until }, kind, source, rule: 1, void }
    }
}

fn snapshots(around: Millis) -> impl Strategy<Value = Snapshot> {
    let blocked = prop_oneof![
        (0_u8..6).prop_map(|n| BlockTarget::Credential(card(n))),
        select(&PEOPLE[..]).prop_map(|id| BlockTarget::Person(id.into())),
    ];
    (
        vec((0_u8..5, select(&PEOPLE[..])), 0..7),
        vec(grants(around), 0..14),
        vec(blocked, 0..2),
    )
        .prop_map(|(cards, grants, blocks)| Snapshot {
            version: 1,
            taken_at: 0,
            people: PEOPLE
                .iter()
                .map(|id| Holder {
                    id: (*id).into(),
                    name: "N".into(),
                })
                .collect(),
            credentials: cards
                .into_iter()
                .map(|(n, person)| (card(n), person.into()))
                .collect(),
            grants,
            blocks: blocks.into_iter().map(|target| block(target, "")).collect(),
        })
}

#[derive(Clone, Debug)]
struct Case {
    site: Site,
    snapshot: Snapshot,
    limits: Limits,
    questions: Vec<(Option<Credential>, Option<&'static str>, Moment, bool)>,
}

fn cases() -> impl Strategy<Value = Case> {
    select(&ODD[..]).prop_flat_map(|(zone, around)| {
        let around = around.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let question = (
            option::weighted(0.95, (0_u8..6).prop_map(card)),
            option::weighted(0.97, select(&DOORS[..])),
            (instant(around), prop::bool::weighted(0.8)).prop_map(|(at, trusted)| Moment { at, trusted }),
            prop::bool::weighted(0.05),
        );
        let stale = option::weighted(0.3, prop_oneof![instant(around), Just(Limits::STALE_FOR_CERTAIN)]);
        (
            sites(zone, around),
            snapshots(around),
            vec(stale, 5),
            prop::bool::weighted(0.3),
            vec(question, 12),
        )
            .prop_map(|(site, snapshot, stale, allow, questions)| {
                let mut limits = Limits::default();
                limits.allow_windowed_when_untrusted = allow;
                for (kind, from) in GrantKind::ALL.into_iter().zip(stale) {
                    limits.set_stale_from(kind, from);
                }
                Case {
                    site,
                    snapshot,
                    limits,
                    questions,
                }
            })
    })
}

/// The verdict with names instead of numbers, in the model's words.
fn named(index: &Index, verdict: &Verdict, snapshot: &Snapshot) -> Answer {
    let person = verdict
        .person
        .map(|person| index.person(person).unwrap().id.into());
    let grant = verdict.grant.map(|grant| {
        let grant = index.grant(grant).unwrap();
        let target = match grant.target {
            crate::access::TargetRef::Group(id) => Target::Group(id.into()),
            crate::access::TargetRef::Door(id) => Target::Door(id.into()),
        };
        let same = |other: &&Grant| {
            Some(&other.person) == person.as_ref()
                && (other.kind, other.window, other.void) == (grant.kind, grant.window, grant.void)
                && other.source.id == grant.source_id
                && other.target == target
        };
        snapshot.grants.iter().find(same).unwrap().clone()
    });
    Answer {
        reason: verdict.reason,
        person,
        grant,
        when: verdict.when,
    }
}

#[test]
fn the_index_agrees_with_the_model() {
    let seen = std::cell::RefCell::new(std::collections::BTreeMap::<Reason, u32>::new());
    let cases_wanted = if cfg!(debug_assertions) { 1_500 } else { 10_000 };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: cases_wanted,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&cases(), |case| {
            let (index, _) = Index::build(&case.snapshot, &case.site).unwrap();
            let model = Model {
                snapshot: &case.snapshot,
                site: &case.site,
                limits: &case.limits,
            };
            for (card, door, now, lockdown) in &case.questions {
                let query = Query {
                    credential: card.as_ref(),
                    door: door.map(|door| index.door(door).unwrap()),
                    now: *now,
                    lockdown: *lockdown,
                    limits: &case.limits,
                };
                let verdict = index.decide(&query);
                let expected = model.decide(card.as_ref(), *door, *now, *lockdown);
                prop_assert_eq!(named(&index, &verdict, &case.snapshot), expected);
                *seen.borrow_mut().entry(verdict.reason).or_default() += 1;
            }
            Ok(())
        })
        .unwrap();
    // Every reason that an index with a snapshot gives came up, so that none was compared in name only.
    let seen = seen.into_inner();
    for reason in Reason::ALL {
        let elsewhere = matches!(
            reason,
            Reason::NoSnapshot
                | Reason::InternalError
                | Reason::GrantedByKs
                | Reason::RefusedByKs
                | Reason::AtTheDesk
        );
        assert!(
            elsewhere || seen.contains_key(reason),
            "{reason} never came up: {seen:?}"
        );
    }
}
