//! The page in real browsers: Debian's chromium and, for the main flows, its Firefox, driven by playwright-core through the
//! scripts of tests/browser/. One browser, one site, a context for each person at a screen. Not among the other scenarios,
//! because it wants the machine for itself: `scripts/test` runs it in a section of its own, as does `cargo test --test scenarios page_browser -- --ignored --nocapture`.
//!
//! The script says on its standard output what it does, a JSON object a line, and orders there what happens in the world
//! around the page. Whatever it looks at is left as a picture in `target/browser/`.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::page_stage::Stage;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// One browser after another, whatever the tests do beside each other.
static SCREEN: Mutex<()> = Mutex::new(());
/// As many as need another page of any list.
const PEOPLE: usize = 400;

/// The script's process, ended with the scenario.
struct Script {
    child: Child,
    orders: Option<ChildStdin>,
}

impl Drop for Script {
    fn drop(&mut self) {
        // Its standard input ends: it closes the browser. Killed at once, it would leave that behind.
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a browser is, by the names that it has on Debian and elsewhere.
fn browser(engine: &str) -> PathBuf {
    let names: &[&str] = match engine {
        "firefox" => &["firefox-esr", "firefox"],
        _ => &["chromium", "chromium-browser", "google-chrome"],
    };
    let places = ["/usr/bin", "/usr/local/bin", "/snap/bin"];
    let found = places
        .iter()
        .flat_map(|place| names.iter().map(move |name| Path::new(place).join(name)));
    found
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no {engine}: scripts/test installs it"))
}

/// Which flows, comma between them, while one works on a few; all without it.
#[expect(clippy::disallowed_methods, reason = "a choice of whoever runs this test")]
fn chosen() -> Option<String> {
    std::env::var("DOORWARD_FLOWS").ok()
}

fn start(stage: &Stage, engine: &str, flows: Option<&str>) -> (Script, impl Iterator<Item = Value> + use<>) {
    let mut told = stage.told();
    told["engine"] = json!(engine);
    told["browser"] = json!(browser(engine));
    told["modules"] = json!(root().join("target/node"));
    told["pictures"] = json!(root().join("target/browser"));
    told["flows"] = json!(flows);
    let mut child = Command::new("node")
        .arg(root().join("tests/browser/run.mjs"))
        .arg(told.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let orders = child.stdin.take();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = lines.map(|line| {
        let line = line.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    (Script { child, orders }, said)
}

/// Plays the flows with these words in their names, or all but the figures, which `scripts/bench page` plays. Fails with every
/// flow that did.
fn play(engine: &str, flows: Option<&str>) {
    let _one = SCREEN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut stage) = Stage::start(PEOPLE) else {
        return;
    };
    let (mut script, said) = start(&stage, engine, flows);
    let (mut failed, mut ended) = (Vec::new(), false);
    for line in said {
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        if !line["ask"].is_null() {
            let answer = json!({ "answer": line["ask"], "value": stage.obey(&line) });
            writeln!(script.orders.as_mut().unwrap(), "{answer}").unwrap();
        } else if !line["failed"].is_null() {
            println!("FAILED  {}: {}", text("failed"), text("words"));
            failed.push(format!("{}: {}", text("failed"), text("words")));
        } else if !line["figure"].is_null() {
            println!("figure  {} {} {}", text("figure"), line["value"], text("unit"));
        } else if line["done"] == true {
            ended = true;
        } else {
            println!("{}", text("say"));
        }
    }
    assert!(ended, "the script broke off; its own words stand above");
    assert!(
        failed.is_empty(),
        "{} failed, with pictures in target/browser:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
#[ignore = "scripts/test runs it in a section of its own: it needs chromium, and the machine for itself"]
fn every_flow_of_the_page_in_a_real_browser() {
    play("chromium", chosen().as_deref());
}

/// What staff do all day: signing in, a card for somebody, a card for somebody else, what happens at the doors, a refusal and
/// the gateway's own words in another language, and dialogs by keyboard.
const FIREFOX: &str =
    "own login,desk: new fob,desk: moved,entries arrive,words: German,a refusal,languages,keyboard: dialogs";

/// The real Firefox, as Debian packages it, by WebDriver BiDi; the same flows.
#[test]
#[ignore = "scripts/test runs it in a section of its own: it needs firefox, and the machine for itself"]
fn the_main_flows_of_the_page_in_firefox() {
    play("firefox", Some(chosen().as_deref().unwrap_or(FIREFOX)));
}
