//! Hours of weekdays, as a platform says them, to instants. The clock on the wall decides: hours begin at the first
//! instant at which it shows them and end after the last one, so hours in a night whose clocks go back are longer, and
//! hours that a change skips do not exist (R17, R18).

use super::window::{self, day_start};
use crate::domain::{
    Millis, Window,
    opening::{DAY_MINUTES, Hours, Week},
};
use jiff::{
    civil::Date,
    tz::{AmbiguousOffset, TimeZone},
};

/// The windows of a local day, those that touch joined. Hours over midnight belong to the day on which they begin. A closed
/// day has none.
pub(super) fn on(week: &Week, day: Date, zone: &TimeZone) -> Vec<Window> {
    let is_today = |closed: &&crate::domain::opening::YearDay| {
        i16::from(closed.month) == i16::from(day.month()) && i16::from(closed.day) == i16::from(day.day())
    };
    if week.closed.iter().any(|closed| is_today(&closed)) {
        return Vec::new();
    }
    let weekday = u8::try_from(day.weekday().to_monday_one_offset()).unwrap_or(0);
    let today = week
        .hours
        .iter()
        .filter(|hours| hours.weekdays.is_empty() || hours.weekdays.contains(&weekday));
    window::union(today.filter_map(|hours| span(hours, day, zone)).collect())
}

fn span(hours: &Hours, day: Date, zone: &TimeZone) -> Option<Window> {
    let until = if hours.until > hours.from {
        last(day, hours.until, zone)?
    } else {
        last(day.tomorrow().ok()?, hours.until, zone)?
    };
    Some(Window::between(first(day, hours.from, zone)?, until))
}

/// The first instant of a local day at which its clock shows this minute or a later one.
pub(super) fn first(day: Date, minute: u16, zone: &TimeZone) -> Option<Millis> {
    if minute == 0 {
        return day_start(day, zone);
    }
    edge(day, minute, zone, |ambiguous| ambiguous.earlier().ok())
}

/// The instant after the last one of a local day at which its clock shows less than this minute.
fn last(day: Date, minute: u16, zone: &TimeZone) -> Option<Millis> {
    match minute {
        0 => day_start(day, zone),
        DAY_MINUTES => day_start(day.tomorrow().ok()?, zone),
        _ => edge(day, minute, zone, |ambiguous| ambiguous.later().ok()),
    }
}

fn edge(
    day: Date,
    minute: u16,
    zone: &TimeZone,
    of_two: impl FnOnce(jiff::tz::AmbiguousTimestamp) -> Option<jiff::Timestamp>,
) -> Option<Millis> {
    let hour = i8::try_from(minute / 60).ok().filter(|hour| *hour < 24)?;
    let local = day.at(hour, i8::try_from(minute % 60).ok()?, 0, 0);
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let at = match ambiguous.offset() {
        // The clock never shows it: the change itself is the edge.
        AmbiguousOffset::Gap { before, .. } => {
            let beyond = before.to_timestamp(local).ok()?.as_millisecond();
            let beyond = jiff::Timestamp::from_millisecond(beyond.checked_add(1)?).ok()?;
            zone.preceding(beyond).next()?.timestamp()
        }
        _ => of_two(ambiguous)?,
    };
    Some(at.as_millisecond())
}

/// The local days that a window touches, at most `limit` of them. `None`: more than that, or no such days.
pub(super) fn days(window: Window, zone: &TimeZone, limit: usize) -> Option<Vec<Date>> {
    let date = |at: Millis| {
        let instant = jiff::Timestamp::from_millisecond(at).ok()?;
        Some(zone.to_datetime(instant).date())
    };
    let (first, last) = (date(window.from?)?, date(window.until?.checked_sub(1)?)?);
    let mut days = Vec::new();
    let mut day = first;
    while day <= last {
        if days.len() == limit {
            return None;
        }
        days.push(day);
        day = day.tomorrow().ok()?;
    }
    Some(days)
}
