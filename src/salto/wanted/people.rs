//! Who should be at KS: names that tell people apart, and tags that belong to one person alone.

use super::{Given, Person, Why};
use crate::domain::{BlockTarget, Credential, PersonId, Scheme};
use siphasher::sip::SipHasher13;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Everybody, and the tags that nobody may have. `used`: why each active person is.
pub(super) fn people(
    given: &Given<'_>,
    used: &HashMap<&PersonId, Why>,
) -> (BTreeMap<PersonId, Person>, BTreeSet<Credential>) {
    let (tags, barred) = tags(given);
    let mut named: HashMap<String, usize> = HashMap::new();
    for holder in &given.snapshot.people {
        *named.entry(folded(&holder.name)).or_default() += 1;
    }
    let blocks: HashMap<&PersonId, &String> = given
        .snapshot
        .blocks
        .iter()
        .filter_map(|block| match &block.target {
            BlockTarget::Person(person) => Some((person, &block.note)),
            BlockTarget::Credential(_) => None,
        })
        .collect();
    let one = |holder: &crate::domain::grant::Holder| {
        let shared = named.get(&folded(&holder.name)).is_some_and(|count| *count > 1);
        let name = clean(&holder.name, &holder.id);
        let blocked = blocks.get(&holder.id).map(|note| (*note).clone());
        let person = Person {
            alias: match shared {
                true => format!("{name} ({})", mark(holder.id.as_str(), 4)),
                false => name.clone(),
            },
            name,
            email: given
                .emails
                .get(&holder.id)
                .filter(|_| given.config.invite)
                .map(|email| email.trim().to_owned())
                .filter(|email| !email.is_empty()),
            active: blocked.is_none() && used.contains_key(&holder.id),
            blocked,
            tags: tags.get(&holder.id).cloned().unwrap_or_default(),
            why: used.get(&holder.id).cloned().unwrap_or_default(),
        };
        (holder.id.clone(), person)
    };
    (given.snapshot.people.iter().map(one).collect(), barred)
}

/// A name as it is compared: spaces and capitals do not tell two people apart for staff.
#[must_use]
pub fn folded(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

fn clean(name: &str, id: &PersonId) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    match words.is_empty() {
        true => id.as_str().to_owned(),
        false => words.join(" "),
    }
}

/// Some digits that stand for a text, the same ones for ever.
pub(super) fn mark(text: &str, digits: usize) -> String {
    let hash = SipHasher13::new_with_keys(0x6b73, 0x17).hash(text.as_bytes());
    format!("{hash:016x}").chars().take(digits).collect()
}

/// Whose tag is which. A card that two people hold is nobody's (R34), and so is a tag that two people claim by different
/// cards; a blocked card's tag is nobody's either.
fn tags(given: &Given<'_>) -> (HashMap<PersonId, BTreeSet<Credential>>, BTreeSet<Credential>) {
    let blocked: HashSet<&Credential> = given
        .snapshot
        .blocks
        .iter()
        .filter_map(|block| match &block.target {
            BlockTarget::Credential(card) => Some(card),
            BlockTarget::Person(_) => None,
        })
        .collect();
    let mut tags_of: HashMap<&Credential, Vec<&Credential>> = HashMap::new();
    for (tag, card) in given.pairs {
        tags_of.entry(card).or_default().push(tag);
    }
    let mut barred: BTreeSet<Credential> = BTreeSet::new();
    let mut owners: BTreeMap<Credential, BTreeSet<&PersonId>> = BTreeMap::new();
    for (card, person) in &given.snapshot.credentials {
        let paired = tags_of.get(card).map_or(&[][..], Vec::as_slice);
        let own = (card.scheme() == Scheme::KsTag).then_some(card);
        for tag in paired.iter().copied().chain(own) {
            owners.entry(*tag).or_default().insert(person);
        }
    }
    for card in blocked {
        let paired = tags_of.get(card).map_or(&[][..], Vec::as_slice);
        barred.extend(
            paired
                .iter()
                .copied()
                .chain(Some(card))
                .filter(|tag| tag.scheme() == Scheme::KsTag),
        );
    }
    let mut tags: HashMap<PersonId, BTreeSet<Credential>> = HashMap::new();
    for (tag, people) in owners {
        match people.first() {
            Some(person) if people.len() == 1 && !barred.contains(&tag) => {
                tags.entry((*person).clone()).or_default().insert(tag);
            }
            _ => drop(barred.insert(tag)),
        }
    }
    (tags, barred)
}
