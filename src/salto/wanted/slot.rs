//! A time schedule of KS as a value: weekdays, a window of the day in minutes, two dates. KS writes the last minute with 59
//! seconds and reads it back so: sent as 18:00 it comes back as 18:00:59, and both are one value here.

use crate::salto::model::TimeSchedule;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Every weekday.
pub const EVERY_DAY: u8 = 0x7F;
/// 23:59, the last minute of a day.
pub const LAST_MINUTE: u16 = 1_439;

/// When a group opens. `last` belongs to it, to its 59th second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Weekdays, bit 0 is Monday.
    pub days: u8,
    /// First minute of the day, 0 to 1439.
    pub from: u16,
    /// Last minute of the day, 0 to 1439.
    pub last: u16,
    /// First day; absent: any.
    pub start: Option<Date>,
    /// Last day; absent: any.
    pub end: Option<Date>,
}

impl Slot {
    /// Every day, around the clock.
    pub const ALWAYS: Self = Self {
        days: EVERY_DAY,
        from: 0,
        last: LAST_MINUTE,
        start: None,
        end: None,
    };

    /// The same for whoever looks today or later: a first day that has come says nothing any more.
    #[must_use]
    pub fn as_of(mut self, today: Date) -> Self {
        self.start = self.start.filter(|start| *start > today);
        self
    }

    /// Whether it opens nothing any more at this minute of this day.
    #[must_use]
    pub fn is_over(&self, today: Date, minute: u16) -> bool {
        self.end
            .is_some_and(|end| end < today || (end == today && self.last < minute))
    }

    /// Whether it opens at this minute of this day.
    #[must_use]
    pub fn opens(&self, day: Date, minute: u16) -> bool {
        self.days & bit(day) != 0
            && (self.from..=self.last).contains(&minute)
            && self.start.is_none_or(|start| start <= day)
            && self.end.is_none_or(|end| day <= end)
    }

    /// As KS wants it sent.
    #[must_use]
    pub fn to_ks(&self) -> TimeSchedule {
        let on = |weekday: u8| self.days & (1 << weekday) != 0;
        TimeSchedule {
            id: None,
            monday: on(0),
            tuesday: on(1),
            wednesday: on(2),
            thursday: on(3),
            friday: on(4),
            saturday: on(5),
            sunday: on(6),
            start_time: clock(self.from),
            end_time: clock(self.last),
            start_date: self.start.map(|day| day.to_string()),
            end_date: self.end.map(|day| day.to_string()),
        }
    }

    /// As KS says it. `None` for what cannot be read: then nobody knows what it opens.
    #[must_use]
    pub fn of_ks(said: &TimeSchedule) -> Option<Self> {
        let week = [
            said.monday,
            said.tuesday,
            said.wednesday,
            said.thursday,
            said.friday,
            said.saturday,
            said.sunday,
        ];
        let days = (0_u8..).zip(week).map(|(at, on)| u8::from(on) << at);
        let day = |text: &Option<String>| match text.as_deref() {
            None | Some("") => Some(None),
            Some(text) => text.get(..10)?.parse::<Date>().ok().map(Some),
        };
        Some(Self {
            days: days.sum(),
            from: minute(&said.start_time)?,
            last: minute(&said.end_time)?,
            start: day(&said.start_date)?,
            end: day(&said.end_date)?,
        })
    }
}

/// The weekday's bit.
pub(super) fn bit(day: Date) -> u8 {
    1 << weekday(day)
}

/// Monday is 0.
pub(super) fn weekday(day: Date) -> u8 {
    u8::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `HH:MM` or `HH:MM:SS`; seconds are passed over.
fn minute(text: &str) -> Option<u16> {
    let mut parts = text.split(':');
    let (hour, minute): (u16, u16) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// "Mon Tue 08:00-19:59 from 2026-11-23 to 2026-11-24", for people.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days == EVERY_DAY {
            f.write_str("daily")?;
        } else {
            let week = Weekday::Monday.cycle_forward().take(7).enumerate();
            let mut gap = "";
            for (at, weekday) in week {
                if self.days & (1 << at) != 0 {
                    let name = format!("{weekday:?}");
                    write!(f, "{gap}{}", name.get(..3).unwrap_or(&name))?;
                    gap = " ";
                }
            }
        }
        write!(f, " {}-{}", clock(self.from), clock(self.last))?;
        match (self.start, self.end) {
            (Some(start), Some(end)) if start == end => write!(f, " on {start}"),
            (start, end) => {
                if let Some(start) = start {
                    write!(f, " from {start}")?;
                }
                end.map_or(Ok(()), |end| write!(f, " to {end}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_was_sent_as_1800_and_read_as_18_00_59_is_one_value() {
        let slot = Slot {
            days: 0b1_0001,
            from: 540,
            last: 1_080,
            start: Some(date(2026, 11, 23)),
            end: None,
        };
        let mut said = slot.to_ks();
        assert_eq!(
            (said.start_time.as_str(), said.end_time.as_str()),
            ("09:00", "18:00")
        );
        assert!(said.monday && said.friday && !said.tuesday);
        said.end_time = "18:00:59".into();
        said.start_time = "09:00:00".into();
        said.start_date = Some("2026-11-23T00:00:00".into());
        assert_eq!(Slot::of_ks(&said), Some(slot));
        assert_eq!(slot.to_string(), "Mon Fri 09:00-18:00 from 2026-11-23");
        said.end_time = "later".into();
        assert_eq!(Slot::of_ks(&said), None);
    }

    #[test]
    fn a_first_day_that_has_come_says_nothing_any_more() {
        let slot = Slot {
            start: Some(date(2026, 11, 23)),
            ..Slot::ALWAYS
        };
        assert_eq!(slot.as_of(date(2026, 11, 22)), slot);
        assert_eq!(slot.as_of(date(2026, 11, 23)), Slot::ALWAYS);
    }
}
