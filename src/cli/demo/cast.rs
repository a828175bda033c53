//! Who presents which card where, and what must come of it. The facts are written for the hour of the play.

use crate::domain::{Reason, time::Millis};
use doorward_peers::cloud::{Booking, Membership, Pass, Person, Resource, World};
use jiff::Timestamp;

/// A door of the play and where its reader hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Id in the configuration.
    pub(super) door: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// Which bus.
    pub(super) bus: usize,
    /// Which reader on it.
    pub(super) address: u8,
}

/// The doors: two readers share the first bus.
pub(super) const SPOTS: [Spot; 3] = [
    Spot {
        door: "front",
        name: "Front door",
        bus: 0,
        address: 0,
    },
    Spot {
        door: "studio",
        name: "Studio",
        bus: 0,
        address: 1,
    },
    Spot {
        door: "meeting",
        name: "Meeting room",
        bus: 1,
        address: 0,
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

/// The taps, over and over.
pub(super) const TAPS: [Tap; 12] = [
    Tap {
        who: "Ana Ruiz",
        card: card(1),
        spot: 0,
        expected: Reason::GrantedPlan,
    },
    Tap {
        who: "Chiara Neri",
        card: card(3),
        spot: 2,
        expected: Reason::GrantedBooking,
    },
    Tap {
        who: "Ben Okafor",
        card: card(2),
        spot: 2,
        expected: Reason::NotYet,
    },
    Tap {
        who: "Greta Lund",
        card: card(7),
        spot: 1,
        expected: Reason::GrantedPlan,
    },
    Tap {
        who: "Ana Ruiz",
        card: card(1),
        spot: 1,
        expected: Reason::NoGrantForDoor,
    },
    Tap {
        who: "Dmitri Volkov",
        card: card(4),
        spot: 0,
        expected: Reason::NoPassLeft,
    },
    Tap {
        who: "Hana Sato",
        card: card(8),
        spot: 0,
        expected: Reason::GrantedPass,
    },
    Tap {
        who: "a stranger",
        card: card(99),
        spot: 0,
        expected: Reason::UnknownCredential,
    },
    Tap {
        who: "Farid Amin",
        card: card(6),
        spot: 0,
        expected: Reason::Ended,
    },
    Tap {
        who: "Chiara Neri",
        card: card(3),
        spot: 0,
        expected: Reason::GrantedBooking,
    },
    Tap {
        who: "Elif Demir",
        card: card(5),
        spot: 0,
        expected: Reason::PersonBlocked,
    },
    Tap {
        who: "Greta Lund",
        card: card(7),
        spot: 0,
        expected: Reason::GrantedPlan,
    },
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
