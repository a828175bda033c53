//! What the commands print: tables for people, JSON for machines, and never a whole card number.

use clap::Parser;
use doorward::{
    building::{Reader, event_json},
    cli::{args::Args, args::Command, events, explain, out::Out, report, sync},
    clock::Clock,
    config::{Config, Environment, Purpose, model::PersonDetail, parse},
    daemon::control::{FaultDoc, StatusDoc},
    domain::{ClockQuality, Credential, EntryEvent, EventKind, Reason, event::Draft, time::Moment},
};
use std::{
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `print` writes, as a table, and as JSON.
fn printed(print: impl Fn(&mut Out)) -> [String; 2] {
    [false, true].map(|json| {
        let page = Page::default();
        print(&mut Out::new(Box::new(page.clone()), json, false, Some(100)));
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    })
}

const AT: i64 = 1_795_345_496_789; // 2026-11-22T11:04:56.789Z

fn events() -> Vec<EntryEvent> {
    let event = |seq: u64, body: Draft| EntryEvent {
        id: format!("abc-{seq}").as_str().into(),
        seq,
        body,
    };
    let mut granted = Draft::new(EventKind::Granted, AT, ClockQuality::Trusted);
    granted.door = Some("front-door".into());
    granted.reader = Some("front".into());
    granted.credential = Credential::uid(&[4, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80]).ok();
    granted.person = Some("p-1".into());
    granted.person_name = Some("Ana Ruiz".into());
    granted.reason = Some(Reason::GrantedBooking);
    granted.source = Some("booking b-77".into());
    granted.rule = Some(12);
    let mut refused = Draft::new(EventKind::Refused, AT + 5_000, ClockQuality::Untrusted);
    refused.door = Some("front-door".into());
    refused.credential = granted.credential;
    refused.reason = Some(Reason::UnknownCredential);
    let mut fault = Draft::new(EventKind::ReaderOffline, AT + 6_000, ClockQuality::Trusted);
    fault.reader = Some("front".into());
    vec![event(7, granted), event(8, refused), event(9, fault)]
}

fn view(zone: &str) -> events::View<'_> {
    events::View {
        zone,
        reader: Reader {
            person: PersonDetail::Name,
            late_after: Duration::from_secs(60),
            recorded_before: 9,
        },
        clock: Clock::manual(Moment::trusted(AT + 61_000)),
    }
}

#[test]
fn events_as_a_table_and_as_json() {
    let [table, json] = printed(|out| events::show(out, &events(), &view("Europe/Madrid")).unwrap());
    assert!(!format!("{table}{json}").contains("A2B3"), "a whole card number");
    for line in json.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    let [followed, one] = printed(|out| {
        events()
            .iter()
            .for_each(|event| events::show_one(out, event, &view("Europe/Madrid")).unwrap());
    });
    assert_eq!(one, json);
    let [none, nothing] = printed(|out| events::show(out, &[], &view("UTC")).unwrap());
    assert_eq!((none.as_str(), nothing.as_str()), ("no events\n", ""));
    insta::assert_snapshot!(format!("{table}\n{json}\n{followed}"));
}

/// The one schema describes both; only the masked card is the journal's own.
#[test]
fn an_event_is_the_same_on_the_building_network_and_in_the_journals_own_words() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../docs/contract/event.schema.json")).unwrap();
    let view = view("UTC");
    for event in events() {
        let [_, line] = printed(|out| events::show_one(out, &event, &view).unwrap());
        let mut line: serde_json::Map<_, _> = serde_json::from_str(&line).unwrap();
        for name in line.keys() {
            assert!(
                schema["properties"].get(name).is_some(),
                "{name} is not documented"
            );
        }
        let card = line.remove("credential").unwrap();
        assert_eq!(card.is_null(), event.body.credential.is_none());
        let told = event_json(&event, view.reader, view.clock.now());
        let told: serde_json::Map<_, _> = serde_json::from_slice(&told).unwrap();
        assert_eq!(line, told);
    }
}

fn status() -> StatusDoc {
    let fault = |key: &str, text: &str| FaultDoc {
        key: key.into(),
        text: text.into(),
        since: AT,
    };
    let reader = |online: bool, install_mode: bool| serde_json::json!({ "online": online, "secure": online && !install_mode, "install_mode": install_mode, "presentations": 12, "unanswered": 1 });
    let store = serde_json::json!({ "events": 1207, "max_events": 250_000, "first": 1, "last": 1207, "unsent": { "cloud": 3, "mqtt": 0 },
        "ring_used": 0, "ring_slots": 1024, "ring_survives": true, "ring_in_memory": true, "lost": 0, "last_error": null });
    let held = serde_json::json!({ "version": 18, "etag": null, "taken_at": AT, "people": 40, "credentials": 41, "grants": 55,
        "held_because": "25 of 80 grants would go at once; the snapshot in force stays. If that is meant, run `doorward sync accept`" });
    let sync = serde_json::json!({ "place": "https://cloud.example.com", "version": 17, "taken_at": AT - 7_200_000, "people": 60,
        "credentials": 61, "grants": 80, "last_contact": AT, "last_error": "503 Service Unavailable", "failures": 2, "held": held,
        "hints": 14, "refreshes": 9, "last_refresh": AT, "skew": -7_000,
        "still_in": [{ "name": "Ana Ruiz", "person": "p1", "plan": "Flex", "since": AT },
            { "name": "Bob Bartley", "person": "p2", "plan": "Flex", "since": null }],
        "warnings": ["plan \"Night owl\" opens nothing: it is not in [map.plans]"] });
    let sections = [
        (
            "doors",
            serde_json::json!({
            "front-door": { "state": "secured", "lockdown": false, "contact": "closed" },
            "side-door": { "state": "held", "lockdown": false, "contact": "open" },
            "store-room": { "state": "secured", "lockdown": true, "contact": "unknown" } }),
        ),
        (
            "lines",
            serde_json::json!({
            "bus-1": { "path": "/dev/ttyUSB0", "open": true, "noise": 7, "bad_checks": 0, "strays": 0, "opened": 1,
                "readers": { "front": reader(false, false), "new": reader(true, true), "side": reader(true, false) } },
            "bus-2": { "path": "/dev/ttyUSB1", "open": false, "readers": {} } }),
        ),
        (
            "budgets",
            serde_json::json!([
                { "lane": "memberships", "used": 6, "of": 6, "per_ms": 60_000, "total": 81, "throttled": 2 },
                { "lane": "everything", "used": 31, "of": 60, "per_ms": 60_000, "total": 4_100, "throttled": 0 },
            ]),
        ),
        (
            "hooks",
            serde_json::json!({ "listening": "127.0.0.1:8443", "tls": false, "subscribed": 1_795_338_296_789_i64,
                "heard": 12, "refused": 1, "replayed": 2, "strangers": 0, "throttled": 0, "asked": 0,
                "last_heard": 1_795_345_436_789_i64, "last_refused": null }),
        ),
        (
            "check_ins",
            serde_json::json!({ "delivered": 9, "refused": 1, "cursor": 44, "last_error": null }),
        ),
        (
            "mqtt",
            serde_json::json!({ "connected": true, "since": "2026-11-22T10:00:00.000Z", "pending": 0, "last_ack": null, "rebuilt": 0 }),
        ),
        ("store", store),
        ("sync", sync),
        ("clock", serde_json::json!({ "trusted": false })),
        (
            "weather",
            serde_json::json!({ "stations": [{ "id": "roof", "wind": 3 }], "sun": true }),
        ),
    ];
    StatusDoc {
        version: "0.1.0".into(),
        site: "riverside".into(),
        uptime_seconds: 93_784,
        faults: vec![
            fault(
                "reader_offline:front",
                "reader `front` on line `bus-1` has not answered for 12 s; check its cable and power",
            ),
            fault(
                "snapshot_held",
                "version 18 drops 31 % of all rights; look at it and say `doorward sync accept`",
            ),
        ],
        sections: sections.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

#[test]
fn report_and_sync_status() {
    let config = config();
    let view = report::View {
        config: &config,
        now: AT + 200_000,
    };
    let report = printed(|out| assert_eq!(report::show(out, &status(), &view).unwrap(), 1));
    let sync = printed(|out| assert_eq!(sync::show(out, &status(), &view).unwrap(), 0));
    let fine = StatusDoc {
        faults: Vec::new(),
        ..status()
    };
    let fine = printed(|out| assert_eq!(report::show(out, &fine, &view).unwrap(), 0));
    insta::assert_snapshot!(format!("{}\n{}\n{}", report.join("\n"), sync.join("\n"), fine[0]));
}

#[test]
fn an_explanation() {
    let grounds = [
        "Ana Ruiz holds the card".to_owned(),
        "booking b-77 starts 14:25".to_owned(),
    ];
    let [text, json] = printed(|out| {
        assert_eq!(
            explain::show(out, false, &grounds, &serde_json::json!({ "opens": false })).unwrap(),
            1
        );
    });
    assert_eq!(
        text,
        "stays shut\n  Ana Ruiz holds the card\n  booking b-77 starts 14:25\n"
    );
    assert_eq!(json, "{\"opens\":false}\n");
    let [text, _] = printed(|out| assert_eq!(explain::show(out, true, &[], &()).unwrap(), 0));
    assert_eq!(text, "opens\n");
}

fn config() -> Config {
    let text = "[site]\nid = \"s\"\nzone = \"Europe/Madrid\"\n[[door]]\nid = \"front-door\"\n\
        [[line]]\nid = \"bus\"\npath = \"/dev/a\"\n[[line.reader]]\nid = \"front\"\ndoor = \"front-door\"\naddress = 0\ninstall_mode = true\n";
    let (config, findings) = parse(
        Path::new("x.toml"),
        text.into(),
        Purpose::Run,
        &Environment::default(),
    );
    config.unwrap_or_else(|| panic!("{findings}"))
}

#[test]
fn a_question_is_resolved_by_the_configuration() {
    let ask = |rest: &[&str]| {
        let args = Args::try_parse_from(
            ["doorward", "explain", "--credential", "uid:04A2B3C4"]
                .iter()
                .chain(rest),
        )
        .unwrap();
        match args.command {
            Command::Explain(args) => args.question(&config(), AT),
            other => panic!("{other:?}"),
        }
    };
    let question = ask(&["--reader", "front", "--at", "14:25"]).unwrap();
    assert_eq!(
        (question.door.as_str(), question.at),
        ("front-door", Some(AT - 56_789 + 141 * 60_000))
    );
    assert_eq!(ask(&["--door", "front-door"]).unwrap().at, None);
    let wrong = ask(&["--door", "back"]).unwrap_err();
    assert_eq!((wrong.status, wrong.hint.as_str()), (64, "doors are: front-door"));
    assert!(ask(&["--reader", "back"]).unwrap_err().hint.contains("front"));
    assert!(ask(&["--door", "front-door", "--at", "noon"]).is_err());
}
