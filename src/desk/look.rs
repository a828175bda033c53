//! What is known of a card, for whoever holds it in a hand.

use super::{
    answers::{Alike, AtPlatform, Blocked, Held, Look, Place},
    conflicts,
    directory::Directory,
    recent,
    service::{Desk, DeskError, OfCard},
    views,
};
use crate::{
    domain::{BlockTarget, Credential, Millis, PersonId, Say},
    store::{CardKind, CardWrite, KeptBlock, LocalCard, WriteState},
};

/// How many known cards that look alike are shown.
const MOST_ALIKE: usize = 5;

impl Desk {
    /// How the platform's word of a card stands; nothing where the desk did nothing with it.
    pub(super) fn at_platform(
        row: Option<&LocalCard>,
        writes: &[CardWrite],
        heard: Option<Millis>,
    ) -> Option<AtPlatform> {
        let row = row?;
        let mut of_card = writes.iter().filter(|write| write.credential == row.credential);
        let first = of_card.next();
        Some(match first.map(|write| write.state) {
            Some(WriteState::Refused) => AtPlatform::Refused,
            Some(WriteState::Waiting) => AtPlatform::Waiting,
            None if conflicts::is_unseen(row, heard) => AtPlatform::Unseen,
            None if row.written_at.is_some() => AtPlatform::Told,
            None => AtPlatform::KeptHere,
        })
    }

    /// Whose card this is, since when, whether it is blocked, and where it was last refused.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn look(&self, card: &Credential) -> Result<Look, DeskError> {
        let known = self.of_card(card)?;
        let recent = recent::of(self.inner().store.read(), card)?;
        let writes = self.inner().store.read().card_writes()?;
        let situation = known.situation();
        let holders = situation.holders();
        let held: Vec<Held> = holders
            .iter()
            .map(|person| self.held(person, &known, recent.changed))
            .collect();
        let blocked = match &known.blocked {
            Some(kept) => Some(blocked(kept)),
            None => self.blocked_person(&holders)?,
        };
        let alike = if held.is_empty() {
            self.alike(card, &known.directory)?
        } else {
            Vec::new()
        };
        let unfit = views::may_be_enrolled(card).err();
        Ok(Look {
            card: card.masked(),
            reference: self.inner().names.looked(card),
            seen: situation.seen(),
            holders: held,
            blocked,
            refused: recent.refused,
            platform: Self::at_platform(known.row.as_ref(), &writes, self.heard()?),
            unfit: unfit.map(|error| error.to_string()),
            unfit_say: unfit.and_then(|error| Say::of(error.said().as_ref())),
            alike,
        })
    }

    fn held(&self, person: &PersonId, known: &OfCard, changed: Option<Millis>) -> Held {
        let hit = known.directory.person(person);
        let row = known
            .row
            .as_ref()
            .filter(|row| row.person == *person && row.kind != CardKind::Nobody);
        let guest = known.guest.as_ref().filter(|guest| guest.id == *person);
        let place = match row.map(|row| row.kind) {
            Some(CardKind::Guest) => Place::Guest,
            Some(_) => Place::Desk,
            None => Place::Platform,
        };
        Held {
            person: person.as_str().to_owned(),
            name: match (&hit, guest) {
                (Some(hit), _) => hit.name.clone(),
                (None, Some(guest)) => guest.name.clone(),
                (None, None) => person.as_str().to_owned(),
            },
            email: hit.as_ref().map(|hit| hit.email.clone()).unwrap_or_default(),
            company: hit.map(|hit| hit.company).unwrap_or_default(),
            place,
            since: row.map(|row| row.added_at).or(changed),
            by: row.map(|row| row.by.clone()).unwrap_or_default(),
            until: guest.map(|guest| guest.until),
        }
    }

    fn blocked_person(&self, holders: &[PersonId]) -> Result<Option<Blocked>, DeskError> {
        let all = self.blocks()?;
        let of = |kept: &&KeptBlock| matches!(&kept.block.target, BlockTarget::Person(person) if holders.contains(person));
        Ok(all.iter().find(of).map(blocked))
    }

    /// Known cards that may be this one, written otherwise.
    fn alike(&self, card: &Credential, directory: &Directory) -> Result<Vec<Alike>, DeskError> {
        let given = views::Given::credential(card);
        let local = self.inner().store.read().local_cards()?;
        let local = local
            .iter()
            .filter(|row| row.kind != CardKind::Nobody)
            .map(|row| (&row.credential, &row.person));
        let mut found: Vec<(Credential, &PersonId, views::View)> = directory
            .cards()
            .chain(local)
            .filter(|(known, _)| *known != card)
            .filter_map(|(known, person)| Some((*known, person, given.may_be(known)?)))
            .collect();
        found.sort_by_key(|(known, _, view)| (view.lossy, *known));
        found.truncate(MOST_ALIKE);
        Ok(found
            .into_iter()
            .map(|(known, person, view)| Alike {
                reference: self.name_card(&known),
                ..Alike::of(&known, self.name_of(person, directory), &view)
            })
            .collect())
    }
}

fn blocked(kept: &KeptBlock) -> Blocked {
    Blocked {
        note: kept.block.note.clone(),
        say: Say::of(&kept.block.note),
        by: kept.by.clone(),
        since: kept.at,
        person: matches!(kept.block.target, BlockTarget::Person(_)),
    }
}
