//! What people do at the desk with one card.
//!
//! | file | what |
//! | --- | --- |
//! | `at_doors` | which card a door saw |
//! | `block` | lost, found again |
//! | `carry_out` | a change kept, put in force, told in words, noted |
//! | `guest` | a card for a while |

mod at_doors;
mod block;
mod carry_out;
mod guest;

pub use guest::NewGuest;

use super::{
    answers::Change,
    audit::{Action, Actor},
    decide::Refusal,
    directory::Hit,
    service::{Desk, DeskError, OfCard},
};
use crate::{
    domain::{BlockTarget, Credential, PersonId, say::desk as say},
    store::CardKind,
};

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
        self.unless_settled(card, |known| self.give_once(known, give, actor, now))
    }

    /// Does it once more when the platform's facts took the desk's row over between the look and the change: the same people
    /// hold the card, and nobody has done anything.
    fn unless_settled(
        &self,
        card: &Credential,
        act: impl Fn(&OfCard) -> Result<Change, DeskError>,
    ) -> Result<Change, DeskError> {
        let known = self.of_card(card)?;
        let done = act(&known);
        let meanwhile = matches!(
            &done,
            Err(DeskError::Refused {
                code: Refusal::Meanwhile,
                ..
            })
        );
        if meanwhile {
            let again = self.of_card(card)?;
            if again.situation().holders() == known.situation().holders() {
                return act(&again);
            }
        }
        done
    }

    fn give_once(
        &self,
        known: &OfCard,
        give: &Give<'_>,
        actor: &Actor,
        now: bool,
    ) -> Result<Change, DeskError> {
        let hit = known
            .directory
            .person(give.person)
            .ok_or_else(|| DeskError::refused(Refusal::NoSuchPerson, say::person_unknown(give.person)))?;
        let plan = known
            .situation()
            .give(CardKind::Member, give.person, give.from)
            .map_err(|code| self.no(code, known, &hit.name))?;
        let moved = give.from.map(|from| self.name_of(from, &known.directory));
        let note = moved
            .as_ref()
            .map(|name| format!("from {name}"))
            .unwrap_or_default();
        let done = self.carry_out(known, plan, "", give.seen, None, actor)?;
        let action = if moved.is_some() {
            Action::Moved
        } else {
            Action::Assigned
        };
        let mut change = self.told(known, Some(&hit), done, now)?;
        change.message = match &moved {
            Some(from) => format!("the card is {}'s now, no more {from}'s", hit.name),
            None => format!("the card is {}'s now", hit.name),
        };
        if hit.deactivated {
            change.warnings.push(say::holder_deactivated(&hit.name).into());
        }
        self.note(actor, action, &known.card, Some(&hit), note);
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
        self.unless_settled(card, |known| self.take_once(known, seen, actor, action))
    }

    fn take_once(
        &self,
        known: &OfCard,
        seen: Option<u64>,
        actor: &Actor,
        action: Action,
    ) -> Result<Change, DeskError> {
        let before = known.situation().holders();
        let plan = known
            .situation()
            .take()
            .map_err(|code| self.no(code, known, ""))?;
        let done = self.carry_out(known, plan, "", seen, None, actor)?;
        let names: Vec<String> = before
            .iter()
            .map(|person| self.name_of(person, &known.directory))
            .collect();
        let mut change = self.told(known, None, done, true)?;
        change.message = format!("the card is no more {}'s", names.join(" and "));
        let hit = before.first().map(|person| Hit {
            id: person.as_str().to_owned(),
            name: names.join(" and "),
            email: String::new(),
            company: String::new(),
            deactivated: false,
            cards: 0,
        });
        self.note(actor, action, &known.card, hit.as_ref(), String::new());
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
        let mut change = match &known.guest {
            Some(guest) if guest.id == *person => self.guest_has(new, guest, None, actor)?,
            _ => self.assign(new, person, None, actor)?,
        };
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
}

#[cfg(test)]
mod tests;
