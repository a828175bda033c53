//! The types of values: from what stands in the file to what the rooms need.

use super::{keys::nearest, reading::At, section::Section};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::de::DeValue;

impl Section<'_> {
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
    pub(super) fn path(&self, name: &str, folder: &Path) -> Option<At<PathBuf>> {
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
        Some("hours") => 3_600,
        Some("days") => 86_400,
        _ => 1,
    }
}

/// A short value itself, else what it is. Texts may be secrets in the wrong place, so they do not show.
pub(super) fn shown(value: &DeValue<'_>) -> String {
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
