//! Opening hours as the platform writes them: weekdays as switches, `HH:mm`, closed days as `MM-DD`.

use super::model::{Days, Hours as Written, Schedule};
use crate::domain::opening::{DAY_MINUTES, Hours, Opening, Week, YearDay};

/// The hours of a resource, and what is wrong with them. `None` without a schedule: then the site's own hours count.
/// Public hours that are switched off are the same as the members' (as public durations are).
pub(super) fn opening(schedule: Option<Schedule>) -> (Option<Opening>, Vec<String>) {
    let mut mistakes = Vec::new();
    let Some(schedule) = schedule.filter(|schedule| schedule.enabled) else {
        return (None, mistakes);
    };
    let default = schedule
        .default
        .map(|written| week(written, &mut mistakes))
        .unwrap_or_default();
    let public = match schedule.public.filter(|public| public.enabled) {
        Some(public) => week(public, &mut mistakes),
        None => default.clone(),
    };
    let opening = Opening {
        default,
        public: Some(public),
    };
    (Some(opening), mistakes)
}

fn week(written: Written, mistakes: &mut Vec<String>) -> Week {
    let mut week = Week::default();
    for item in written.items {
        let weekdays = weekdays(&item.days);
        if weekdays.is_empty() {
            continue; // for no day at all; an empty list would mean every day
        }
        let (from, to) = (minutes(&item.hours.from), minutes(&item.hours.to));
        let (Some(from), Some(to)) = (from.filter(|from| *from < DAY_MINUTES), to) else {
            mistakes.push("has opening hours that are no times of day; those hours are left out".into());
            continue;
        };
        week.hours.push(Hours {
            weekdays,
            from,
            until: if to == 0 { DAY_MINUTES } else { to },
        });
    }
    for day in written.closed_days {
        match year_day(&day) {
            Some(day) => week.closed.push(day),
            // A day that cannot be read may be today: open on no day is the safe reading.
            None => {
                mistakes
                    .push("has a closed day that is no day of the year; it counts as closed for good".into());
                week.hours.clear();
                return week;
            }
        }
    }
    week.closed.sort_unstable();
    week
}

fn weekdays(days: &Days) -> Vec<u8> {
    let switches = [
        days.monday,
        days.tuesday,
        days.wednesday,
        days.thursday,
        days.friday,
        days.saturday,
        days.sunday,
    ];
    let numbered = (1_u8..).zip(switches);
    numbered.filter(|(_, on)| *on).map(|(day, _)| day).collect()
}

/// `HH:mm` as minutes of the day; `24:00` is the end of it.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let sum = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && sum <= DAY_MINUTES).then_some(sum)
}

fn year_day(text: &str) -> Option<YearDay> {
    let (month, day) = text.split_once('-')?;
    let (month, day): (u8, u8) = (month.parse().ok()?, day.parse().ok()?);
    // 2024 has a 29 February.
    jiff::civil::Date::new(2024, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(YearDay { month, day })
}
