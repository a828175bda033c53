//! What the platform did not take, for the person who did it.

use super::{
    audit::{Action, Actor, Subject},
    decide::Refusal,
    service::{Desk, DeskError},
};
use crate::{
    domain::{Millis, Say, say::desk as say},
    store::{CardChange, CardKind, CardWrite, LocalCard, WriteState},
};
use serde::{Deserialize, Serialize};

/// So long after it was told the platform should show a card.
const SHOWN_WITHIN: Millis = 3_600_000;

/// A card of which gateway and platform say different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Conflict {
    /// For resolving it.
    pub id: String,
    /// The card, masked.
    pub card: String,
    /// The platform's id of whom it was given to, or taken from.
    pub person: String,
    /// Their name.
    pub name: String,
    /// Given rather than taken.
    pub give: bool,
    /// Who did it at the desk.
    pub by: String,
    /// When, Unix milliseconds.
    pub at: i64,
    /// What the platform said.
    pub said: String,
    /// The same, for whoever says it in another language.
    #[serde(default)]
    pub say: Option<Say>,
}

/// What is to become of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Tell the platform again: it was put right there.
    Retry,
    /// Leave the platform alone; what the desk did counts at these doors.
    KeepHere,
    /// The platform is right: what the desk did is taken back.
    Undo,
}

/// Whether the platform was told so long ago that it should show the card by now.
pub(super) fn is_unseen(row: &LocalCard, heard: Option<Millis>) -> bool {
    let since = row.written_at.map(|at| at.saturating_add(SHOWN_WITHIN));
    since.zip(heard).is_some_and(|(since, heard)| since < heard)
}

impl Desk {
    /// What waits for a person.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn conflicts(&self) -> Result<Vec<Conflict>, DeskError> {
        let inner = self.inner();
        let mut writes = inner.store.read().card_writes()?;
        writes.retain(|write| write.state == WriteState::Refused);
        let mut rows = inner.store.read().local_cards()?;
        let heard = self.heard()?;
        rows.retain(|row| row.kind != CardKind::Guest && is_unseen(row, heard));
        if writes.is_empty() && rows.is_empty() {
            // The usual case, and looked at every few seconds: nobody needs to be known by name for it.
            return Ok(Vec::new());
        }
        let directory = self.directory()?;
        let refused = writes.into_iter().map(|write| Conflict {
            id: format!("w{}", write.id),
            card: write.credential.masked(),
            name: self.name_of(&write.person, &directory),
            person: write.person.into(),
            give: write.give,
            by: write.by,
            at: write.at,
            say: Say::of(&write.said).or_else(|| Say::of(say::platform_refused(&write.said).as_ref())),
            said: write.said,
        });
        let unseen = rows.into_iter().map(|row| Conflict {
            id: format!("r{}", row.revision),
            card: row.credential.masked(),
            name: self.name_of(&row.person, &directory),
            give: row.kind == CardKind::Member,
            person: row.person.into(),
            by: row.by,
            at: row.added_at,
            say: Say::of(say::platform_unseen().as_ref()),
            said: say::platform_unseen().into(),
        });
        Ok(refused.chain(unseen).collect())
    }

    /// Decides a conflict.
    ///
    /// # Errors
    /// There is none of this id, or the store cannot be written.
    pub fn resolve(&self, id: &str, resolution: Resolution, actor: &Actor) -> Result<String, DeskError> {
        let inner = self.inner();
        let writes = inner.store.read().card_writes()?;
        let rows = inner.store.read().local_cards()?;
        let (kind, number) = id.split_at_checked(1).unwrap_or_default();
        let card = match kind {
            "w" => writes
                .iter()
                .find(|write| write.state == WriteState::Refused && write.id.to_string() == number)
                .map(|write| write.credential),
            "r" => rows
                .iter()
                .find(|row| row.revision.to_string() == number)
                .map(|row| row.credential),
            _ => None,
        };
        let Some(card) = card else {
            return Err(DeskError::refused(
                Refusal::NoSuchConflict,
                say::conflict_unknown(id),
            ));
        };
        let row = rows.into_iter().find(|row| row.credential == card);
        let same: Vec<_> = writes
            .iter()
            .filter(|write| write.credential == card)
            .map(|write| (write.person.clone(), write.give))
            .collect();
        let (next, queue, words) = match resolution {
            Resolution::Retry => {
                let again = if same.is_empty() {
                    told_again(row.as_ref())
                } else {
                    same
                };
                (row.clone(), again, "the platform is told again")
            }
            Resolution::KeepHere => (row.clone(), Vec::new(), "it stays as it is at these doors"),
            Resolution::Undo => (None, Vec::new(), "what the platform says counts"),
        };
        let next = next.map(|row| LocalCard {
            written_at: None,
            ..row
        });
        let subject = Subject {
            card: Some(card),
            person: row.as_ref().map(|row| row.person.clone()),
            person_name: None,
            note: words.to_owned(),
        };
        let change = CardChange {
            credential: card,
            seen: row.as_ref().map_or(0, |row| row.revision),
            row: next,
            writes: &queue,
            guest: None,
        };
        self.change(&change, actor)?;
        self.rework()?;
        inner.audit.note(actor, Action::ConflictResolved, &subject);
        Ok(words.to_owned())
    }

    /// The platform said no: back to the person who did it.
    pub(super) fn platform_refused(&self, write: &CardWrite) {
        let actor = Actor::new(write.by.clone(), "desk");
        let subject = Subject {
            card: Some(write.credential),
            person: Some(write.person.clone()),
            person_name: None,
            note: String::new(),
        };
        self.inner().audit.note(&actor, Action::PlatformRefused, &subject);
    }
}

fn told_again(row: Option<&LocalCard>) -> Vec<(crate::domain::PersonId, bool)> {
    let Some(row) = row else { return Vec::new() };
    let taken = row.instead.iter().map(|person| (person.clone(), false));
    let given = (row.kind == CardKind::Member).then(|| (row.person.clone(), true));
    taken.chain(given).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_does_not_show_within_an_hour_is_a_conflict() {
        let mut row = LocalCard::new("uid:04A2B3C4D5E680".parse().unwrap(), "ana");
        assert!(!is_unseen(&row, Some(i64::MAX)), "it was not told yet");
        row.written_at = Some(1_000);
        assert!(!is_unseen(&row, None) && !is_unseen(&row, Some(1_000 + SHOWN_WITHIN)));
        assert!(is_unseen(&row, Some(1_001 + SHOWN_WITHIN)));
    }
}
