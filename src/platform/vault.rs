//! Tokens that outlive a restart: some platforms give few of them (OfficeRnD: five requests a minute; facts:
//! platforms.md 4.1), and a refresh token that is forgotten is a gateway that is locked out (3.1).
//!
//! A small file in the state directory, sealed, readable for the gateway alone, replaced whole. What the seal protects
//! against and what not: docs/decisions/0016-tokens-sealed-at-rest.md.

mod seal;

use crate::domain::{Millis, secret::Secret};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::rand::{SecureRandom, SystemRandom};
use seal::{Key, Unfit};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

/// The file's name in the state directory.
const FILE: &str = "tokens.sealed";
/// The gateway's own key, where none is configured.
const KEY_FILE: &str = "vault.key";
/// Random octets of that key.
const KEY_OCTETS: usize = 32;

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

type Rows = BTreeMap<String, Row>;

/// Why the tokens cannot be read. Nothing of their content is repeated.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Another key sealed the file.
    #[error(
        "{0} was sealed with another key, so every login begins anew; put that key back ([paths] vault_key), or remove the file"
    )]
    OtherKey(PathBuf),
    /// It is not what was written.
    #[error("{0} is damaged, so every login begins anew; it is set aside at the next login")]
    Damaged(PathBuf),
    /// The key itself is no key.
    #[error(
        "{0} holds no key, so nothing can be sealed or opened; put the right one back, or remove the file"
    )]
    NoKey(PathBuf),
    /// The system refused.
    #[error("{0} cannot be read: {1}; the gateway's user must own it and its folder (`ls -l`)")]
    Io(PathBuf, io::Error),
}

/// The tokens. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Vault {
    path: PathBuf,
    keys: Arc<Keys>,
    guard: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Keys {
    configured: Option<Key>,
    own: PathBuf,
}

impl Vault {
    /// In this directory, under the gateway's own key. Nothing is read or written yet.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        Self::keyed(state_dir, None)
    }

    /// In this directory, under this key: a long random text. What was sealed under the gateway's own key is taken over.
    #[must_use]
    pub fn keyed(state_dir: &Path, key: Option<&Secret>) -> Self {
        let given = key.filter(|key| !key.reveal().is_empty());
        Self {
            path: state_dir.join(FILE),
            keys: Arc::new(Keys {
                configured: given.and_then(Key::of),
                own: state_dir.join(KEY_FILE),
            }),
            guard: Arc::default(),
        }
    }

    /// Another file in the same directory, kept in the same way: for what must outlive a restart as tokens must, and is
    /// too large to be written again with each of them. `file`: its name without an ending.
    #[must_use]
    pub fn beside(&self, file: &str) -> Self {
        Self {
            path: self.path.with_file_name(format!("{file}.sealed")),
            keys: Arc::clone(&self.keys),
            guard: Arc::default(),
        }
    }

    /// Whether what is kept can be read. Seals what an earlier version left in plain text, or under another key.
    ///
    /// # Errors
    /// What is wrong with it. Everything goes on without the tokens: [`Self::get`] then has none.
    pub fn check(&self) -> Result<(), VaultError> {
        let _turn = self.turn();
        self.rows().map(drop)
    }

    /// The token of this name, if one was kept. A file that cannot be read has none: a new one is then asked for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Kept> {
        let _turn = self.turn();
        let row = self.rows().ok()?.remove(name)?;
        Some(Kept {
            secret: Secret::new(row.secret),
            until: row.until,
        })
    }

    /// Keeps a token, on disk before this returns. A file that cannot be read is set aside, not written over.
    ///
    /// # Errors
    /// When the file cannot be written; the token still works until the next start.
    pub fn put(&self, name: &str, kept: &Kept) -> io::Result<()> {
        let _turn = self.turn();
        let mut rows = match self.rows() {
            Ok(rows) => rows,
            Err(VaultError::OtherKey(_) | VaultError::Damaged(_)) => {
                fs::rename(&self.path, self.path.with_extension("unreadable"))?;
                Rows::new()
            }
            Err(VaultError::Io(_, error)) => return Err(error),
            Err(error @ VaultError::NoKey(_)) => return Err(io::Error::other(error.to_string())),
        };
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
        let _turn = self.turn();
        // What cannot be read is forgotten already.
        let Ok(mut rows) = self.rows() else { return Ok(()) };
        if rows.remove(name).is_none() {
            return Ok(());
        }
        self.replace(&rows)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rows(&self) -> Result<Rows, VaultError> {
        match fs::read(&self.path) {
            Ok(sealed) => self.unsealed(&sealed),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self.taken_over()),
            Err(error) => Err(VaultError::Io(self.path.clone(), error)),
        }
    }

    fn unsealed(&self, sealed: &[u8]) -> Result<Rows, VaultError> {
        let name = self.name();
        let key = self.keys.current()?;
        let key = key.ok_or_else(|| VaultError::OtherKey(self.path.clone()))?;
        let parsed = |content: &[u8]| {
            serde_json::from_slice(content).map_err(|_| VaultError::Damaged(self.path.clone()))
        };
        match key.open(&name, sealed) {
            Ok(content) => parsed(&content),
            Err(Unfit::OtherKey) => {
                // Before a key was configured the gateway had its own.
                let own = self.keys.own_if_there().ok().flatten();
                let content = own.and_then(|own| own.open(&name, sealed).ok());
                let rows = parsed(&content.ok_or_else(|| VaultError::OtherKey(self.path.clone()))?)?;
                if let Err(error) = self.replace(&rows) {
                    tracing::warn!(%error, "the tokens stay under the key of before");
                }
                Ok(rows)
            }
            Err(Unfit::Strange | Unfit::Damaged) => Err(VaultError::Damaged(self.path.clone())),
        }
    }

    /// The file that earlier versions kept in plain text, sealed from now on.
    fn taken_over(&self) -> Rows {
        let before = self.path.with_extension("json");
        let Ok(text) = fs::read(&before).map(Zeroizing::new) else {
            return Rows::new();
        };
        // One that cannot be read holds nothing that is of use.
        let rows: Rows = serde_json::from_slice(&text).unwrap_or_default();
        match self.replace(&rows) {
            Ok(()) => drop(fs::remove_file(&before)),
            Err(error) => tracing::warn!(%error, "the tokens stay in plain text"),
        }
        rows
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn replace(&self, rows: &Rows) -> io::Result<()> {
        let key = self.keys.current_or_new();
        let key = key.map_err(|error| io::Error::other(error.to_string()))?;
        let content = Zeroizing::new(serde_json::to_vec(rows)?);
        let sealed = key.get().seal(&self.name(), &content);
        let sealed = sealed.ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
        write_whole(&self.path, &sealed)
    }
}

/// A key of the configuration, or one that was just read.
enum Held<'a> {
    Configured(&'a Key),
    Own(Key),
}

impl Held<'_> {
    const fn get(&self) -> &Key {
        match self {
            Self::Configured(key) => key,
            Self::Own(key) => key,
        }
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unfit> {
        self.get().open(name, sealed)
    }
}

impl Keys {
    /// The key to open with, if there is one.
    fn current(&self) -> Result<Option<Held<'_>>, VaultError> {
        match &self.configured {
            Some(key) => Ok(Some(Held::Configured(key))),
            None => Ok(self.own_if_there()?.map(Held::Own)),
        }
    }

    /// The key to seal with; the first time the gateway makes one.
    fn current_or_new(&self) -> Result<Held<'_>, VaultError> {
        if let Some(key) = self.current()? {
            return Ok(key);
        }
        let io = |error| VaultError::Io(self.own.clone(), error);
        let mut octets = Zeroizing::new([0_u8; KEY_OCTETS]);
        SystemRandom::new()
            .fill(octets.as_mut_slice())
            .map_err(|_| io(io::Error::other("the system gives no random numbers")))?;
        let text = Secret::new(BASE64_STANDARD.encode(octets.as_slice()));
        write_whole(&self.own, text.reveal().as_bytes()).map_err(io)?;
        let key = Key::of(&text).ok_or_else(|| VaultError::NoKey(self.own.clone()))?;
        Ok(Held::Own(key))
    }

    fn own_if_there(&self) -> Result<Option<Key>, VaultError> {
        let text = match fs::read_to_string(&self.own) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(VaultError::NoKey(self.own.clone()));
            }
            Err(error) => return Err(VaultError::Io(self.own.clone(), error)),
        };
        let text = Secret::new(text.trim().to_owned());
        let long_enough = text.reveal().len() >= KEY_OCTETS;
        let key = Some(text).filter(|_| long_enough).as_ref().and_then(Key::of);
        key.map(Some).ok_or_else(|| VaultError::NoKey(self.own.clone()))
    }
}

/// Replaces a file so that after a power cut it is the old one or the new one. Nobody else may read it.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let _ = fs::remove_file(&beside); // of a write that was broken off, whatever its mode
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn token(text: &str) -> Kept {
        Kept {
            secret: Secret::new(text.into()),
            until: Some(7),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_token_outlives_a_restart_sealed_and_nobody_else_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        Vault::new(folder.path())
            .put("one", &token("t-0123456789"))
            .unwrap();
        let again = Vault::new(folder.path());
        assert_eq!(again.get("one"), Some(token("t-0123456789")));
        assert_eq!(again.get("two"), None);
        let file = folder.path().join(FILE);
        assert_eq!((mode(&file), mode(&folder.path().join(KEY_FILE))), (0o600, 0o600));
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(5).any(|part| part == b"t-012"), "in clear");
        again.forget("one").unwrap();
        assert_eq!(Vault::new(folder.path()).get("one"), None);
    }

    #[test]
    fn a_damaged_file_is_told_costs_the_tokens_and_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        vault.check().unwrap();
        vault.put("one", &token("t")).unwrap();
        let file = folder.path().join(FILE);
        for content in [
            b"{half".to_vec(),
            Vec::new(),
            fs::read(&file).unwrap()[..40].to_vec(),
        ] {
            fs::write(&file, &content).unwrap();
            assert!(matches!(vault.check(), Err(VaultError::Damaged(_))));
            assert_eq!(vault.get("one"), None);
            vault.forget("one").unwrap();
            vault.put("one", &token("t")).unwrap();
            assert_eq!(vault.get("one"), Some(token("t")));
            assert_eq!(fs::read(file.with_extension("unreadable")).unwrap(), content);
        }
    }

    #[test]
    fn a_plain_file_of_before_is_sealed_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let before = folder.path().join("tokens.json");
        fs::write(&before, r#"{"one":{"secret":"t","until":7}}"#).unwrap();
        Vault::new(folder.path()).check().unwrap();
        assert!(!before.exists());
        assert_eq!(Vault::new(folder.path()).get("one"), Some(token("t")));
    }

    #[test]
    fn a_configured_key_takes_over_and_without_it_nothing_opens() {
        let folder = tempfile::tempdir().unwrap();
        let key = Secret::new("a long and random text, they say".into());
        Vault::new(folder.path()).put("one", &token("t")).unwrap();
        let keyed = || Vault::keyed(folder.path(), Some(&key));
        assert_eq!(keyed().get("one"), Some(token("t")), "taken over");
        fs::remove_file(folder.path().join(KEY_FILE)).unwrap();
        assert_eq!(keyed().get("one"), Some(token("t")));
        let without = Vault::new(folder.path());
        let error = without.check().unwrap_err();
        assert!(matches!(error, VaultError::OtherKey(_)), "{error}");
        assert_eq!(without.get("one"), None);
        assert_eq!(keyed().get("one"), Some(token("t")), "looking costs nothing");
        let other = Secret::new("another long and random text".into());
        assert!(Vault::keyed(folder.path(), Some(&other)).check().is_err());
    }

    #[test]
    fn a_key_file_without_a_key_is_told_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        vault.put("one", &token("t")).unwrap();
        for content in [b"".as_slice(), b"short", &[0xFF, 0xFE]] {
            fs::write(folder.path().join(KEY_FILE), content).unwrap();
            assert!(matches!(vault.check(), Err(VaultError::NoKey(_))));
            assert!(vault.put("two", &token("t")).is_err());
            assert_eq!(fs::read(folder.path().join(KEY_FILE)).unwrap(), content);
        }
    }

    #[test]
    fn files_beside_share_the_key_and_not_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        let other = vault.beside("groups");
        other.put("one", &token("g")).unwrap();
        assert_eq!((vault.get("one"), other.get("one")), (None, Some(token("g"))));
        fs::copy(folder.path().join("groups.sealed"), folder.path().join(FILE)).unwrap();
        assert!(vault.check().is_err(), "one file is not another's");
    }
}
