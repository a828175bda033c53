//! With a poll once an hour, what brings a change to the door is the hint.

use crate::cloud_site::{CloudSite, Plan, card, members};
use crate::harness::wait_for;
use doorward_peers::{
    cloud::{Cloud, Options},
    relay::Relay,
};
use std::time::Duration;

/// R42, S3:46 ("immediately") and S4:13 (every 15 minutes).
#[test]
fn a_hint_opens_the_door_and_unchanged_facts_cost_one_small_request() {
    let mut plan = Plan::default();
    plan.options.world = members(2_000);
    let site = CloudSite::start(plan);
    assert_eq!(site.tapped(2_000), "unknown_credential");
    site.cloud.edit(|world| {
        world.member("new", "New", &format!("uid:{}", card(2_000)), "Hot desk");
    });
    site.settle();
    assert_eq!(site.tapped(2_000), "granted_plan");

    // The rest after the hint passes, and the gateway listens again: that is one request under way.
    wait_for("quiet", || {
        let before = site.cloud.requests();
        let moved = site
            .cloud
            .wait(Duration::from_millis(700), |cloud| cloud.requests() > before);
        if moved { Err(before) } else { Ok(()) }
    });
    let before = site.cloud.requests();
    let (status, said) = site.sync_now();
    assert!(status == 0 && said.contains("nothing has changed"), "{said}");
    let asked = site.cloud.requests() - before;
    assert!(
        asked <= 2,
        "{asked} requests: a 304, and a new wait; five pages would be five"
    );
}

#[test]
fn hints_come_back_after_the_line_was_cut() {
    let cloud = Cloud::start(Options {
        world: members(1),
        ..Options::default()
    })
    .unwrap();
    let port = cloud.url().rsplit(':').next().unwrap().parse().unwrap();
    let relay = Relay::start(port).unwrap();
    let mut site = CloudSite::new(Plan {
        url: Some(format!("http://127.0.0.1:{}", relay.port)),
        ..Plan::default()
    });
    site.cloud = cloud;
    site.gateway.start();
    site.settle();
    for round in 1..3 {
        relay.cut();
        site.wait_for_fault("cloud_unreachable");
        site.cloud.edit(|world| {
            world.member(
                &format!("p{round}"),
                "New",
                &format!("uid:{}", card(round)),
                "Hot desk",
            );
        });
        relay.open();
        site.wait_for_reason(round, "granted_plan");
        assert_eq!(site.fault("cloud_unreachable"), None);
    }
    site.cloud.edit(|world| world.memberships.truncate(2));
    site.wait_for_reason(2, "no_grant");
}
