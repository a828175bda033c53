//! What is applied is the plan that somebody saw: by its name, at a terminal, or not at all.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, person, room, stays, tag},
};
use doorward_peers::cloud::World;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use std::{
    fs::OpenOptions,
    process::{Command, Stdio},
};

fn site(count: usize) -> KsSite {
    let mut world = World::default();
    room(&mut world, "Meeting room");
    for number in 0..count {
        person(&mut world, number, "Hot desk");
    }
    KsSite::start(Plan {
        world,
        house: House::small(),
        ..Plan::default()
    })
}

fn name(plan: &Value) -> String {
    let name = plan["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(name.len(), 8, "{plan}");
    name
}

/// A first plan with somebody in it.
fn planned(site: &KsSite) -> String {
    let plan = wait_for("a plan", || {
        let plan = site.plan();
        match plan["steps"].as_array().is_some_and(|steps| !steps.is_empty()) {
            true => Ok(plan),
            false => Err(plan),
        }
    });
    name(&plan)
}

#[test]
fn a_plan_that_became_another_is_refused_with_what_is_different() {
    let site = site(3);
    let shown = planned(&site);
    assert_eq!(name(&site.plan()), shown, "the same changes, the same name");
    // Nobody is there to ask, and a name was not given.
    let (status, _, error) = site.gateway.command(&["ks", "apply"]);
    assert_eq!(status, 64, "{error}");
    assert!(error.contains(&format!("doorward ks apply {shown}")), "{error}");
    // Somebody joins between the look and the word.
    site.ks.add_tag(&tag(7));
    site.cloud.edit(|world| person(world, 7, "Studio"));
    site.settle();
    let (status, _, error) = site.gateway.command(&["ks", "apply", &shown]);
    assert_eq!(status, 1, "{error}");
    for part in ["no longer", "new in it", "create user Person Number7"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    stays(10, || site.ks.changes());
    assert_eq!(site.ks.changes(), 0);
    let now = name(&site.plan());
    assert_ne!(now, shown);
    assert!(error.contains(&now), "{error}");
    let (status, out, error) = site.gateway.command(&["ks", "apply", &now.to_uppercase()]);
    assert_eq!(status, 0, "{out}{error}");
    site.wait_in_step();
    // What is done is done, whoever says it again.
    let (status, out, error) = site.gateway.command(&["ks", "apply", &now]);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    assert!(out.contains("nothing to change"), "{out}");
}

#[test]
fn what_takes_much_away_is_never_applied_unseen() {
    let site = site(20);
    planned(&site);
    let (status, out, error) = site.gateway.command(&["ks", "apply", "--fresh"]);
    assert_eq!(status, 0, "{out}{error}");
    site.wait_in_step();
    site.cloud.edit(|world| world.memberships.truncate(10));
    site.settle();
    let held = wait_for("a plan that is held", || {
        let plan = site.plan();
        match plan["held"].is_string() {
            true => Ok(plan),
            false => Err(plan),
        }
    });
    let before = site.ks.changes();
    let (status, _, error) = site.gateway.command(&["ks", "apply", "--fresh"]);
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("10 of 20 memberships"), "{error}");
    assert_eq!(site.ks.changes(), before);
    let (status, out, error) = site.gateway.command(&["ks", "apply", &name(&held)]);
    assert_eq!(status, 0, "{out}{error}");
    site.wait_in_step();
}

/// `doorward ks apply` of somebody who types this. Status and words.
fn typed(site: &KsSite, answer: &str) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = OpenOptions::new().read(true).write(true).open(path).unwrap();
    rustix::io::write(&master, answer.as_bytes()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("--config")
        .arg(site.gateway.config_path())
        .args(["ks", "apply"])
        .env("NO_COLOR", "1")
        .stdin(Stdio::from(slave))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), said)
}

#[test]
fn at_a_terminal_the_plan_is_shown_and_asked_for() {
    let site = site(2);
    let shown = planned(&site);
    let (status, said) = typed(&site, "n\n");
    assert_eq!(status, 1, "{said}");
    for part in [shown.as_str(), "Person Number1", "[y/N]", "nothing was changed"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(site.ks.changes(), 0);
    let (status, said) = typed(&site, "y\n");
    assert_eq!(status, 0, "{said}");
    site.wait_in_step();
    let (status, said) = typed(&site, "");
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("[y/N]"), "nothing is left to ask: {said}");
}
