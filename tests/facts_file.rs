//! Facts from a TOML file and from a folder of CSV files.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward::{
    domain::facts::{Facts, When},
    platform::{ErrorKind, Fetched, Known, Platform, file::FilePlatform},
};
use std::{fs, path::Path, time::Duration};

fn example(name: &str) -> Facts {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config/examples")
        .join(name);
    let read = FilePlatform::new(path, "Europe/Madrid").read(None);
    let Fetched::Facts { facts, problems, .. } = read.unwrap() else {
        panic!("nothing is known yet")
    };
    assert!(problems.is_empty());
    Facts { version: 0, ..facts }
}

#[test]
fn the_examples_say_the_same_in_both_forms() {
    let facts = example("facts.toml");
    assert_eq!(facts, example("facts"));
    assert_eq!(
        (facts.people.len(), facts.bookings.len(), facts.passes.len()),
        (3, 1, 1)
    );
    assert_eq!(
        facts.memberships[0].ends,
        Some(When::Day("2026-12-31".parse().unwrap()))
    );
    let local: jiff::Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    assert_eq!(facts.bookings[0].from, local.as_millisecond(), "14:00 in Madrid");
}

#[test]
fn every_mistake_is_told_with_its_line_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.toml");
    let text = r#"
[[people]]
id = "p1"
name = "Ada"
credentials = ["1234"]

[[people]]
id = "p1"
name = "Bob"

[[people]]
id = "p3"
nmae = "Eve"
deactivated = "maybe"

[[pepole]]
id = "p4"

[[bookings]]
id = "b1"
resource = "blue"
from = 2026-06-01T12:00:00
until = 2026-06-01T11:00:00
"#;
    fs::write(&path, text).unwrap();
    let told = |path: &Path| {
        let error = FilePlatform::new(path.to_owned(), "Europe/Madrid")
            .read(None)
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed);
        error
            .to_string()
            .replace(&folder.path().display().to_string(), "DIR")
    };
    let fields = told(&path);
    let text = text
        .replace("nmae", "name")
        .replace("\"maybe\"", "true")
        .replace("[[pepole]]\nid = \"p4\"", "");
    fs::write(&path, text).unwrap();
    insta::assert_snapshot!(format!("{fields}\n\n{}", told(&path)), @r#"
the facts in DIR/facts.toml are not taken, and what was in force stays: 4 mistakes to correct
  DIR/facts.toml:11: "name" is missing
  DIR/facts.toml:13: people have no "nmae"; they have id, name, email, team, teams, standing, door_access, joined, deactivated, credentials, groups
  DIR/facts.toml:14: deactivated must be yes or no
  DIR/facts.toml:16: there is no "pepole"; there are people, memberships, assignments, resources, bookings, passes, teams, plans, locations, floors, pass_kinds, groups

the facts in DIR/facts.toml are not taken, and what was in force stays: 3 mistakes to correct
  DIR/facts.toml:5: people p1: has a card that cannot be read (a card number needs its scheme, for example uid:04A2B3C4D5E680)
  DIR/facts.toml:8: people p1: is listed twice with different contents
  DIR/facts.toml:22: bookings b1: ends before it begins
"#);
}

#[test]
fn a_table_with_mistakes_is_told_by_file_and_row() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "people.csv",
        "\u{FEFF}id,name,deactivated\np1,Ada,\np2,Bob,perhaps\np3,\"Eve, the third\",no,4\n",
    );
    write("passes.csv", "id,kind,person,left\nx1,Day,p1,two\n");
    let error = FilePlatform::new(folder.path().to_owned(), "UTC")
        .read(None)
        .unwrap_err();
    let text = error
        .to_string()
        .replace(&folder.path().display().to_string(), "DIR");
    insta::assert_snapshot!(text, @r#"
the facts in DIR are not taken, and what was in force stays: 3 mistakes to correct
  DIR/passes.csv:2: left must be a whole number, or empty for unlimited
  DIR/people.csv:3: deactivated must be yes or no
  DIR/people.csv:4: there are 4 cells, and 3 in the first row; put a text with a comma into "quotes"
"#);
}

#[tokio::test]
async fn the_version_grows_with_the_contents_and_only_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.toml");
    let platform = FilePlatform::new(path.clone(), "UTC");
    let missing = platform.fetch(None).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::Unreachable);
    let mut known: Option<Known> = None;
    for round in 0..3 {
        fs::write(&path, format!("[[people]]\nid = \"p{round}\"\nname = \"Ada\"\n")).unwrap();
        let Fetched::Facts { facts, etag, .. } = platform.fetch(known.as_ref()).await.unwrap() else {
            panic!("new contents")
        };
        assert!(known.is_none_or(|known| known.version < facts.version));
        let now = Known {
            version: facts.version,
            etag,
        };
        assert_eq!(platform.fetch(Some(&now)).await.unwrap(), Fetched::Unchanged);
        known = Some(now);
    }
    let ahead = Known {
        version: u64::MAX - 1,
        etag: None,
    };
    let Fetched::Facts { facts, .. } = platform.fetch(Some(&ahead)).await.unwrap() else {
        panic!("another etag")
    };
    assert_eq!(
        facts.version,
        u64::MAX,
        "a clock that went back does not take the version back"
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_a_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    fs::write(&path, "id,name\n").unwrap();
    let platform = FilePlatform::new(folder.path().to_owned(), "UTC");
    assert!(!platform.wait_hint(1, Duration::from_secs(60)).await.unwrap());
    let waiting = tokio::spawn(async move { platform.wait_hint(1, Duration::from_secs(60)).await });
    tokio::task::yield_now().await;
    fs::write(&path, "id,name\np1,Ada\n").unwrap();
    assert!(waiting.await.unwrap().unwrap());
}

#[test]
fn opening_hours_and_whole_collections_for_the_mapping_are_said_in_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "people.csv",
        "id,name,teams,standing,door_access,joined\np1,Ana,t1;t2,external,auto,2026-05-01\n",
    );
    write(
        "resources.csv",
        "id,name,kind,opening,public_opening\nd1,Desk 1,desk,\"mon-fri 09:00-18:00, closed 12-25\",mon-fri 10:00-16:00\nd2,Desk 2,desk,,\n",
    );
    write(
        "passes.csv",
        "id,kind,person,hours,location\nx,Half day,p1,daily 09:00-13:00,harbour\ny,Day,p1,,\n",
    );
    write("teams.csv", "id,name,payer\nt1,Riverside,p1\n");
    write("plans.csv", "id,name\n1,Flex\n");
    let Fetched::Facts { facts, .. } = FilePlatform::new(folder.path().into(), "Europe/Madrid")
        .read(None)
        .unwrap()
    else {
        panic!("facts")
    };
    assert_eq!(facts.people[0].teams, ["t1", "t2"]);
    let opening = facts.resources[0].opening.as_ref().unwrap();
    assert_eq!(
        (
            opening.default.closed.len(),
            opening.public.as_ref().unwrap().hours[0].until
        ),
        (1, 960)
    );
    assert_eq!(facts.resources[1].opening, None);
    assert_eq!(facts.passes[0].hours.as_ref().unwrap().hours[0].until, 780);
    assert_eq!(
        (&facts.passes[1].hours, &facts.passes[1].location),
        (&None, &None)
    );
    assert_eq!((facts.teams.len(), facts.catalogue.plans.len()), (1, 1));

    write("resources.csv", "id,name,opening\nd1,Desk 1,sometimes\n");
    let error = FilePlatform::new(folder.path().into(), "Europe/Madrid")
        .read(None)
        .unwrap_err();
    assert!(error.text.contains("resources.csv:2"), "{error}");
}
