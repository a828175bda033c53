//! The slow, obvious model of the decision, for tests: loops over the snapshot, and asks jiff's own zoned arithmetic
//! minute by minute what the clock on the wall shows. It shares no code with the index.

use super::Limits;
use crate::domain::{
    BlockTarget, Credential, Grant, PersonId, Reason, ScheduleId, Snapshot,
    grant::Target,
    site::{Site, Span},
    time::{Millis, Moment},
};
use jiff::{Timestamp, Zoned, tz::TimeZone};

/// What the model answers: a verdict with names instead of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) reason: Reason,
    pub(super) person: Option<PersonId>,
    pub(super) grant: Option<Grant>,
    pub(super) when: Option<Millis>,
}

pub(super) struct Model<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) site: &'a Site,
    pub(super) limits: &'a Limits,
}

const DAY: Millis = 24 * 60 * 60 * 1_000;

impl Model<'_> {
    pub(super) fn decide(
        &self,
        card: Option<&Credential>,
        door: Option<&str>,
        now: Moment,
        lockdown: bool,
    ) -> Answer {
        let mut answer = Answer {
            reason: Reason::UnknownDoor,
            person: None,
            grant: None,
            when: None,
        };
        let Some(door) = door else { return answer };
        let door = self
            .site
            .doors
            .iter()
            .find(|found| found.id.as_str() == door)
            .unwrap();
        let mut holders: Vec<&PersonId> = Vec::new();
        for (held, person) in &self.snapshot.credentials {
            if card == Some(held) && !held.is_random_uid() && !holders.contains(&person) {
                holders.push(person);
            }
        }
        let card_blocked = card.is_some_and(|card| self.blocked(&BlockTarget::Credential(*card)));
        let person_blocked = holders
            .iter()
            .any(|person| self.blocked(&BlockTarget::Person((*person).clone())));
        if let [only] = holders[..] {
            answer.person = Some(only.clone());
        }
        let open_to_all = || {
            let schedule = door.open_for_all.as_ref();
            now.trusted && schedule.is_some_and(|schedule| self.is_open(schedule, now.at))
        };
        answer.reason = if lockdown {
            Reason::Lockdown
        } else if open_to_all() && !card_blocked && !person_blocked {
            Reason::GrantedDoorOpen
        } else if card.is_none() {
            Reason::UnreadableCard
        } else if holders.is_empty() && !card_blocked {
            Reason::UnknownCredential
        } else if card_blocked {
            Reason::CredentialBlocked
        } else if holders.len() > 1 {
            Reason::CredentialAmbiguous
        } else if person_blocked {
            Reason::PersonBlocked
        } else {
            return self.by_grants(holders[0], door.id.as_str(), now);
        };
        answer
    }

    fn blocked(&self, target: &BlockTarget) -> bool {
        self.snapshot.blocks.iter().any(|block| block.target == *target)
    }

    fn by_grants(&self, person: &PersonId, door: &str, now: Moment) -> Answer {
        let mut mine: Vec<&Grant> = self
            .snapshot
            .grants
            .iter()
            .filter(|grant| grant.person == *person)
            .collect();
        mine.retain(|grant| self.exists(grant) && !grant.window.is_empty());
        mine.sort_by_key(|grant| {
            let source = (grant.source.id.clone(), grant.source.label.clone());
            (
                grant.kind,
                source,
                grant.target.clone(),
                grant.window,
                grant.rule,
                grant.void,
            )
        });
        let here: Vec<&Grant> = mine
            .iter()
            .copied()
            .filter(|grant| self.covers(grant, door))
            .collect();
        let answer = |reason, grant: Option<&Grant>, when| Answer {
            reason,
            person: Some(person.clone()),
            grant: grant.cloned(),
            when,
        };
        let verdicts: Vec<_> = here
            .iter()
            .map(|grant| (*grant, self.standing(grant, now)))
            .collect();
        if let Some((grant, _)) = verdicts.iter().find(|(_, standing)| standing.is_none()) {
            return answer(grant.kind.granted(), Some(grant), None);
        }
        let nearest = verdicts
            .into_iter()
            .filter_map(|(grant, miss)| Some((grant, miss?)));
        match nearest.min_by_key(|(_, (class, rank, ..))| (*class, *rank)) {
            Some((grant, (_, _, reason, when))) => answer(reason, Some(grant), when),
            None if mine.iter().any(|grant| grant.void.is_none()) => {
                answer(Reason::NoGrantForDoor, None, None)
            }
            None => answer(Reason::NoGrant, None, None),
        }
    }

    fn exists(&self, grant: &Grant) -> bool {
        match &grant.target {
            Target::Group(id) => self.site.groups.iter().any(|group| group.id == *id),
            Target::Door(id) => self.site.doors.iter().any(|door| door.id == *id),
        }
    }

    fn covers(&self, grant: &Grant, door: &str) -> bool {
        match &grant.target {
            Target::Door(id) => id.as_str() == door,
            Target::Group(id) => {
                let group = self.site.groups.iter().find(|group| group.id == *id).unwrap();
                group.doors.iter().any(|id| id.as_str() == door)
            }
        }
    }

    /// `None`: open. Else the place in the order of misses (docs of `decide`), the reason and the instant.
    fn standing(&self, grant: &Grant, now: Moment) -> Option<(u8, Millis, Reason, Option<Millis>)> {
        let hours = match &grant.target {
            Target::Door(_) => None,
            Target::Group(id) => self
                .site
                .groups
                .iter()
                .find(|group| group.id == *id)
                .unwrap()
                .hours
                .as_ref(),
        };
        let guess_counts = now.trusted || self.limits.allow_windowed_when_untrusted;
        let ended = grant.window.until.is_some_and(|until| until <= now.at);
        let over = |until: Option<Millis>| Some((6, -until.unwrap(), Reason::Ended, until));
        if let Some(void) = grant.void {
            return if ended && guess_counts {
                over(grant.window.until)
            } else {
                Some((4, 0, void, None))
            };
        }
        if !guess_counts && (hours.is_some() || grant.window.from.is_some() || grant.window.until.is_some()) {
            return Some((2, 0, Reason::ClockUntrusted, None));
        }
        if ended {
            return over(grant.window.until);
        }
        let not_begun = grant.window.from.is_some_and(|from| now.at < from);
        let in_hours = |at| hours.is_none_or(|hours| self.is_open(hours, at));
        if !not_begun && in_hours(now.at) {
            let limit = self.limits.stale_from(grant.kind)?;
            if limit == Millis::MIN {
                return Some((1, 0, Reason::Stale, None));
            }
            return (now.trusted && limit <= now.at).then_some((1, 0, Reason::Stale, Some(limit)));
        }
        let reason = if not_begun {
            Reason::NotYet
        } else {
            Reason::OutsideHours
        };
        let start = grant.window.from.map_or(now.at, |from| from.max(now.at));
        let opens = match hours {
            None => Some(start),
            Some(hours) => self.first_open(hours, start, grant.window.until),
        };
        Some(match opens {
            None => (7, 0, reason, None),
            Some(at) if at - now.at <= DAY => (3, at, reason, opens),
            Some(at) => (5, at, reason, opens),
        })
    }

    fn zoned(&self, at: Millis) -> Zoned {
        let zone = TimeZone::get(&self.site.zone).unwrap();
        Timestamp::from_millisecond(at).unwrap().to_zoned(zone)
    }

    fn spans(&self, schedule: &ScheduleId, at: &Zoned) -> &[Span] {
        let schedule = self
            .site
            .schedules
            .iter()
            .find(|found| found.id == *schedule)
            .unwrap();
        if self.site.holidays.contains(&at.date()) {
            return &schedule.holiday;
        }
        &schedule.week[usize::try_from(at.weekday().to_monday_zero_offset()).unwrap()]
    }

    fn is_open(&self, schedule: &ScheduleId, at: Millis) -> bool {
        let wall = self.zoned(at);
        let minute = u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).unwrap();
        self.spans(schedule, &wall)
            .iter()
            .any(|span| (span.from..span.until).contains(&minute))
    }

    fn first_open(&self, schedule: &ScheduleId, start: Millis, until: Option<Millis>) -> Option<Millis> {
        let end = until.unwrap_or(Millis::MAX).min(start + 400 * DAY);
        let mut at = start;
        while at < end {
            if self.is_open(schedule, at) {
                return Some(at);
            }
            let wall = self.zoned(at);
            at = if self.spans(schedule, &wall).is_empty() {
                let midnight = wall.start_of_day().unwrap();
                midnight
                    .tomorrow()
                    .unwrap()
                    .start_of_day()
                    .unwrap()
                    .timestamp()
                    .as_millisecond()
            } else {
                (at.div_euclid(60_000) + 1) * 60_000
            };
        }
        None
    }
}
