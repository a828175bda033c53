//! What changes at the cloud while the gateway is cut off takes effect when it is back, and not before.

use crate::cloud_site::{CloudSite, Plan, card, in_minutes};
use doorward_peers::cloud::{Booking, Person, Resource, World};

fn booking(id: &str, person: &str, from_minutes: i64, until_minutes: i64) -> Booking {
    Booking {
        id: id.into(),
        resource: "room".into(),
        person: Some(person.into()),
        from: in_minutes(from_minutes),
        until: in_minutes(until_minutes),
        ..Booking::default()
    }
}

fn world() -> World {
    let mut world = World::default();
    for (number, name) in ["ana", "bob"].into_iter().enumerate() {
        world.people.push(Person {
            id: name.into(),
            name: name.into(),
            credentials: vec![format!("uid:{}", card(number))],
            ..Person::default()
        });
    }
    world.resources.push(Resource {
        id: "room".into(),
        name: "Meeting room".into(),
        ..Resource::default()
    });
    world.bookings = vec![booking("b1", "ana", -60, 240), booking("b2", "bob", -60, 240)];
    world
}

#[test]
fn deleted_and_moved_bookings_and_a_new_member_count_from_the_return_on() {
    let mut plan = Plan::default();
    plan.options.world = world();
    let mut site = CloudSite::start(plan);
    assert_eq!(
        (site.tapped(0), site.tapped(1)),
        ("granted_booking".into(), "granted_booking".into())
    );

    site.cloud.set_down(true);
    site.cloud.edit(|world| {
        world.bookings = vec![booking("b2", "bob", 120, 240)];
        world.member("eve", "Eve", &format!("uid:{}", card(2)), "Hot desk");
    });
    site.wait_for_fault("cloud_unreachable");
    for restarted in [false, true] {
        if restarted {
            site.gateway.kill();
            site.gateway.start();
        }
        assert_eq!(
            (site.reason(0), site.reason(1)),
            ("granted_booking".into(), "granted_booking".into())
        );
        assert_eq!(site.reason(2), "unknown_credential");
    }

    site.cloud.set_down(false);
    site.settle();
    assert_eq!(site.tapped(0), "no_grant");
    assert_eq!(site.tapped(1), "not_yet");
    assert_eq!(site.tapped(2), "granted_plan");
    assert_eq!(site.fault("cloud_unreachable"), None);
}
