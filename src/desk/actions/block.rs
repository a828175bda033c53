//! Cards and people that open nothing, whatever the cloud does.

use crate::{
    desk::{
        audit::{Action, Actor, Subject},
        decide::Refusal,
        service::{Desk, DeskError, lock},
    },
    domain::{Block, BlockTarget, say::desk as say},
    store::KeptBlock,
};

impl Desk {
    /// Blocks a card or a person at every door at once, whoever holds it, whatever the cloud does.
    ///
    /// # Errors
    /// It is not in force: the words say why.
    pub fn block(&self, target: &BlockTarget, note: &str, actor: &Actor) -> Result<String, DeskError> {
        let kept = KeptBlock {
            block: Block {
                target: target.clone(),
                note: note.trim().to_owned(),
            },
            by: actor.name.clone(),
            at: self.now(),
        };
        let on_disk = self.inner().store.keep_block(&kept);
        let mut words = "blocked at every door".to_owned();
        if let Err(error) = on_disk {
            // In memory all the same, and tried again: a lost card must not open because a disk is full.
            lock(&self.inner().unkept).push(kept);
            self.inner().bell.notify_one();
            words = format!("{words}, but not kept over a restart yet: {error}");
        }
        if !self.rework()? {
            words.push_str("; nothing was fetched yet, so nobody has any right");
        }
        self.note_block(actor, Action::Blocked, target, note);
        Ok(words)
    }

    /// Lifts a block.
    ///
    /// # Errors
    /// There was none, or the store does not take it.
    pub fn unblock(&self, target: &BlockTarget, actor: &Actor) -> Result<String, DeskError> {
        let in_memory = {
            let mut unkept = lock(&self.inner().unkept);
            let before = unkept.len();
            unkept.retain(|kept| kept.block.target != *target);
            unkept.len() != before
        };
        if !self.inner().store.remove_block(target)? && !in_memory {
            return Err(DeskError::refused(Refusal::BadInput, say::no_such_block()));
        }
        self.rework()?;
        self.note_block(actor, Action::Unblocked, target, "");
        Ok("the block is lifted".to_owned())
    }

    fn note_block(&self, actor: &Actor, action: Action, target: &BlockTarget, note: &str) {
        let (card, person) = match target {
            BlockTarget::Credential(card) => (Some(*card), None),
            BlockTarget::Person(person) => (None, Some(person.clone())),
        };
        let directory = self.directory().unwrap_or_default();
        let person = person.or_else(|| {
            let card = card.as_ref()?;
            self.of_card(card).ok()?.situation().holders().into_iter().next()
        });
        let subject = Subject {
            card,
            person_name: person.as_ref().map(|person| self.name_of(person, &directory)),
            person,
            note: note.trim().to_owned(),
        };
        self.inner().audit.note(actor, action, &subject);
    }
}
