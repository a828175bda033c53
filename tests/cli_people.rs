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
    site_of(FACTS)
}

fn site_of(facts: &str) -> Gateway {
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
    fs::write(gateway.path().join("facts.toml"), facts).unwrap();
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

const NOON: &str = "2022-11-23 12:00"; // a Wednesday that does not come again

#[test]
fn staff_see_who_may_open_what_and_why() {
    let gateway = site();
    let mut shown = String::new();
    for arguments in [
        &["people", "--at", NOON][..],
        &["people", "--at", "2022-11-23 23:00"],
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

const SHARED: &str = r#"
[[people]]
id = "u1"
name = "Océane Brûlé"
credentials = ["uid:04AABBCCDDEE11"]
[[people]]
id = "u2"
name = "Tomás Água"
credentials = ["uid:04AABBCCDDEE11"]
[[people]]
id = "u3"
name = "Zoë Weiß"
credentials = ["uid:04AABBCCDDEE11", "uid:04AABBCCDDEE22"]
[[memberships]]
id = "m1"
plan = "Team"
person = "u1"
[[memberships]]
id = "m2"
plan = "Team"
person = "u3"
"#;

/// Rights are no use with a card that somebody else has as well (R34): whoever asks at the desk is told so, and who the
/// other is, in every place where it could be looked for.
#[test]
fn a_card_of_several_people_opens_for_none_and_every_table_says_so() {
    let gateway = site_of(SHARED);
    let all = told(&gateway, &["people", "--at", "2099-06-01 12:00"]);
    let row = |name: &str| {
        let found = all.lines().find(|line| line.starts_with(name));
        found.unwrap_or_else(|| panic!("{all}")).to_owned()
    };
    let holders = "uid:…11 belongs to Océane Brûlé (u1) and Tomás Água (u2) and Zoë Weiß (u3)";
    let alone = row("Océane");
    assert!(
        alone.contains("1, 1 shared  shared card") && alone.ends_with(&format!("{holders}, R34")),
        "{alone}"
    );
    assert!(
        row("Zoë").contains("2, 1 shared  members"),
        "her other card opens: {all}"
    );
    assert!(
        all.contains("1 of 3 people may open something on 2099-06-01 at 12:00; facts of"),
        "another day is named: {all}"
    );
    // As people type it.
    let why = told(&gateway, &["people", "--why", "oceane brule", "--at", NOON]);
    assert!(
        why.contains(&format!("opens nothing; nearest: shared card: {holders}, R34")),
        "{why}"
    );
    let explained = told(
        &gateway,
        &["explain", "--credential", "uid:04AABBCCDDEE11", "--door", "front"],
    );
    let who =
        "it belongs to Océane Brûlé (u1) and Tomás Água (u2) and Zoë Weiß (u3): take it from all but one";
    assert!(explained.contains(who), "{explained}");
    let shown = gateway.json(&["people", "--at", NOON]);
    let told = |at: usize| {
        let person = &shown["people"][at];
        (
            person["cards"].clone(),
            person["shared_cards"].clone(),
            person["opens_something"].clone(),
        )
    };
    assert_eq!(told(0), (1.into(), 1.into(), false.into()));
    assert_eq!(told(2), (2.into(), 1.into(), true.into()));
}

#[test]
fn what_names_nothing_is_told_as_such() {
    let gateway = site_of(SHARED);
    let nobody = told(&gateway, &["people", "--why", " - "]);
    assert!(nobody.contains("nobody is called ` - `"), "{nobody}");
    let no_file = told(&gateway, &["rules", "preview", "--facts", "nowhere.toml"]);
    assert!(
        no_file.contains("nowhere.toml cannot be read") && !no_file.contains("[cloud]"),
        "the configuration has no part in it: {no_file}"
    );
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
