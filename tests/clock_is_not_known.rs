//! The clock is behind, ahead, not synchronised, and steps: what is decided, what the events say, and their order.

use crate::daemon_site::{ANA, BOB, Plan, Site};
use doorward_peers::{
    false_clock::FalseClock,
    mosquitto::{Mosquitto, Setup},
    osdp::Color,
};
use serde_json::Value;

const DAY: i64 = 86_400;

/// No battery clock; the kernel's word alone counts.
fn site(plan: &Plan) -> (Site, FalseClock) {
    let mut site = Site::prepare(plan);
    let clock = FalseClock::build(site.gateway.path()).unwrap();
    for (name, value) in clock.environment() {
        site.gateway.environment(name, value.to_str().unwrap());
    }
    (site, clock)
}

fn without_rtc(policy: &'static str) -> Plan {
    Plan {
        clock: policy,
        ..Plan::default()
    }
}

fn time(event: &Value) -> jiff::Timestamp {
    event["time"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_start_without_the_time_is_never_before_the_last_time_on_disk() {
    let (mut site, clock) = site(&without_rtc(""));
    site.gateway.start();
    site.settle();
    assert_eq!((site.tap(ANA), site.tap(BOB)), (Color::Green, Color::Green));
    let before = site.presentations(2);
    assert!(
        before.iter().all(|event| event["clock"] == "trusted"),
        "{before:?}"
    );
    site.gateway.kill();

    // A board without a battery, booted without a network.
    clock.set(-400 * DAY, false).unwrap();
    site.gateway.start();
    site.settle();
    let text = site.fault("clock_untrusted");
    assert!(text.contains("network time"), "{text}");
    assert_eq!(site.tap(ANA), Color::Green, "around the clock needs no clock");
    assert_ne!(site.tap(BOB), Color::Green, "a booking does");
    let all = site.presentations(4);
    assert_eq!(all[3]["reason"], "clock_untrusted");
    for event in &all[2..] {
        assert_eq!(event["clock"], "untrusted");
        assert!(time(event) >= time(&before[1]), "{event} is before {}", before[1]);
    }
    let started = site.event(|event| event["kind"] == "started" && event["clock"] == "untrusted");
    assert!(time(&started) >= time(&before[1]));

    // Once more: time that went by without trust counts as well.
    site.gateway.kill();
    site.gateway.start();
    site.settle();
    assert_eq!(site.tap(ANA), Color::Green);
    let again = site.presentations(5);
    assert!(time(&again[4]) >= time(&again[3]), "{again:?}");

    // The network is back.
    clock.set(0, true).unwrap();
    site.no_fault("clock_untrusted");
    let back = site.event(|event| event["kind"] == "clock_changed" && event["detail"] == "trusted");
    assert_eq!(back["clock"], "trusted");
    assert_eq!(site.tap(BOB), Color::Green);
    let all = site.presentations(6);
    assert_eq!(all[5]["clock"], "trusted");
    site.gateway.stop();
}

#[test]
fn a_battery_clock_that_lost_its_battery_is_not_believed() {
    let (mut site, clock) = site(&without_rtc("rtc = true"));
    clock.set(0, false).unwrap();
    site.gateway.start();
    site.settle();
    assert_eq!(site.tap(BOB), Color::Green, "a battery clock knows the time");
    let before = site.presentations(1);
    site.gateway.kill();

    clock.set(-400 * DAY, false).unwrap();
    site.gateway.start();
    site.settle();
    let text = site.fault("clock_untrusted");
    assert!(text.contains("replace its battery"), "{text}");
    assert_ne!(site.tap(BOB), Color::Green);
    assert_eq!(site.tap(ANA), Color::Green, "around the clock needs no clock");
    let all = site.presentations(3);
    assert_eq!(
        (&all[1]["reason"], &all[1]["clock"]),
        (&"clock_untrusted".into(), &"untrusted".into())
    );
    assert!(time(&all[1]) >= time(&before[0]), "{all:?}");

    clock.set(0, true).unwrap();
    site.no_fault("clock_untrusted");
    assert_eq!(site.tap(BOB), Color::Green);
    site.gateway.stop();
}

#[test]
fn a_site_may_allow_bookings_without_the_time() {
    let (mut site, clock) = site(&without_rtc("untrusted = \"allow\""));
    clock.set(-DAY, false).unwrap();
    site.gateway.start();
    site.settle();
    assert_eq!(site.tap(BOB), Color::Green);
    let event = &site.presentations(1)[0];
    assert_eq!(
        (&event["reason"], &event["clock"]),
        (&"granted_booking".into(), &"untrusted".into())
    );
}

#[test]
fn a_clock_that_jumps_breaks_neither_order_nor_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), &Setup::default()).unwrap();
    let watching = broker.subscribe("doorward/here/door/front/event").unwrap();
    let mut plan = without_rtc("");
    plan.more = format!("[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\n", broker.port);
    let (mut site, clock) = site(&plan);
    site.gateway.start();
    site.settle();
    for jump in [0, 20 * DAY, -300 * DAY, 0] {
        clock.set(jump, true).unwrap();
        assert_eq!(site.tap(ANA), Color::Green, "{jump}");
    }
    let kept = site.presentations(4);
    let sequence = |event: &Value| event["sequence"].as_u64().unwrap();
    assert!(kept.is_sorted_by_key(sequence));
    assert!(time(&kept[1]) > time(&kept[0]) && time(&kept[2]) < time(&kept[0]));
    let told = watching.wait(|messages| messages.len() >= 4).unwrap();
    let told: Vec<u64> = told
        .iter()
        .map(|message| sequence(&serde_json::from_str(&message.payload).unwrap()))
        .collect();
    assert_eq!(told, kept.iter().map(sequence).collect::<Vec<_>>());
    site.gateway.stop();
}
