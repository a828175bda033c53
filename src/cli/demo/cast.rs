//! Who presents which card where, and what must come of it. The facts are written for the hour of the play.

use crate::domain::{Reason, time::Millis};
use doorward_peers::cloud::{Booking, Membership, Pass, Person, Resource, World};
use jiff::Timestamp;

/// Where a card is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plug {
    /// An OSDP reader: the number of its bus, and its address there.
    Osdp { bus: usize, address: u8 },
    /// The wall reader behind its adaptor. It only speaks: it has no light.
    Wradapt,
}

/// A door of the play and what hangs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// What people call it.
    pub(super) name: &'static str,
    /// Its reader.
    pub(super) reader: Plug,
    /// The output that releases it: bus, address and number, as in `site.toml`.
    pub(super) strike: (usize, u8, u8),
}

const fn osdp(name: &'static str, bus: usize, address: u8) -> Spot {
    Spot {
        name,
        reader: Plug::Osdp { bus, address },
        strike: (bus, address, 0),
    }
}

/// The doors: two readers share the first bus; the side door's reader has no output, so another's opens it.
pub(super) const SPOTS: [Spot; 4] = [
    osdp("Front door", 0, 0),
    osdp("Studio", 0, 1),
    osdp("Meeting room", 1, 0),
    Spot {
        name: "Side door",
        reader: Plug::Wradapt,
        strike: (0, 1, 1),
    },
];

/// A presentation of the play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    /// Who.
    pub(super) who: &'static str,
    /// The card's UID.
    pub(super) card: [u8; 7],
    /// Where: index into [`SPOTS`].
    pub(super) spot: usize,
    /// What must come of it.
    pub(super) expected: Reason,
}

const fn card(number: u8) -> [u8; 7] {
    [0x04, 0xA2, number, 0x17, 0x5C, 0x61, 0x80]
}

const fn tap(who: &'static str, number: u8, spot: usize, expected: Reason) -> Tap {
    Tap {
        who,
        card: card(number),
        spot,
        expected,
    }
}

/// The taps, over and over.
pub(super) const TAPS: [Tap; 14] = [
    tap("Ana Ruiz", 1, 0, Reason::GrantedPlan),
    tap("Chiara Neri", 3, 2, Reason::GrantedBooking),
    tap("Ben Okafor", 2, 2, Reason::NotYet),
    tap("Greta Lund", 7, 3, Reason::GrantedPlan),
    tap("Greta Lund", 7, 1, Reason::GrantedPlan),
    tap("Ana Ruiz", 1, 1, Reason::NoGrantForDoor),
    tap("Dmitri Volkov", 4, 0, Reason::NoPassLeft),
    tap("Hana Sato", 8, 0, Reason::GrantedPass),
    tap("a stranger", 99, 0, Reason::UnknownCredential),
    tap("Farid Amin", 6, 0, Reason::Ended),
    tap("Ana Ruiz", 1, 3, Reason::NoGrantForDoor),
    tap("Chiara Neri", 3, 0, Reason::GrantedBooking),
    tap("Elif Demir", 5, 0, Reason::PersonBlocked),
    tap("Greta Lund", 7, 0, Reason::GrantedPlan),
];

/// What the cloud knows at the beginning of the play.
pub(super) fn world(now: Millis) -> World {
    let hours = |hours: i64| instant(now + hours * 3_600_000);
    let mut world = World::default();
    let people = ["ana", "ben", "chiara", "dmitri", "elif", "farid", "greta", "hana"];
    let names = [
        "Ana Ruiz",
        "Ben Okafor",
        "Chiara Neri",
        "Dmitri Volkov",
        "Elif Demir",
        "Farid Amin",
        "Greta Lund",
        "Hana Sato",
    ];
    for ((id, name), number) in people.into_iter().zip(names).zip(1..) {
        let hex: String = card(number).iter().map(|byte| format!("{byte:02X}")).collect();
        world.people.push(Person {
            id: id.into(),
            name: name.into(),
            deactivated: id == "elif",
            credentials: vec![format!("uid:{hex}")],
            ..Person::default()
        });
    }
    let member = |id: &str, plan: &str, ends: Option<String>| Membership {
        id: format!("membership-{id}"),
        plan: plan.into(),
        person: Some(id.into()),
        ends,
        ..Membership::default()
    };
    world.memberships = vec![
        member("ana", "Hot desk", None),
        member("elif", "Hot desk", None),
        member("farid", "Hot desk", Some(hours(-26))),
        member("greta", "Team office", None),
    ];
    world.resources = vec![Resource {
        id: "room-1".into(),
        name: "Meeting room".into(),
        kind: Some("room".into()),
        ..Resource::default()
    }];
    let booking = |id: &str, person: &str, from: i64, until: i64| Booking {
        id: id.into(),
        resource: "room-1".into(),
        person: Some(person.into()),
        from: hours(from),
        until: hours(until),
        ..Booking::default()
    };
    world.bookings = vec![
        booking("booking-1", "chiara", -1, 2),
        booking("booking-2", "ben", 2, 3),
    ];
    let pass = |id: &str, person: &str, left: i64| Pass {
        id: id.into(),
        kind: "Day pass".into(),
        person: Some(person.into()),
        left: Some(left),
        ..Pass::default()
    };
    world.passes = vec![pass("pass-1", "dmitri", 0), pass("pass-2", "hana", 3)];
    world
}

fn instant(at: Millis) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().to_string()
}
