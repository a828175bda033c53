//! The trail's rows in the journal's file.

use super::chain::{AuditDraft, AuditRecord, NONE, Sum};
use crate::store::journal::{signed, unsigned};
use rusqlite::{Connection, OptionalExtension, Row, params};

const COLUMNS: &str = "seq, at, actor, role, action, subject, outcome, address, before, sum";
/// Rows in a damaged place that are tried one by one before the rest is given up: several pages' worth.
const TRIES: u32 = 2_048;
/// Rows read at a time.
pub(super) const BITE: usize = 256;

fn sum(bytes: &[u8]) -> Sum {
    // Another length is no sum, and shows as an altered record.
    bytes.try_into().unwrap_or(NONE)
}

fn record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        seq: unsigned(row.get(0)?),
        what: AuditDraft {
            at: row.get(1)?,
            actor: row.get(2)?,
            role: row.get(3)?,
            action: row.get(4)?,
            subject: row.get(5)?,
            outcome: row.get(6)?,
            address: row.get(7)?,
        },
        before: sum(row.get_ref(8)?.as_blob()?),
        sum: sum(row.get_ref(9)?.as_blob()?),
    })
}

/// Adds a record and lets go of those before `first`.
pub(in crate::store) fn append(db: &mut Connection, row: &AuditRecord, first: u64) -> rusqlite::Result<()> {
    let work = db.transaction()?;
    insert(&work, row)?;
    work.execute("DELETE FROM audit WHERE seq < ?1", [signed(first)])?;
    work.commit()
}

fn insert(db: &Connection, row: &AuditRecord) -> rusqlite::Result<()> {
    let what = &row.what;
    db.prepare("INSERT OR IGNORE INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
        .execute(params![
            signed(row.seq),
            what.at,
            what.actor,
            what.role,
            what.action,
            what.subject,
            what.outcome,
            what.address,
            row.before,
            row.sum
        ])
        .map(|_| ())
}

/// From `seq` on, in order.
pub(super) fn from(db: &Connection, seq: u64, limit: usize) -> rusqlite::Result<Vec<AuditRecord>> {
    db.prepare(&format!(
        "SELECT {COLUMNS} FROM audit WHERE seq >= ?1 ORDER BY seq LIMIT ?2"
    ))?
    .query_map(params![signed(seq), signed(limit as u64)], record)?
    .collect()
}

/// Below `seq`, the newest first.
pub(super) fn before(db: &Connection, seq: u64, limit: usize) -> rusqlite::Result<Vec<AuditRecord>> {
    db.prepare(&format!(
        "SELECT {COLUMNS} FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"
    ))?
    .query_map(params![signed(seq), signed(limit as u64)], record)?
    .collect()
}

/// Place and sum of the last record.
pub(super) fn last(db: &Connection) -> rusqlite::Result<Option<(u64, Sum)>> {
    db.query_row(
        "SELECT seq, sum FROM audit ORDER BY seq DESC LIMIT 1",
        [],
        |row| Ok((unsigned(row.get(0)?), sum(row.get_ref(1)?.as_blob()?))),
    )
    .optional()
}

/// Carries what a damaged journal still gives of its trail into a new one, as it stands: what is missing then shows.
pub(in crate::store) fn carry(old: &Connection, fresh: &mut Connection) -> rusqlite::Result<()> {
    let work = fresh.transaction()?;
    let (mut next, mut failed) = (0, 0);
    while failed < TRIES {
        // Smaller bites up to a damaged page.
        let rows = [BITE, 1].into_iter().find_map(|bite| from(old, next, bite).ok());
        match rows.as_deref() {
            Some([]) => break,
            Some([.., last]) => {
                next = last.seq + 1;
                failed = 0;
            }
            None => {
                next += 1;
                failed += 1;
            }
        }
        for row in rows.unwrap_or_default() {
            insert(&work, &row)?;
        }
    }
    work.commit()
}
