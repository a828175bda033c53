//! Dates and times as people's spreadsheets write them. What could mean two days is never guessed.

use jiff::civil::{Date, DateTime, Time};

/// What `03/04/2026` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// 3 April.
    DayFirst,
    /// 4 March.
    MonthFirst,
}

/// A date, or why it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<T> {
    /// This.
    Is(T),
    /// It depends on the order, which nobody has said.
    Ambiguous,
    /// None at all.
    Not,
}

impl<T> Read<T> {
    fn map<U>(self, job: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Self::Is(value) => Read::Is(job(value)),
            Self::Ambiguous => Read::Ambiguous,
            Self::Not => Read::Not,
        }
    }
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Which order this text proves, if any: the 31st is no month.
pub(super) fn proves(text: &str) -> Option<Order> {
    let (first, second, _) = slashed(day_part(text))?;
    match (first > 12, second > 12) {
        (true, false) => Some(Order::DayFirst),
        (false, true) => Some(Order::MonthFirst),
        _ => None,
    }
}

/// `2026-05-31`, `2026/05/31`, `31.05.2026`, `31 May 2026`, `May 31, 2026`, `31/05/2026`, `05/31/2026`; a time after it
/// is allowed and ignored.
pub(super) fn date(text: &str, order: Option<Order>) -> Read<Date> {
    let text = day_part(text);
    let made = |year: i16, month: i8, day: i8| Date::new(year, month, day).map_or(Read::Not, Read::Is);
    if let Some([year, month, day]) = numbers(text, '-').or_else(|| numbers(text, '/'))
        && year > 999
    {
        return made(year, small(month), small(day));
    }
    if let Some([day, month, year]) = numbers(text, '.') {
        return made(full(year), small(month), small(day));
    }
    if let Some((first, second, year)) = slashed(text) {
        return match order {
            _ if first == second => made(year, small(first), small(second)),
            Some(Order::DayFirst) => made(year, small(second), small(first)),
            Some(Order::MonthFirst) => made(year, small(first), small(second)),
            None => Read::Ambiguous,
        };
    }
    worded(text).map_or(Read::Not, |(year, month, day)| made(year, month, day))
}

/// A date with a time, `2026-05-31 9:00`, `31/05/2026 09:00`, `May 31, 2026 9:00 AM`; without one it is midnight.
pub(super) fn date_time(text: &str, order: Option<Order>) -> Read<DateTime> {
    let clock = split(text).1;
    let time = if clock.is_empty() {
        Some(Time::midnight())
    } else {
        time(clock)
    };
    match time {
        None => Read::Not,
        Some(time) => date(text, order).map(|date| date.to_datetime(time)),
    }
}

/// `9:00`, `09:00:00`, `9:00 AM`, `9 pm`.
pub(super) fn time(text: &str) -> Option<Time> {
    let lower = text.trim().to_ascii_lowercase().replace('.', "");
    let (digits, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(digits), _) => (digits.trim(), Some(0)),
        (_, Some(digits)) => (digits.trim(), Some(12)),
        _ => (lower.as_str(), None),
    };
    let mut parts = digits.split(':').map(|part| part.trim().parse::<i8>().ok());
    let hour = parts.next()??;
    let minute = match (parts.next(), half) {
        (Some(minute), _) => minute?,
        (None, Some(_)) => 0,
        (None, None) => return None,
    };
    let second = parts.next().unwrap_or(Some(0))?;
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
    };
    Time::new(hour, minute, second, 0).ok()
}

/// The date and the time of a text.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    // `T` or the last space before a colon or am/pm.
    if let Some((date, time)) = text.split_once('T')
        && time.starts_with(|c: char| c.is_ascii_digit())
    {
        return (date, time);
    }
    let clock = |text: &str| {
        let lower = text.to_ascii_lowercase();
        lower.contains(':') || lower.ends_with("am") || lower.ends_with("pm")
    };
    if !clock(text) {
        return (text, "");
    }
    let half = text
        .rsplit_once(' ')
        .filter(|(_, last)| ["am", "pm", "a.m.", "p.m."].contains(&last.to_ascii_lowercase().as_str()));
    let before = half.map_or(text, |(before, _)| before);
    match before.rsplit_once(' ') {
        Some((date, _)) => (
            date.trim_end_matches(','),
            text.get(date.len()..).unwrap_or_default(),
        ),
        None => (text, ""),
    }
}

fn day_part(text: &str) -> &str {
    split(text).0.trim()
}

fn numbers(text: &str, separator: char) -> Option<[i16; 3]> {
    let parts: Option<Vec<i16>> = text
        .split(separator)
        .map(|part| part.trim().parse::<i16>().ok().filter(|number| *number > 0))
        .collect();
    parts?.try_into().ok()
}

/// Two numbers and a year, parted by `/` or `-`.
fn slashed(text: &str) -> Option<(i16, i16, i16)> {
    let [first, second, year] = numbers(text, '/').or_else(|| numbers(text, '-'))?;
    (first <= 31).then(|| (first, second, full(year)))
}

/// `26` is 2026.
fn full(year: i16) -> i16 {
    if year < 100 { year + 2_000 } else { year }
}

fn small(number: i16) -> i8 {
    i8::try_from(number).unwrap_or(0)
}

/// `31 May 2026`, `31-May-2026`, `May 31st, 2026`.
fn worded(text: &str) -> Option<(i16, i8, i8)> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut numbers = Vec::new();
    let mut month = None;
    for word in &words {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        if let Ok(number) = digits.parse::<i16>() {
            numbers.push(number);
        } else if let Some(at) = MONTHS.iter().position(|known| word.starts_with(known)) {
            month = i8::try_from(at + 1).ok();
        }
    }
    let [day, year] = numbers.as_slice() else {
        return None;
    };
    Some((full(*year), month?, small(*day)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Read<String> {
        date(text, None).map(|date| date.to_string())
    }

    #[test]
    fn common_dates_are_read_and_none_is_guessed() {
        let all = [
            "2026-05-31",
            "2026/05/31",
            "31.05.2026",
            "31.5.26",
            "31 May 2026",
            "31-May-2026",
            "May 31, 2026",
            "May 31st, 2026",
            "2026-05-31 09:00",
            "2026-05-31T09:00:00",
            "May 31, 2026 9:00 AM",
            "31 May 2026, 18:00",
        ];
        for text in all {
            assert_eq!(day(text), Read::Is("2026-05-31".into()), "{text}");
        }
        assert_eq!(day("03/04/2026"), Read::Ambiguous);
        assert_eq!(day("05/05/2026"), Read::Is("2026-05-05".into()));
        assert_eq!(
            date("03/04/2026", Some(Order::DayFirst)),
            Read::Is(Date::constant(2026, 4, 3))
        );
        assert_eq!(
            date("03/04/26", Some(Order::MonthFirst)),
            Read::Is(Date::constant(2026, 3, 4))
        );
        assert_eq!(proves("31/05/2026"), Some(Order::DayFirst));
        assert_eq!(proves("05/31/2026 9:00 PM"), Some(Order::MonthFirst));
        assert_eq!(proves("03/04/2026"), None);
        for text in ["soon", "31.02.2026", "2026-13-01", "", "May", "2026"] {
            assert_eq!(day(text), Read::Not, "{text}");
        }
    }

    #[test]
    fn times_of_twelve_and_of_twenty_four_hours() {
        let at = |text: &str| time(text).map(|time| time.to_string());
        assert_eq!(at("9:00"), Some("09:00:00".into()));
        assert_eq!(at("12:30 am"), Some("00:30:00".into()));
        assert_eq!(at("12 PM"), Some("12:00:00".into()));
        assert_eq!(at("9:05 p.m."), Some("21:05:00".into()));
        assert_eq!(
            [at("9"), at("25:00"), at("13 pm"), at("noon")],
            [None, None, None, None]
        );
        let moment = |text: &str| date_time(text, None).map(|at| at.to_string());
        assert_eq!(
            moment("May 31, 2026 9:00 PM"),
            Read::Is("2026-05-31T21:00:00".into())
        );
        assert_eq!(moment("31.05.2026 09:15"), Read::Is("2026-05-31T09:15:00".into()));
        assert_eq!(moment("2026-05-31"), Read::Is("2026-05-31T00:00:00".into()));
    }
}
