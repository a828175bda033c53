//! Coworks has no public API: staff export tables, and those are the facts.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::harness::{Gateway, wait_for};
use doorward::{
    domain::facts::{Facts, When},
    platform::{FactsProblem, Fetched, PlatformError, file::FilePlatform},
};
use doorward_peers::{cloud::CoworksOffice, office::Office};
use std::{fs, path::Path};

fn read(path: &Path) -> Result<(Facts, Vec<FactsProblem>), PlatformError> {
    match FilePlatform::new(path.into(), "Europe/Madrid").read(None)? {
        Fetched::Facts { facts, problems, .. } => Ok((facts, problems)),
        Fetched::Unchanged => panic!("nothing is known yet"),
    }
}

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[test]
fn what_staff_do_is_in_the_next_export() {
    let folder = tempfile::tempdir().unwrap();
    let office = CoworksOffice::start(folder.path()).unwrap();
    let ana = office.join("Ruiz, Ana", "ana@example.com", "Flex", "2026-05-01");
    office.give_card(&ana, "04A2B3C4D5E680");
    let (from, until) = (at("2026-05-04T08:00:00Z"), at("2026-05-04T10:00:00Z"));
    let booking = office.book(&ana, "Blue room", from, until);
    office.give_passes(&ana, "Day pass", 3).unwrap();
    let (facts, problems) = read(folder.path()).unwrap();
    assert_eq!(problems, []);
    assert_eq!(
        (facts.people[0].name.as_str(), facts.people[0].credentials.len()),
        ("Ruiz, Ana", 1)
    );
    assert_eq!(
        facts.memberships[0].starts,
        Some(When::Day("2026-05-01".parse().unwrap()))
    );
    assert_eq!((facts.bookings[0].from, facts.bookings[0].until), (from, until));
    assert_eq!(facts.bookings[0].person, Some(ana.as_str().into()));
    assert_eq!(
        (facts.passes[0].left, facts.resources[0].name.as_str()),
        (Some(3), "Blue room")
    );

    office.move_booking(&booking, from + 3_600_000, until + 3_600_000);
    office.cancel(&ana, "2026-05-31");
    let (facts, _) = read(folder.path()).unwrap();
    assert_eq!(facts.bookings[0].from, from + 3_600_000);
    assert!(facts.memberships[0].cancelled);
    office.deactivate(&ana).unwrap();
    assert!(read(folder.path()).unwrap().0.people[0].deactivated);
}

#[test]
fn headings_dates_and_words_of_a_site_are_understood_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "members.csv",
        "\u{FEFF}First name,Last Name,E-mail,Tarifa,Member Status,Start date,End date,Key-fob #,Notes\n\
         Ana,Ruiz,Ana@Example.com,Flex; Night,ACTIVE,03/04/2026,,04:A2:B3:C4:D5:E6:80,x\n\
         Bob,Bartley,bob@example.com,Flex,Cancelled,13/01/2026,31/05/2026,,\n\
         Eve,Ennis,eve@example.com,Flex,Baja,,,04112233445566,\n\
         Eve,Ennis,eve@example.com,Night,active,,,,\n\
         Ida,Ivers,ida@example.com,Flex,Pending,,,,\n\
         Kim,Keane,kim@example.com,Flex,Expired,,01/02/2026,,\n\
         Lee,Lowe,lee@example.com,Flex,On holiday,,,,\n\
         Moe,Marsh,moe@example.com,Flex,active,soon,,12345,\n",
    );
    write(
        "columns.toml",
        "[members]\n\"Tarifa\" = \"plan\"\n[status]\n\"Baja\" = \"deactivated\"\n",
    );
    write(
        "bookings.csv",
        "Room,Booked By,Date,Start Time,End Time,Status\n\
         Blue room,ana@example.com,04/05/2026,9:00 AM,1:30 PM,Confirmed\n\
         Blue room,Ana Ruiz,05/05/2026,,,Confirmed\n\
         Blue room,A Stranger,06/05/2026,9:00,10:00,Confirmed\n\
         Blue room,ana@example.com,07/05/2026,9:00,10:00,Cancelled\n",
    );
    write(
        "passes.csv",
        "Pass,Member,Date\nDay pass,Bob Bartley,04/05/2026\nDay pass,A Stranger,04/05/2026\n",
    );
    let (facts, problems) = read(folder.path()).unwrap();
    let person = |id: &str| facts.people.iter().find(|it| it.id.as_str() == id).unwrap();
    let plans = |id: &str| -> Vec<(&str, bool)> {
        let own = facts.memberships.iter().filter(|it| it.person == Some(id.into()));
        own.map(|it| (it.plan.as_str(), it.cancelled)).collect()
    };
    assert_eq!(plans("ana@example.com"), [("Flex", false), ("Night", false)]);
    assert_eq!(person("ana@example.com").credentials.len(), 1);
    let ana = facts.memberships.iter().find(|it| it.plan == "Flex").unwrap();
    let third_of_april = Some(When::Day("2026-04-03".parse().unwrap()));
    assert_eq!(
        ana.starts, third_of_april,
        "13/01 and 31/05 prove that the day comes first"
    );
    assert_eq!(plans("bob@example.com"), [("Flex", true)]);
    assert!(person("eve@example.com").deactivated, "in one row is in all");
    assert_eq!(plans("ida@example.com"), []);
    assert_eq!(
        plans("kim@example.com"),
        [("Flex", false)],
        "ended is not cancelled"
    );
    assert_eq!(plans("lee@example.com"), []);
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(
        texts[0].contains("line 8") && texts[0].contains("On holiday"),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("key fob") && !texts[1].contains("12345"),
        "{texts:?}"
    );
    assert!(texts[2].contains("\"soon\""), "{texts:?}");

    let bookings: Vec<_> = facts
        .bookings
        .iter()
        .map(|it| (it.from, it.until, it.person.is_some()))
        .collect();
    assert_eq!(
        bookings,
        [
            (at("2026-05-04T07:00:00Z"), at("2026-05-04T11:30:00Z"), true),
            (at("2026-05-04T22:00:00Z"), at("2026-05-05T22:00:00Z"), true),
            (at("2026-05-06T07:00:00Z"), at("2026-05-06T08:00:00Z"), false),
        ]
    );
    assert_eq!(
        (facts.passes.len(), facts.passes[0].starts),
        (1, facts.passes[0].ends)
    );
}

#[test]
fn a_table_that_cannot_be_understood_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |members: &str, columns: &str| {
        fs::write(folder.path().join("members.csv"), members).unwrap();
        fs::write(folder.path().join("columns.toml"), columns).unwrap();
        read(folder.path()).unwrap_err().text
    };
    let text = refused("Name,Email,Plan\nAna,ana@example.com,Flex\n", "");
    assert!(
        text.contains("members.csv:1") && text.contains("active, cancelled or deactivated"),
        "{text}"
    );
    let doubtful = "Name,Email,Plan,Status,Start\nAna,ana@example.com,Flex,active,03/04/2026\n";
    let text = refused(doubtful, "");
    assert!(
        text.contains("members.csv:2") && text.contains("day-first"),
        "{text}"
    );
    let text = refused(
        doubtful,
        "datums = 1\n[members]\n\"Start\" = \"begin\"\n[status]\n\"x\" = \"y\"\n",
    );
    for part in ["columns.toml:1", "columns.toml:3", "columns.toml:5"] {
        assert!(text.contains(part), "{text}");
    }
    fs::write(folder.path().join("columns.toml"), "dates = \"month-first\"\n").unwrap();
    let (facts, _) = read(folder.path()).unwrap();
    assert_eq!(
        facts.memberships[0].starts,
        Some(When::Day("2026-03-04".parse().unwrap()))
    );
    let (alone, _) = read(&folder.path().join("members.csv")).unwrap();
    assert_eq!(
        alone.memberships, facts.memberships,
        "one table alone is an export too"
    );
}

/// C1: a cancellation takes nothing away there, only deactivation does. Staff are told who that concerns.
#[test]
fn who_is_cancelled_and_still_gets_in_is_shown_until_deactivated() {
    let folder = tempfile::tempdir().unwrap();
    let office = CoworksOffice::start(&folder.path().join("exports")).unwrap();
    let ana = office.join("Ana Ruiz", "ana@example.com", "Flex", "2026-01-01");
    office.give_card(&ana, "04A2B3C4D5E680");
    for number in 0..9 {
        office.join(
            &format!("Member {number}"),
            &format!("m{number}@example.com"),
            "Flex",
            "2026-01-01",
        );
    }
    office.cancel(&ana, "2026-01-31");
    let config = format!(
        "[site]\nid = \"here\"\nname = \"Here\"\nzone = \"Europe/Madrid\"\n[paths]\nstate = \"{{dir}}/state\"\n\
         runtime = \"{{dir}}/run\"\n[clock]\nrtc = true\n{}[checkins]\n[map.plans]\n\"Flex\" = [\"members\"]\n[[group]]\n\
         id = \"members\"\ndoors = [\"front\"]\n[[door]]\nid = \"front\"\n",
        office.cloud_section(folder.path())
    );
    let mut gateway = Gateway::new(&config);
    gateway.start();
    let explained = || {
        let card = "uid:04A2B3C4D5E680";
        // Nothing on it before the first facts.
        let (_, out, _) = gateway.command(&["explain", "--credential", card, "--door", "front", "--json"]);
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
        answer["reason"].as_str().unwrap_or_default().to_owned()
    };
    let reason = |wanted: &str| {
        wait_for(wanted, || match explained() {
            found if found == wanted => Ok(()),
            found => Err(found),
        });
    };
    reason("granted_plan");
    let (status, shown, error) = gateway.command(&["sync", "status"]);
    assert_eq!(status, 0, "{error}");
    assert!(shown.contains("cancelled, still gets in"), "{shown}");
    assert!(
        shown.contains("Ana Ruiz: Flex, cancelled 2026-02-01 00:00:00"),
        "{shown}"
    );
    let report = gateway.json_of_any_status(&["report"]);
    assert_eq!(
        report["sections"]["sync"]["still_in"][0]["name"], "Ana Ruiz",
        "{report}"
    );
    assert_eq!(
        report["sections"]["check_ins"]["kept_here"], "a file takes no check-ins",
        "why attendance stays here: {report}"
    );
    office.deactivate(&ana).unwrap();
    wait_for("nobody", || {
        let sync = gateway.json(&["sync", "status"])["sync"].clone();
        if sync["still_in"] == serde_json::json!([]) {
            Ok(())
        } else {
            Err(sync)
        }
    });
    assert_ne!(explained(), "granted_plan");
}
