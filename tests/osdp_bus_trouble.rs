//! An OSDP bus on a bad day: readers and adapters that come and go, noise, wrong keys.
#![allow(
    clippy::unwrap_used,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::osdp_site::*;
use doorward::readers::LineEvent;
use doorward_peers::osdp::{Bus, PdSpec, What};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
/// Generous, as every deadline of a test: that it takes at most 3 s is a figure of `osdp_figures`.
const BACK_WITHIN: Duration = Duration::from_secs(15);

fn one(address: u8) -> (Bus, Site) {
    let bus = Bus::start(vec![PdSpec {
        address,
        key: Some(KEY),
    }])
    .unwrap();
    let line = osdp_line("hall", bus.path(), vec![reader("front", address, Some(KEY))]);
    let site = Site::start(&[line], &[door("front", Some(("front", 0)))]);
    site.wait_online(&["front"]);
    (bus, site)
}

fn opens(bus: &Bus, site: &Site) {
    bus.tap(0, 56, &MEMBER_BYTES);
    site.presented.recv_timeout(SOON).unwrap();
}

#[test]
fn a_reader_that_lost_power_is_back_within_three_seconds() {
    let (bus, site) = one(0);
    bus.restart(0);
    site.wait_for(&offline("front"), 1, SOON);
    site.wait_for(&online("front"), 2, BACK_WITHIN);

    bus.silence(0, true);
    site.wait_for(&offline("front"), 2, Duration::from_secs(10));
    wait_until("the fault", SOON, || site.fault("reader_offline:front").is_some());
    bus.restart(0);
    let back = site.wait_for(&online("front"), 3, BACK_WITHIN);
    println!("back after {back:?}");
    assert!(site.fault("reader_offline:front").is_none());
    opens(&bus, &site);
}

#[test]
fn an_adapter_that_was_pulled_is_back_without_a_restart() {
    let (bus, site) = one(0);
    let lost = || site.fault("line_lost:hall").is_some();
    for round in 1..=3 {
        bus.unplug();
        wait_until("the fault", SOON, lost);
        assert_eq!(site.happened(&offline("front")), round);
        bus.plug();
        let back = site.wait_for(&online("front"), round + 1, BACK_WITHIN);
        println!("back after {back:?}");
        assert!(!lost());
        opens(&bus, &site);
    }
    assert_eq!(site.happened(&LineEvent::LineBack { line: "hall".into() }), 3);
}

#[test]
fn a_release_does_not_come_after_the_return_of_its_reader() {
    let (bus, site) = one(0);
    let seen = bus.observed();
    let target = doorward::config::model::OutputRef {
        reader: "front".into(),
        output: 1,
    };
    bus.silence(0, true);
    assert!(site.lines.output(&target, Duration::from_secs(1)));
    let failed = LineEvent::ReleaseFailed {
        reader: "front".into(),
        output: 1,
    };
    site.wait_for(&failed, 1, SOON);
    bus.silence(0, false);
    site.wait_for(&online("front"), 2, SOON);
    opens(&bus, &site);
    let mut outputs = Vec::new();
    while let Ok(seen) = seen.recv_timeout(Duration::from_millis(500)) {
        if let What::Output { output, .. } = seen.what {
            outputs.push(output);
        }
    }
    assert_eq!(outputs, [0], "the tap's own release, and not the one from before");
    assert!(!site.lines.output(
        &doorward::config::model::OutputRef {
            reader: "nobody".into(),
            output: 0
        },
        Duration::ZERO
    ));
}

#[test]
fn a_wrong_key_never_comes_online_and_the_fault_says_so() {
    let bus = Bus::start(vec![PdSpec {
        address: 0,
        key: Some([7; 16]),
    }])
    .unwrap();
    let line = osdp_line("hall", bus.path(), vec![reader("front", 0, Some(KEY))]);
    let site = Site::start(&[line], &[]);
    wait_until("the fault", Duration::from_secs(10), || {
        site.fault("reader_key:front").is_some()
    });
    let text = site.fault("reader_key:front").unwrap();
    assert!(
        text.contains("key is not the configured one") && !text.contains("646F6F72"),
        "{text}"
    );
    assert_eq!(site.happened(&online("front")), 0);
}

#[test]
fn noise_wrong_checks_and_replays_are_counted_and_skipped() {
    let (bus, site) = one(0);
    bus.garbage(&[0x00, 0x53, 0x80, 0x10, 0x00, 0x55, 0xFF, 0xFF, 0x53]);
    opens(&bus, &site);
    for _ in 0..20 {
        bus.replay_last();
    }
    opens(&bus, &site);
    wait_until("counters", SOON, || {
        ["noise", "strays"]
            .iter()
            .all(|name| site.line_counter("hall", name) > 0)
    });
    let noisy = |event: &LineEvent| matches!(event, LineEvent::Noise { count, .. } if *count > 0);
    wait_until("the event", SOON, || {
        site.gate.events.lock().unwrap().iter().any(noisy)
    });
    assert_eq!(
        site.happened(&offline("front")),
        0,
        "none of it took the reader offline"
    );
    assert!(site.presented.try_recv().is_err(), "no replayed presentation");
}

#[test]
fn a_reply_with_a_wrong_check_costs_the_session_and_no_more() {
    let (bus, site) = one(0);
    bus.corrupt(1);
    wait_until("the counter", SOON, || {
        site.line_counter("hall", "bad_checks") > 0
    });
    // The secure channel chains its codes over every message, so the reader and libosdp start it again.
    site.wait_for(&online("front"), 2, BACK_WITHIN);
    opens(&bus, &site);
}
