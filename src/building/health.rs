//! The retained health document: what it says, what the broker says in our place when we are gone, and how often.

use super::payload::{SCHEMA, rfc3339};
use crate::{
    domain::{Millis, Moment},
    health::{Fault, HealthDoc},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The shortest time between two documents when the faults changed.
const FAULT_GAP: Duration = Duration::from_secs(1);
/// The shortest time between two documents when only sections changed.
const SECTION_GAP: Duration = Duration::from_secs(10);
/// A document at least so often, so that its time tells a live gateway from a broker that forgot us.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(60);

/// The longest document. Brokers on small devices limit packets; this is far below the client's own limit.
pub(super) const MAX_BYTES: usize = 128 * 1024;
/// Faults in a document that had to be cut.
const SHORT_FAULTS: usize = 50;

/// `mqtt` in the health sections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Section {
    /// Whether the broker has us connected.
    pub(super) connected: bool,
    /// Since when that is so, RFC 3339.
    pub(super) since: Option<String>,
    /// Events that the broker has not acknowledged.
    pub(super) pending: u64,
    /// When it last acknowledged anything, RFC 3339.
    pub(super) last_ack: Option<String>,
    /// How often the watchdog threw the client away since the start.
    pub(super) rebuilt: u64,
}

impl Section {
    pub(super) fn turn(&mut self, connected: bool, at: Millis) {
        if self.connected != connected || self.since.is_none() {
            self.connected = connected;
            self.since = Some(rfc3339(at));
        }
    }
}

/// Why the gateway is not online, as the document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offline {
    /// The broker's word, from the last will: the connection broke.
    Lost,
    /// Our own word: stopped in good order.
    Stopped,
}

/// The document that stands on the topic while the gateway is not there.
pub(super) fn offline_json(why: Offline) -> Vec<u8> {
    let why = match why {
        Offline::Lost => "connection_lost",
        Offline::Stopped => "stopped",
    };
    json!({ "schema": SCHEMA, "online": false, "why": why })
        .to_string()
        .into_bytes()
}

/// What a document is about, without the time: two that are equal need not be sent twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content(HealthDoc);

impl Content {
    /// The board without what this room counts at each event, or every document would cause the next, and without what
    /// names people: whatever `[mqtt] person` says of events, a retained document is read by everybody. Of warnings about
    /// facts and of cancelled members who still get in, it has the number.
    pub(super) fn of(mut doc: HealthDoc) -> Self {
        if let Some(Value::Object(section)) = doc.sections.get_mut("mqtt") {
            section.remove("pending");
            section.remove("last_ack");
        }
        if let Some(Value::Object(section)) = doc.sections.get_mut("sync") {
            for list in ["warnings", "still_in"] {
                if let Some(value) = section.get_mut(list) {
                    *value = json!(value.as_array().map_or(0, Vec::len));
                }
            }
        }
        Self(doc)
    }

    /// The payload. Too long a one would cost the connection each time, so then sections are left out, and the
    /// tail of the faults.
    pub(super) fn json(&self, now: Moment) -> Vec<u8> {
        let whole = self.json_of(now, usize::MAX, true);
        if whole.len() <= MAX_BYTES {
            whole
        } else {
            self.json_of(now, SHORT_FAULTS, false)
        }
    }

    fn json_of(&self, now: Moment, faults: usize, sections: bool) -> Vec<u8> {
        let clock = now.quality();
        let ok = self.0.faults.is_empty();
        let faults: Vec<Value> = self.0.faults.iter().take(faults).map(fault_json).collect();
        let sections = if sections {
            json!(self.0.sections)
        } else {
            json!({})
        };
        let doc = json!({
            "schema": SCHEMA, "online": true, "time": rfc3339(now.at), "clock": clock,
            "ok": ok, "faults": faults, "sections": sections,
        });
        doc.to_string().into_bytes()
    }
}

fn fault_json(fault: &Fault) -> Value {
    json!({ "key": fault.key, "text": fault.text, "since": rfc3339(fault.since) })
}

/// When the next document is due.
#[derive(Debug, Default)]
pub(super) struct Pace(Option<(Duration, Content)>);

impl Pace {
    /// Whether this content is due `now` (monotonic).
    pub(super) fn due(&self, content: &Content, now: Duration) -> bool {
        let Some((at, last)) = &self.0 else {
            return true;
        };
        let gap = if last.0.faults != content.0.faults {
            FAULT_GAP
        } else if last != content {
            SECTION_GAP
        } else {
            HEARTBEAT
        };
        now.saturating_sub(*at) >= gap
    }

    /// This content was handed to the client.
    pub(super) fn published(&mut self, content: Content, now: Duration) {
        self.0 = Some((now, content));
    }

    /// A new connection: the will may stand on the topic, so a document is due at once.
    pub(super) fn restart(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Health;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_document_says_what_is_wrong_and_since_when() {
        let health = Health::default();
        health.raise("reader_offline:front", "gone", 1_700_000_000_123);
        health.section(
            "mqtt",
            &Section {
                connected: true,
                pending: 9,
                ..Section::default()
            },
        );
        let doc: Value =
            serde_json::from_slice(&Content::of(health.doc()).json(Moment::untrusted(0))).unwrap();
        assert_eq!(
            doc,
            json!({
                "schema": 1, "online": true, "time": "1970-01-01T00:00:00.000Z", "clock": "untrusted", "ok": false,
                "faults": [{"key": "reader_offline:front", "text": "gone", "since": "2023-11-14T22:13:20.123Z"}],
                "sections": {"mqtt": {"connected": true, "since": null, "rebuilt": 0}},
            })
        );
    }

    #[test]
    fn nobody_is_named_in_a_retained_document() {
        let health = Health::default();
        let named = json!({
            "people": 60, "warnings": ["card uid:…80 belongs to Ana Ruiz (p1) and Bob Bartley (p2)"],
            "still_in": [{"name": "Ana Ruiz", "person": "p1"}, {"name": "Bob Bartley", "person": "p2"}],
        });
        health.section("sync", &named);
        let bytes = Content::of(health.doc()).json(Moment::trusted(0));
        let doc: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            doc["sections"]["sync"],
            json!({"people": 60, "warnings": 1, "still_in": 2})
        );
    }

    #[test]
    fn a_document_that_is_too_long_keeps_its_first_faults() {
        let health = Health::default();
        for door in 0..2_000 {
            health.raise(&format!("reader_offline:{door:04}"), "x".repeat(100), 0);
        }
        let bytes = Content::of(health.doc()).json(Moment::trusted(0));
        let doc: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
        assert_eq!(
            (doc["faults"].as_array().unwrap().len(), &doc["ok"]),
            (50, &json!(false))
        );
    }

    #[test]
    fn a_fault_is_told_soon_a_section_later_and_nothing_new_once_a_minute() {
        let (health, mut pace) = (Health::default(), Pace::default());
        let now = |health: &Health| Content::of(health.doc());
        assert!(pace.due(&now(&health), seconds(0)), "the first at once");
        pace.published(now(&health), seconds(0));
        assert!(!pace.due(&now(&health), seconds(59)) && pace.due(&now(&health), seconds(60)));
        health.section("store", &json!({"events": 1}));
        assert!(!pace.due(&now(&health), seconds(9)) && pace.due(&now(&health), seconds(10)));
        health.raise("disk_full", "no room", 0);
        assert!(!pace.due(&now(&health), Duration::from_millis(999)) && pace.due(&now(&health), seconds(1)));
        pace.published(now(&health), seconds(1));
        health.section(
            "mqtt",
            &Section {
                pending: 1,
                ..Section::default()
            },
        );
        pace.published(now(&health), seconds(11));
        health.section(
            "mqtt",
            &Section {
                pending: 2,
                ..Section::default()
            },
        );
        assert!(
            !pace.due(&now(&health), seconds(30)),
            "our own counters cause no document"
        );
        pace.restart();
        assert!(pace.due(&now(&health), seconds(12)));
    }
}
