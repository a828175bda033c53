//! The whole daemon at its most talkative, with everything going wrong that can: no card number and no secret in any
//! of its spellings in the log, the reports, the messages, or what commands print.

use crate::{
    daemon_site::{ANA, BOB, KEY, Plan, STRANGER, Site},
    harness::wait_for,
};
use doorward_peers::{
    cloud::{Cloud, Options, World},
    mosquitto::{Mosquitto, Setup},
    osdp::Color,
};
use std::{fmt::Write as _, io::Read as _, io::Write as _, os::unix::net::UnixStream};

const PASSWORD: &str = "Tr0ub4dor-and-3";
const TOKEN: &str = "wrong-token-4f9d1c77";
const INLINE: &str = "inline-secret-88aa";

/// The spellings under which bytes might slip out, all in lower case.
fn spellings(bytes: &[u8]) -> Vec<String> {
    let joined = |bytes: &mut dyn Iterator<Item = &u8>, between: &str| {
        let parts: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
        parts.join(between)
    };
    let mut all = Vec::new();
    for between in ["", ":", " ", "-", ", 0x"] {
        all.push(joined(&mut bytes.iter(), between));
        all.push(joined(&mut bytes.iter().rev(), between));
    }
    let decimals = |bytes: &mut dyn Iterator<Item = &u8>| {
        let parts: Vec<String> = bytes.map(u8::to_string).collect();
        parts.join(", ")
    };
    all.push(decimals(&mut bytes.iter()));
    all.push(decimals(&mut bytes.iter().rev()));
    if bytes.len() <= 16 {
        let number =
            |bytes: &mut dyn Iterator<Item = &u8>| bytes.fold(0_u128, |n, byte| n << 8 | u128::from(*byte));
        all.push(number(&mut bytes.iter()).to_string());
        all.push(number(&mut bytes.iter().rev()).to_string());
    }
    all
}

#[test]
fn in_no_log_report_message_or_error() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        tls: None,
        user: Some(("north".into(), PASSWORD.into())),
    };
    let broker = Mosquitto::start(folder.path(), &setup).unwrap();
    let watching = broker.subscribe("doorward/#").unwrap();
    let mut world = World::default();
    world.member("ana", "Ana Ruiz", "uid:04A2B3C4D5E680", "Flex");
    let cloud = Cloud::start(Options {
        world,
        ..Options::default()
    })
    .unwrap();
    let mut plan = Plan {
        cloud: format!(
            "kind = \"contract\"\nurl = \"{}\"\ntoken = {{ file = \"{{dir}}/token\" }}",
            cloud.url()
        ),
        more: format!(
            "[checkins]\n[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nusername = \"north\"\npassword = {{ file = \
             \"{{dir}}/password\" }}\nperson = \"name\"\n",
            broker.port
        ),
        ..Plan::default()
    };
    let mut site = Site::prepare(&plan);
    site.gateway.log_level("trace");
    site.gateway.secret("token", TOKEN);
    site.gateway.secret("password", "wrong-password-1b2c");
    site.gateway.start();
    // A wrong token and a wrong password first.
    site.fault("cloud_refused");
    site.fault("mqtt_refused");
    let mut all = site.report().to_string();
    site.gateway.secret("token", cloud.token());
    site.gateway.secret("password", PASSWORD);
    site.gateway.signal("HUP");
    site.settle();
    site.no_fault("mqtt_refused");

    assert_eq!(site.tap(ANA), Color::Green);
    assert_ne!(site.tap(BOB), Color::Green, "not in this cloud");
    assert_ne!(site.tap(STRANGER), Color::Green);
    // Her card is taken away, and she tries again.
    cloud.edit(|world| world.people[0].deactivated = true);
    site.gateway.command(&["sync", "now"]);
    site.gateway.command(&["sync", "accept"]);
    site.tap(ANA);
    site.bus.garbage(&ANA);
    site.bus.corrupt(3);
    wait_for("the bus to have heard the rest", || match site.report() {
        report if report["sections"]["lines"]["bus"]["bad_checks"] == 0 => Err(report),
        _ => Ok(()),
    });
    site.settle();
    site.tap(STRANGER);
    let events = site.presentations(5);
    let count = events.len();
    let seen = |messages: &[doorward_peers::mosquitto::Message]| {
        messages
            .iter()
            .filter(|message| message.topic.contains("/door/"))
            .count()
            >= count
    };
    watching.wait(seen).unwrap();

    // A secret in the configuration itself, and a secret's file that others may read.
    let good = plan.text(&site.bus);
    site.gateway.configure(&good.replace(
        "password = { file = \"{dir}/password\" }",
        &format!("password = \"{INLINE}\""),
    ));
    let _ = write!(all, "{}", site.fault("config_refused"));
    let _ = write!(all, "{:?}", site.gateway.command(&["check-config"]));
    let _ = write!(all, "{:?}", site.gateway.command(&["check-config", "--json"]));
    plan.more.push_str("no_such_key = \"x\"\n");
    site.gateway.configure(&plan.text(&site.bus));
    site.gateway.configure(&good);
    site.no_fault("config_refused");

    // What the commands print, and what the control socket answers to anything.
    for command in [
        &["report"][..],
        &["report", "--json"],
        &["events"],
        &["events", "--json"],
        &["sync", "status"],
        &["sync", "status", "--json"],
        &["--log", "trace", "report"],
        &["explain", "--credential", "uid:04A2B3C4D5E680", "--door", "front"],
        &[
            "explain",
            "--credential",
            "uid:04A2B3C4D5E680",
            "--door",
            "front",
            "--json",
        ],
        &[
            "explain",
            "--credential",
            "uid:04998877665582",
            "--door",
            "nowhere",
        ],
    ] {
        let _ = write!(all, "{:?}", site.gateway.command(command));
    }
    let socket = std::fs::read_dir(site.gateway.path().join("run"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .find_map(|file| UnixStream::connect(file).ok());
    let mut socket = socket.unwrap();
    socket
        .write_all(b"GET /config HTTP/1.1\r\n\r\n{\"command\":\"secrets\"}\n")
        .unwrap();
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    all.push_str(&String::from_utf8_lossy(&answer));
    site.gateway.stop();

    for message in watching.messages() {
        let _ = write!(all, "{} {}", message.topic, message.payload);
    }
    let log = site.gateway.log();
    assert!(
        log.contains("TRACE") && log.contains("DEBUG"),
        "the log is talkative"
    );
    all.push_str(&log);
    let all = all.to_ascii_lowercase();
    let mut forbidden: Vec<String> = [ANA, BOB, STRANGER]
        .iter()
        .flat_map(|card| spellings(card))
        .collect();
    forbidden.extend(spellings(&KEY));
    for secret in [PASSWORD, "wrong-password-1b2c", TOKEN, INLINE, cloud.token()] {
        forbidden.push(secret.to_ascii_lowercase());
        forbidden.extend(spellings(secret.as_bytes()));
    }
    for needle in forbidden {
        if let Some(at) = all.find(&needle) {
            let start = all.floor_char_boundary(at.saturating_sub(200));
            let end = all.floor_char_boundary((at + 100).min(all.len()));
            panic!("{needle} is told: …{}…", &all[start..end]);
        }
    }
}
