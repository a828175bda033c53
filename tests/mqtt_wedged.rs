//! A broker that keeps the connection and acknowledges nothing: the client is thrown away and made anew, and what
//! was on its way comes again.

use crate::mqtt_site::{Gateway, Journal, START, config};
use doorward_peers::stubborn_broker::{Mood, Publish, StubbornBroker};
use std::time::Duration;

fn seqs(published: &[Publish], connection: usize) -> Vec<u64> {
    let events = published
        .iter()
        .filter(|publish| publish.connection >= connection && publish.topic.ends_with("/event"));
    events
        .map(|publish| {
            serde_json::from_slice::<serde_json::Value>(&publish.payload).unwrap()["sequence"]
                .as_u64()
                .unwrap()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wedged_client_is_rebuilt_and_nothing_is_lost() {
    let broker = StubbornBroker::start(Mood::Wedged).unwrap();
    let journal = Journal::new();
    journal.taps(40, START);
    let mut config = config(broker.port);
    config.ack_timeout = Duration::from_millis(200);
    let gateway = Gateway::start(config, &journal);
    let fault = gateway.wait_fault("mqtt_stalled").await;
    assert!(fault.contains("acknowledged nothing for 0.2 s"), "{fault}");
    broker.wait_connections(2).unwrap();
    gateway
        .wait_health(|doc| {
            doc.sections
                .get("mqtt")
                .is_some_and(|mqtt| mqtt["rebuilt"].as_u64() >= Some(2))
        })
        .await;
    broker.turn(Mood::Good);
    journal.wait_cursor(40).await;
    gateway.wait_no_faults().await;
    let published = broker
        .wait_published(|published| seqs(published, 3).contains(&40))
        .unwrap();
    let last = published.iter().map(|publish| publish.connection).max().unwrap();
    assert_eq!(
        seqs(&published, last),
        (1..=40).collect::<Vec<_>>(),
        "all of it on the connection that worked"
    );
    assert!(
        published
            .iter()
            .all(|publish| publish.retain == publish.topic.ends_with("/health"))
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_never_answers_connect_is_given_up_and_tried_again() {
    let broker = StubbornBroker::start(Mood::Mute).unwrap();
    let journal = Journal::new();
    journal.taps(1, START);
    let mut config = config(broker.port);
    config.ack_timeout = Duration::from_secs(1);
    let gateway = Gateway::start(config, &journal);
    let fault = gateway.wait_fault("mqtt_unreachable").await;
    assert!(fault.contains("does not answer"), "{fault}");
    broker.wait_connections(2).unwrap();
    broker.turn(Mood::Good);
    journal.wait_cursor(1).await;
    gateway.wait_no_faults().await;
    gateway.stop().await;
}
