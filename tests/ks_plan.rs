//! SALTO KS is brought in step and kept so, against the simulator: first plan, hands of others, seats, kills.

use crate::ks_site::{NOON, Site, at, grant, holder, tag};
use doorward::{
    domain::{Block, BlockTarget, GrantKind, Snapshot, Window},
    salto::reconcile::KsDoc,
};
use doorward_peers::ks::{CLEANER, CLEANERS, Faults, Shape, Trap};
use std::time::Duration;

/// Ana and Ben are members, Cho has a booking of the room; Ana and Cho have tags.
fn few(snapshot: &mut Snapshot) {
    snapshot.people = vec![
        holder("ana", "Ana Ruiz"),
        holder("ben", "Ben Okoro"),
        holder("cho", "Cho"),
    ];
    snapshot.credentials = vec![(tag("11"), "ana".into()), (tag("13"), "cho".into())];
    let booking = Window::between(at("2026-11-24T13:55"), at("2026-11-24T16:05"));
    snapshot.grants = vec![
        grant("ana", "members", GrantKind::Plan, Window::ALWAYS),
        grant("ben", "days", GrantKind::Plan, Window::ALWAYS),
        grant("cho", "room", GrantKind::Booking, booking),
    ];
}

fn site_with_tags(more: &str) -> Site {
    let site = Site::start(more);
    site.ks.add_tag("00000011");
    site.ks.add_tag("00000013");
    site
}

async fn in_step(site: &mut Site) -> KsDoc {
    let doc = site.turn().await;
    assert!(doc.drift.is_empty() && doc.error.is_none(), "{doc:?}");
    doc
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_is_changed_before_somebody_accepts_and_then_the_locks_know() {
    let mut site = site_with_tags("");
    site.give(few);
    let doc = site.turn().await;
    assert!(!doc.accepted && doc.drift["create-user"] == 3, "{doc:?}");
    assert!(site.fault("ks_first_plan").is_some());
    let plan = site.plan().await.unwrap();
    let join = plan
        .steps
        .iter()
        .find(|step| step.act == "add-member" && step.who == "Cho")
        .unwrap();
    assert_eq!(
        (join.why.rule, join.why.source.as_ref().unwrap().id.as_str()),
        (Some(12), "booking-cho")
    );
    assert_eq!(site.ks.changes(), 0, "a plan only reads");
    let applied = site.apply().await.unwrap();
    assert_eq!(
        (applied.done, applied.failed.len()),
        (applied.of, 0),
        "{applied:?}"
    );
    assert!(in_step(&mut site).await.accepted && site.fault("ks_first_plan").is_none());
    // The gateway may be away from here on: what ends, ends there.
    let opens = |lock: &str, tag: &str, when: &str| site.ks.would(lock, tag, at(when)).opened();
    assert!(opens("Front door", "00000011", "2026-11-24T03:00"));
    assert!(!opens("Meeting room", "00000011", "2026-11-24T15:00"));
    for (when, expected) in [
        ("2026-11-24T13:54:59", false),
        ("2026-11-24T13:55", true),
        ("2026-11-24T16:04:59", true),
        ("2026-11-24T16:05", false),
        ("2026-11-25T14:00", false),
    ] {
        assert_eq!(opens("Meeting room", "00000013", when), expected, "{when}");
    }
    // The booking is over: its group goes by itself, and Cho rests if the profile says so.
    site.set_time("2026-11-24T16:05");
    site.turn().await;
    in_step(&mut site).await;
    assert!(
        site.ks
            .groups()
            .iter()
            .all(|group| !group.name.contains("2026-11-24")),
        "{:?}",
        site.standing()
    );
    assert_eq!(site.ks.members(CLEANERS), [CLEANER]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_hands_do_in_a_managed_group_is_shown_and_undone_and_elsewhere_it_stays() {
    let mut site = site_with_tags("pinned = [\"Pia Pinned\"]");
    site.give(few);
    site.ks.add_user_by_hand("Hal Hand", None);
    site.ks.add_user_by_hand("Pia Pinned", None);
    // Somebody made Ana before: she is adopted, not made a second time.
    site.ks.add_user_by_hand("ana  ruiz", None);
    site.apply().await.unwrap();
    assert!(
        site.ks.user("ana  ruiz").is_none() && site.ks.user("Ana Ruiz").is_some(),
        "renamed"
    );
    assert_eq!(
        site.ks
            .users()
            .iter()
            .filter(|user| user.last_name == "ruiz" || user.last_name == "Ruiz")
            .count(),
        1
    );
    for who in ["Hal Hand", "Pia Pinned"] {
        assert!(site.ks.add_member_by_hand("Doorward members", who));
        assert!(site.ks.add_member_by_hand(CLEANERS, who));
    }
    site.ks.add_group_by_hand("Staff", &["Studio"]);
    let plan = site.plan().await.unwrap();
    let acts: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.act.as_str(), step.who.as_str(), step.why.rule))
        .collect();
    assert_eq!(acts, [("remove-member", "Hal Hand", Some(37))]);
    assert!(plan.steps[0].why.text.contains("by hand"));
    site.turn().await;
    // Shown before it is undone.
    let shown = site.fault("ks_by_hand").unwrap_or_default();
    assert!(shown.contains("Hal Hand (Doorward members)"), "{shown}");
    assert!(
        site.ks
            .members("Doorward members")
            .contains(&"Hal Hand".to_owned())
    );
    // One of three memberships is more than a fifth, and one alone never waits.
    in_step(&mut site).await;
    assert_eq!(site.fault("ks_by_hand"), None);
    assert_eq!(site.ks.members("Doorward members"), ["Ana Ruiz", "Pia Pinned"]);
    assert_eq!(site.ks.members(CLEANERS), [CLEANER, "Hal Hand", "Pia Pinned"]);
    assert_eq!(site.ks.schedules("Staff").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mass_cancellation_waits_for_a_person_and_a_block_does_not() {
    let mut site = site_with_tags("");
    let many = |snapshot: &mut Snapshot| {
        for number in 0..10 {
            let id = format!("p{number}");
            snapshot.people.push(holder(&id, &format!("Person {number}")));
            snapshot
                .grants
                .push(grant(&id, "members", GrantKind::Plan, Window::ALWAYS));
        }
    };
    site.give(many);
    site.apply().await.unwrap();
    site.give(|snapshot| {
        snapshot.grants.retain(|grant| grant.person.as_str() < "p5");
        snapshot.blocks.push(Block {
            target: BlockTarget::Person("p9".into()),
            note: "left".into(),
        });
    });
    let doc = site.turn().await;
    assert!(doc.held.is_some_and(|held| held.contains("5 of 10 memberships")));
    assert!(site.fault("ks_plan_held").is_some());
    assert_eq!(site.ks.members("Doorward members").len(), 10);
    assert!(
        site.ks.user("Person 9").unwrap().blocked,
        "who is blocked is blocked at once"
    );
    site.apply().await.unwrap();
    assert_eq!(site.ks.members("Doorward members").len(), 5);
    in_step(&mut site).await;
    assert!(site.fault("ks_plan_held").is_none());
    site.give(|snapshot| snapshot.blocks.clear());
    site.turn().await;
    assert!(!site.ks.user("Person 9").unwrap().blocked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_finds_no_seat_is_said_beforehand_and_gets_the_next_one() {
    let mut site = site_with_tags("");
    site.give(few);
    // The gateway's own user, the cleaner, and one more.
    site.ks.set_seats(3);
    let plan = site.plan().await.unwrap();
    assert_eq!(
        plan.steps.iter().filter(|step| step.act == "create-user").count(),
        1
    );
    assert_eq!(
        plan.waits
            .iter()
            .filter(|waiting| waiting.kind == "no-seat")
            .count(),
        2,
        "{plan:?}"
    );
    site.apply().await.unwrap();
    assert!(site.fault("ks_seats").is_some_and(|text| text.contains("3 of 3")));
    site.ks.set_seats(10);
    // The number of seats is read again now and then.
    site.restart();
    site.turn().await;
    in_step(&mut site).await;
    assert_eq!(site.ks.users().len(), 5);
    assert!(site.fault("ks_seats").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn its_manners_change_nothing() {
    let mut site = site_with_tags("");
    site.give(few);
    site.ks.manners(|manners| {
        manners.spread_tries = 1;
        manners.members_as_site_users = true;
        manners.users = Shape::Bare;
        manners.lists = Shape::Alternating;
        manners.most = 2;
    });
    let applied = site.apply().await.unwrap();
    assert!(
        applied.failed.is_empty() && applied.stopped.is_none(),
        "{applied:?}"
    );
    in_step(&mut site).await;
    site.restart();
    in_step(&mut site).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_death_at_any_change_leads_to_the_same_end() {
    let mut model = site_with_tags("");
    model.give(few);
    model.ks.add_member_by_hand(CLEANERS, "Gateway System");
    let changes = model.apply().await.unwrap().of as u64;
    let (standing, users) = (model.standing(), model.ks.users().len());
    for nth in 1..=changes {
        for done in [false, true] {
            let mut site = site_with_tags("");
            site.give(few);
            site.ks.add_member_by_hand(CLEANERS, "Gateway System");
            let trap = Trap {
                nth,
                done,
                then_away: true,
            };
            site.ks.faults(Faults {
                trap: Some(trap),
                ..Faults::default()
            });
            let _ = site.apply().await;
            site.ks.faults(Faults::default());
            site.restart();
            // What was asked for and never answered is looked for over a minute before it is asked for again.
            for _ in 0..2 {
                site.turn().await;
                site.clock.advance(Duration::from_secs(80));
                site.ks.advance(Duration::from_secs(80));
            }
            in_step(&mut site).await;
            assert_eq!(site.standing(), standing, "change {nth}, done: {done}");
            assert_eq!(site.ks.users().len(), users, "change {nth}, done: {done}");
        }
    }
}

fn members(count: usize) -> impl Fn(&mut Snapshot) {
    move |snapshot| {
        for number in 0..count {
            let id = format!("p{number:04}");
            snapshot.people.push(holder(&id, &format!("Person {number:04}")));
            let group = if number % 12 == 0 {
                "members".to_owned()
            } else {
                format!("g{}", number % 12)
            };
            snapshot
                .grants
                .push(grant(&id, &group, GrantKind::Plan, Window::ALWAYS));
        }
    }
}

/// Twelve groups, with `members`.
fn twelve() -> String {
    (1..12)
        .map(|number| format!("[[group]]\nid = \"g{number}\"\ndoors = [\"front\", \"room\"]\n"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_thousand_people_in_step_cost_at_most_fifteen_requests() {
    let mut site = Site::with("", &twelve());
    site.ks.set_seats(2_000);
    site.give(members(1_000));
    site.apply().await.unwrap();
    let mut most = 0;
    for turn in 0..20 {
        // Now and then the site is read again, every quarter of an hour.
        if turn % 7 == 6 {
            site.clock.advance(Duration::from_secs(16 * 60));
            site.ks.advance(Duration::from_secs(16 * 60));
        }
        site.ks.forget_asked();
        in_step(&mut site).await;
        most = most.max(site.ks.asked().len());
    }
    assert!(most <= 15, "{most}");
    // And what a hand does in a group is found within as many.
    site.ks.add_member_by_hand("Doorward g7", CLEANER);
    let mut turns = 0;
    while site.ks.members("Doorward g7").contains(&CLEANER.to_owned()) {
        site.turn().await;
        turns += 1;
        assert!(turns <= 40);
    }
    assert!(site.clock.now().at >= at(NOON));
}
