//! Typed access to one table of the file. What is missing, misspelt or of another type is noted and replaced by
//! something harmless, so that reading goes on and everything wrong is found at once.

use super::{
    keys::{Absent, absent, children, nearest},
    reading::{At, Reading},
    values::{kind, shown},
};
use std::ops::Range;
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

    /// A text of another table, without a word about what is wrong with it: whoever reads that table says so.
    pub(super) fn peek(&self, table: &str, name: &str) -> Option<&'d str> {
        self.found(table)?
            .get_ref()
            .as_table()?
            .get(name)?
            .get_ref()
            .as_str()
    }

    /// Whether the file says it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.found(name).is_some()
    }

    /// Whether the value is a table, as a reference to a secret is.
    pub(super) fn is_table(&self, name: &str) -> bool {
        self.found(name).is_some_and(|value| value.get_ref().is_table())
    }

    /// Whether the value is a list of nothing.
    pub(super) fn is_empty_list(&self, name: &str) -> bool {
        self.found(name)
            .and_then(|value| value.get_ref().as_array())
            .is_some_and(|list| list.is_empty())
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
            let hint = if wanted.starts_with("a list") && value.get_ref().is_str() {
                format!("write {name} = [\"…\"], in square brackets")
            } else {
                hint
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
    pub(super) fn value<T: Default>(
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
