//! Doors, groups, schedules and holidays into their parts of the image.

use super::{BuildError, Builder, next};
use crate::access::index::{NONE, Part};
use crate::domain::site::{Site, Span};
use std::collections::HashMap;

/// Numbers of the site's doors and groups.
pub(super) struct Plan<'a> {
    pub(super) doors: HashMap<&'a str, u32>,
    pub(super) groups: HashMap<&'a str, u32>,
}

impl<'a> Builder<'a> {
    pub(super) fn site(&mut self, site: &'a Site) -> Result<Plan<'a>, BuildError> {
        if jiff::tz::TimeZone::get(&site.zone).is_err() {
            return Err(BuildError::UnknownZone(site.zone.clone()));
        }
        let schedules = numbered(
            "schedule",
            site.schedules.iter().map(|schedule| schedule.id.as_str()),
        )?;
        let doors = numbered("door", site.doors.iter().map(|door| door.id.as_str()))?;
        let groups = numbered("group", site.groups.iter().map(|group| group.id.as_str()))?;
        let find = |map: &HashMap<&str, u32>, what, id: &str, from: String| {
            map.get(id).copied().ok_or_else(|| BuildError::Unknown {
                from,
                what,
                id: id.to_owned(),
            })
        };
        for door in &site.doors {
            let text = self.text((door.id.as_str(), &door.name))?;
            let schedule = door.open_for_all.as_ref().map_or(Ok(NONE), |id| {
                find(
                    &schedules,
                    "schedule",
                    id.as_str(),
                    format!("door {:?}", door.id.as_str()),
                )
            })?;
            self.put_words(Part::Doors, &[text, schedule]);
        }
        for group in &site.groups {
            let from = || format!("group {:?}", group.id.as_str());
            let text = self.text((group.id.as_str(), ""))?;
            let hours = group
                .hours
                .as_ref()
                .map_or(Ok(NONE), |id| find(&schedules, "schedule", id.as_str(), from()))?;
            self.put_words(Part::Groups, &[text, hours]);
            let mut row = vec![0_u8; site.doors.len().div_ceil(8)];
            for door in &group.doors {
                let door = find(&doors, "door", door.as_str(), from())?;
                if let Some(byte) = usize::try_from(door / 8).ok().and_then(|at| row.get_mut(at)) {
                    *byte |= 1 << (door % 8);
                }
            }
            self.put(Part::Cover, &row);
        }
        self.schedules(site)?;
        Ok(Plan { doors, groups })
    }

    fn schedules(&mut self, site: &Site) -> Result<(), BuildError> {
        let mut next = 0_u32;
        for schedule in &site.schedules {
            for day in schedule.week.iter().chain([&schedule.holiday]) {
                self.put_words(Part::Schedules, &[next]);
                for span in joined(day, schedule.id.as_str())? {
                    self.put(Part::Spans, &span.from.to_le_bytes());
                    self.put(Part::Spans, &span.until.to_le_bytes());
                    next += 1;
                }
            }
            self.put_words(Part::Schedules, &[next]);
        }
        let mut days: Vec<i32> = site.holidays.iter().map(|date| epoch_day(*date)).collect();
        days.sort_unstable();
        for day in days {
            self.put(Part::Holidays, &day.to_le_bytes());
        }
        Ok(())
    }
}

fn numbered<'a>(
    what: &'static str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<&'a str, u32>, BuildError> {
    let mut numbers = HashMap::new();
    let mut counter = 0;
    for id in ids {
        if numbers.insert(id, next(&mut counter, what)?).is_some() {
            return Err(BuildError::Twice {
                what,
                id: id.to_owned(),
            });
        }
    }
    Ok(numbers)
}

/// Spans sorted, those that touch or overlap joined.
fn joined(spans: &[Span], schedule: &str) -> Result<Vec<Span>, BuildError> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut out: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
        if span.from >= span.until || span.until > 1440 {
            return Err(BuildError::BadSpan {
                schedule: schedule.to_owned(),
                from: span.from,
                until: span.until,
            });
        }
        match out.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => out.push(span),
        }
    }
    Ok(out)
}

/// Days since 1970-01-01.
fn epoch_day(date: jiff::civil::Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    date.since((jiff::Unit::Day, epoch))
        .map_or(i32::MAX, |span| span.get_days())
}
