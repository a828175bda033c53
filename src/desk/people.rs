//! Who there is: people of the platform and the gateway's guests.

use super::{
    decide::Refusal,
    directory::{Directory, Hit},
    service::{Desk, DeskError, lock},
};
use crate::{
    domain::{BlockTarget, Millis, PersonId, say::desk as say},
    memory,
};
use std::{sync::Arc, time::Duration};

/// After so long without a question people and cards are let go of.
const IDLE: Duration = Duration::from_secs(120);
/// People and cards of these facts, and when somebody asked last.
pub(super) struct Cached {
    directory: Arc<Directory>,
    of: (u64, Millis),
    used: Duration,
}

impl Desk {
    /// People and cards of the facts in force: made when first asked for, again when the facts are others.
    ///
    /// # Errors
    /// When the stored facts cannot be read.
    pub fn directory(&self) -> Result<Arc<Directory>, DeskError> {
        let inner = self.inner();
        let mut slot = lock(&inner.directory);
        let Some(meta) = inner.store.read().active_meta()? else {
            return Ok(Arc::default());
        };
        let of = (meta.version, meta.taken_at);
        let used = inner.clock.monotonic();
        if let Some(cached) = slot.as_mut().filter(|cached| cached.of == of) {
            cached.used = used;
            return Ok(Arc::clone(&cached.directory));
        }
        *slot = None;
        let directory = match inner.store.read().active_facts()? {
            Some(facts) => Arc::new(Directory::of(&facts)),
            None => Arc::default(),
        };
        // The facts themselves are several times as large.
        memory::give_back();
        *slot = Some(Cached {
            directory: Arc::clone(&directory),
            of,
            used,
        });
        Ok(directory)
    }

    /// Lets go of people and cards when nobody asked for a while.
    pub(super) fn tidy(&self) {
        let mut slot = lock(&self.inner().directory);
        let now = self.inner().clock.monotonic();
        if slot
            .as_ref()
            .is_some_and(|cached| now.saturating_sub(cached.used) > IDLE)
        {
            *slot = None;
            memory::give_back();
        }
    }

    pub(super) fn name_of(&self, person: &PersonId, directory: &Directory) -> String {
        if let Some(hit) = directory.person(person) {
            return hit.name;
        }
        let guests = self.inner().store.read().guests().unwrap_or_default();
        let guest = guests.into_iter().find(|guest| guest.id == *person);
        guest.map_or_else(|| person.as_str().to_owned(), |guest| guest.name)
    }

    /// At most `most` people of whom every word of `query` begins a word of name, e-mail or company.
    ///
    /// # Errors
    /// When the stored facts cannot be read.
    pub fn search(&self, query: &str, most: usize) -> Result<Vec<Hit>, DeskError> {
        Ok(self.directory()?.search(query, most))
    }

    /// Exactly one person, by id, e-mail or full name.
    ///
    /// # Errors
    /// Nobody, or several.
    pub fn person(&self, text: &str) -> Result<Hit, DeskError> {
        self.directory()?.exactly(text).map_err(|count| match count {
            0 => DeskError::refused(Refusal::NoSuchPerson, say::nobody_called(text)),
            several => DeskError::refused(Refusal::SeveralSuch, say::several_called(several, text)),
        })
    }

    /// A person whom the platform or the gateway knows, or who is blocked.
    ///
    /// # Errors
    /// Nobody has this id.
    pub fn known_person(&self, person: PersonId) -> Result<PersonId, DeskError> {
        let target = BlockTarget::Person(person.clone());
        if self.directory()?.person(&person).is_some()
            || self
                .inner()
                .store
                .read()
                .guests()?
                .iter()
                .any(|guest| guest.id == person)
            || self.blocks()?.iter().any(|kept| kept.block.target == target)
        {
            return Ok(person);
        }
        Err(DeskError::refused(
            Refusal::NoSuchPerson,
            say::person_id_unknown(),
        ))
    }
}
