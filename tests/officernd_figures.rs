//! How much a space of 1,000 members and 500 bookings a day asks of OfficeRnD, as docs/platforms/officernd.md says it.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::officernd_site::{Desk, card};
use doorward::platform::{Fetched, Platform};
use doorward_peers::officernd::{CARD_PROPERTY, OfficeRnd};
use jiff::Timestamp;
use serde_json::json;

const HOUR: i64 = 3_600_000;

/// Members on a plan, each with a card; every tenth has passes, ten make a company.
fn people(office: &OfficeRnd, count: usize) -> Vec<String> {
    let (plan, location) = (
        office.id_of("plans", "Hot desk"),
        office.id_of("locations", "Riverside"),
    );
    office.with(|state| {
        let mut members = Vec::new();
        let mut company = String::new();
        for number in 0..count {
            if number % 10 == 0 {
                company = state.insert("companies", json!({"name": format!("Company {number}"), "location": location}));
            }
            let member = state.insert(
                "members",
                json!({
                    "name": format!("Member {number}"), "email": format!("member{number}@example.org"), "location": location,
                    "company": company, "status": "active", "properties": {CARD_PROPERTY: card(number)},
                }),
            );
            state.insert(
                "memberships",
                json!({
                    "name": "Hot desk", "status": "approved", "calculatedStatus": "active", "location": location, "plan": plan,
                    "company": company, "member": member, "startDate": "2026-01-01T00:00:00.000Z", "endDate": null,
                }),
            );
            if number % 10 == 0 {
                state.insert(
                    "passes",
                    json!({"count": 10, "usedCount": 1, "member": member, "status": "valid", "startDate": "2026-01-01T00:00:00.000Z"}),
                );
            }
            members.push(member);
        }
        members
    })
}

/// So many bookings on each of the days that are read.
fn bookings(desk: &Desk, members: &[String], a_day: usize, days: i64) {
    let room = desk.office.id_of("resources", "Meeting room");
    let today = desk.now() - desk.now() % (24 * HOUR);
    let written = |at: i64| Timestamp::from_millisecond(at).unwrap().to_string();
    desk.office.with(|state| {
        for day in -1..days {
            for number in 0..a_day {
                let start = today + day * 24 * HOUR + i64::try_from(number % 20).unwrap() * HOUR;
                let member = &members[number % members.len()];
                state.insert(
                    "bookings",
                    json!({
                        "start": written(start), "end": written(start + HOUR), "resource": room, "member": member, "members": [],
                        "visitors": [], "isCancelled": false, "isTentative": false,
                    }),
                );
            }
        }
    });
}

#[tokio::test]
async fn a_thousand_members_and_500_bookings_a_day_take_so_many_requests() {
    let desk = Desk::open();
    // All of it has been there for a while.
    desk.office.set_clock(desk.now() - 2 * HOUR);
    let members = people(&desk.office, 998);
    bookings(&desk, &members, 500, 15);
    desk.office.set_clock(desk.now());
    let (facts, known, problems) = desk.whole().await;
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!((facts.people.len(), facts.bookings.len()), (1_000, 8_000));
    let whole = desk.office.asked().len();
    assert_eq!(whole, 211, "one token, 20 pages of members, 160 of bookings");
    assert_eq!(
        desk.adapter.fetch(Some(&known)).await.unwrap(),
        Fetched::Unchanged
    );
    let poll = desk.office.asked().len() - whole;
    assert_eq!(poll, 7);
    // As docs/platforms/officernd.md reckons: everything each 55 minutes, and what changed each minute between.
    let wholes = 86_400 / (55 * 60);
    let asked = wholes * (whole - 1) + (1_440 - wholes) * poll;
    assert!(asked < 16_000, "{asked} of the 20,000 a day");
}
