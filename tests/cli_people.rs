//! `doorward people`, `rules show` and `rules preview`: what staff and managers read, from the facts that were fetched
//! last, with the gateway gone.

use crate::harness::{Gateway, site::Layout, wait_for};
use std::fs;

const FACTS: &str = r#"
[[people]]
id = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
credentials = ["uid:04A2B3C4D5E680", "wiegand26:123-45678"]
[[people]]
id = "ana2"
name = "Ana Lopez"
[[people]]
id = "bob"
name = "Bob Roe"
email = "bob@example.com"
credentials = ["uid:11223344"]
[[people]]
id = "eve"
name = "Eve Ash"
deactivated = true
[[people]]
id = "gus"
name = "Gus Lind"
credentials = ["uid:55667788"]
[[memberships]]
id = "m1"
plan = "Hot desk"
person = "ana"
starts = 2020-01-01
[[memberships]]
id = "m2"
plan = "Virtual"
person = "bob"
[[memberships]]
id = "m3"
plan = "Team"
person = "eve"
[[memberships]]
id = "m4"
plan = "Hot desk"
person = "gus"
ends = 2021-06-30
[[resources]]
id = "blue"
name = "Blue room"
kind = "room"
[[bookings]]
id = "b1"
resource = "blue"
person = "bob"
from = 2099-06-01T14:25:00
until = 2099-06-01T16:00:00
[[bookings]]
id = "b0"
resource = "blue"
person = "bob"
from = 2020-06-01T14:25:00
until = 2020-06-01T16:00:00
[[passes]]
id = "p1"
kind = "Day pass"
person = "gus"
left = 0
"#;

/// A site whose gateway has fetched the facts and ended.
fn site() -> Gateway {
    let layout = Layout::new("rtc = true")
        .facts_file()
        .map("resources", "Blue room", &["meeting"])
        .map("passes", "Day pass", &["members"])
        .table(
            "[map.plans]",
            "\"Hot desk\" = [\"members\"]\n\"Team\" = [\"members\", \"team\"]",
        )
        .table("[rules]", "grant_invitees = true")
        .group("team", &["studio"])
        .group("meeting", &["front", "studio"])
        .table(
            "[[group]]",
            "id = \"members\"\ndoors = [\"front\"]\nhours = \"office\"",
        )
        .table("[[schedule]]", "id = \"office\"\nweekdays = [\"08:00-20:00\"]")
        .door("front", "name = \"Front door\"")
        .door("studio", "name = \"Studio\"");
    let mut gateway = Gateway::new(layout.text());
    fs::write(gateway.path().join("facts.toml"), FACTS).unwrap();
    gateway.start();
    wait_for("facts in force", || {
        let status = gateway.json_of_any_status(&["report"]);
        let version = &status["sections"]["sync"]["version"];
        if version.is_u64() { Ok(()) } else { Err(status) }
    });
    gateway.stop();
    gateway
}

/// What a command prints, without the age of the facts and the folder.
fn told(gateway: &Gateway, arguments: &[&str]) -> String {
    let (status, out, error) = gateway.command(arguments);
    let folder = gateway.path().display().to_string();
    let cut = |line: &str| match line.split_once("facts of ") {
        Some((before, _)) => format!("{before}facts of …\n"),
        None => format!("{line}\n"),
    };
    let out: String = out.lines().map(cut).collect();
    format!(
        "$ doorward {}\n{out}{error}status {status}\n",
        arguments.join(" ")
    )
    .replace(&folder, "DIR")
}

const NOON: &str = "2026-11-25 12:00"; // a Wednesday

#[test]
fn staff_see_who_may_open_what_and_why() {
    let gateway = site();
    let mut shown = String::new();
    for arguments in [
        &["people", "--at", NOON][..],
        &["people", "--at", "2026-11-25 23:00"],
        &["people", "--at", NOON, "--why", "ana@example.com"],
        &["people", "--at", NOON, "--why", "bob"],
        &["people", "--at", NOON, "--why", "Gus Lind"],
        &["people", "--at", NOON, "--why", "eve"],
        &["people", "--at", NOON, "--why", "Ana"],
        &["people", "--why", "nobody"],
    ] {
        shown += &told(&gateway, arguments);
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
    let all = gateway.json(&["people", "--at", NOON]);
    let person = |name: &str| {
        let people = all["people"].as_array().unwrap();
        people.iter().find(|it| it["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (
            &person("Ana Ruiz")["cards"],
            &person("Ana Ruiz")["opens_something"]
        ),
        (&2.into(), &true.into())
    );
    assert_eq!(person("Ana Ruiz")["access"][0]["source"]["id"], "m1");
    let bob = gateway.json(&["people", "--at", NOON, "--why", "bob"]);
    assert_eq!(
        (&bob["over"][0]["source"]["id"], &bob["email"]),
        (&"b0".into(), &"bob@example.com".into())
    );
    assert!(bob["rules"]["R12"].is_string() && bob["warnings"][0].as_str().unwrap().contains("Virtual"));
    for text in [shown, all.to_string(), bob.to_string()] {
        assert!(
            !text.contains("04A2B3C4D5E680") && !text.contains("45678"),
            "a card number in full"
        );
    }
}

#[test]
fn a_manager_sees_what_other_facts_would_change() {
    let gateway = site();
    let next = FACTS
        .replace("plan = \"Virtual\"", "plan = \"Team\"")
        .replace("deactivated = true\n", "")
        .replace("person = \"ana\"\nstarts", "person = \"ana2\"\nstarts")
        .replace("2099-06-01T14:25", "2099-06-02T14:25")
        .replace("2099-06-01T16:00", "2099-06-02T16:00");
    fs::write(gateway.path().join("next.toml"), next).unwrap();
    fs::write(gateway.path().join("empty.toml"), "people = []\n").unwrap();
    fs::write(
        gateway.path().join("odd.json"),
        "{\"version\": 1, \"people\": [{\"id\": 7}]}",
    )
    .unwrap();
    let path = |name: &str| gateway.path().join(name).display().to_string();
    let mut shown = String::new();
    for (file, more) in [
        ("next.toml", &[][..]),
        ("empty.toml", &["--changes"]),
        ("odd.json", &[]),
        ("none.toml", &[]),
    ] {
        let file = path(file);
        let arguments = [&["rules", "preview", "--at", NOON, "--facts", &file], more].concat();
        shown += &told(&gateway, &arguments);
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
    let empty = gateway.json(&["rules", "preview", "--facts", &path("empty.toml")]);
    assert_eq!(empty["held"]["why"], "too_many_gone");
    let same = gateway.json(&["rules", "preview", "--facts", &path("facts.toml")]);
    assert_eq!(
        (&same["changes"], &same["held"]),
        (&serde_json::json!([]), &serde_json::Value::Null)
    );
}

#[test]
fn the_rules_in_force_name_their_source() {
    let gateway = site();
    let shown = gateway.json(&["rules", "show"]);
    let parameter = |key: &str| {
        let all = shown["parameters"].as_array().unwrap();
        all.iter().find(|it| it["key"] == key).unwrap().clone()
    };
    assert_eq!(shown["profile"], "open");
    let invitees = parameter("grant_invitees");
    assert_eq!(
        (
            &invitees["value"],
            &invitees["set_here"],
            &invitees["profile_value"],
            &invitees["rule"]
        ),
        (&"true".into(), &true.into(), &"false".into(), &14.into())
    );
    assert_eq!(parameter("room_before_minutes")["set_here"], false);
    assert_eq!(
        shown["map"]["plans"]["Team"],
        serde_json::json!(["members", "team"])
    );
    let (status, text, _) = gateway.command(&["rules", "show"]);
    assert!(
        status == 0 && text.contains("the site; open has false") && text.contains("R14: people invited"),
        "{text}"
    );
}

#[test]
fn before_anything_was_fetched_the_commands_say_so() {
    let gateway = Gateway::new(Layout::new("rtc = true").door("front", "").text());
    let (status, _, error) = gateway.command(&["people"]);
    assert!(
        status == 1 && error.contains("nothing has been fetched"),
        "{error}"
    );
    fs::write(gateway.path().join("facts.toml"), FACTS).unwrap();
    let file = gateway.path().join("facts.toml").display().to_string();
    let (status, text, _) = gateway.command(&["rules", "preview", "--facts", &file]);
    assert!(
        status == 0 && text.contains("nothing is in force yet") && text.contains("is not mapped"),
        "{text}"
    );
}
