//! A plan for SALTO KS is interrupted in the middle: the gateway is ended in good order, it gets another configuration, its
//! login is taken away. It stops clearly, goes on by itself when it can, and KS ends as if nothing had happened.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, members},
    ks_login::connected,
};
use doorward_peers::ks::Faults;
use std::time::Duration;

const PEOPLE: usize = 40;
/// A plan is in its middle once so much was asked for.
const MIDDLE: usize = 20;

fn site(ks: &str, by_code: bool) -> KsSite {
    let site = KsSite::start(Plan {
        world: members(PEOPLE),
        house: House::small(),
        ks: ks.into(),
        by_code,
        ..Plan::default()
    });
    if by_code {
        connected(&site, &[]);
    }
    slow(&site, None);
    site
}

fn slow(site: &KsSite, revoke_at: Option<u64>) {
    site.ks.faults(Faults {
        answer_delay: Some(Duration::from_millis(200)),
        revoke_at,
        ..Faults::default()
    });
}

/// From now on the rest of a plan takes longer than anything else here.
fn crawls(site: &KsSite) {
    site.ks
        .with(|state| state.faults.answer_delay = Some(Duration::from_secs(2)));
}

/// Accepts, and does something in the middle of it. What the command said.
fn in_the_middle<T>(site: &KsSite, act: impl FnOnce() -> T) -> (i32, String) {
    let before = site.ks.changes();
    std::thread::scope(|scope| {
        let applying = scope.spawn(|| site.apply());
        wait_for("the middle", || match site.ks.changes() - before {
            changes if changes >= MIDDLE => Ok(()),
            changes => Err(changes),
        });
        act();
        applying.join().unwrap()
    })
}

/// Everything is as it should be, and nobody and nothing is there twice.
fn ends_well(site: &KsSite) {
    site.ks.faults(Faults::default());
    site.wait_in_step();
    site.wait_for_empty_plan();
    // With the gateway's own user and the cleaner, and the cleaners' group beside the three of the house.
    assert_eq!(
        (site.ks.users().len(), site.ks.groups().len()),
        (PEOPLE + 2, 3 + 1)
    );
}

#[test]
fn ended_in_good_order_it_goes_on_at_the_next_start() {
    let mut site = site("", false);
    let (status, said) = in_the_middle(&site, || {
        crawls(&site);
        site.gateway.signal("TERM");
    });
    assert_ne!(status, 0, "{said}");
    site.gateway.stopped();
    let done = site.ks.changes();
    assert!(
        done < 2 * PEOPLE,
        "it did not wait for the end of the plan: {done}"
    );
    site.gateway.start();
    ends_well(&site);
}

#[test]
fn another_configuration_in_the_middle_is_what_it_ends_in() {
    let mut site = site("", false);
    let text = std::fs::read_to_string(site.gateway.config_path()).unwrap();
    let doors = |doors: &[&str]| format!("id = \"members\"\ndoors = {doors:?}");
    let other = text.replace(
        &doors(&["front-door", "side-door"]),
        &doors(&["front-door", "studio"]),
    );
    assert_ne!(text, other);
    let (status, said) = in_the_middle(&site, || {
        crawls(&site);
        site.gateway.configure(&other);
        site.gateway.signal("HUP");
    });
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("another configuration"), "{said}");
    let opens = ["Front door", "Studio"].map(str::to_owned).to_vec();
    site.house.groups.insert("members".into(), opens);
    ends_well(&site);
}

#[test]
fn a_login_that_is_taken_away_stops_it_and_another_one_lets_it_go_on() {
    // Comparisons are rare: it is the new login that wakes it.
    let site = site("reconcile_seconds = 3600", true);
    slow(&site, Some(MIDDLE as u64));
    let (status, said) = in_the_middle(&site, || ());
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("ended early") && said.contains("doorward ks connect"),
        "{said}"
    );
    let text = site.wait_for_fault("ks_login");
    assert!(text.contains("doorward ks connect"), "{text}");
    let status = site.gateway.json_of_any_status(&["ks", "status"]);
    assert!(
        status["ks"]["applied"]["stopped"].is_string() && status["faults"].to_string().contains("ks_login"),
        "{status}"
    );
    let done = site.ks.users().len();
    assert!(done < PEOPLE, "{done}");
    site.ks.faults(Faults::default());
    connected(&site, &[]);
    ends_well(&site);
    wait_for("the end of the fault", || {
        site.fault("ks_login").map_or(Ok(()), Err)
    });
}

#[test]
fn a_system_user_whose_tokens_are_revoked_logs_in_again_and_goes_on() {
    let site = site("", false);
    slow(&site, Some(MIDDLE as u64));
    let (status, said) = in_the_middle(&site, || ());
    assert_eq!(status, 0, "{said}");
    ends_well(&site);
    assert_eq!(site.fault("ks_login"), None);
}
