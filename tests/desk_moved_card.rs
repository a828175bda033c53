//! A fob of somebody else: who has it, moved when that is confirmed, also while the cloud is down.

use crate::{
    cloud_site::card,
    desk_site::{fob, site, uid},
};
use serde_json::json;

#[test]
fn a_fob_of_somebody_else_is_moved_when_that_is_meant() {
    let site = site(4);
    let theirs = format!("uid:{}", card(1));
    let (status, _, error) = site.gateway.command(&["cards", "assign", &theirs, "--to", "p2"]);
    assert_eq!(status, 1);
    assert!(
        error.contains("the card is Member 1's") && error.contains("move it"),
        "{error}"
    );
    site.cloud.set_down(true);
    let (status, _, error) = site
        .gateway
        .command(&["cards", "move", &theirs, "--to", "Member 2"]);
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("--yes"), "{error}");
    let (status, out, error) = site.gateway.command(&[
        "cards", "move", &theirs, "--to", "Member 2", "--yes", "--by", "Maria",
    ]);
    assert_eq!(status, 0, "{error}");
    assert!(
        out.contains("no more Member 1's") && out.contains("will be told"),
        "{out}"
    );
    assert_eq!(site.present(&card(1)), ("granted_plan".into(), "p2".into()));
    // On it goes, before the platform has heard anything.
    let (code, _) = site.refused(
        "assign",
        json!({ "card": theirs, "person": "p3", "from": "p1", "by": "Otto" }),
    );
    assert_eq!(code, "somebody_elses", "it changed hands since");
    site.done(
        "assign",
        json!({ "card": theirs, "person": "p3", "from": "p2", "by": "Otto" }),
    );
    assert_eq!(site.present(&card(1)), ("granted_plan".into(), "p3".into()));
    site.cloud.set_down(false);
    site.wait_at_cloud("p3", &theirs, true);
    site.wait_settled();
    for other in ["p1", "p2"] {
        assert!(!site.at_cloud(other).contains(&theirs), "{other}");
    }
    assert_eq!(site.present(&card(1)), ("granted_plan".into(), "p3".into()));
}

#[test]
fn a_fob_that_comes_back_opens_nothing_and_a_new_one_takes_its_place() {
    let site = site(3);
    let old = format!("uid:{}", card(0));
    site.cloud.set_down(true);
    let (status, out, error) = site
        .gateway
        .command(&["cards", "replace", &old, &uid(1), "--lost"]);
    assert_eq!(status, 0, "{error}");
    assert!(out.contains("opens nothing any more"), "{out}");
    assert_eq!(site.present(&card(0)).0, "credential_blocked");
    assert_eq!(site.present(&fob(1)), ("granted_plan".into(), "p0".into()));
    let returned = format!("uid:{}", card(1));
    let (status, _, error) = site.gateway.command(&["cards", "return", &returned]);
    assert_eq!(status, 0, "{error}");
    assert_eq!(
        site.present(&card(1)).0,
        "unknown_credential",
        "though the facts still have it"
    );
    site.cloud.set_down(false);
    site.wait_at_cloud("p0", &uid(1), true);
    site.wait_at_cloud("p0", &old, false);
    site.wait_at_cloud("p1", &returned, false);
    site.wait_settled();
    assert_eq!(site.present(&card(1)).0, "unknown_credential");
}
