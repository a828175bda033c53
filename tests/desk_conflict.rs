//! The platform says no: back to the person who did it, and a person decides.

use crate::{
    cloud_site::CloudSite,
    desk_site::{fob, site, uid},
    harness::wait_for,
};
use serde_json::{Value, json};

/// While the cloud was down the desk gave a fob to p0, and somebody gave it to p1 at the platform.
fn in_conflict() -> (CloudSite, Value) {
    let site = site(3);
    site.cloud.set_down(true);
    site.assign(&uid(1), "p0");
    assert_eq!(site.present(&fob(1)), ("granted_plan".into(), "p0".into()));
    site.cloud.edit(|world| world.people[1].credentials.push(uid(1)));
    site.cloud.set_down(false);
    let conflict = wait_for("the conflict", || {
        let all = site.done("conflicts", json!({}));
        all.get(0).cloned().ok_or(all)
    });
    (site, conflict)
}

#[test]
fn a_card_that_is_somebody_elses_there_comes_back_to_whoever_gave_it() {
    let (site, conflict) = in_conflict();
    assert_eq!(
        (&conflict["by"], &conflict["person"]),
        (&json!("Maria"), &json!("p0")),
        "{conflict}"
    );
    assert!(conflict["said"].as_str().unwrap().contains("p1"), "{conflict}");
    let fault = wait_for("the fault", || {
        let report = site.report();
        let faults = report["faults"].as_array().unwrap().clone();
        faults
            .into_iter()
            .find(|fault| fault["key"] == "desk_conflict")
            .ok_or(report)
    });
    assert!(fault["text"].as_str().unwrap().contains("Maria"), "{fault}");
    assert!(!fault.to_string().contains(&fob(1)));
    let (_, out, _) = site.gateway.command(&["cards", "conflicts"]);
    assert!(
        out.contains("given to Member 0") && out.contains("retry|keep|undo"),
        "{out}"
    );
    // Of two people, so it opens for neither.
    site.settle();
    assert_eq!(site.present(&fob(1)).0, "credential_ambiguous");

    let id = conflict["id"].as_str().unwrap();
    let (status, out, error) = site.gateway.command(&["cards", "conflicts", "undo", id]);
    assert_eq!(status, 0, "{error}");
    assert!(out.contains("what the platform says counts"), "{out}");
    assert_eq!(site.present(&fob(1)), ("granted_plan".into(), "p1".into()));
    wait_for("no fault", || {
        let report = site.report();
        if report["faults"].to_string().contains("desk_conflict") {
            Err(report)
        } else {
            Ok(())
        }
    });
    assert_eq!(
        site.gateway.command(&["cards", "conflicts", "undo", id]).0,
        1,
        "decided once"
    );
}

#[test]
fn what_was_put_right_there_is_told_again() {
    let (site, conflict) = in_conflict();
    site.cloud
        .edit(|world| world.people[1].credentials.retain(|card| *card != uid(1)));
    let decide = json!({ "id": conflict["id"], "resolution": "retry", "by": "Maria" });
    site.done("resolve", decide);
    site.wait_at_cloud("p0", &uid(1), true);
    site.wait_settled();
    assert_eq!(site.present(&fob(1)), ("granted_plan".into(), "p0".into()));
}
