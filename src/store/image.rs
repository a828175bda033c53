//! Index images: a file for each, `index-<number>.img` in the state directory, named by a row of the state.
//!
//! A file is read several times as fast as the same bytes out of SQLite, and the start waits for it. It is whole before its
//! row is committed (written, synced, renamed), and is never written again; a number is never given twice. So a row
//! names a whole file, and a file that no row names is left over and goes. What a card does to the bytes afterwards
//! the image's own checksum finds: then it is worked out again from the facts.

use super::error::StoreError;
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// An image as a row names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) number: i64,
    /// Its length.
    pub(super) bytes: u64,
}

const PREFIX: &str = "index-";
const SUFFIX: &str = ".img";
const UNFINISHED: &str = "index.img.new";

fn path(dir: &Path, number: i64) -> PathBuf {
    dir.join(format!("{PREFIX}{number}{SUFFIX}"))
}

/// Writes an image, with full sync of the file and of its name.
///
/// # Errors
/// `System`: nothing is left behind.
pub(super) fn write(dir: &Path, number: i64, bytes: &[u8]) -> Result<(), StoreError> {
    let unfinished = dir.join(UNFINISHED);
    let work = || -> io::Result<()> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o640);
        let mut file = options.open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path(dir, number))?;
        File::open(dir)?.sync_all()
    };
    work().map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        StoreError::system(&path(dir, number), error)
    })
}

/// Reads an image. `None` when it is not there: replaced just now, or lost. Empty when it cannot be read or has not the
/// length it had: no image is empty, so that the facts are worked out again.
pub(super) fn read(dir: &Path, image: Named) -> Option<Vec<u8>> {
    let path = path(dir, image.number);
    match fs::read(&path) {
        Ok(bytes) if bytes.len() as u64 == image.bytes => Some(bytes),
        Ok(bytes) => {
            tracing::warn!(path = %path.display(), found = bytes.len(), written = image.bytes, "an index image was cut");
            Some(Vec::new())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "an index image cannot be read");
            Some(Vec::new())
        }
    }
}

/// The number of the image of this name, if it is one.
fn number(name: &OsStr) -> Option<i64> {
    name.to_str()?
        .strip_prefix(PREFIX)?
        .strip_suffix(SUFFIX)?
        .parse()
        .ok()
}

/// Whether there is any image.
pub(super) fn is_there(dir: &Path) -> bool {
    let mut entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.any(|entry| number(&entry.file_name()).is_some())
}

/// Removes images that are not among `named`.
pub(super) fn sweep(dir: &Path, named: &[i64]) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = number(&name);
        let left_over = number.is_some_and(|number| !named.contains(&number)) || name == UNFINISHED;
        if left_over {
            // One that stays costs space, and is tried again with the next.
            let _ = fs::remove_file(entry.path());
        }
    }
}
