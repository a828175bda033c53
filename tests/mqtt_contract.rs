//! What is published is what the contract says, and no card number and no secret leaves by payload or log.

use crate::mqtt_site::{CARD, Gateway, Journal, START, config, login};
use doorward::{
    building::{Reader, event_json},
    config::model::PersonDetail,
    domain::{
        EntryEvent, EventKind, Moment, Reason,
        event::{ClockQuality, Draft},
    },
};
use doorward_peers::stubborn_broker::{Mood, StubbornBroker};
use serde_json::Value;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;

const EVENT: &str = include_str!("../docs/contract/event.schema.json");
const HEALTH: &str = include_str!("../docs/contract/health.schema.json");

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value fits a schema: the part of JSON Schema 2020-12 that our documents use. A keyword that is not here
/// fails the test, so that no schema outgrows it.
fn fits(schema: &Value, value: &Value) -> bool {
    let text = value.as_str();
    schema
        .as_object()
        .unwrap()
        .iter()
        .all(|(keyword, rule)| match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" | "then" | "else" => true,
            "type" => match rule {
                Value::Array(types) => types.iter().any(|one| one == type_of(value)),
                one => one == type_of(value),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "required" => rule.as_array().unwrap().iter().all(|name| {
                value
                    .as_object()
                    .is_none_or(|object| object.contains_key(name.as_str().unwrap()))
            }),
            "properties" => rule
                .as_object()
                .unwrap()
                .iter()
                .all(|(name, schema)| value.get(name).is_none_or(|value| fits(schema, value))),
            "additionalProperties" => {
                assert_eq!(rule, false);
                let known = &schema["properties"];
                value
                    .as_object()
                    .is_none_or(|object| object.keys().all(|name| known.get(name).is_some()))
            }
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| fits(rule, item))),
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= rule.as_i64().unwrap()),
            "minLength" => text.is_none_or(|text| text.len() as u64 >= rule.as_u64().unwrap()),
            "format" => {
                text.is_none_or(|text| rule == "date-time" && text.parse::<jiff::Timestamp>().is_ok())
            }
            "pattern" => text.is_none_or(|text| match rule.as_str().unwrap() {
                "^[a-z_]+$" => {
                    text.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()) && !text.is_empty()
                }
                time => {
                    assert!(time.ends_with("\\.[0-9]{3}Z$"), "{time}");
                    text.len() >= 24 && text.ends_with('Z') && text.as_bytes()[text.len() - 5] == b'.'
                }
            }),
            "if" => {
                let branch = if fits(rule, value) { "then" } else { "else" };
                fits(&schema[branch], value)
            }
            unknown => panic!("the test knows no keyword {unknown}"),
        })
}

fn full_event(kind: EventKind, reason: Option<Reason>) -> EntryEvent {
    let mut body = Draft::new(kind, START, ClockQuality::Untrusted);
    if reason.is_some() {
        body.door = Some("front".into());
        body.reader = Some("front-in".into());
        body.credential = Some(CARD.parse().unwrap());
        body.person = Some("m-77".into());
        body.person_name = Some("Ada Lovelace".into());
        body.source = Some("booking:9".into());
        body.rule = Some(44);
        body.detail = Some("booking starts 14:25".into());
    }
    body.reason = reason;
    EntryEvent {
        id: "k-1".into(),
        seq: 1,
        body,
    }
}

#[test]
fn every_event_fits_the_schema() {
    let schema: Value = serde_json::from_str(EVENT).unwrap();
    let kinds: Vec<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(
        schema["properties"]["kind"]["enum"],
        serde_json::json!(kinds),
        "the schema names every kind"
    );
    for person in [PersonDetail::Nothing, PersonDetail::Id, PersonDetail::Name] {
        let to = Reader {
            person,
            late_after: Duration::from_secs(120),
            recorded_before: 0,
        };
        let kinds = EventKind::ALL.into_iter().map(|kind| full_event(kind, None));
        let reasons = Reason::ALL.iter().map(|reason| {
            let kind = if reason.grants() {
                EventKind::Granted
            } else {
                EventKind::Refused
            };
            full_event(kind, Some(*reason))
        });
        for event in kinds.chain(reasons) {
            let value: Value =
                serde_json::from_slice(&event_json(&event, to, Moment::trusted(START))).unwrap();
            assert!(fits(&schema, &value), "{value}");
            let mut names: Vec<_> = value.as_object().unwrap().keys().collect();
            let mut required: Vec<_> = schema["required"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            names.sort();
            required.sort_unstable();
            assert_eq!(names, required, "every property is there and documented");
        }
    }
}

#[test]
fn the_schema_refuses_what_is_not_an_event() {
    let schema: Value = serde_json::from_str(EVENT).unwrap();
    let to = Reader {
        person: PersonDetail::Id,
        late_after: Duration::from_secs(120),
        recorded_before: 0,
    };
    let event = full_event(EventKind::Granted, Some(Reason::GrantedPlan));
    let good: Value = serde_json::from_slice(&event_json(&event, to, Moment::trusted(START))).unwrap();
    assert!(fits(&schema, &good));
    for (name, bad) in [
        ("schema", 2.into()),
        ("sequence", 0.into()),
        ("time", "yesterday".into()),
        ("clock", "good".into()),
        ("kind", "opened".into()),
        ("late", "no".into()),
        ("rule", 45.into()),
        ("person", serde_json::json!({"id": "m", "card": CARD})),
    ] {
        let mut value = good.clone();
        value[name] = bad;
        assert!(!fits(&schema, &value), "{value}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// On one thread, so that the log of every task is caught.
#[tokio::test]
async fn no_card_number_and_no_password_in_payloads_health_or_log() {
    let log = Log::default();
    // With one subscriber in the process, a log statement that another test's thread meets first stays off for all
    // (tracing's cache asks that thread only). A second one makes it ask both.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let broker = StubbornBroker::start(Mood::Refusing(5)).unwrap();
    let journal = Journal::new();
    journal.taps(3, START);
    let mut config = config(broker.port);
    config.login = login("north", "Tr0ub4dor");
    config.person = PersonDetail::Name;
    let gateway = Gateway::start(config, &journal);
    let refused = gateway.wait_fault("mqtt_refused").await;
    broker.turn(Mood::Good);
    journal.wait_cursor(3).await;
    let health = gateway.stop().await;

    let published = broker.wait_published(|published| published.len() >= 5).unwrap();
    let schema: Value = serde_json::from_str(HEALTH).unwrap();
    let docs: Vec<Value> = published
        .iter()
        .filter(|publish| publish.topic.ends_with("/health"))
        .map(|publish| serde_json::from_slice(&publish.payload).unwrap())
        .collect();
    assert!(
        docs.len() >= 2 && docs.iter().all(|doc| fits(&schema, doc)),
        "{docs:?}"
    );
    assert!(!fits(&schema, &serde_json::json!({"schema": 1, "online": true})));

    let mut all = format!("{refused} {:?} ", health.doc());
    for publish in published {
        all.push_str(&String::from_utf8(publish.payload).unwrap());
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("connected to the MQTT broker"),
        "the log is caught: {log}"
    );
    all.push_str(&log);
    let all = all.to_ascii_lowercase();
    for secret in ["deadbeef", "04:de", "tr0ub4dor"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
