//! A new fob: refused at the door, given to a member, and it opens. Then the platform has it, and its word counts again.

use crate::{
    desk_site::{fob, site, uid},
    harness::wait_for,
};
use serde_json::json;

#[test]
fn the_fob_that_a_door_refused_is_given_to_a_member_and_opens() {
    let site = site(3);
    assert_eq!(site.present(&fob(1)).0, "unknown_credential");
    let look = site.done("look", json!({ "card": "refused" }));
    assert_eq!(look["holders"], json!([]), "{look}");
    assert_eq!(look["refused"]["door"], "front", "{look}");
    assert!(!look.to_string().contains(&fob(1)), "masked: {look}");

    let change = site.assign("refused@front", "p1");
    assert_eq!(
        (&change["in_force"], &change["name"]),
        (&json!(true), &json!("Member 1"))
    );
    assert_eq!(site.present(&fob(1)), ("granted_plan".into(), "p1".into()));

    // The platform is told, and says it by itself after the next fetch: nothing is kept beside it.
    site.wait_at_cloud("p1", &uid(1), true);
    site.wait_settled();
    let look = site.done("look", json!({ "card": uid(1) }));
    assert_eq!(look["holders"][0]["place"], "platform", "{look}");
    assert!(look["holders"][0]["since"].is_i64(), "from the journal: {look}");
    site.cloud
        .edit(|world| world.people[1].credentials.retain(|card| *card != uid(1)));
    wait_for("the removal at the platform", || match site.present(&fob(1)).0 {
        reason if reason == "unknown_credential" => Ok(()),
        other => Err(other),
    });
    let events = site.gateway.events();
    let given = events
        .iter()
        .find(|event| event["kind"] == "card_changed")
        .unwrap();
    assert_eq!(given["detail"], "assigned by Maria (command line)");
    // Maria is who the command says; the trail has whoever opened the socket as well.
    let (_, trail, _) = site.gateway.command(&["audit", "list", "--json"]);
    assert!(trail.contains(", as Maria"), "{trail}");
    assert!(!serde_json::to_string(&events).unwrap().contains(&fob(1)));
}

#[test]
fn of_two_at_the_desk_with_the_same_fob_the_second_learns_of_the_first() {
    let site = site(20);
    for round in 0..6 {
        let look = site.done("look", json!({ "card": uid(round) }));
        let ask = |person: usize| json!({ "card": uid(round), "person": format!("p{person}"), "seen": look["seen"], "by": format!("Staff {person}") });
        let answers: Vec<_> = std::thread::scope(|scope| {
            let both = [1, 2].map(|person| {
                let (site, ask) = (&site, ask(person));
                scope.spawn(move || site.desk("assign", &ask))
            });
            both.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let done: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        let refused: Vec<_> = answers.iter().filter(|(status, _)| *status == 409).collect();
        assert_eq!((done.len(), refused.len()), (1, 1), "{answers:?}");
        let (winner, said) = (&done[0].1, &refused[0].1);
        let message = said["message"].as_str().unwrap();
        assert!(message.contains(winner["name"].as_str().unwrap()), "{message}");
        assert_eq!(said["look"]["holders"][0]["name"], winner["name"], "{said}");
    }
    // Seen when it was nobody's: refused, though the platform has said the same by itself since.
    site.wait_settled();
    let (code, message) = site.refused("return", json!({ "card": uid(0), "seen": 0, "by": "Otto" }));
    assert_eq!(code, "meanwhile", "{message}");
}

#[test]
fn what_cannot_be_anybodys_is_refused_in_words() {
    let site = site(1);
    let ask = |card: &str, person: &str| json!({ "card": card, "person": person, "by": "Maria" });
    let (code, message) = site.refused("assign", ask("uid:08A1B2C3", "p0"));
    assert_eq!(code, "random_number");
    assert!(message.contains("telephones"), "{message}");
    assert_eq!(site.refused("assign", ask(&uid(1), "nobody")).0, "no_such_person");
    assert_eq!(site.refused("assign", ask("refused", "p0")).0, "nothing_refused");
    assert_eq!(
        site.done("search", json!({ "query": "memb", "most": 5 }))[0]["id"],
        "p0"
    );
    let (status, said) = site.desk("assign", &json!({ "card": "uid:0499A1B2", "to": 1 }));
    assert_eq!(status, 409);
    assert!(!said.to_string().contains("0499A1B2"), "{said}");
}
