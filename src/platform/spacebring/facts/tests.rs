//! Rows as the platform writes them, and rows as it never would.

use super::{Draft, Site};
use crate::{
    config::model::CardText,
    domain::{
        facts::{Facts, ResourceKind, Standing, When},
        opening::YearDay,
    },
    platform::spacebring::model::{self, Balance, Location},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_780_000_000_000;

fn site() -> Site {
    Site {
        location: "here".into(),
        card_key: "cardNumber".into(),
        cards: CardText::Uid,
    }
}

/// One row of each kind, as the vendor's reference shows them.
fn rows() -> Vec<(&'static str, Value)> {
    let hours = |from: &str, to: &str, sunday: bool| json!({ "days": { "monday": true, "sunday": sunday }, "hours": { "from": from, "to": to } });
    vec![
        (
            "plan",
            json!({ "id": "plan-1", "title": "Flex", "access": { "saltoksAccessGroupRef": "group-1" } }),
        ),
        (
            "company",
            json!({ "id": "company-1", "title": "Lumen", "dayPasses": { "expiring": 2 } }),
        ),
        (
            "member",
            json!({
                "id": "m-1", "userRef": "u-1", "type": "member", "status": "approved", "role": "admin",
                "companyRef": "company-1", "locationRef": "here", "createDate": "2025-03-18T13:27:42.169Z",
                "user": { "id": "u-1", "name": "Ana", "surname": "Ruiz", "email": "ana@example.com" },
                "metadata": { "cardNumber": "04A2B3C4D5E680,04:11:22:33", "locker": 7 }, "dayPasses": { "expiring": 0 }
            }),
        ),
        (
            "resource",
            json!({
                "id": "r-1", "title": "Desk 7", "type": "hotDesk", "locationRef": "here",
                "schedule": {
                    "enabled": true,
                    "default": { "items": [hours("09:00", "24:00", false), hours("22:00", "06:00", true)], "closedDays": ["12-25", "01-01"] },
                    "public": { "enabled": false, "items": [], "closedDays": [] }
                }
            }),
        ),
        (
            "subscription",
            json!({
                "id": "s-1", "status": "active", "subscriptionType": "user", "customerRef": "m-1", "membershipRef": "m-1",
                "customer": { "id": "m-1", "type": "user", "user": { "id": "u-1" } }, "locationRef": "here",
                "startDate": "2026-05-01T00:00:00.000Z", "endDate": "2026-08-01T00:00:00.000Z",
                "pausePaymentCollection": { "behavior": "void", "createDate": "2026-05-02T00:00:00.000Z" },
                "items": [
                    { "id": "i-1", "planRef": "plan-1", "saltoksAccessGroupRef": "group-1", "dayPasses": 0, "type": "recurring" },
                    { "id": "i-2", "planRef": "plan-1", "saltoksAccessGroupRef": "group-2", "dayPasses": 5, "type": "recurring",
                      "startDate": "2026-06-01T00:00:00.000Z", "endDate": "2026-07-01T00:00:00.000Z" },
                    { "id": "i-3", "productRef": "p-1", "saltoksAccessGroupRef": null, "type": "oneOff" }
                ],
                "assignments": [{ "id": "a-1", "title": "Desk 7", "resource": { "id": "r-1", "title": "Desk 7", "type": "hotDesk" } }]
            }),
        ),
        (
            "booking",
            json!({
                "id": "b-1_2026-05-28T08:00:00.000Z", "resourceRef": "r-1", "membershipRefOwner": "m-1",
                "userOwner": { "id": "u-1" }, "startDate": "2026-05-28T08:00:00.000Z", "endDate": "2026-05-28T09:00:00.000Z",
                "attendees": [{ "membershipRef": "m-1", "user": { "id": "u-1" } }, { "membershipRef": "m-9" }, { "user": { "id": "u-9" } }],
                "seats": 2, "entire": false
            }),
        ),
        (
            "balance",
            json!({ "allocation": 10, "amount": 7.9, "expirationDate": "2026-06-01T00:00:00.000Z", "subscriptionRef": "s-1" }),
        ),
        (
            "location",
            json!({ "id": "here", "title": "Riverside", "timezoneId": "Europe/Kyiv" }),
        ),
    ]
}

fn take(draft: &mut Draft<'_>, kind: &str, row: Value) {
    match kind {
        "plan" => drop(draft.row("plans", 0, row).map(|row| draft.plan(row))),
        "company" => drop(draft.row("teams", 0, row).map(|row| draft.company(row))),
        "member" => drop(draft.row("people", 0, row).map(|row| draft.member(0, row))),
        "resource" => drop(draft.row("resources", 0, row).map(|row| draft.resource(0, row))),
        "subscription" => drop(
            draft
                .row("memberships", 0, row)
                .map(|row| draft.subscription(row)),
        ),
        "booking" => drop(
            draft
                .row("bookings", 0, row)
                .map(|row: model::Booking| draft.booking(row, false)),
        ),
        "balance" => drop(
            draft
                .row("passes", 0, row)
                .map(|row: Balance| draft.passes("m-1", false, &[row])),
        ),
        _ => drop(
            draft
                .row("locations", 0, row)
                .map(|row: Location| draft.location(&row, "Europe/Madrid")),
        ),
    }
}

fn made(rows: Vec<(&'static str, Value)>) -> (Facts, Vec<String>, Vec<String>) {
    let site = site();
    let mut draft = Draft::new(&site, NOW);
    for (kind, row) in rows {
        take(&mut draft, kind, row);
    }
    let unknown = draft.unknown.iter().cloned().collect();
    let (facts, problems, ..) = draft.finish();
    (facts, problems.iter().map(ToString::to_string).collect(), unknown)
}

#[test]
fn rows_as_the_platform_writes_them_become_facts() {
    let (facts, problems, unknown) = made(rows());
    assert_eq!(
        problems,
        [
            "locations here: is in Europe/Kyiv at Spacebring and in Europe/Madrid here; windows are reckoned in Europe/Madrid: correct [site] zone"
        ]
    );
    assert_eq!(unknown, ["m-9"], "to be looked up");
    let person = &facts.people[0];
    assert_eq!(
        (person.name.as_str(), person.standing),
        ("Ana Ruiz", Standing::Member)
    );
    assert_eq!(
        (person.credentials.len(), person.joined),
        (2, Some(When::At(1_742_304_462_169)))
    );
    assert_eq!(facts.resources[0].kind, ResourceKind::Desk);
    let opening = facts.resources[0].opening.as_ref().unwrap();
    let hours: Vec<_> = opening
        .default
        .hours
        .iter()
        .map(|it| (it.weekdays.as_slice(), it.from, it.until))
        .collect();
    assert_eq!(hours, [(&[1][..], 540, 1_440), (&[1, 7][..], 1_320, 360)]);
    assert_eq!(
        opening.default.closed,
        [YearDay { month: 1, day: 1 }, YearDay { month: 12, day: 25 }]
    );
    assert_eq!(opening.public.as_ref(), Some(&opening.default));
    let plans: Vec<(&str, &str, bool)> = facts
        .memberships
        .iter()
        .map(|it| (it.id.as_str(), it.plan.as_str(), it.pass_based))
        .collect();
    assert_eq!(
        plans,
        [("s-1/i-1", "plan-1", false), ("s-1/i-2", "salto:group-2", true)]
    );
    let at = |text: &str| {
        Some(When::At(
            text.parse::<jiff::Timestamp>().unwrap().as_millisecond(),
        ))
    };
    assert_eq!(facts.memberships[0].ends, at("2026-08-01T00:00:00Z"));
    assert_eq!(facts.memberships[1].starts, at("2026-06-01T00:00:00Z"));
    assert_eq!(facts.memberships[1].ends, at("2026-07-01T00:00:00Z"));
    assert_eq!(
        (
            facts.assignments[0].id.as_str(),
            facts.assignments[0].resource.as_str()
        ),
        ("s-1/a-1", "r-1")
    );
    let booking = &facts.bookings[0];
    assert_eq!(
        (booking.person.clone(), booking.invitees.len()),
        (Some("m-1".into()), 1)
    );
    assert_eq!(facts.passes[0].left, Some(7), "a part of a pass is none");
    assert_eq!(facts.passes[0].id, "m-1/s-1/1");
}

#[test]
fn what_cannot_be_read_is_named_and_takes_the_least_with_it() {
    let mut bad = rows();
    bad.retain(|(kind, _)| *kind != "location");
    for (kind, row) in &mut bad {
        match *kind {
            "member" => row["metadata"]["cardNumber"] = json!(["04A2B3C4D5E680", "no card", 77]),
            "resource" => {
                row["schedule"]["default"]["items"][0]["hours"]["from"] = json!("9 o'clock");
                row["schedule"]["default"]["items"][1]["days"] = json!({});
            }
            "subscription" => row["items"][1]["endDate"] = json!("in June"),
            "booking" => row["startDate"] = json!("tomorrow"),
            "balance" => row["amount"] = json!("many"),
            _ => {}
        }
    }
    let (facts, problems, _) = made(bad);
    assert_eq!(facts.people[0].credentials.len(), 1);
    assert_eq!(facts.resources[0].opening.as_ref().unwrap().default.hours, []);
    assert_eq!(
        (facts.memberships.len(), facts.bookings.len(), facts.passes.len()),
        (1, 0, 0)
    );
    assert_eq!(
        problems,
        [
            "people m-1: has a card in metadata \"cardNumber\" that cannot be read (the value must be hexadecimal digits, two for each byte); the card is left out",
            "people m-1: has a card in metadata \"cardNumber\" that cannot be read (the length does not fit the scheme: a UID has 4, 7 or 10 bytes, Wiegand 1 to 80 bits); the card is left out",
            "resources r-1: has opening hours that are no times of day; those hours are left out",
            "memberships s-1: has a date of an item that is no time; left out",
            "bookings b-1_2026-05-28T08:00:00.000Z: has a date that is no time; left out",
            "passes, item 1: cannot be read (invalid type: string …, expected f64); left out",
        ]
    );
}

#[test]
fn a_closed_day_that_cannot_be_read_closes_for_good_rather_than_opens() {
    let mut rows = rows();
    rows.retain(|(kind, _)| *kind == "resource");
    rows[0].1["schedule"]["default"]["closedDays"] = json!(["12-25", "02-30"]);
    let (facts, problems, _) = made(rows);
    assert_eq!(facts.resources[0].opening.as_ref().unwrap().default.hours, []);
    assert!(problems[0].contains("closed for good"), "{problems:?}");
}

/// Replaces one value somewhere in a row.
fn mutate(row: &mut Value, path: &[usize], by: Value) {
    let Some((step, rest)) = path.split_first() else {
        *row = by;
        return;
    };
    match row {
        Value::Object(map) if !map.is_empty() => {
            let step = step % map.len();
            if let Some(value) = map.values_mut().nth(step) {
                mutate(value, rest, by);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let step = step % list.len();
            mutate(&mut list[step], rest, by);
        }
        _ => *row = by,
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("9999-12-31T23:59:59.999Z")),
        Just(json!("-009999-01-01T00:00:00Z")),
        Just(json!("99:99")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn no_row_is_too_odd(
        changes in prop::collection::vec((0..8_usize, prop::collection::vec(0..16_usize, 0..6), anything()), 1..6)
    ) {
        let mut rows = rows();
        for (which, path, by) in changes {
            mutate(&mut rows[which].1, &path, by);
        }
        let (facts, _, _) = made(rows);
        // And the sound ones among them survive the check.
        let _ = crate::platform::polled::settle(facts, Vec::new(), None, "x");
    }
}
