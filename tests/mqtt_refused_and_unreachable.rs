//! A broker that says no, that cannot be believed, or that is not there: each a fault that says what happened, where,
//! and what to do next.

use crate::mqtt_site::{Authority, Gateway, Journal, START, config, login};
use doorward::config::model::MqttConfig;
use doorward_peers::{
    mosquitto::{Mosquitto, Setup},
    stubborn_broker::{Mood, StubbornBroker},
};
use std::net::TcpListener;

/// Starts with a configuration that must fail, and returns the fault's text.
async fn fault(config: MqttConfig, key: &str) -> String {
    let journal = Journal::new();
    journal.taps(1, START);
    let gateway = Gateway::start(config, &journal);
    let text = gateway.wait_fault(key).await;
    let doc = gateway.stop().await.doc();
    assert_eq!(
        (doc.faults.len(), &doc.sections["mqtt"]["connected"]),
        (0, &false.into()),
        "nothing stays behind"
    );
    assert!(!text.contains("wrong horse"), "no password in {text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named_and_mended_by_a_new_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let setup = Setup {
        tls: None,
        user: Some(("north".into(), "correct horse".into())),
    };
    let broker = Mosquitto::start(dir.path(), &setup).unwrap();
    let mut config = config(broker.port);
    config.login = login("north", "wrong horse");
    let text = fault(config.clone(), "mqtt_refused").await;
    assert!(
        text.contains("user north") && text.contains("Check [mqtt] username and password"),
        "{text}"
    );
    config.login = None;
    let text = fault(config.clone(), "mqtt_refused").await;
    assert!(text.contains("no user name"), "{text}");

    config.login = login("north", "correct horse");
    let journal = Journal::new();
    journal.taps(1, START);
    let gateway = Gateway::start(config, &journal);
    journal.wait_cursor(1).await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_words() {
    for (code, words) in [
        (1, "MQTT 3.1.1"),
        (2, "client id"),
        (3, "not available"),
        (4, "password"),
        (5, "password"),
    ] {
        let broker = StubbornBroker::start(Mood::Refusing(code)).unwrap();
        let text = fault(config(broker.port), "mqtt_refused").await;
        assert!(
            text.contains(words) && text.contains(&broker.port.to_string()),
            "{code}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_does_not_verify_is_no_connection() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (
        Authority::new(dir.path(), "ours"),
        Authority::new(dir.path(), "theirs"),
    );
    let setup = Setup {
        tls: Some(theirs.listener(&["localhost"], false)),
        user: None,
    };
    let broker = Mosquitto::start(dir.path(), &setup).unwrap();
    let mut config = config(broker.port);
    (config.host, config.tls, config.ca_file) = ("localhost".into(), true, Some(ours.ca.clone()));
    let text = fault(config.clone(), "mqtt_tls").await;
    assert!(
        text.contains("none of them issued it") && text.contains("ours/ca.pem"),
        "{text}"
    );

    config.ca_file = None;
    let text = fault(config.clone(), "mqtt_tls").await;
    assert!(text.contains("the system's authorities"), "{text}");

    (config.host, config.ca_file) = ("127.0.0.1".into(), Some(theirs.ca.clone()));
    let text = fault(config.clone(), "mqtt_tls").await;
    assert!(text.contains("was not issued for 127.0.0.1"), "{text}");

    config.port = broker.plain_port;
    let text = fault(config.clone(), "mqtt_tls").await;
    assert!(text.contains("TLS port"), "{text}");

    (config.tls, config.port) = (false, broker.port);
    let text = fault(config, "mqtt_unreachable").await;
    assert!(text.contains("whether it wants TLS"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_the_broker_does_not_know_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (site, other) = (
        Authority::new(dir.path(), "site"),
        Authority::new(dir.path(), "other"),
    );
    let setup = Setup {
        tls: Some(site.listener(&["localhost"], true)),
        user: None,
    };
    let broker = Mosquitto::start(dir.path(), &setup).unwrap();
    let mut config = config(broker.port);
    (config.host, config.tls, config.ca_file) = ("localhost".into(), true, Some(site.ca.clone()));
    for client_cert in [None, Some(other.issue("stranger", &[]))] {
        config.client_cert = client_cert;
        let text = fault(config.clone(), "mqtt_tls").await;
        assert!(text.contains("client_cert_file"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "site");
    let (cert, key) = authority.issue("gateway", &[]);
    let (_, other_key) = authority.issue("other", &[]);
    let mut config = config(1);
    config.tls = true;
    config.ca_file = Some(dir.path().join("missing.pem"));
    assert!(
        fault(config.clone(), "mqtt_config")
            .await
            .contains("missing.pem ([mqtt] ca_file)")
    );
    config.ca_file = Some(key.clone());
    assert!(
        fault(config.clone(), "mqtt_config")
            .await
            .contains("holds no certificate")
    );
    config.ca_file = Some(authority.ca.clone());
    config.client_cert = Some((cert.clone(), authority.ca.clone()));
    assert!(
        fault(config.clone(), "mqtt_config")
            .await
            .contains("client_key_file")
    );
    config.client_cert = Some((cert, other_key));
    assert!(
        fault(config.clone(), "mqtt_config")
            .await
            .contains("cannot be used together")
    );
    config.topic = "doorward/#".into();
    assert!(fault(config, "mqtt_config").await.contains("[mqtt] topic"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_is_named_and_found_when_it_comes() {
    let mut unknown = config(1883);
    unknown.host = "no-such-broker.invalid".into();
    let text = fault(unknown, "mqtt_unreachable").await;
    assert!(
        text.contains("host name") && text.contains("no-such-broker.invalid"),
        "{text}"
    );

    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let text = fault(config(port), "mqtt_unreachable").await;
    assert!(
        text.contains("Nothing listens at the MQTT broker 127.0.0.1"),
        "{text}"
    );
}
