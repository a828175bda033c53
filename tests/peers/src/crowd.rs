//! The people of a house with thousands: names as people have them, with accents, apostrophes and letters that have no base
//! letter, an e-mail address each, and two hundred teams.

use crate::cloud::{Team, World};

const FIRST: [&str; 10] = [
    "José", "María", "Zoë", "Łukasz", "Ana", "Jürgen", "Søren", "Nguyễn", "Chloé", "Ömer",
];
const LAST: [&str; 10] = [
    "Núñez",
    "Weiß",
    "O’Neill",
    "García López",
    "Müller",
    "Kowalski",
    "Đoković",
    "Smith",
    "d'Arcy",
    "Yıldız",
];
const TEAMS: usize = 200;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Somebody {
    /// `p17`.
    pub id: String,
    /// First and last name, and the number: nobody has another's.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The id of the team, one of [`teams`].
    pub team: String,
}

/// Number `n`, the same one for ever.
#[must_use]
pub fn somebody(n: usize) -> Somebody {
    let of = |names: &[&'static str; 10], n: usize| names.get(n % 10).copied().unwrap_or_default();
    Somebody {
        id: format!("p{n}"),
        name: format!("{} {} {n}", of(&FIRST, n), of(&LAST, n / 10)),
        email: format!("person.{n}@example{}.com", n % 50),
        team: format!("t{}", n % TEAMS),
    }
}

/// The teams: id and name.
pub fn teams() -> impl Iterator<Item = (String, String)> {
    (0..TEAMS).map(|n| (format!("t{n}"), format!("Estudio Ñandú {n}")))
}

/// People that a script knows by name. They have the plan; the first ones have a card each, that of [`CARDS`].
const KNOWN: [(&str, &str); 16] = [
    ("ana", "Ana Ruiz"),
    ("ben", "Ben Okoro"),
    ("carla", "Carla Núñez"),
    ("dmitri", "Dmitri Volkov"),
    ("eva", "Eva Freitag"),
    ("finn", "Finn O’Hara"),
    ("gus", "Gus Abernathy"),
    ("hana", "Hana Yoshikawa"),
    ("ivo", "Ivo Marchetti"),
    ("jana", "Jana Dvořáková"),
    ("kai", "Kai Brandvold"),
    ("lea", "Lea Fontaine"),
    ("milo", "Milo Szymański"),
    ("noa", "Noa Ben-Ami"),
    ("olu", "Olu Adeyemi"),
    ("petra", "Petra Hölzl"),
];
/// Cards of the first people of [`house`].
pub const CARDS: [&str; 6] = [
    "04A2B3C4D5E680",
    "04A2B3C4D5E681",
    "04A2B3C4D5E682",
    "04A2B3C4D5E683",
    "04A2B3C4D5E684",
    "04A2B3C4D5E685",
];

/// A house whose desk is played in a browser: those that are known, sixty of the team "Bulk day" without a card, and others up to
/// `count`. All have the plan "Hot desk".
#[must_use]
pub fn house(count: usize) -> World {
    let mut world = World::default();
    for (n, (id, name)) in KNOWN.into_iter().enumerate() {
        let card = CARDS.get(n).map(|card| format!("uid:{card}"));
        let person = world.member(id, name, card.as_deref().unwrap_or_default(), "Hot desk");
        person.email = Some(format!("{id}@example.com"));
        person.team = Some("t0".into());
        person.credentials.retain(|card| !card.is_empty());
    }
    for n in 0..60 {
        let person = world.member(&format!("bulk{n}"), &format!("Newcomer {n:02}"), "", "Hot desk");
        person.email = Some(format!("newcomer{n:02}@example.com"));
        person.team = Some("bulk".into());
        person.credentials.clear();
    }
    for n in world.people.len()..count {
        let other = somebody(n);
        let person = world.member(&other.id, &other.name, &format!("uid:04B0{n:010}"), "Hot desk");
        (person.email, person.team) = (Some(other.email), Some(other.team));
    }
    world.teams = teams()
        .chain([("bulk".into(), "Bulk day".into())])
        .map(|(id, name)| Team {
            id,
            name,
            payer: None,
        })
        .collect();
    world
}
