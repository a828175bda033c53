//! What the platform's adapter had to leave out of the facts, in words. It comes with facts and with nothing else, so it is
//! kept beside them: a gateway that starts with facts from its disk knows what is wrong with them.

use crate::store::{ReadStore, Store, StoreError};

/// Where they are among the documents.
const ROOM: &str = "sync";
/// Of the facts in force, and of those that are held back.
const IN_FORCE: &str = "problems";
const HELD: &str = "problems of the held";

/// What was left out, one sentence each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Problems {
    pub(super) in_force: Vec<String>,
    pub(super) held: Vec<String>,
}

/// What was left out of the facts in force.
///
/// # Errors
/// `Disk` when the file cannot be read.
pub fn in_force(store: &ReadStore) -> Result<Vec<String>, StoreError> {
    read(store, IN_FORCE)
}

fn read(store: &ReadStore, key: &str) -> Result<Vec<String>, StoreError> {
    let text = store.document(ROOM, key)?;
    // Written here and by nobody else. What cannot be read comes again with the next facts.
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

impl Problems {
    /// As they were kept; none where they cannot be read.
    pub(super) fn stored(store: &ReadStore) -> Self {
        Self {
            in_force: read(store, IN_FORCE).unwrap_or_default(),
            held: read(store, HELD).unwrap_or_default(),
        }
    }

    /// Keeps them, if they are others than before. Blocks.
    pub(super) fn keep(&self, before: &Self, store: &Store) -> Result<(), StoreError> {
        let text = |now: &[String], before: &[String]| {
            let list = serde_json::Value::from(now.to_vec());
            (now != before).then(|| (!now.is_empty()).then(|| list.to_string()))
        };
        let (in_force, held) = (
            text(&self.in_force, &before.in_force),
            text(&self.held, &before.held),
        );
        let mut changes = Vec::new();
        changes.extend(in_force.as_ref().map(|body| (IN_FORCE, body.as_deref())));
        changes.extend(held.as_ref().map(|body| (HELD, body.as_deref())));
        if changes.is_empty() {
            return Ok(());
        }
        store.put_documents(ROOM, &changes)
    }
}
