//! Fetching back what a damaged journal still gives.

use super::{
    error::StoreError,
    file,
    journal::{self, Extent, JOURNAL},
};
use crate::domain::Millis;
use rusqlite::{Connection, OpenFlags, params};
use std::path::{Path, PathBuf};

/// Events copied in one commit.
const BATCH: usize = 2_048;
/// Longest stretch of numbers that is skipped at once where nothing can be read.
const LONGEST_SKIP: u64 = 256;

/// A damaged journal, being copied from its beginning. Where the copy stands is noted in the new journal, so that it goes
/// on after a restart.
#[derive(Debug)]
pub(super) struct Salvage {
    damaged: PathBuf,
    old: Option<Connection>,
    next: u64,
    last: u64,
}

impl Salvage {
    /// Moves the journal aside and makes a new one. Returns also what the damaged one says about itself.
    pub(super) fn begin(dir: &Path, now: Millis) -> Result<(Self, Extent), StoreError> {
        let damaged = file::move_aside(dir, &JOURNAL, now)?;
        let fresh = file::open(dir, &JOURNAL)?;
        let (salvage, extent) = Self::of(damaged, 0);
        let wrap = |error| StoreError::sqlite(&dir.join(JOURNAL.name), error);
        journal::write_epochs(&fresh, &extent.epochs).map_err(wrap)?;
        journal::write_cursors(&fresh, &extent.cursors).map_err(wrap)?;
        let name = salvage.name();
        fresh
            .execute("INSERT OR REPLACE INTO salvage VALUES (?1, 0)", params![name])
            .map_err(wrap)?;
        Ok((salvage, extent))
    }

    /// One that a restart interrupted.
    pub(super) fn resume(dir: &Path, journal: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut statement = journal.prepare("SELECT file, next FROM salvage LIMIT 1")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let file: String = row.get(0)?;
        Ok(Some(Self::of(dir.join(file), journal::unsigned(row.get(1)?)).0))
    }

    fn of(damaged: PathBuf, next: u64) -> (Self, Extent) {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let old = Connection::open_with_flags(&damaged, flags).ok();
        let extent = old.as_ref().map(partial_extent).unwrap_or_default();
        let last = extent.last;
        (
            Self {
                damaged,
                old,
                next,
                last,
            },
            extent,
        )
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
        let mut skip = 1;
        while let (Some(old), true) = (&self.old, events.len() < BATCH && self.next <= self.last) {
            // Smaller bites around a damaged page, then past it in growing strides.
            let after = self.next.saturating_sub(1);
            match [BATCH, 64, 1]
                .into_iter()
                .find_map(|bite| journal::rows_after(old, after, bite).ok())
            {
                Some(rows) => {
                    self.next = rows.last().map_or(self.last, |(seq, _)| *seq) + 1;
                    events.extend(rows);
                    skip = 1;
                }
                None => {
                    self.next += skip;
                    skip = (skip * 2).min(LONGEST_SKIP);
                }
            }
        }
        let done = self.old.is_none() || self.next > self.last;
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

/// What a damaged journal says about itself, each part as far as it can be read.
fn partial_extent(old: &Connection) -> Extent {
    let edge = |sql: &str| old.query_row(sql, [], |row| row.get(0)).map(journal::unsigned);
    let last = edge("SELECT seq FROM event ORDER BY seq DESC LIMIT 1")
        .or_else(|_| edge("SELECT max(seq) FROM cursor"))
        .unwrap_or(0);
    Extent {
        last,
        epochs: journal::epochs(old).unwrap_or_default(),
        cursors: journal::cursors(old).unwrap_or_default(),
        ..Extent::default()
    }
}
