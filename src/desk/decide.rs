//! What an action at the desk comes to, or why it is refused. Pure: a situation in, a plan out.

use super::views;
use crate::{
    domain::{Credential, PersonId},
    store::{CardKind, KeptBlock, LocalCard},
};
use serde::{Deserialize, Serialize};

/// Why something is not done. Stable names, for whoever shows it in another language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The chip makes a new number at every presentation.
    RandomNumber,
    /// The card is blocked.
    Blocked,
    /// It belongs to somebody else: who and since when stands beside. Moving it has to be confirmed.
    SomebodyElses,
    /// It belongs to several people.
    SeveralHold,
    /// It is theirs already.
    AlreadyTheirs,
    /// Nobody holds it.
    NobodyHolds,
    /// Somebody else at the desk was first.
    Meanwhile,
    /// There is no such person.
    NoSuchPerson,
    /// Several people are meant by this.
    SeveralSuch,
    /// There is no such group of doors.
    NoSuchGroup,
    /// The end is in the past, or too far away.
    BadEnd,
    /// What was given cannot be understood.
    BadInput,
    /// There is nothing to take back.
    NothingToUndo,
    /// There is no such queue, or everybody in it has a card.
    NoQueue,
    /// A queue was to begin, and nobody would be in it.
    EmptyQueue,
    /// There is no such conflict.
    NoSuchConflict,
    /// No card was refused lately.
    NothingRefused,
    /// What was named is no card, or no more.
    NoSuchCard,
    /// There is no such reader.
    NoSuchReader,
}

/// One card as it is.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The card.
    pub card: Credential,
    /// Whose it is by the platform's facts.
    pub platform: &'a [PersonId],
    /// What the gateway says of it.
    pub row: Option<&'a LocalCard>,
    /// The guest of that row has ended.
    pub guest_over: bool,
    /// It is blocked.
    pub blocked: Option<&'a KeptBlock>,
    /// The platform can be told of cards.
    pub told: bool,
}

/// What shall be true of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whose it is; `None` where the platform's word is enough.
    pub holder: Option<(CardKind, PersonId)>,
    /// Whose it is no more.
    pub instead: Vec<PersonId>,
    /// What the platform is to be told, in this order.
    pub writes: Vec<(PersonId, bool)>,
}

impl Situation<'_> {
    /// Whose card it is at the doors. More than one: it opens for neither (R34).
    #[must_use]
    pub fn holders(&self) -> Vec<PersonId> {
        let gone = self.row.map_or(&[][..], |row| row.instead.as_slice());
        let kept = self.platform.iter().filter(|person| !gone.contains(person));
        let mut holders: Vec<PersonId> = kept.cloned().collect();
        if let Some(row) = self.row {
            let holds = match row.kind {
                CardKind::Member => true,
                CardKind::Guest => !self.guest_over,
                CardKind::Nobody => false,
            };
            if holds && !holders.contains(&row.person) {
                holders.push(row.person.clone());
            }
        }
        holders
    }

    /// The revision of the row, 0 without one.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.row.map_or(0, |row| row.revision)
    }

    /// What staff has seen: the same number as long as the same people hold the card.
    #[must_use]
    pub fn seen(&self) -> u64 {
        seen(&self.holders())
    }

    /// Everybody who holds the card at the platform, or may: a write may have gone out and not be in the facts yet.
    fn touched(&self) -> Vec<PersonId> {
        let mut touched = self.platform.to_vec();
        if let Some(row) = self.row {
            let own = (row.kind == CardKind::Member).then_some(&row.person);
            for person in row.instead.iter().chain(own) {
                if !touched.contains(person) {
                    touched.push(person.clone());
                }
            }
        }
        if !self.told {
            // Nobody was ever told: only what the platform says by itself has to be overruled.
            touched.retain(|person| self.platform.contains(person));
        }
        touched
    }

    fn plan(&self, holder: Option<(CardKind, PersonId)>) -> Plan {
        let to = holder.as_ref().map(|(_, person)| person);
        let mut instead = self.touched();
        instead.retain(|person| Some(person) != to);
        let mut writes = Vec::new();
        if self.told {
            writes.extend(instead.iter().map(|person| (person.clone(), false)));
            if let Some((CardKind::Member, person)) = &holder {
                writes.push((person.clone(), true));
            }
        }
        let holder = holder.or_else(|| Some((CardKind::Nobody, instead.first()?.clone())));
        Plan {
            holder,
            instead,
            writes,
        }
    }

    /// Gives the card to a person. `from`: whose it is now, when staff has seen that and confirmed.
    ///
    /// # Errors
    /// Why not.
    pub fn give(&self, kind: CardKind, to: &PersonId, from: Option<&PersonId>) -> Result<Plan, Refusal> {
        if views::may_be_enrolled(&self.card).is_err() {
            return Err(Refusal::RandomNumber);
        }
        if self.blocked.is_some() {
            return Err(Refusal::Blocked);
        }
        let holders = self.holders();
        match holders.as_slice() {
            [] => {}
            [one] if one == to => return Err(Refusal::AlreadyTheirs),
            all if from.is_some_and(|from| all.contains(from)) => {}
            [_] => return Err(Refusal::SomebodyElses),
            _ => return Err(Refusal::SeveralHold),
        }
        Ok(self.plan(Some((kind, to.clone()))))
    }

    /// Takes the card back from whoever has it.
    ///
    /// # Errors
    /// Nobody has it.
    pub fn take(&self) -> Result<Plan, Refusal> {
        if self.holders().is_empty() {
            return Err(Refusal::NobodyHolds);
        }
        Ok(self.plan(None))
    }

    /// Whether the platform's facts say by themselves what the row says.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let Some(row) = self.row else { return false };
        match row.kind {
            CardKind::Member => self.platform == std::slice::from_ref(&row.person),
            CardKind::Nobody => !row.instead.iter().any(|person| self.platform.contains(person)),
            CardKind::Guest => false,
        }
    }
}

/// A number for these holders, of 52 bits, so that a browser has it whole; 0 for nobody.
#[must_use]
pub fn seen(holders: &[PersonId]) -> u64 {
    if holders.is_empty() {
        return 0;
    }
    let mut names: Vec<&str> = holders.iter().map(PersonId::as_str).collect();
    names.sort_unstable();
    let hash = siphasher::sip::SipHasher13::new_with_keys(7, 8).hash(names.join("\n").as_bytes());
    (hash & ((1 << 51) - 1)) | (1 << 51)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
