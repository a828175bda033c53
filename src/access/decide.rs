//! The decision. The order of the checks stands in the room's map ([`super`]); this is what follows when no grant
//! is open.
//!
//! # The nearest miss
//! Of all grants at this door the refusal names the one that helps the person most, in this order:
//!
//! 1. `stale`: it would open now, were it not for the missing contact to the platform.
//! 2. `clock_untrusted`: it has a window or hours, and the time is not known.
//! 3. `not_yet` or `outside_hours`, opening within 24 hours: the soonest.
//! 4. A void grant that is not over, by its own reason (`no_pass_left`, `not_connected`, `not_confirmed`).
//! 5. `not_yet` or `outside_hours`, opening later: the soonest.
//! 6. `ended`: the one that ended last.
//! 7. `not_yet` or `outside_hours` whose hours never open again within its window (looked for 400 days ahead).
//!
//! Equals are told apart by the order in which grants decide: kind, then source id.

use super::{
    hours::Local,
    index::{GrantRecord, Index, Person},
    query::{DoorIx, GrantIx, Limits, Query, Verdict},
};
use crate::domain::{
    Reason,
    time::{DAY_MS, Millis},
};

/// What one grant says to the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Miss(Miss),
}

/// Why a grant does not open; smaller is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Miss {
    class: u8,
    /// Order within the class.
    rank: Millis,
    reason: Reason,
    when: Option<Millis>,
}

const STALE: u8 = 1;
const CLOCK: u8 = 2;
const SOON: u8 = 3;
const VOID: u8 = 4;
const LATER: u8 = 5;
const OVER: u8 = 6;
const NEVER: u8 = 7;

impl Miss {
    const fn new(class: u8, rank: Millis, reason: Reason, when: Option<Millis>) -> Self {
        Self {
            class,
            rank,
            reason,
            when,
        }
    }
    fn is_nearer_than(&self, other: &Self) -> bool {
        (self.class, self.rank) < (other.class, other.rank)
    }
}

impl Index {
    /// May this card open this door now? Total and pure; allocates nothing, waits for nothing.
    #[must_use]
    pub fn decide(&self, query: &Query<'_>) -> Verdict {
        if !self.has_snapshot() {
            return Verdict::bare(Reason::NoSnapshot);
        }
        let Some(door) = query.door else {
            return Verdict::bare(Reason::UnknownDoor);
        };
        let Some(open_for_all) = self.open_for_all(door) else {
            return Verdict::bare(Reason::InternalError);
        };
        let card = query.credential.map(|credential| self.card(credential));
        let known = card.flatten();
        let holder = known.and_then(|card| card.person);
        let person = holder.map(|holder| self.person_record(holder));
        let answer = |reason| Verdict {
            person: holder,
            ..Verdict::bare(reason)
        };
        if query.lockdown {
            return answer(Reason::Lockdown);
        }
        if query.now.trusted
            && open_for_all.is_some_and(|schedule| {
                let blocked = known.is_some_and(|card| card.blocked || card.holder_blocked)
                    || person.flatten().is_some_and(|person| person.blocked);
                !blocked && self.is_open(schedule, Local::of(&self.zone, query.now.at))
            })
        {
            return answer(Reason::GrantedDoorOpen);
        }
        let Some(card) = card else {
            return answer(Reason::UnreadableCard);
        };
        match (card, person) {
            (None, _) => answer(Reason::UnknownCredential),
            (Some(card), _) if card.blocked => answer(Reason::CredentialBlocked),
            (Some(card), _) if card.ambiguous => answer(Reason::CredentialAmbiguous),
            (Some(_), Some(Some(person))) if person.blocked => answer(Reason::PersonBlocked),
            (Some(_), Some(Some(person))) => Verdict {
                person: holder,
                ..self.by_grants(query, door, &person)
            },
            (Some(_), _) => answer(Reason::InternalError),
        }
    }

    fn by_grants(&self, query: &Query<'_>, door: DoorIx, person: &Person) -> Verdict {
        let mut nearest: Option<(u32, Miss)> = None;
        let mut local = None;
        let mut has_rights = false;
        for grant in self.grants_of(person) {
            let Some((grant, record)) = grant.and_then(|at| Some((at, self.grant_record(at)?))) else {
                return Verdict::bare(Reason::InternalError);
            };
            has_rights |= record.void.is_none();
            if !self.covers(record.target, door) {
                continue;
            }
            let best = nearest.map(|(_, miss)| miss);
            match self.standing(query, &record, best, &mut local) {
                Some(Standing::Open) => {
                    return Verdict {
                        grant: Some(GrantIx(grant)),
                        ..Verdict::bare(record.kind.granted())
                    };
                }
                Some(Standing::Miss(miss)) if best.is_none_or(|best| miss.is_nearer_than(&best)) => {
                    nearest = Some((grant, miss));
                }
                Some(Standing::Miss(_)) => {}
                None => return Verdict::bare(Reason::InternalError),
            }
        }
        match nearest {
            Some((grant, miss)) => Verdict {
                reason: miss.reason,
                person: None,
                grant: Some(GrantIx(grant)),
                when: miss.when,
            },
            None if has_rights => Verdict::bare(Reason::NoGrantForDoor),
            None => Verdict::bare(Reason::NoGrant),
        }
    }

    /// What one grant at this door says. `None` for a grant whose group is not there.
    fn standing(
        &self,
        query: &Query<'_>,
        grant: &GrantRecord,
        best: Option<Miss>,
        local: &mut Option<Local>,
    ) -> Option<Standing> {
        let now = query.now;
        let miss = |class, rank, reason, when| Some(Standing::Miss(Miss::new(class, rank, reason, when)));
        let hours = self.hours_of(grant.target)?;
        let needs_time = grant.window.is_bounded() || hours.is_some();
        let over = grant.window.until.filter(|until| *until <= now.at);
        if let Some(void) = grant.void {
            return match over.filter(|_| now.trusted || query.limits.allow_windowed_when_untrusted) {
                Some(until) => miss(OVER, until.saturating_neg(), Reason::Ended, Some(until)),
                None => miss(VOID, 0, void, None),
            };
        }
        if needs_time && !now.trusted && !query.limits.allow_windowed_when_untrusted {
            return miss(CLOCK, 0, Reason::ClockUntrusted, None);
        }
        if let Some(until) = over {
            return miss(OVER, until.saturating_neg(), Reason::Ended, Some(until));
        }
        let begun = grant.window.contains(now.at);
        let open = begun
            && hours.is_none_or(|hours| {
                let local = *local.get_or_insert_with(|| Local::of(&self.zone, now.at));
                self.is_open(hours, local)
            });
        if open {
            if query.limits.is_stale(grant.kind, now) {
                let since = query.limits.stale_from(grant.kind);
                let since = since.filter(|since| *since != Limits::STALE_FOR_CERTAIN);
                return miss(STALE, 0, Reason::Stale, since);
            }
            return Some(Standing::Open);
        }
        let reason = if begun {
            Reason::OutsideHours
        } else {
            Reason::NotYet
        };
        Some(Standing::Miss(self.upcoming(now.at, grant, hours, reason, best)))
    }

    /// A grant that may still open: when it will.
    fn upcoming(
        &self,
        now: Millis,
        grant: &GrantRecord,
        hours: Option<u32>,
        reason: Reason,
        best: Option<Miss>,
    ) -> Miss {
        let from = grant.window.from.map_or(now, |from| from.max(now));
        let never = Miss::new(NEVER, 0, reason, None);
        // Whatever the hours say, this one does not come before the nearest so far: no need to look.
        let hopeless = |best: Miss| match best.class {
            SOON | LATER => best.rank <= from,
            class => class < SOON,
        };
        if best.is_some_and(hopeless) {
            return never;
        }
        let opens = match hours {
            None => Some(from),
            Some(hours) => self.opens(hours, from, grant.window.until),
        };
        match opens {
            None => never,
            Some(at) if at.saturating_sub(now) <= DAY_MS => Miss::new(SOON, at, reason, Some(at)),
            Some(at) => Miss::new(LATER, at, reason, Some(at)),
        }
    }
}
