//! First connection to SALTO KS: somebody logs in at SALTO and the gateway never sees the password, or a system user does;
//! the site is chosen; every permission is tried; tokens are renewed in time, one at a time, and stand nowhere in clear.

use crate::{
    harness::{Gateway, PATIENCE, site::Layout},
    page_site::PageSite,
};
use doorward::{
    clock::Clock,
    config::{self, Config, Environment, Purpose},
    domain::{Moment, secret::Secret},
    health::Health,
    platform::vault::Vault,
    salto::{Bearer as _, KsKind, Session},
    store::{Store, StoreOptions},
};
use doorward_peers::ks::{Faults, Ks, OtherSite, PASSWORD};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const OTHER: &str = "0a0a0a0a-1111-4222-8333-444444444444";

fn gateway(section: &str, doors: &str) -> Gateway {
    let config = Layout::new("rtc = true").table(section, "").table(doors, "");
    Gateway::new(config.text())
}

fn fault<'a>(report: &'a Value, key: &str) -> Option<&'a str> {
    let faults = report["faults"].as_array()?;
    faults.iter().find(|fault| fault["key"] == key)?["text"].as_str()
}

fn check<'a>(seen: &'a Value, what: &str) -> &'a Value {
    let checks = seen["checks"].as_array().unwrap();
    checks.iter().find(|check| check["what"] == what).unwrap()
}

#[test]
fn a_system_user_sees_what_there_is_and_what_is_missing() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    ks.with(|state| state.zone = "Europe/Lisbon".into());
    let doors = "[[door]]\nid = \"front\"\nname = \"Front door\"\n[[door]]\nid = \"studio\"\nks_lock = \"Studio 9\"\n";
    let mut gateway = gateway(&ks.ks_section(secrets.path()).unwrap(), doors);
    let (status, _, error) = gateway.command(&["ks", "connect", "--password"]);
    assert_eq!(status, 69, "it needs the gateway: {error}");
    gateway.start();

    let seen = gateway.json(&["ks", "connect", "--password", "--yes"]);
    let checks = seen["checks"].as_array().unwrap();
    assert!(
        checks.len() >= 9 && checks.iter().all(|check| check["good"] == true),
        "{seen}"
    );
    let site = &seen["site"];
    assert_eq!(site["name"], "Riverside");
    assert_eq!(
        (
            &site["events_streaming"],
            &site["smart_tag_assignment"],
            &site["seats"]
        ),
        (&true.into(), &true.into(), &400.into())
    );
    let lines = seen["doors"].as_array().unwrap();
    assert_eq!(
        (&lines[0]["door"], &lines[0]["lock"]),
        (&"front".into(), &"Front door".into())
    );
    let warnings = seen["warnings"].to_string();
    assert!(
        warnings.contains("Europe/Lisbon") && warnings.contains("Europe/Madrid"),
        "{warnings}"
    );
    assert!(warnings.contains("Studio 9"), "{warnings}");
    assert_eq!(ks.changes(), 0, "it only looks");

    // The password is right, and the user may not read.
    ks.faults(Faults {
        no_admin: true,
        ..Faults::default()
    });
    let (status, out, error) = gateway.command(&["ks", "connect", "--yes"]);
    assert_eq!(status, 1, "{error}");
    assert!(out.contains("site administrator"), "{out}");
    ks.faults(Faults::default());

    ks.feature("events_streaming", false);
    ks.with(|state| state.roles.retain(|(_, code)| code != "site_user"));
    ks.set_seats(2);
    let seen = gateway.json_of_any_status(&["ks", "connect", "--yes"]);
    assert_eq!(check(&seen, "role")["good"], false);
    assert!(
        check(&seen, "role")["words"]
            .as_str()
            .unwrap()
            .contains("site_admin")
    );
    let warnings = seen["warnings"].to_string();
    assert!(
        warnings.contains("no events_streaming") && warnings.contains("all 2 seats"),
        "{warnings}"
    );

    // The client was taken out of service: everything that was given ends, and the fault says what to do.
    ks.revoke_tokens(true);
    ks.faults(Faults {
        client_revoked: true,
        ..Faults::default()
    });
    let (status, _, error) = gateway.command(&["ks", "connect", "--yes"]);
    assert_eq!(status, 1);
    assert!(error.contains("client_id"), "{error}");
    let report = gateway.report();
    assert!(
        fault(&report, "ks_login").unwrap().contains("client_id"),
        "{report}"
    );
    ks.faults(Faults::default());
    gateway.command(&["ks", "connect", "--yes"]);
    assert_eq!(fault(&gateway.report(), "ks_login"), None);
    let told = gateway.log() + &error;
    assert!(!told.contains(PASSWORD), "the password is printed");
}

/// What a browser does with the address where SALTO sends it back to.
fn browse(address: &str) -> String {
    let url = url::Url::parse(address).unwrap();
    let mut stream = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let target = &url[url::Position::BeforePath..];
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Logs in in a browser that runs beside the command. Gives the command's status and what it printed.
fn log_in(ks: &Ks, gateway: &Gateway, more: &[&str], browse: impl Fn(&str)) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .arg("--config")
        .arg(gateway.config_path())
        .args(["ks", "connect", "--yes", "--json"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("http"))
        .expect("an address");
    assert!(address.contains("code_challenge_method=S256") && !address.contains("verifier"));
    browse(&ks.log_in(&address).unwrap());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    (output.status.code().unwrap_or(-1), text + &rest.join("\n"))
}

/// The same with a browser on the command's machine.
fn log_in_here(ks: &Ks, gateway: &Gateway, more: &[&str]) -> (i32, String) {
    let arguments = [&["--listen", "127.0.0.1:0"], more].concat();
    log_in(ks, gateway, &arguments, |back| {
        let answer = browse(back);
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("no-store"),
            "{answer}"
        );
    })
}

#[test]
fn the_browser_comes_back_to_the_gateways_own_page() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    let page = "listen = \"127.0.0.1:0\"\npublic_url = \"https://doors.example.com\"";
    let site = PageSite::with(&format!(
        "{page}\n{}",
        ks.ks_section_code(secrets.path()).unwrap()
    ));
    let (address, client) = (site.address(), site.client());
    let (status, seen) = log_in(&ks, &site.gateway, &[], |back| {
        let url = url::Url::parse(back).unwrap();
        assert_eq!(
            (url.host_str(), url.path()),
            (Some("doors.example.com"), "/ks/callback")
        );
        let forged = format!("{address}/ks/callback?state=guessed&code=c");
        assert_eq!(site.send(client.get(forged)).status.as_u16(), 403);
        let answer = site.send(client.get(format!("{address}{}", &url[url::Position::BeforePath..])));
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        let again = site.send(client.get(format!("{address}{}", &url[url::Position::BeforePath..])));
        assert_eq!(again.status.as_u16(), 403, "a state is good once");
    });
    assert_eq!(status, 0, "{seen}");
    assert!(seen.contains("Riverside"), "{seen}");
}

fn tokens_in_clear(folder: &Path, ks: &Ks) -> Vec<String> {
    let known: Vec<String> = ks.with(|state| {
        let tokens = state.identity.tokens.keys().chain(state.identity.refresh.keys());
        tokens.cloned().collect()
    });
    assert!(!known.is_empty());
    let mut found = Vec::new();
    for folder in ["state", "run", "."].map(|sub| folder.join(sub)) {
        for file in std::fs::read_dir(folder).unwrap().flatten() {
            let content = std::fs::read(file.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&content).into_owned();
            if known.iter().any(|token| text.contains(token.as_str())) {
                found.push(file.path().display().to_string());
            }
        }
    }
    found
}

#[test]
fn somebody_logs_in_at_salto_and_the_gateway_stays_logged_in() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    let mut gateway = gateway(&ks.ks_section_code(secrets.path()).unwrap(), "");
    gateway.start();
    let (status, _, error) = gateway.command(&["ks", "connect", "--yes"]);
    assert_eq!(
        status, 1,
        "nobody knows where the browser should come back to: {error}"
    );
    assert!(error.contains("redirect_url"), "{error}");

    let (status, seen) = log_in_here(&ks, &gateway, &[]);
    assert_eq!(status, 0, "{seen}");
    assert!(seen.contains("Riverside"), "{seen}");
    assert_eq!(tokens_in_clear(gateway.path(), &ks), Vec::<String>::new());

    // A restart needs nobody, and an access token that ended meanwhile is renewed.
    gateway.kill();
    ks.revoke_tokens(false);
    gateway.start();
    gateway.json(&["ks", "connect", "--yes"]);
    assert_eq!(tokens_in_clear(gateway.path(), &ks), Vec::<String>::new());

    // SALTO ends the login: the fault says what to do, and doing it ends the fault.
    ks.revoke_tokens(true);
    gateway.command(&["ks", "connect", "--yes"]);
    let report = gateway.report();
    assert!(
        fault(&report, "ks_login")
            .unwrap()
            .contains("doorward ks connect"),
        "{report}"
    );
    let (status, seen) = log_in_here(&ks, &gateway, &["--again"]);
    assert_eq!(status, 0, "{seen}");
    assert_eq!(fault(&gateway.report(), "ks_login"), None);
}

#[test]
fn one_of_several_sites_is_chosen_once() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    ks.with(|state| {
        state.other_sites.push(OtherSite {
            id: OTHER.into(),
            name: "Hillside".into(),
        });
    });
    let mut gateway = gateway(&ks.ks_section(secrets.path()).unwrap(), "");
    gateway.start();
    let (status, out, error) = gateway.command(&["ks", "connect", "--yes"]);
    assert_eq!(status, 64, "{error}");
    assert!(
        out.contains("Hillside") && out.contains("Riverside") && out.contains(OTHER),
        "{out}"
    );
    let wrong = "0a0a0a0a-9999-4222-8333-444444444444";
    let (status, _, error) = gateway.command(&["ks", "connect", "--yes", "--site", wrong]);
    assert_eq!(status, 1);
    assert!(error.contains("Hillside"), "{error}");
    let seen = gateway.json(&["ks", "connect", "--yes", "--site", &ks.site()]);
    assert_eq!(seen["site"]["name"], "Riverside");
    gateway.kill();
    gateway.start();
    assert_eq!(
        gateway.json(&["ks", "connect", "--yes"])["site"]["name"],
        "Riverside"
    );
}

#[test]
fn tokens_that_cannot_be_read_are_a_fault_and_hold_nothing_up() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    let mut gateway = gateway(&ks.ks_section(secrets.path()).unwrap(), "");
    gateway.start();
    gateway.json(&["ks", "connect", "--yes"]);
    gateway.kill();
    let file = gateway.path().join("state/tokens.sealed");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    gateway.start();
    let report = gateway.report();
    assert!(
        fault(&report, "vault_unreadable").unwrap().contains("damaged"),
        "{report}"
    );
    gateway.json(&["ks", "connect", "--yes"]);
    assert!(file.with_extension("unreadable").exists());
}

/// An account without a process around it, with a clock that is set.
struct Account {
    session: Session,
    clock: Clock,
    health: Health,
    _folder: TempDir,
}

fn configured(section: &str, folder: &Path) -> Config {
    let text = format!("[site]\nid = \"here\"\nzone = \"Europe/Madrid\"\n{section}");
    let file = folder.join("doorward.toml");
    let (config, findings) = config::parse(&file, text, Purpose::Run, &Environment::default());
    config.unwrap_or_else(|| panic!("{findings}"))
}

fn account(section: &str) -> Account {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(section, folder.path());
    let (clock, health) = (
        Clock::manual(Moment::trusted(1_780_000_000_000)),
        Health::default(),
    );
    let options = StoreOptions::new(folder.path().join("state"), folder.path().join("run"));
    let (store, _) = Store::open(&options, &clock, &health).unwrap();
    let vault = Vault::new(folder.path());
    let session = Session::open(
        config.ks.as_ref().unwrap(),
        vault,
        store,
        clock.clone(),
        health.clone(),
    );
    Account {
        session: session.unwrap(),
        clock,
        health,
        _folder: folder,
    }
}

fn renewals(ks: &Ks) -> usize {
    let asked = ks.asked();
    asked
        .iter()
        .filter(|asked| asked.path == "/connect/token")
        .count()
}

#[tokio::test]
async fn a_refresh_token_is_spent_once_however_many_ask() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    let account = account(&ks.ks_section_code(secrets.path()).unwrap());
    let tokens = account.session.tokens();
    let redirect = url::Url::parse("https://doors.example.com/ks/callback").unwrap();
    let error = tokens.token(None).await.unwrap_err();
    assert_eq!(error.kind, KsKind::Unauthorised);

    let begun = tokens.begin(Some(&redirect)).unwrap();
    let back = url::Url::parse(&ks.log_in(begun.url.as_str()).unwrap()).unwrap();
    let given = |name: &str| {
        let mut pairs = back.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    let (state, code) = (given("state"), given("code"));
    let error = tokens.finish("another", &code).await.unwrap_err();
    assert_eq!(error.kind, KsKind::Unauthorised, "a login that nobody began here");
    tokens.finish(&state, &code).await.unwrap();
    assert!(tokens.finish(&state, &code).await.is_err(), "once");
    let first = tokens.token(None).await.unwrap();

    // Five minutes before the hour ends, and from many at once.
    account.clock.advance(Duration::from_secs(3_290));
    ks.advance(Duration::from_secs(3_290));
    assert_eq!(tokens.token(None).await.unwrap(), first);
    account.clock.advance(Duration::from_secs(20));
    ks.advance(Duration::from_secs(20));
    let before = renewals(&ks);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let session = account.session.clone();
            tokio::spawn(async move { session.tokens().token(None).await.unwrap() })
        })
        .collect();
    let mut seen = Vec::new();
    for one in asking {
        seen.push(one.await.unwrap());
    }
    assert_eq!(renewals(&ks) - before, 1);
    assert!(seen.iter().all(|token| *token == seen[0]) && seen[0] != first);

    // Whoever goes away while it is renewed does not lose the next refresh token.
    account.clock.advance(Duration::from_secs(3_400));
    ks.advance(Duration::from_secs(3_400));
    let session = account.session.clone();
    let left = tokio::spawn(async move { session.tokens().token(None).await });
    tokio::task::yield_now().await;
    left.abort();
    tokens.token(None).await.unwrap();

    // While identity is away the token that still works is used; a page of its proxy is no refusal.
    account.clock.advance(Duration::from_secs(3_400));
    ks.advance(Duration::from_secs(3_400));
    ks.faults(Faults {
        identity_away: true,
        ..Faults::default()
    });
    tokens.token(None).await.unwrap();
    account.clock.advance(Duration::from_secs(300));
    ks.advance(Duration::from_secs(300));
    let error = tokens.token(None).await.unwrap_err();
    assert_eq!(error.kind, KsKind::Unreachable, "{error}");
    assert!(
        account.health.doc().faults.is_empty(),
        "nobody has to log in for that"
    );
    ks.faults(Faults::default());
    account.session.sites().await.unwrap();

    // A token that KS no longer takes is replaced within the same request.
    ks.revoke_tokens(false);
    account.session.sites().await.unwrap();
    ks.revoke_tokens(true);
    let error = account.session.sites().await.unwrap_err();
    assert_eq!(error.kind, KsKind::Unauthorised);
    assert!(error.text.contains("doorward ks connect"), "{error}");
}

#[tokio::test]
async fn another_login_does_not_use_the_tokens_of_the_one_before() {
    let (ks, secrets) = (Ks::start().unwrap(), tempfile::tempdir().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let section = ks.ks_section(secrets.path()).unwrap();
    let clock = Clock::manual(Moment::trusted(1_780_000_000_000));
    let options = StoreOptions::new(folder.path().join("state"), folder.path().join("run"));
    let (store, _) = Store::open(&options, &clock, &Health::default()).unwrap();
    let open = |section: &str| {
        let config = configured(section, folder.path()).ks.unwrap();
        let vault = Vault::keyed(folder.path(), Some(&Secret::new("long and random".repeat(3))));
        Session::open(&config, vault, store.clone(), clock.clone(), Health::default()).unwrap()
    };
    open(&section).sites().await.unwrap();
    assert_eq!(renewals(&ks), 1);
    open(&section).sites().await.unwrap();
    assert_eq!(renewals(&ks), 1, "the token is kept");
    let other = section.replace("gateway@example.org", "somebody@example.org");
    let error = open(&other).sites().await.unwrap_err();
    assert_eq!(error.kind, KsKind::Unauthorised);
    assert!(error.text.contains("[ks] username"), "{error}");
}

#[test]
fn a_request_waits_for_no_login_and_the_walk_says_what_is_needed() {
    let gateway = Gateway::new(Layout::new("rtc = true").text());
    let (status, out, error) = gateway.command(&["ks", "connect"]);
    assert_eq!((status, out.as_str()), (78, ""));
    assert!(
        error.contains("[ks]") && error.contains("client_secret"),
        "{error}"
    );
}
