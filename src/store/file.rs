//! Opening SQLite files: pragmas, migrations, damaged ones aside, reading where nothing can be written.

use super::error::{DiskFault, StoreError};
use crate::domain::Millis;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{Error as MigrationError, MigrationDefinitionError, Migrations};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// The group of the gateway may read, whatever the umask: `events` and `explain` work for it as the control socket does.
const MODE: u32 = 0o640;

/// What a connection keeps of its file in memory, in KiB: enough for the pages that each commit touches. SQLite's own
/// default is 2,000, which each of three connections would reach with time.
const CACHE_KIB: i32 = 256;

/// How one of the databases is opened.
#[derive(Debug)]
pub(super) struct Kind {
    /// File name in the state directory.
    pub(super) name: &'static str,
    /// Bytes in a page, for a new file.
    pub(super) page_size: u32,
    /// Pages in the write-ahead log before it is folded into the file.
    pub(super) checkpoint: u32,
    /// Steps from an empty file to the newest format.
    pub(super) migrations: Migrations<'static>,
    /// How many steps that are.
    pub(super) version: i64,
}

/// Opens for writing: write-ahead log, full sync, newest format.
pub(super) fn open(dir: &Path, kind: &Kind) -> Result<Connection, StoreError> {
    let path = dir.join(kind.name);
    let wrap = |error| StoreError::sqlite(&path, error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(wrap)?;
    for suffix in ["", "-wal", "-shm"] {
        // The logs get the mode of the file when they are made. Best effort: a card that cannot be written says so below.
        let _ = fs::set_permissions(with_suffix(&path, suffix), fs::Permissions::from_mode(MODE));
    }
    connection.busy_timeout(Duration::from_secs(5)).map_err(wrap)?;
    connection
        .pragma_update(None, "page_size", kind.page_size)
        .map_err(wrap)?;
    connection
        .pragma_update(None, "journal_mode", "wal")
        .map_err(wrap)?;
    // NORMAL lost committed rows in a power-cut test, FULL none: docs/architecture.md.
    connection
        .pragma_update(None, "synchronous", "full")
        .map_err(wrap)?;
    connection
        .pragma_update(None, "wal_autocheckpoint", kind.checkpoint)
        .map_err(wrap)?;
    connection
        .pragma_update(None, "journal_size_limit", 8 << 20)
        .map_err(wrap)?;
    keep_little(&connection).map_err(wrap)?;
    // SQLite opens a file that it may not write, and says so only at the first write: ask now.
    if connection.is_readonly("main").map_err(wrap)? {
        return Err(read_only(&path));
    }
    migrate(&mut connection, &path, kind)?;
    Ok(connection)
}

fn read_only(path: &Path) -> StoreError {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
    StoreError::sqlite(path, rusqlite::Error::SqliteFailure(code, None))
}

fn migrate(connection: &mut Connection, path: &Path, kind: &Kind) -> Result<(), StoreError> {
    check_version(connection, path, kind)?;
    kind.migrations
        .to_latest(connection)
        .map_err(|error| match error {
            MigrationError::RusqliteError { err, .. } => StoreError::sqlite(path, err),
            MigrationError::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
                StoreError::TooNew {
                    file: path.to_owned(),
                    found: kind.version + 1,
                    known: kind.version,
                }
            }
            _ => StoreError::sqlite(path, rusqlite::Error::InvalidQuery),
        })
}

fn check_version(connection: &Connection, path: &Path, kind: &Kind) -> Result<i64, StoreError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| StoreError::sqlite(path, error))?;
    if found > kind.version {
        return Err(StoreError::TooNew {
            file: path.to_owned(),
            found,
            known: kind.version,
        });
    }
    Ok(found)
}

/// Whether a file that is there is of an earlier format than this program's, which reading does not change.
pub(super) fn is_older(dir: &Path, kind: &Kind) -> Result<bool, StoreError> {
    let connection = match open_read_only(dir, kind) {
        Err(StoreError::Missing(_)) => return Ok(false),
        other => other?,
    };
    Ok(check_version(&connection, &dir.join(kind.name), kind)? < kind.version)
}

/// Opens for reading, beside a running writer, without one, or on a medium that cannot be written.
pub(super) fn open_read_only(dir: &Path, kind: &Kind) -> Result<Connection, StoreError> {
    let path = dir.join(kind.name);
    if !path.exists() {
        return Err(StoreError::Missing(path));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let usual = Connection::open_with_flags(&path, flags)
        .and_then(|connection| {
            connection.busy_timeout(Duration::from_secs(5))?;
            try_out(connection)
        })
        .map_err(|error| StoreError::sqlite(&path, error));
    let connection = match usual {
        Ok(connection) => connection,
        Err(error) if error.disk_fault() == Some(DiskFault::Corrupt) => return Err(error),
        // A log beside it needs a shared-memory file, which cannot be made here.
        Err(_) => open_without_locks(&path)
            .or_else(|_| open_immutable(&path))
            .map_err(|error| StoreError::sqlite(&path, error))?,
    };
    if check_version(&connection, &path, kind)? == 0 {
        // Made and not yet migrated: the writer is about to. Nothing is in it, and nothing is wrong with it.
        return Err(StoreError::Missing(path));
    }
    Ok(connection)
}

/// Reads all of a file and says what is wrong with it.
pub(super) fn check(dir: &Path, kind: &Kind) -> Result<(), StoreError> {
    let connection = open_read_only(dir, kind)?;
    let wrap = |error| StoreError::sqlite(&dir.join(kind.name), error);
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(wrap)?;
    if verdict == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(wrap(rusqlite::Error::SqliteFailure(code, Some(verdict))))
}

fn keep_little(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -CACHE_KIB)
}

fn try_out(connection: Connection) -> rusqlite::Result<Connection> {
    keep_little(&connection)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
        row.get::<_, i64>(0)
    })?;
    Ok(connection)
}

/// Reads the file and its log, with nothing shared and nothing locked: for a medium that nobody can write.
fn open_without_locks(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_uri(path, "vfs=unix-none")?;
    // Before the first access: then the log's index is kept in this process's memory.
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    try_out(connection)
}

/// Reads the file alone, without its log: the last resort.
fn open_immutable(path: &Path) -> rusqlite::Result<Connection> {
    open_uri(path, "immutable=1")
}

fn open_uri(path: &Path, how: &str) -> rusqlite::Result<Connection> {
    let escaped: String = path
        .to_string_lossy()
        .chars()
        .map(|c| match c {
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            '%' => "%25".to_owned(),
            other => other.to_string(),
        })
        .collect();
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{escaped}?{how}"), flags)
}

/// How many damaged files are kept for somebody to look at; older ones make room.
const KEPT_ASIDE: usize = 3;

/// Moves a damaged database and its log aside, so that a new one can begin. Returns where it went.
pub(super) fn move_aside(dir: &Path, kind: &Kind, now: Millis) -> Result<PathBuf, StoreError> {
    let older = aside(dir, kind);
    for old in older.iter().rev().skip(KEPT_ASIDE - 1) {
        for suffix in ["", "-wal", "-shm"] {
            // Best effort: a file that stays costs space and nothing else.
            let _ = fs::remove_file(with_suffix(old, suffix));
        }
    }
    let from = dir.join(kind.name);
    let mut to = dir.join(format!("{}.corrupt-{}", kind.name, now / 1_000));
    let mut turn = 1;
    while to.exists() {
        to = dir.join(format!("{}.corrupt-{}-{turn}", kind.name, now / 1_000));
        turn += 1;
    }
    fs::rename(&from, &to).map_err(|error| StoreError::system(&from, error))?;
    for suffix in ["-wal", "-shm"] {
        let _ = fs::rename(with_suffix(&from, suffix), with_suffix(&to, suffix));
    }
    Ok(to)
}

/// The damaged files that were moved aside, oldest first.
pub(super) fn aside(dir: &Path, kind: &Kind) -> Vec<PathBuf> {
    let prefix = format!("{}.corrupt-", kind.name);
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            name.starts_with(&prefix) && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .collect();
    found.sort();
    found
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_migrated_yet_is_missing_and_not_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::state::STATE.name);
        let database = Connection::open(&path).unwrap();
        database.execute_batch("PRAGMA application_id = 7").unwrap();
        let opened = open_read_only(folder.path(), &super::super::state::STATE);
        assert!(matches!(opened, Err(StoreError::Missing(_))), "{opened:?}");
    }
}
