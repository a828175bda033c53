//! A verdict in words and as JSON. The field names are stable, `docs/reasons.md` lists them. Card numbers stay
//! masked. Allocates: this is for people who ask, never on the way to an answer.

use super::{
    index::{GrantRef, Index, TargetRef},
    query::{Query, Verdict},
};
use crate::domain::{ClockQuality, Feedback, Reason, time::Millis};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde::Serialize;

/// Why a decision came out as it did, for people and programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// `granted` or `refused`.
    pub decision: &'static str,
    /// The stable name of the reason.
    pub reason: Reason,
    /// The stable code of the reason.
    pub code: u8,
    /// One line for people.
    pub text: String,
    /// When it was asked, RFC 3339 in the site's zone.
    pub at: String,
    /// How much that time may be believed.
    pub clock: ClockQuality,
    /// The site's zone.
    pub zone: String,
    /// The door, if the reader has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<Named>,
    /// The card, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The holder, if there is exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Named>,
    /// The deciding grant, or the nearest miss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantFacts>,
    /// The instant of the nearest miss, RFC 3339 in the site's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What whoever set the block wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Something with an id and a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Stable id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A grant as an explanation shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantFacts {
    /// `plan`, `assignment`, `booking`, `pass` or `direct`.
    pub kind: &'static str,
    /// The id of the platform's object.
    pub source_id: String,
    /// What people call that object.
    pub source_label: String,
    /// `R1` to `R44`.
    pub rule: String,
    /// The group that it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The one door that it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<String>,
    /// First instant, RFC 3339 in the site's zone; absent when open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First instant after it; absent when open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Explains a verdict that `index` gave to `query`.
#[must_use]
pub fn explain(index: &Index, query: &Query<'_>, verdict: &Verdict) -> Explanation {
    let zone = index.zone();
    let grant = verdict.grant.and_then(|grant| index.grant(grant));
    let blocked = matches!(verdict.reason, Reason::CredentialBlocked | Reason::PersonBlocked);
    let note = blocked
        .then(|| index.block_note(query.credential, verdict.person))
        .flatten()
        .map(str::to_owned);
    let decision = if verdict.reason.grants() {
        "granted"
    } else {
        "refused"
    };
    let clause = clause(verdict, grant.as_ref(), query.now.at, zone, note.as_deref());
    Explanation {
        decision,
        reason: verdict.reason,
        code: verdict.reason.code(),
        text: format!("{decision}: {} — {clause}", verdict.reason),
        at: rfc3339(query.now.at, zone),
        clock: query.now.quality(),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        door: query
            .door
            .and_then(|door| index.door_ref(door))
            .map(|door| named(door.id, door.name)),
        credential: query.credential.map(ToString::to_string),
        person: verdict
            .person
            .and_then(|person| index.person(person))
            .map(|person| named(person.id, person.name)),
        grant: grant.map(|grant| GrantFacts::of(&grant, zone)),
        when: verdict.when.map(|when| rfc3339(when, zone)),
        note,
    }
}

impl Explanation {
    /// The explanation as lines for a terminal; the first is the whole answer.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.text.clone()];
        let mut line = |label: &str, text: String| lines.push(format!("  {label:<7}{text}"));
        if let Some(person) = &self.person {
            line("person", person.shown());
        }
        if let Some(card) = &self.credential {
            line("card", card.clone());
        }
        if let Some(door) = &self.door {
            line("door", door.shown());
        }
        let clock = match self.clock {
            ClockQuality::Trusted => "",
            ClockQuality::Untrusted => ", a guess: the clock is not trusted",
        };
        line("time", format!("{} ({}){clock}", self.at, self.zone));
        if let Some(grant) = &self.grant {
            line("right", grant.shown());
        }
        if let Some(note) = &self.note {
            line("note", note.clone());
        }
        lines
    }
}

impl Named {
    fn shown(&self) -> String {
        if self.name.is_empty() || self.name == self.id {
            return self.id.clone();
        }
        format!("{} ({})", self.name, self.id)
    }
}

impl GrantFacts {
    fn of(grant: &GrantRef<'_>, zone: &TimeZone) -> Self {
        let (group, door) = match grant.target {
            TargetRef::Group(id) => (Some(id.to_owned()), None),
            TargetRef::Door(id) => (None, Some(id.to_owned())),
        };
        Self {
            kind: grant.kind.name(),
            source_id: grant.source_id.to_owned(),
            source_label: grant.source_label.to_owned(),
            rule: format!("R{}", grant.rule),
            group,
            door,
            from: grant.window.from.map(|at| rfc3339(at, zone)),
            until: grant.window.until.map(|at| rfc3339(at, zone)),
        }
    }

    fn shown(&self) -> String {
        let target = match (&self.group, &self.door) {
            (Some(group), _) => format!("group {group}"),
            (_, Some(door)) => format!("door {door}"),
            _ => "nothing".to_owned(),
        };
        let window = match (&self.from, &self.until) {
            (None, None) => "at any time".to_owned(),
            (Some(from), None) => format!("from {from}"),
            (None, Some(until)) => format!("until {until}"),
            (Some(from), Some(until)) => format!("{from} to {until}"),
        };
        let Self {
            kind,
            source_id,
            source_label,
            rule,
            ..
        } = self;
        format!("{kind} \"{source_label}\" ({source_id}, rule {rule}) for {target}, {window}")
    }
}

/// What a reader shows for a reason.
#[must_use]
pub const fn feedback(reason: Reason) -> Feedback {
    match reason {
        _ if reason.grants() => Feedback::Granted,
        Reason::NotYet
        | Reason::OutsideHours
        | Reason::Stale
        | Reason::ClockUntrusted
        | Reason::Lockdown
        | Reason::AtTheDesk => Feedback::NotNow,
        _ => Feedback::Refused,
    }
}

fn clause(
    verdict: &Verdict,
    grant: Option<&GrantRef<'_>>,
    now: Millis,
    zone: &TimeZone,
    note: Option<&str>,
) -> String {
    let words = verdict.reason.words();
    let Some(grant) = grant else {
        return note.map_or_else(|| words.to_owned(), |note| format!("{words}: {note:?}"));
    };
    let kind = match grant.kind {
        crate::domain::GrantKind::Direct => "right given by hand",
        kind => kind.name(),
    };
    let what = format!(
        "{kind} \"{}\" ({}, rule R{})",
        grant.source_label, grant.source_id, grant.rule
    );
    let when = verdict.when.map(|when| shown(when, now, zone));
    match (verdict.reason, when) {
        (reason, _) if reason.grants() => format!("{what} opens this door"),
        (Reason::NotYet, Some(when)) if verdict.when == grant.window.from => format!("{what} starts {when}"),
        (Reason::NotYet, Some(when)) => format!("{what} first opens {when}, by its hours"),
        (Reason::OutsideHours, Some(when)) => format!("{what} is outside its hours, opens {when}"),
        (Reason::NotYet | Reason::OutsideHours, None) if grant.window.until.is_some() => {
            format!("{what} does not open any more before it ends: its hours do not fit its time")
        }
        (Reason::NotYet | Reason::OutsideHours, None) => format!("{what} has hours that never open"),
        (Reason::Ended, Some(when)) => format!("{what} ended {when}"),
        (Reason::Stale, Some(when)) => format!("{what} holds no longer since {when}: {words}"),
        (Reason::ClockUntrusted, _) => format!("{what} needs the time: {words}"),
        _ => format!("{what}: {words}"),
    }
}

fn named(id: &str, name: &str) -> Named {
    Named {
        id: id.to_owned(),
        name: name.to_owned(),
    }
}

fn zoned(at: Millis, zone: &TimeZone) -> Zoned {
    let clamped = at.clamp(Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    let instant = Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.to_zoned(zone.clone())
}

/// An instant on the wall clock, `14:25`, with the day if that is not today.
fn shown(at: Millis, now: Millis, zone: &TimeZone) -> String {
    let at = zoned(at, zone);
    if at.date() == zoned(now, zone).date() {
        return at.strftime("%H:%M").to_string();
    }
    at.strftime("%a %Y-%m-%d %H:%M").to_string()
}

fn rfc3339(at: Millis, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
