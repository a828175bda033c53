//! What happened, the newest first.

use super::{Api, asked::Asked};
use crate::{
    domain::{EntryEvent, EventKind, Millis, Say, event::ClockQuality, say::page as say},
    web::{
        problem::Problem,
        signin::{Act, Who},
    },
};
use axum::{Json, Router, extract::State, routing::get};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Events on a page, at most.
const LONGEST_PAGE: usize = 200;
/// Events that are looked at for a page, however few of them fit the filter: some ten milliseconds on a Raspberry Pi.
const LOOKED_AT: usize = 4_000;
/// Events read at a time.
const BITE: usize = 500;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/api/v1/events", get(events))
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    /// Unique for ever.
    id: String,
    /// Grows by one for each event of this installation.
    sequence: u64,
    /// RFC 3339 in UTC, milliseconds.
    time: String,
    /// False where the clock was not known to be right.
    trusted: bool,
    /// What happened: `granted`, `door_held`.
    kind: &'static str,
    /// Where.
    door: Option<String>,
    /// At which reader.
    reader: Option<String>,
    /// `granted` or `refused`, for presentations.
    decision: Option<&'static str>,
    /// Why, as a stable name.
    reason: Option<&'static str>,
    /// What happened or why, for people.
    words: String,
    /// Who.
    person: Option<EntryPerson>,
    /// The card, all but its end left out.
    card: Option<String>,
    /// The platform object behind the decision.
    source: Option<String>,
    /// The rule of docs/rules.md, 1 to 44.
    rule: Option<u8>,
    /// Anything else, for people.
    detail: Option<String>,
    /// The same, for whoever says it in another language.
    say: Option<Say>,
}

/// Who it was.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryPerson {
    /// The platform's id.
    id: String,
    /// The name then.
    name: Option<String>,
}

impl From<&EntryEvent> for Entry {
    fn from(event: &EntryEvent) -> Self {
        let body = &event.body;
        let words = body.reason.map_or_else(
            || body.kind.name().replace('_', " "),
            |reason| reason.words().to_owned(),
        );
        Self {
            id: event.id.as_str().to_owned(),
            sequence: event.seq,
            time: rfc3339(body.at),
            trusted: body.clock == ClockQuality::Trusted,
            kind: body.kind.name(),
            door: body.door.as_ref().map(|door| door.as_str().to_owned()),
            reader: body.reader.as_ref().map(|reader| reader.as_str().to_owned()),
            decision: decision(body.kind),
            reason: body.reason.map(|reason| reason.name()),
            words,
            person: body.person.as_ref().map(|person| EntryPerson {
                id: person.as_str().to_owned(),
                name: body.person_name.clone(),
            }),
            card: body.credential.map(|card| card.masked()),
            source: body.source.clone(),
            rule: body.rule,
            detail: body.detail.clone(),
            say: body.detail.as_deref().and_then(Say::of_detail),
        }
    }
}

/// What became of a presentation.
const fn decision(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::Granted => Some("granted"),
        EventKind::Refused => Some("refused"),
        _ => None,
    }
}

/// RFC 3339, UTC, milliseconds; the nearest that there is for times beyond the calendar.
pub(super) fn rfc3339(at: Millis) -> String {
    let nearest = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::from_millisecond(at).unwrap_or(nearest);
    format!("{time:.3}")
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventPage {
    /// The newest first. May be fewer than were asked for, or none, though there are more.
    events: Vec<Entry>,
    /// For the next page; null at the end of the journal.
    next: Option<u64>,
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `next` of the page before.
    cursor: Option<u64>,
    /// Events on the page; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// At this door.
    door: Option<String>,
    /// Of this kind: `granted`, `refused`, `door_forced`.
    kind: Option<String>,
    /// Of this person, by the platform's id.
    person: Option<String>,
    /// With this reason, by its stable name: `outside_hours`.
    reason: Option<String>,
    /// `granted` or `refused`: presentations alone.
    outcome: Option<String>,
}

impl Which {
    fn fits(&self, event: &EntryEvent) -> bool {
        let body = &event.body;
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        same(&self.door, body.door.as_ref().map(|door| door.as_str()))
            && same(&self.kind, Some(body.kind.name()))
            && same(&self.outcome, decision(body.kind))
            && same(&self.reason, body.reason.map(|reason| reason.name()))
            && same(&self.person, body.person.as_ref().map(|person| person.as_str()))
    }
}

/// What happened, the newest first
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(Which),
    extensions(("x-scope" = json!("events:read"))), responses(
    (status = 200, body = EventPage), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn events(
    State(api): State<Api>,
    who: Who,
    Asked(which): Asked<Which>,
) -> Result<Json<EventPage>, Problem> {
    who.need(Act::ReadEvents)?;
    let limit = which.limit.unwrap_or(50);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        return Err(Problem::invalid(say::bad_limit()));
    }
    if which
        .kind
        .as_deref()
        .is_some_and(|kind| EventKind::ALL.iter().all(|known| known.name() != kind))
    {
        return Err(Problem::invalid(say::bad_event_kind()));
    }
    if which
        .outcome
        .as_deref()
        .is_some_and(|outcome| !matches!(outcome, "granted" | "refused"))
    {
        return Err(Problem::invalid(say::bad_outcome()));
    }
    api.ask(move |api| page(api, &which, limit)).await.map(Json)
}

fn page(api: &Api, which: &Which, limit: usize) -> Result<EventPage, Problem> {
    let mut before = which.cursor.unwrap_or(u64::MAX);
    let mut found = Vec::new();
    let mut left = LOOKED_AT;
    loop {
        let bite = api.store.read().events_before(before, BITE);
        let bite = bite.map_err(|error| Problem::failed(&error))?;
        if bite.is_empty() {
            return Ok(EventPage {
                events: found,
                next: None,
            });
        }
        left = left.saturating_sub(bite.len());
        for event in &bite {
            before = event.seq;
            if which.fits(event) {
                found.push(Entry::from(event));
            }
            if found.len() == limit {
                let next = Some(before);
                return Ok(EventPage { events: found, next });
            }
        }
        if left == 0 {
            let next = Some(before);
            return Ok(EventPage { events: found, next });
        }
    }
}
