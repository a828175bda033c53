//! A change at the desk: kept, put in force, told in words, and noted.

use crate::{
    desk::{
        answers::{AtPlatform, Change, Look},
        audit::{Action, Actor, Subject},
        decide::{self, Plan, Refusal},
        directory::Hit,
        service::{Desk, DeskError, OfCard},
    },
    domain::{
        Credential,
        say::{Said, desk as say},
    },
    store::{CardChange, CardKind, Guest, LocalCard},
};

impl Desk {
    pub(super) fn carry_out(
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

    pub(super) fn told(
        &self,
        known: &OfCard,
        to: Option<&Hit>,
        done: Done,
        now: bool,
    ) -> Result<Change, DeskError> {
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

    pub(super) fn note(
        &self,
        actor: &Actor,
        action: Action,
        card: &Credential,
        hit: Option<&Hit>,
        note: String,
    ) {
        let subject = Subject {
            card: Some(*card),
            person: hit.map(|hit| hit.id.as_str().into()),
            person_name: hit.map(|hit| hit.name.clone()),
            note,
        };
        self.inner().audit.note(actor, action, &subject);
    }

    /// A refusal in words, with the card as it is.
    pub(super) fn no(&self, code: Refusal, known: &OfCard, to: &str) -> DeskError {
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
    pub(in crate::desk) fn refusal(&self, code: Refusal, known: &OfCard, to: &str) -> String {
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

/// A change that is kept.
pub(super) struct Done {
    seen: u64,
    platform: AtPlatform,
}
