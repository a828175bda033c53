//! The JSON of an event. `docs/contract/event.schema.json` is the contract; tests hold the two together.

use crate::{
    config::model::PersonDetail,
    domain::{
        EntryEvent, EventKind, Millis, Moment,
        event::{ClockQuality, Draft},
    },
};
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// Version of the schema. It grows when a field changes its meaning or goes; new fields may come at any time.
pub(super) const SCHEMA: u32 = 1;

/// Who reads, and what they may and must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// What they learn about people.
    pub person: PersonDetail,
    /// An event older than this when it is delivered is late (invariant 6).
    pub late_after: Duration,
    /// Events up to this sequence were recorded before this run: while the time is not trusted, their age is
    /// not known, since the time without power does not show.
    pub recorded_before: u64,
}

/// An event as every reader outside gets it: the payload on MQTT, a line of `doorward events --json`. Every property
/// is always there; what does not apply is `null`. Never holds a card number (invariant 7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventDoc<'a> {
    /// Version of the schema.
    pub schema: u32,
    /// Unique for ever.
    pub id: &'a str,
    /// Grows by one for each event of this installation.
    pub sequence: u64,
    /// RFC 3339 in UTC, milliseconds.
    pub time: String,
    /// How much the time may be believed.
    pub clock: ClockQuality,
    /// What happened.
    pub kind: EventKind,
    /// At which door.
    pub door: Option<&'a str>,
    /// At which reader.
    pub reader: Option<&'a str>,
    /// `granted` or `refused`, for presentations.
    pub decision: Option<&'static str>,
    /// Why, as a stable name.
    pub reason: Option<&'static str>,
    /// Why, for people.
    pub words: Option<&'static str>,
    /// Who, as far as the reader may know.
    pub person: Option<PersonDoc<'a>>,
    /// The platform object of the deciding grant, or of the nearest miss.
    pub source: Option<&'a str>,
    /// The rule of that grant, 1 to 44.
    pub rule: Option<u8>,
    /// Anything else, for people.
    pub detail: Option<&'a str>,
    /// Whether it is too old to count as live, as far as is known (invariant 6).
    pub late: bool,
}

/// The person of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonDoc<'a> {
    /// The platform's id.
    pub id: &'a str,
    /// The name then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
}

impl<'a> EventDoc<'a> {
    /// The event as `to` is told of it `now`.
    #[must_use]
    pub fn new(event: &'a EntryEvent, to: Reader, now: Moment) -> Self {
        let body = &event.body;
        // Source and detail of a person's event lead to the person (a membership's id, say): they go with the person.
        let withheld = body.person.is_some() && to.person == PersonDetail::Nothing;
        Self {
            schema: SCHEMA,
            id: event.id.as_str(),
            sequence: event.seq,
            time: rfc3339(body.at),
            clock: body.clock,
            kind: body.kind,
            door: body.door.as_ref().map(crate::domain::DoorId::as_str),
            reader: body.reader.as_ref().map(crate::domain::ReaderId::as_str),
            decision: decision(body.kind),
            reason: body.reason.map(crate::domain::Reason::name),
            words: body.reason.map(crate::domain::Reason::words),
            person: person(body, to.person),
            source: body.source.as_deref().filter(|_| !withheld),
            rule: body.rule,
            detail: body.detail.as_deref().filter(|_| !withheld),
            late: event.is_late(now, to.late_after, to.recorded_before),
        }
    }
}

/// The payload of an event that is delivered `now`.
#[must_use]
pub fn event_json(event: &EntryEvent, to: Reader, now: Moment) -> Vec<u8> {
    // Plain strings, numbers and booleans: serialising them cannot fail.
    serde_json::to_vec(&EventDoc::new(event, to, now)).unwrap_or_default()
}

fn decision(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Granted => Some("granted"),
        EventKind::Refused => Some("refused"),
        _ => None,
    }
}

fn person(body: &Draft, detail: PersonDetail) -> Option<PersonDoc<'_>> {
    let id = body.person.as_ref()?.as_str();
    match detail {
        PersonDetail::Nothing => None,
        PersonDetail::Id => Some(PersonDoc { id, name: None }),
        PersonDetail::Name => Some(PersonDoc {
            id,
            name: body.person_name.as_deref(),
        }),
    }
}

/// RFC 3339, UTC, milliseconds. Times beyond the years that jiff knows become the nearest that it does.
pub(super) fn rfc3339(at: Millis) -> String {
    let nearest = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::from_millisecond(at).unwrap_or(nearest);
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, domain::Reason};
    use serde_json::{Value, json};

    const TO: Reader = Reader {
        person: PersonDetail::Nothing,
        late_after: Duration::from_secs(120),
        recorded_before: 0,
    };
    const AT: Millis = 1_700_000_000_123;

    fn tap() -> EntryEvent {
        let mut body = Draft::new(EventKind::Granted, AT, ClockQuality::Trusted);
        body.door = Some("front".into());
        body.reader = Some("front-in".into());
        body.credential = Some("uid:04A2B3C4D5E680".parse().unwrap());
        body.person = Some("m-77".into());
        body.person_name = Some("Ada L.".into());
        body.reason = Some(Reason::GrantedBooking);
        body.source = Some("booking:9".into());
        body.rule = Some(12);
        EntryEvent {
            id: "k3-41".into(),
            seq: 41,
            body,
        }
    }

    fn json_of(to: Reader, now: Moment) -> Value {
        serde_json::from_slice(&event_json(&tap(), to, now)).unwrap()
    }

    #[test]
    fn an_event_says_everything_and_no_card_number() {
        let to = Reader {
            person: PersonDetail::Name,
            ..TO
        };
        assert_eq!(
            json_of(to, Moment::trusted(AT)),
            json!({
                "schema": 1, "id": "k3-41", "sequence": 41, "time": "2023-11-14T22:13:20.123Z", "clock": "trusted",
                "kind": "granted", "door": "front", "reader": "front-in", "decision": "granted",
                "reason": "granted_booking", "words": "has a booking now", "person": {"id": "m-77", "name": "Ada L."},
                "source": "booking:9", "rule": 12, "detail": null, "late": false,
            })
        );
    }

    #[test]
    fn the_person_is_told_as_configured_and_so_is_what_leads_to_them() {
        let id = Reader {
            person: PersonDetail::Id,
            ..TO
        };
        assert_eq!(json_of(id, Moment::trusted(AT))["person"], json!({"id": "m-77"}));
        assert_eq!(json_of(id, Moment::trusted(AT))["source"], "booking:9");
        let nothing = json_of(TO, Moment::trusted(AT));
        assert_eq!(
            (&nothing["person"], &nothing["source"]),
            (&Value::Null, &Value::Null)
        );
        assert!(!nothing.to_string().contains("m-77") && !nothing.to_string().contains("Ada"));
    }

    #[test]
    fn an_event_is_late_when_its_age_at_delivery_says_so() {
        let clock = Clock::manual(Moment::trusted(AT));
        let late = |to| json_of(to, clock.now())["late"].as_bool().unwrap();
        clock.advance(Duration::from_secs(120));
        assert!(!late(TO));
        clock.advance(Duration::from_millis(1));
        assert!(late(TO));
    }

    #[test]
    fn an_age_that_nobody_knows_is_late() {
        let late = |to, now| json_of(to, now)["late"].as_bool().unwrap();
        let before_this_run = Reader {
            recorded_before: 41,
            ..TO
        };
        assert!(
            late(before_this_run, Moment::untrusted(AT + 5)),
            "how long was the power away?"
        );
        assert!(!late(before_this_run, Moment::trusted(AT + 5)));
        assert!(!late(TO, Moment::untrusted(AT + 5)), "same run, same clock");
        assert!(
            late(TO, Moment::trusted(AT - 7_200_000)),
            "the clock stepped back two hours"
        );
        assert!(!late(TO, Moment::trusted(AT - 500)), "the clock was slewed");
    }

    #[test]
    fn times_beyond_reason_are_still_times() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Millis::MIN).len(), rfc3339(Millis::MIN).trim().len());
        assert!(rfc3339(Millis::MAX).starts_with("9999-"));
    }
}
