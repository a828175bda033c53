//! The one connection that writes the state, and what it does when the file is damaged.

use super::{
    cards, documents,
    error::{DiskFault, StoreError},
    file, image,
    journal::signed,
    state::{
        ACTIVE, CONTACT, HELD, STATE, SnapshotMeta, TIME, facts, insert_snapshot, keep_block, set_value,
        snapshot, sweep_images, value,
    },
};
use crate::domain::Millis;
use rusqlite::{Connection, params};
use std::path::Path;

/// The writer of the state: opened when first needed, again after an error.
#[derive(Debug, Default)]
pub(super) struct Writer(Option<Connection>);

impl Writer {
    /// Does something, opening the file first. A damaged file is moved aside, what can be read of it is carried into
    /// a new one, and the work is done there.
    pub(super) fn with<T>(
        &mut self,
        dir: &Path,
        now: Millis,
        work: &mut dyn FnMut(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.attempt(dir, work) {
            Err(error) if error.disk_fault() == Some(DiskFault::Corrupt) => {
                self.replace_damaged(dir, now)?;
                self.attempt(dir, work)
            }
            other => other,
        }
    }

    /// Moves a damaged file aside and carries what can be read into a new one.
    pub(super) fn replace_damaged(&mut self, dir: &Path, now: Millis) -> Result<(), StoreError> {
        self.0 = None;
        let damaged = file::move_aside(dir, &STATE, now)?;
        let mut fresh = file::open(dir, &STATE)?;
        salvage(&damaged, &mut fresh);
        self.0 = Some(fresh);
        Ok(())
    }

    fn attempt<T>(
        &mut self,
        dir: &Path,
        work: &mut dyn FnMut(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = match self.0.take() {
            Some(open) => open,
            None => {
                let open = file::open(dir, &STATE)?;
                sweep_images(&open, dir);
                open
            }
        };
        let answer = work(&mut connection)?;
        self.0 = Some(connection);
        Ok(answer)
    }

    /// Tidies up after a snapshot: the log is folded into the file, so that nothing large stands on the card twice.
    pub(super) fn fold(&self, dir: &Path) {
        if let Some(connection) = &self.0 {
            sweep_images(connection, dir);
            // Readers may hold it up: then it happens at the next occasion.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}

/// Carries over whatever a damaged file still gives. Each part by itself, blocks and cards first: what cannot be
/// read is left out, and a snapshot that is torn is caught by its image's own checksum.
fn salvage(damaged: &Path, fresh: &mut Connection) {
    let Ok(old) = Connection::open(damaged) else {
        return;
    };
    for block in cards::kept_blocks(&old).unwrap_or_default() {
        let _ = keep_block(fresh, &block);
    }
    for card in cards::local_cards(&old).unwrap_or_default() {
        let _ = cards::put(fresh, &card);
    }
    for guest in cards::guests(&old).unwrap_or_default() {
        let _ = cards::put_guest(fresh, &guest);
    }
    for write in cards::writes(&old).unwrap_or_default() {
        let _ = cards::put_write(fresh, &write);
    }
    for (room, key, body) in documents::every(&old).unwrap_or_default() {
        let _ = documents::put(fresh, &room, &[(&key, Some(&body))]);
    }
    for key in [CONTACT, TIME, cards::REVISION] {
        if let Ok(Some(found)) = value(&old, key) {
            let _ = set_value(fresh, key, found);
        }
    }
    for role in [ACTIVE, HELD] {
        if let Ok(Some((id, meta, image))) = snapshot(&old, role) {
            let found = facts(&old, id);
            // Without facts there is nothing to compare with: the platform is to send them whole.
            let meta = match (&found, serde_json::from_str::<SnapshotMeta>(&meta)) {
                (Err(_), Ok(known)) => serde_json::to_string(&SnapshotMeta { etag: None, ..known }).ok(),
                _ => None,
            }
            .unwrap_or(meta);
            let _ = carry_over(fresh, role, &meta, &found.unwrap_or_default(), image);
        }
    }
}

fn carry_over(
    fresh: &mut Connection,
    role: &str,
    meta: &str,
    facts: &[u8],
    image: Option<image::Named>,
) -> rusqlite::Result<()> {
    let work = fresh.transaction()?;
    let id = insert_snapshot(&work, role, meta, facts)?;
    if let Some(image::Named { number, bytes }) = image {
        work.execute(
            "INSERT INTO image VALUES (?1, ?2, ?3)",
            params![number, id, signed(bytes)],
        )?;
    }
    work.commit()
}
