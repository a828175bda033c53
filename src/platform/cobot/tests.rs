//! What Cobot sends, word for word, and the facts that it becomes. The rows here are written by us in the vendor's shapes.

use super::{
    facts::{Space, is_mac, translate},
    model::{self, Page, Row},
    rows::{Cell, Rows, Spans, floor},
};
use crate::{
    config::model::CardText,
    domain::{
        facts::{Booking, Facts, Standing, When},
        opening::Hours,
        time::DAY_MS,
    },
    platform::{FactsProblem, packed::Packed},
};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const MEMBER: &str = r#"{"data":[{"id":"m1","type":"memberships","attributes":{"name":"Ana Ruiz","email":"ana@example.com",
    "phone":null,"company":null,"confirmedAt":"2026-01-01","canceledAt":null,"photo":null},"relationships":{"space":{"data":
    {"id":"s1","type":"spaces"}},"team":{"data":{"id":"t1","type":"teams"}}}}],"links":{"next":null},"meta":{"totalPages":1}}"#;
const PLAN: &str = r#"{"data":[{"id":"p1","type":"membershipPlans","attributes":{"name":"Hot desk","startsAt":"2026-02-01",
    "canceledAt":"2026-06-30","extras":[]},"relationships":{"membership":{"data":{"id":"m1","type":"memberships"}}}}]}"#;
const RESOURCE: &str = r#"{"data":[{"id":"r1","type":"resources","attributes":{"name":"Office 2","resourceType":"room",
    "usage":"allocatable","hidden":true,"bookingTimes":[{"from":"08:00","to":"24:00","weekdays":[1,5]}]},
    "relationships":{}},{"id":"r2","type":"resources","attributes":{"name":"Desk","resourceType":"desk","usage":"bookable",
    "bookingTimes":[{"hours":4,"minutes":0}]},"relationships":{}},{"id":"r3","type":"resources","attributes":{"name":"Van",
    "resourceType":"other","usage":"bookable","bookingTimes":[]},"relationships":{}},{"id":"r4","type":"resources","attributes":
    {"name":"Box","resourceType":null,"usage":"bookable","bookingTimes":[]},"relationships":{}}]}"#;
const BOOKING: &str = r#"{"data":[{"id":"b1","type":"bookings","attributes":{"from":"2026-06-15T12:00:00Z",
    "to":"2026-06-15T14:00:00Z","units":1,"attendees":[{"email":"ANA@example.com"},{"email":"stranger@example.com"}]},
    "relationships":{"membership":{"data":null},"resource":{"data":{"id":"r1","type":"resources"}},
    "externalBooking":{"data":null}}}],"meta":{"totalPages":1,"totalBookings":1,"consistent":true}}"#;
const PASSES: &str = r#"[{"id":"tp1","name":"Day Pass","expires_at":"2026/06/30 22:00:00 +0000","used_at":null,"timespans":"9-5pm",
    "parsed_timespans":[{"from_hour":9,"from_minute":0,"to_hour":17,"to_minute":0,"weekdays":[1,2]}],"membership":{"id":"m1"}},
    {"id":"tp2","name":"2h","expires_at":null,"parsed_timespans":[{"duration_hours":2,"duration_minutes":0,"weekdays":[]}],
    "membership_id":"m1"},{"id":"tp3","name":"Night","parsed_timespans":[{"from_hour":4,"from_minute":0,"to_hour":3,
    "to_minute":59,"weekdays":[]}],"membership":{"id":"m1"}},{"id":"tp4","name":"Odd","parsed_timespans":[{"from_hour":30,
    "from_minute":0,"to_hour":40,"to_minute":0,"weekdays":[]}],"membership":{"id":"m1"}}]"#;
const SESSIONS: &str = r#"[{"id":"c1","membership":{"id":"m1","name":"Ana"},"time_pass":{"id":"tp9","name":"Day Pass"},
    "valid_from":"2026/06/15 07:00:00 +0000","valid_until":"2026/06/16 01:59:59 +0000"},{"id":"c2","membership":{"id":"m1",
    "name":"Ana"},"valid_from":"2026/06/15 07:00:00 +0000","valid_until":"2026/06/16 01:59:59 +0000"}]"#;
const TOKENS: &str = r#"[{"token":"04A2B3C4D5E680","membership":{"id":"m1","name":"Ana"}},{"token":"12345678","membership":
    {"id":"m1","name":"Ana"}},{"token":"aa:bb:cc:dd:ee:ff","membership":{"id":"m1","name":"Ana"}}]"#;

fn page<A: DeserializeOwned, R: DeserializeOwned, O>(text: &str, row: fn(Row<A, R>) -> O) -> Vec<O> {
    let page: Page<A, R> = serde_json::from_str(text).unwrap();
    page.data.into_iter().map(row).collect()
}
fn list<T: DeserializeOwned, O>(text: &str, row: fn(T) -> O) -> Vec<O> {
    let rows: Vec<T> = serde_json::from_str(text).unwrap();
    rows.into_iter().map(row).collect()
}
fn space() -> Space {
    Space {
        id: "s1".into(),
        name: "Riverside".into(),
        cards: CardText::Auto,
        zone: TimeZone::get("Europe/Madrid").unwrap(),
    }
}
fn rows() -> Rows {
    Rows {
        members: page(MEMBER, model::member),
        plans: page(PLAN, model::plan),
        resources: page(RESOURCE, model::resource),
        near: page(BOOKING, model::booking),
        passes: list(PASSES, |it| model::pass(it, None)),
        sessions: list(SESSIONS, model::session),
        tokens: list(TOKENS, model::token),
        ..Rows::default()
    }
}
fn facts(rows: &Rows) -> (Facts, Vec<FactsProblem>) {
    translate(rows.clone(), &space())
}

#[test]
fn the_vendors_rows_become_facts() {
    let (facts, problems) = facts(&rows());
    let shown = serde_json::to_value(&facts).unwrap();
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&json!({
            "people": shown["people"], "memberships": shown["memberships"], "bookings": shown["bookings"],
            "passes": shown["passes"], "catalogue": shown["catalogue"],
        }))
        .unwrap()
    );
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
people m1: has a check-in token that is no card (a card number needs its scheme, for example uid:04A2B3C4D5E680); the token is left out; if it is one, set [cloud] card_format
passes tp4: has hours that make no sense; the pass is left out
");
    let kinds: Vec<String> = facts
        .resources
        .iter()
        .map(|it| format!("{} {:?}", it.name, it.kind))
        .collect();
    assert_eq!(kinds, ["Office 2 Office", "Desk Desk", "Van Other", "Box Room"]);
    let opening = facts.resources[0].opening.as_ref().unwrap();
    let expected = Hours {
        weekdays: vec![1, 5],
        from: 480,
        until: 1_440,
    };
    assert_eq!(opening.default.hours, [expected]);
    assert!(
        facts.resources[1].opening.is_none(),
        "a duration begins whenever one likes"
    );
}

#[test]
fn rows_that_were_packed_open_as_they_were() {
    let mut rows = rows();
    rows.far.insert(
        86_400_000,
        Cell {
            read_at: 7,
            bookings: rows.near.clone(),
        },
    );
    rows.needs_passes.insert("Day".into(), (true, 9));
    for rows in [rows, Rows::default()] {
        let packed = Packed::of(&rows).unwrap();
        assert_eq!(packed.open().unwrap(), rows);
    }
}

#[test]
fn what_a_cancelled_membership_holds_ends_with_it() {
    let mut rows = rows();
    rows.members[0].canceled = Some("2026-06-15".parse().unwrap());
    rows.near[0].membership = Some("m1".into());
    let (kept, _) = facts(&rows);
    assert_eq!(kept.bookings.len(), 1, "on the last day");
    let end = 1_781_560_800_000; // 2026-06-16 00:00 in Madrid
    assert!(
        kept.passes
            .iter()
            .filter(|it| it.left == Some(1))
            .all(|it| it.ends == Some(When::At(end)))
    );
    assert_eq!(
        kept.memberships[0].ends,
        Some(When::Day("2026-06-15".parse().unwrap()))
    );
    assert!(kept.memberships[0].cancelled);
    rows.members[0].canceled = Some("2026-06-14".parse().unwrap());
    assert_eq!(facts(&rows).0.bookings.len(), 0);
    rows.members[0].canceled = Some("2026-01-20".parse().unwrap());
    assert_eq!(facts(&rows).0.memberships.len(), 0, "over before the plan began");
}

#[test]
fn bookings_of_a_resource_that_is_gone_are_named_once() {
    let mut rows = rows();
    rows.resources.clear();
    let again: Vec<_> = (0..50).map(|number| model_booking(number, &rows)).collect();
    rows.near = again;
    let (facts, problems) = facts(&rows);
    assert!(facts.bookings.is_empty());
    let of_resources: Vec<_> = problems
        .iter()
        .filter(|it| it.collection == "resources")
        .collect();
    assert_eq!(of_resources.len(), 1);
    assert!(of_resources[0].text.contains("50 times"));
}

fn model_booking(number: usize, rows: &Rows) -> super::rows::BookingRow {
    super::rows::BookingRow {
        id: format!("b{number}").into(),
        ..rows.near[0].clone()
    }
}

#[test]
fn an_address_of_two_members_invites_nobody() {
    let mut rows = rows();
    let mut twin = rows.members[0].clone();
    twin.id = "m2".into();
    rows.members.push(twin);
    let (facts, _) = facts(&rows);
    assert!(facts.bookings.iter().all(|it: &Booking| it.invitees.is_empty()));
    assert!(facts.people.iter().all(|it| it.standing == Standing::Member));
}

#[test]
fn a_telephone_is_told_from_a_card() {
    for text in [
        "aa:bb:cc:dd:ee:ff",
        "AA-BB-CC-DD-EE-FF",
        "aabb.ccdd.eeff",
        "aabbccddeeff",
    ] {
        assert!(is_mac(text), "{text}");
    }
    for text in ["04A2B3C4", "04A2B3C4D5E680", "123456789012", "uid:04A2B3C4", ""] {
        assert!(!is_mac(text), "{text}");
    }
}

#[test]
fn far_days_take_turns_and_come_near() {
    let now = 20_000 * DAY_MS + 10 * 3_600_000;
    let today = "2024-10-04".parse().unwrap();
    let spans = Spans::at(now, today);
    assert_eq!(spans.near_from, floor(now));
    assert_eq!(
        (spans.near_until - floor(now), spans.far_until - floor(now)),
        (2 * DAY_MS, 14 * DAY_MS)
    );
    let mut far = std::collections::BTreeMap::new();
    let mut turns = Vec::new();
    for minute in 0..7 {
        let turn = spans.turn(&far);
        turns.push((turn.0 - floor(now)) / DAY_MS);
        for day in Spans::days(turn) {
            far.insert(
                day,
                Cell {
                    read_at: now + minute,
                    bookings: Vec::new(),
                },
            );
        }
    }
    assert_eq!(turns, [2, 4, 6, 8, 10, 12, 2]);
    assert_eq!(
        Spans::at(floor(now) + 3_600_000, today).near_from,
        floor(now) - DAY_MS,
        "what has just ended"
    );
}

/// A value somewhere in a document replaced by another, or taken out.
fn mutated(text: &'static str) -> impl Strategy<Value = Value> {
    let odd = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!("2026-13-40")),
        Just(json!("9999-12-31")),
        Just(json!("-009999-01-01")),
        Just(json!("9999/12/31 23:59:59 +0000")),
    ];
    let document: Value = serde_json::from_str(text).unwrap();
    let places = paths(&document, "");
    (prop::sample::select(places), odd).prop_map(move |(place, odd)| {
        let mut changed = document.clone();
        if let Some(value) = changed.pointer_mut(&place) {
            *value = odd;
        }
        changed
    })
}

fn paths(value: &Value, at: &str) -> Vec<String> {
    let mut all = vec![at.to_owned()];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                all.extend(paths(value, &format!("{at}/{name}")));
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                all.extend(paths(value, &format!("{at}/{index}")));
            }
        }
        _ => {}
    }
    all
}

macro_rules! survives {
    ($name:ident, $text:ident, $field:ident, $read:expr) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(128))]
            #[test]
            fn $name(document in mutated($text)) {
                #[allow(clippy::redundant_closure_call, reason = "what is read differs")]
                if let Ok(read) = ($read)(document) {
                    let mut rows = rows();
                    rows.$field = read;
                    let _ = facts(&rows);
                }
            }
        }
    };
}
fn try_page<A: DeserializeOwned, R: DeserializeOwned, O>(
    document: Value,
    row: fn(Row<A, R>) -> O,
) -> Result<Vec<O>, ()> {
    let page: Page<A, R> = serde_json::from_value(document).map_err(|_| ())?;
    Ok(page.data.into_iter().map(row).collect())
}
fn try_list<T: DeserializeOwned, O>(document: Value, row: fn(T) -> O) -> Result<Vec<O>, ()> {
    let rows: Vec<T> = serde_json::from_value(document).map_err(|_| ())?;
    Ok(rows.into_iter().map(row).collect())
}
survives!(any_members_are_read_or_refused, MEMBER, members, |it| try_page(
    it,
    model::member
));
survives!(any_plans_are_read_or_refused, PLAN, plans, |it| try_page(
    it,
    model::plan
));
survives!(any_resources_are_read_or_refused, RESOURCE, resources, |it| {
    try_page(it, model::resource)
});
survives!(any_bookings_are_read_or_refused, BOOKING, near, |it| try_page(
    it,
    model::booking
));
survives!(any_passes_are_read_or_refused, PASSES, passes, |it| try_list(
    it,
    |it| model::pass(it, None)
));
survives!(any_sessions_are_read_or_refused, SESSIONS, sessions, |it| {
    try_list(it, model::session)
});
survives!(any_tokens_are_read_or_refused, TOKENS, tokens, |it| try_list(
    it,
    model::token
));
