//! Secrets by reference only: `{ file = "/path" }` or `{ credential = "name" }`, never in the file itself.

use super::{
    env::Environment,
    reading::{At, Reading},
    section::Section,
};
use crate::domain::secret::Secret;
use std::{
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// What the configuration is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run doors: every secret must be there.
    Run,
    /// To look: a secret that this user may not read, or that only the service gets, is a warning. Such a
    /// configuration holds an empty secret in its place and must not be run.
    Inspect,
}

/// Where secrets come from.
#[derive(Clone, Debug)]
pub(super) struct Keeper<'a> {
    pub(super) purpose: Purpose,
    pub(super) environment: &'a Environment,
    /// Folder of the configuration file, for relative paths.
    pub(super) folder: &'a Path,
}

/// No secret is longer; a wrong path may name something huge.
const LONGEST: u64 = 64 * 1024;

impl Keeper<'_> {
    /// The secret that `name` refers to. `None`: there is none, or it was complained about.
    /// An empty one stands for one that could not be read while only looking.
    pub(super) fn secret(&self, section: &Section<'_>, name: &str) -> Option<At<Secret>> {
        if !section.has(name) {
            return None;
        }
        let (span, key, reading) = (section.span_of(name), section.key(name), section.reading);
        if !section.is_table(name) {
            let hint = format!(
                "put it into a file that only the gateway may read and write `{name} = {{ file = \"/etc/doorward/{name}\" }}`, \
                 or give it to systemd and write `{name} = {{ credential = \"{name}\" }}`"
            );
            reading.error(&span, &key, "a secret does not stand in this file", hint);
            return None;
        }
        let complaints = reading.complaints();
        let reference = section.table(name, "secret")?;
        let (file, credential) = (
            reference.path("file", self.folder),
            reference.optional_text("credential"),
        );
        let at = |path: PathBuf| At {
            value: path,
            span: span.clone(),
            key: key.clone(),
        };
        let path = match (file, credential) {
            (Some(file), None) => at(file.value),
            (None, Some(credential)) => at(self.credential(reading, &credential, &span, &key)?),
            (Some(_), Some(_)) => {
                reading.error(
                    &span,
                    &key,
                    format!("`{name}` has both a file and a credential"),
                    "keep one of them",
                );
                return None;
            }
            (None, None) if reading.complaints() == complaints => {
                let hint = "write { file = \"…\" } or { credential = \"…\" }";
                reading.error(&span, &key, format!("`{name}` names no place"), hint);
                return None;
            }
            (None, None) => return None, // what it holds instead was complained about
        };
        if path.value.as_os_str().is_empty() {
            return Some(path.map(|_| Secret::new(String::new())));
        }
        let group_readable = reference.flag("group_readable").value;
        let text = self.read(reading, &path, group_readable)?;
        Some(path.map(|_| text))
    }

    /// Path of a systemd credential; empty when it can only be known inside the service.
    fn credential(
        &self,
        reading: &Reading,
        name: &At<String>,
        span: &std::ops::Range<usize>,
        key: &str,
    ) -> Option<PathBuf> {
        if name.value.is_empty() || name.value.contains('/') || name.value.starts_with('.') {
            reading.wrong(
                name,
                format!("`{}` is no name of a credential", name.value.escape_debug()),
                "write the name that LoadCredential= gives it",
            );
            return None;
        }
        match (&self.environment.credentials, self.purpose) {
            (Some(folder), _) => Some(folder.join(&name.value)),
            (None, Purpose::Inspect) => {
                let what = format!(
                    "credential `{}` was not checked: only the service gets it",
                    name.value
                );
                reading.warn(
                    span,
                    key,
                    what,
                    "`systemctl status doorward` tells whether the service found it",
                );
                Some(PathBuf::new())
            }
            (None, Purpose::Run) => {
                let what = format!(
                    "there is no credential `{}`: systemd gave this process none",
                    name.value
                );
                let hint = format!(
                    "add `LoadCredential={}:/path` to doorward.service, or refer to a file",
                    name.value
                );
                reading.error(span, key, what, hint);
                None
            }
        }
    }

    fn read(&self, reading: &Reading, path: &At<PathBuf>, group_readable: bool) -> Option<Secret> {
        let shown = path.value.display();
        match read_private(&path.value, group_readable) {
            Ok(text) => Some(Secret::new(text)),
            Err(Unfit::Io(error))
                if self.purpose == Purpose::Inspect && error.kind() == ErrorKind::PermissionDenied =>
            {
                let what = format!("{shown} was not checked: this user may not read it");
                reading.warn(
                    &path.span,
                    &path.key,
                    what,
                    "run the check as root, or as the user of the service",
                );
                Some(Secret::new(String::new()))
            }
            Err(Unfit::Io(error)) => {
                reading.wrong(
                    path,
                    format!("{shown} cannot be read: {}", plain(&error)),
                    "create it, readable by the gateway's user only (chmod 600)",
                );
                None
            }
            Err(Unfit::Open(mode)) => {
                let hint = if mode & 0o007 == 0 {
                    format!(
                        "chmod 600 {shown}, or add group_readable = true if that group is the gateway's own"
                    )
                } else {
                    format!("chmod 600 {shown}, and change the secret: it may have been read")
                };
                reading.wrong(
                    path,
                    format!("{shown} can be read by others (mode {mode:04o})"),
                    hint,
                );
                None
            }
            Err(Unfit::Content(what)) => {
                reading.wrong(
                    path,
                    format!("{shown} {what}"),
                    "it holds the secret on one line and nothing else",
                );
                None
            }
        }
    }
}

enum Unfit {
    Io(std::io::Error),
    Open(u32),
    Content(&'static str),
}

fn read_private(path: &Path, group_readable: bool) -> Result<String, Unfit> {
    let about = std::fs::metadata(path).map_err(Unfit::Io)?;
    if !about.is_file() {
        return Err(Unfit::Content("is not a file"));
    }
    let mode = about.permissions().mode() & 0o7777;
    let forbidden = if group_readable { 0o037 } else { 0o077 };
    if mode & forbidden != 0 {
        return Err(Unfit::Open(mode));
    }
    if about.len() > LONGEST {
        return Err(Unfit::Content("is too long for a secret"));
    }
    let bytes = std::fs::read(path).map_err(Unfit::Io)?;
    let text = String::from_utf8(bytes).map_err(|_| Unfit::Content("is not text"))?;
    let text = zeroize::Zeroizing::new(text);
    let secret = text.trim_end_matches(['\r', '\n']);
    match secret {
        "" => Err(Unfit::Content("is empty")),
        secret if secret.contains(['\r', '\n']) => Err(Unfit::Content("has more than one line")),
        secret => Ok(secret.to_owned()),
    }
}

/// The mode of a file that users outside its group may read.
pub(super) fn readable_by_anybody(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o7777;
    (mode & 0o007 != 0).then_some(mode)
}

/// The system's error without its number.
pub(super) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".into(),
        ErrorKind::PermissionDenied => "this user may not read it".into(),
        _ => error.to_string(),
    }
}
