//! A window and a week of hours to the time schedules that open exactly then at KS, whether the gateway lives or not.
//!
//! KS knows a daily window between two dates, by the clock on the site's wall, to the minute. So a window becomes a piece for
//! its first day, one for its last and one for the days between; hours become a piece for each span of the week; and a
//! holiday cuts the weeks before and after it apart. A window that begins or ends within a minute begins and ends with that
//! minute: it opens up to a minute early, never late, and never stays open longer. In the hour that a change of the clocks
//! repeats KS cannot tell the first time from the second: what is wanted in either is open in both, as at the gateway's own
//! doors.

use super::slot::{EVERY_DAY, LAST_MINUTE, Slot, bit, weekday};
use crate::domain::{
    Millis, Window,
    site::{Schedule, Span},
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use std::collections::BTreeMap;

/// So far ahead holidays are written to KS: for so long the gateway may be away and KS still keeps them.
pub const HOLIDAYS_AHEAD_DAYS: i32 = 28;
/// A minute, in which KS counts.
pub(super) const MINUTE: Millis = 60_000;
const WHOLE_DAY: Span = Span {
    from: 0,
    until: LAST_MINUTE + 1,
};

/// The minute in which an instant lies.
pub(super) const fn floor(at: Millis) -> Millis {
    at - at.rem_euclid(MINUTE)
}

/// A local day and its minute.
pub(super) fn local(at: Millis, zone: &TimeZone) -> Option<(Date, u16)> {
    let wall = zone.to_datetime(Timestamp::from_millisecond(at).ok()?);
    let minute = i32::from(wall.hour()) * 60 + i32::from(wall.minute());
    Some((wall.date(), u16::try_from(minute).ok()?))
}

/// The first instant of a local day.
pub(super) fn day_start(day: Date, zone: &TimeZone) -> Option<Millis> {
    let noon = day.at(12, 0, 0, 0).to_zoned(zone.clone()).ok()?;
    Some(noon.start_of_day().ok()?.timestamp().as_millisecond())
}

/// The hours of a group: around the clock, or a week with holidays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hours<'a> {
    pub(super) week: Option<&'a Schedule>,
    pub(super) holidays: &'a [Date],
}

impl Hours<'_> {
    /// The spans of a weekday, 0 is Monday.
    fn weekly(&self, weekday: u8) -> &[Span] {
        match self.week {
            None => &[WHOLE_DAY],
            Some(week) => week.week.get(usize::from(weekday)).map_or(&[], Vec::as_slice),
        }
    }

    /// The spans of a day.
    fn on(&self, day: Date) -> &[Span] {
        match self.week {
            Some(week) if self.holidays.contains(&day) => &week.holiday,
            _ => self.weekly(weekday(day)),
        }
    }
}

/// The schedules that open within the window and the hours, from today on.
pub(super) fn slots(hours: Hours<'_>, window: Window, zone: &TimeZone, today: Date) -> Vec<Slot> {
    let window = Window {
        from: window.from.map(floor),
        until: window.until.map(floor),
    };
    if window.is_empty() {
        return Vec::new();
    }
    let day_of = |at: Millis| local(at, zone).map(|(day, _)| day);
    let first = window.from.and_then(day_of);
    let last = window.until.and_then(|until| day_of(until - 1));
    let mut special: BTreeMap<Date, Vec<Span>> = BTreeMap::new();
    if hours.week.is_some() {
        let horizon = today.saturating_add(HOLIDAYS_AHEAD_DAYS.days());
        let near = hours
            .holidays
            .iter()
            .filter(|day| (today..=horizon).contains(*day))
            .filter(|day| first.is_none_or(|first| first <= **day) && last.is_none_or(|last| **day <= last));
        special.extend(near.map(|day| (*day, hours.on(*day).to_vec())));
    }
    for day in [first, last].into_iter().flatten() {
        let clipped = clip(window, day, zone);
        if clipped != [WHOLE_DAY] {
            special.insert(day, both(&clipped, hours.on(day)));
        }
    }
    let mut pieces = Vec::new();
    let (mut cursor, mut ended) = (first, false);
    for (day, spans) in special {
        weeks(hours, cursor, day.yesterday().ok(), &mut pieces);
        pieces.extend(
            spans
                .iter()
                .filter_map(|span| piece(*span, bit(day), Some(day), Some(day))),
        );
        cursor = day.tomorrow().ok();
        ended |= last == Some(day);
    }
    if !ended {
        weeks(hours, cursor, last, &mut pieces);
    }
    pieces.retain(|slot| slot.end.is_none_or(|end| today <= end));
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// The week's pieces from one day to another one.
fn weeks(hours: Hours<'_>, start: Option<Date>, end: Option<Date>, pieces: &mut Vec<Slot>) {
    let occurring = match (start, end) {
        (Some(start), Some(end)) if end < start => return,
        (Some(start), Some(end)) => start
            .series(1.day())
            .take_while(|day| *day <= end)
            .take(7)
            .fold(0, |days, day| days | bit(day)),
        _ => EVERY_DAY,
    };
    let mut days_of: BTreeMap<Span, u8> = BTreeMap::new();
    for weekday in 0..7 {
        for span in hours.weekly(weekday) {
            *days_of.entry(*span).or_default() |= (1 << weekday) & occurring;
        }
    }
    pieces.extend(
        days_of
            .into_iter()
            .filter_map(|(span, days)| piece(span, days, start, end)),
    );
}

fn piece(span: Span, days: u8, start: Option<Date>, end: Option<Date>) -> Option<Slot> {
    let last = span.until.min(LAST_MINUTE + 1).checked_sub(1)?;
    (days != 0 && span.from <= last).then_some(Slot {
        days,
        from: span.from,
        last,
        start,
        end,
    })
}

/// The minutes that the clock on the wall shows on a day while the window is open.
fn clip(window: Window, day: Date, zone: &TimeZone) -> Vec<Span> {
    let bounds = day_start(day, zone).zip(day.tomorrow().ok().and_then(|next| day_start(next, zone)));
    let Some((begins, ends)) = bounds else {
        return Vec::new();
    };
    let (from, until) = (
        window.from.unwrap_or(begins).max(begins),
        window.until.unwrap_or(ends).min(ends),
    );
    if from == begins && until == ends {
        return vec![WHOLE_DAY];
    }
    let mut spans = Vec::new();
    let mut at = from;
    while at < until {
        // Up to the next change of the clocks, between which they run evenly.
        let change = Timestamp::from_millisecond(at).ok().and_then(|at| {
            zone.following(at)
                .next()
                .map(|change| change.timestamp().as_millisecond())
        });
        let stretch = change.map_or(until, |change| {
            floor(change).clamp(at + MINUTE, until.max(at + MINUTE))
        });
        let stretch = stretch.min(until);
        if let Some((_, minute)) = local(at, zone) {
            let long = u16::try_from((stretch - at) / MINUTE).unwrap_or(LAST_MINUTE + 1);
            let until = minute.saturating_add(long).min(LAST_MINUTE + 1);
            spans.push(Span { from: minute, until });
        }
        at = stretch;
    }
    joined(spans)
}

/// What lies in both lists.
fn both(a: &[Span], b: &[Span]) -> Vec<Span> {
    let mut found = Vec::new();
    for a in a {
        for b in b {
            let (from, until) = (a.from.max(b.from), a.until.min(b.until));
            if from < until {
                found.push(Span { from, until });
            }
        }
    }
    joined(found)
}

/// Those that touch or overlap become one.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.from < span.until);
    spans.sort_unstable();
    let mut found: Vec<Span> = Vec::new();
    for span in spans {
        match found.last_mut() {
            Some(before) if span.from <= before.until => before.until = before.until.max(span.until),
            _ => found.push(span),
        }
    }
    found
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;
