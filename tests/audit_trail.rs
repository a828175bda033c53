//! The audit trail: what is done to its rows shows, a death at any instant leaves it whole, and what a damaged card takes is
//! explained.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    harness::wait_for,
    page_site::{PASSWORD, PageSite},
};
use doorward::{
    clock::Clock,
    health::Health,
    store::{AuditDraft, Store, StoreOptions},
};
use rusqlite::Connection;
use std::{fs, path::Path, time::Duration};

/// A stopped gateway with a trail of some length.
fn stopped() -> PageSite {
    let mut site = PageSite::start();
    site.boss();
    for number in 0..6 {
        site.gateway
            .json(&["staff", "add", &format!("p{number}"), "--role", "viewer"]);
    }
    site.gateway.stop();
    site
}

fn journal(site: &PageSite, sql: &str) {
    let db = Connection::open(site.gateway.path().join("state/journal.db")).unwrap();
    assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn a_row_that_was_altered_taken_out_or_put_in_shows() {
    let mut site = stopped();
    let verify = |site: &PageSite| site.gateway.command(&["audit", "verify"]);
    let (status, whole, _) = verify(&site);
    assert!(status == 0 && whole.contains("8 records, 1 to 8"), "{whole}");
    let original = site.gateway.path().join("state/journal.db");
    let copy = fs::read(&original).unwrap();
    for (sql, words) in [
        ("UPDATE audit SET outcome = 'refused' WHERE seq = 4", "record 4 was altered"),
        ("UPDATE audit SET at = at + 1 WHERE seq = 8", "record 8 was altered"),
        ("DELETE FROM audit WHERE seq = 5", "record 5 is missing in the middle"),
        ("DELETE FROM audit WHERE seq < 3", "records 1 to 2 are missing at the beginning"),
        ("DELETE FROM audit WHERE seq > 6", "records 7 to 8 are missing at the end"),
        ("DELETE FROM audit WHERE seq = 8", "record 8 is missing at the end"),
        (
            "INSERT INTO audit SELECT 9, at, actor, role, action, subject, outcome, address, sum, zeroblob(32)
             FROM audit WHERE seq = 8",
            "appended by another hand",
        ),
    ] {
        journal(&site, sql);
        let (status, text, _) = verify(&site);
        assert!(status == 1 && text.contains(words), "{sql}: {text}");
        fs::write(&original, &copy).unwrap();
    }
    journal(&site, "DELETE FROM audit WHERE seq > 6");
    site.gateway.start();
    site.gateway.json(&["staff", "remove", "p1"]);
    let (status, text, _) = verify(&site);
    assert!(
        status == 1 && text.contains("records 7 to 8 are missing in the middle"),
        "{text}"
    );
    let gap = site.trail().into_iter().find(|it| it[1] == "audit.gap");
    assert!(gap.expect("a record about it")[2].contains("records 7 to 8 are missing"));
    assert!(
        site.gateway.json(&["staff"])["accounts"].is_array(),
        "and everything goes on"
    );
}

#[test]
fn a_trail_is_whole_whenever_the_gateway_is_killed() {
    let mut site = PageSite::start();
    site.boss();
    let mut confirmed = Vec::new();
    for round in 0..6 {
        let (address, client) = (site.address(), site.client());
        let boss = site.sign_in("boss", PASSWORD);
        let cookie = format!("__Host-doorward={}", boss.cookie);
        let killer = {
            let pid = site.gateway.pid();
            std::thread::spawn(move || {
                std::thread::park_timeout(Duration::from_millis(40 + 25 * round));
                let _ = std::process::Command::new("kill")
                    .args(["-9", &pid.to_string()])
                    .status();
            })
        };
        for number in 0..1_000 {
            // Sessions that nobody has: no hash to wait for, so that the trail is what is being written.
            let name = format!("oidc:r{round}-{number}");
            let request = client
                .delete(format!("{address}/api/v1/staff/{name}/sessions"))
                .header("cookie", &cookie)
                .header("x-doorward", "1");
            match site.block_on(request.send()) {
                Ok(answer) if answer.status() == 204 => confirmed.push(name),
                _ => break,
            }
        }
        killer.join().unwrap();
        site.gateway.kill();
        let whole = site.gateway.json(&["audit", "verify"]);
        assert_eq!(whole["flaws"], serde_json::json!([]), "round {round}");
        site.gateway.start();
    }
    let (_, out, _) = site
        .gateway
        .command(&["audit", "list", "--json", "--limit", "20000"]);
    assert!(confirmed.len() > 6, "{}", confirmed.len());
    for name in &confirmed {
        assert!(
            out.contains(&format!("\"{name}\"")),
            "{name} was confirmed and is not there"
        );
    }
    let whole = site.gateway.json(&["audit", "verify"]);
    assert_eq!(whole["flaws"], serde_json::json!([]));
    assert!(!out.contains("audit.gap"), "nothing to explain");
}

/// Overwrites the page of the journal that has this text.
fn garble(dir: &Path, text: &str) {
    const PAGE: usize = 1_024;
    let path = dir.join("state/journal.db");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes
        .windows(text.len())
        .position(|it| it == text.as_bytes())
        .unwrap();
    let page = at / PAGE * PAGE;
    bytes[page..page + PAGE].fill(0xA5);
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_a_damaged_card_takes_from_the_trail_is_seen_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(dir.path().join("state"), dir.path().join("run"));
    let open = || {
        Store::open(&options, &Clock::system(true, 0), &Health::default())
            .unwrap()
            .0
    };
    let draft = |number: u64| AuditDraft {
        actor: format!("actor-{number:04}"),
        action: "door.opened".into(),
        ..AuditDraft::default()
    };
    let store = open();
    for number in 1..=120 {
        store.audit(&draft(number)).unwrap();
    }
    drop(store);
    garble(dir.path(), "actor-0060");
    let store = open();
    let verdict = wait_for("the rest of the trail", || match store.read().audit_verify() {
        Ok(verdict) if verdict.records > 100 => Ok(verdict),
        other => Err(other.map_err(|error| error.to_string())),
    });
    assert_eq!((verdict.first, verdict.last), (1, 120));
    assert!(
        verdict
            .flaws
            .iter()
            .any(|flaw| flaw.text.contains("missing in the middle")),
        "{verdict:?}"
    );
    assert_eq!(store.audit(&draft(121)).unwrap(), 121, "the chain goes on");
    let after = store.read().audit_verify().unwrap();
    assert_eq!(
        (after.last, after.flaws),
        (121, verdict.flaws),
        "and the gap stays in sight"
    );
}
