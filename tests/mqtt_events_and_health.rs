//! Events arrive in order and are not retained, health is, and the will tells of a crash: at a real mosquitto, over
//! TLS where a site would.

use crate::mqtt_site::{Authority, Gateway, Journal, START, config, events, first_seen, login};
use doorward::domain::{
    EventKind,
    event::{ClockQuality, Draft},
};
use doorward_peers::mosquitto::{Message, Mosquitto, Setup};
use std::time::Duration;

fn health(messages: &[Message]) -> Vec<serde_json::Value> {
    let docs = messages
        .iter()
        .filter(|message| message.topic == "doorward/test/health");
    docs.map(|message| serde_json::from_str(&message.payload).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_user_events_are_not_retained_and_health_is() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "site");
    let setup = Setup {
        tls: Some(authority.listener(&["localhost"], false)),
        user: Some(("north".into(), "correct horse".into())),
    };
    let broker = Mosquitto::start(dir.path(), &setup).unwrap();
    let watching = broker.subscribe("doorward/#").unwrap();
    let journal = Journal::new();
    journal.taps(100, START);
    journal.record(Draft::new(EventKind::Started, START, ClockQuality::Trusted));
    let mut config = config(broker.port);
    (config.host, config.tls, config.ca_file) = ("localhost".into(), true, Some(authority.ca.clone()));
    config.login = login("north", "correct horse");
    let gateway = Gateway::start(config, &journal);
    let messages = watching
        .wait(|messages| first_seen(messages).len() == 101)
        .unwrap();
    assert_eq!(first_seen(&messages), (1..=101).collect::<Vec<_>>());
    assert!(messages.iter().all(|message| !message.retained), "live messages");
    let topics: Vec<_> = messages.iter().map(|message| message.topic.as_str()).collect();
    assert!(
        topics.contains(&"doorward/test/door/front/event") && topics.contains(&"doorward/test/system/event")
    );
    journal.wait_cursor(101).await;

    // Who comes later gets the health document and no old event.
    gateway.wait_no_faults().await;
    let later = broker.subscribe("doorward/#").unwrap();
    let messages = later.wait(|messages| !messages.is_empty()).unwrap();
    assert!(
        events(&messages).is_empty() && messages[0].retained,
        "{messages:?}"
    );
    assert_eq!(health(&messages)[0]["online"], true);
    assert_eq!(health(&messages)[0]["sections"]["mqtt"]["connected"], true);

    // A fault is told within a moment.
    gateway
        .health
        .raise("reader_offline:front", "The reader front is gone.", START);
    let told = |messages: &[Message]| {
        health(messages)
            .iter()
            .any(|doc| doc["faults"][0]["key"] == "reader_offline:front" && doc["ok"] == false)
    };
    later.wait(told).unwrap();
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_opens_the_broker() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "site");
    let setup = Setup {
        tls: Some(authority.listener(&["127.0.0.1"], true)),
        user: None,
    };
    let broker = Mosquitto::start(dir.path(), &setup).unwrap();
    let watching = broker.subscribe("doorward/+/door/+/event").unwrap();
    let journal = Journal::new();
    let mut config = config(broker.port);
    (config.tls, config.ca_file) = (true, Some(authority.ca.clone()));
    config.client_cert = Some(authority.issue("gateway-north", &[]));
    let gateway = Gateway::start(config, &journal);
    gateway.wait_no_faults().await;
    journal.taps(5, START);
    let messages = watching.wait(|messages| first_seen(messages).len() == 5).unwrap();
    assert_eq!(first_seen(&messages), [1, 2, 3, 4, 5]);
    assert!(
        broker
            .log()
            .all()
            .iter()
            .any(|line| line.contains("u'gateway-north'")),
        "known by its certificate"
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_will_tells_of_a_crash_and_a_stop_says_so_itself() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(dir.path(), &Setup::default()).unwrap();
    let watching = broker.subscribe("doorward/test/health").unwrap();
    let journal = Journal::new();
    let gateway = Gateway::start(config(broker.port), &journal);
    watching
        .wait(|messages| health(messages).iter().any(|doc| doc["online"] == true))
        .unwrap();
    gateway.kill().await;
    watching
        .wait(|messages| health(messages).iter().any(|doc| doc["why"] == "connection_lost"))
        .unwrap();
    let later = broker.subscribe("doorward/test/health").unwrap();
    let messages = later.wait(|messages| !messages.is_empty()).unwrap();
    assert!(
        messages[0].retained && health(&messages)[0]["online"] == false,
        "{messages:?}"
    );

    let gateway = Gateway::start(config(broker.port), &journal);
    gateway.wait_no_faults().await;
    journal.taps(40, START);
    let left = gateway.stop().await;
    assert!(left.doc().faults.is_empty() && left.doc().sections["mqtt"]["connected"] == false);
    let messages = watching
        .wait(|messages| health(messages).iter().any(|doc| doc["why"] == "stopped"))
        .unwrap();
    let lost = health(&messages)
        .iter()
        .filter(|doc| doc["why"] == "connection_lost")
        .count();
    assert_eq!(lost, 1, "no will after a farewell");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_waited_is_late_and_a_new_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::start(dir.path(), &Setup::default()).unwrap();
    let journal = Journal::new();
    let gateway = Gateway::start(config(broker.port), &journal);
    gateway.wait_no_faults().await;
    broker.kill();
    gateway.wait_fault("mqtt_unreachable").await;
    journal.taps(1, START);
    gateway.clock.advance(Duration::from_secs(121));
    journal.taps(1, gateway.clock.now().at);
    broker.restart().unwrap();
    let watching = broker.subscribe("doorward/#").unwrap();
    gateway.wait_no_faults().await;
    journal.taps(1, gateway.clock.now().at);
    let messages = watching
        .wait(|messages| first_seen(messages).contains(&3))
        .unwrap();
    // The gateway may have been back before the subscriber: what it got is marked rightly all the same.
    for event in events(&messages) {
        assert_eq!(event["late"], event["sequence"] == 1, "{event}");
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_goes_on_behind_the_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(dir.path(), &Setup::default()).unwrap();
    let watching = broker.subscribe("#").unwrap();
    let journal = Journal::new();
    let gateway = Gateway::start(config(broker.port), &journal);
    journal.taps(50, START);
    journal.wait_cursor(50).await;
    gateway.stop().await;
    journal.taps(50, START);
    let mut new = config(broker.port);
    new.topic = "building/doors".into();
    let gateway = Gateway::start(new, &journal);
    journal.wait_cursor(100).await;
    let messages = watching
        .wait(|messages| first_seen(messages).len() == 100)
        .unwrap();
    assert_eq!(events(&messages).len(), 100, "nothing came twice");
    let new_topic = messages
        .iter()
        .filter(|message| message.topic == "building/doors/door/front/event")
        .count();
    assert_eq!(new_topic, 50);
    gateway.stop().await;
}
