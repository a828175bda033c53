//! A large space fits Cobot's 60 requests a minute, with room for check-ins; hints cost little, and bring the same
//! facts as asking for everything.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::cobot_site::{ANA, BEN, CARA, DAY, Got, HOUR, MINUTE, NOW, Site, fetch, got};
use doorward::{
    domain::Moment,
    platform::{Fetched, Hint, Hook, Known, Platform},
};
use doorward_peers::{cobot::World, office::Office};
use proptest::{
    prelude::{Strategy, any, prop},
    strategy::ValueTree,
    test_runner::TestRunner,
};

/// 1,000 members, 400 of them on passes, and 500 bookings a day for two weeks.
fn large() -> World {
    let mut world = World::default();
    for number in 0..1_000 {
        let plan = if number % 5 < 2 { "Day passes" } else { "Hot desk" };
        let id = world.join(
            &format!("Member {number}"),
            &format!("m{number}@example.com"),
            plan,
            "2026-01-01",
        );
        world.tokens.push(doorward_peers::cobot::Token {
            token: format!("04A2B3{number:08X}"),
            membership: id.clone(),
        });
        if number % 5 < 2 {
            world.give_passes(&id, "Day pass", 5);
        }
    }
    let ids: Vec<String> = world.members.iter().map(|it| it.id.clone()).collect();
    for day in -1..15 {
        for number in 0..500_i32 {
            let from = NOW + i64::from(day) * DAY + i64::from(number % 12) * HOUR;
            let member = ids
                .iter()
                .cycle()
                .nth(number.unsigned_abs() as usize)
                .map(String::as_str);
            world.book(member, "res-meeting", from, from + 30 * MINUTE);
        }
    }
    world
}

#[tokio::test]
async fn a_large_space_is_read_every_minute_within_the_budget() {
    let site = Site::with(large());
    let mut most = 0;
    let mut counts = Vec::new();
    for _ in 0..10 {
        let before = site.cobot.log().len();
        fetch(&site.adapter).await;
        counts.push(site.cobot.log().len() - before);
        most = most.max(site.cobot.log().len() - before);
        site.wait(MINUTE);
    }
    let Got { facts, problems, .. } = fetch(&site.adapter).await;
    assert_eq!(
        (facts.people.len(), facts.passes.len(), problems.len()),
        (1_000, 2_000, 0)
    );
    assert!(
        facts.bookings.len() >= 14 * 500 - 500,
        "{} of two weeks",
        facts.bookings.len()
    );
    println!("requests of each fetch, a minute apart: {counts:?}");
    // Measured: docs/platforms/cobot.md says so.
    assert!(most <= 45, "{counts:?} requests");
    assert!(site.cobot.log().iter().all(|it| it.status == 200));
}

#[derive(Clone, Debug)]
enum Edit {
    Join,
    Book { minutes: u16, long: u16 },
    Move { which: u8, minutes: u16 },
    Delete { which: u8 },
    Cancel { which: u8, days: u8 },
    Plan { which: u8 },
    Pass { which: u8 },
    Card { which: u8, number: u8 },
    Assign { which: u8 },
    Enter { which: u8 },
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let one =
        (any::<u8>(), any::<u8>(), 0..1_440_u16, 15..300_u16).prop_map(|(kind, which, minutes, long)| {
            match kind % 10 {
                0 => Edit::Join,
                1 | 2 => Edit::Book { minutes, long },
                3 => Edit::Move { which, minutes },
                4 => Edit::Delete { which },
                5 => Edit::Cancel {
                    which,
                    days: which % 40,
                },
                6 => Edit::Plan { which },
                7 => Edit::Pass { which },
                8 => Edit::Card { which, number: which },
                _ if which % 2 == 0 => Edit::Assign { which },
                _ => Edit::Enter { which },
            }
        });
    prop::collection::vec(one, 1..12)
}

fn pick<T: Clone>(all: &[T], which: u8) -> Option<T> {
    all.iter().cycle().nth(usize::from(which)).cloned()
}

fn apply(site: &Site, edit: &Edit) {
    let members: Vec<String> = site
        .cobot
        .edit(|world| world.members.iter().map(|it| it.id.clone()).collect());
    let bookings: Vec<String> = site
        .cobot
        .edit(|world| world.bookings.iter().map(|it| it.id.clone()).collect());
    let member = |which: &u8| pick(&members, *which).unwrap_or_else(|| ANA.into());
    let at = |minutes: &u16| NOW + i64::from(*minutes) * MINUTE;
    match edit {
        Edit::Join => {
            let name = format!("New {}", members.len());
            site.cobot.join(
                &name,
                &format!("{}@example.com", members.len()),
                "Day passes",
                "2026-06-01",
            );
        }
        Edit::Book { minutes, long } => {
            let from = at(minutes);
            let booking = site
                .cobot
                .book(&member(&7), "Phone booth", from, from + i64::from(*long) * MINUTE);
            site.cobot.invite(&booking, CARA).unwrap();
        }
        Edit::Move { which, minutes } => {
            if let Some(booking) = pick(&bookings, *which) {
                site.cobot.move_booking(&booking, at(minutes), at(minutes) + HOUR);
            }
        }
        Edit::Delete { which } => {
            if let Some(booking) = pick(&bookings, *which) {
                site.cobot.delete_booking(&booking);
            }
        }
        Edit::Cancel { which, days } => {
            let day = jiff::civil::date(2026, 6, 1).saturating_add(jiff::Span::new().days(i64::from(*days)));
            site.cobot.cancel(&member(which), &day.to_string());
        }
        Edit::Plan { which } => site.cobot.change_plan(&member(which), "Full time", "2026-06-20"),
        Edit::Pass { which } => site.cobot.give_passes(&member(which), "Two hours", 1).unwrap(),
        Edit::Card { which, number } => site
            .cobot
            .give_card(&member(which), &format!("04A2B3C4{number:06X}")),
        Edit::Assign { which } => site.cobot.assign(&member(which), "Office 2").unwrap(),
        Edit::Enter { which } => {
            site.cobot.edit(|world| {
                let pass = world.time_passes.iter_mut().find(|it| it.used.is_none());
                let pass = pass.map(|it| {
                    it.used = Some(NOW);
                    (it.id.clone(), it.membership.clone())
                });
                let (pass, membership) = pass.map_or((None, member(which)), |(id, of)| (Some(id), of));
                let id = world.id("check-in");
                let (from, until) = (NOW, NOW + HOUR);
                world.sessions.push(doorward_peers::cobot::Session {
                    id,
                    membership,
                    time_pass: pass,
                    from,
                    until,
                });
            });
            site.cobot
                .change("created_checkin", "check_ins", |_| ("any".to_owned(), ()));
        }
    }
}

#[tokio::test]
async fn hints_bring_the_same_facts_as_asking_for_everything() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..24 {
        let edits = edits().new_tree(&mut runner).unwrap().current();
        let site = Site::start();
        site.cobot.give_passes(BEN, "Day pass", 2).unwrap();
        // Deliveries fail: nobody listens. What was to be sent is the hint.
        site.cobot.send_hooks_to("nowhere").unwrap();
        let mut last = fetch(&site.adapter).await;
        for edit in &edits {
            apply(&site, edit);
        }
        let mut hints: Vec<Hint> = Vec::new();
        for body in told(&site) {
            let now = Moment::trusted(NOW);
            let hook = Hook {
                headers: &[],
                body: body.as_bytes(),
                now,
            };
            hints.extend(site.adapter.hook(&hook).unwrap().hints);
        }
        hints.sort_by_key(|hint| format!("{hint:?}"));
        hints.dedup();
        match site
            .adapter
            .refresh(&last.known, last.facts.clone(), &hints)
            .await
            .unwrap()
        {
            Fetched::Unchanged => {}
            fetched @ Fetched::Facts { .. } => last = got(fetched),
        }
        let mut whole = fetch(&site.stranger()).await.facts;
        whole.version = last.facts.version;
        assert_eq!(last.facts, whole, "{edits:?} by {hints:?}");
    }
}

/// The bodies of all web hooks until now: they are sent in order, so a last one says that the others were sent.
fn told(site: &Site) -> Vec<String> {
    site.cobot.change("updated_custom_field", "resources", |_| {
        ("the-last".to_owned(), ())
    });
    crate::harness::wait_for("every web hook", || {
        let sent = site.cobot.hooks_sent();
        let mut bodies: Vec<String> = sent.into_iter().map(|it| it.body).collect();
        bodies.dedup(); // tries of one delivery
        let last = bodies.pop().unwrap_or_default();
        if last.contains("the-last") {
            Ok(bodies)
        } else {
            Err(last)
        }
    })
}

#[tokio::test]
async fn a_hint_costs_a_few_requests_and_not_all() {
    let site = Site::with(large());
    let first = fetch(&site.adapter).await;
    let cost = async |hints: &[Hint], last: &Got| {
        let before = site.cobot.log().len();
        let known = Known {
            version: 1,
            etag: None,
        };
        site.adapter
            .refresh(&known, last.facts.clone(), hints)
            .await
            .unwrap();
        site.cobot.log().len() - before
    };
    let id = first.facts.bookings[0].id.clone();
    let booking = Hint::Object {
        collection: "bookings",
        id: id.into(),
    };
    assert_eq!(cost(&[booking], &first).await, 1);
    let person = Hint::Person(first.facts.people[0].id.clone());
    assert!(cost(&[person], &first).await <= 10);
    assert_eq!(cost(&[Hint::Collection("passes")], &first).await, 3);
}
