//! Fetching back what a damaged journal still gives.

use super::{
    audit,
    error::StoreError,
    file,
    journal::{self, Extent, JOURNAL},
};
use crate::domain::Millis;
use rusqlite::{Connection, OpenFlags, params};
use std::path::{Path, PathBuf};

/// Events copied in one commit.
const BATCH: usize = 2_048;
/// Numbers that are tried one by one in a damaged place: several pages' worth. Beyond, strides double: a new
/// installation's numbers may begin a long way further up.
const SINGLE: u32 = 4_096;
/// Failing attempts in one step: new events are committed between steps.
const TRIES: u32 = 512;

/// A damaged journal, being copied from its beginning. Where the copy stands is noted in the new journal, so that it goes
/// on after a restart.
#[derive(Debug)]
pub(super) struct Salvage {
    damaged: PathBuf,
    old: Option<Connection>,
    next: u64,
    /// Attempts since something could be read.
    failed: u32,
}

impl Salvage {
    /// Moves the journal aside and makes a new one. Returns also what the damaged one says about itself.
    pub(super) fn begin(dir: &Path, now: Millis) -> Result<(Self, Extent), StoreError> {
        let damaged = file::move_aside(dir, &JOURNAL, now)?;
        let mut fresh = file::open(dir, &JOURNAL)?;
        let (salvage, extent) = Self::of(damaged, 0);
        let wrap = |error| StoreError::sqlite(&dir.join(JOURNAL.name), error);
        journal::write_epochs(&fresh, &extent.epochs).map_err(wrap)?;
        journal::write_cursors(&fresh, &extent.cursors).map_err(wrap)?;
        if let Some(old) = &salvage.old {
            audit::carry(old, &mut fresh).map_err(wrap)?;
        }
        let name = salvage.name();
        fresh
            .execute("INSERT OR REPLACE INTO salvage VALUES (?1, 0)", params![name])
            .map_err(wrap)?;
        Ok((salvage, extent))
    }

    /// One that a restart interrupted, and what the damaged journal says about itself.
    pub(super) fn resume(dir: &Path, journal: &Connection) -> rusqlite::Result<Option<(Self, Extent)>> {
        let mut statement = journal.prepare("SELECT file, next FROM salvage LIMIT 1")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let file: String = row.get(0)?;
        Ok(Some(Self::of(dir.join(file), journal::unsigned(row.get(1)?))))
    }

    fn of(damaged: PathBuf, next: u64) -> (Self, Extent) {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let old = Connection::open_with_flags(&damaged, flags).ok();
        let extent = old.as_ref().map(partial_extent).unwrap_or_default();
        let salvage = Self {
            damaged,
            old,
            next,
            failed: 0,
        };
        (salvage, extent)
    }

    pub(super) fn damaged(&self) -> &Path {
        &self.damaged
    }

    fn name(&self) -> String {
        self.damaged
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Copies the next events. True when there are no more.
    pub(super) fn step(&mut self, fresh: &mut Connection) -> rusqlite::Result<bool> {
        let mut events: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut tries = TRIES;
        let mut done = false;
        while !done && events.len() < BATCH && tries > 0 {
            let Some(old) = &self.old else { break };
            // Smaller bites up to a damaged page.
            let rows = [BATCH, 64, 1]
                .into_iter()
                .find_map(|bite| journal::rows_from(old, self.next, bite).ok());
            match rows.as_deref() {
                Some([]) => done = true,
                Some([.., (last, _)]) => {
                    self.next = last + 1;
                    self.failed = 0;
                }
                None => {
                    tries -= 1;
                    self.failed += 1;
                    self.next = past_damage(old, self.next, self.failed);
                    done = self.next > journal::MAX_SEQ;
                }
            }
            events.extend(rows.unwrap_or_default());
        }
        let done = done || self.old.is_none();
        let work = fresh.transaction()?;
        journal::insert(&work, &events)?;
        if done {
            work.execute("DELETE FROM salvage WHERE file = ?1", params![self.name()])?;
        } else {
            work.execute(
                "UPDATE salvage SET next = ?2 WHERE file = ?1",
                params![self.name(), journal::signed(self.next)],
            )?;
        }
        work.commit()?;
        Ok(done)
    }
}

/// Where to try next when `bad` cannot be read, the `failed`th time in a row.
fn past_damage(old: &Connection, bad: u64, failed: u32) -> u64 {
    let Some(doubling) = failed.checked_sub(SINGLE) else {
        return bad + 1;
    };
    let (mut bad, mut good) = (bad, bad.saturating_add(1 << doubling.min(63)));
    let reads = |seq: u64| journal::rows_from(old, seq, 1).is_ok();
    if good > journal::MAX_SEQ || !reads(good) {
        return good;
    }
    // Too far, perhaps: the first that reads lies between.
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if reads(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

/// What a damaged journal says about itself, each part as far as it can be read.
fn partial_extent(old: &Connection) -> Extent {
    let edge = |sql: &str| old.query_row(sql, [], |row| row.get(0)).map(journal::unsigned);
    let last = edge("SELECT coalesce(max(seq), 0) FROM event");
    let torn_end = last.is_err();
    Extent {
        last: last
            .or_else(|_| edge("SELECT coalesce(max(seq), 0) FROM cursor"))
            .unwrap_or(0),
        torn_end,
        epochs: journal::epochs(old).unwrap_or_default(),
        cursors: journal::cursors(old).unwrap_or_default(),
        ..Extent::default()
    }
}
