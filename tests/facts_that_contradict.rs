//! Facts that contradict themselves cost the item, never the site, and a person reads which and why.

use crate::{
    cloud_site::{CloudSite, Plan, card, members},
    harness::{Gateway, wait_for},
};
use doorward_peers::cloud::{Booking, Resource};
use std::fs;

#[test]
fn each_contradiction_is_a_warning_in_the_report_and_everything_else_holds() {
    let mut plan = Plan::default();
    plan.options.world = members(40);
    let site = CloudSite::start(plan);
    site.cloud.edit(|world| {
        let mut twin = world.people[5].clone();
        twin.name = "Somebody else".into();
        world.people.push(twin);
        world.people[6].credentials.push(format!("uid:{}", card(7)));
        world.memberships[8].plan = "Night owl".into();
        world.resources.push(Resource {
            id: "room".into(),
            name: "Meeting room".into(),
            ..Resource::default()
        });
        world.bookings.push(Booking {
            id: "b1".into(),
            resource: "room".into(),
            person: Some("p9".into()),
            from: "2026-06-01T12:00:00Z".into(),
            until: "2026-06-01T11:00:00Z".into(),
            ..Booking::default()
        });
    });
    site.settle();
    let (_, text, _) = site.gateway.command(&["sync", "status"]);
    for expected in [
        "people p5: is listed twice with different contents; opens nothing until that is put right",
        "bookings b1: ends before it begins; left out",
        "(p7) and opens for nobody; take it from all but one at the platform",
        "plan \"Night owl\" (1 membership) is not mapped and opens nothing; add it to [map.plans]",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert_eq!(
        text.matches("opens for n").count(),
        1,
        "one thing is one warning: {text}"
    );
    assert!(!text.contains(&card(7)), "no card number in full: {text}");
    let reasons: Vec<String> = [5, 6, 7, 8, 9].map(|number| site.reason(number)).into();
    let expected = [
        "person_blocked",
        "granted_plan",
        "credential_ambiguous",
        "no_grant",
        "granted_plan",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_facts_file_with_mistakes_keeps_the_last_facts_and_names_the_line() {
    let config = r#"
[site]
id = "here"
name = "Here"
zone = "Europe/Madrid"
[paths]
state = "{dir}/state"
runtime = "{dir}/run"
[clock]
rtc = true
[cloud]
kind = "file"
path = "{dir}/facts.toml"
[sync]
poll_seconds = 3600
[map.plans]
"Hot desk" = ["members"]
[[group]]
id = "members"
doors = ["front"]
[[door]]
id = "front"
"#;
    let good = format!(
        "[[people]]\nid = \"ana\"\nname = \"Ana\"\ncredentials = [\"uid:{}\"]\n\n[[memberships]]\nid = \"m1\"\nplan = \"Hot desk\"\nperson = \"ana\"\n",
        card(0)
    );
    let mut gateway = Gateway::new(config);
    let facts = gateway.path().join("facts.toml");
    fs::write(&facts, &good).unwrap();
    gateway.start();
    let reason = || {
        let credential = format!("uid:{}", card(0));
        let asked = [
            "explain",
            "--credential",
            &credential,
            "--door",
            "front",
            "--json",
        ];
        let (_, out, _) = gateway.command(&asked); // nothing on it before the first facts
        let answer = serde_json::from_str::<serde_json::Value>(&out).unwrap_or_default();
        answer["reason"].clone()
    };
    let fault = || {
        let report = gateway.json_of_any_status(&["report"]);
        let text = report["faults"][0]["text"].as_str().map(ToOwned::to_owned);
        text.ok_or(report)
    };
    wait_for("the facts", || {
        if reason() == "granted_plan" {
            Ok(())
        } else {
            Err(reason())
        }
    });

    let bad = good.replace("plan = \"Hot desk\"", "paln = \"Hot desk\"");
    fs::write(&facts, bad).unwrap();
    let text = wait_for("the fault", fault);
    assert!(
        text.contains(&format!("{}:8:", facts.display())) && text.contains("paln"),
        "{text}"
    );
    assert_eq!(reason(), "granted_plan");

    // However often it failed, whoever corrects the file does not wait for a timer: a pause that grew to a minute is longer
    // than this scenario's patience.
    for _ in 0..8 {
        let (status, _, told) = gateway.command(&["sync", "now"]);
        assert!(status == 1 && told.contains("2 mistakes to correct"), "{told}");
    }
    fs::write(&facts, good.replace("Hot desk", "Cold desk")).unwrap();
    wait_for("the new facts", || {
        if reason() == "no_grant" {
            Ok(())
        } else {
            Err(reason())
        }
    });
    // The doors have the new facts before the fault is taken down.
    wait_for("the end of the fault", || match fault() {
        Ok(text) => Err(text),
        Err(_) => Ok(()),
    });
}
