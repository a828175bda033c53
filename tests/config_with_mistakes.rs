//! A configuration with mistakes: all of them are told at once, each with its place and what to do.

use doorward::config::{
    Config, Environment, Findings, Purpose,
    model::{LineKind, Parity, WradaptFrame, WradaptNumber},
    parse,
};
use std::path::Path;

fn check(text: &str) -> (Option<Config>, Findings) {
    parse(
        Path::new("doorward.toml"),
        text.into(),
        Purpose::Run,
        &Environment::default(),
    )
}

const SITE: &str = "[site]\nid = \"s\"\nzone = \"UTC\"\n";

/// The one error of a file that is right but for `text`.
#[track_caller]
fn only_error(text: &str) -> String {
    let (config, findings) = check(&format!("{SITE}{text}"));
    assert!(config.is_none(), "accepted");
    assert_eq!(findings.errors.len(), 1, "{findings}");
    let error = &findings.errors[0];
    format!(
        "{}:{} {}: {} ({})",
        error.line - 3,
        error.column,
        error.key,
        error.what,
        error.hint
    )
}

#[test]
fn the_least_configuration() {
    let (config, findings) = check(SITE);
    let config = config.unwrap_or_else(|| panic!("{findings}"));
    assert_eq!(config.journal.max_events, 250_000);
    assert_eq!(
        config.sync.max_age.len(),
        3,
        "bookings and hand-given rights hold for ever"
    );
    assert!(config.warnings.is_empty() && config.mqtt.is_none() && config.checkins.is_none());
}

#[test]
fn many_mistakes_are_told_at_once() {
    let text = r#"
holidays = ["2026-12-25", "2026-02-30"]
[site]
id = "River Side"
zoen = "Europe/Madrid"
[journal]
max_events = 10
[cloud]
kind = "contract"
url = "http://cloud.example.com"
token = "hunter2 is not a good token"
[[line]]
id = "bus"
path = "/dev/ttyUSB0"
[[line.reader]]
id = "front"
address = 3
door = "frnot"
install_mode = true
[[line.reader]]
id = "front"
address = 3
door = "front"
[[door]]
id = "front"
release = { reader = "garage", output = 0 }
[[line]]
id = "garage"
path = "/dev/ttyUSB0"
kind = "wradapt"
[[line.reader]]
id = "garage"
door = "front"
[[schedule]]
id = "office"
monday = ["08:00-12:00", "11:00-13:00", "25:00-26:00"]
"#;
    let (config, findings) = check(text);
    assert!(config.is_none());
    let shown = findings.to_string();
    assert!(!shown.contains("hunter2"), "a secret in the message: {shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn broken_toml_is_told_with_its_place() {
    let (config, findings) = check("[site]\nid = \"s\nzone = \"UTC\"\n[journal\nmax_events = = 5\n");
    assert!(config.is_none() && findings.errors.len() >= 2);
    insta::assert_snapshot!(findings);
}

#[test]
fn lines_and_readers() {
    let line = "[[line]]\nid = \"a\"\npath = \"/dev/a\"\n";
    let door = "[[door]]\nid = \"d\"\n";
    let osdp = "[[line.reader]]\nid = \"r\"\ndoor = \"d\"\naddress = 1\n";
    let checks = [
        format!("{line}{door}"),
        format!("{line}{osdp}{door}"),
        format!("{line}{osdp}install_mode = true\naddres = 4\n{door}"),
        format!("{line}{osdp}install_mode = true\nframe = \"stx\"\n{door}"),
        format!("{line}baud = 12345\n{osdp}install_mode = true\n{door}"),
        format!("{line}kind = \"wiegand\"\n{osdp}install_mode = true\n{door}"),
        format!(
            "{line}{}install_mode = true\n{door}",
            osdp.replace("= 1", "= 127")
        ),
        format!(
            "{}{osdp}install_mode = true\n{door}",
            line.replace("/dev/a", "ttyUSB0")
        ),
        format!(
            "{line}{osdp}install_mode = true\n{door}contact = {{ reader = \"r\", input = 0 }}\nrequest_to_exit = {{ reader = \"r\", input = 0 }}\n"
        ),
        format!("{line}reader = \"r\"\n"),
    ];
    let told: Vec<_> = checks.iter().map(|text| only_error(text)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_network_is_reached_safely_or_not_at_all() {
    let cloud = |url: &str| only_error(&format!("[cloud]\nkind = \"contract\"\nurl = \"{url}\"\n"));
    let mqtt = |rest: &str| only_error(&format!("[mqtt]\n{rest}\n"));
    let told = [
        cloud("https://cloud.example.com"), // but for the token
        mqtt("url = \"mqtt://broker.example.com\""),
        mqtt("url = \"http://localhost\""),
        mqtt("url = \"mqtts://me:secret@broker\""),
        mqtt("url = \"mqtt://localhost\"\nca_file = \"/etc/hostname\""),
        mqtt("url = \"mqtts://broker\"\nusername = \"me\""),
        mqtt("url = \"mqtts://broker\"\ntopic = \"doors/#\""),
        mqtt("url = \"mqtts://broker\"\nclient_id = \"a b\""),
        mqtt("person = \"email\"\nurl = \"mqtts://broker\""),
    ];
    insta::assert_snapshot!(told.join("\n"));
    for fine in [
        "mqtt://127.0.0.1:1884",
        "mqtt://[::1]",
        "mqtt://localhost",
        "mqtts://broker.example.com",
    ] {
        let (config, findings) = check(&format!("{SITE}[mqtt]\nurl = \"{fine}\"\n"));
        assert!(config.is_some(), "{fine}: {findings}");
    }
    let (config, _) = check(&format!(
        "{SITE}[mqtt]\nplain = true\nurl = \"mqtt://10.0.0.7\"\n"
    ));
    let mqtt = config.unwrap().mqtt.unwrap();
    assert_eq!(
        (mqtt.host.as_str(), mqtt.port, mqtt.tls),
        ("10.0.0.7", 1883, false)
    );
    assert_eq!(
        (mqtt.topic.as_str(), mqtt.client_id.as_str()),
        ("doorward/s", "doorward-s")
    );
}

#[test]
fn names_and_numbers() {
    let long = "x".repeat(49);
    let checks = [
        "[[group]]\nid = \"g\"\ndoors = [\"nowhere\"]\n".to_owned(),
        "[[group]]\nid = \"g\"\ndoors = 5\n".into(),
        "[[group]]\ndoors = []\n".into(),
        format!("[[door]]\nid = \"{long}\"\n"),
        "[[door]]\nid = \"a/b\"\n".into(),
        "[[door]]\nid = \"a\"\n[[door]]\nid = \"a\"\n".into(),
        "[[door]]\nid = \"a\"\nopen_for_all = \"office\"\n".into(),
        "[door]\nid = \"a\"\n".into(),
        "[map.plans]\n\"Full time\" = [\"members\"]\n".into(),
        "[map.plans]\n\"Full time\" = 5\n".into(),
        "[map.plan]\n\"Full time\" = [\"members\"]\n".into(),
        "[sync]\nhold_share = 20\n".into(),
        "[sync]\npoll_seconds = \"60\"\n".into(),
        "[sync.max_age_days]\nplan = 0\n".into(),
        "[sync.max_age_days]\nplans = 3\n".into(),
        "[paths]\nstate = \"state\"\n".into(),
        "[clock]\nuntrusted = \"refused\"\n".into(),
        "[clock]\nrtc = \"yes\"\n".into(),
        "[checkins]\ndoors = [\"x\"]\n".into(),
        "[[schedule]]\nid = \"s\"\nholiday = [\"22:00-06:00\"]\n".into(),
        "[[schedule]]\nid = \"s\"\nmonday = [\"20:00-04:00\"]\ntuesday = [\"03:00-08:00\"]\n".into(),
        "colour = \"red\"\n".into(),
    ];
    let told: Vec<_> = checks.iter().map(|text| only_error(text)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn hours_over_midnight_belong_to_both_days() {
    let (config, findings) = check(&format!(
        "{SITE}[[schedule]]\nid = \"late\"\nweekend = [\"22:00-06:00\"]\nmonday = [\"08:00-12:00\"]\n"
    ));
    let config = config.unwrap_or_else(|| panic!("{findings}"));
    let week = config.site.schedules[0]
        .week
        .clone()
        .map(|day| day.iter().map(|span| (span.from, span.until)).collect::<Vec<_>>());
    assert_eq!(week[5], [(1320, 1440)]);
    assert_eq!(week[6], [(0, 360), (1320, 1440)]);
    assert_eq!(week[0], [(0, 360), (480, 720)], "Sunday's night ends on Monday");
}

#[test]
fn a_wall_reader_behind_its_adaptor() {
    let door = "[[door]]\nid = \"garage\"\n";
    let line = "[[line]]\nid = \"w\"\nkind = \"wradapt\"\npath = \"/dev/w\"\n";
    let reader = "[[line.reader]]\nid = \"r\"\ndoor = \"garage\"\n";
    let set = "frame = \"text\"\nnumber = \"wiegand26\"\ndata_bits = 7\nparity = \"even\"\n";
    let (config, findings) = check(&format!("{SITE}{door}{line}{reader}{set}"));
    let config = config.unwrap_or_else(|| panic!("{findings}"));
    let LineKind::Wradapt(reader_of_line) = &config.lines[0].kind else {
        panic!("{:?}", config.lines)
    };
    assert_eq!(reader_of_line.frame, WradaptFrame::Text);
    assert_eq!(reader_of_line.number, WradaptNumber::Wiegand26);
    assert_eq!(
        (reader_of_line.data_bits, reader_of_line.parity),
        (7, Parity::Even)
    );
    let told = [
        only_error(&format!(
            "{door}{line}{reader}{}",
            reader.replace("\"r\"", "\"r2\"")
        )),
        only_error(&format!("{door}{line}{reader}address = 0\n")),
        only_error(&format!("{door}{line}{reader}data_bits = 9\n")),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_zone_and_an_address_are_checked() {
    let (_, findings) = check("[site]\nid = \"s\"\nzone = \"Europe/Madird\"\n");
    assert!(findings.errors[0].what.contains("no time zone"), "{findings}");
    let cloud = |url: &str| check(&format!("{SITE}[cloud]\nkind = \"contract\"\nurl = \"{url}\"\n")).1;
    for fine in [
        "http://127.0.0.1:8080/x",
        "http://[::1]/",
        "http://localhost",
        "https://c.example/x",
    ] {
        assert_eq!(cloud(fine).errors.len(), 1, "all but the token: {}", cloud(fine));
    }
    for wrong in [
        "http://10.0.0.1",
        "http://localhost.example.com",
        "ftp://c",
        "c.example",
        "https://a:b@c",
        "https://c/?x=1",
    ] {
        assert_eq!(cloud(wrong).errors.len(), 2, "{wrong}: {}", cloud(wrong));
    }
}

#[test]
fn a_file_that_is_none_is_told() {
    let environment = Environment::default();
    let folder = tempfile::tempdir().unwrap();
    let latin1 = folder.path().join("latin1.toml");
    std::fs::write(&latin1, b"[site]\nname = \"Caf\xE9\"\n").unwrap();
    for (path, what) in [
        (folder.path().join("none.toml"), "there is no such file"),
        (folder.path().to_owned(), "not a file"),
        (latin1, "UTF-8"),
    ] {
        let findings = doorward::config::load(&path, &environment).unwrap_err();
        assert!(findings.to_string().contains(what), "{findings}");
    }
}

#[test]
fn what_people_write_who_do_not_know_toml_is_told_what_to_write() {
    let hint = |text: &str| {
        let (config, findings) = check(&format!("{SITE}{text}"));
        assert!(config.is_none() && findings.errors.len() == 1, "{findings}");
        assert_eq!(findings.errors[0].line, 3 + text.lines().count(), "{findings}");
        findings.errors[0].hint.clone()
    };
    assert!(hint("[clock]\nrtc = yes\n").starts_with("write true or false"));
    assert!(hint("[clock]\r\nrtc = yes\r\n").starts_with("write true or false"));
    assert!(hint("[[door]]\nid = front\n").starts_with("put text in plain quotation marks"));
    assert!(hint("[[door]]\nid = “front”\n").contains("typographic"));
    assert!(hint("[journal]\nmax_events = 250,000\n").contains("250_000"));
    assert!(hint("[[door]]\nid = \"front\"\nid = \"back\"\n").contains("[[…]]"));
    assert!(hint("[clock]\nrtc: true\n").contains("key = value"));
    let list = hint("[[door]]\nid = \"front\"\n[[group]]\nid = \"g\"\ndoors = \"front\"\n");
    assert_eq!(
        list, "write doors = [\"…\"], in square brackets",
        "and no complaint about an empty group"
    );
}

#[test]
fn a_file_from_another_system_is_read_or_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let read = |bytes: &[u8]| {
        let path = folder.path().join("doorward.toml");
        std::fs::write(&path, bytes).unwrap();
        let (config, findings) = doorward::config::read(&path, Purpose::Inspect, &Environment::default());
        config.map(|_| ()).ok_or_else(|| findings.to_string())
    };
    assert_eq!(read(SITE.replace('\n', "\r\n").as_bytes()), Ok(()));
    assert_eq!(
        read(format!("\u{feff}{SITE}").as_bytes()),
        Ok(()),
        "a byte order mark"
    );
    assert_eq!(read(SITE.replace("id =", "\tid\t=").as_bytes()), Ok(()), "tabs");
    let utf16: Vec<u8> = SITE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(
        read(&[&[0xFF, 0xFE], &utf16[..]].concat())
            .unwrap_err()
            .contains("UTF-16")
    );
    let latin1 = read(b"[site]\nid = \"s\"\nname = \"Caf\xE9\"\n").unwrap_err();
    assert!(latin1.contains("line 3"), "{latin1}");
}

mod damaged {
    use super::check;
    use proptest::prelude::*;

    const EXAMPLE: &str = include_str!("../config/doorward.toml");

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        /// However a file is damaged, it is either used or complained about, and every complaint has its place.
        #[test]
        fn a_damaged_file_is_used_or_complained_about(at in 0..EXAMPLE.len(), gone in 0_usize..80, put in "[\\x20-~é\\n=\"\\[\\]{}#]{0,12}") {
            let boundary = |at: usize| (0..=at.min(EXAMPLE.len())).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap_or(0);
            let (from, until) = (boundary(at), boundary(at + gone));
            let text = format!("{}{put}{}", &EXAMPLE[..from], &EXAMPLE[until..]);
            let (config, findings) = check(&text);
            prop_assert_eq!(config.is_some(), findings.errors.is_empty());
            let lines = text.split('\n').count();
            for error in findings.errors.iter().chain(&findings.warnings) {
                prop_assert!((1..=lines).contains(&error.line) && error.column >= 1 && !error.what.is_empty(), "{error:?}");
            }
            let _ = findings.to_string();
        }
    }
}
