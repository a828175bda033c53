//! Times as people type them (`14:25`, `2026-11-22 14:25`, RFC 3339, `2h` ago) and read them (`14:25`, `3 min ago`).

use crate::domain::time::Millis;
use jiff::{
    Timestamp,
    civil::{DateTime, Time},
    tz::TimeZone,
};

/// Why a text is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// Of no known form.
    #[error("`{0}` is no time: write 14:25, 2026-11-22 14:25, 2026-11-22T14:25:00+01:00 or 2h (ago)")]
    Unknown(String),
    /// The configuration's zone does not exist.
    #[error("there is no time zone `{0}`")]
    Zone(String),
}

/// The instant that somebody means who types `text` at `now` in `zone`: RFC 3339, a local date and time, a local time of
/// today, or so long ago (`90s`, `30m`, `2h`, `3d`). Where the clocks go back, the earlier of the two.
///
/// # Errors
/// When it is of none of these forms.
pub fn parse(text: &str, zone: &str, now: Millis) -> Result<Millis, MomentError> {
    let unknown = || MomentError::Unknown(text.escape_debug().to_string());
    let text = text.trim();
    if let Some(ago) = ago(text) {
        return Ok(now.saturating_sub(ago));
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant.as_millisecond());
    }
    let zone = TimeZone::get(zone).map_err(|_| MomentError::Zone(zone.to_owned()))?;
    let text = two_digit_hour(text);
    // A date and time would also be read as a time alone.
    let local = if let Ok(local) = text.parse::<DateTime>() {
        local
    } else {
        let today = Timestamp::from_millisecond(now).map_err(|_| unknown())?;
        let time = time_of_day(&text).ok_or_else(unknown)?;
        today.to_zoned(zone.clone()).date().to_datetime(time)
    };
    let zoned = local.to_zoned(zone).map_err(|_| unknown())?;
    Ok(zoned.timestamp().as_millisecond())
}

/// The same for what has been: a time of day that is still to come today was meant yesterday, as 23:00 is after
/// midnight.
///
/// # Errors
/// As [`parse`].
pub fn parse_past(text: &str, zone: &str, now: Millis) -> Result<Millis, MomentError> {
    let at = parse(text, zone, now)?;
    if at <= now || time_of_day(&two_digit_hour(text.trim())).is_none() {
        return Ok(at);
    }
    let zone = TimeZone::get(zone).map_err(|_| MomentError::Zone(zone.to_owned()))?;
    let before = Timestamp::from_millisecond(at)
        .ok()
        .and_then(|at| at.to_zoned(zone).yesterday().ok());
    Ok(before.map_or(at, |before| before.timestamp().as_millisecond()))
}

/// A time of day alone, and nothing that is also a date.
fn time_of_day(text: &str) -> Option<Time> {
    let alone = text.contains(':') && !text.contains(['-', 'T', ' ']);
    alone.then(|| text.parse::<Time>().ok()).flatten()
}

/// `9:30` as people write it is `09:30`.
fn two_digit_hour(text: &str) -> String {
    let start = text.rfind([' ', 'T']).map_or(0, |at| at + 1);
    match text.split_at_checked(start) {
        Some((date, time)) if time.find(':') == Some(1) => format!("{date}0{time}"),
        _ => text.to_owned(),
    }
}

fn ago(text: &str) -> Option<Millis> {
    let unit = match text.chars().last()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    let count: u32 = text.get(..text.len() - 1)?.parse().ok()?;
    Millis::from(count).checked_mul(unit)
}

/// An instant in UTC as RFC 3339 with milliseconds, for machines.
#[must_use]
pub fn rfc3339(at: Millis) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(instant) => format!("{instant:.3}"),
        Err(_) => format!("{at} ms"),
    }
}

/// An instant by the wall clock of the building, for people.
#[must_use]
pub fn local(at: Millis, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    match Timestamp::from_millisecond(at) {
        Ok(instant) => instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{at} ms"),
    }
}

/// How long ago an instant was, or how far off it is: `3 min ago`, `in 2 d`, `just now`.
#[must_use]
pub fn age(at: Millis, now: Millis) -> String {
    let seconds = now.abs_diff(at) / 1_000;
    let length = match seconds {
        0..5 => return "just now".to_owned(),
        5..60 => format!("{seconds} s"),
        60..5_400 => format!("{} min", (seconds + 30) / 60),
        5_400..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} d", seconds / 86_400),
    };
    if at <= now {
        format!("{length} ago")
    } else {
        format!("in {length}")
    }
}

/// An instant for people: by the wall clock of the building, and how long ago.
#[must_use]
pub fn local_and_age(at: Millis, zone: &str, now: Millis) -> String {
    format!("{} ({})", local(at, zone), age(at, now))
}

/// A length of time in its two largest units: `3 d 4 h`.
#[must_use]
pub fn length(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_people_type_them() {
        let now = "2026-11-22T10:00:00Z"
            .parse::<Timestamp>()
            .unwrap()
            .as_millisecond();
        let at = |text: &str| parse(text, "Europe/Madrid", now).map(rfc3339);
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(at("14:25"), ok("2026-11-22T13:25:00.000Z"));
        assert_eq!(at("2026-07-01 08:00"), ok("2026-07-01T06:00:00.000Z"));
        assert_eq!(at("2026-07-01T08:00"), ok("2026-07-01T06:00:00.000Z"));
        assert_eq!(at("2026-11-22T14:25:00+01:00"), ok("2026-11-22T13:25:00.000Z"));
        assert_eq!(at("2h"), ok("2026-11-22T08:00:00.000Z"));
        assert_eq!(
            at("2026-10-25 02:30"),
            ok("2026-10-25T00:30:00.000Z"),
            "twice that night: the first"
        );
        assert_eq!(at("9:05"), ok("2026-11-22T08:05:00.000Z"), "as people write it");
        assert_eq!(at("2026-07-01 8:00"), at("2026-07-01 08:00"));
        assert_eq!(
            at("2026-07-01"),
            ok("2026-06-30T22:00:00.000Z"),
            "a day begins at midnight"
        );
        assert_eq!(
            at("2026-03-29 02:30"),
            ok("2026-03-29T01:30:00.000Z"),
            "skipped that night: an hour on"
        );
        for wrong in [
            "",
            "tomorrow",
            "25:00",
            "1425",
            "14",
            ":30",
            "14:25x",
            "2026-13-01",
            "h",
            "99999999999d",
            "é",
        ] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
        assert_eq!(local(now, "Europe/Madrid"), "2026-11-22 11:00:00");
        assert_eq!(
            (length(59), length(61), length(3_700), length(90_000)),
            (
                "59 s".into(),
                "1 min 1 s".into(),
                "1 h 1 min".into(),
                "1 d 1 h".into()
            )
        );
    }

    #[test]
    fn a_time_of_day_that_is_to_come_was_meant_yesterday_if_it_has_been() {
        let now = 1_795_345_200_000; // 2026-11-22T11:00:00Z, noon in Madrid
        let past = |text: &str| parse_past(text, "Europe/Madrid", now).map(rfc3339);
        assert_eq!(past("11:59"), Ok("2026-11-22T10:59:00.000Z".into()));
        assert_eq!(past("23:00"), Ok("2026-11-21T22:00:00.000Z".into()));
        let dated = past("2026-11-22 23:00");
        assert_eq!(
            dated,
            Ok("2026-11-22T22:00:00.000Z".into()),
            "a date is what it says"
        );
        // The night in which the clocks go forward: yesterday's 23:00 is an hour nearer.
        let night = "2026-03-29T02:00:00Z"
            .parse::<Timestamp>()
            .unwrap()
            .as_millisecond();
        let since = parse_past("23:00", "Europe/Madrid", night).map(rfc3339);
        assert_eq!(since, Ok("2026-03-28T22:00:00.000Z".into()));
    }

    #[test]
    fn ages_are_short() {
        let now = 1_795_345_200_000;
        let ages =
            [0, 4_999, 59_000, 180_000, 5_399_000, 7_200_000, 259_200_000].map(|ago| age(now - ago, now));
        assert_eq!(
            ages,
            [
                "just now",
                "just now",
                "59 s ago",
                "3 min ago",
                "90 min ago",
                "2 h ago",
                "3 d ago"
            ]
        );
        assert_eq!(age(now + 600_000, now), "in 10 min");
        assert_eq!(
            local_and_age(now - 180_000, "Europe/Madrid", now),
            "2026-11-22 11:57:00 (3 min ago)"
        );
    }
}
