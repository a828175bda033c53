//! Cards and their blocks into the table.

use super::{BuildError, BuildWarning, Builder};
use crate::access::{
    index::{CARD_AMBIGUOUS, CARD_BLOCKED, CARD_PERSON, HOLDER_BLOCKED, Part, TOP},
    table,
};
use crate::domain::{BlockTarget, Credential, Snapshot};
use std::collections::BTreeMap;

impl<'a> Builder<'a> {
    pub(super) fn cards(&mut self, snapshot: &'a Snapshot) -> Result<u64, BuildError> {
        let mut held: Vec<(table::Key, u32)> = Vec::with_capacity(snapshot.credentials.len());
        for (card, person) in &snapshot.credentials {
            if card.is_random_uid() {
                self.warnings.push(BuildWarning::RandomUid(*card, person.clone()));
            } else {
                held.push((card.key(), self.unlisted(person)?));
            }
        }
        held.sort_unstable();
        held.dedup();
        let mut blocked: BTreeMap<table::Key, &'a str> = BTreeMap::new();
        for block in &snapshot.blocks {
            if let BlockTarget::Credential(card) = &block.target {
                blocked.entry(card.key()).or_insert(&block.note);
            }
        }
        let mut entries: Vec<(table::Key, u32)> = Vec::with_capacity(held.len() + blocked.len());
        for of_one in held.chunk_by(|left, right| left.0 == right.0) {
            let Some(&(key, person)) = of_one.first() else {
                continue;
            };
            let mut value = person;
            if of_one.len() > 1 {
                let mut holders = of_one
                    .iter()
                    .filter_map(|(_, person)| self.listed.get(usize::try_from(*person).ok()?));
                value = CARD_PERSON | CARD_AMBIGUOUS;
                if holders.any(|person| person.blocked) {
                    value |= HOLDER_BLOCKED;
                }
                self.warnings
                    .extend(Credential::from_key(key).map(BuildWarning::SharedCard));
            }
            if blocked.contains_key(&key) {
                value |= CARD_BLOCKED;
            }
            entries.push((key, value));
        }
        let held_keys = |key: &table::Key| held.binary_search_by(|(held, _)| held.cmp(key)).is_ok();
        entries.extend(
            blocked
                .keys()
                .filter(|key| !held_keys(key))
                .map(|key| (*key, CARD_PERSON | CARD_BLOCKED)),
        );
        let (bytes, seed) = table::build(&entries).ok_or(BuildError::TooMany("cards"))?;
        drop((held, entries));
        let slots = bytes.as_chunks::<{ table::SLOT }>().0;
        let blocked_slots = slots.iter().map(table::parts).enumerate();
        let notes: Vec<(usize, &'a str)> = blocked_slots
            .filter(|(_, (key, value))| key.first() != Some(&0) && value & CARD_BLOCKED != 0)
            .filter_map(|(slot, (key, _))| Some((slot, *blocked.get(key)?)))
            .collect();
        for (slot, note) in notes {
            let slot = u32::try_from(slot).map_err(|_| BuildError::TooMany("cards"))?;
            let note = self.text((note, ""))?;
            self.put_words(Part::Blocks, &[slot | TOP, note]);
        }
        if let Some(part) = self.part(Part::Cards) {
            *part = bytes;
        }
        Ok(seed)
    }
}
