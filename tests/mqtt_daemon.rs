//! Daemon and mosquitto: taps become messages whatever dies in between, and doors do not care.

use crate::{
    daemon_site::{ANA, Plan, STRANGER, Site, faults},
    harness::wait_for,
    mqtt_site::Authority,
};
use doorward_peers::{
    mosquitto::{Message, Mosquitto, Setup},
    osdp::Color,
    relay::Relay,
};
use serde_json::Value;
use std::collections::BTreeSet;

const FRONT: &str = "doorward/here/door/front/event";
const HEALTH: &str = "doorward/here/health";

fn mqtt(lines: &str) -> String {
    format!("[mqtt]\n{lines}\n")
}

fn plan(mqtt: String) -> Plan {
    Plan {
        more: mqtt,
        ..Plan::default()
    }
}

fn docs(messages: &[Message]) -> Vec<Value> {
    messages
        .iter()
        .filter(|message| message.topic == FRONT)
        .map(|message| serde_json::from_str(&message.payload).unwrap())
        .collect()
}

fn ids<'a>(docs: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    docs.into_iter()
        .map(|doc| doc["id"].as_str().unwrap().to_owned())
        .collect()
}

fn unsent(site: &Site) -> u64 {
    site.report()["sections"]["store"]["unsent"]["mqtt"]
        .as_u64()
        .unwrap()
}

#[track_caller]
fn delivered(site: &Site) {
    wait_for("the cursor", || match unsent(site) {
        0 => Ok(()),
        more => Err(more),
    });
}

#[test]
fn with_tls_and_a_user_taps_arrive_as_the_journal_has_them_though_the_broker_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "site");
    let setup = Setup {
        tls: Some(authority.listener(&["localhost"], false)),
        user: Some(("north".into(), "correct horse".into())),
    };
    let mut broker = Mosquitto::start(folder.path(), &setup).unwrap();
    let relay = Relay::start(broker.port).unwrap();
    let watching = broker.subscribe("doorward/#").unwrap();
    let mut site = Site::prepare(&plan(mqtt(&format!(
        "url = \"mqtts://localhost:{}\"\nca_file = \"{}\"\nusername = \"north\"\npassword = {{ file = \
         \"{{dir}}/password\" }}\nperson = \"name\"",
        relay.port,
        authority.ca.display()
    ))));
    site.gateway.secret("password", "correct horse");
    site.gateway.start();
    site.settle();
    assert_eq!((site.tap(ANA), site.tap(STRANGER)), (Color::Green, Color::Red));
    let messages = watching.wait(|messages| docs(messages).len() == 2).unwrap();
    assert!(messages.iter().all(|message| !message.retained));
    // What the building network gets is what the journal says, but for the masked card.
    let kept = site.presentations(2).into_iter().map(|mut event| {
        assert!(event.as_object_mut().unwrap().remove("credential").is_some());
        event
    });
    assert_eq!(docs(&messages), kept.collect::<Vec<_>>());
    delivered(&site);

    for round in 1..=3 {
        broker.kill();
        relay.cut();
        assert_eq!(site.tap(ANA), Color::Green, "the doors go on");
        broker.restart().unwrap();
        let watching = broker.subscribe(FRONT).unwrap();
        assert_eq!(site.tap(ANA), Color::Green);
        relay.open();
        let kept = site.presentations(2 + 2 * round);
        let expected = ids(kept.iter().rev().take(2));
        watching
            .wait(|messages| ids(&docs(messages)).is_superset(&expected))
            .unwrap();
        let sequences: Vec<u64> = docs(&watching.messages())
            .iter()
            .map(|doc| doc["sequence"].as_u64().unwrap())
            .collect();
        assert!(sequences.is_sorted(), "{sequences:?}");
        delivered(&site);
    }
    let late = broker.subscribe("doorward/#").unwrap();
    let retained = late.wait(|messages| !messages.is_empty()).unwrap();
    assert!(
        retained
            .iter()
            .all(|message| message.retained && message.topic == HEALTH)
    );
    site.gateway.stop();
}

#[test]
fn with_a_client_certificate_what_the_killed_daemon_had_not_sent_arrives_late() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "site");
    let setup = Setup {
        tls: Some(authority.listener(&["localhost"], true)),
        user: None,
    };
    let broker = Mosquitto::start(folder.path(), &setup).unwrap();
    let relay = Relay::start(broker.port).unwrap();
    let watching = broker.subscribe("doorward/#").unwrap();
    let (cert, key) = authority.issue("gateway", &[]);
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut site = Site::start(&plan(mqtt(&format!(
        "url = \"mqtts://localhost:{}\"\nca_file = \"{}\"\nclient_cert_file = \"{}\"\nclient_key_file = \
         \"{}\"\nlate_after_seconds = 1",
        relay.port,
        authority.ca.display(),
        cert.display(),
        key.display()
    ))));
    assert_eq!(site.tap(ANA), Color::Green);
    watching.wait(|messages| docs(messages).len() == 1).unwrap();

    relay.cut();
    site.fault("mqtt_unreachable");
    assert_eq!((site.tap(ANA), site.tap(ANA)), (Color::Green, Color::Green));
    let events = site.presentations(3);
    let last: jiff::Timestamp = events[2]["time"].as_str().unwrap().parse().unwrap();
    site.gateway.kill();
    wait_for("the events to be old", || {
        let stamp = folder.path().join("now");
        std::fs::write(&stamp, "").unwrap();
        let now = std::fs::metadata(&stamp)
            .and_then(|about| about.modified())
            .unwrap();
        let now = jiff::Timestamp::try_from(now).unwrap();
        if now.as_millisecond() > last.as_millisecond() + 1_000 {
            Ok(())
        } else {
            Err(now)
        }
    });
    relay.open();
    site.gateway.start();
    let messages = watching.wait(|messages| ids(&docs(messages)).len() == 3).unwrap();
    let told = docs(&messages);
    assert_eq!(ids(&told), ids(&events));
    for doc in &told[1..] {
        assert_eq!(doc["late"], true, "{doc}");
        assert_eq!(doc["person"], Value::Null, "nothing about people was asked for");
    }
    site.settle();
    assert_eq!(site.tap(ANA), Color::Green);
    watching
        .wait(|messages| docs(messages).last().is_some_and(|doc| doc["late"] == false))
        .unwrap();

    // The broker says it when the daemon is gone; a subscriber that comes later learns it too.
    site.gateway.kill();
    let will = |messages: &[Message]| {
        messages.iter().any(|message| {
            message.topic == HEALTH
                && message.payload.contains("\"online\":false")
                && message.payload.contains("connection_lost")
        })
    };
    watching.wait(will).unwrap();
    let later = broker.subscribe(HEALTH).unwrap();
    let messages = later.wait(|messages| !messages.is_empty()).unwrap();
    assert!(messages[0].retained && will(&messages), "{messages:?}");
}

#[test]
fn a_broker_that_refuses_is_not_who_it_says_or_is_wedged_is_a_fault_and_doors_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "site");
    let other = Authority::new(folder.path(), "other");
    let setup = Setup {
        tls: Some(authority.listener(&["localhost"], false)),
        user: Some(("north".into(), "correct horse".into())),
    };
    let broker = Mosquitto::start(folder.path(), &setup).unwrap();
    let watching = broker.subscribe("doorward/#").unwrap();
    let with = |ca: &Authority| {
        plan(mqtt(&format!(
            "url = \"mqtts://localhost:{}\"\nca_file = \"{}\"\nusername = \"north\"\npassword = {{ file = \
             \"{{dir}}/password\" }}\nack_timeout_seconds = 5",
            broker.port,
            ca.ca.display()
        )))
    };
    let mut site = Site::prepare(&with(&authority));
    site.gateway.secret("password", "wrong battery");
    site.gateway.start();
    site.settle();
    let text = site.fault("mqtt_refused");
    assert!(!text.contains("battery"), "{text}");
    assert_eq!(site.tap(ANA), Color::Green);

    // The secret's file is put right; only the MQTT part begins again.
    site.gateway.secret("password", "correct horse");
    site.gateway.signal("HUP");
    site.no_fault("mqtt_refused");
    watching.wait(|messages| docs(messages).len() == 1).unwrap();

    site.gateway.configure(&with(&other).text(&site.bus));
    site.fault("mqtt_tls");
    assert_eq!(site.tap(ANA), Color::Green);
    site.gateway.configure(&with(&authority).text(&site.bus));
    watching.wait(|messages| docs(messages).len() == 2).unwrap();
    site.no_fault("mqtt_tls");
    delivered(&site);

    broker.freeze().unwrap();
    assert_eq!(site.tap(ANA), Color::Green);
    wait_for("a fault of the wedged broker", || {
        let found = faults(&site.report());
        let told = found.iter().any(|(key, _)| key == "mqtt_stalled");
        if told { Ok(()) } else { Err(found) }
    });
    assert_eq!(site.tap(ANA), Color::Green);
    let events = site.events();
    let reader = events
        .iter()
        .filter(|event| event["kind"] == "reader_offline")
        .count();
    assert_eq!(reader, 0, "no line was disturbed: {events:?}");
    assert!(unsent(&site) > 0);
    site.gateway.stop();
}
