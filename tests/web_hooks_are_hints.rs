//! With a poll once an hour and a cloud that gives no hints of its own, what brings a change to the door is a web hook.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::cloud_site::{CloudSite, Plan, card, members};
use crate::harness::wait_for;
use doorward_peers::cloud::{
    Faults, Pass,
    hooks::{Delivery, now, post},
};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &str = "0123456789abcdef-secret";

/// A started site that listens for web hooks, and the secret address.
fn site(members_at_first: usize) -> (CloudSite, String) {
    let mut plan = Plan {
        tables: "[hooks]\nlisten = \"127.0.0.1:0\"\npath_secret = { file = \"{dir}/hooks-path\" }\n".into(),
        ..Plan::default()
    };
    plan.options.world = members(members_at_first);
    let mut site = CloudSite::new(plan);
    site.gateway.secret("hooks-path", SECRET);
    site.cloud.faults(Faults {
        no_changes: true,
        ..Faults::default()
    });
    site.gateway.start();
    site.settle();
    let address = address(&site);
    (site, address)
}

fn address(site: &CloudSite) -> String {
    let listening = wait_for("the receiver", || {
        let hooks = site.report()["sections"]["hooks"].clone();
        hooks["listening"].as_str().map(str::to_owned).ok_or(hooks)
    });
    format!("http://{listening}/hooks/{SECRET}")
}

/// What the receiver shows once it shows this.
fn counted(site: &CloudSite, what: &str, count: u64) -> Value {
    wait_for(what, || {
        let hooks = site.report()["sections"]["hooks"].clone();
        if hooks[what] == count {
            Ok(hooks)
        } else {
            Err(hooks)
        }
    })
}

fn join(site: &CloudSite, number: usize) {
    site.cloud.edit(|world| {
        world.member(
            &format!("p{number}"),
            "New",
            &format!("uid:{}", card(number)),
            "Hot desk",
        );
    });
}

#[test]
fn a_web_hook_brings_a_change_to_the_door() {
    let (site, address) = site(2_000);
    site.cloud.send_hooks_to(&address);
    for number in 2_000..2_003 {
        join(&site, number);
        site.wait_for_reason(number, "granted_plan");
    }
    counted(&site, "heard", 3);
}

#[test]
fn what_is_forged_old_or_sent_again_fetches_nothing() {
    let (site, address) = site(1);
    let token = site.cloud.token().to_owned();
    let body = json!({ "version": 9 });
    let quiet = site.cloud.requests();

    assert_eq!(post(&address, &[], b"{}").unwrap(), 401, "unsigned");
    let forged = Delivery::signed("another token", now(), &body);
    assert_eq!(forged.send(&address).unwrap(), 401);
    let old = Delivery::signed(&token, now() - 400, &body);
    assert_eq!(old.send(&address).unwrap(), 401);
    let changed = Delivery {
        body: "{\"version\":10}".into(),
        ..Delivery::signed(&token, now(), &body)
    };
    assert_eq!(changed.send(&address).unwrap(), 401);
    assert_eq!(
        Delivery::signed(&token, now(), &json!([]))
            .send(&address)
            .unwrap(),
        400
    );
    let elsewhere = address.replace(SECRET, "0123456789abcdef-guessed");
    let right = Delivery::signed(&token, now(), &body);
    assert_eq!(right.send(&elsewhere).unwrap(), 404);
    assert_eq!(right.send(&address.replace("/hooks/", "/other/")).unwrap(), 404);
    assert_eq!(right.send(&format!("{address}/groups")).unwrap(), 404);
    let large = vec![b' '; 2 << 20];
    assert_eq!(post(&address, &[], &large).unwrap(), 413);
    let hooks = counted(&site, "refused", 5);
    assert_eq!(
        (&hooks["heard"], &hooks["strangers"]),
        (&0.into(), &2.into()),
        "{hooks}"
    );
    assert_eq!(site.cloud.requests(), quiet, "nobody made the gateway ask");
    let fault = wait_for("the fault", || {
        let report = site.report();
        let faults = report["faults"].as_array().unwrap().clone();
        let found = faults.iter().find(|fault| fault["key"] == "hook_refused");
        found.cloned().ok_or(report)
    });
    assert!(
        fault["text"].as_str().unwrap().contains("5 since the start"),
        "{fault}"
    );

    assert_eq!(right.send(&address).unwrap(), 204);
    assert!(
        site.cloud
            .wait(Duration::from_secs(10), |cloud| cloud.requests() > quiet)
    );
    let heard = counted(&site, "heard", 1);
    assert_eq!(heard["replayed"], 0);
    let quiet = site.cloud.requests();
    assert_eq!(right.send(&address).unwrap(), 204, "answered as the first was");
    counted(&site, "replayed", 1);
    assert_eq!(site.cloud.requests(), quiet, "and does nothing");

    let mut site = site;
    site.gateway.kill();
    site.gateway.start();
    let address = self::address(&site);
    assert_eq!(right.send(&address).unwrap(), 204);
    let hooks = counted(&site, "replayed", 1);
    assert_eq!(hooks["heard"], 0, "a restart does not forget: {hooks}");
    let log = site.gateway.log();
    assert!(!log.contains(SECRET) && !log.contains("\"version\""), "{log}");
}

#[test]
fn a_flood_from_one_address_is_refused_and_harmless() {
    let (site, address) = site(1);
    let token = site.cloud.token().to_owned();
    let mut answers = std::collections::BTreeMap::new();
    for version in 0..330 {
        let delivery = Delivery::signed(&token, now(), &json!({ "version": version }));
        *answers.entry(delivery.send(&address).unwrap()).or_insert(0) += 1;
    }
    assert_eq!(answers[&204], 300, "{answers:?}");
    assert_eq!(answers[&429], 30, "{answers:?}");
    let before = site.cloud.requests();
    assert!(before < 60, "{before} requests: a burst of hints is one fetch");
    assert_eq!(site.tapped(0), "granted_plan");
}

/// R28, S3:73: whoever is checked in stays so for as long as the pass runs. The cloud says in its facts what a check-in
/// came to; with a poll once an hour somebody has to look.
#[test]
fn a_pass_that_an_entry_began_is_known_at_once() {
    let (site, _) = site(1);
    site.cloud.edit(|world| {
        for membership in &mut world.memberships {
            membership.pass_based = true;
        }
        world.passes.push(Pass {
            id: "pass-1".into(),
            kind: "Day pass".into(),
            person: Some("p0".into()),
            left: Some(1),
            ..Pass::default()
        });
    });
    let (status, said) = site.sync_now();
    assert_eq!(status, 0, "{said}");
    assert!(site.tapped(0).starts_with("granted"));
    site.settle(); // the version that the entry made: one pass less, and it runs
    assert!(site.cloud.edit(|world| world.passes[0].running_until.is_some()));
    assert!(
        site.tapped(0).starts_with("granted"),
        "the last pass opens until it has run out (R23)"
    );
}

#[test]
fn what_a_person_asks_of_the_sync_is_answered() {
    let (site, address) = site(1);
    let token = site.cloud.token().to_owned();
    let delivery = Delivery::signed(&token, now(), &json!({ "version": 9 }));
    assert_eq!(delivery.send(&address).unwrap(), 204);
    let shown = wait_for("a refresh", || {
        let (status, shown, error) = site.gateway.command(&["sync", "status"]);
        assert_eq!(status, 0, "{error}");
        if shown.contains("1 hint, 1 fetch") && shown.contains("heard") {
            Ok(shown)
        } else {
            Err(shown)
        }
    });
    assert!(
        shown.contains("without TLS, behind a proxy of this machine"),
        "{shown}"
    );
    assert!(!shown.contains(SECRET), "{shown}");
}

/// What TLS at this address shows as its certificate, and the status of a POST through it.
fn through_tls(address: &str, trusted: &[u8], path: &str) -> (Vec<u8>, String) {
    use std::io::{Read, Write};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.to_vec().into()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = rustls::ClientConnection::new(config.into(), name).unwrap();
    let socket = std::net::TcpStream::connect(address).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, socket);
    let request =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let mut answer = String::new();
    if stream.write_all(request.as_bytes()).is_ok() {
        let _ = stream.read_to_string(&mut answer); // some servers end without a goodbye
    }
    let shown = stream.conn.peer_certificates().map(|all| all[0].to_vec());
    (shown.unwrap_or_default(), answer)
}

#[test]
fn a_certificate_that_was_renewed_is_used_without_a_restart_and_a_broken_one_is_not() {
    let mut plan = Plan {
        tables: "[hooks]\nlisten = \"127.0.0.1:0\"\npath_secret = { file = \"{dir}/hooks-path\" }\n\
                 cert_file = \"{dir}/cert.pem\"\nkey_file = \"{dir}/key.pem\"\n"
            .into(),
        ..Plan::default()
    };
    plan.options.world = members(1);
    let mut site = CloudSite::new(plan);
    site.gateway.secret("hooks-path", SECRET);
    let renew = |site: &CloudSite| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        site.gateway.secret("key.pem", &made.signing_key.serialize_pem());
        site.gateway.secret("cert.pem", &made.cert.pem());
        made.cert.der().to_vec()
    };
    let first = renew(&site);
    site.gateway.start();
    site.settle();
    let listening = address(&site);
    let listening = listening.split('/').nth(2).unwrap();
    let path = format!("/hooks/{SECRET}");
    let (shown, answer) = through_tls(listening, &first, &path);
    assert_eq!(shown, first);
    assert!(answer.starts_with("HTTP/1.1 401"), "unsigned: {answer}");
    assert!(
        post(&format!("http://{listening}{path}"), &[], b"{}").is_err(),
        "nothing in the clear"
    );

    let second = renew(&site);
    wait_for("the renewed certificate", || {
        let (shown, _) = through_tls(listening, &second, &path);
        if shown == second {
            Ok(())
        } else {
            Err("the old one")
        }
    });
    site.gateway.secret("cert.pem", "no certificate");
    let fault = wait_for("the fault", || {
        let report = site.report();
        let faults = report["faults"].as_array().unwrap().clone();
        let found = faults.iter().find(|fault| fault["key"] == "hooks_unreachable");
        found.cloned().ok_or(report)
    });
    let text = fault["text"].as_str().unwrap();
    assert!(
        text.contains("the last one is still in use") && text.contains("cert.pem"),
        "{text}"
    );
    assert_eq!(through_tls(listening, &second, &path).0, second);
}
