//! A search among 10,000 people, as somebody types.

use crate::desk_site::timed;
use doorward::{
    desk::Directory,
    domain::facts::{Facts, Person, Team},
};
use std::time::Duration;

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

#[test]
fn a_search_among_ten_thousand_people_is_quick() {
    let mut facts = Facts::default();
    for n in 0..10_000_usize {
        let name = format!("{} {} {n}", FIRST[n % 10], LAST[n / 10 % 10]);
        let mut person = Person::new(format!("p{n}"), name);
        person.email = Some(format!("person.{n}@example{}.com", n % 50));
        person.team = Some(format!("t{}", n % 200));
        facts.people.push(person);
    }
    facts.teams = (0..200)
        .map(|n| Team {
            id: format!("t{n}"),
            name: format!("Estudio Ñandú {n}"),
            payer: None,
        })
        .collect();
    let (directory, made) = timed(|| Directory::of(&facts));
    println!("10,000 people made ready: {made:?}");
    let queries = [
        "j",
        "jo",
        "jos",
        "jose",
        "jose nun",
        "weiss",
        "nandu 17",
        "person.77",
        "person.77@",
        "lopez garcia",
        "smith 98",
        "zzz",
        "o'ne",
        "yildiz 9999",
    ];
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..10 {
        for query in queries {
            let (found, took) = timed(|| directory.search(query, 20));
            assert_eq!(found.is_empty(), query == "zzz", "{query}");
            times.push(took);
        }
    }
    times.sort();
    let p95 = times[times.len() * 95 / 100];
    println!(
        "search: p50 {:?}, p95 {p95:?}, longest {:?}",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    // Issue 5 asks for 30 ms of what is delivered; a build for tests is many times as slow, and shares its machine.
    let limit = if cfg!(debug_assertions) { 400 } else { 30 };
    assert!(p95 < Duration::from_millis(limit), "{p95:?}");
}
