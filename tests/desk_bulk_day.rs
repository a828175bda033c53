//! The day when everybody gets a fob: 60 people, 60 presentations, and nothing else to do.

use crate::{
    desk_site::{fob, site, uid},
    harness::wait_for,
};
use serde_json::json;
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

#[test]
fn sixty_fobs_are_sixty_presentations() {
    let site = site(80);
    let sheet: String = (0..60).rev().map(|n| format!("p{n};Member {n}\n")).collect();
    let path = site.gateway.path().join("people.csv");
    fs::write(&path, format!("id;name\n{sheet}nobody;Nobody\n")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("--config")
        .arg(site.gateway.config_path())
        .args(["enrol", "--typed", "--queue", "--by", "Maria", "--csv"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // A reader that is a keyboard: a number and Enter. One fob lies on the reader for too long.
    let typed: String = (0..60).map(|n| format!("{}\n", fob(n))).collect();
    let twice = format!("{}\n{typed}", fob(0));
    child.stdin.take().unwrap().write_all(twice.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{text}");
    assert!(
        text.contains("line 62") && text.contains("present the next one"),
        "{text}"
    );
    assert!(
        text.contains("[####################] 60/60 Member 0 has a card"),
        "{text}"
    );
    assert!(!text.contains(&fob(7)));
    // In the order of the sheet: the first fob is Member 59's.
    assert_eq!(site.present(&fob(0)), ("granted_plan".into(), "p59".into()));
    assert_eq!(site.present(&fob(59)), ("granted_plan".into(), "p0".into()));
    wait_for("all of them at the cloud", || {
        let told = (0..60).filter(|n| site.at_cloud(&format!("p{}", 59 - n)).contains(&uid(*n)));
        match told.count() {
            60 => Ok(()),
            count => Err(count),
        }
    });
}

#[test]
fn a_queue_goes_on_after_kill_9_and_its_last_step_can_be_taken_back() {
    let mut site = site(4);
    let queue = |more: serde_json::Value| {
        let mut body = json!({ "queue": "day", "by": "Maria" });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(
        site.refused("queue_present", queue(json!({ "card": uid(1) }))).0,
        "no_queue"
    );
    let nobody = site.refused("queue_begin", queue(json!({ "without_card": true })));
    assert_eq!(nobody.0, "empty_queue", "everybody has one: {nobody:?}");
    let begun = site.done(
        "queue_begin",
        queue(json!({ "plan": "Hot desk", "search": "member" })),
    );
    assert_eq!(begun["progress"]["people"], 4, "{begun}");
    let step = site.done("queue_present", queue(json!({ "card": uid(1) })));
    assert_eq!(step["progress"]["last"]["person"], "p0", "{step}");
    site.gateway.kill();
    site.gateway.start();
    let theirs = format!("uid:{}", crate::cloud_site::card(3));
    let step = site.done("queue_present", queue(json!({ "card": theirs })));
    assert_eq!(
        (&step["given"], &step["progress"]["done"]),
        (&json!(false), &json!(1)),
        "{step}"
    );
    assert!(
        step["message"]
            .as_str()
            .unwrap()
            .contains("still Member 1's turn"),
        "{step}"
    );
    let step = site.done("queue_present", queue(json!({ "card": uid(2) })));
    assert_eq!(step["progress"]["next"]["person"], "p2", "{step}");
    let step = site.done("queue_undo", queue(json!({})));
    assert_eq!(step["progress"]["next"]["person"], "p1", "{step}");
    let step = site.done("queue_skip", queue(json!({})));
    assert_eq!(step["progress"]["next"]["person"], "p2", "{step}");
    site.done("queue_end", queue(json!({})));
    assert_eq!(site.refused("queue_progress", queue(json!({}))).0, "no_queue");
    site.wait_at_cloud("p0", &uid(1), true);
    site.wait_settled();
    assert!(!site.at_cloud("p1").contains(&uid(2)), "taken back there too");
}
