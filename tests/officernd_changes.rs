//! What changed at OfficeRnD arrives by a few requests, and gives exactly the facts that a whole reading would give.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::officernd_site::{Desk, card, taken};
use doorward::{
    domain::{Moment, facts::Facts},
    platform::{Fetched, Hint, Hook, Known, Platform, PlatformError},
};
use doorward_peers::{
    office::Office,
    officernd::{CARD_PROPERTY, Faults},
};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

const HOUR: i64 = 3_600_000;

/// The hints of the newest web hook, as the receiver would get them.
fn heard(desk: &Desk) -> Vec<Hint> {
    let (signature, body) = desk.office.last_hook().unwrap();
    let headers = [("officernd-signature".to_owned(), signature)];
    let hook = Hook {
        headers: &headers,
        body: body.as_bytes(),
        now: Moment::trusted(desk.now()),
    };
    desk.adapter.hook(&hook).unwrap().hints
}

/// The space with a bit of life, and an address for web hooks at which nobody listens.
fn lively() -> (Desk, Vec<String>) {
    let desk = Desk::open();
    desk.office.send_hooks_to("http://127.0.0.1:9/hooks").unwrap();
    let mut members = vec![
        desk.office.id_of("members", "Olga Oar"),
        desk.office.id_of("members", "Omar Oar"),
    ];
    for number in 0..4 {
        let member = desk.office.join(
            &format!("Member {number}"),
            "m@example.org",
            "Hot desk",
            "2026-01-01",
        );
        desk.office.give_card(&member, &card(number));
        members.push(member);
    }
    let company = desk.office.id_of("companies", "Two Oars");
    desk.office.join_company(&company, "Full time", "2026-01-01");
    (desk, members)
}

/// One thing that staff or members do. The hint is what the platform's web hook says; where it sends none, the object.
fn edit(desk: &Desk, members: &[String], what: u8, whom: usize, hours: i64) -> Vec<Hint> {
    let office = &desk.office;
    let member = &members[whom % members.len()];
    let now = desk.now() - desk.now() % HOUR;
    let rooms = ["Meeting room", "Phone booth", "Desk 7"];
    let room = rooms[whom % rooms.len()];
    let some = |collection: &'static str| {
        office.with(|state| {
            let rows = state.list(collection);
            let row = rows.get(whom % rows.len().max(1))?;
            row["_id"].as_str().map(str::to_owned)
        })
    };
    match what {
        0 => drop(office.book(member, room, now + hours * HOUR, now + (hours + 2) * HOUR)),
        1 => match some("bookings") {
            Some(id) => office.move_booking(&id, now + hours * HOUR, now + (hours + 1) * HOUR),
            None => return Vec::new(),
        },
        2 => match some("bookings") {
            Some(id) => office.delete_booking(&id),
            None => return Vec::new(),
        },
        3 => match some("bookings") {
            Some(id) => office.remove("bookings", &id),
            None => return Vec::new(),
        },
        4 => match some("bookings") {
            Some(id) => {
                let other = office.id_of("resources", room);
                office.change("bookings", &id, |row| row["resource"] = json!(other));
            }
            None => return Vec::new(),
        },
        5 => office.give_card(member, &card(100 + whom)),
        6 => office.deactivate(member).unwrap(),
        7 => match some("memberships") {
            Some(id) => office.change("memberships", &id, |row| {
                row["endDate"] = json!("2026-12-31T00:00:00.000Z")
            }),
            None => return Vec::new(),
        },
        8 => match some("memberships") {
            Some(id) => office.change("memberships", &id, |row| row["status"] = json!("not_approved")),
            None => return Vec::new(),
        },
        9 => office.give_passes(member, "Day pass", 2).unwrap(),
        10 => match some("passes") {
            Some(id) => office.change("passes", &id, |row| {
                row["usedCount"] = json!(2);
                row["status"] = json!("used");
            }),
            None => return Vec::new(),
        },
        11 => {
            if office.assign(member, "Desk 7").is_err() {
                return Vec::new();
            }
        }
        12 => match some("assignments") {
            Some(id) => office.remove("assignments", &id),
            None => return Vec::new(),
        },
        13 => {
            let guest = office.add(
                "visitors",
                json!({"name": format!("Guest {whom}"), "email": "g@example.org"}),
            );
            let booking = office.book(member, room, now + hours * HOUR, now + (hours + 1) * HOUR);
            office.change("bookings", &booking, |row| row["visitors"] = json!([guest]));
        }
        14 => {
            let booking = office.book(member, room, now + hours * HOUR, now + (hours + 1) * HOUR);
            office.change("bookings", &booking, |row| {
                row["recurrence"] = json!({"rrule": "FREQ=DAILY;COUNT=5"})
            });
        }
        15 => {
            let company = office.id_of("companies", "Two Oars");
            office.change("members", member, |row| row["company"] = json!(company));
        }
        _ => {
            let id = office.id_of("resources", "Desk 2a");
            let floor = office.id_of("floors", "Ground floor");
            office.change("resources", &id, |row| row["floor"] = json!(floor));
            return vec![Hint::Object {
                collection: "resources",
                id,
            }];
        }
    }
    heard(desk)
}

/// Contents without their number; an error is as good as another of its kind.
fn contents(fetched: Result<Fetched, PlatformError>, before: &Facts) -> Result<Facts, String> {
    match fetched {
        Ok(Fetched::Unchanged) => Ok(Facts {
            version: 0,
            ..before.clone()
        }),
        Ok(Fetched::Facts { facts, .. }) => Ok(Facts { version: 0, ..facts }),
        Err(error) => Err(format!("{:?}", error.kind)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_refresh_by_hints_and_one_by_time_give_what_a_whole_reading_gives(
        edits in proptest::collection::vec((0_u8..17, 0_usize..8, -30_i64..60), 1..14),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (desk, members) = lively();
            let by_time = desk.another();
            let (first, known, _) = desk.whole().await;
            by_time.fetch(None).await.unwrap();
            let (mut last, mut known) = (first, known);
            for (number, (what, whom, hours)) in edits.into_iter().enumerate() {
                let hints = edit(&desk, &members, what, whom, hours);
                let refreshed = desk.adapter.refresh(&known, last.clone(), &hints).await;
                if let Ok(Fetched::Facts { facts, etag, .. }) = &refreshed {
                    known = Known { version: facts.version, etag: etag.clone() };
                }
                let refreshed = contents(refreshed, &last);
                let whole = contents(desk.another().fetch(None).await, &last);
                assert_eq!(refreshed, whole, "edit {number}: {what} {whom} {hours}, {hints:?}");
                // What is removed altogether does not show in "changed since".
                if what != 3 && what != 12 {
                    let timed = contents(by_time.fetch(None).await, &last);
                    assert_eq!(timed, whole, "by time, edit {number}: {what} {whom} {hours}");
                } else {
                    by_time.refresh(&known, Facts::default(), &hints).await.ok();
                }
                if let Ok(whole) = whole {
                    last = whole;
                }
            }
        });
    }
}

#[tokio::test]
async fn a_poll_asks_only_what_changed_until_everything_is_due_again() {
    let (desk, members) = lively();
    let (_, known, _) = desk.whole().await;
    let before = desk.office.asked().len();
    assert_eq!(
        desk.adapter.fetch(Some(&known)).await.unwrap(),
        Fetched::Unchanged
    );
    let asked = desk.office.asked().split_off(before);
    assert_eq!(asked.len(), 7, "{asked:?}");
    assert!(asked[0].query.contains("modifiedAt"), "{asked:?}");
    // A booking that is removed leaves no trace there: the next whole reading misses it.
    let booking = desk
        .office
        .book(&members[2], "Meeting room", desk.now(), desk.now() + HOUR);
    let (facts, known, _) = taken(desk.adapter.fetch(Some(&known)).await.unwrap());
    assert_eq!(facts.bookings.len(), 1);
    desk.office.remove("bookings", &booking);
    assert_eq!(
        desk.adapter.fetch(Some(&known)).await.unwrap(),
        Fetched::Unchanged
    );
    desk.clock.advance(Duration::from_secs(901));
    let (facts, ..) = taken(desk.adapter.fetch(Some(&known)).await.unwrap());
    assert!(facts.bookings.is_empty());
}

#[tokio::test]
async fn where_the_platform_does_not_say_what_changed_everything_is_read() {
    let (desk, members) = lively();
    desk.office.faults(Faults {
        no_modified_at: true,
        ..Faults::default()
    });
    let (_, known, _) = desk.whole().await;
    desk.office.change("members", &members[0], |row| {
        row["properties"] = json!({CARD_PROPERTY: card(7)})
    });
    let (facts, ..) = taken(desk.adapter.fetch(Some(&known)).await.unwrap());
    let olga = facts
        .people
        .iter()
        .find(|person| person.id.as_str() == members[0])
        .unwrap();
    assert_eq!(olga.credentials.len(), 1);
}

#[tokio::test]
async fn a_refresh_that_fails_takes_nothing_and_the_next_one_has_it_all() {
    let (desk, members) = lively();
    let (last, known, _) = desk.whole().await;
    desk.office
        .book(&members[0], "Meeting room", desk.now(), desk.now() + HOUR);
    let hints = heard(&desk);
    for broken in ["/bookings", "/bookings/occurrences"] {
        desk.office.faults(Faults {
            error_500: Some(broken),
            ..Faults::default()
        });
        assert!(desk.adapter.refresh(&known, last.clone(), &hints).await.is_err());
        desk.office.faults(Faults {
            half_page: Some("bookings"),
            ..Faults::default()
        });
        assert!(desk.adapter.fetch(Some(&known)).await.is_err());
    }
    desk.office.faults(Faults::default());
    let (facts, ..) = taken(desk.adapter.refresh(&known, last, &hints).await.unwrap());
    assert_eq!(facts.bookings.len(), 1);
}

#[tokio::test]
async fn a_server_whose_clock_is_wrong_is_asked_by_its_own_time() {
    for skew_seconds in [-86_400, 86_400] {
        let (desk, members) = lively();
        desk.office.faults(Faults {
            skew_seconds,
            ..Faults::default()
        });
        let (_, known, _) = desk.whole().await;
        desk.office.give_card(&members[0], &card(9));
        let (facts, ..) = taken(desk.adapter.fetch(Some(&known)).await.unwrap());
        let olga = facts
            .people
            .iter()
            .find(|person| person.id.as_str() == members[0])
            .unwrap();
        assert_eq!(olga.credentials.len(), 1, "{skew_seconds} s");
    }
}

#[tokio::test]
async fn a_card_of_two_people_is_told_as_it_is() {
    let (desk, members) = lively();
    desk.office.give_card(&members[0], &card(1));
    let (facts, ..) = desk.whole().await;
    let holders = facts.people.iter().filter(|person| {
        person
            .credentials
            .iter()
            .any(|credential| credential.reveal_in_full() == format!("uid:{}", card(1)))
    });
    assert_eq!(holders.count(), 2, "to refuse both is the rules'");
}
