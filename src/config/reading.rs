//! What reading a file gathers on the way: everything wrong, and which names are defined and used where.

use super::{
    error::{ConfigError, locate},
    keys::nearest,
};
use std::{cell::RefCell, ops::Range};

/// A value and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
    /// The documented path of its key.
    pub(super) key: String,
}

impl<T> At<T> {
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> At<U> {
        At {
            value: f(self.value),
            span: self.span,
            key: self.key,
        }
    }
}

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Line,
    Reader,
    Door,
    Group,
    Schedule,
}

impl Named {
    const fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Reader => "reader",
            Self::Door => "door",
            Self::Group => "group",
            Self::Schedule => "schedule",
        }
    }
}

/// The longest id. It stands in topics, in the ring and in every event.
pub(super) const MAX_ID: usize = 48;

struct Remark {
    span: Range<usize>,
    key: String,
    what: String,
    hint: String,
}

/// Gathers while the sections are read; the order of reading does not matter.
#[derive(Default)]
pub(super) struct Reading {
    errors: RefCell<Vec<Remark>>,
    warnings: RefCell<Vec<Remark>>,
    defined: RefCell<Vec<(Named, At<String>)>>,
    used: RefCell<Vec<(Named, At<String>)>>,
}

impl Reading {
    pub(super) fn error(
        &self,
        span: &Range<usize>,
        key: &str,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.errors.borrow_mut().push(Remark {
            span: span.clone(),
            key: key.to_owned(),
            what: what.into(),
            hint: hint.into(),
        });
    }

    pub(super) fn warn(
        &self,
        span: &Range<usize>,
        key: &str,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.warnings.borrow_mut().push(Remark {
            span: span.clone(),
            key: key.to_owned(),
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// How much is wrong so far.
    pub(super) fn complaints(&self) -> usize {
        self.errors.borrow().len()
    }

    /// An error at a value.
    pub(super) fn wrong<T>(&self, at: &At<T>, what: impl Into<String>, hint: impl Into<String>) {
        self.error(&at.span, &at.key, what, hint);
    }

    /// A name comes into being here. It must be fit for a topic, and (seen at the end) the only one of its kind.
    pub(super) fn define(&self, kind: Named, id: &At<String>) {
        if id.span.is_empty() {
            return; // absent, and said so already
        }
        self.fit_for_a_topic(id);
        self.defined.borrow_mut().push((kind, id.clone()));
    }

    /// A name is used here and must be defined somewhere.
    pub(super) fn refer(&self, kind: Named, id: &At<String>) {
        if !id.span.is_empty() {
            self.used.borrow_mut().push((kind, id.clone()));
        }
    }

    /// Ids stand in MQTT topics and file names.
    pub(super) fn fit_for_a_topic(&self, id: &At<String>) {
        let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if id.value.is_empty() {
            self.wrong(
                id,
                format!("`{}` is empty", id.key),
                "give it a short name, `front-door` say",
            );
        } else if let Some(bad) = id.value.chars().find(|c| !fit(*c)) {
            let hint = format!(
                "ids stand in MQTT topics: use a to z, 0 to 9, `-` and `_`, for example `{}`",
                tame(&id.value)
            );
            self.wrong(
                id,
                format!("`{}` is no id: it holds {bad:?}", id.value.escape_debug()),
                hint,
            );
        } else if id.value.len() > MAX_ID {
            let what = format!("`{}` has {} characters", id.value, id.value.len());
            self.wrong(id, what, format!("at most {MAX_ID} fit into an event"));
        }
    }

    /// Every name that is used and defined nowhere.
    fn check_names(&self) {
        let defined = self.defined.borrow();
        for (kind, id) in self.used.borrow().iter() {
            let known = || {
                defined
                    .iter()
                    .filter(|(k, _)| k == kind)
                    .map(|(_, id)| id.value.as_str())
            };
            if known().any(|name| name == id.value) {
                continue;
            }
            let word = kind.word();
            let hint = match (nearest(&id.value, known()), known().next()) {
                (Some(name), _) => format!("did you mean `{name}`?"),
                (None, None) => format!("there is no [[{word}]] yet"),
                (None, Some(_)) => format!("{word}s are: {}", known().collect::<Vec<_>>().join(", ")),
            };
            self.wrong(id, format!("there is no {word} `{}`", id.value), hint);
        }
    }

    /// Every name that is defined twice.
    fn check_duplicates(&self, source: &str) {
        let defined = self.defined.borrow();
        for (index, (kind, id)) in defined.iter().enumerate() {
            let same = |(k, other): &&(Named, At<String>)| k == kind && other.value == id.value;
            if let Some((_, first)) = defined.iter().take(index).find(same) {
                let (line, ..) = locate(source, &first.span);
                let what = format!("two {}s are called `{}`", kind.word(), id.value);
                self.wrong(
                    id,
                    what,
                    format!("the first stands in line {line}: give one of them another id"),
                );
            }
        }
    }

    /// Errors and warnings with their places, in the order of the file.
    pub(super) fn finish(self, source: &str) -> (Vec<ConfigError>, Vec<ConfigError>) {
        self.check_duplicates(source);
        self.check_names();
        (
            located(source, self.errors.into_inner()),
            located(source, self.warnings.into_inner()),
        )
    }
}

fn located(source: &str, remarks: Vec<Remark>) -> Vec<ConfigError> {
    let mut all: Vec<ConfigError> = remarks
        .into_iter()
        .map(|remark| {
            let (line, column, width) = locate(source, &remark.span);
            ConfigError {
                line,
                column,
                width,
                key: remark.key,
                what: remark.what,
                hint: remark.hint,
            }
        })
        .collect();
    all.sort_by_key(|error| (error.line, error.column));
    all.dedup();
    all
}

/// An id that resembles `text` and is fit for a topic.
fn tame(text: &str) -> String {
    let mut tame = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || c == '_' {
            tame.push(c);
        } else if !tame.ends_with('-') && !tame.is_empty() {
            tame.push('-');
        }
    }
    let tame = tame.trim_end_matches('-');
    tame.get(..tame.len().min(MAX_ID)).unwrap_or("door").to_owned()
}
