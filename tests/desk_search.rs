//! A search among 10,000 people, as somebody types.

use doorward::{
    desk::Directory,
    domain::facts::{Facts, Person, Team},
};

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
fn a_search_among_ten_thousand_people_finds_whoever_is_meant() {
    let mut facts = Facts::default();
    for n in 0..10_000_usize {
        let name = format!("{} {} {n}", FIRST[n % 10], LAST[n / 10 % 10]);
        let mut person = Person::new(format!("p{n}"), name);
        person.email = Some(format!("person.{n}@example{}.com", n % 50).into());
        person.team = Some(format!("t{}", n % 200).into());
        facts.people.push(person);
    }
    facts.teams = (0..200)
        .map(|n| Team {
            id: format!("t{n}").into(),
            name: format!("Estudio Ñandú {n}").into(),
            payer: None,
        })
        .collect();
    let directory = Directory::of(&facts);
    let of = |query: &str| {
        let (hits, total) = directory.page(query, 0, 20);
        assert_eq!(directory.search(query, 20), hits, "{query}");
        (hits, total)
    };
    for (query, total, first) in [
        ("j", 2_000, "José"),
        ("jose", 1_000, "José"),
        ("jose nun", 100, "José Núñez"),
        ("weiss", 1_000, "Ana Weiß"),
        ("nandu 17", 640, "Ana"),
        ("person.77@", 1, "Nguyễn Smith 77"),
        ("lopez garcia", 1_000, "Ana García López"),
        ("o'ne", 1_000, "Ana O’Neill"),
        ("yildiz 9999", 1, "Ömer Yıldız 9999"),
        ("zzz", 0, ""),
    ] {
        let (hits, found) = of(query);
        assert_eq!(found, total, "{query}");
        let name = hits.first().map_or("", |hit| hit.name.as_str());
        assert!(name.starts_with(first), "{query}: {name}");
    }
}
