//! The configuration of a running gateway changes: by SIGHUP, by an edit, for the better and for the worse.

use crate::{
    daemon_site::{ANA, Plan, Site, faults},
    harness::wait_for,
};
use doorward_peers::osdp::{Bus, Color, PdSpec};

fn applied(site: &Site, count: usize) {
    wait_for("config_applied", || {
        let events = site.events();
        let found = events
            .iter()
            .filter(|event| event["kind"] == "config_applied")
            .count();
        if found == count { Ok(()) } else { Err(events) }
    });
}

#[test]
fn a_new_mapping_is_in_force_at_the_next_tap_and_a_bad_file_changes_nothing() {
    let mut plan = Plan::default();
    let mut site = Site::start(&plan);
    assert_eq!(site.tap(ANA), Color::Green);

    plan.flex = &["nothing"];
    site.gateway.configure(&plan.text(&site.bus));
    applied(&site, 1);
    assert_eq!(site.tap(ANA), Color::Red, "her plan opens another door now");

    // Three mistakes: all are told, and the running configuration stays.
    let bad = plan
        .text(&site.bus)
        .replace("baud = 115200", "baud = 1")
        .replace("Europe/Madrid", "Europe/Nowhere")
        .replace("release_seconds = 4", "release_secs = 4")
        + "\n[[door]]\nid = \"without-a-reader\"\n"; // a warning
    site.gateway.configure(&bad);
    let text = site.fault("config_refused");
    for mistake in ["baud", "Europe/Nowhere", "release_secs", "doorward.toml:"] {
        assert!(text.contains(mistake), "{mistake} in {text}");
    }
    assert!(!text.contains("warning:"), "what refuses it stands alone: {text}");
    site.event(|event| event["kind"] == "config_refused");
    assert!(site.gateway.log().contains("Europe/Nowhere"));
    assert_eq!(site.tap(ANA), Color::Red, "the doors go on");

    // Mended, and by SIGHUP as well as by the edit: once is enough.
    plan.flex = &["members"];
    site.gateway.configure(&plan.text(&site.bus));
    site.gateway.signal("HUP");
    site.no_fault("config_refused");
    applied(&site, 2);
    assert_eq!(site.tap(ANA), Color::Green);

    // The same after a restart: what the reload put in force is not only in memory.
    site.gateway.kill();
    site.gateway.start();
    site.settle();
    assert_eq!(site.tap(ANA), Color::Green);
    site.gateway.stop();
}

#[test]
fn the_mapping_of_a_file_that_changed_while_the_gateway_was_off_is_in_force_too() {
    let mut plan = Plan::default();
    let mut site = Site::start(&plan);
    assert_eq!(site.tap(ANA), Color::Green);
    site.gateway.stop();
    plan.flex = &["nothing"];
    site.gateway.configure(&plan.text(&site.bus));
    site.gateway.start();
    site.settle();
    assert_eq!(site.tap(ANA), Color::Red);
}

#[test]
fn lines_come_and_go_with_the_configuration() {
    let mut plan = Plan::default();
    let site = Site::start(&plan);
    let second = Bus::start(vec![PdSpec {
        address: 5,
        key: Some([0x55; 16]),
    }])
    .unwrap();
    site.gateway.secret("key5", &"55".repeat(16));
    plan.more = format!(
        "[[line]]\nid = \"second\"\npath = \"{}\"\nbaud = 9600\n[[line.reader]]\nid = \"cellar-reader\"\ndoor = \
         \"cellar\"\naddress = 5\nkey = {{ file = \"{{dir}}/key5\" }}\n",
        second.path().display()
    );
    site.gateway.configure(&plan.text(&site.bus));
    wait_for("the second line", || {
        let report = site.report();
        let reader = &report["sections"]["lines"]["second"]["readers"]["cellar-reader"];
        if reader["online"] == true {
            Ok(())
        } else {
            Err(report)
        }
    });
    assert_eq!(site.tap(ANA), Color::Green);

    plan.more.clear();
    site.gateway.configure(&plan.text(&site.bus));
    wait_for("the second line to go", || {
        let report = site.report();
        if report["sections"]["lines"]["second"].is_null() {
            Ok(())
        } else {
            Err(report)
        }
    });
    assert_eq!(
        faults(&site.report()),
        [],
        "a line that is not wanted is no fault"
    );
    assert_eq!(site.tap(ANA), Color::Green);
}

#[test]
fn a_key_that_changed_in_its_file_is_used_after_sighup() {
    let mut site = Site::prepare(&Plan::default());
    site.gateway.secret("key", &"41".repeat(16));
    site.gateway.start();
    site.fault("reader_offline:front-reader");
    site.gateway.secret("key", &"42".repeat(16));
    site.gateway.signal("HUP");
    site.settle();
    assert_eq!(site.tap(ANA), Color::Green);
}

#[test]
fn no_tap_is_lost_while_the_configuration_changes_again_and_again() {
    let mut plan = Plan::default();
    let site = Site::start(&plan);
    for tap in 0..20 {
        plan.more = format!("[journal]\nmax_events = {}\n", 250_000 + tap);
        site.gateway.configure(&plan.text(&site.bus));
        site.gateway.signal("HUP");
        assert_eq!(site.tap(ANA), Color::Green);
    }
    assert_eq!(site.presentations(20).len(), 20);
    assert!(site.fault("restart_needed").contains("[journal]"));
    plan.more.clear();
    site.gateway.configure(&plan.text(&site.bus));
    site.no_fault("restart_needed");
}
