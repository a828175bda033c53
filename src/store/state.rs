//! What changes rarely and must not wait for the journal: snapshots, local cards, blocks, marks of time. Its own file,
//! so that a snapshot of many megabytes neither delays a journal commit nor shares its fate.

use super::{
    cards::KeptBlock,
    error::StoreError,
    file::Kind,
    image,
    journal::{signed, unsigned},
};
use crate::domain::{BlockTarget, Credential, Millis, facts::Facts};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use rusqlite::{Connection, OptionalExtension, params};
use rusqlite_migration::{M, Migrations};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The state's file.
pub(super) static STATE: Kind = Kind {
    name: "state.db",
    page_size: 8_192,
    checkpoint: 1_000,
    migrations: Migrations::from_slice(STEPS),
    version: STEPS.len() as i64,
};

const STEPS: &[M<'static>] = &[
    M::up(
    "CREATE TABLE snapshot (id INTEGER PRIMARY KEY AUTOINCREMENT, meta TEXT NOT NULL) STRICT;
     CREATE TABLE snapshot_facts (id INTEGER PRIMARY KEY, facts BLOB NOT NULL) STRICT;
     CREATE TABLE snapshot_image (id INTEGER PRIMARY KEY, image BLOB NOT NULL) STRICT;
     CREATE TABLE role (name TEXT PRIMARY KEY, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE local_card (card BLOB PRIMARY KEY, person TEXT NOT NULL, note TEXT NOT NULL,
                              added_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE block (kind INTEGER NOT NULL, target BLOB NOT NULL, note TEXT NOT NULL,
                         PRIMARY KEY (kind, target)) STRICT, WITHOUT ROWID;
     CREATE TABLE value (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    ),
    // Images are files of their own, read several times as fast. One from before is worked out again from its facts.
    M::up(
        "DROP TABLE snapshot_image;
     CREATE TABLE image (number INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;",
    ),
    // What rooms keep that is theirs alone: small, by a key, in a form that only they read.
    M::up(
        "CREATE TABLE document (room TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
                               PRIMARY KEY (room, key)) STRICT, WITHOUT ROWID;",
    ),
    // The desk: whose card it is no more, who did it, guests, and what the platform is still to be told.
    M::up(
        "ALTER TABLE local_card ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;
     ALTER TABLE local_card ADD COLUMN instead TEXT NOT NULL DEFAULT '[]';
     ALTER TABLE local_card ADD COLUMN by_whom TEXT NOT NULL DEFAULT '';
     ALTER TABLE local_card ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE local_card ADD COLUMN written_at INTEGER;
     ALTER TABLE block ADD COLUMN by_whom TEXT NOT NULL DEFAULT '';
     ALTER TABLE block ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
     CREATE TABLE guest (id TEXT PRIMARY KEY, name TEXT NOT NULL, starts INTEGER NOT NULL, ends INTEGER NOT NULL,
                         groups TEXT NOT NULL, by_whom TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE card_write (id INTEGER PRIMARY KEY AUTOINCREMENT, card BLOB NOT NULL, person TEXT NOT NULL,
                              give INTEGER NOT NULL, by_whom TEXT NOT NULL, at INTEGER NOT NULL,
                              state INTEGER NOT NULL, tries INTEGER NOT NULL, next_at INTEGER NOT NULL,
                              said TEXT NOT NULL) STRICT;",
    ),
    // A guest may have single doors.
    M::up("ALTER TABLE guest ADD COLUMN doors TEXT NOT NULL DEFAULT '[]';"),
];

pub(super) const ACTIVE: &str = "active";
pub(super) const HELD: &str = "held";
pub(super) const CONTACT: &str = "last_contact";
pub(super) const TIME: &str = "last_time";

/// What is known about a snapshot without opening it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotMeta {
    /// The facts' version.
    pub version: u64,
    /// The platform's mark for them, for the next conditional request.
    #[serde(default)]
    pub etag: Option<String>,
    /// When the facts were fetched, Unix milliseconds.
    pub taken_at: Millis,
    /// How many people.
    pub people: u64,
    /// How many cards.
    pub credentials: u64,
    /// How many grants.
    pub grants: u64,
    /// Why it is held back, in words, if it is.
    #[serde(default)]
    pub held_because: Option<String>,
}

/// A snapshot as stored: the facts stay on disk until asked for with `facts`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// What is known about it.
    pub meta: SnapshotMeta,
    /// The index image: [`crate::access`] checks and reads it.
    pub image: Vec<u8>,
    pub(super) id: i64,
}

impl std::fmt::Debug for StoredSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The image holds card numbers (invariant 7).
        write!(
            f,
            "StoredSnapshot({:?}, image of {} bytes)",
            self.meta,
            self.image.len()
        )
    }
}

/// Facts as they are kept: a tenth of the memory that they take otherwise. [`crate::store::Store::pack`] makes them.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedFacts(pub(super) Vec<u8>);

impl std::fmt::Debug for PackedFacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They hold card numbers (invariant 7).
        write!(f, "PackedFacts({} bytes)", self.0.len())
    }
}

pub(super) fn pack(facts: &Facts) -> serde_json::Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut packer, facts)?;
    packer.finish().map_err(serde_json::Error::io)
}

pub(super) fn unpack(bytes: &[u8]) -> serde_json::Result<Facts> {
    serde_json::from_reader(std::io::BufReader::new(ZlibDecoder::new(bytes)))
}

/// A snapshot's row: its id, what is known about it, its image.
pub(super) type Row = (i64, String, Option<image::Named>);

pub(super) fn snapshot(db: &Connection, role: &str) -> rusqlite::Result<Option<Row>> {
    db.query_row(
        "SELECT id, meta, number, bytes FROM role JOIN snapshot USING (id) LEFT JOIN image USING (id)
         WHERE name = ?1 ORDER BY number DESC LIMIT 1",
        [role],
        |row| {
            let (number, bytes): (Option<i64>, Option<i64>) = (row.get(2)?, row.get(3)?);
            let image = number.zip(bytes).map(|(number, bytes)| image::Named {
                number,
                bytes: unsigned(bytes),
            });
            Ok((row.get(0)?, row.get(1)?, image))
        },
    )
    .optional()
}

pub(super) fn facts(db: &Connection, id: i64) -> rusqlite::Result<Vec<u8>> {
    db.query_row("SELECT facts FROM snapshot_facts WHERE id = ?1", [id], |row| {
        row.get(0)
    })
}

/// Puts a snapshot into a role, in one transaction: a crash leaves the old one or the new one.
pub(super) fn put_snapshot(
    db: &mut Connection,
    dir: &Path,
    role: &str,
    meta: &str,
    facts: &[u8],
    image: &[u8],
) -> Result<(), StoreError> {
    let wrap = |error| StoreError::sqlite(&dir.join(STATE.name), error);
    let work = db.transaction().map_err(wrap)?;
    let id = insert_snapshot(&work, role, meta, facts).map_err(wrap)?;
    put_image(&work, dir, id, image)?;
    sweep(&work).and_then(|()| work.commit()).map_err(wrap)?;
    sweep_images(db, dir);
    Ok(())
}

pub(super) fn insert_snapshot(
    db: &Connection,
    role: &str,
    meta: &str,
    facts: &[u8],
) -> rusqlite::Result<i64> {
    db.execute("INSERT INTO snapshot (meta) VALUES (?1)", [meta])?;
    let id = db.last_insert_rowid();
    db.execute("INSERT INTO snapshot_facts VALUES (?1, ?2)", params![id, facts])?;
    db.execute("INSERT OR REPLACE INTO role VALUES (?1, ?2)", params![role, id])?;
    if role == ACTIVE {
        // What was held was older than this, or is this.
        db.execute("DELETE FROM role WHERE name = ?1", [HELD])?;
    }
    Ok(id)
}

/// Writes an image's file, then names it: nobody sees the name before the transaction is committed, and then the file is
/// there.
fn put_image(db: &Connection, dir: &Path, id: i64, bytes: &[u8]) -> Result<(), StoreError> {
    let wrap = |error| StoreError::sqlite(&dir.join(STATE.name), error);
    let insert = "INSERT INTO image (id, bytes) VALUES (?1, ?2)";
    db.execute(insert, params![id, signed(bytes.len() as u64)])
        .map_err(wrap)?;
    image::write(dir, db.last_insert_rowid(), bytes)
}

/// Removes the files that no row names: replaced, or left by a crash before they were named.
pub(super) fn sweep_images(db: &Connection, dir: &Path) {
    let named = || -> rusqlite::Result<Vec<i64>> {
        db.prepare("SELECT number FROM image")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    if let Ok(named) = named() {
        image::sweep(dir, &named);
    }
}

/// Deletes snapshots that no role names.
fn sweep(db: &Connection) -> rusqlite::Result<()> {
    for table in ["snapshot", "snapshot_facts", "image"] {
        db.execute(
            &format!("DELETE FROM {table} WHERE id NOT IN (SELECT id FROM role)"),
            [],
        )?;
    }
    Ok(())
}

/// Makes the held snapshot the active one. False if none is held.
pub(super) fn accept_held(db: &mut Connection) -> rusqlite::Result<bool> {
    let work = db.transaction()?;
    let moved = work.execute(
        "INSERT OR REPLACE INTO role SELECT ?1, id FROM role WHERE name = ?2",
        [ACTIVE, HELD],
    )?;
    drop_held(&work)?;
    work.commit()?;
    Ok(moved > 0)
}

pub(super) fn discard_held(db: &mut Connection) -> rusqlite::Result<bool> {
    let work = db.transaction()?;
    let gone = drop_held(&work)?;
    work.commit()?;
    Ok(gone)
}

fn drop_held(db: &Connection) -> rusqlite::Result<bool> {
    let gone = db.execute("DELETE FROM role WHERE name = ?1", [HELD])?;
    sweep(db)?;
    Ok(gone > 0)
}

/// Replaces the image of the active snapshot, when the site changed and the facts did not.
pub(super) fn replace_image(db: &mut Connection, dir: &Path, image: &[u8]) -> Result<bool, StoreError> {
    let wrap = |error| StoreError::sqlite(&dir.join(STATE.name), error);
    let work = db.transaction().map_err(wrap)?;
    let active = work
        .query_row("SELECT id FROM role WHERE name = ?1", [ACTIVE], |row| row.get(0))
        .optional()
        .map_err(wrap)?;
    let Some(id) = active else { return Ok(false) };
    put_image(&work, dir, id, image)?;
    work.execute(
        "DELETE FROM image WHERE id = ?1 AND number < (SELECT max(number) FROM image WHERE id = ?1)",
        [id],
    )
    .and_then(|_| work.commit())
    .map_err(wrap)?;
    sweep_images(db, dir);
    Ok(true)
}

pub(super) fn value(db: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    db.query_row("SELECT value FROM value WHERE key = ?1", [key], |row| row.get(0))
        .optional()
}

pub(super) fn set_value(db: &Connection, key: &str, value: i64) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO value VALUES (?1, ?2)",
        params![key, value],
    )
    .map(drop)
}

pub(super) fn card(key: Vec<u8>) -> rusqlite::Result<Credential> {
    let key: Option<[u8; 12]> = key.try_into().ok();
    key.and_then(Credential::from_key)
        .ok_or(rusqlite::Error::InvalidQuery)
}

fn block_key(target: &BlockTarget) -> (i64, Vec<u8>) {
    match target {
        BlockTarget::Credential(card) => (1, card.key().to_vec()),
        BlockTarget::Person(person) => (2, person.as_str().as_bytes().to_vec()),
    }
}

pub(super) fn keep_block(db: &Connection, kept: &KeptBlock) -> rusqlite::Result<()> {
    let (kind, target) = block_key(&kept.block.target);
    db.execute(
        "INSERT OR REPLACE INTO block (kind, target, note, by_whom, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![kind, target, kept.block.note, kept.by, kept.at],
    )
    .map(drop)
}

pub(super) fn remove_block(db: &Connection, target: &BlockTarget) -> rusqlite::Result<bool> {
    let (kind, target) = block_key(target);
    Ok(db.execute(
        "DELETE FROM block WHERE kind = ?1 AND target = ?2",
        params![kind, target],
    )? > 0)
}
