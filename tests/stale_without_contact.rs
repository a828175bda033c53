//! Rights that were not confirmed for too long are refused, with a warning before; contact brings them back.

use crate::cloud_site::{CloudSite, Plan, card, in_minutes, members};
use doorward::{
    clock::Clock,
    health::Health,
    store::{Store, StoreOptions},
};
use doorward_peers::cloud::{Booking, Person, Resource};

const DAY: i64 = 86_400_000;

/// A member on a plan (0), and somebody with a booking alone (1).
fn plan() -> Plan {
    let mut plan = Plan::default();
    let world = &mut plan.options.world;
    *world = members(1);
    world.people.push(Person {
        id: "guest".into(),
        name: "Guest".into(),
        credentials: vec![format!("uid:{}", card(1))],
        ..Person::default()
    });
    world.resources.push(Resource {
        id: "room".into(),
        name: "Meeting room".into(),
        ..Resource::default()
    });
    world.bookings.push(Booking {
        id: "b1".into(),
        resource: "room".into(),
        person: Some("guest".into()),
        from: in_minutes(-60),
        until: in_minutes(240),
        ..Booking::default()
    });
    plan
}

/// Stops the gateway and lets the last contact lie so many days back.
fn age(site: &mut CloudSite, days: i64) {
    site.gateway.stop();
    let (state, run) = (site.gateway.path().join("state"), site.gateway.path().join("run"));
    let clock = Clock::system(true, 0);
    let (store, _) = Store::open(&StoreOptions::new(state, run), &clock, &Health::default()).unwrap();
    store.note_contact(clock.now().at - days * DAY);
    store.close();
}

#[test]
fn plans_end_after_thirty_days_without_the_cloud_and_bookings_do_not() {
    let mut site = CloudSite::start(plan());
    assert_eq!(
        (site.tapped(0), site.tapped(1)),
        ("granted_plan".into(), "granted_booking".into())
    );
    site.cloud.set_down(true);

    age(&mut site, 27);
    site.gateway.start();
    let warning = site.wait_for_fault("stale:plan");
    assert!(
        warning.contains("grants of kind plan will be refused in 2 days unless the platform is reached"),
        "{warning}"
    );
    assert_eq!(site.tapped(0), "granted_plan");

    age(&mut site, 31);
    site.gateway.start();
    let fault = site.wait_for_fault("stale:plan");
    assert!(
        fault.contains("are refused: the platform was not reached for too long"),
        "{fault}"
    );
    assert_eq!(
        (site.tapped(0), site.tapped(1)),
        ("stale".into(), "granted_booking".into())
    );
    assert_eq!(site.reason(0), "stale");

    let pid = site.gateway.pid();
    site.cloud.set_down(false);
    let (status, said) = site.sync_now();
    assert_eq!(status, 0, "{said}");
    assert_eq!(site.tapped(0), "granted_plan");
    assert_eq!(
        (site.fault("stale:plan"), site.gateway.pid()),
        (None, pid),
        "without a restart"
    );
}
