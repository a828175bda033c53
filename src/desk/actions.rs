//! What people do at the desk with one card.

use super::{
    answers::{AtPlatform, Change, Look},
    audit::{Action, Actor, Subject},
    decide::{self, Plan, Refusal},
    directory::Hit,
    recent::{self, RefusedCard},
    service::{Desk, DeskError, OfCard, lock},
};
use crate::{
    domain::{
        Block, BlockTarget, Credential, GroupId, Millis, PersonId,
        say::{Said, desk as say},
    },
    store::{CardChange, CardKind, Guest, KeptBlock, LocalCard},
};
use serde::{Deserialize, Serialize};

/// The longest that a guest may stay.
const LONGEST_GUEST: Millis = 31 * 86_400_000;

/// Whom a card is given to, and what was known of it.
#[derive(Clone, Copy, Debug)]
pub struct Give<'a> {
    /// The platform's id of the person.
    pub person: &'a PersonId,
    /// Whose it is now, where staff has seen that and confirmed the move.
    pub from: Option<&'a PersonId>,
    /// [`super::Look::seen`], if somebody looked: a change that came between is refused.
    pub seen: Option<u64>,
}

/// A guest who is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewGuest {
    /// Whose guest, or what the card is for.
    pub name: String,
    /// Which groups of doors.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Which single doors besides.
    #[serde(default)]
    pub doors: Vec<String>,
    /// When it ends, Unix milliseconds; absent: with the day, by the building's clock.
    #[serde(default)]
    pub until: Option<i64>,
}

impl Desk {
    /// Gives a card to a person of the platform.
    ///
    /// # Errors
    /// Why not; [`Refusal::SomebodyElses`] with whose it is and since when.
    pub fn assign(
        &self,
        card: &Credential,
        person: &PersonId,
        seen: Option<u64>,
        actor: &Actor,
    ) -> Result<Change, DeskError> {
        let give = Give {
            person,
            from: None,
            seen,
        };
        self.give(card, &give, actor, true)
    }

    /// Gives a card of somebody else to a person. `from` is whom staff saw as its holder.
    ///
    /// # Errors
    /// Why not; [`Refusal::SomebodyElses`] if it changed hands meanwhile.
    pub fn move_card(
        &self,
        card: &Credential,
        person: &PersonId,
        from: &PersonId,
        seen: Option<u64>,
        actor: &Actor,
    ) -> Result<Change, DeskError> {
        let give = Give {
            person,
            from: Some(from),
            seen,
        };
        self.give(card, &give, actor, true)
    }

    /// [`Self::assign`] and [`Self::move_card`]; `now`: puts it in force, else the caller does so for many at once.
    pub(super) fn give(
        &self,
        card: &Credential,
        give: &Give<'_>,
        actor: &Actor,
        now: bool,
    ) -> Result<Change, DeskError> {
        self.unless_settled(card, || self.give_once(card, give, actor, now))
    }

    /// Does it once more when the platform's facts took the desk's row over just then: the same people hold the card, and
    /// nobody has done anything.
    fn unless_settled(
        &self,
        card: &Credential,
        act: impl Fn() -> Result<Change, DeskError>,
    ) -> Result<Change, DeskError> {
        let before = self.of_card(card)?.situation().holders();
        let done = act();
        let first = matches!(
            &done,
            Err(DeskError::Refused {
                code: Refusal::Meanwhile,
                ..
            })
        );
        if first && self.of_card(card)?.situation().holders() == before {
            return act();
        }
        done
    }

    fn give_once(
        &self,
        card: &Credential,
        give: &Give<'_>,
        actor: &Actor,
        now: bool,
    ) -> Result<Change, DeskError> {
        let known = self.of_card(card)?;
        let hit = known
            .directory
            .person(give.person)
            .ok_or_else(|| DeskError::refused(Refusal::NoSuchPerson, say::person_unknown(give.person)))?;
        let plan = known
            .situation()
            .give(CardKind::Member, give.person, give.from)
            .map_err(|code| self.no(code, &known, &hit.name))?;
        let moved = give.from.map(|from| self.name_of(from, &known.directory));
        let note = moved
            .as_ref()
            .map(|name| format!("from {name}"))
            .unwrap_or_default();
        let done = self.carry_out(&known, plan, "", give.seen, None, actor)?;
        let action = if moved.is_some() {
            Action::Moved
        } else {
            Action::Assigned
        };
        let mut change = self.told(&known, Some(&hit), done, now)?;
        change.message = match &moved {
            Some(from) => format!("the card is {}'s now, no more {from}'s", hit.name),
            None => format!("the card is {}'s now", hit.name),
        };
        if hit.deactivated {
            change.warnings.push(say::holder_deactivated(&hit.name).into());
        }
        self.note(actor, action, card, Some(&hit), note);
        Ok(change)
    }

    /// Takes a card back from whoever has it.
    ///
    /// # Errors
    /// Nobody has it, or the store does not take it.
    pub fn return_card(
        &self,
        card: &Credential,
        seen: Option<u64>,
        actor: &Actor,
    ) -> Result<Change, DeskError> {
        self.take(card, seen, actor, Action::Returned)
    }

    pub(super) fn take(
        &self,
        card: &Credential,
        seen: Option<u64>,
        actor: &Actor,
        action: Action,
    ) -> Result<Change, DeskError> {
        self.unless_settled(card, || self.take_once(card, seen, actor, action))
    }

    fn take_once(
        &self,
        card: &Credential,
        seen: Option<u64>,
        actor: &Actor,
        action: Action,
    ) -> Result<Change, DeskError> {
        let known = self.of_card(card)?;
        let before = known.situation().holders();
        let plan = known
            .situation()
            .take()
            .map_err(|code| self.no(code, &known, ""))?;
        let done = self.carry_out(&known, plan, "", seen, None, actor)?;
        let names: Vec<String> = before
            .iter()
            .map(|person| self.name_of(person, &known.directory))
            .collect();
        let mut change = self.told(&known, None, done, true)?;
        change.message = format!("the card is no more {}'s", names.join(" and "));
        let hit = before.first().map(|person| Hit {
            id: person.as_str().to_owned(),
            name: names.join(" and "),
            email: String::new(),
            company: String::new(),
            deactivated: false,
            cards: 0,
        });
        self.note(actor, action, card, hit.as_ref(), String::new());
        Ok(change)
    }

    /// Gives a person a new card for one that they had: the old one is taken back, and blocked if it is lost.
    ///
    /// # Errors
    /// Why the new one cannot be given: then the old one stays as it is.
    pub fn replace(
        &self,
        old: &Credential,
        new: &Credential,
        lost: bool,
        actor: &Actor,
    ) -> Result<Change, DeskError> {
        let known = self.of_card(old)?;
        let holders = known.situation().holders();
        let [person] = holders.as_slice() else {
            let code = if holders.is_empty() {
                Refusal::NobodyHolds
            } else {
                Refusal::SeveralHold
            };
            return Err(self.no(code, &known, ""));
        };
        let mut change = self.assign(new, person, None, actor)?;
        if lost {
            self.block(
                &BlockTarget::Credential(*old),
                say::lost_replaced().as_ref(),
                actor,
            )?;
        }
        let taken = self.return_card(old, None, actor)?;
        change.warnings.extend(taken.warnings);
        change.message = format!("{}; the old one opens nothing any more", change.message);
        Ok(change)
    }

    /// Gives a card to a guest, with these doors until it ends by itself.
    ///
    /// # Errors
    /// Why not: the card is somebody's, there is no such group, the end is no end.
    pub fn guest(
        &self,
        card: &Credential,
        guest: &NewGuest,
        seen: Option<u64>,
        actor: &Actor,
    ) -> Result<Change, DeskError> {
        let (known, now) = (self.of_card(card)?, self.now());
        let guest = self.checked(guest, now, actor)?;
        let plan = known
            .situation()
            .give(CardKind::Guest, &guest.id, None)
            .map_err(|code| self.no(code, &known, &guest.name))?;
        let done = self.carry_out(&known, plan, "", seen, Some(&guest), actor)?;
        let hit = Hit {
            id: guest.id.as_str().to_owned(),
            name: guest.name.clone(),
            email: String::new(),
            company: String::new(),
            deactivated: false,
            cards: 1,
        };
        let mut change = self.told(&known, Some(&hit), done, true)?;
        change.platform = AtPlatform::KeptHere;
        change.message = format!("the card is {}'s until it ends by itself", guest.name);
        if !self.inner().clock.now().trusted {
            change.warnings.push(say::guest_needs_clock().into());
        }
        self.note(actor, Action::GuestGiven, card, Some(&hit), String::new());
        Ok(change)
    }

    fn checked(&self, guest: &NewGuest, now: Millis, actor: &Actor) -> Result<Guest, DeskError> {
        let config = self.inner().config.borrow().clone();
        let name = guest.name.trim();
        if name.is_empty() || guest.groups.is_empty() && guest.doors.is_empty() {
            return Err(DeskError::refused(Refusal::BadInput, say::guest_needs()));
        }
        let known = |group: &str| config.site.groups.iter().any(|it| it.id.as_str() == group);
        if let Some(wrong) = guest.groups.iter().find(|group| !known(group)) {
            return Err(DeskError::refused(
                Refusal::NoSuchGroup,
                say::group_unknown(wrong),
            ));
        }
        let known = |door: &str| config.site.doors.iter().any(|it| it.id.as_str() == door);
        if let Some(wrong) = guest.doors.iter().find(|door| !known(door)) {
            return Err(DeskError::refused(Refusal::NoSuchGroup, say::door_unknown(wrong)));
        }
        let until = match guest.until {
            Some(until) => until,
            None => end_of_day(now, &config.site.zone)
                .ok_or_else(|| DeskError::refused(Refusal::BadEnd, say::zone_unknown()))?,
        };
        if until <= now || until.saturating_sub(now) > LONGEST_GUEST {
            return Err(DeskError::refused(Refusal::BadEnd, say::guest_end()));
        }
        let ids: Vec<PersonId> = self
            .inner()
            .store
            .read()
            .guests()?
            .into_iter()
            .map(|it| it.id)
            .collect();
        let id = (now..)
            .map(|n| PersonId::from(format!("guest:{n}")))
            .find(|id| !ids.contains(id));
        Ok(Guest {
            id: id.unwrap_or_else(|| "guest:0".into()),
            name: name.to_owned(),
            from: now,
            until,
            groups: guest
                .groups
                .iter()
                .map(|group| GroupId::from(group.as_str()))
                .collect(),
            doors: guest.doors.iter().map(|door| door.as_str().into()).collect(),
            by: actor.name.clone(),
        })
    }

    /// Blocks a card or a person at every door at once, whoever holds it, whatever the cloud does.
    ///
    /// # Errors
    /// It is not in force: the words say why.
    pub fn block(&self, target: &BlockTarget, note: &str, actor: &Actor) -> Result<String, DeskError> {
        let kept = KeptBlock {
            block: Block {
                target: target.clone(),
                note: note.trim().to_owned(),
            },
            by: actor.name.clone(),
            at: self.now(),
        };
        let on_disk = self.inner().store.keep_block(&kept);
        let mut words = "blocked at every door".to_owned();
        if let Err(error) = on_disk {
            // In memory all the same, and tried again: a lost card must not open because a disk is full.
            lock(&self.inner().unkept).push(kept);
            self.inner().bell.notify_one();
            words = format!("{words}, but not kept over a restart yet: {error}");
        }
        if !self.rework()? {
            words.push_str("; nothing was fetched yet, so nobody has any right");
        }
        self.note_block(actor, Action::Blocked, target, note);
        Ok(words)
    }

    /// Lifts a block.
    ///
    /// # Errors
    /// There was none, or the store does not take it.
    pub fn unblock(&self, target: &BlockTarget, actor: &Actor) -> Result<String, DeskError> {
        let in_memory = {
            let mut unkept = lock(&self.inner().unkept);
            let before = unkept.len();
            unkept.retain(|kept| kept.block.target != *target);
            unkept.len() != before
        };
        if !self.inner().store.remove_block(target)? && !in_memory {
            return Err(DeskError::refused(Refusal::BadInput, say::no_such_block()));
        }
        self.rework()?;
        self.note_block(actor, Action::Unblocked, target, "");
        Ok("the block is lifted".to_owned())
    }

    fn note_block(&self, actor: &Actor, action: Action, target: &BlockTarget, note: &str) {
        let (card, person) = match target {
            BlockTarget::Credential(card) => (Some(*card), None),
            BlockTarget::Person(person) => (None, Some(person.clone())),
        };
        let directory = self.directory().unwrap_or_default();
        let person = person.or_else(|| {
            let card = card.as_ref()?;
            self.of_card(card).ok()?.situation().holders().into_iter().next()
        });
        let subject = Subject {
            card,
            person_name: person.as_ref().map(|person| self.name_of(person, &directory)),
            person,
            note: note.trim().to_owned(),
        };
        self.inner().audit.note(actor, action, &subject);
    }

    /// The last card that a door refused as nobody's, within so many milliseconds. `at`: only at this door or reader.
    ///
    /// # Errors
    /// There was none.
    pub fn last_refused(&self, within: Millis, at: Option<&str>) -> Result<RefusedCard, DeskError> {
        let since = self.now().saturating_sub(within);
        // What was answered a moment ago may not be in the file yet.
        let _ = self.inner().store.flush();
        recent::last_refused(self.inner().store.read(), since, 0, at)?
            .ok_or_else(|| DeskError::refused(Refusal::NothingRefused, say::none_refused()))
    }

    /// Where the journal ends now, for [`Self::presented_after`].
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn journal_end(&self) -> Result<u64, DeskError> {
        let _ = self.inner().store.flush();
        Ok(self.inner().store.read().extent()?.1)
    }

    /// The first card presented at a door or reader after that place in the journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn presented_after(&self, seq: u64, at: &str) -> Result<Option<(u64, Credential)>, DeskError> {
        let _ = self.inner().store.flush();
        Ok(recent::next_presented(self.inner().store.read(), seq, at)?)
    }

    fn carry_out(
        &self,
        known: &OfCard,
        plan: Plan,
        note: &str,
        seen: Option<u64>,
        guest: Option<&Guest>,
        actor: &Actor,
    ) -> Result<Done, DeskError> {
        if seen.is_some_and(|seen| seen != known.situation().seen()) {
            return Err(self.meanwhile(&known.card)?);
        }
        let holds = plan.holder.as_ref().filter(|(kind, _)| *kind != CardKind::Nobody);
        let now_seen = holds.map_or(0, |(_, person)| decide::seen(std::slice::from_ref(person)));
        let row = plan.holder.map(|(kind, person)| LocalCard {
            note: note.to_owned(),
            added_at: self.now(),
            kind,
            instead: plan.instead,
            by: actor.name.clone(),
            ..LocalCard::new(known.card, person)
        });
        let change = CardChange {
            credential: known.card,
            seen: known.situation().revision(),
            row,
            writes: &plan.writes,
            guest,
        };
        self.change(&change, actor)?;
        let platform = match (&change.row, plan.writes.is_empty()) {
            (None, _) => AtPlatform::Agrees,
            (Some(_), true) => AtPlatform::KeptHere,
            (Some(_), false) => AtPlatform::Waiting,
        };
        Ok(Done {
            seen: now_seen,
            platform,
        })
    }

    fn told(&self, known: &OfCard, to: Option<&Hit>, done: Done, now: bool) -> Result<Change, DeskError> {
        let in_force = if now { self.rework()? } else { true };
        let mut warnings = Vec::new();
        if !in_force {
            warnings.push(say::nothing_fetched().into());
        }
        if done.platform == AtPlatform::KeptHere {
            warnings.push(say::platform_not_told().into());
        }
        Ok(Change {
            message: String::new(),
            card: known.card.masked(),
            person: to.map(|hit| hit.id.clone()).unwrap_or_default(),
            name: to.map(|hit| hit.name.clone()).unwrap_or_default(),
            seen: done.seen,
            platform: done.platform,
            in_force,
            warnings,
            warnings_say: Vec::new(),
        })
    }

    fn note(&self, actor: &Actor, action: Action, card: &Credential, hit: Option<&Hit>, note: String) {
        let subject = Subject {
            card: Some(*card),
            person: hit.map(|hit| hit.id.as_str().into()),
            person_name: hit.map(|hit| hit.name.clone()),
            note,
        };
        self.inner().audit.note(actor, action, &subject);
    }

    /// A refusal in words, with the card as it is.
    fn no(&self, code: Refusal, known: &OfCard, to: &str) -> DeskError {
        let look = match self.look(&known.card) {
            Ok(look) => look,
            Err(error) => return error,
        };
        DeskError::Refused {
            code,
            message: words(code, &look, to).into(),
            look: Some(Box::new(look)),
        }
    }

    /// The words of a refusal alone.
    pub(super) fn refusal(&self, code: Refusal, known: &OfCard, to: &str) -> String {
        self.no(code, known, to).to_string()
    }
}

fn words(code: Refusal, look: &Look, to: &str) -> Said {
    let names = look.names();
    match code {
        Refusal::RandomNumber => say::card_changing(),
        Refusal::Blocked => {
            let note = look
                .blocked
                .as_ref()
                .map(|it| it.note.as_str())
                .unwrap_or_default();
            say::card_blocked(note)
        }
        Refusal::SomebodyElses => say::card_is(names),
        Refusal::SeveralHold => say::card_of_several(names),
        Refusal::AlreadyTheirs => say::card_is_already(to),
        Refusal::NobodyHolds => say::card_is_nobodys(),
        _ => say::not_done(),
    }
}

struct Done {
    seen: u64,
    platform: AtPlatform,
}

/// The midnight after an instant, by the clock of a zone, Unix milliseconds.
fn end_of_day(now: Millis, zone: &str) -> Option<Millis> {
    let zone = jiff::tz::TimeZone::get(zone).ok()?;
    let today = jiff::Timestamp::from_millisecond(now).ok()?.to_zoned(zone);
    let tomorrow = today.tomorrow().ok()?.start_of_day().ok()?;
    Some(tomorrow.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_winter_and_when_the_clocks_change() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let end = |now: &str| end_of_day(at(now), "Europe/Madrid").unwrap();
        assert_eq!(end("2026-11-22T14:00:00Z"), at("2026-11-22T23:00:00Z"));
        assert_eq!(end("2026-03-29T00:30:00Z"), at("2026-03-29T22:00:00Z"));
        assert_eq!(end_of_day(0, "Nowhere/None"), None);
    }
}
