//! A lock at SALTO KS is opened from the command line, the page and the API by the same rules, each time with one
//! `remote_release` in the journal and a line in the audit trail.

use crate::{
    harness::wait_for,
    page_site::{PageSite, Signed},
};
use doorward_peers::{cloud::Cloud, ks::Ks};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Site {
    ks: Ks,
    page: PageSite,
    _secrets: TempDir,
}

/// The local doors of the page's site, "vault" at KS, and "hall", which becomes one of KS later.
fn site(more: &str) -> Site {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    ks.with(|state| state.iqs.iter_mut().for_each(|iq| iq.otp_enabled = false));
    let section = ks.ks_section(secrets.path()).unwrap();
    let mut page = PageSite::prepared(&format!(
        "listen = \"127.0.0.1:0\"\n{section}{more}\n[[door]]\nid = \"vault\"\nname = \"Vault\"\nks_lock = \"Front door\"\n\
         [[door]]\nid = \"hall\"\n#ks_lock = \"Side door\"\n"
    ));
    page.gateway.start();
    Site {
        ks,
        page,
        _secrets: secrets,
    }
}

impl Site {
    fn kinds(&self, kind: &str) -> Vec<Value> {
        let mut events = self.page.gateway.events();
        events.retain(|event| event["kind"] == kind);
        events
    }

    /// Waits until KS's own entries of so many openings are in the journal.
    #[track_caller]
    fn heard(&self, count: usize) {
        wait_for("what KS tells", || {
            let noted = self.kinds("lock_noted");
            if noted.len() >= count {
                Ok(())
            } else {
                Err(self.page.gateway.events())
            }
        });
    }

    fn by_hand(&self) -> (i32, String) {
        let (status, _, error) = self.page.gateway.command(&["ks", "open", "--door", "vault"]);
        (status, error)
    }

    /// How often KS was asked to open.
    fn asked(&self) -> usize {
        let asked = self.ks.asked();
        asked
            .iter()
            .filter(|asked| asked.path.ends_with("/locking"))
            .count()
    }

    /// Waits until the entries are heard from then on.
    fn listening(&self) {
        wait_for("the stream", || match self.ks.streams().0 {
            0 => Err("none"),
            _ => Ok(()),
        });
    }
}

fn details(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event["detail"].as_str())
        .collect()
}

#[test]
fn the_page_the_api_and_the_command_line_open_alike_and_one_opening_is_one_release() {
    let site = site("");
    let boss = site.page.boss();
    let (desk, viewer) = (
        site.page.account("dan", "desk"),
        site.page.account("vic", "viewer"),
    );
    site.listening();
    let open = |who: &Signed<'_>, door: &str| who.post(&format!("/api/v1/doors/{door}/open"), &json!({}));
    assert_eq!(open(&viewer, "vault").status, 403);
    assert_eq!(open(&desk, "cellar").status, 404);
    assert_eq!(
        site.page.gateway.command(&["ks", "open", "--door", "cellar"]).0,
        1
    );
    assert_eq!(site.asked(), 0, "what is refused here is not asked there");
    let opened = open(&desk, "vault");
    assert_eq!(opened.status, 200, "{opened:?}");
    let made = boss.post(
        "/api/v1/tokens",
        &json!({ "name": "bell", "scopes": ["doors:open"] }),
    );
    let token = made.json()["secret"].as_str().unwrap().to_owned();
    let url = format!("{}/api/v1/doors/vault/open", boss.address);
    let request = site.page.client().post(url).bearer_auth(token);
    let answer = site
        .page
        .send(request.header("content-type", "application/json").body("{}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let (status, error) = site.by_hand();
    assert_eq!(status, 0, "{error}");
    site.heard(3);
    let releases = site.kinds("remote_release");
    let said = details(&releases);
    assert_eq!(said.len(), 3, "one each: {releases:?}");
    for (said, who) in said.iter().zip(["dan at the page", "bell", "of this machine"]) {
        assert!(said.contains("asked for by") && said.contains(who), "{said}");
    }
    let noted = site.kinds("lock_noted");
    assert_eq!(details(&noted), ["opened from afar by this gateway"; 3]);
    // Somebody else opens it at SALTO: that is a release of its own.
    let other = site.ks.add_user_by_hand("Olga Other", None);
    let other = site.ks.with(|state| {
        let user = state
            .users
            .iter()
            .find(|user| user.id == other || user.platform == other);
        user.map(|user| user.platform.clone())
    });
    site.ks.add_entry("Front door", site.ks.now(), |entry| {
        (entry.by, entry.user) = (Some("remote".into()), other);
    });
    wait_for("the other's release", || {
        match site.kinds("remote_release").len() {
            4 => Ok(()),
            count => Err(count),
        }
    });
    let trail = site.page.trail();
    let opened: Vec<_> = trail.iter().filter(|record| record[1] == "door.opened").collect();
    let outcomes: Vec<(&str, &str, &str)> = opened
        .iter()
        .map(|record| (record[0].as_str(), record[2].as_str(), record[3].as_str()))
        .collect();
    for (who, door, outcome) in [
        ("vic", "vault", "not allowed"),
        ("dan", "vault", "done"),
        ("token:bell", "vault", "done"),
        ("of this machine", "vault", "done"),
        ("of this machine", "cellar", "there is no door \"cellar\""),
    ] {
        let is = |it: &&(&str, &str, &str)| it.0.contains(who) && it.1 == door && it.2 == outcome;
        assert!(
            outcomes.iter().any(|it| is(&it)),
            "{who}, {door}, {outcome}: {outcomes:?}"
        );
    }
    let (status, out, error) = site.page.gateway.command(&["audit", "verify"]);
    assert_eq!(status, 0, "{out}{error}");
}

#[test]
fn a_door_that_is_locked_down_opens_from_nowhere() {
    let site = site("");
    let boss = site.page.boss();
    let lock = |on: bool| {
        let request = boss.request(Method::PUT, "/api/v1/doors/hall/lockdown");
        let request = request.header("content-type", "application/json");
        site.page.send(request.body(json!({ "on": on }).to_string()))
    };
    assert_eq!(lock(true).status, 200);
    // From now on SALTO decides at this door; the lockdown stays.
    let text = std::fs::read_to_string(site.page.gateway.config_path()).unwrap();
    site.page.gateway.configure(&text.replace("#ks_lock", "ks_lock"));
    let hall = || {
        let doors = boss.get("/api/v1/doors").json();
        let doors = doors.as_array().unwrap().clone();
        doors.into_iter().find(|door| door["id"] == "hall").unwrap()
    };
    wait_for("the new configuration", || {
        let door = hall();
        if door["ks"] == true { Ok(()) } else { Err(door) }
    });
    assert_eq!(hall()["lockdown"], true);
    let page = boss.post("/api/v1/doors/hall/open", &json!({}));
    assert_eq!(page.status, 409, "{page:?}");
    assert!(page.text.contains("locked down"), "{page:?}");
    let (status, _, error) = site.page.gateway.command(&["ks", "open", "--door", "hall"]);
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("locked down"), "{error}");
    assert_eq!((site.asked(), site.kinds("remote_release").len()), (0, 0));
}

#[test]
fn an_opening_of_before_a_restart_is_no_second_release_either() {
    // Without a stream KS is asked every quarter of a minute, so that it tells after the restart.
    let mut site = site("");
    site.ks.feature("events_streaming", false);
    site.page.gateway.stop();
    site.page.gateway.start();
    wait_for("the past to be asked for", || {
        let asked = site.ks.asked();
        let entries = asked.iter().any(|asked| asked.path.ends_with("/entries"));
        if entries { Ok(()) } else { Err("not yet") }
    });
    assert_eq!(site.by_hand().0, 0);
    wait_for("the release", || match site.kinds("remote_release").len() {
        1 => Ok(()),
        count => Err(count),
    });
    site.page.gateway.kill();
    site.page.gateway.start();
    site.heard(1);
    assert_eq!(site.kinds("remote_release").len(), 1);
    assert_eq!(
        details(&site.kinds("lock_noted")),
        ["opened from afar by this gateway"]
    );
}

#[test]
fn a_certificate_that_does_not_verify_names_the_table_of_ks_and_no_other() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let cloud = Cloud::start(doorward_peers::cloud::Options {
        tls: Some(std::sync::Arc::new(server)),
        ..doorward_peers::cloud::Options::default()
    })
    .unwrap();
    let url = cloud.url().trim_end_matches('/').to_owned();
    let mut site = site("");
    let fault = |site: &Site, key: &str| {
        let report = site.page.gateway.report();
        let faults = report["faults"].as_array().unwrap().clone();
        let found = faults.into_iter().find(|fault| fault["key"] == key);
        found
            .map(|fault| fault["text"].as_str().unwrap().to_owned())
            .ok_or(report)
    };
    let text = std::fs::read_to_string(site.page.gateway.config_path()).unwrap();
    let text = text
        .replace(&site.ks.identity_url(), &url)
        .replace(&site.ks.url(), &url);
    site.page.gateway.stop();
    site.page.gateway.configure(&text);
    site.page.gateway.start();
    let said = wait_for("the fault", || fault(&site, "ks_unreachable"));
    assert!(
        said.contains("signed by nobody") && said.contains("[ks] ca_file") && !said.contains("[cloud]"),
        "{said}"
    );
    let empty = site.page.gateway.path().join("nobody.pem");
    std::fs::write(&empty, "nobody\n").unwrap();
    let named = format!("[ks]\nca_file = \"{}\"\n", empty.display());
    site.page.gateway.configure(&text.replace("[ks]\n", &named));
    let said = wait_for("the refusal", || fault(&site, "ks_refused"));
    let start = format!("[ks] ca_file {} cannot be used", empty.display());
    assert!(said.contains(&start), "{said}");
}
