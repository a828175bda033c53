//! Days, instants and buffers to half-open windows. Local days are those of the site's zone: some have 23 or
//! 25 hours, some begin at one o'clock, so nothing here adds 24 hours.

use super::week;
use crate::domain::{Millis, Window, facts::When};
use jiff::{civil::Date, tz::TimeZone};
use std::time::Duration;

/// The window of a right with an optional start and an optional end. A day as an end is its last day, so the
/// window reaches to the start of the day after it. Days begin `day_starts` minutes after midnight.
///
/// `None` when a day is named and the zone is unknown.
pub(super) fn span(
    starts: Option<When>,
    ends: Option<When>,
    zone: Option<&TimeZone>,
    day_starts: u16,
) -> Option<Window> {
    let from = match starts {
        None => None,
        Some(When::At(at)) => Some(at),
        // Before the first day that can be told there is nothing: open.
        Some(When::Day(day)) => week::first(day, day_starts, zone?),
    };
    let until = match ends {
        None => None,
        Some(When::At(at)) => Some(at),
        Some(When::Day(day)) => {
            let zone = zone?;
            // The last day of the calendar has no day after it: open.
            day.tomorrow()
                .ok()
                .and_then(|next| week::first(next, day_starts, zone))
        }
    };
    Some(Window { from, until })
}

/// The minute of the day that a clock on the wall shows, 0 to 1439.
pub(super) fn minute_of(time: jiff::civil::Time) -> u16 {
    let minute = i32::from(time.hour()) * 60 + i32::from(time.minute());
    u16::try_from(minute).unwrap_or(0)
}

/// The first instant of a local day, also where the clocks change at midnight.
pub(super) fn day_start(day: Date, zone: &TimeZone) -> Option<Millis> {
    // From noon, which every day has, back to the first instant of its day.
    let noon = day.at(12, 0, 0, 0).to_zoned(zone.clone()).ok()?;
    Some(noon.start_of_day().ok()?.timestamp().as_millisecond())
}

/// A booking's window with its buffers (R13). Elapsed time, so it may cross midnight and a clock change (R18).
pub(super) fn buffered(from: Millis, until: Millis, before: Duration, after: Duration) -> Window {
    Window::between(
        from.saturating_sub(millis(before)),
        until.saturating_add(millis(after)),
    )
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// The whole days of a booking, from `day_starts` minutes after midnight to the same on the day after its last one. An hour
/// before that belongs to the day before. `None` for instants that no calendar has.
pub(super) fn whole_days(from: Millis, until: Millis, zone: &TimeZone, day_starts: u16) -> Option<Window> {
    let day_of = |at: Millis| {
        let day = zone
            .to_datetime(jiff::Timestamp::from_millisecond(at).ok()?)
            .date();
        match week::first(day, day_starts, zone)? {
            begins if at < begins => day.yesterday().ok(),
            _ => Some(day),
        }
    };
    let (first, last) = (day_of(from)?, day_of(until.checked_sub(1)?)?);
    Some(Window::between(
        week::first(first, day_starts, zone)?,
        week::first(last.tomorrow().ok()?, day_starts, zone)?,
    ))
}

/// What lies in both.
pub(super) fn intersect(a: Window, b: Window) -> Window {
    Window {
        from: match (a.from, b.from) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        },
        until: match (a.until, b.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
    }
}

/// The union as the fewest windows: those that touch or overlap become one.
pub(super) fn union(mut windows: Vec<Window>) -> Vec<Window> {
    windows.retain(|window| !window.is_empty());
    windows.sort_unstable_by_key(|window| window.from); // None, open, sorts first
    let mut merged: Vec<Window> = Vec::new();
    for next in windows {
        match merged.last_mut() {
            Some(last) if touches(*last, next) => {
                last.until = match (last.until, next.until) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    _ => None,
                };
            }
            _ => merged.push(next),
        }
    }
    merged
}

fn touches(earlier: Window, later: Window) -> bool {
    match (earlier.until, later.from) {
        (Some(until), Some(from)) => from <= until,
        _ => true,
    }
}
