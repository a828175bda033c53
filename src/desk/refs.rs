//! Cards by reference. A browser never gets a whole number: it names a card by where it came from.

use super::{
    answers::Presented,
    decide::Refusal,
    readers::Presentation,
    service::{Desk, DeskError, lock},
};
use crate::{
    config::model::CardText,
    domain::{BlockTarget, Credential, CredentialError, Millis, say::desk as say},
    platform::cards,
};
use std::{
    collections::{VecDeque, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::Mutex,
};

/// A refusal longer ago than this is not the card in somebody's hand.
pub const REFUSED_WITHIN: Millis = 15 * 60_000;
/// Presentations that are shown at once: each is looked up.
const SHOWN: usize = 20;
/// Cards that were looked at and that nobody may know otherwise: so many of the last ones can be named.
const LOOKED_AT: usize = 256;

/// Names of cards that hold as long as the process: a keyed hash, from which no number comes back.
#[derive(Debug, Default)]
pub(super) struct Names {
    keys: RandomState,
    looked: Mutex<VecDeque<Credential>>,
}

impl Names {
    /// `known@…` for this card.
    pub(super) fn of(&self, card: &Credential) -> String {
        let half = |part: u8| self.keys.hash_one((part, card));
        format!("known@{:016x}{:016x}", half(0), half(1))
    }

    /// The same, and it can be named from now on, though nobody has it.
    pub(super) fn looked(&self, card: &Credential) -> String {
        let mut looked = lock(&self.looked);
        if !looked.contains(card) {
            if looked.len() >= LOOKED_AT {
                looked.pop_front();
            }
            looked.push_back(*card);
        }
        self.of(card)
    }
}

impl Desk {
    /// The card of a reference: `presented@N`, `refused`, `refused@DOOR`, `known@TOKEN`, or a number with its scheme.
    ///
    /// # Errors
    /// There is no such card (any more), or the number cannot be read.
    pub fn card(&self, reference: &str) -> Result<Credential, DeskError> {
        let text = reference.trim();
        let (word, at) = match text.split_once('@') {
            Some((word, at)) => (word, Some(at)),
            None => (text, None),
        };
        match (word, at) {
            ("refused", at) => Ok(self.last_refused(REFUSED_WITHIN, at)?.card),
            ("presented", Some(number)) => self.presented_card(number),
            ("known", Some(_)) => self.known(text),
            _ => text
                .parse()
                .map_err(|error: CredentialError| DeskError::refused(Refusal::BadInput, error.said())),
        }
    }

    fn presented_card(&self, number: &str) -> Result<Credential, DeskError> {
        let number = number.parse::<u64>().ok();
        let found = number.and_then(|number| self.inner().readers.presentation(number));
        found
            .map(|found| found.credential)
            .ok_or_else(|| DeskError::refused(Refusal::NoSuchCard, say::presentation_gone()))
    }

    fn known(&self, name: &str) -> Result<Credential, DeskError> {
        let names = &self.inner().names;
        let is = |card: &Credential| names.of(card) == name;
        let looked = lock(&names.looked).iter().rev().copied().find(is);
        if let Some(card) = looked {
            return Ok(card);
        }
        let store = self.inner().store.read();
        let directory = self.directory()?;
        let of_platform = directory.cards().map(|(card, _)| *card).find(is);
        let rows = || {
            store
                .local_cards()
                .map(|rows| rows.into_iter().map(|row| row.credential).find(is))
        };
        let writes = || {
            store
                .card_writes()
                .map(|all| all.into_iter().map(|it| it.credential).find(is))
        };
        let blocked = || {
            let blocks = self.blocks()?.into_iter();
            let mut cards = blocks.filter_map(|kept| match kept.block.target {
                BlockTarget::Credential(card) => Some(card),
                BlockTarget::Person(_) => None,
            });
            Ok::<_, DeskError>(cards.find(is))
        };
        let mut found = of_platform;
        if found.is_none() {
            found = rows()?;
        }
        if found.is_none() {
            found = writes()?;
        }
        if found.is_none() {
            found = blocked()?;
        }
        found.ok_or_else(|| DeskError::refused(Refusal::NoSuchCard, say::card_not_known()))
    }

    /// The name of a card for a list.
    pub(super) fn name_card(&self, card: &Credential) -> String {
        self.inner().names.of(card)
    }

    /// The newest cards presented at the desk's readers after number `after`, 20 at most, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn presented(&self, after: u64) -> Result<Vec<Presented>, DeskError> {
        let recent = self.inner().readers.presentations(after);
        let newest = recent.iter().rev().take(SHOWN).rev();
        newest.map(|it| self.shown(it)).collect()
    }

    /// One of them by its number; nothing if it is too long ago.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn presented_as(&self, number: u64) -> Result<Option<Presented>, DeskError> {
        let found = self.inner().readers.presentation(number);
        found.map(|it| self.shown(&it)).transpose()
    }

    fn shown(&self, presentation: &Presentation) -> Result<Presented, DeskError> {
        Ok(Presented {
            n: presentation.number,
            card: format!("presented@{}", presentation.number),
            shown: presentation.credential.masked(),
            reader: presentation.reader.clone(),
            at: presentation.at,
            look: Some(self.look(&presentation.credential)?),
        })
    }

    /// A number that somebody typed, or that a browser read: from then on it is a presentation like any other. `format`:
    /// how it is written, a word of `card_format`; absent: with its scheme, or a UID that cannot be mistaken.
    ///
    /// # Errors
    /// It is no number of this format, or one that names nobody.
    pub fn read(&self, number: &str, format: Option<&str>) -> Result<Presented, DeskError> {
        let format = format.map_or(Ok(CardText::Auto), card_text)?;
        let card = cards::read(number, format).map_err(|error| {
            let code = match error {
                CredentialError::RandomUid => Refusal::RandomNumber,
                _ => Refusal::BadInput,
            };
            DeskError::refused(code, error.said())
        })?;
        let gone = || DeskError::Failed("the presentation was lost among others".into());
        let told = self.inner().readers.typed(card).ok_or_else(gone)?;
        self.presented_as(told)?.ok_or_else(gone)
    }

    /// The desk's readers.
    #[must_use]
    pub fn readers(&self) -> &super::readers::Readers {
        &self.inner().readers
    }
}

/// The card format of a word.
///
/// # Errors
/// There is none of this name.
pub fn card_text(word: &str) -> Result<CardText, DeskError> {
    CardText::of_word(word).ok_or_else(|| DeskError::refused(Refusal::BadInput, say::card_format_unknown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_nothing_of_the_number_and_is_another_one_in_another_process() {
        let card: Credential = "uid:04A2B3C4D5E680".parse().unwrap();
        let other: Credential = "uid:04A2B3C4D5E681".parse().unwrap();
        let (names, later) = (Names::default(), Names::default());
        let name = names.of(&card);
        assert_eq!(name, names.of(&card));
        assert_ne!(name, names.of(&other));
        assert_ne!(name, later.of(&card));
        assert!(name.starts_with("known@") && !name.to_uppercase().contains("04A2B3"));
    }
}
