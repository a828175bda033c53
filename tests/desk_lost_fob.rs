//! A lost fob: blocked at the doors at once, whatever cloud and gateway do.

use crate::{cloud_site::card, desk_site::site};
use serde_json::json;

#[test]
fn a_lost_fob_stays_blocked_while_the_cloud_is_down_and_over_kill_9() {
    let mut site = site(5);
    assert_eq!(site.present(&card(2)).0, "granted_plan");
    site.cloud.set_down(true);
    let lost = json!({ "target": { "card": format!("uid:{}", card(2)) }, "note": "lost", "by": "Maria" });
    site.done("block", lost.clone());
    assert_eq!(site.present(&card(2)), ("credential_blocked".into(), "p2".into()));
    assert_eq!(site.present(&card(3)).0, "granted_plan", "nobody else's");

    // Killed at once: before the index with the block is on the disk.
    let again = json!({ "target": { "card": format!("uid:{}", card(3)) }, "note": "lost", "by": "Maria" });
    site.done("block", again);
    site.gateway.kill();
    site.gateway.start();
    crate::harness::wait_for("the reader", || {
        let report = site.report();
        if report["sections"]["lines"]["side"]["open"] == true {
            Ok(())
        } else {
            Err(report)
        }
    });
    for number in [2, 3] {
        assert_eq!(site.present(&card(number)).0, "credential_blocked");
    }

    // The cloud is back, with other facts: they do not lift it.
    site.cloud.set_down(false);
    site.cloud
        .edit(|world| world.people[0].name = "Somebody Else".into());
    site.settle();
    assert_eq!(site.present(&card(2)).0, "credential_blocked");
    let look = site.done("look", json!({ "card": format!("uid:{}", card(2)) }));
    assert_eq!(
        (&look["blocked"]["by"], &look["blocked"]["note"]),
        (&json!("Maria"), &json!("lost"))
    );
    let give = json!({ "card": format!("uid:{}", card(2)), "person": "p1", "by": "Otto" });
    assert_eq!(site.refused("assign", give).0, "blocked");
    site.done("unblock", json!({ "target": lost["target"], "by": "Maria" }));
    assert_eq!(site.present(&card(2)).0, "granted_plan");
    let kinds = site.gateway.events();
    let blocks: Vec<_> = kinds
        .iter()
        .filter(|event| event["kind"] == "block_changed")
        .collect();
    assert_eq!(blocks.len(), 3, "{blocks:?}");
}

#[test]
fn a_block_that_comes_while_facts_arrive_is_not_lost_to_them() {
    let site = site(300);
    for round in 0..8 {
        let target = json!({ "card": format!("uid:{}", card(round)) });
        std::thread::scope(|scope| {
            scope.spawn(|| {
                site.cloud
                    .edit(|world| world.people[299].name = format!("Renamed {round}"));
                site.sync_now();
            });
            scope.spawn(|| {
                site.done(
                    "block",
                    json!({ "target": target, "note": "lost", "by": "Maria" }),
                )
            });
        });
        assert_eq!(
            site.present(&card(round)).0,
            "credential_blocked",
            "round {round}"
        );
    }
}
