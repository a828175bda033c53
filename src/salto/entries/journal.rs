//! The store as the book's journal.

use super::book::{Journal, ROOM, Sourced};
use crate::{domain::event::Draft, store::Store};

impl Journal for Store {
    fn record(&self, draft: &Draft) -> u64 {
        Self::record(self, draft)
    }

    fn flush(&self) -> Result<u64, String> {
        Self::flush(self).map_err(|error| error.to_string())?;
        if self.is_salvaging() {
            return Err("a damaged journal is being fetched back".into());
        }
        Ok(*self.committed().borrow())
    }

    fn after(&self, seq: u64, limit: usize) -> Result<Vec<Sourced>, String> {
        let events = self.events_after(seq, limit).map_err(|error| error.to_string())?;
        let sourced = events.into_iter();
        Ok(sourced
            .map(|event| (event.seq, event.body.source, event.body.at))
            .collect())
    }

    fn documents(&self) -> Result<Vec<(String, String)>, String> {
        self.read().documents(ROOM).map_err(|error| error.to_string())
    }

    fn put(&self, changes: &[(String, Option<String>)]) -> Result<(), String> {
        let changes: Vec<_> = changes
            .iter()
            .map(|(key, body)| (key.as_str(), body.as_deref()))
            .collect();
        self.put_documents(ROOM, &changes)
            .map_err(|error| error.to_string())
    }
}
