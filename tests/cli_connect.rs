//! `doorward connect`: from credentials to a configuration that can be pasted, by flags and at a terminal.

use crate::harness::{Gateway, site::Layout};
use doorward_peers::{
    cloud::ContractOffice, cobot::Cobot, nexudus::Nexudus, office::Office, spacebring::Spacebring,
};
use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

/// A site before its first connection: groups and doors, and a mapping of long ago.
fn site() -> Gateway {
    let layout = Layout::new("rtc = true")
        .map("plans", "Old plan", &["members"])
        .group("members", &["front"])
        .group("blue-room", &["blue"])
        .group("everywhere", &["front", "blue", "office"])
        .door("front", "name = \"Front door\"")
        .door("blue", "")
        .door("office", "name = \"Office 2\"");
    Gateway::new(layout.text())
}

/// The cloud with some plans that people hold.
fn office() -> ContractOffice {
    let office = ContractOffice::start().unwrap();
    for (name, plan) in [("Ana Ruiz", "Members"), ("Bob Roe", "Virtual")] {
        office.join(name, "one@example.com", plan, "2026-01-01");
    }
    office.give_passes("p-1", "Day pass", 2).unwrap();
    office
}

fn told(gateway: &Gateway, office: &ContractOffice, text: &str) -> String {
    let folder = gateway.path().display().to_string();
    let text = text.replace(&folder, "DIR").replace(&office.cloud().url(), "URL");
    let date = text.find(" on 20").map(|at| text[at + 4..at + 14].to_owned());
    date.map_or(text.clone(), |date| text.replace(&date, "DATE"))
}

#[test]
fn by_flags_it_prints_or_writes_and_overwrites_nothing() {
    let (gateway, office) = (site(), office());
    let token = gateway.secret("the-token", office.cloud().token());
    let (url, token) = (
        format!("url={}", office.cloud().url()),
        format!("token={}", token.display()),
    );
    let arguments = ["connect", "contract", "--set", &url, "--secret", &token];
    let (status, out, error) = gateway.command(&[&arguments[..], &["--print"]].concat());
    assert_eq!(status, 0, "{error}");
    insta::assert_snapshot!(told(&gateway, &office, &out));
    let draft = gateway.path().join("doorward.toml.new");
    assert!(!draft.exists(), "only printed");

    let before = fs::read_to_string(gateway.config_path()).unwrap();
    for name in ["doorward.toml.new", "doorward.toml.new-2"] {
        let (status, out, _) = gateway.command(&arguments);
        assert!(status == 0 && out.contains(&format!("/{name}\n")), "{out}");
    }
    assert_eq!(fs::read_to_string(gateway.config_path()).unwrap(), before);
    // What was made is a configuration as it stands: pasted in place of the old mapping, it can be used.
    let pasted = before.replace("[map.plans]\n\"Old plan\" = [\"members\"]\n", "");
    fs::write(
        gateway.config_path(),
        pasted + &fs::read_to_string(&draft).unwrap(),
    )
    .unwrap();
    let (status, out, _) = gateway.command(&["check-config"]);
    assert_eq!(status, 0, "{out}");
    let shown = gateway.json(&["rules", "show"]);
    assert_eq!(
        shown["map"]["plans"],
        serde_json::json!({"Members": ["members"], "Old plan": ["members"]})
    );
}

#[test]
fn a_permission_that_is_missing_is_told_with_status_1() {
    let (gateway, office) = (site(), office());
    let token = gateway.secret("the-token", "another-token");
    let (url, token) = (
        format!("url={}", office.cloud().url()),
        format!("token={}", token.display()),
    );
    let arguments = [
        "connect", "contract", "--set", &url, "--secret", &token, "--print",
    ];
    let (status, out, _) = gateway.command(&arguments);
    assert!(
        status == 1 && out.contains("1 of 1 permissions is missing"),
        "{out}"
    );
    let shown = gateway.json_of_any_status(&arguments);
    assert_eq!(
        (&shown["ok"], &shown["checks"][0]["ok"]),
        (&false.into(), &false.into())
    );
}

#[test]
fn what_was_not_given_is_asked_for_by_name_where_nobody_can_answer() {
    let gateway = site();
    for (arguments, words) in [
        (
            &["connect", "officernd", "--set", "client_id=x"][..],
            "--set organization=",
        ),
        (
            &["connect", "nexudus", "--set", "user=x", "--set", "business=seven"],
            "must be a whole number",
        ),
        (&["connect", "cobot", "--set", "token=abc"], "--secret token=FILE"),
        (
            &["connect", "contract", "--set", "tokn=abc"],
            "its keys are url, token",
        ),
        (&["connect", "contract", "--set", "url"], "key=value"),
        (
            &["connect", "coworks", "--set", "url=https://bridge.example.com"],
            "--secret token=FILE",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .arg("--config")
            .arg(gateway.config_path())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(64) && error.contains(words),
            "{arguments:?}: {error}"
        );
        assert!(!error.contains("abc"), "what may be a secret is not repeated");
    }
}

#[test]
fn at_a_terminal_it_asks_and_does_not_show_the_secret() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let (gateway, office) = (site(), office());
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = || {
        fs::File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .arg("--config")
        .arg(gateway.config_path())
        .args(["connect", "contract", "--json"]);
    command.arg("--write-to").arg(gateway.path());
    let child = command
        .stdin(theirs())
        .stderr(theirs())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(command);
    let mut terminal = fs::File::from(ours);
    let mut shown = String::new();
    let mut until = |words: &str, terminal: &mut fs::File| {
        let mut byte = [0];
        while !shown.contains(words) {
            terminal.read_exact(&mut byte).unwrap();
            shown.push(char::from(byte[0]));
        }
        shown.clone()
    };
    until("(url): ", &mut terminal);
    writeln!(terminal, "{}", office.cloud().url()).unwrap();
    until("(token): ", &mut terminal);
    writeln!(terminal, "{}", office.cloud().token()).unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = until("(token): \r\n", &mut terminal);
    assert!(output.status.success(), "{shown}");
    assert!(!shown.contains(office.cloud().token()), "{shown}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let secret = gateway.path().join("contract-token");
    assert!(
        document["toml"]
            .as_str()
            .unwrap()
            .contains(&secret.display().to_string())
    );
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&secret).unwrap(), office.cloud().token());
    let left = fs::read_dir(gateway.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let hidden: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

/// The flags that stand for what a simulator's own `[cloud]` says, with some values replaced; secrets are files.
fn flags(gateway: &Gateway, office: &dyn Office, other: &[(&str, &str)]) -> Vec<String> {
    let text = office.cloud_section(gateway.path());
    let text = text.replace("{dir}", &gateway.path().display().to_string());
    let whole: toml::Table = text.parse().unwrap();
    let mut flags = vec!["connect".to_owned(), office.platform().to_owned()];
    for (key, value) in whole["cloud"][office.platform()].as_table().unwrap() {
        let replaced = other.iter().find(|(name, _)| name == key);
        let replaced = replaced.map(|(_, value)| (*value).to_owned());
        if let Some(file) = value.get("file") {
            let file = replaced.unwrap_or_else(|| file.as_str().unwrap().to_owned());
            flags.extend(["--secret".into(), format!("{key}={file}")]);
        } else {
            let value = replaced.unwrap_or_else(|| value.as_str().map_or(value.to_string(), str::to_owned));
            flags.extend(["--set".into(), format!("{key}={value}")]);
        }
    }
    flags.push("--print".into());
    flags
}

fn connect(gateway: &Gateway, office: &dyn Office, other: &[(&str, &str)]) -> (i32, String, String) {
    let flags = flags(gateway, office, other);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    gateway.command(&flags)
}

#[test]
fn what_is_wrong_with_everything_is_told_once() {
    let gateway = site();
    let wrong = gateway.secret("wrong", "not-the-secret").display().to_string();
    let spacebring = Spacebring::start().unwrap();
    let (status, out, error) = connect(&gateway, &spacebring, &[("client_secret", &wrong)]);
    assert_eq!((status, out.as_str()), (1, ""), "no draft of what does not work");
    assert_eq!(error.matches("does not accept this client").count(), 1, "{error}");
    assert!(error.contains("check [cloud.spacebring] client_id"), "{error}");
    // A place that is not there has no plans and no people, which would look like a space that has just begun.
    let (status, out, error) = connect(&gateway, &spacebring, &[("location", "elsewhere")]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(
        error.contains(
            "location elsewhere is not among those of this client; correct [cloud.spacebring] location"
        ) && error.contains("Riverside ("),
        "{error}"
    );
    let nexudus = Nexudus::start().unwrap();
    let (status, out, error) = connect(&gateway, &nexudus, &[("business", "99")]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(
        error.contains("there is no location 99") && error.contains("business to one of 1414 (Harbour)"),
        "{error}"
    );
}

#[test]
fn another_zone_is_told_once_and_what_was_set_before_stays() {
    let office = Cobot::start().unwrap();
    let layout = Layout::new("rtc = true")
        .table(
            "[cloud]",
            "kind = \"cobot\"\ncard_format = \"uid-reversed\"\nallowance = 3\ntimeout_seconds = 7",
        )
        .table(
            "[cloud.cobot]",
            "subdomain = \"long-ago\"\ntoken = { file = \"{dir}/old-token\" }\nspace = \"space-riverside\"",
        )
        .group("members", &["front"])
        .door("front", "");
    let text = layout.text().replace("Europe/Madrid", "America/New_York");
    let gateway = Gateway::new(&text);
    gateway.secret("old-token", "of-long-ago");
    let (status, out, error) = connect(&gateway, &office, &[]);
    assert_eq!(status, 0, "{out}{error}");
    assert_eq!(out.matches("America/New_York").count(), 1, "{out}");
    assert!(
        out.contains("the platform has this place in Europe/Madrid, [site] zone is America/New_York"),
        "{out}"
    );
    for line in [
        "card_format = \"uid-reversed\" # as it was",
        "allowance = 3 # as it was",
        "timeout_seconds = 7 # as it was",
        "space = \"space-riverside\" # as it was",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(!out.contains("long-ago"), "what is given now counts: {out}");
}
