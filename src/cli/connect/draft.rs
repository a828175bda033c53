//! `[cloud]` and `[map]` as text to paste, and the files that are written: never over one that is there.

use super::{
    ask::{Given, Value},
    kept::Line as Kept,
    keys::Form,
    suggest::{Ground, Side},
};
use crate::{
    cli::failure::{Failure, status},
    domain::secret::Secret,
};
use std::{
    fmt::Write as _,
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Names that are tried for a file before giving up: NAME, NAME-2, NAME-3 …
const NAMES: u32 = 100;

/// Text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// `[cloud]` and the platform's own table, with what was given and what stays. `file` says where a typed secret stands.
pub(super) fn cloud(kind: &str, given: &Given, kept: &[Kept], file: impl Fn(&str) -> PathBuf) -> String {
    let mut tables = [format!("[cloud]\nkind = \"{kind}\"\n"), String::new()];
    for (key, value) in given.iter() {
        let [common, own] = &mut tables;
        let table = if key.common { common } else { own };
        let value = match value {
            Value::Text(text) if key.form == Form::Number => text.clone(),
            Value::Text(text) => quoted(text),
            Value::File(path) => reference(path),
            Value::Typed(_) => reference(&file(key.name)),
        };
        let _ = writeln!(table, "{} = {value}", key.name); // a string takes everything
    }
    for line in kept {
        let [common, own] = &mut tables;
        let table = if line.common { common } else { own };
        let _ = writeln!(table, "{} = {} # as it was", line.name, line.value);
    }
    let [common, own] = tables;
    if own.is_empty() {
        common
    } else {
        format!("{common}\n[cloud.{kind}]\n{own}")
    }
}

fn reference(path: &Path) -> String {
    format!("{{ file = {} }}", quoted(&path.display().to_string()))
}

/// `[map]`. What is like nothing stands there as a comment: it opens nothing until somebody says what (R8).
fn map(plan: &[Side]) -> String {
    let mut text = String::new();
    for side in plan {
        let _ = writeln!(text, "\n[map.{}]", side.table);
        for line in &side.lines {
            let key = quoted(line.key());
            let name = if line.by_id {
                format!("{}; ", line.name.escape_debug())
            } else {
                String::new()
            };
            let groups: Vec<String> = line.groups.iter().map(|group| quoted(group.as_str())).collect();
            let groups = groups.join(", ");
            let _ = match &line.ground {
                Ground::AsBefore => writeln!(text, "{key} = [{groups}] # {name}as it was"),
                Ground::NotSeen => writeln!(text, "{key} = [{groups}] # as it was; not seen there"),
                Ground::Group => writeln!(text, "{key} = [{groups}] # {name}by its name: look at it"),
                Ground::Door(door) if !groups.is_empty() => {
                    writeln!(
                        text,
                        "{key} = [{groups}] # {name}by the name of a door ({}): look at it",
                        door.escape_debug()
                    )
                }
                _ => writeln!(text, "#{key} = [] # {name}opens nothing until it is mapped (R8)"),
            };
        }
    }
    text
}

/// A folder for typed secrets while they are tried. Gone when this is.
#[derive(Debug)]
pub(super) struct Workshop(PathBuf);

impl Workshop {
    /// Makes it in `folder`, or, while there is no secret to keep, nowhere.
    pub(super) fn new<'a>(
        folder: &Path,
        secrets: impl Iterator<Item = (&'static str, &'a Secret)>,
    ) -> Result<Self, Failure> {
        let workshop = Self(folder.join(format!(".doorward-connect-{}", std::process::id())));
        let cannot = |error: io::Error| {
            let message = format!("secrets cannot be kept in {}: {error}", folder.display());
            Failure::new(
                status::FAILED,
                message,
                "run the command as root (sudo), or name another folder with --write-to",
            )
        };
        for (number, (name, secret)) in secrets.enumerate() {
            if number == 0 {
                fs::DirBuilder::new()
                    .mode(0o700)
                    .create(&workshop.0)
                    .map_err(cannot)?;
            }
            create(&workshop.secret(name), secret.reveal(), 0o600).map_err(cannot)?;
        }
        Ok(workshop)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Where a secret stands in it.
    pub(super) fn secret(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes a new file; one that is there is an error.
fn create(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    use io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Writes a new file under the first name that is free: NAME, NAME-2, …
fn create_beside(path: &Path, text: &str, mode: u32) -> Result<PathBuf, Failure> {
    let mut last = None;
    for number in 1..NAMES {
        let name = match number {
            1 => path.to_owned(),
            _ => PathBuf::from(format!("{}-{number}", path.display())),
        };
        match create(&name, text, mode) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
            Err(error) => {
                last = Some(error);
                break;
            }
        }
    }
    let why = last.map_or_else(String::new, |error| error.to_string());
    let message = format!("{} cannot be written: {why}", path.display());
    Err(Failure::new(
        status::FAILED,
        message,
        "run the command as root (sudo), or name another folder with --write-to",
    ))
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Written {
    /// To paste.
    pub(super) text: String,
    /// Where that stands, if it was written.
    pub(super) file: Option<PathBuf>,
    /// Files of secrets that were written.
    pub(super) secrets: Vec<PathBuf>,
}

/// What all drafts say.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) kind: &'static str,
    /// What stays of the configuration.
    pub(super) kept: &'a [Kept],
    /// The configuration that it is for.
    pub(super) config: &'a Path,
    /// Today.
    pub(super) date: &'a str,
}

impl Draft<'_> {
    fn text(&self, given: &Given, plan: &[Side], file: impl Fn(&str) -> PathBuf) -> String {
        let Self {
            kind,
            kept,
            config,
            date,
        } = self;
        let config = config.display();
        let head = format!(
            "# Made by `doorward connect {kind}` on {date}. Look it through, put it into {config} in place of [cloud]\n\
             # and [map.…], then run `doorward check-config {config}`.\n"
        );
        let cloud = cloud(kind, given, kept, file);
        format!(
            "{head}{cloud}\n# What opens which groups of doors. What is not here opens nothing.{}",
            map(plan)
        )
    }

    /// The text alone. Typed secrets are kept nowhere: it says where they are expected.
    pub(super) fn printed(&self, given: &Given, plan: &[Side], folder: &Path) -> Written {
        Written {
            text: self.text(given, plan, |name| folder.join(format!("{}-{name}", self.kind))),
            file: None,
            secrets: Vec::new(),
        }
    }

    /// Writes the typed secrets, then the text beside the configuration.
    pub(super) fn written(&self, given: &Given, plan: &[Side], folder: &Path) -> Result<Written, Failure> {
        let mut secrets = Vec::new();
        let folder = std::path::absolute(folder)?;
        for (name, secret) in given.typed() {
            let path = folder.join(format!("{}-{name}", self.kind));
            secrets.push((name, create_beside(&path, secret.reveal(), 0o600)?));
        }
        let place = |name: &str| {
            let found = secrets.iter().find(|(known, _)| *known == name);
            found.map(|(_, path)| path.clone()).unwrap_or_default()
        };
        let text = self.text(given, plan, place);
        let name = self.config.file_name().unwrap_or("doorward.toml".as_ref());
        let file = folder.join(format!("{}.new", name.to_string_lossy()));
        Ok(Written {
            file: Some(create_beside(&file, &text, 0o640)?),
            text,
            secrets: secrets.into_iter().map(|(_, path)| path).collect(),
        })
    }
}
