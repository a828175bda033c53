//! What a lock does with a tag, from groups, members and schedules alone.

use super::{
    entries,
    state::{Entry, Group, Lock, Schedule, State, User},
};
use jiff::{Timestamp, civil::DateTime};

/// What a lock did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// It opened for this platform user.
    Opened(String),
    /// It stayed shut, with the word of the entry.
    Rejected(&'static str),
}

impl Did {
    /// Whether it opened.
    #[must_use]
    pub const fn opened(&self) -> bool {
        matches!(self, Self::Opened(_))
    }
}

impl State {
    /// What a lock would do with a tag then, Unix milliseconds.
    #[must_use]
    pub fn decide(&self, lock: &Lock, tag: &str, at: i64) -> Did {
        let tag = self
            .tags
            .iter()
            .find(|known| known.number == tag && !known.elsewhere);
        let Some(user) =
            tag.and_then(|tag| self.users.iter().find(|user| user.tag.as_ref() == Some(&tag.id)))
        else {
            return Did::Rejected("no_access");
        };
        if user.suspended {
            return Did::Rejected("suspended");
        }
        if !user.blocked && self.groups.iter().any(|group| self.opens(group, user, lock, at)) {
            return Did::Opened(user.platform.clone());
        }
        Did::Rejected("no_access")
    }

    fn opens(&self, group: &Group, user: &User, lock: &Lock, at: i64) -> bool {
        let wait = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let (for_member, for_schedule) = (
            wait(self.manners.member_rollout),
            wait(self.manners.schedule_rollout),
        );
        let now = self.now();
        let member = |member: &super::state::Member| {
            member.user == user.platform && (for_member == 0 || member.since + for_member <= now)
        };
        if !group.locks.contains(&lock.id) || !group.members.iter().any(member) {
            return false;
        }
        let local = Timestamp::from_millisecond(at)
            .unwrap_or_default()
            .to_zoned(self.tz())
            .datetime();
        group
            .schedules
            .iter()
            .filter(|schedule| for_schedule == 0 || schedule.since + for_schedule <= now)
            .any(|schedule| schedule.covers(local))
    }

    /// A tag is presented at a lock at an instant: the entry is written and streamed.
    pub(super) fn present(&mut self, lock: &str, tag: &str, at: i64) -> Did {
        let Some(lock) = self
            .locks
            .iter()
            .find(|known| known.name == lock || known.id == lock)
            .cloned()
        else {
            return Did::Rejected("no such lock");
        };
        if lock.registering.is_some_and(|until| self.now() < until)
            && self.tags.iter().all(|known| known.number != tag)
        {
            let id = self.id(0x7a);
            self.tags.push(super::state::Tag {
                id,
                number: tag.to_owned(),
                elsewhere: false,
            });
        }
        let did = self.decide(&lock, tag, at);
        let known = self.tags.iter().any(|known| known.number == tag);
        let shown = known || self.manners.unknown_tags_have_numbers;
        let mut entry = Entry {
            lock: lock.id,
            by: Some("tag".into()),
            by_detail: shown.then(|| tag.to_owned()),
            ..entries::blank(at)
        };
        match &did {
            Did::Opened(user) => entry.user = Some(user.clone()),
            Did::Rejected(detail) => {
                entry.category = "lock_rejected".into();
                entry.detail = Some((*detail).to_owned());
            }
        }
        entries::add(self, entry);
        did
    }
}

impl Schedule {
    /// Whether a local time lies in it; the last minute to its end.
    #[must_use]
    pub fn covers(&self, local: DateTime) -> bool {
        let (date, time) = (local.date(), local.time());
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        let minute = (time.hour(), time.minute());
        self.days.get(day).copied().unwrap_or(false)
            && self.from.is_none_or(|from| date >= from)
            && self.until.is_none_or(|until| date <= until)
            && minute >= (self.start.hour(), self.start.minute())
            && minute <= (self.end.hour(), self.end.minute())
    }
}
