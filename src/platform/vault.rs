//! Tokens that outlive a restart: some platforms give few of them (OfficeRnD: five requests a minute; facts:
//! platforms.md 4.1), and a refresh token that is forgotten is a gateway that is locked out (3.1).
//!
//! One small file in the state directory, readable for the gateway alone, replaced whole.

use crate::domain::{Millis, secret::Secret};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The file's name in the state directory.
const FILE: &str = "tokens.json";

/// A token with its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The token.
    pub secret: Secret,
    /// When it ends, Unix milliseconds; absent when nobody knows.
    pub until: Option<Millis>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Row {
    secret: String,
    until: Option<Millis>,
}

/// The tokens. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Vault {
    path: PathBuf,
    guard: Arc<Mutex<()>>,
}

impl Vault {
    /// In this directory. Nothing is read or written yet.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join(FILE),
            guard: Arc::default(),
        }
    }

    /// Another file in the same directory, kept in the same way: for what must outlive a restart as tokens must, and is
    /// too large to be written again with each of them.
    #[must_use]
    pub fn beside(&self, file: &str) -> Self {
        Self {
            path: self.path.with_file_name(file),
            guard: Arc::default(),
        }
    }

    /// The token of this name, if one was kept. A file that cannot be read has none: a new one is then asked for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Kept> {
        let _turn = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        let row = self.rows().remove(name)?;
        Some(Kept {
            secret: Secret::new(row.secret),
            until: row.until,
        })
    }

    /// Keeps a token, on disk before this returns.
    ///
    /// # Errors
    /// When the file cannot be written; the token still works until the next start.
    pub fn put(&self, name: &str, kept: &Kept) -> io::Result<()> {
        let _turn = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = self.rows();
        let row = Row {
            secret: kept.secret.reveal().to_owned(),
            until: kept.until,
        };
        rows.insert(name.to_owned(), row);
        self.replace(&rows)
    }

    /// Forgets a token that is no use any more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&self, name: &str) -> io::Result<()> {
        let _turn = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = self.rows();
        if rows.remove(name).is_none() {
            return Ok(());
        }
        self.replace(&rows)
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let text = fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn replace(&self, rows: &BTreeMap<String, Row>) -> io::Result<()> {
        let beside = self.path.with_extension("json.new");
        let _ = fs::remove_file(&beside); // of a write that was broken off, whatever its mode
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&serde_json::to_vec(rows)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_outlives_a_restart_and_nobody_else_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept {
            secret: Secret::new("t-1".into()),
            until: Some(7),
        };
        Vault::new(folder.path()).put("one", &kept).unwrap();
        let again = Vault::new(folder.path());
        assert_eq!(again.get("one"), Some(kept));
        assert_eq!(again.get("two"), None);
        let mode = fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        again.forget("one").unwrap();
        assert_eq!(Vault::new(folder.path()).get("one"), None);
    }

    #[test]
    fn a_broken_file_costs_the_tokens_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{half").unwrap();
        let vault = Vault::new(folder.path());
        assert_eq!(vault.get("one"), None);
        let kept = Kept {
            secret: Secret::new("t".into()),
            until: None,
        };
        vault.put("one", &kept).unwrap();
        assert_eq!(vault.get("one"), Some(kept));
    }
}
