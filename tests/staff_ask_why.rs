//! A member stands at the door and asks staff why it stays shut: `events` and `explain`, with the gateway running,
//! stopped, never started, locked down, and after the configuration was changed.

use crate::harness::{Gateway, site::Layout, wait_for};
use doorward::{
    daemon::control::{Action, Control, ControlSocket, Done, StatusDoc},
    health::Health,
};
use doorward_peers::osdp::{Bus, PdSpec};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
};

const FACTS: &str = r#"
[[people]]
id = "ana"
name = "Ana Ruiz"
credentials = ["uid:04A2B3C4D5E680", "wiegand26:123-45678"]
[[people]]
id = "bob"
name = "Bob Roe"
credentials = ["uid:11223344"]
[[memberships]]
id = "m1"
plan = "Hot desk"
person = "ana"
starts = 2020-01-01
[[resources]]
id = "blue"
name = "Blue room"
kind = "room"
[[bookings]]
id = "b1"
resource = "blue"
person = "bob"
from = 2099-06-01T14:25:00
until = 2099-06-01T16:00:00
"#;

/// With the groups of the plan "Hot desk".
fn config(bus: &Bus, groups: &[&str]) -> String {
    let layout = Layout::new("rtc = true")
        .facts_file()
        .map("plans", "Hot desk", groups)
        .map("resources", "Blue room", &["members"])
        .group("members", &["front"])
        .osdp(bus, "install_mode = true")
        .door("front", "name = \"Front door\"");
    layout.text().to_owned()
}

fn site() -> (Gateway, Bus) {
    let bus = Bus::start(vec![PdSpec {
        address: 3,
        key: None,
    }])
    .unwrap();
    let gateway = Gateway::new(&config(&bus, &["members"]));
    std::fs::write(gateway.path().join("facts.toml"), FACTS).unwrap();
    (gateway, bus)
}

fn explain(gateway: &Gateway, card: &str) -> Value {
    gateway.json_of_any_status(&["explain", "--door", "front", "--credential", card])
}

/// `events --follow`, and its lines as they come.
fn follow(gateway: &Gateway, more: &[&str]) -> (Child, mpsc::Receiver<String>) {
    // Whoever starts the tests in the background of a script has Ctrl-C ignored, and so would the command.
    let mut child = Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_doorward")])
        .arg("--config")
        .arg(gateway.config_path())
        .args(["events", "--follow"])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if sender.send(line).is_err() {
                return; // lets go of the pipe
            }
        }
    });
    (child, receiver)
}

fn until(lines: &mpsc::Receiver<String>, what: &str) -> String {
    let mut seen = Vec::new();
    wait_for(what, || {
        seen.extend(lines.try_iter());
        seen.iter()
            .find(|line| line.contains(what))
            .cloned()
            .ok_or(seen.clone())
    })
}

#[test]
fn a_refusal_is_understood_from_events_and_explain() {
    let (mut gateway, bus) = site();
    let (status, _, error) = gateway.command(&["events"]);
    assert!(status == 1 && error.contains("no journal"), "{status} {error}");
    let (status, _, error) = gateway.command(&["explain", "--door", "front", "--credential", "uid:11223344"]);
    assert!(
        status == 1 && error.contains("nothing has been fetched"),
        "{status} {error}"
    );

    gateway.start();
    gateway.settle();
    let (mut child, lines) = follow(&gateway, &[]);
    let (mut machine, documents) = follow(&gateway, &["--json"]);
    until(&lines, "snapshot applied");
    bus.tap(3, 32, &[0x11, 0x22, 0x33, 0x44]);
    let line = until(&lines, "Bob Roe");
    assert!(
        line.contains("booking Blue room starts Mon 2099-06-01 14:20"),
        "{line}"
    );
    let line: Value = serde_json::from_str(&until(&documents, "Blue room")).unwrap();
    assert_eq!(line["detail"], "booking Blue room starts Mon 2099-06-01 14:20");
    assert_eq!(line["reason"], "not_yet");

    // Ctrl-C ends it as it ends any command: a shell calls that 130.
    let killed = Command::new("kill")
        .args(["-INT", &machine.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    assert_eq!(machine.wait().unwrap().signal(), Some(2));
    // `| head` has enough: nothing happens at the doors, and it ends all the same.
    drop(lines);
    bus.tap(3, 32, &[9; 4]);
    wait_for("the end of the one that nobody reads", || {
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{status}");
                Ok(())
            }
            None => Err(()),
        }
    });

    // Every card of a person, every spelling, the door by its name.
    for card in [
        "uid:04A2B3C4D5E680",
        "rom14:04 a2 b3 c4 d5 e6 80",
        "W26:123-45678",
    ] {
        let told = gateway.json(&["explain", "--door", "front DOOR", "--credential", card]);
        assert_eq!(
            (&told["reason"], &told["person"]["id"]),
            (&"granted_plan".into(), &"ana".into())
        );
        assert!(told.get("hints").is_none(), "{told}");
    }
    let turned = explain(&gateway, "uid:80E6D5C4B3A204");
    assert_eq!(turned["reason"], "unknown_credential");
    let hint = turned["hints"][0].as_str().unwrap();
    assert!(
        hint.contains("uid-reversed") && hint.contains("Ana Ruiz"),
        "{hint}"
    );
    let later = [
        "explain",
        "--door",
        "front",
        "--credential",
        "uid:11223344",
        "--at",
        "2099-06-01 15:00",
    ];
    assert_eq!(gateway.json(&later)["reason"], "granted_booking");

    // Stopped: the same answer; only the lockdown is not known.
    gateway.stop();
    let told = explain(&gateway, "uid:04A2B3C4D5E680");
    assert_eq!(told["decision"], "granted");
    assert!(
        told["hints"][0].as_str().unwrap().contains("locked down"),
        "{told}"
    );
    let (status, out, _) = gateway.command(&["events", "--since", "1h", "--limit", "3"]);
    assert!(
        status == 0 && out.lines().count() == 4 && out.contains("stopped"),
        "{out}"
    );

    // The plan was taken out of the mapping while the gateway was off: nobody keeps a right by it, from the start on.
    gateway.configure(&config(&bus, &[]));
    assert_eq!(explain(&gateway, "uid:04A2B3C4D5E680")["reason"], "no_grant");
    gateway.start();
    gateway.settle();
    bus.tap(3, 56, &[0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80]);
    wait_for("the refusal", || {
        let (_, out, _) = gateway.command(&["events", "--json"]);
        let last = out
            .lines()
            .rfind(|line| line.contains("Ana Ruiz"))
            .unwrap_or("")
            .to_owned();
        if last.contains("no_grant") {
            Ok(())
        } else {
            Err(last)
        }
    });
    gateway.stop();
}

#[test]
fn the_group_of_the_gateway_may_read_the_journal() {
    let (mut gateway, _bus) = site();
    gateway.start();
    gateway.settle();
    for name in ["journal.db", "journal.db-wal", "journal.db-shm", "state.db"] {
        let mode = std::fs::metadata(gateway.path().join("state").join(name));
        assert_eq!(mode.unwrap().permissions().mode() & 0o777, 0o640, "{name}");
    }
    gateway.stop();
}

struct LockedDown(Health);

impl Control for LockedDown {
    fn status(&self) -> StatusDoc {
        StatusDoc::new("here", 1, self.0.doc())
    }
    fn sync_now(&self) -> Action<'_> {
        Box::pin(async {
            Ok(Done {
                message: String::new(),
            })
        })
    }
    fn sync_accept(&self) -> Action<'_> {
        self.sync_now()
    }
    fn reload(&self) -> Action<'_> {
        self.sync_now()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lockdown_is_known_from_the_gateway_that_runs() {
    let (mut gateway, _bus) = site();
    gateway.start();
    gateway.settle();
    gateway.stop();
    let health = Health::default();
    health.section("doors", &serde_json::json!({ "front": { "lockdown": true } }));
    let socket = ControlSocket::bind(&gateway.path().join("run")).unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(
        socket.serve(Arc::new(LockedDown(health)), axum::Router::new(), async {
            _ = ended.await
        }),
    );
    let told = explain(&gateway, "uid:04A2B3C4D5E680");
    assert_eq!((&told["reason"], told.get("hints")), (&"lockdown".into(), None));
    let at = [
        "explain",
        "--door",
        "front",
        "--credential",
        "uid:04A2B3C4D5E680",
        "--at",
        "12:00",
    ];
    assert_eq!(
        gateway.json(&at)["decision"],
        "granted",
        "a lockdown says nothing about another time"
    );
    end.send(()).unwrap();
    served.await.unwrap().unwrap();
}
