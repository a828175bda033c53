//! What the gateway itself holds beside the platform's facts: cards of the desk, guests, blocks. It survives every pull,
//! and counts at the doors before the platform has heard of it.

use crate::{
    domain::{
        Block, BlockTarget, Credential, Grant, GrantKind, PersonId, Source, Window,
        grant::{Holder, Target},
    },
    store::{CardKind, Guest, ReadStore, StoreError},
};
use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
};

/// Rights given by hand (docs/rules.md).
const BY_HAND: u8 = 11;

/// What the gateway itself holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Cards assigned at the desk.
    pub cards: Vec<(Credential, PersonId)>,
    /// Cards that are these people's no more, whatever the platform still says: moved or taken back at the desk.
    pub taken: Vec<(Credential, PersonId)>,
    /// People of the gateway's own, with rights that end by themselves.
    pub guests: Vec<Guest>,
    /// Blocks set here.
    pub blocks: Vec<Block>,
}

impl Local {
    /// Adds it to what the rules made of the facts.
    pub fn add_to(
        &self,
        people: &mut Vec<Holder>,
        cards: &mut Vec<(Credential, PersonId)>,
        grants: &mut Vec<Grant>,
        blocks: &mut Vec<Block>,
    ) {
        if !self.taken.is_empty() {
            let taken: HashSet<_> = self.taken.iter().collect();
            cards.retain(|pair| !taken.contains(pair));
        }
        if !self.cards.is_empty() {
            let known: HashSet<_> = cards.iter().cloned().collect();
            cards.extend(self.cards.iter().filter(|pair| !known.contains(pair)).cloned());
        }
        for guest in &self.guests {
            people.push(Holder {
                id: guest.id.clone(),
                name: guest.name.as_str().into(),
            });
            let groups = guest.groups.iter().cloned().map(Target::Group);
            let doors = guest.doors.iter().cloned().map(Target::Door);
            grants.extend(groups.chain(doors).map(|target| Grant {
                person: guest.id.clone(),
                target,
                window: Window {
                    from: Some(guest.from),
                    until: Some(guest.until),
                },
                kind: GrantKind::Direct,
                source: Source {
                    id: guest.id.as_str().into(),
                    label: "guest card".into(),
                },
                rule: BY_HAND,
                void: None,
            }));
        }
        blocks.extend(self.blocks.iter().cloned());
    }

    /// A number that changes whenever this does: an index made with something else is no use.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = siphasher::sip::SipHasher13::new_with_keys(5, 6);
        let pairs = |pairs: &[(Credential, PersonId)], hash: &mut siphasher::sip::SipHasher13| {
            pairs.len().hash(hash);
            for (card, person) in pairs {
                (card.key(), person.as_str()).hash(hash);
            }
        };
        pairs(&self.cards, &mut hash);
        pairs(&self.taken, &mut hash);
        for guest in &self.guests {
            let groups: Vec<_> = guest.groups.iter().map(|group| group.as_str()).collect();
            (guest.id.as_str(), &guest.name, guest.from, guest.until, groups).hash(&mut hash);
            // Nothing is added for a guest without: an image from before there were doors stays good.
            for door in &guest.doors {
                door.as_str().hash(&mut hash);
            }
        }
        for block in &self.blocks {
            match &block.target {
                BlockTarget::Credential(card) => (1_u8, card.key().as_slice()).hash(&mut hash),
                BlockTarget::Person(person) => (2_u8, person.as_str().as_bytes()).hash(&mut hash),
            }
            block.note.hash(&mut hash);
        }
        hash.finish()
    }
}

/// What the gateway of a store holds.
///
/// # Errors
/// When the store cannot be read.
pub fn local(store: &ReadStore) -> Result<Local, StoreError> {
    let mut local = Local {
        guests: store.guests()?,
        blocks: store.blocks()?,
        ..Local::default()
    };
    for row in store.local_cards()? {
        let others = row.instead.into_iter();
        if row.kind == CardKind::Nobody {
            local.taken.extend(others.map(|person| (row.credential, person)));
        } else {
            let others = others.filter(|person| *person != row.person);
            local.taken.extend(others.map(|person| (row.credential, person)));
            local.cards.push((row.credential, row.person));
        }
    }
    Ok(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(n: u8) -> Credential {
        Credential::uid(&[4, 0, 0, n]).unwrap()
    }

    fn added(local: &Local, platform: &[(u8, &str)]) -> Vec<(Credential, String)> {
        let mut cards = platform
            .iter()
            .map(|(n, person)| (card(*n), PersonId::from(*person)))
            .collect();
        local.add_to(&mut Vec::new(), &mut cards, &mut Vec::new(), &mut Vec::new());
        cards
            .into_iter()
            .map(|(card, person)| (card, person.into()))
            .collect()
    }

    #[test]
    fn a_card_that_was_moved_is_the_second_ones_and_not_of_both() {
        let moved = Local {
            cards: vec![(card(1), "ben".into())],
            taken: vec![(card(1), "ana".into())],
            ..Local::default()
        };
        let expected = [(card(1), "ben".to_owned())];
        assert_eq!(added(&moved, &[(1, "ana")]), expected);
        assert_eq!(added(&moved, &[(1, "ben")]), expected, "the platform knows");
        // Somebody the desk did not know of: two people, so nobody.
        assert_eq!(added(&moved, &[(1, "cleo")]).len(), 2);
    }

    #[test]
    fn whatever_changes_the_doors_changes_the_fingerprint() {
        let none = Local::default();
        let one = Local {
            cards: vec![(card(1), "ben".into())],
            ..Local::default()
        };
        let taken = Local {
            taken: vec![(card(1), "ben".into())],
            ..Local::default()
        };
        let blocked = Local {
            blocks: vec![Block {
                target: BlockTarget::Credential(card(1)),
                note: String::new(),
            }],
            ..Local::default()
        };
        let all = [&none, &one, &taken, &blocked].map(Local::fingerprint);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4);
    }
}
