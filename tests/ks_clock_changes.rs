//! Fifty bookings a day over both changes of the clocks: minute by minute, the locks do what a slow second reading of the
//! facts says, though every group was made days ahead and the gateway is long dead.

use crate::ks_house::{House, KsSite, Plan, book, days_later, local, person, room, tag};
use doorward_peers::cloud::World;
use std::collections::BTreeSet;

const ROOMS: [&str; 3] = ["Blue room", "Red room", "Green room"];
const PEOPLE: usize = 25;

/// Fifty bookings that begin on each of two days from this midnight on, at times that look like chance and are none: many of
/// them in the small hours, some over midnight.
fn bookings(world: &mut World, midnight: i64) {
    for day in 0..2 {
        let begins = days_later(midnight, day);
        for number in 0..50_usize {
            let step = i64::try_from(number).unwrap();
            // Elapsed minutes: on the day of a change they are not those on the wall.
            let from = begins
                + if number % 2 == 0 {
                    step * 9
                } else {
                    step * 29 % 1_440
                } * 60_000;
            let until = from + (15 + step * 37 % 170) * 60_000;
            book(world, number % PEOPLE, ROOMS[number % 3], from, until);
        }
    }
}

fn compared(before: &str, midnight: &str) {
    let mut house = House::default();
    let mut world = World::default();
    for name in ROOMS {
        room(&mut world, name);
        house.room(name, &name.to_lowercase().replace(' ', "-"), &[name]);
    }
    for number in 0..PEOPLE {
        person(&mut world, number, "No plan");
    }
    bookings(&mut world, local(midnight));
    let mut site = KsSite::start(Plan {
        world,
        house,
        ks: "bookings_ahead_hours = 72".into(),
        at: Some(local(before)),
        ..Plan::default()
    });
    site.applied();
    site.gateway.kill();
    // Every minute of the night, and around the ends of every booking.
    let (begins, ends) = (local(midnight), days_later(local(midnight), 3));
    let world = site.cloud.edit(|world| world.clone());
    let mut looks: BTreeSet<i64> = BTreeSet::new();
    for booking in &world.bookings {
        for edge in [&booking.from, &booking.until] {
            let edge = edge.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            looks.extend([-6, -5, -4, 0, 4, 5, 6].map(|minutes| edge + minutes * 60_000));
        }
    }
    looks.extend((begins..ends).step_by(17 * 60_000));
    let night = days_later(begins, 1);
    looks.extend((night..night + 5 * 3_600_000).step_by(4 * 60_000));
    let (mut opened, mut wrong) = (0, Vec::new());
    let expected = crate::ks_house::Walls::of(&site.house, &world);
    for at in looks {
        for number in 0..PEOPLE {
            for door in ROOMS {
                let may = expected.may(&format!("p{number}"), door, at);
                let did = site.ks.would(door, &tag(number), at).opened();
                opened += u32::from(did);
                if did != may {
                    wrong.push(format!(
                        "p{number} at {door}, {}: {did}, and may is {may}",
                        crate::ks_house::instant(at)
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(10)]
    );
    assert!(opened > 1_000, "{opened}");
}

#[test]
fn fifty_bookings_a_day_while_an_hour_is_skipped() {
    compared("2027-03-26T20:00", "2027-03-27T00:00");
}

#[test]
fn fifty_bookings_a_day_while_an_hour_comes_twice() {
    compared("2026-10-23T20:00", "2026-10-24T00:00");
}
