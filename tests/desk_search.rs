//! A search among 10,000 people, as somebody types.

use doorward::{
    desk::Directory,
    domain::facts::{Facts, Person, Team},
};
use doorward_peers::crowd;

#[test]
fn a_search_among_ten_thousand_people_finds_whoever_is_meant() {
    let mut facts = Facts::default();
    for somebody in (0..10_000).map(crowd::somebody) {
        let mut person = Person::new(somebody.id, somebody.name);
        (person.email, person.team) = (Some(somebody.email.into()), Some(somebody.team.into()));
        facts.people.push(person);
    }
    let team = |(id, name): (String, String)| Team {
        id: id.into(),
        name: name.into(),
        payer: None,
    };
    facts.teams = crowd::teams().map(team).collect();
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
