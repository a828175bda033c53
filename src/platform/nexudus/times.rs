//! Times as Nexudus writes them: UTC, with a `*Local` twin on the location's wall clock (facts: platforms.md 1.1).

use crate::domain::Millis;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// Dates before this are .NET's way of saying "none".
const FIRST_YEAR: i16 = 1970;

/// An instant. Without a zone it is UTC, as the documentation says of every field but the `*Local` ones.
pub(super) fn instant(text: &str) -> Option<Millis> {
    let text = text.trim();
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => text
            .parse::<DateTime>()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp(),
    };
    let year = at.to_zoned(TimeZone::UTC).year();
    (year >= FIRST_YEAR).then(|| at.as_millisecond())
}

/// A wall clock's date and time, whatever zone it claims.
pub(super) fn wall(text: &str) -> Option<DateTime> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    text.parse::<DateTime>().ok()
}

/// The local day of a field: its `*Local` twin says it, or the UTC field in the location's zone.
pub(super) fn day(utc: Option<&str>, local: Option<&str>, zone: &TimeZone) -> Option<Date> {
    if let Some(day) = local.and_then(wall).map(DateTime::date) {
        return (day.year() >= FIRST_YEAR).then_some(day);
    }
    local_day(utc.and_then(instant)?, zone)
}

/// The local day of an instant.
pub(super) fn local_day(at: Millis, zone: &TimeZone) -> Option<Date> {
    let at = Timestamp::from_millisecond(at).ok()?;
    Some(at.to_zoned(zone.clone()).date())
}

/// The first instant of the day after an instant's local day, Unix milliseconds.
pub(super) fn end_of_day(at: Millis, zone: &TimeZone) -> Option<Millis> {
    let next = local_day(at, zone)?.tomorrow().ok()?;
    Some(next.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

/// For a range filter: `YYYY-MM-DDTHH:mm`, UTC, the minute that has begun.
pub(super) fn minute(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// For a record that is written: `YYYY-MM-DDTHH:mm:ssZ`. Fractions of a second are dropped.
pub(super) fn write(at: Millis) -> Option<String> {
    let at = Timestamp::from_millisecond(at).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// So many days before or after an instant.
pub(super) fn days_from(at: Millis, days: i64) -> Millis {
    let span = SignedDuration::from_hours(days.saturating_mul(24)).as_millis();
    at.saturating_add(i64::try_from(span).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn madrid() -> TimeZone {
        TimeZone::get("Europe/Madrid").unwrap()
    }

    #[test]
    fn utc_is_read_with_and_without_its_mark_and_dotnets_nothing_is_nothing() {
        let expected = Some(1_736_937_000_000);
        assert_eq!(instant("2025-01-15T10:30:00Z"), expected);
        assert_eq!(instant("2025-01-15T10:30:00"), expected);
        assert_eq!(instant("2025-01-15T10:30:00.1234567Z"), Some(1_736_937_000_123));
        assert_eq!(instant("0001-01-01T00:00:00"), None);
        assert_eq!(instant("soon"), None);
    }

    #[test]
    fn a_day_is_the_local_one_of_the_twin_or_of_the_zone() {
        let utc = Some("2026-05-31T22:00:00Z");
        assert_eq!(day(utc, None, &madrid()), Some(jiff::civil::date(2026, 6, 1)));
        let twin = Some("2026-06-01T00:00:00");
        assert_eq!(day(utc, twin, &madrid()), Some(jiff::civil::date(2026, 6, 1)));
        assert_eq!(day(None, None, &madrid()), None);
    }

    #[test]
    fn a_day_ends_at_local_midnight_also_when_the_clocks_change() {
        // 25 October 2026 has 25 hours in Madrid.
        let noon = instant("2026-10-25T11:00:00Z").unwrap();
        assert_eq!(end_of_day(noon, &madrid()), instant("2026-10-25T23:00:00Z"));
    }
}
