//! The login at SALTO by an installer's browser: the gateway keeps tokens that it renews, says when they were taken from it,
//! and goes on after another login. A system user's tokens that were revoked are simply fetched again.

use crate::{
    harness::wait_for,
    ks_house::{House, KsSite, Plan, person},
};
use doorward_peers::cloud::World;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

fn site(by_code: bool) -> KsSite {
    let mut world = World::default();
    for number in 0..3 {
        person(&mut world, number, "Hot desk");
    }
    KsSite::start(Plan {
        world,
        house: House::small(),
        by_code,
        ..Plan::default()
    })
}

/// A browser opens an address: the first line of the answer.
fn browse(address: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

/// `doorward ks connect`, and somebody who logs in at the address that it shows.
#[track_caller]
pub(crate) fn connected(site: &KsSite, more: &[&str]) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("--config")
        .arg(site.gateway.config_path())
        .args(["ks", "connect", "--listen", "127.0.0.1:0", "--yes", "--json"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut said = Vec::new();
    let address = lines
        .by_ref()
        .inspect(|line| said.push(line.clone()))
        .find(|line| line.starts_with("http"));
    let address = address.unwrap_or_else(|| panic!("no address: {said:?}"));
    assert!(address.starts_with(&site.ks.identity_url()), "{address}");
    let back = site.ks.log_in(&address).expect("SALTO sends the browser back");
    assert!(browse(&back).contains(" 200 "));
    let output = child.wait_with_output().unwrap();
    let rest: Vec<String> = lines.collect();
    assert!(
        output.status.success(),
        "{} {rest:?} {}",
        output.status,
        String::from_utf8_lossy(&output.stdout)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn fault(site: &KsSite, key: &str) -> Option<String> {
    let report = site.gateway.report();
    let faults = report["faults"].as_array().unwrap().iter();
    let mut found = faults.filter(|fault| fault["key"] == key);
    found
        .next()
        .map(|fault| fault["text"].as_str().unwrap().to_owned())
}

#[test]
fn a_login_is_kept_over_a_restart_and_another_one_cures_a_revoked_one() {
    let mut site = site(true);
    let text = wait_for("the fault of nobody's login", || {
        fault(&site, "ks_login").ok_or(())
    });
    assert!(text.contains("doorward ks connect"), "{text}");
    let seen = connected(&site, &[]);
    assert_eq!(seen["site"]["name"], "Riverside", "{seen}");
    site.applied();
    site.wait_in_step();
    // The file of tokens is what a restart needs, and not the password.
    site.gateway.stop();
    site.ks.forget_asked();
    site.gateway.start();
    site.cloud.edit(|world| person(world, 3, "Hot desk"));
    site.ks.add_tag(&crate::ks_house::tag(3));
    site.wait_in_step();
    let asked = site.ks.asked();
    assert!(asked.iter().all(|asked| asked.path != "/connect/authorize"));
    // Somebody takes the gateway's access away at SALTO.
    site.ks.revoke_tokens(true);
    wait_for("the fault", || fault(&site, "ks_login").ok_or(()));
    site.cloud.edit(|world| person(world, 4, "Hot desk"));
    site.ks.add_tag(&crate::ks_house::tag(4));
    connected(&site, &[]);
    site.wait_in_step();
    wait_for("the end of the fault", || match fault(&site, "ks_login") {
        None => Ok(()),
        Some(text) => Err(text),
    });
    // Nothing of it stands in the log.
    let log = site.gateway.log();
    for secret in site.ks.with(|state| {
        state
            .identity
            .tokens
            .keys()
            .chain(state.identity.refresh.keys())
            .cloned()
            .collect::<Vec<_>>()
    }) {
        assert!(!log.contains(&secret));
    }
}

#[test]
fn tokens_of_a_system_user_are_fetched_again_when_they_end() {
    let site = site(false);
    site.applied();
    site.wait_in_step();
    let logins = |site: &KsSite| {
        site.ks
            .asked()
            .iter()
            .filter(|asked| asked.path == "/connect/token")
            .count()
    };
    for revoked in [true, false] {
        let before = logins(&site);
        if revoked {
            site.ks.revoke_tokens(true);
        } else {
            site.ks.advance(Duration::from_secs(3_601));
        }
        wait_for("another token", || match logins(&site) {
            now if now > before => Ok(()),
            now => Err(now),
        });
        assert!(logins(&site) <= before + 2, "one login at a time");
    }
    assert_eq!(fault(&site, "ks_login"), None);
    site.wait_in_step();
}
