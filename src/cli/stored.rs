//! The stored journal and facts, for commands that read them beside the gateway or without it.

use super::failure::{Failure, status};
use crate::store::{ReadStore, Store, StoreError};
use std::{fs::File, io::ErrorKind, path::Path};

/// The store of a state directory, for reading; `None` when no gateway has run there yet.
///
/// # Errors
/// When this user may not read it, or it cannot be read at all.
pub(super) fn open(dir: &Path) -> Result<Option<ReadStore>, Failure> {
    // A file that may not be seen looks like one that is not there.
    for path in [dir.to_owned(), dir.join("journal.db"), dir.join("state.db")] {
        if let Err(error) = File::open(&path) {
            may_read(&path, error.kind())?;
        }
    }
    match Store::open_read_only(dir) {
        Err(StoreError::Missing(_)) => Ok(None),
        other => Ok(Some(other?)),
    }
}

fn may_read(path: &Path, refused: ErrorKind) -> Result<(), Failure> {
    if refused != ErrorKind::PermissionDenied {
        return Ok(());
    }
    let message = format!(
        "this user may not read {}: it is for the gateway's own user and group",
        path.display()
    );
    let hint = "run the command as root (sudo), or join the group doorward";
    Err(Failure::new(status::FAILED, message, hint))
}

/// What to say when no gateway has run there yet.
pub(super) fn nothing(dir: &Path) -> Failure {
    let message = format!(
        "there is no journal in {} yet: no gateway has run here",
        dir.display()
    );
    let hint = "start it with `systemctl start doorward`, or name another site's file with --config";
    Failure::new(status::FAILED, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_a_journal_is_no_mistake_and_a_closed_one_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(open(folder.path()).unwrap().is_none());
        assert!(open(&folder.path().join("none")).unwrap().is_none());
        let refused = may_read(folder.path(), ErrorKind::PermissionDenied).unwrap_err();
        assert!(refused.hint.contains("group doorward") && refused.message.contains("may not read"));
    }
}
