//! The journal's tables: events by sequence, installations, cursors. Plain functions on a connection.

use super::{error::StoreError, file::Kind, record};
use crate::domain::{EntryEvent, EventId, Millis};
use rusqlite::{Connection, OptionalExtension, params};
use rusqlite_migration::{M, Migrations};
use std::{collections::BTreeMap, path::Path};

/// The journal's file. Small pages: every commit writes whole ones, and an event is some hundred bytes. The log is folded
/// into the file every 4 MiB (docs/journal.md has the measurements).
pub(super) static JOURNAL: Kind = Kind {
    name: "journal.db",
    page_size: 1_024,
    checkpoint: 4_000,
    migrations: Migrations::from_slice(STEPS),
    version: STEPS.len() as i64,
};

const STEPS: &[M<'static>] = &[
    M::up(
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
     CREATE TABLE epoch (first INTEGER PRIMARY KEY, installation TEXT NOT NULL) STRICT;
     CREATE TABLE cursor (subscriber TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE salvage (file TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    ),
    M::up(
        "CREATE TABLE audit (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL,
                             action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL, address TEXT NOT NULL,
                             before BLOB NOT NULL, sum BLOB NOT NULL) STRICT;",
    ),
];

/// From `first` on, events belong to this installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Epoch {
    pub(super) first: u64,
    pub(super) installation: String,
}

/// The id of a sequence.
pub(super) fn event_id(epochs: &[Epoch], seq: u64) -> EventId {
    let epoch = epochs
        .iter()
        .rev()
        .find(|epoch| epoch.first <= seq)
        .or(epochs.first());
    let installation = epoch.map_or("unknown", |epoch| epoch.installation.as_str());
    format!("{installation}-{seq}").into()
}

/// What the journal holds, without counting rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Lowest sequence, 0 when empty.
    pub(super) first: u64,
    /// Highest sequence, 0 when empty.
    pub(super) last: u64,
    /// Events, exact but for single ones missing in the middle.
    pub(super) count: u64,
    /// Damaged where the last event stands: `last` is a guess, and too low.
    pub(super) torn_end: bool,
    pub(super) epochs: Vec<Epoch>,
    pub(super) cursors: BTreeMap<String, u64>,
}

/// The highest number a row can have.
pub(super) const MAX_SEQ: u64 = i64::MAX as u64;

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Reads the extent: a handful of look-ups by key, however many events there are.
pub(super) fn extent(db: &Connection) -> rusqlite::Result<Extent> {
    let epochs = epochs(db)?;
    let mut extent = Extent {
        cursors: cursors(db)?,
        ..Extent::default()
    };
    let mut edges: Vec<u64> = epochs.iter().map(|epoch| epoch.first).collect();
    if let Some(first) = edges.first_mut() {
        *first = 0;
    }
    // A new installation may begin far above the last one, so each is measured by itself.
    let mut low = db.prepare("SELECT seq FROM event WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT 1")?;
    let mut high =
        db.prepare("SELECT seq FROM event WHERE seq >= ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1")?;
    for (place, from) in edges.iter().enumerate() {
        let until = edges.get(place + 1).copied().unwrap_or(u64::MAX);
        let range = params![signed(*from), signed(until)];
        let Some(first) = low.query_row(range, |row| row.get(0).map(unsigned)).optional()? else {
            continue;
        };
        let last = high.query_row(range, |row| row.get(0).map(unsigned))?;
        if extent.count == 0 {
            extent.first = first;
        }
        extent.last = last;
        extent.count += last - first + 1;
    }
    extent.epochs = epochs;
    Ok(extent)
}

pub(super) fn epochs(db: &Connection) -> rusqlite::Result<Vec<Epoch>> {
    let mut statement = db.prepare("SELECT first, installation FROM epoch ORDER BY first")?;
    let rows = statement.query_map([], |row| {
        Ok(Epoch {
            first: unsigned(row.get(0)?),
            installation: row.get(1)?,
        })
    })?;
    rows.collect()
}

pub(super) fn cursors(db: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut statement = db.prepare("SELECT subscriber, seq FROM cursor")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
    rows.collect()
}

/// Inserts events. One that is there already stays as it is: a commit may have reached the disk and been
/// reported as failed.
pub(super) fn insert(db: &Connection, events: &[(u64, Vec<u8>)]) -> rusqlite::Result<()> {
    let mut statement = db.prepare("INSERT OR IGNORE INTO event (seq, body) VALUES (?1, ?2)")?;
    for (seq, body) in events {
        statement.execute(params![signed(*seq), body])?;
    }
    Ok(())
}

/// Deletes the oldest events, `most` of them at most and none above `through`. Returns how many went.
pub(super) fn trim(db: &Connection, through: u64, most: u64) -> rusqlite::Result<u64> {
    let mut statement = db.prepare(
        "DELETE FROM event WHERE seq <= min(?1, (SELECT max(seq) FROM (SELECT seq FROM event ORDER BY seq LIMIT ?2)))",
    )?;
    statement
        .execute(params![signed(through), signed(most)])
        .map(|count| count as u64)
}

pub(super) fn write_epochs(db: &Connection, epochs: &[Epoch]) -> rusqlite::Result<()> {
    let mut statement = db.prepare("INSERT OR IGNORE INTO epoch (first, installation) VALUES (?1, ?2)")?;
    for epoch in epochs {
        statement.execute(params![signed(epoch.first), epoch.installation])?;
    }
    Ok(())
}

/// Makes the table of cursors exactly this.
pub(super) fn write_cursors(db: &Connection, cursors: &BTreeMap<String, u64>) -> rusqlite::Result<()> {
    for gone in self::cursors(db)?
        .keys()
        .filter(|name| !cursors.contains_key(*name))
    {
        db.prepare("DELETE FROM cursor WHERE subscriber = ?1")?
            .execute([gone])?;
    }
    let mut statement = db.prepare(
        "INSERT INTO cursor (subscriber, seq) VALUES (?1, ?2)
         ON CONFLICT (subscriber) DO UPDATE SET seq = excluded.seq WHERE seq <> excluded.seq",
    )?;
    for (name, seq) in cursors {
        statement.execute(params![name, signed(*seq)])?;
    }
    Ok(())
}

/// Events above `seq`, in order, raw.
pub(super) fn rows_after(db: &Connection, seq: u64, limit: usize) -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
    rows_from(db, seq.saturating_add(1), limit)
}

/// Events from `seq` on, in order, raw. Looks for `seq` itself: the page of the one before need not be readable.
pub(super) fn rows_from(db: &Connection, seq: u64, limit: usize) -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
    let mut statement = db.prepare("SELECT seq, body FROM event WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?;
    let rows = statement.query_map(params![signed(seq), signed(limit as u64)], |row| {
        Ok((unsigned(row.get(0)?), row.get(1)?))
    })?;
    rows.collect()
}

/// Events above `seq`, in order. One that does not read back (written by a later version) is left out.
pub(super) fn events_after(
    db: &Connection,
    path: &Path,
    seq: u64,
    limit: usize,
) -> Result<Vec<EntryEvent>, StoreError> {
    events_from(db, path, seq, limit, rows_after)
}

/// Events below `seq`, the newest first. One that does not read back is left out.
pub(super) fn events_before(
    db: &Connection,
    path: &Path,
    seq: u64,
    limit: usize,
) -> Result<Vec<EntryEvent>, StoreError> {
    events_from(db, path, seq, limit, rows_before)
}

/// The rows of a page that begins behind a place, in one direction.
type Rows = fn(&Connection, u64, usize) -> rusqlite::Result<Vec<(u64, Vec<u8>)>>;

/// Events behind a place in one direction: none only when there are no more rows, however many do not read back.
fn events_from(
    db: &Connection,
    path: &Path,
    mut place: u64,
    limit: usize,
    rows: Rows,
) -> Result<Vec<EntryEvent>, StoreError> {
    let wrap = |error| StoreError::sqlite(path, error);
    let epochs = epochs(db).map_err(wrap)?;
    loop {
        let rows = rows(db, place, limit.max(1)).map_err(wrap)?;
        let Some((last, _)) = rows.last() else {
            return Ok(Vec::new());
        };
        place = *last;
        let events = read_back(&epochs, &rows);
        if !events.is_empty() {
            return Ok(events);
        }
    }
}

fn rows_before(db: &Connection, seq: u64, limit: usize) -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
    let mut statement =
        db.prepare("SELECT seq, body FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2")?;
    let rows = statement.query_map(params![signed(seq), signed(limit as u64)], |row| {
        Ok((unsigned(row.get(0)?), row.get(1)?))
    })?;
    rows.collect()
}

fn read_back(epochs: &[Epoch], rows: &[(u64, Vec<u8>)]) -> Vec<EntryEvent> {
    let one = |(seq, body): &(u64, Vec<u8>)| {
        let body = record::decode(body).ok()?;
        Some(EntryEvent {
            id: event_id(epochs, *seq),
            seq: *seq,
            body,
        })
    };
    rows.iter().filter_map(one).collect()
}

/// The time of the newest event: a floor for the clock that costs no write of its own.
pub(super) fn newest_time(db: &Connection) -> rusqlite::Result<Option<Millis>> {
    let body: Option<Vec<u8>> = db
        .query_row("SELECT body FROM event ORDER BY seq DESC LIMIT 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(body
        .and_then(|body| record::decode(&body).ok())
        .map(|draft| draft.at))
}
