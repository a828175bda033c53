//! The page in a real browser: the scripts of `tests/browser/`, its figures alone, in Debian's chromium, and around it the daemon with
//! ten thousand people at the reference cloud, an OSDP reader at the door and a PN532 at the desk. The scripts order what happens
//! around the page, as they do of `tests/page_stage.rs`: a JSON object a line. `scripts/bench` installs what they need when this part is
//! asked for.

use crate::{
    report::{Failure, Report},
    site::{self, Gateway, wait},
};
use doorward::clock::Clock;
use doorward_peers::{
    cloud::{Cloud, Options},
    crowd,
    osdp::{Bus, Color, Seen, What},
    pn532::Pn532,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::Receiver,
    time::Duration,
};

const PEOPLE: usize = 10_000;
/// Flows with these words in their names, and those that make the accounts.
const FLOWS: &str = "figures,weight";
/// A card at a line that was away just then has no answer: it is presented again.
const NO_ANSWER: Duration = Duration::from_secs(3);
const PRESENTATIONS: usize = 10;

/// The site around the page.
struct Stage {
    gateway: Gateway,
    bus: Bus,
    seen: Receiver<Seen>,
    chip: Pn532,
    _cloud: Cloud,
}

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    if !has_browser() {
        site::say("page: passed over, there is no chromium (`scripts/bench page` installs it)");
        return Ok(());
    }
    site::say(&format!("page: {PEOPLE} people come from the cloud"));
    let mut stage = Stage::start()?;
    let told = stage.told()?;
    let mut script = Command::new("node")
        .arg(root().join("tests/browser/run.mjs"))
        .arg(told.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let outcome = play(&stage, &mut script, report);
    // Its standard input ends: it closes the browser.
    drop(script.stdin.take());
    script.wait()?;
    stage.gateway.stop()?;
    outcome
}

fn play(stage: &Stage, script: &mut Child, report: &mut Report) -> Result<(), Failure> {
    let said = BufReader::new(script.stdout.take().ok_or("no output")?).lines();
    let mut orders = script.stdin.take().ok_or("no input")?;
    let mut failed = Vec::new();
    for line in said {
        let line: Value = serde_json::from_str(&line?)?;
        let text = |name: &str| line.get(name).and_then(Value::as_str);
        if let Some(ask) = line.get("ask") {
            let answer = json!({ "answer": ask, "value": stage.obey(&line)? });
            writeln!(orders, "{answer}")?;
        } else if let Some(name) = text("failed") {
            failed.push(format!("{name}: {}", text("words").unwrap_or_default()));
        } else if let (Some(name), Some(unit)) = (text("figure"), text("unit")) {
            let value = line.get("value").and_then(Value::as_f64).ok_or("no value")?;
            report.figure(name, value, unit);
        } else if line.get("done").is_some() {
            return match failed.as_slice() {
                [] => Ok(()),
                some => Err(some.join("\n").into()),
            };
        } else {
            site::say(text("say").unwrap_or_default());
        }
    }
    Err(format!("the script broke off {}", failed.join("\n")).into())
}

impl Stage {
    fn start() -> Result<Self, Failure> {
        let cloud = Cloud::start(Options {
            world: crowd::house(PEOPLE),
            ..Options::default()
        })?;
        let (bus, chip, lines) = site::desk_and_door()?;
        // What the desk gives is another version at the cloud, and all of it would be read again while others are measured.
        let config =
            site::config(Some(&cloud.url()), 1, &lines).replace("poll_seconds = 5", "poll_seconds = 3600");
        let mut gateway = Gateway::new(&config)?;
        gateway.secret("token", cloud.token())?;
        gateway.start()?;
        gateway.settle(1)?;
        let seen = bus.observed();
        let stage = Self {
            gateway,
            bus,
            seen,
            chip,
            _cloud: cloud,
        };
        wait("the page and the desk's reader", || {
            let readers = stage.gateway.told("/sections/desk_readers/readers/0")?;
            Ok(readers.is_some() && stage.port()?.is_some())
        })?;
        Ok(stage)
    }

    fn port(&self) -> Result<Option<String>, Failure> {
        let listening = self.gateway.told("/sections/page/listening")?;
        let address = listening.as_ref().and_then(Value::as_str);
        Ok(address.and_then(|address| Some(address.rsplit_once(':')?.1.to_owned())))
    }

    /// What the script needs to know at its start.
    fn told(&self) -> Result<Value, Failure> {
        let (_, first) = self.gateway.ask("GET", "/v1/staff/first", &Value::Null)?;
        Ok(json!({
            "address": format!("https://localhost:{}", self.port()?.unwrap_or_default()),
            // No flow of these goes to the space's own login.
            "issuer": "https://login.invalid",
            "code": first.get("code"),
            "people": PEOPLE,
            "cards": crowd::CARDS,
            "browser": BROWSER,
            "modules": root().join("target/node"),
            "pictures": root().join("target/browser"),
            "flows": FLOWS,
        }))
    }

    /// Carries one order out, and gives what it brought.
    fn obey(&self, order: &Value) -> Result<Value, Failure> {
        let text = |name: &str| order.get(name).and_then(Value::as_str).unwrap_or_default();
        Ok(match text("do") {
            "swap" => {
                let at = now();
                self.chip.swap(&bytes(text("card"))?);
                json!(at)
            }
            "clear" => {
                self.chip.clear();
                Value::Null
            }
            "tap" => self.tap(&bytes(text("card"))?)?,
            "run" => {
                let words = order.get("arguments").and_then(Value::as_array);
                let words: Vec<&str> = words.into_iter().flatten().filter_map(Value::as_str).collect();
                let out = self.gateway.run(&words)?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                json!({ "status": out.status.code(), "out": text(&out.stdout), "error": text(&out.stderr) })
            }
            other => return Err(format!("no such order: {other}").into()),
        })
    }

    /// Presents a card at the door: its light, and when.
    fn tap(&self, card: &[u8]) -> Result<Value, Failure> {
        for _ in 0..PRESENTATIONS {
            while self.seen.try_recv().is_ok() {}
            self.bus.tap(0, card.len() * 8, card);
            let mut light = None;
            while let Ok(told) = self.seen.recv_timeout(NO_ANSWER) {
                match told.what {
                    What::Light { color, .. } => light = Some((color, now())),
                    // It comes last.
                    What::Sound { .. } => break,
                    _ => {}
                }
            }
            if let Some((color, at)) = light {
                let light = if color == Color::Green { "green" } else { "another" };
                return Ok(json!({ "light": light, "at": at }));
            }
        }
        Err(format!("no answer at the door; the log: {}", self.gateway.log()).into())
    }
}

/// Unix milliseconds, as the browser counts them.
fn now() -> i64 {
    Clock::system(true, 0).now().at
}

fn bytes(digits: &str) -> Result<Vec<u8>, Failure> {
    let pairs = (0..digits.len())
        .step_by(2)
        .filter_map(|at| digits.get(at..at + 2));
    let bytes: Result<Vec<u8>, _> = pairs.map(|pair| u8::from_str_radix(pair, 16)).collect();
    Ok(bytes?)
}

const BROWSER: &str = "/usr/bin/chromium";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn has_browser() -> bool {
    Path::new(BROWSER).exists() && root().join("target/node/node_modules/playwright-core").exists()
}
