//! What staff say of tags of SALTO KS, by the desk's service: with its refusals, its line in the audit trail, and at the
//! doors at once.

use crate::{
    desk::{Actor, Desk, DeskError, Refusal},
    domain::{BlockTarget, Credential, PersonId},
    salto::tags::LocalCards,
};

/// The desk, in the name of somebody.
pub(super) struct DeskCards {
    pub(super) desk: Desk,
    pub(super) actor: Actor,
}

impl LocalCards for DeskCards {
    fn assign(&self, card: Credential, person: &PersonId) -> Result<(), String> {
        match self.desk.assign(&card, person, None, &self.actor) {
            Ok(_) => Ok(()),
            // It may be theirs here and not at KS yet.
            Err(DeskError::Refused {
                code: Refusal::AlreadyTheirs,
                ..
            }) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn block(&self, cards: &[Credential], note: &str) -> Result<(), String> {
        for card in cards {
            let target = BlockTarget::Credential(*card);
            let blocked = self.desk.block(&target, note, &self.actor);
            blocked.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
