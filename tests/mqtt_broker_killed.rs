//! The broker dies, or its answers do not come back: every event arrives at least once, in order, and dropping
//! repeats by id leaves exactly the set.

use crate::mqtt_site::{Gateway, Journal, START, config, events, first_seen};
use doorward::building::WINDOW;
use doorward_peers::{
    mosquitto::{Mosquitto, Setup},
    relay::Relay,
};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_events_are_on_their_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::start(dir.path(), &Setup::default()).unwrap();
    let relay = Relay::start(broker.port).unwrap();
    let journal = Journal::new();
    let before = broker.subscribe("doorward/+/door/+/event").unwrap();
    let gateway = Gateway::start(config(relay.port), &journal);
    journal.taps(100, START);
    journal.wait_cursor(100).await;

    // Stopped in place, the broker takes a whole window into its socket and acknowledges none of it.
    broker.freeze().unwrap();
    journal.taps(100, START);
    gateway
        .wait_health(|doc| {
            doc.sections
                .get("mqtt")
                .is_some_and(|mqtt| mqtt["pending"] == 100)
        })
        .await;
    broker.kill();
    relay.cut();
    let fault = gateway.wait_fault("mqtt_unreachable").await;
    assert!(fault.contains("Events wait in the journal"), "{fault}");

    broker.restart().unwrap();
    let after = broker.subscribe("doorward/+/door/+/event").unwrap();
    relay.open();
    journal.wait_cursor(200).await;
    let after = after
        .wait(|messages| first_seen(messages).contains(&200))
        .unwrap();
    assert_eq!(first_seen(&after), (101..=200).collect::<Vec<_>>());
    let before = before.wait(|messages| first_seen(messages).len() >= 100).unwrap();
    assert_eq!(first_seen(&before)[..100], (1..=100).collect::<Vec<_>>());
    gateway.wait_no_faults().await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_of_a_busy_hour() {
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::start(dir.path(), &Setup::default()).unwrap();
    let relay = Relay::start(broker.port).unwrap();
    let journal = Journal::new();
    let gateway = Gateway::start(config(relay.port), &journal);
    let mut watching = Vec::new();
    for round in 0..3_u64 {
        broker.kill();
        relay.cut();
        broker.restart().unwrap();
        let subscriber = broker.subscribe("doorward/+/door/+/event").unwrap();
        relay.open();
        journal.taps(300, START);
        journal.wait_cursor(round * 300 + 50).await; // in the middle: the next turn kills it
        watching.push(subscriber);
    }
    journal.wait_cursor(900).await;
    let last = watching.last().unwrap();
    // A cheap look first: parsing everything at each line would take longer than the test may.
    last.wait(|messages| {
        messages
            .last()
            .is_some_and(|last| last.payload.contains("\"sequence\":900,"))
    })
    .unwrap();
    let mut arrived = BTreeSet::new();
    for subscriber in &watching {
        let seen = first_seen(&subscriber.messages());
        assert!(seen.is_sorted(), "in order");
        arrived.extend(seen);
    }
    assert_eq!(arrived, (1..=900).collect::<BTreeSet<_>>());
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_that_are_lost_repeat_a_window_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(dir.path(), &Setup::default()).unwrap();
    let relay = Relay::start(broker.port).unwrap();
    let journal = Journal::new();
    let watching = broker.subscribe("doorward/+/door/+/event").unwrap();
    let gateway = Gateway::start(config(relay.port), &journal);
    gateway.wait_no_faults().await;
    relay.deafen(true);
    journal.taps(100, START);
    watching
        .wait(|messages| first_seen(messages).len() == WINDOW)
        .unwrap();
    relay.cut();
    relay.deafen(false);
    relay.open();
    journal.wait_cursor(100).await;
    let messages = watching
        .wait(|messages| first_seen(messages).len() == 100)
        .unwrap();
    assert_eq!(first_seen(&messages), (1..=100).collect::<Vec<_>>());
    assert_eq!(
        events(&messages).len(),
        100 + WINDOW,
        "the window came twice, nothing else did"
    );
    gateway.stop().await;
}
