//! Opening hours as JSON and files spell them: hours `09:00` to `18:00` (or `24:00`) of weekdays, and days of every
//! year that are closed, `12-25`. Files have one text: `mon-fri 09:00-18:00, sat 10:00-14:00, closed 12-25`.

use crate::domain::opening::{DAY_MINUTES, Hours, Opening, Week, YearDay};
use serde::Deserialize;

/// A week, either as a text or in parts.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::platform) enum WeekItem {
    Text(String),
    Parts {
        hours: Vec<HoursItem>,
        #[serde(default)]
        closed: Vec<String>,
    },
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::platform) struct HoursItem {
    #[serde(default)]
    weekdays: Vec<u8>,
    from: String,
    until: String,
}

/// Opening hours, either one week for members alone or both.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(in crate::platform) enum OpeningItem {
    Both {
        default: WeekItem,
        public: Option<WeekItem>,
    },
    Members(WeekItem),
}

impl OpeningItem {
    /// `None` when something in it cannot be read.
    pub(super) fn read(self) -> Option<Opening> {
        let (default, public) = match self {
            Self::Both { default, public } => (default, public),
            Self::Members(week) => (week, None),
        };
        Some(Opening {
            default: default.read()?,
            public: match public {
                None => None,
                Some(week) => Some(week.read()?),
            },
        })
    }
}

impl WeekItem {
    /// `None` when something in it cannot be read.
    pub(super) fn read(self) -> Option<Week> {
        match self {
            Self::Text(text) => week(&text),
            Self::Parts { hours, closed } => {
                let hours = hours.into_iter().map(|item| {
                    let known = item.weekdays.iter().all(|day| (1..=7).contains(day));
                    let hours = span(&item.from, &item.until, item.weekdays)?;
                    known.then_some(hours)
                });
                let closed = closed.iter().map(|day| year_day(day));
                Some(Week {
                    hours: hours.collect::<Option<_>>()?,
                    closed: closed.collect::<Option<_>>()?,
                })
            }
        }
    }
}

/// `mon-fri 09:00-18:00, sat 10:00-14:00, closed 12-25`. Without a weekday: every day.
fn week(text: &str) -> Option<Week> {
    let mut week = Week::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let lower = part.to_ascii_lowercase();
        if let Some(day) = lower.strip_prefix("closed") {
            week.closed.push(year_day(day.trim())?);
            continue;
        }
        let (days, hours) = match lower.rsplit_once(char::is_whitespace) {
            Some((days, hours)) => (weekdays(days.trim())?, hours),
            None => (Vec::new(), lower.as_str()),
        };
        let (from, until) = hours.split_once('-')?;
        week.hours.push(span(from, until, days)?);
    }
    Some(week)
}

fn weekdays(text: &str) -> Option<Vec<u8>> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    if text == "daily" {
        return Some(Vec::new());
    }
    let number = |name: &str| {
        let at = NAMES.iter().position(|known| *known == name.trim())?;
        u8::try_from(at + 1).ok()
    };
    match text.split_once('-') {
        None => Some(vec![number(text)?]),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            // "sat-mon" goes over the end of the week.
            let days = last + if last < first { 7 } else { 0 };
            Some((first..=days).map(|day| (day - 1) % 7 + 1).collect())
        }
    }
}

fn span(from: &str, until: &str, weekdays: Vec<u8>) -> Option<Hours> {
    let (from, until) = (minutes(from)?, minutes(until)?);
    (from < DAY_MINUTES && until > 0 && from != until).then_some(Hours {
        weekdays,
        from,
        until,
    })
}

/// `09:00`, `9:00`, `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY_MINUTES).then_some(all)
}

/// `12-25`.
fn year_day(text: &str) -> Option<YearDay> {
    let (month, day) = text.split_once('-')?;
    let (month, day): (i8, i8) = (month.parse().ok()?, day.parse().ok()?);
    jiff::civil::Date::new(2024, month, day).ok()?; // a leap year: 29 February is a day of some years
    Some(YearDay {
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_the_same_as_a_text_and_in_parts() {
        let text: WeekItem =
            serde_json::from_str("\"mon-fri 9:00-18:00, SAT 10:00-24:00, closed 12-25\"").unwrap();
        let parts: WeekItem = serde_json::from_str(
            r#"{"hours": [{"weekdays": [1,2,3,4,5], "from": "09:00", "until": "18:00"},
                {"weekdays": [6], "from": "10:00", "until": "24:00"}], "closed": ["12-25"]}"#,
        )
        .unwrap();
        let week = text.read().unwrap();
        assert_eq!(Some(&week), parts.read().as_ref());
        assert_eq!(week.hours[1].until, DAY_MINUTES);
        assert_eq!(weekdays("sat-mon"), Some(vec![6, 7, 1]));
        let daily = super::week("08:00-20:00").unwrap();
        assert_eq!((daily.hours[0].weekdays.len(), daily.hours[0].from), (0, 480));
    }

    #[test]
    fn what_is_no_time_of_a_day_is_refused() {
        for odd in [
            "9-18",
            "mon 09:00-25:00",
            "moon 09:00-18:00",
            "09:00-09:00",
            "closed 02-30",
            "24:00-01:00",
        ] {
            assert_eq!(week(odd), None, "{odd}");
        }
        let odd: WeekItem =
            serde_json::from_str(r#"{"hours": [{"weekdays": [8], "from": "09:00", "until": "18:00"}]}"#)
                .unwrap();
        assert_eq!(odd.read(), None);
    }
}
