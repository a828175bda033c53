//! What can go wrong with the store, in words that say what to do.

use std::path::{Path, PathBuf};

/// What a disk does to a database: each has its own defined behaviour (docs/journal.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskFault {
    /// No space left.
    Full,
    /// The card or directory cannot be written.
    ReadOnly,
    /// The bytes are not what was written.
    Corrupt,
    /// Reading or writing failed.
    Broken,
}

impl DiskFault {
    /// The kind of the fault that people see.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Full => "disk_full",
            Self::ReadOnly => "disk_read_only",
            Self::Corrupt => "disk_corrupt",
            Self::Broken => "disk_error",
        }
    }

    /// Every fault.
    pub(super) const ALL: [Self; 4] = [Self::Full, Self::ReadOnly, Self::Corrupt, Self::Broken];

    const fn words(self) -> &'static str {
        match self {
            Self::Full => "no space is left: free some on this file system, the store goes on by itself",
            Self::ReadOnly => {
                "it cannot be written: see whose it is (`ls -l`, the gateway's user must own it), or look at the card (`dmesg`), replace it or remount it writable"
            }
            Self::Corrupt => "it is damaged: it is moved aside and a new one begun, check the card",
            Self::Broken => "reading or writing failed: look at the card (`dmesg`)",
        }
    }
}

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has this state directory.
    #[error("{} is in use by another doorward: stop that one first", .0.display())]
    InUse(PathBuf),
    /// Written by a later version.
    #[error("{} was written by a later version of doorward (format {found}, this one knows {known}): install that version again, or restore a backup from before", file.display())]
    TooNew {
        /// Which file.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Written by an earlier version, and not brought up to date: that takes somebody who may write it.
    #[error("{} was written by an earlier version of doorward, and the gateway brings it up to date when it starts: let it start once where it may write", .0.display())]
    Older(PathBuf),
    /// The disk, or what is on it.
    #[error("{}: {}", file.display(), fault.words())]
    Disk {
        /// Which file.
        file: PathBuf,
        /// What it does.
        fault: DiskFault,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The operating system.
    #[error("{}: {source}", file.display())]
    System {
        /// Which file or directory.
        file: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Nothing is stored there yet.
    #[error("{} does not exist: `doorward run` makes it", .0.display())]
    Missing(PathBuf),
    /// No subscriber of that name is registered.
    #[error("no subscriber {0:?} is registered with the journal")]
    UnknownSubscriber(String),
    /// A name that does not fit.
    #[error("{what} {value:?} must be 1 to {most} characters of a-z, 0-9, dash and underscore")]
    BadName {
        /// What it names.
        what: &'static str,
        /// The name.
        value: String,
        /// Longest, in bytes.
        most: usize,
    },
    /// Stored JSON that does not read back, or facts that do not write.
    #[error("{}: a stored snapshot does not read back ({source}): fetch again with `doorward sync now`", file.display())]
    Snapshot {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What SQLite said about `file`.
    pub(super) fn sqlite(file: &Path, source: rusqlite::Error) -> Self {
        let fault = fault_of(file, &source);
        Self::Disk {
            file: file.to_owned(),
            fault,
            source,
        }
    }

    pub(super) fn system(file: &Path, source: std::io::Error) -> Self {
        Self::System {
            file: file.to_owned(),
            source,
        }
    }

    /// Which disk fault this is, if it is one.
    #[must_use]
    pub fn disk_fault(&self) -> Option<DiskFault> {
        match self {
            Self::Disk { fault, .. } => Some(*fault),
            Self::System { file, source } => Some(match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => DiskFault::Full,
                std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                    DiskFault::ReadOnly
                }
                _ if is_read_only(file) => DiskFault::ReadOnly,
                _ => DiskFault::Broken,
            }),
            _ => None,
        }
    }
}

fn fault_of(file: &Path, error: &rusqlite::Error) -> DiskFault {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        // A row of the wrong shape: the file is not what we wrote.
        return DiskFault::Corrupt;
    };
    match failure.code {
        ffi::ErrorCode::DiskFull => DiskFault::Full,
        ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase => DiskFault::Corrupt,
        ffi::ErrorCode::ReadOnly => DiskFault::ReadOnly,
        // Growing the shared-memory file fails with an error of its own when the disk is full.
        _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => DiskFault::Full,
        // ext4 turns itself read-only after an error (errors=remount-ro): SQLite sees failing writes.
        _ if is_read_only(file) => DiskFault::ReadOnly,
        ffi::ErrorCode::Unknown if failure.extended_code == ffi::SQLITE_ERROR => DiskFault::Corrupt,
        _ => DiskFault::Broken,
    }
}

/// Whether the file system of a file or its directory refuses writes, or its permissions do.
pub(super) fn is_read_only(file: &Path) -> bool {
    let existing = file.ancestors().find(|path| path.exists());
    existing.is_some_and(|path| {
        let by_mount = rustix::fs::statvfs(path)
            .is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
        by_mount || rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_may_be_somebody_elses_as_well_as_a_bad_card() {
        // SQLite calls both read-only (`is_read_only`): the words must help in either case.
        let words = DiskFault::ReadOnly.words();
        assert!(
            words.contains("user must own it") && words.contains("dmesg"),
            "{words}"
        );
    }
}
