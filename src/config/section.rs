//! Typed access to one table of the file. What is missing, misspelt or of another type is noted and replaced by
//! something harmless, so that reading goes on and everything wrong is found at once.

use super::{
    keys::{Absent, absent, children, nearest},
    reading::{At, Reading},
};
use std::{ops::Range, path::PathBuf, time::Duration};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One table.
pub(super) struct Section<'d> {
    pub(super) reading: &'d Reading,
    path: &'static str,
    table: Option<&'d DeTable<'d>>,
    pub(super) span: Range<usize>,
}

impl<'d> Section<'d> {
    /// A table that the file does not have, at the place of another.
    pub(super) fn empty(beside: &Section<'d>, path: &'static str) -> Self {
        Self::new(beside.reading, path, None, beside.span.clone())
    }

    /// The top of the file.
    pub(super) fn top(reading: &'d Reading, table: &'d DeTable<'d>) -> Self {
        Self::new(reading, "", Some(table), 0..0)
    }

    pub(super) fn new(
        reading: &'d Reading,
        path: &'static str,
        table: Option<&'d DeTable<'d>>,
        span: Range<usize>,
    ) -> Self {
        let section = Self {
            reading,
            path,
            table,
            span,
        };
        let known = children(path);
        if !known.contains(&"*") {
            for name in table.into_iter().flat_map(DeTable::keys) {
                if !known.contains(&name.get_ref().as_ref()) {
                    section.unknown(name.get_ref(), &name.span(), &known);
                }
            }
        }
        section
    }

    fn unknown(&self, name: &str, span: &Range<usize>, known: &[&str]) {
        let place = match self.path {
            "" => "at the top of the file".into(),
            "secret" => "in a reference to a secret".into(),
            path => format!("in [{path}]"),
        };
        let hint = match nearest(name, known.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.reading.error(
            span,
            &self.key(name),
            format!("unknown key `{name}` {place}"),
            hint,
        );
    }

    /// The documented path of a key of this section.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn found(&self, name: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table?.get(name)
    }

    /// Whether the file says it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.found(name).is_some()
    }

    /// Whether the value is a table, as a reference to a secret is.
    pub(super) fn is_table(&self, name: &str) -> bool {
        self.found(name).is_some_and(|value| value.get_ref().is_table())
    }

    /// Where the key's value stands; the section's own place if it is absent.
    pub(super) fn span_of(&self, name: &str) -> Range<usize> {
        self.found(name).map_or(self.span.clone(), Spanned::span)
    }

    /// The key as `convert` understands it, or its default. `wanted` completes "must be …".
    pub(super) fn optional<T>(
        &self,
        name: &str,
        wanted: &str,
        convert: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Option<At<T>> {
        let key = self.key(name);
        if let Some(value) = self.found(name) {
            let span = value.span();
            if let Some(value) = convert(value.get_ref()) {
                return Some(At { value, span, key });
            }
            let what = format!("`{name}` must be {wanted}");
            let hint = match absent(self.path, name) {
                Absent::Is(default) => {
                    format!("it holds {}; the default is {default}", shown(value.get_ref()))
                }
                _ => format!("it holds {}", shown(value.get_ref())),
            };
            self.reading.error(&span, &key, what, hint);
            return None;
        }
        match absent(self.path, name) {
            Absent::Is(text) => {
                let value = DeValue::parse(text)
                    .ok()
                    .and_then(|value| convert(value.get_ref()))?;
                Some(At {
                    value,
                    span: 0..0,
                    key,
                })
            }
            Absent::Unset => None,
            Absent::Refused => {
                self.missing(name, &format!("add `{name} = …`: {wanted}"));
                None
            }
        }
    }

    /// Says that a key is missing here.
    pub(super) fn missing(&self, name: &str, hint: &str) {
        let what = format!("`{name}` is missing in [{}]", self.path);
        self.reading.error(&self.span, &self.key(name), what, hint);
    }

    /// The key, or something harmless after a complaint.
    fn value<T: Default>(
        &self,
        name: &str,
        wanted: &str,
        convert: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> At<T> {
        self.optional(name, wanted, convert).unwrap_or_else(|| At {
            value: T::default(),
            span: 0..0,
            key: self.key(name),
        })
    }

    pub(super) fn optional_text(&self, name: &str) -> Option<At<String>> {
        self.optional(name, "text in quotes", text)
    }

    pub(super) fn text(&self, name: &str) -> At<String> {
        self.value(name, "text in quotes", text)
    }

    pub(super) fn flag(&self, name: &str) -> At<bool> {
        self.value(name, "true or false", |value| value.as_bool())
    }

    /// A whole number between the bounds, both included.
    pub(super) fn optional_number(&self, name: &str, least: u64, most: u64) -> Option<At<u64>> {
        let wanted = format!("a whole number from {least} to {most}");
        self.optional(name, &wanted, |value| {
            integer(value).filter(|n| (least..=most).contains(n))
        })
    }

    pub(super) fn number(&self, name: &str, least: u64, most: u64) -> At<u64> {
        self.optional_number(name, least, most).unwrap_or_default()
    }

    /// A number from 0 to 255.
    pub(super) fn byte(&self, name: &str, most: u8) -> At<u8> {
        self.number(name, 0, most.into())
            .map(|n| u8::try_from(n).unwrap_or(u8::MAX))
    }

    /// A share from 0 to 1.
    pub(super) fn share(&self, name: &str) -> f64 {
        let share = |value: &DeValue<'_>| {
            let number = match value {
                DeValue::Float(float) => float.as_str().parse().ok(),
                other => integer(other).and_then(|n| u32::try_from(n).ok()).map(f64::from),
            };
            number.filter(|n| (0.0..=1.0).contains(n))
        };
        self.value(name, "a share from 0 to 1 (0.2 is 20 %)", share).value
    }

    /// A duration in the unit that the key's name ends in.
    pub(super) fn duration(&self, name: &str, least: u64, most: u64) -> Duration {
        Duration::from_secs(self.number(name, least, most).value * unit_seconds(name))
    }

    pub(super) fn texts(&self, name: &str) -> Vec<At<String>> {
        let key = self.key(name);
        let list = self.optional(name, "a list of texts in quotes", |value| texts(value, &key));
        let default = |span: &Range<usize>| span.is_empty();
        let list = list.map(|at| (default(&at.span), at.value)).unwrap_or_default();
        let (from_default, mut list) = list;
        if from_default {
            list.iter_mut().for_each(|at| at.span = 0..0);
        }
        list
    }

    /// One of the words, each with its meaning.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<At<T>> {
        let found = self.optional_text(name)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == found.value) {
            return Some(found.map(|_| *meaning));
        }
        let list: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let hint = match nearest(&found.value, words.iter().map(|(word, _)| *word)) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!("it is one of {}", list.join(", ")),
        };
        self.reading.wrong(
            &found,
            format!("`{name}` cannot be \"{}\"", found.value.escape_debug()),
            hint,
        );
        None
    }

    /// A path; a relative one starts at the folder of the file.
    pub(super) fn path(&self, name: &str, folder: &std::path::Path) -> Option<At<PathBuf>> {
        let path = self.optional_text(name)?;
        if path.value.is_empty() {
            self.reading.wrong(
                &path,
                format!("`{name}` is empty"),
                "write a path or leave it out",
            );
            return None;
        }
        Some(path.map(|path| folder.join(path)))
    }

    /// A table inside this one, if the file has it. `path` is its documented path.
    pub(super) fn table(&self, name: &str, path: &'static str) -> Option<Section<'d>> {
        let value = self.found(name)?;
        let Some(table) = value.get_ref().as_table() else {
            let hint =
                format!("write [{path}] on a line of its own, its keys below, or {{ … }} behind the =");
            self.reading.error(
                &value.span(),
                path,
                format!("`{name}` must be a table"),
                format!("it holds {}; {hint}", kind(value.get_ref())),
            );
            return None;
        };
        Some(Section::new(self.reading, path, Some(table), value.span()))
    }

    /// A table inside this one; an absent one has its defaults.
    pub(super) fn table_or_default(&self, name: &str, path: &'static str) -> Section<'d> {
        self.table(name, path)
            .unwrap_or_else(|| Section::new(self.reading, path, None, self.span.clone()))
    }

    /// The tables of `[[name]]`, in the order of the file.
    pub(super) fn tables(&self, name: &str, path: &'static str) -> Vec<Section<'d>> {
        let Some(value) = self.found(name) else {
            return Vec::new();
        };
        let refuse = |at: &Spanned<DeValue<'_>>| {
            let hint = format!("begin each with [[{path}]], in double brackets");
            self.reading.error(
                &at.span(),
                path,
                format!("`{name}` must be a list of tables"),
                hint,
            );
        };
        let Some(list) = value.get_ref().as_array() else {
            refuse(value);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_table() {
                Some(table) => sections.push(Section::new(self.reading, path, Some(table), item.span())),
                None => refuse(item),
            }
        }
        sections
    }

    /// The entries of a table whose keys are free: names of the platform.
    pub(super) fn free_entries(&self) -> impl Iterator<Item = (&'d str, &'d Spanned<DeValue<'d>>)> {
        self.table
            .into_iter()
            .flat_map(DeTable::iter)
            .map(|(name, value)| (name.get_ref().as_ref(), value))
    }
}

/// The text of a string value.
pub(super) fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The items of a list of strings, each with its place.
pub(super) fn texts(value: &DeValue<'_>, key: &str) -> Option<Vec<At<String>>> {
    let list = value.as_array()?;
    list.iter()
        .map(|item| {
            Some(At {
                value: text(item.get_ref())?,
                span: item.span(),
                key: key.to_owned(),
            })
        })
        .collect()
}

/// A whole number, not negative.
pub(super) fn integer(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn unit_seconds(name: &str) -> u64 {
    match name.rsplit('_').next() {
        Some("minutes") => 60,
        Some("days") => 86_400,
        _ => 1,
    }
}

/// A short value itself, else what it is. Texts may be secrets in the wrong place, so they do not show.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        other => kind(other).to_owned(),
    }
}

/// What a value is, for people.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
