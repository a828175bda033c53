//! The seats of the subscription are used up. A plan knows how many there are: it says who does not fit and makes nobody in
//! vain. Where KS has fewer than it said, whoever was made without a seat is a fault and no success, nobody else is asked for,
//! and everybody gets in once there are more.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, local, members},
};
use doorward_peers::ks::Faults;
use serde_json::Value;
use std::time::Duration;

/// The gateway's own user and the cleaner have a seat each.
const OTHERS: u32 = 2;
/// Requests under way at a time.
const AT_ONCE: usize = 2;

fn site(people: usize, seats: u32) -> KsSite {
    let mut site = KsSite::new(Plan {
        world: members(people),
        house: House::small(),
        at: Some(local("2027-02-03T09:00")),
        ks: format!("at_once = {AT_ONCE}"),
        ..Plan::default()
    });
    site.ks.set_seats(seats);
    site.gateway.start();
    site.settle();
    site
}

fn suspended(site: &KsSite) -> Vec<String> {
    let users = site.ks.users().into_iter().filter(|user| user.suspended);
    users.map(|user| user.alias).collect()
}

/// Who waits for a seat, as a document names them.
fn waiting(doc: &Value) -> Vec<String> {
    let waits = doc["waits"].as_array().into_iter().flatten();
    let seats = waits.filter(|waiting| waiting["kind"] == "no-seat");
    seats
        .map(|waiting| waiting["who"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_plan_says_who_does_not_fit_and_makes_nobody_in_vain() {
    let site = site(10, 6 + OTHERS);
    let plan = site.plan();
    let makes = plan["steps"].as_array().unwrap().iter();
    let makes: Vec<&str> = makes
        .filter(|step| step["act"] == "create-user")
        .map(|step| step["who"].as_str().unwrap())
        .collect();
    // By the platform's id: p0 to p5 are in, p6 to p9 wait.
    let name = |number: usize| format!("Person Number{number}");
    assert_eq!(makes, (0..6).map(name).collect::<Vec<_>>());
    assert_eq!(waiting(&plan), (6..10).map(name).collect::<Vec<_>>());
    site.applied();
    let text = site.wait_for_fault("ks_seats");
    assert!(
        text.contains("4 people wait for a seat")
            && text.contains("8 of 8 are taken")
            && text.contains("order more"),
        "{text}"
    );
    let status = site.gateway.json_of_any_status(&["ks", "status"]);
    assert_eq!(waiting(&status["ks"]).len(), 4, "{status}");
    assert_eq!((site.ks.users().len(), suspended(&site)), (8, Vec::new()));
    // Two doors stay shut for each of four, and nothing else is wrong.
    assert_eq!(site.differences(site.ks.now()).len(), 4 * 2);
    // More are ordered: a plan that somebody asks for knows them at once.
    site.ks.set_seats(8 + OTHERS);
    assert_eq!(waiting(&site.plan()), [name(8), name(9)]);
    site.ks.set_seats(10 + OTHERS);
    site.applied();
    site.wait_in_step();
    wait_for("the end of the fault", || {
        site.fault("ks_seats").map_or(Ok(()), Err)
    });
}

#[test]
fn seats_that_were_ordered_are_found_by_itself() {
    let site = site(4, 2 + OTHERS);
    site.applied();
    site.wait_for_fault("ks_seats");
    site.ks.set_seats(4 + OTHERS);
    // What the subscription has is read every quarter of an hour.
    site.pass(16 * 60);
    site.wait_in_step();
    assert_eq!(suspended(&site), Vec::<String>::new());
    wait_for("the end of the fault", || {
        site.fault("ks_seats").map_or(Ok(()), Err)
    });
}

#[test]
fn fewer_seats_than_there_were_is_a_fault_and_nobody_else_is_made_in_vain() {
    let site = site(30, 40);
    site.ks.faults(Faults {
        answer_delay: Some(Duration::from_millis(300)),
        ..Faults::default()
    });
    let (status, said) = std::thread::scope(|scope| {
        let applying = scope.spawn(|| site.apply());
        // Somebody else takes the seats in the middle of it.
        wait_for("the first users", || match site.ks.users().len() {
            0..=6 => Err(site.ks.changes()),
            _ => Ok(()),
        });
        site.ks.set_seats(8);
        applying.join().unwrap()
    });
    site.ks.faults(Faults::default());
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("have no seat") && !said.contains("REFUSED"),
        "{said}"
    );
    let without = suspended(&site);
    assert!(
        (1..=AT_ONCE).contains(&without.len()),
        "only what was under way was made in vain: {without:?}"
    );
    let made = site.ks.users().len();
    let waits = 30 + 2 - (made - without.len());
    let text = site.wait_for_fault("ks_seats");
    assert!(text.contains("order more"), "{text}");
    // Comparisons go by, and the number of seats is read again: still nobody is made in vain.
    for _ in 0..3 {
        site.pass(10 * 60);
        assert_eq!(waiting(&site.plan()).len(), waits, "{}", site.plan());
    }
    assert_eq!((suspended(&site), site.ks.users().len()), (without, made));
    site.ks.set_seats(32);
    site.applied();
    site.applied(); // whoever waited as a user came first
    site.wait_in_step();
    site.wait_for_empty_plan();
    assert_eq!(site.ks.users().len(), 32);
    wait_for("the end of the fault", || {
        site.fault("ks_seats").map_or(Ok(()), Err)
    });
}
