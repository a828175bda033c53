//! A complete snapshot that is not plausible waits for a person, also across a restart.

use crate::cloud_site::{CloudSite, Plan, members};
use doorward_peers::cloud::{Faults, World};
use std::time::Duration;

fn site(count: usize) -> CloudSite {
    let mut plan = Plan::default();
    plan.options.world = members(count);
    plan.options.version = 10;
    CloudSite::start(plan)
}

fn keep(world: &mut World, people: std::ops::Range<usize>) {
    *world = members(people.end);
    world.people.drain(..people.start);
    world.memberships.drain(..people.start);
}

#[test]
fn an_empty_list_where_there_were_hundreds_is_held_until_something_plausible_comes() {
    let mut site = site(400);
    site.cloud.edit(|world| *world = World::default());
    let text = site.wait_for_fault("snapshot_held");
    assert!(
        text.contains("400 of 400 grants would go at once") && text.contains("doorward sync accept"),
        "{text}"
    );
    assert_eq!(site.tapped(7), "granted_plan");

    site.gateway.kill();
    site.gateway.start();
    assert_eq!(
        site.wait_for_fault("snapshot_held"),
        text,
        "held across the restart"
    );
    let status = site.sync_status();
    assert_eq!(
        (&status["version"], &status["held"]["version"]),
        (&10.into(), &11.into())
    );
    assert!(site.report()["faults"].to_string().contains("snapshot_held"));
    assert_eq!(site.reason(7), "granted_plan");

    site.cloud.edit(|world| *world = members(399));
    site.wait_for_reason(399, "unknown_credential");
    assert_eq!(site.reason(7), "granted_plan");
    assert_eq!(
        (site.fault("snapshot_held"), &site.sync_status()["held"]),
        (None, &serde_json::Value::Null)
    );
    let (status, _, error) = site.gateway.command(&["sync", "accept"]);
    assert!(
        status != 0 && error.contains("no snapshot is held back"),
        "{error}"
    );
}

#[test]
fn more_than_a_fifth_gone_waits_for_a_word_and_one_does_not() {
    let mut site = site(100);
    site.cloud.edit(|world| keep(world, 1..100));
    site.wait_for_reason(0, "unknown_credential");
    site.cloud.edit(|world| keep(world, 40..100));
    let text = site.wait_for_fault("snapshot_held");
    assert!(text.contains("39 of 99 grants"), "{text}");
    assert_eq!(site.reason(20), "granted_plan");
    site.gateway.kill();
    site.gateway.start();
    let (status, said, error) = site.gateway.command(&["sync", "accept"]);
    assert_eq!(status, 0, "{said}{error}");
    assert_eq!(
        (site.reason(20), site.reason(60)),
        ("unknown_credential".into(), "granted_plan".into())
    );
    assert_eq!(site.fault("snapshot_held"), None);
}

#[test]
fn a_version_that_goes_back_is_held_and_does_not_make_the_gateway_ask_without_end() {
    let site = site(3);
    site.cloud.faults(Faults {
        version_back: 5,
        ..Faults::default()
    });
    site.cloud.edit(|world| keep(world, 1..3));
    let text = site.wait_for_fault("snapshot_held");
    assert!(text.contains("went back from version 10 to 6"), "{text}");
    assert_eq!(site.reason(0), "granted_plan");
    // Its hints go on promising version 11.
    let before = site.cloud.requests();
    let stormed = site
        .cloud
        .wait(Duration::from_secs(3), |cloud| cloud.requests() > before + 12);
    assert!(!stormed, "{} requests", site.cloud.requests() - before);
    site.cloud.faults(Faults::default());
    let (status, said) = site.sync_now();
    assert_eq!((status, site.fault("snapshot_held")), (0, None), "{said}");
    assert_eq!(site.reason(0), "unknown_credential");
}
