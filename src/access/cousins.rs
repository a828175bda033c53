//! Known cards whose numbers look like an unknown one: reversed, cut short, or the same digits in another format. A
//! hint for people who look into a refusal, and never a grant: two cards may well share such digits.

use super::{
    index::{Index, Part},
    query::PersonIx,
    table,
};
use crate::domain::{Credential, Scheme};

/// Shorter parts than this are alike by accident.
const MIN_PART: usize = 3;

/// How a known card's number looks like the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same UID, last byte first.
    Reversed,
    /// The same number in another scheme or length.
    OtherScheme,
    /// One is a part of the other: a reader that sends only some bytes of a UID.
    Part,
}

/// A known card that looks like an unknown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cousin {
    /// The known card.
    pub credential: Credential,
    /// How they look alike.
    pub likeness: Likeness,
    /// Who holds it, if exactly one person does.
    pub person: Option<PersonIx>,
}

impl Index {
    /// Up to `most` known cards that look like this one, the likeliest first; empty if it is known itself. Reads the
    /// whole table of cards: for `explain`, never on the way to an answer.
    #[must_use]
    pub fn cousins(&self, unknown: &Credential, most: usize) -> Vec<Cousin> {
        if self.card(unknown).is_some() {
            return Vec::new();
        }
        let asked = digits(unknown);
        let slots = self.part(Part::Cards).as_chunks::<{ table::SLOT }>().0;
        let known = slots
            .iter()
            .filter_map(|slot| Credential::from_key(*table::parts(slot).0));
        let mut found: Vec<(Likeness, Credential)> = known
            .filter_map(|card| Some((likeness(unknown, &asked, &card)?, card)))
            .collect();
        found.sort();
        found.truncate(most);
        let cousin = |(likeness, credential)| Cousin {
            credential,
            likeness,
            person: self.card(&credential).and_then(|card| card.person),
        };
        found.into_iter().map(cousin).collect()
    }
}

fn likeness(unknown: &Credential, asked: &[u8], known: &Credential) -> Option<Likeness> {
    let have = digits(known);
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    if asked.is_empty() || have.is_empty() {
        return None;
    }
    if asked.len() == have.len() {
        let turned = reversed(asked) == have;
        let both_uid = unknown.scheme() == Scheme::Uid && known.scheme() == Scheme::Uid;
        return match (turned, asked == have) {
            (true, _) if both_uid => Some(Likeness::Reversed),
            (false, false) => None,
            _ => Some(Likeness::OtherScheme),
        };
    }
    let (short, long) = if asked.len() < have.len() {
        (asked, have.as_slice())
    } else {
        (have.as_slice(), asked)
    };
    let turned = reversed(short);
    let within = |part: &[u8]| long.starts_with(part) || long.ends_with(part);
    (short.len() >= MIN_PART && (within(short) || within(&turned))).then_some(Likeness::Part)
}

/// The digits that formats share: a telegram of 26 or 34 bits without its two parity bits. No formula leads to the
/// number of a KS tag, so it has none.
fn digits(card: &Credential) -> Vec<u8> {
    match (card.scheme(), card.bits()) {
        (Scheme::KsTag, _) => Vec::new(),
        (Scheme::Wiegand, bits @ (26 | 34)) => {
            let number = card
                .bytes()
                .iter()
                .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            let body = (number >> 1) & ((1 << (bits - 2)) - 1);
            let all = body.to_be_bytes();
            let skip = all.len() - usize::from((bits - 2) / 8);
            all.iter().skip(skip).copied().collect()
        }
        _ => card.bytes().to_vec(),
    }
}
