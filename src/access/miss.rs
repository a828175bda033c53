//! The nearest miss in one short clause, for the event of a refusal: "booking Meeting room starts 14:25". No names of
//! people, no card numbers. It is written while a reader waits for its answer, so it costs a string and no search.

use super::{
    index::{GrantRef, Index},
    query::Verdict,
};
use crate::domain::{
    GrantKind, Reason,
    time::{Millis, Moment},
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use std::fmt::Write as _;

/// The longest clause in bytes: what the journal keeps of a detail.
pub const MAX_CLAUSE: usize = 96;
/// The longest label in it; the longest kind and the longest end leave so much room.
const MAX_LABEL: usize = 44;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// What came nearest when `index` refused at `now`: kind and label of the right, and by the site's clock when it
/// begins, opens again or ended, with the date if that is not today. `None` when the door opens, or when no right at
/// this door is near.
#[must_use]
pub fn nearest_miss(index: &Index, now: Moment, verdict: &Verdict) -> Option<String> {
    if verdict.reason.grants() {
        return None;
    }
    let grant = index.grant(verdict.grant?)?;
    let mut text = String::with_capacity(MAX_CLAUSE);
    text.push_str(kind(grant.kind));
    label(&mut text, grant.source_label);
    ending(&mut text, &grant, verdict, now.at, index.zone());
    Some(text)
}

const fn kind(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::Direct => "right by hand",
        kind => kind.name(),
    }
}

/// The label, without what could steer a terminal, cut between characters.
fn label(text: &mut String, label: &str) {
    if label.is_empty() {
        return;
    }
    text.push(' ');
    let start = text.len();
    for shown in label.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if text.len() - start + shown.len_utf8() > MAX_LABEL {
            text.push('…');
            return;
        }
        text.push(shown);
    }
}

fn ending(text: &mut String, grant: &GrantRef<'_>, verdict: &Verdict, now: Millis, zone: &TimeZone) {
    let words = match (verdict.reason, verdict.when) {
        (Reason::NotYet, Some(when)) if grant.window.from == Some(when) => " starts ",
        (Reason::NotYet | Reason::OutsideHours, Some(_)) => " opens ",
        (Reason::NotYet | Reason::OutsideHours, None) => " does not open again before it ends",
        (Reason::Ended, Some(_)) => " ended ",
        (Reason::Stale, Some(_)) => " held until ",
        (Reason::ClockUntrusted, _) => " needs the time",
        (Reason::NoPassLeft, _) => " is used up",
        (Reason::NotConnected, _) => " opens nothing: not switched on for doors",
        (Reason::NotConfirmed, _) => " is not confirmed",
        _ => "",
    };
    text.push_str(words);
    if let Some(when) = verdict.when.filter(|_| words.ends_with(' ')) {
        wall_clock(text, when, now, zone);
    }
}

/// `14:25`, with the day in front if that is not today: `Mon 2026-11-23 14:25`.
fn wall_clock(text: &mut String, at: Millis, now: Millis, zone: &TimeZone) {
    let (at, now) = (local(at, zone), local(now, zone));
    if at.date() != now.date() {
        let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
        let day = WEEKDAYS.get(day).copied().unwrap_or_default();
        let (year, month, date) = (at.year(), at.month(), at.day());
        // Writing to a string does not fail.
        let _ = write!(text, "{day} {year:04}-{month:02}-{date:02} ");
    }
    let _ = write!(text, "{:02}:{:02}", at.hour(), at.minute());
}

fn local(at: Millis, zone: &TimeZone) -> DateTime {
    let clamped = at.clamp(Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    let instant = Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH);
    zone.to_datetime(instant)
}
