//! Weekly schedules by the wall clock of the site's zone. What the clock on the wall shows decides: an hour that a
//! change of the clocks skips is never open, one that it repeats is open twice. On a holiday the holiday's spans
//! stand instead of the weekday's. Everything here is total and allocates nothing.

use super::index::{Index, Part};
use crate::domain::time::{DAY_MS, Millis};
use jiff::{Timestamp, tz::TimeZone};

/// How far ahead an opening is looked for. Longer than a year, for schedules that open on holidays only.
const HORIZON_DAYS: i64 = 400;
/// How many changes of the clocks lie on the way at most; zones have up to four in a year.
const CHANGES: usize = 8;
const MINUTE_MS: Millis = 60_000;

/// A place on the local wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// Days since 1970-01-01, local.
    day: i64,
    /// Milliseconds since local midnight by the wall clock.
    time: Millis,
}

impl Local {
    /// What the wall clock shows at an instant.
    pub(super) fn of(zone: &TimeZone, at: Millis) -> Self {
        Self::shifted(at, offset(zone, at))
    }

    fn shifted(at: Millis, offset: Millis) -> Self {
        let local = at.saturating_add(offset);
        Self {
            day: local.div_euclid(DAY_MS),
            time: local.rem_euclid(DAY_MS),
        }
    }
}

/// The instant as jiff's, the nearest one that it has.
fn timestamp(at: Millis) -> Timestamp {
    let clamped = at.clamp(Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn offset(zone: &TimeZone, at: Millis) -> Millis {
    Millis::from(zone.to_offset(timestamp(at)).seconds()) * 1_000
}

impl Index {
    /// Whether a schedule is open at a place on the wall clock. One that does not exist is closed.
    pub(super) fn is_open(&self, schedule: u32, local: Local) -> bool {
        self.spans(schedule, local.day)
            .iter()
            .map(limits)
            .any(|(from, until)| from <= local.time && local.time < until)
    }

    /// The first instant from `from` on, before `until`, at which a schedule is open.
    pub(super) fn opens(&self, schedule: u32, from: Millis, until: Option<Millis>) -> Option<Millis> {
        let horizon = from.saturating_add(HORIZON_DAYS * DAY_MS);
        let end = until.map_or(horizon, |until| until.min(horizon));
        if self.never_opens(schedule) {
            return None;
        }
        let mut start = from;
        // Between two changes of the clocks local time runs evenly, so each such stretch is searched by itself.
        for _ in 0..CHANGES {
            let change = self.zone.following(timestamp(start)).next();
            let change = change.map_or(Millis::MAX, |change| change.timestamp().as_millisecond());
            let stretch_end = end.min(change);
            if let Some(found) = self.opens_evenly(schedule, start, stretch_end) {
                return Some(found);
            }
            if change <= start || end <= change {
                return None;
            }
            start = change;
        }
        None
    }

    /// The first opening in `start..end`, within which the zone's offset does not change.
    fn opens_evenly(&self, schedule: u32, start: Millis, end: Millis) -> Option<Millis> {
        let offset = offset(&self.zone, start);
        let first = Local::shifted(start, offset);
        for ahead in 0..=HORIZON_DAYS {
            let day = first.day.checked_add(ahead)?;
            let midnight = day.checked_mul(DAY_MS)?.checked_sub(offset)?;
            if end <= midnight {
                return None;
            }
            let earliest = if ahead == 0 { first.time } else { 0 };
            let spans = self.spans(schedule, day).iter().map(limits);
            for (from, until) in spans {
                let opens = from.max(earliest);
                if opens < until {
                    let instant = midnight.checked_add(opens)?;
                    return (instant < end).then_some(instant);
                }
            }
        }
        None
    }

    /// The spans of a schedule on a local day: the holiday's, or the weekday's.
    fn spans(&self, schedule: u32, day: i64) -> &[[u8; 4]] {
        // 1970-01-01 was a Thursday, and weeks begin on Monday here.
        let weekday = day.wrapping_add(3).rem_euclid(7);
        let slot = if self.is_holiday(day) {
            7
        } else {
            usize::try_from(weekday).unwrap_or(7)
        };
        self.spans_at(schedule, slot, slot + 1)
    }

    fn spans_at(&self, schedule: u32, first: usize, last: usize) -> &[[u8; 4]] {
        let bounds = self.words::<9>(Part::Schedules, schedule);
        let range = bounds.and_then(|bounds| {
            let from = usize::try_from(*bounds.get(first)?).ok()?;
            Some(from..usize::try_from(*bounds.get(last)?).ok()?)
        });
        range
            .and_then(|range| self.part(Part::Spans).as_chunks::<4>().0.get(range))
            .unwrap_or(&[])
    }

    fn never_opens(&self, schedule: u32) -> bool {
        self.spans_at(schedule, 0, 8).is_empty()
    }

    fn is_holiday(&self, day: i64) -> bool {
        let days = self.part(Part::Holidays).as_chunks::<4>().0;
        days.binary_search_by_key(&day, |bytes| i64::from(i32::from_le_bytes(*bytes)))
            .is_ok()
    }
}

/// A span's bounds in milliseconds since local midnight.
fn limits(span: &[u8; 4]) -> (Millis, Millis) {
    let [a, b, c, d] = *span;
    let minute = |low, high| Millis::from(u16::from_le_bytes([low, high])) * MINUTE_MS;
    (minute(a, b), minute(c, d))
}
