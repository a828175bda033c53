//! Cards and times of a play.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

/// The zone of the house, and of every simulated platform.
const ZONE: &str = "Europe/Madrid";

/// Everybody's card: seven bytes made of the name, so that a story need not number them.
pub(super) fn card(who: &str) -> [u8; 7] {
    let sum = |salt: u8| {
        who.bytes()
            .fold(salt, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
    };
    [0x04, 0xB1, sum(7), sum(17), 0x5C, 0x61, 0x80]
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The minute of the local day, by the clock on the house's wall.
pub(super) fn minute_of_day(now: i64) -> i16 {
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    let wall = Timestamp::from_millisecond(now)
        .unwrap_or_default()
        .to_zoned(zone);
    i16::from(wall.hour()) * 60 + i16::from(wall.minute())
}

/// A day of the house's calendar, so many from today.
pub(super) fn day(now: i64, days: i32) -> String {
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    let today = Timestamp::from_millisecond(now)
        .unwrap_or_default()
        .to_zoned(zone)
        .date();
    today.saturating_add(days.days()).to_string()
}
