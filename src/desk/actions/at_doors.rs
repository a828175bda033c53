//! Which card a door saw, from the journal.

use crate::{
    desk::{
        decide::Refusal,
        recent::{self, RefusedCard},
        service::{Desk, DeskError},
    },
    domain::{Credential, Millis, say::desk as say},
};

impl Desk {
    /// The last card that a door refused as nobody's, within so many milliseconds. `at`: only at this door or reader.
    ///
    /// # Errors
    /// There was none.
    pub fn last_refused(&self, within: Millis, at: Option<&str>) -> Result<RefusedCard, DeskError> {
        let since = self.now().saturating_sub(within);
        // What was answered a moment ago may not be in the file yet.
        let _ = self.inner().store.flush();
        recent::last_refused(self.inner().store.read(), since, 0, at)?
            .ok_or_else(|| DeskError::refused(Refusal::NothingRefused, say::none_refused()))
    }

    /// Where the journal ends now, for [`Self::presented_after`].
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn journal_end(&self) -> Result<u64, DeskError> {
        let _ = self.inner().store.flush();
        Ok(self.inner().store.read().extent()?.1)
    }

    /// The first card presented at a door or reader after that place in the journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn presented_after(&self, seq: u64, at: &str) -> Result<Option<(u64, Credential)>, DeskError> {
        let _ = self.inner().store.flush();
        Ok(recent::next_presented(self.inner().store.read(), seq, at)?)
    }
}
