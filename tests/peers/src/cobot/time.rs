//! Days and instants as the two interfaces write them.

use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};

/// UTC where the machine has no such zone.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

pub(super) fn local(at: i64, name: &str) -> Zoned {
    Timestamp::from_millisecond(at)
        .unwrap_or_default()
        .to_zoned(zone(name))
}

pub(super) fn day(at: i64, name: &str) -> String {
    local(at, name).date().to_string()
}

/// `2026-05-31T10:00:00Z`, without milliseconds.
pub(super) fn iso(at: i64) -> String {
    Timestamp::from_second(at.div_euclid(1_000))
        .unwrap_or_default()
        .to_string()
}

/// `2026/05/31 10:00:00 +0000`.
pub(super) fn old(at: i64) -> String {
    Timestamp::from_second(at.div_euclid(1_000))
        .unwrap_or_default()
        .strftime("%Y/%m/%d %H:%M:%S +0000")
        .to_string()
}

/// Any of the ways in which a client may write an instant.
pub(super) fn read(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    ["%Y/%m/%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z"]
        .iter()
        .find_map(|format| Timestamp::strptime(format, text).ok())
        .map(|at| at.as_millisecond())
}

pub(super) fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

/// The next time that a local clock shows this.
pub(super) fn next(at: i64, name: &str, hour: i8, minute: i8, second: i8) -> i64 {
    let now = local(at, name);
    let today = now
        .date()
        .at(hour, minute, second, 0)
        .to_zoned(now.time_zone().clone());
    let later = today.and_then(|today| {
        if today.timestamp() > now.timestamp() {
            Ok(today)
        } else {
            today.checked_add(1.day())
        }
    });
    later.map_or(at, |later| later.timestamp().as_millisecond())
}
