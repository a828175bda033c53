//! KS is brought in step and kept there: first connection, changes, hand-made drift, a mass cancellation. What the
//! locks do is compared with a slow second reading of the facts, for everybody and every door.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, book, machine, members, person, stays},
};
use doorward_peers::{
    cloud::World,
    ks::{CLEANER, CLEANER_TAG, CLEANERS, Faults},
};
use std::time::Duration;

/// `count` people on the plan "Hot desk", and a meeting room.
fn small(count: usize) -> Plan {
    Plan {
        world: members(count),
        house: House::small(),
        ..Plan::default()
    }
}

#[test]
fn three_hundred_people_and_twelve_groups_are_there_after_one_word() {
    let doors: Vec<String> = (0..6).map(|door| format!("Door {door}")).collect();
    let mut house = House::default();
    let mut world = World::default();
    for plan in 0..12_usize {
        let opens: Vec<&str> = (0..=plan % 3)
            .map(|next| doors[(plan + next) % 6].as_str())
            .collect();
        house.plan(&format!("Plan {plan}"), &format!("group-{plan}"), &opens);
    }
    for number in 0..300 {
        person(&mut world, number, &format!("Plan {}", number % 12));
    }
    let site = KsSite::start(Plan {
        world,
        house,
        ..Plan::default()
    });
    let plan = wait_for("a plan", || {
        let plan = site.plan();
        let steps = plan["steps"].as_array().map_or(0, Vec::len);
        if steps > 600 { Ok(plan) } else { Err(plan) }
    });
    assert_eq!(plan["accepted"], false);
    // Nothing is changed before somebody said so.
    stays(20, || site.ks.changes());
    assert_eq!(site.ks.changes(), 0);
    site.ks.faults(Faults {
        answer_delay: Some(Duration::from_millis(100)),
        ..Faults::default()
    });
    // How soon: `scripts/bench ks`.
    site.applied();
    site.ks.faults(Faults::default());
    site.wait_in_step();
    assert_eq!((site.ks.users().len(), site.ks.groups().len()), (302, 13));
    // What was there before is as it was.
    assert_eq!(site.ks.members(CLEANERS), [CLEANER]);
    assert!(
        site.ks.would("Door 0", CLEANER_TAG, site.ks.now())
            != site.ks.would("Front door", CLEANER_TAG, site.ks.now())
    );
    let plan = site.plan();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 0, "{plan}");
    let before = site.ks.changes();
    stays(20, || site.ks.changes());
    assert_eq!(site.ks.changes(), before);
}

#[test]
fn a_plan_change_moves_one_person_and_drift_is_put_right() {
    let site = KsSite::start(small(8));
    site.applied();
    site.wait_in_step();
    let before = site.ks.changes();
    site.cloud.edit(|world| {
        world.memberships[3].plan = "Studio".into();
    });
    site.settle();
    site.wait_in_step();
    let made: Vec<String> = site
        .ks
        .asked()
        .iter()
        .filter(|asked| asked.changes())
        .skip(before)
        .map(|asked| asked.path.clone())
        .collect();
    assert!(
        made.iter().all(|path| path.contains("/access_groups")),
        "{made:?}"
    );
    assert!(
        made.len() <= 8,
        "a group, its schedule, its locks, one out, one in: {made:?}"
    );
    // Somebody is put in by hand, and somebody is taken out.
    site.ks.add_user_by_hand("Hanna Hand", Some("09999991"));
    let members = |site: &KsSite| {
        site.ks
            .groups()
            .into_iter()
            .find(|group| group.members.len() == 7)
            .map(|group| group.id)
    };
    let group = members(&site).unwrap();
    assert!(site.ks.add_member_by_hand(&group, "Hanna Hand"));
    site.ks.drop_member_by_hand(&group, "Person Number1");
    assert!(site.ks.would("Front door", "09999991", site.ks.now()).opened());
    // Shown for one comparison, then undone.
    wait_for("the hand to be shown", || {
        let faults = site.gateway.report()["faults"].to_string();
        if faults.contains("Hanna Hand") {
            Ok(())
        } else {
            Err(faults)
        }
    });
    wait_for("drift put right", || {
        let found = site.ks.members(&group);
        let right = !found.contains(&"Hanna Hand".to_owned()) && found.contains(&"Person Number1".to_owned());
        if right { Ok(()) } else { Err(found) }
    });
    site.wait_in_step();
    assert!(
        site.ks.user("Hanna Hand").is_some(),
        "a person made by hand stays a person"
    );
}

#[test]
fn a_mass_cancellation_waits_for_a_person() {
    let site = KsSite::start(small(20));
    site.applied();
    site.wait_in_step();
    let before = site.managed();
    site.cloud.edit(|world| world.memberships.truncate(10));
    site.settle();
    let held = wait_for("a plan that is held", || {
        let plan = site.plan();
        if plan["held"].is_string() {
            Ok(plan)
        } else {
            Err(plan)
        }
    });
    let report = site.gateway.report();
    assert!(report["faults"].to_string().contains("ks_plan_held"), "{report}");
    stays(50, || site.managed());
    assert_eq!(site.managed(), before, "{held}");
    site.applied();
    site.wait_in_step();
    assert_ne!(site.managed(), before);
    assert_eq!(site.ks.users().len(), 22, "nobody is deleted");
}

#[test]
fn a_booking_made_ahead_opens_while_the_gateway_is_down() {
    let mut plan = small(2);
    let now = machine();
    book(
        &mut plan.world,
        1,
        "Meeting room",
        now + 30 * 60_000,
        now + 90 * 60_000,
    );
    let mut site = KsSite::start(plan);
    site.applied();
    site.wait_in_step();
    let at = |minutes: i64| now + minutes * 60_000;
    let would = |site: &KsSite, minutes| {
        site.ks
            .would("Meeting room", &crate::ks_house::tag(1), at(minutes))
            .opened()
    };
    wait_for("the booking's group", || {
        if would(&site, 31) {
            Ok(())
        } else {
            Err(site.managed())
        }
    });
    site.gateway.kill();
    site.ks.set_clock(at(40));
    assert_eq!(
        [20, 31, 89, 100].map(|minutes| would(&site, minutes)),
        [false, true, true, false]
    );
    assert!(
        site.ks
            .open_lock_with_tag("Meeting room", &crate::ks_house::tag(1), at(40))
            .opened()
    );
}
