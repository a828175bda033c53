//! The same facts from one TOML file, or from a folder of CSV files: for sites without a platform, for cleaners
//! and keys that no platform knows, and for trying things out. `docs/facts-file.md` describes both.
//!
//! A file is taken whole or not at all: every mistake in it is reported with its line, all at once, and the
//! doors go on with what it said before.
//!
//! | file | what |
//! | --- | --- |
//! | `tables` | TOML and CSV to items with their lines |
//! | `columns` | which fields there are |
//! | `export` | tables that staff export from a platform: members, bookings, passes |
//! | `headings` | what their columns are called |
//! | `dates` | dates as people's spreadsheets write them |

mod columns;
mod dates;
mod export;
mod headings;
mod tables;

use super::{
    Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, FactsProblem, Fetched, Known, Platform,
    PlatformError, Reply, check, wire::Collections,
};
use crate::domain::{Credential, Millis, PersonId, facts::Facts};
use jiff::tz::TimeZone;
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};
use tables::Tables;

/// How often a waiting caller looks whether a file changed.
const LOOK: Duration = Duration::from_secs(2);
/// Mistakes that one message lists; the count is told besides.
const MOST_LISTED: usize = 20;
/// The largest file: a row of a person with a card takes some 100 bytes, so a million people.
const MOST_BYTES: u64 = 128 << 20;

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileError {
    /// Which file.
    pub path: PathBuf,
    /// Which line, 1 first.
    pub line: usize,
    /// What is wrong, and what is right.
    pub text: String,
}

impl FileError {
    fn new(path: &Path, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.text)
    }
}

/// Facts in a file or a folder.
#[derive(Clone, Debug)]
pub struct FilePlatform {
    path: PathBuf,
    zone: Option<TimeZone>,
    /// How the files looked before they were last read: a change since then is news, also to a wait that begins later.
    seen: Arc<Mutex<Option<Stamps>>>,
}

/// Length and last change of each file, where there is one.
type Stamps = Vec<Option<(u64, Millis)>>;

impl FilePlatform {
    /// `path` is a TOML file or a folder of CSV files. Times without an offset are local to `zone`, the site's.
    #[must_use]
    pub fn new(path: PathBuf, zone: &str) -> Self {
        Self {
            path,
            zone: TimeZone::get(zone).ok(),
            seen: Arc::default(),
        }
    }

    /// Reads and checks the facts now.
    ///
    /// The version is greater than the known one whenever the contents are others: the files' last change, or
    /// one more than the known version if a clock or a copy made that smaller.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when the files cannot be read, [`ErrorKind::Malformed`] with every mistake.
    pub fn read(&self, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.stamps());
        let sources = self.sources()?;
        let etag = fingerprint(&sources);
        if known.is_some_and(|known| known.etag.as_deref() == Some(&etag)) {
            return Ok(Fetched::Unchanged);
        }
        let changed = sources.iter().map(|source| source.changed).max().unwrap_or(0);
        let least = known.map_or(1, |known| known.version.saturating_add(1));
        let version = u64::try_from(changed).unwrap_or(0).max(least);
        let parsed = parse(&sources, version, self.zone.as_ref()).map_err(|mut errors| {
            errors.sort();
            self.refusal(&errors)
        })?;
        check::bearable(&parsed.problems, parsed.items, &self.place())?;
        Ok(Fetched::Facts {
            facts: parsed.facts,
            etag: Some(etag),
            problems: parsed.problems,
        })
    }

    fn refusal(&self, errors: &[FileError]) -> PlatformError {
        let mut text = format!(
            "the facts in {} are not taken, and what was in force stays: {} {} to correct",
            self.path.display(),
            errors.len(),
            if errors.len() == 1 { "mistake" } else { "mistakes" }
        );
        for error in errors.iter().take(MOST_LISTED) {
            let _ = write!(text, "\n  {error}"); // writing to a String cannot fail
        }
        if errors.len() > MOST_LISTED {
            let _ = write!(text, "\n  and {} more", errors.len() - MOST_LISTED);
        }
        PlatformError::new(ErrorKind::Malformed, text)
    }

    fn sources(&self) -> Result<Vec<Source>, PlatformError> {
        let unreadable = |path: &Path, error: &io::Error| {
            let text = format!(
                "{} cannot be read: {error}; what was in force stays; check [cloud] path and who may read it",
                path.display()
            );
            PlatformError::new(ErrorKind::Unreachable, text)
        };
        if let Some(files) = self.export() {
            let mut sources = Vec::new();
            for (name, path) in files {
                match Source::read(Some(name), path.clone()) {
                    Ok(source) => sources.push(source),
                    Err(error) if error.kind() == io::ErrorKind::NotFound && name != "members" => {}
                    Err(error) => return Err(unreadable(&path, &error)),
                }
            }
            return Ok(sources);
        }
        if !self.path.is_dir() {
            let source =
                Source::read(None, self.path.clone()).map_err(|error| unreadable(&self.path, &error))?;
            return Ok(vec![source]);
        }
        let mut sources = Vec::new();
        for collection in columns::COLLECTIONS {
            let path = self.path.join(format!("{collection}.csv"));
            match Source::read(Some(collection), path.clone()) {
                Ok(source) => sources.push(source),
                // A site without passes has no passes.csv; without people it would have nothing.
                Err(error) if error.kind() == io::ErrorKind::NotFound && collection != "people" => {}
                Err(error) => return Err(unreadable(&path, &error)),
            }
        }
        Ok(sources)
    }

    /// The files of an export, if this is one: a folder with `members.csv` and without `people.csv`, or one table.
    fn export(&self) -> Option<Vec<(&'static str, PathBuf)>> {
        let folder = if self.path.is_dir() {
            let has = |name: &str| self.path.join(name).exists();
            if !has("members.csv") || has("people.csv") {
                return None;
            }
            self.path.clone()
        } else if self
            .path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
        {
            let beside = self.path.with_file_name(export::COLUMNS);
            return Some(vec![("members", self.path.clone()), (export::COLUMNS, beside)]);
        } else {
            return None;
        };
        let tables = export::TABLES.map(|name| (name, folder.join(format!("{name}.csv"))));
        let columns = (export::COLUMNS, folder.join(export::COLUMNS));
        Some(tables.into_iter().chain([columns]).collect())
    }

    async fn fetch_apart(&self, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        let (this, known) = (self.clone(), known.cloned());
        tokio::task::spawn_blocking(move || this.read(known.as_ref()))
            .await
            .unwrap_or_else(|error| {
                Err(PlatformError::malformed(format_args!(
                    "reading the facts failed: {error}"
                )))
            })
    }

    async fn wait(&self, at_most: Duration) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let before = seen.unwrap_or_else(|| self.stamps());
        let end = tokio::time::Instant::now() + at_most;
        loop {
            if self.stamps() != before {
                return true;
            }
            if tokio::time::Instant::now() >= end {
                return false;
            }
            tokio::time::sleep_until(end.min(tokio::time::Instant::now() + LOOK)).await;
        }
    }

    /// Sizes and last changes: cheap to look at.
    fn stamps(&self) -> Stamps {
        let one = |path: &Path| fs::metadata(path).ok().map(|data| (data.len(), changed(&data)));
        if let Some(files) = self.export() {
            return files.iter().map(|(_, path)| one(path)).collect();
        }
        if self.path.is_dir() {
            let each = columns::COLLECTIONS.map(|name| one(&self.path.join(format!("{name}.csv"))));
            return each.to_vec();
        }
        vec![one(&self.path)]
    }
}

/// One file's contents.
struct Source {
    /// Which collection a CSV file holds; absent for a TOML file, which holds all.
    collection: Option<&'static str>,
    path: PathBuf,
    text: String,
    changed: Millis,
}

impl Source {
    fn read(collection: Option<&'static str>, path: PathBuf) -> io::Result<Self> {
        let data = fs::metadata(&path)?;
        if data.len() > MOST_BYTES {
            return Err(io::Error::other(format!(
                "it is larger than {} MB",
                MOST_BYTES >> 20
            )));
        }
        Ok(Self {
            collection,
            text: fs::read_to_string(&path)?,
            path,
            changed: changed(&data),
        })
    }
}

/// For [`crate::fuzzing`]: a facts file as it stands; mistakes are told with a line of it.
pub(crate) fn fuzz_toml(text: &str) {
    let source = Source {
        collection: None,
        path: PathBuf::from("facts.toml"),
        text: text.to_owned(),
        changed: 0,
    };
    let zone = TimeZone::get("Europe/Madrid").ok();
    if let Err(errors) = parse(&[source], 1, zone.as_ref()) {
        assert!(!errors.is_empty(), "refused without a reason");
        for error in errors {
            assert!(error.line <= text.lines().count() + 1, "{error}");
        }
    }
}

fn changed(data: &fs::Metadata) -> Millis {
    let since = data
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(0))
}

/// Equal when the contents are, as far as a checksum and a length can tell.
fn fingerprint(sources: &[Source]) -> String {
    let mut sum = crc32fast::Hasher::new();
    let mut length = 0_usize;
    for source in sources {
        sum.update(source.collection.unwrap_or("toml").as_bytes());
        sum.update(&[0]);
        sum.update(source.text.as_bytes());
        sum.update(&[0]);
        length += source.text.len();
    }
    format!("{:08x}-{length}", sum.finalize())
}

/// What the files say.
struct Parsed {
    facts: Facts,
    /// How many items there were.
    items: usize,
    /// What was left out of an export. Anything wrong with a file that is written by hand is an error.
    problems: Vec<FactsProblem>,
}

fn parse(sources: &[Source], version: u64, zone: Option<&TimeZone>) -> Result<Parsed, Vec<FileError>> {
    let mut errors = Vec::new();
    let mut tables = Tables::new();
    let mut left_out = Vec::new();
    let mut paths: BTreeMap<&'static str, &Path> = BTreeMap::new();
    let is_export = sources.iter().any(|source| source.collection == Some("members"));
    if is_export {
        let export = export::read(sources, &mut errors);
        (tables, left_out) = (export.tables, export.problems);
        let file = |name| {
            sources
                .iter()
                .find(|source| source.collection == Some(export::table_of(name)))
        };
        paths.extend(
            columns::COLLECTIONS
                .into_iter()
                .filter_map(|name| Some((name, file(name)?.path.as_path()))),
        );
    }
    for source in sources.iter().filter(|_| !is_export) {
        match source.collection {
            Some(collection) => {
                tables.insert(collection, tables::csv(&source.path, &source.text, &mut errors));
                paths.insert(collection, &source.path);
            }
            None => {
                tables = tables::toml(&source.path, &source.text, &mut errors);
                paths = columns::COLLECTIONS
                    .map(|name| (name, source.path.as_path()))
                    .into();
            }
        }
    }
    let items = tables.values().map(Vec::len).sum();
    let mut whole = serde_json::Map::new();
    for (collection, items) in &tables {
        let path = paths.get(collection).copied().unwrap_or(Path::new(""));
        let objects = items
            .iter()
            .map(|item| item.object(collection, path, &mut errors));
        whole.insert((*collection).to_owned(), objects.collect());
    }
    if !errors.is_empty() {
        return Err(errors); // what follows would only repeat them in other words
    }
    let collections: Collections = match serde_json::from_value(whole.into()) {
        Ok(collections) => collections,
        Err(error) => return Err(vec![FileError::new(Path::new("facts"), 1, error.to_string())]),
    };
    let (candidates, problems) = collections.read(zone);
    let (facts, mut problems) = check::check(candidates, version, problems);
    if is_export {
        problems.extend(left_out);
    } else if !problems.is_empty() {
        return Err(problems
            .iter()
            .map(|problem| located(problem, &tables, &paths))
            .collect());
    }
    Ok(Parsed {
        facts,
        items,
        problems,
    })
}

/// A problem of an item with the line that it stands on. A file's owner can correct it at once, so in a file
/// every one counts.
fn located(problem: &FactsProblem, tables: &Tables, paths: &BTreeMap<&'static str, &Path>) -> FileError {
    let item = tables
        .get(problem.collection)
        .and_then(|items| items.get(problem.index));
    let line = item.map_or(1, |item| {
        let field = item
            .fields
            .iter()
            .find(|(name, ..)| Some(name.as_str()) == problem.field);
        field.map_or(item.line, |(_, line, _)| *line)
    });
    let path = paths.get(problem.collection).copied().unwrap_or(Path::new(""));
    // "left out" is what becomes of it elsewhere.
    let text = problem.to_string();
    let text = text.rsplit_once(';').map_or(text.as_str(), |(what, _)| what);
    FileError::new(path, line, text)
}

impl Platform for FilePlatform {
    fn place(&self) -> String {
        self.path.display().to_string()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: true,
            check_ins: CheckIns::Never("a file takes no check-ins"),
            cards: false,
        }
    }
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched> {
        Box::pin(self.fetch_apart(known))
    }
    fn refreshes_parts(&self) -> bool {
        false
    }
    fn is_here(&self) -> bool {
        true
    }
    fn wait_hint(&self, _: u64, at_most: Duration) -> Reply<'_, bool> {
        Box::pin(async move { Ok(self.wait(at_most).await) })
    }
    fn check_in<'a>(&'a self, _: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        self.unsupported("take check-ins")
    }
    fn assign_credential<'a>(&'a self, _: &'a PersonId, _: &'a Credential) -> Reply<'a, ()> {
        self.unsupported("be told of a card; write it into the file")
    }
    fn remove_credential<'a>(&'a self, _: &'a PersonId, _: &'a Credential) -> Reply<'a, ()> {
        self.unsupported("be told of a card; take it out of the file")
    }
}

impl FilePlatform {
    fn unsupported<T: Send + 'static>(&self, what: &str) -> Reply<'static, T> {
        let text = format!("facts in the file {} cannot {what}", self.path.display());
        let error = PlatformError::new(ErrorKind::Unsupported, text);
        Box::pin(std::future::ready(Err(error)))
    }
}
