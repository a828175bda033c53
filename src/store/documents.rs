//! Small documents that a room keeps for itself: what SALTO KS calls a person, which tag is which card, accounts.

use super::{ReadStore, Store, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

/// A key with its document, or with nothing: then it is removed.
pub type Change<'a> = (&'a str, Option<&'a str>);

fn one(db: &Connection, room: &str, key: &str) -> rusqlite::Result<Option<String>> {
    db.query_row(
        "SELECT body FROM document WHERE room = ?1 AND key = ?2",
        [room, key],
        |row| row.get(0),
    )
    .optional()
}

/// Every document of every room: room, key, body.
pub(super) fn every(db: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    db.prepare("SELECT room, key, body FROM document")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}

fn all(db: &Connection, room: &str) -> rusqlite::Result<Vec<(String, String)>> {
    db.prepare("SELECT key, body FROM document WHERE room = ?1 ORDER BY key")?
        .query_map([room], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

pub(super) fn put(db: &mut Connection, room: &str, changes: &[Change<'_>]) -> rusqlite::Result<()> {
    let work = db.transaction()?;
    for (key, body) in changes {
        match body {
            Some(body) => work.execute(
                "INSERT OR REPLACE INTO document VALUES (?1, ?2, ?3)",
                params![room, key, body],
            )?,
            None => work.execute("DELETE FROM document WHERE room = ?1 AND key = ?2", [room, key])?,
        };
    }
    work.commit()
}

impl ReadStore {
    /// A room's document of this key.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn document(&self, room: &str, key: &str) -> Result<Option<String>, StoreError> {
        match self.state(|db| one(db, room, key)) {
            Err(StoreError::Missing(_)) => Ok(None),
            other => other,
        }
    }

    /// All documents of a room, by key.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read.
    pub fn documents(&self, room: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.or_empty(|db| all(db, room))
    }
}

impl Store {
    /// Puts and removes documents of a room, in one transaction with full sync. Blocks: not for async tasks.
    ///
    /// # Errors
    /// `Disk`: none is changed.
    pub fn put_documents(&self, room: &str, changes: &[Change<'_>]) -> Result<(), StoreError> {
        self.write(|db| put(db, room, changes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, health::Health, store::StoreOptions};

    #[test]
    fn documents_are_a_rooms_own_and_survive() {
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(dir.path().join("state"), dir.path().join("run"));
        let open = || {
            Store::open(&options, &Clock::system(true, 0), &Health::default())
                .unwrap()
                .0
        };
        let store = open();
        assert_eq!(store.read().documents("ks").unwrap(), []);
        store
            .put_documents("ks", &[("b", Some("2")), ("a", Some("1"))])
            .unwrap();
        store.put_documents("other", &[("a", Some("9"))]).unwrap();
        drop(store);
        let store = open();
        let pair = |key: &str, body: &str| (key.to_owned(), body.to_owned());
        assert_eq!(
            store.read().documents("ks").unwrap(),
            [pair("a", "1"), pair("b", "2")]
        );
        store
            .put_documents("ks", &[("a", None), ("b", Some("3"))])
            .unwrap();
        assert_eq!(store.read().document("ks", "a").unwrap(), None);
        assert_eq!(store.read().document("ks", "b").unwrap().as_deref(), Some("3"));
        assert_eq!(store.read().document("other", "a").unwrap().as_deref(), Some("9"));
    }
}
