//! What `doorward run` says, and ends with, when it cannot begin.

use crate::{
    daemon_site::{ANA, Plan, Site, faults},
    harness::wait_for,
};
use doorward_peers::osdp::Color;
use std::fs;

#[test]
fn a_second_gateway_on_the_same_state_is_refused_and_the_first_goes_on() {
    let mut site = Site::start(&Plan::default());
    let (status, out, error) = site.gateway.command(&["run"]);
    assert_eq!((status, out.as_str()), (1, ""), "{error}");
    let last = error.lines().rev().take(3).collect::<Vec<_>>().join(" ");
    assert!(
        last.contains("is in use by another doorward") && last.contains("/state"),
        "{error}"
    );
    assert!(!error.contains("panicked"), "{error}");
    assert_eq!(site.tap(ANA), Color::Green);
    assert!(
        site.report()["version"].is_string(),
        "its control socket is still there"
    );
    site.gateway.stop();
}

#[test]
fn a_state_directory_that_is_a_file_is_a_fault_and_the_doors_go_on() {
    let mut site = Site::prepare(&Plan::default());
    let state = site.gateway.path().join("state");
    fs::remove_dir(&state).unwrap();
    fs::write(&state, "no folder").unwrap();
    site.gateway.start();
    wait_for("facts in memory and a fault that names the place", || {
        let report = site.report();
        let named = faults(&report)
            .iter()
            .any(|(_, text)| text.contains(&state.display().to_string()));
        let facts = report["sections"]["sync"]["version"].is_u64();
        let online = report["sections"]["lines"]["bus"]["readers"]["front-reader"]["online"] == true;
        if named && facts && online {
            Ok(())
        } else {
            Err(report)
        }
    });
    assert_eq!(site.tap(ANA), Color::Green);
    assert!(!site.gateway.log().contains("panicked"));
}

#[test]
fn directories_that_are_missing_are_made() {
    let mut site = Site::prepare(&Plan::default());
    for name in ["state", "run"] {
        fs::remove_dir(site.gateway.path().join(name)).unwrap();
    }
    site.gateway.start();
    site.settle();
    assert_eq!(site.tap(ANA), Color::Green);
    wait_for("the event", || {
        let events = site.events();
        let found = events.iter().any(|event| event["kind"] == "granted");
        if found { Ok(()) } else { Err(events) }
    });
    site.gateway.stop();
}

#[test]
fn a_wrong_configuration_ends_it_with_every_mistake_before_anything_opens() {
    let site = Site::prepare(&Plan::default());
    let text = Plan::default().text(&site.bus);
    site.gateway.configure(
        &text
            .replace("baud = 115200", "baud = 1")
            .replace("Europe/Madrid", "Nowhere"),
    );
    let (status, _, error) = site.gateway.command(&["run"]);
    assert_eq!(status, 78, "EX_CONFIG: {error}");
    assert!(error.contains("Nowhere") && error.contains("baud"), "{error}");
    assert_eq!(
        fs::read_dir(site.gateway.path().join("state")).unwrap().count(),
        0
    );
}
