//! Times as people type them (`14:25`, `2026-11-22 14:25`, RFC 3339, `2h` ago) and read them.

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
    // A date and time would also be read as a time alone.
    let local = if let Ok(local) = text.parse::<DateTime>() {
        local
    } else {
        let time = text.parse::<Time>().map_err(|_| unknown())?;
        let today = Timestamp::from_millisecond(now).map_err(|_| unknown())?;
        today.to_zoned(zone.clone()).date().to_datetime(time)
    };
    let zoned = local.to_zoned(zone).map_err(|_| unknown())?;
    Ok(zoned.timestamp().as_millisecond())
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
        for wrong in ["", "tomorrow", "25:00", "2026-13-01", "h", "99999999999d", "é"] {
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
}
