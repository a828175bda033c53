//! A guest card: these doors, until it ends by itself.

use crate::{
    cloud_site::card,
    desk_site::{fob, site, uid},
    harness::wait_for,
};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_guest_card_opens_until_its_end_and_is_free_again() {
    let mut site = site(1);
    site.cloud.set_down(true);
    let now = doorward::clock::Clock::system(true, 0).now().at;
    let guest = |until: i64, groups: &[&str]| json!({ "card": uid(1), "name": "Plumber", "groups": groups, "until": until, "by": "Maria" });
    assert_eq!(site.refused("guest", guest(now - 1, &["members"])).0, "bad_end");
    assert_eq!(
        site.refused("guest", guest(now + 60_000, &["nowhere"])).0,
        "no_such_group"
    );
    let theirs = json!({ "card": format!("uid:{}", card(0)), "name": "Plumber", "groups": ["members"], "by": "Maria" });
    assert_eq!(site.refused("guest", theirs).0, "somebody_elses");
    site.done("guest", guest(now + 12_000, &["members"]));
    assert_eq!(site.present(&fob(1)).0, "granted_direct");
    site.gateway.kill();
    site.gateway.start();
    let give = json!({ "card": uid(1), "person": "p0", "by": "Maria" });
    assert_eq!(
        site.refused("assign", give.clone()).0,
        "somebody_elses",
        "still the guest's"
    );
    wait_for("the end", || match site.present(&fob(1)).0 {
        reason if reason == "ended" => Ok(()),
        other => Err(other),
    });
    site.done("assign", give);
    assert_eq!(site.present(&fob(1)), ("granted_plan".into(), "p0".into()));
    site.cloud.set_down(false);
    site.wait_at_cloud("p0", &uid(1), true);
    // The guest's entry came before the member's: it is nobody's there, and no fault here.
    assert!(
        site.cloud
            .wait(Duration::from_secs(20), |cloud| !cloud.check_ins().is_empty())
    );
    let people: Vec<String> = site
        .cloud
        .check_ins()
        .into_iter()
        .map(|it| it.body.person)
        .collect();
    assert_eq!(people, ["p0"]);
    let status = site.gateway.json_of_any_status(&["report"]);
    assert!(!status.to_string().contains("check_in_rejected"), "{status}");
}

#[test]
fn a_guests_name_is_one_short_line_and_their_lost_card_is_replaced_until_the_same_end() {
    let site = site(1);
    let now = doorward::clock::Clock::system(true, 0).now().at;
    let guest = |name: &str| json!({ "card": uid(1), "name": name, "groups": ["members"], "until": now + 3_600_000, "by": "Maria" });
    for name in [
        "Plum\nber",
        "\u{1B}[31mred",
        "back\u{202E}wards",
        &"long".repeat(26),
    ] {
        assert_eq!(site.refused("guest", guest(name)).0, "bad_input", "{name:?}");
    }
    site.done("guest", guest("Zoë O’Neill, plumber"));
    let lost = json!({ "old": uid(1), "new": uid(2), "lost": true, "by": "Maria" });
    let change = site.done("replace", lost);
    assert_eq!(change["name"], "Zoë O’Neill, plumber");
    assert_eq!(site.present(&fob(2)).0, "granted_direct");
    assert_eq!(site.present(&fob(1)).0, "credential_blocked");
    let cards = site.done("list", json!({}));
    let theirs = |it: &&serde_json::Value| it["name"] == "Zoë O’Neill, plumber";
    let ends: Vec<i64> = cards
        .as_array()
        .unwrap()
        .iter()
        .filter(theirs)
        .map(|it| it["until"].as_i64().unwrap())
        .collect();
    assert_eq!(ends, [now + 3_600_000]);
}

#[test]
fn a_guest_card_ends_with_the_day_if_nobody_says_when() {
    let site = site(1);
    let (status, out, error) = site.gateway.command(&[
        "cards",
        "guest",
        &uid(2),
        "--name",
        "Visitor",
        "--group",
        "members",
    ]);
    assert_eq!(status, 0, "{error}");
    assert!(out.contains("Visitor"), "{out}");
    let cards = site.done("list", json!({}));
    let visitor = cards
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "Visitor")
        .unwrap();
    let until = visitor["until"].as_i64().unwrap();
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").unwrap();
    let end = jiff::Timestamp::from_millisecond(until).unwrap().to_zoned(zone);
    assert_eq!((end.hour(), end.minute()), (0, 0), "{end}");
    assert_eq!(visitor["place"], "guest");
}
