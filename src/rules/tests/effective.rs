//! R32, R43: what people may do at an instant, and what changes.

use super::*;
use crate::{
    domain::site::{Door, Group, Schedule, Span},
    rules::{State, changes, effective, inactive},
};

fn house() -> Site {
    let office = Schedule {
        id: "office".into(),
        week: std::array::from_fn(|day| {
            if day < 5 {
                vec![Span {
                    from: 480,
                    until: 1200,
                }]
            } else {
                vec![]
            }
        }),
        holiday: vec![],
    };
    let group = |id: &str, hours: Option<&str>| Group {
        id: id.into(),
        doors: vec!["front".into()],
        hours: hours.map(Into::into),
    };
    let all = ["lounge", "rooms", "desks", "studio", "first", "house", "back"];
    Site {
        doors: vec![Door {
            id: "front".into(),
            name: "Front".into(),
            open_for_all: None,
        }],
        groups: all
            .iter()
            .map(|id| group(id, None))
            .chain([group("main", Some("office"))])
            .collect(),
        schedules: vec![office],
        holidays: vec!["2026-05-21".parse().unwrap()],
        ..site("Europe/Madrid")
    }
}

fn everything() -> Facts {
    Facts {
        people: vec![
            person("ada"),
            person("bob"),
            Person {
                deactivated: true,
                ..person("eve")
            },
        ],
        memberships: vec![membership("m1", "Flex", Some("ada"))],
        resources: vec![resource("blue", "Blue room", ResourceKind::Room)],
        bookings: vec![booking(
            "b1",
            "blue",
            "bob",
            at("2026-05-20T10:00:00Z"),
            at("2026-05-20T11:00:00Z"),
        )],
        passes: vec![pass("p1", "bob", Some(0))],
        ..Facts::default()
    }
}

fn states(outcome: &Outcome, now: &str) -> Vec<(String, String, State)> {
    let mut found = Vec::new();
    for one in effective(outcome, &house(), at(now)) {
        for access in one.access {
            let Target::Group(group) = access.target else {
                panic!()
            };
            found.push((one.person.to_string(), group.to_string(), access.state));
        }
    }
    found
}

fn state(person: &str, group: &str, state: State) -> (String, String, State) {
    (person.into(), group.into(), state)
}

#[test]
fn r43_s4_15_who_is_in_which_group_at_an_instant_and_how_it_stands() {
    let outcome = grants(&everything(), &rules(), &house());
    let no_pass = State::Void(Reason::NoPassLeft);
    assert_eq!(
        states(&outcome, "2026-05-20T08:00:00Z"), // Wednesday, 10:00
        [
            state("ada", "lounge", State::Open),
            state("ada", "main", State::Open),
            state("bob", "rooms", State::NotYet),
            state("bob", "main", no_pass),
        ]
    );
    let evening = states(&outcome, "2026-05-20T10:30:00Z");
    assert!(
        evening.contains(&state("bob", "rooms", State::Open)),
        "{evening:?}"
    );
    let over = states(&outcome, "2026-05-20T18:00:00Z"); // 20:00: the office closes
    assert!(
        over.contains(&state("ada", "main", State::OutsideHours)) && over.len() == 3,
        "{over:?}"
    );
    let holiday = states(&outcome, "2026-05-21T08:00:00Z");
    assert!(holiday.contains(&state("ada", "main", State::OutsideHours)));

    let people = effective(&outcome, &house(), at("2026-05-20T08:00:00Z"));
    assert_eq!(people.len(), 3, "those without rights are in the list");
    assert_eq!(people[2].blocked.as_deref(), Some("deactivated at the platform"));
    assert!(people[0].opens_something() && !people[1].opens_something());
    let json = serde_json::to_string(&people).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<crate::rules::PersonAccess>>(&json).unwrap(),
        people
    );
}

#[test]
fn what_changes_is_what_comes_goes_or_moves() {
    let now = at("2026-05-20T08:00:00Z");
    let before = everything();
    let mut after = everything();
    after.memberships.clear();
    after.bookings[0].until += 3_600_000;
    after.people[2].deactivated = false;
    after.passes[0].left = Some(1);
    let list = |facts: &Facts| effective(&grants(facts, &rules(), &house()), &house(), now);
    let found = changes(&list(&before), &list(&after));
    let short: Vec<_> = found
        .iter()
        .map(|it| {
            let rule = |side: &Option<crate::rules::Access>| side.as_ref().map(|it| it.rule);
            (
                it.person.to_string(),
                rule(&it.before),
                rule(&it.after),
                it.blocked,
            )
        })
        .collect();
    let one = |who: &str, before, after, blocked| (who.to_owned(), before, after, blocked);
    assert_eq!(
        short,
        [
            one("ada", Some(1), None, None),
            one("ada", Some(1), None, None),
            one("bob", Some(20), Some(20), None),
            one("bob", Some(12), Some(12), None),
            one("eve", None, None, Some(false)),
        ]
    );
    assert!(changes(&list(&after), &list(&after)).is_empty());
}

#[test]
fn r32_s3_48_who_has_no_plan_no_booking_and_nothing_else_is_inactive() {
    let mut facts = everything();
    facts.people.push(Person {
        groups: vec!["Back door".into()],
        ..person("dan")
    });
    facts.people.push(person("fay"));
    facts.passes.push(pass("p2", "fay", Some(1)));
    let of = |facts: &Facts, now| {
        let idle = inactive(&grants(facts, &rules(), &house()), at(now));
        idle.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    // Doors given by hand and a pass keep a person active; a booking to come does; a used pass does not.
    assert_eq!(of(&facts, "2026-05-20T08:00:00Z"), ["eve"]);
    assert_eq!(of(&facts, "2026-05-20T12:00:00Z"), ["bob", "eve"]);
    facts.memberships[0].starts = day("2026-06-01");
    assert_eq!(
        of(&facts, "2026-05-31T12:00:00Z"),
        ["ada", "bob", "eve"],
        "S4:69: not before it begins"
    );
    assert_eq!(of(&facts, "2026-06-01T12:00:00Z"), ["bob", "eve"]);
}
