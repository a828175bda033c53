//! kill -9 at every change of a plan, enumerated: each changing request is once not done and once done without an answer, and
//! the gateway dies while it waits for that answer. After a start again KS stands as if nothing had happened: nobody is there
//! twice, no group is nobody's, and a second plan is empty.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, book, local, person, room},
};
use doorward_peers::{
    cloud::World,
    ks::{Faults, Trap},
};
use serde_json::Value;
use std::time::Duration;

/// The same at every run, so that ends can be compared.
const MORNING: &str = "2027-02-03T09:00";
/// A user who cannot be seen may only not be spread yet: the gateway waits for a minute and a quarter.
const SPREAD: u64 = 80;

/// A member, two of another plan, one of them with a booking as well; each has a tag.
fn before() -> World {
    let mut world = World::default();
    room(&mut world, "Meeting room");
    person(&mut world, 0, "Hot desk");
    person(&mut world, 1, "Studio");
    person(&mut world, 2, "Studio");
    let at = local(MORNING);
    book(&mut world, 1, "Meeting room", at + 36_000_000, at + 39_600_000);
    world
}

/// One changed the plan, the name and the fob, one was locked out, one has no fob any more; the booking is somebody else's.
fn after() -> World {
    let mut world = before();
    world.memberships[0].plan = "Studio".into();
    "Person Married0".clone_into(&mut world.people[0].name);
    world.people[0].credentials = vec![format!("ks:{}", crate::ks_house::tag(7))];
    world.people[1].deactivated = true;
    world.people[2].credentials.clear();
    world.bookings[0].person = Some("p0".into());
    world
}

fn site(world: World) -> KsSite {
    let site = KsSite::new(Plan {
        world,
        house: House::small(),
        at: Some(local(MORNING)),
        // One group has no prefix: whatever is called so is taken for it.
        ks: "hold_share = 1.0\ntimeout_seconds = 300\n[ks.groups]\nstudio = \"Studio people\"".into(),
        ..Plan::default()
    });
    site.ks.add_tag(&crate::ks_house::tag(7));
    site
}

/// The n-th change has no answer, nor has anything after it.
fn trapped(site: &KsSite, nth: u64, done: bool) {
    let trap = Trap {
        nth,
        done,
        then_away: true,
    };
    site.ks.faults(Faults {
        trap: Some(trap),
        silent: true,
        ..Faults::default()
    });
}

/// The gateway dies at the trap, and comes back to a KS without faults.
fn killed(site: &mut KsSite) {
    site.wait_for_trap();
    site.gateway.kill();
    site.ks.faults(Faults::default());
    site.pass(SPREAD);
    site.gateway.start();
    site.settle();
}

/// Waits until KS stands so, and there is nothing left to do.
fn ends_in(site: &KsSite, end: &Value, what: &str) {
    wait_for(what, || {
        let now = site.managed();
        if now == *end { Ok(()) } else { Err(now.to_string()) }
    });
    site.wait_for_empty_plan();
}

/// KS as a first plan leaves it, and how many changes that takes.
fn model() -> (Value, u64) {
    let mut model = site(before());
    model.gateway.start();
    model.settle();
    model.applied();
    model.wait_in_step();
    model.wait_for_empty_plan();
    let (end, changes) = (model.managed(), u64::try_from(model.ks.changes()).unwrap());
    assert!(changes > 10, "{changes}: {end}");
    (end, changes)
}

/// A first plan is accepted, and the gateway dies at one of its changes.
fn first_plan(done: bool) {
    let (end, changes) = model();
    for nth in 1..=changes {
        let mut site = site(before());
        site.gateway.start();
        site.settle();
        trapped(&site, nth, done);
        std::thread::scope(|scope| {
            // The command hears nothing more once the gateway is dead.
            scope.spawn(|| drop(site.apply()));
            site.wait_for_trap();
            site.gateway.signal("KILL");
        });
        killed(&mut site);
        ends_in(&site, &end, &format!("the end after change {nth} of {changes}"));
    }
}

/// Somebody or something is made, the gateway dies before it hears so, and starts at once: for most of a minute no list has
/// what was made.
fn unseen(nth: u64, end: &Value) {
    let mut site = site(before());
    site.ks.manners(|manners| {
        manners.spread = Duration::from_secs(55);
        manners.spread_lists = true;
    });
    site.gateway.start();
    site.settle();
    trapped(&site, nth, true);
    std::thread::scope(|scope| {
        scope.spawn(|| drop(site.apply()));
        site.wait_for_trap();
        site.gateway.signal("KILL");
    });
    site.gateway.kill();
    site.ks.faults(Faults::default());
    site.ks.forget_asked();
    let before = (site.ks.users().len(), site.ks.groups().len());
    site.gateway.start();
    site.in_time(|| ends_in(&site, end, &format!("the end after change {nth}, unseen")));
    asked_once(&site, before);
}

/// Since everything that was asked is forgotten, no more was asked for than there came to be. `before`: users and groups then.
fn asked_once(site: &KsSite, before: (usize, usize)) {
    let changes: Vec<_> = site
        .ks
        .asked()
        .into_iter()
        .filter(|asked| asked.changes())
        .collect();
    let made = |what: &str| {
        let path = format!("/{}/{what}", site.ks.site());
        let makes = changes
            .iter()
            .filter(|asked| asked.method == "POST" && asked.path.ends_with(&path));
        makes.count()
    };
    assert_eq!(
        (made("users") + before.0, made("access_groups") + before.1),
        (site.ks.users().len(), site.ks.groups().len()),
        "nobody and nothing was asked for twice, even for a while: {changes:#?}"
    );
}

/// Facts change there and back again, and the gateway dies at one of the changes that follow.
fn later_plans(done: bool) {
    let mut site = site(before());
    site.gateway.start();
    site.settle();
    site.applied();
    let worlds = [after(), before()];
    let turn = |site: &KsSite, to: usize| site.cloud.edit(|world| *world = worlds[to].clone());
    // Once round undisturbed: whoever was there once stays as a user.
    let mut model = Vec::new();
    for to in [0, 1, 0, 1] {
        site.ks.faults(Faults::default());
        let before = site.ks.changes();
        turn(&site, to);
        site.settle();
        site.wait_for_empty_plan();
        model.push((site.managed(), site.ks.changes() - before));
    }
    let model = &model[2..];
    assert!(model.iter().all(|(_, changes)| *changes >= 8), "{model:?}");
    let most = model.iter().map(|(_, changes)| *changes).max().unwrap();
    for nth in 1..=most {
        for (to, (end, changes)) in model.iter().enumerate() {
            trapped(&site, u64::try_from(nth.min(*changes)).unwrap(), done);
            turn(&site, to);
            killed(&mut site);
            ends_in(
                &site,
                end,
                &format!("the end {to} after change {nth} of {changes}"),
            );
        }
    }
}

#[test]
fn a_kill_before_any_change_of_the_first_plan_is_done_ends_in_the_same_state() {
    first_plan(false);
}

#[test]
fn a_kill_before_the_answer_to_any_change_of_the_first_plan_ends_in_the_same_state() {
    first_plan(true);
}

#[test]
fn what_no_list_has_yet_is_not_made_a_second_time() {
    let (end, changes) = model();
    // Users and groups are made before anything else.
    for nth in 1..=changes.min(7) {
        unseen(nth, &end);
    }
}

#[test]
fn whoever_was_asked_for_late_in_a_long_plan_is_not_made_a_second_time() {
    let mut world = before();
    for number in 3..24 {
        person(&mut world, number, "Hot desk");
    }
    let mut site = KsSite::new(Plan {
        world,
        house: House::small(),
        at: Some(local(MORNING)),
        ks: "at_once = 1\ntimeout_seconds = 300".into(),
        ..Plan::default()
    });
    site.ks.manners(|manners| {
        manners.spread = Duration::from_secs(30);
        manners.spread_lists = true;
    });
    site.gateway.start();
    site.settle();
    trapped(&site, 22, true);
    site.ks
        .with(|state| state.faults.answer_delay = Some(Duration::from_millis(90)));
    std::thread::scope(|scope| {
        scope.spawn(|| drop(site.apply()));
        site.in_time(|| site.wait_for_trap());
        site.gateway.signal("KILL");
    });
    site.gateway.kill();
    site.ks.faults(Faults::default());
    site.ks.forget_asked();
    let before = (site.ks.users().len(), site.ks.groups().len());
    assert_eq!(before.0, 22 + 2);
    site.gateway.start();
    site.in_time(|| {
        site.wait_in_step();
        site.wait_for_empty_plan();
    });
    asked_once(&site, before);
}

#[test]
fn a_kill_before_any_change_of_a_later_plan_is_done_ends_in_the_same_state() {
    later_plans(false);
}

#[test]
fn a_kill_before_the_answer_to_any_change_of_a_later_plan_ends_in_the_same_state() {
    later_plans(true);
}
