//! Hours of a kind of pass (R21).

use super::{model::Slot, times};
use crate::domain::opening::{DAY_MINUTES, Hours, Week};
use std::collections::BTreeMap;

/// The hours of a kind of pass as a week; `None` when it has no slots, and so all day.
///
/// A slot that cannot be read gives no hours: a kind whose slots are all unreadable is never open, rather than always.
pub(super) fn week(kind: u64, slots: &[Slot]) -> Option<Week> {
    let own = slots.iter().filter(|slot| slot.time_pass_id == Some(kind));
    let mut any = false;
    let mut days: BTreeMap<(u16, u16), Vec<u8>> = BTreeMap::new();
    for slot in own {
        any = true;
        let times = (minute(slot.from_time.as_deref()), minute(slot.to_time.as_deref()));
        let (Some(from), Some(to)) = times else {
            continue;
        };
        let weekday = match slot.day_of_week {
            Some(0) => 7, // Sunday comes first in .NET
            Some(day @ 1..=6) => day,
            _ => continue,
        };
        // Nobody can write 24:00 there: 00:00 and 23:59 as an end are the end of the day.
        let until = if to == 0 || to == DAY_MINUTES - 1 {
            DAY_MINUTES
        } else {
            to
        };
        let weekdays = days.entry((from, until)).or_default();
        if !weekdays.contains(&weekday) {
            weekdays.push(weekday);
        }
    }
    let hours = days.into_iter().map(|((from, until), mut weekdays)| {
        weekdays.sort_unstable();
        Hours {
            weekdays,
            from,
            until,
        }
    });
    any.then(|| Week {
        hours: hours.collect(),
        closed: Vec::new(),
    })
}

/// The minute of the day; the date that stands before it means nothing.
fn minute(text: Option<&str>) -> Option<u16> {
    let at = times::wall(text?)?;
    u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(day: u8, from: &str, to: &str) -> Slot {
        Slot {
            time_pass_id: Some(302),
            day_of_week: Some(day),
            from_time: Some(format!("1976-01-01T{from}:00Z")),
            to_time: Some(format!("1976-01-01T{to}:00Z")),
            ..Slot::default()
        }
    }

    #[test]
    fn slots_become_weekdays_from_monday_and_the_end_of_the_day_is_24_00() {
        let slots = [
            slot(0, "10:00", "23:59"),
            slot(2, "09:00", "13:00"),
            slot(1, "09:00", "13:00"),
        ];
        let week = week(302, &slots).unwrap();
        let hours: Vec<(Vec<u8>, u16, u16)> = week
            .hours
            .into_iter()
            .map(|hours| (hours.weekdays, hours.from, hours.until))
            .collect();
        assert_eq!(hours, [(vec![1, 2], 540, 780), (vec![7], 600, 1_440)]);
    }

    #[test]
    fn a_pass_without_slots_is_for_all_day_and_one_with_unreadable_ones_for_none() {
        assert_eq!(week(301, &[slot(1, "09:00", "13:00")]), None);
        let broken = Slot {
            from_time: Some("morning".into()),
            ..slot(1, "09:00", "13:00")
        };
        assert_eq!(week(302, &[broken]), Some(Week::default()));
    }
}
