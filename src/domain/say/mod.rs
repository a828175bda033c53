//! What the gateway says in its own words, as a closed list: each sentence has a code, its English text and the names of what
//! is filled in. Whoever says one calls the function of its code and gets the English text, which goes into answers, into the
//! journal and over the command line as it always did. At the edge, where somebody may want it in another language,
//! [`Say::of`] finds code and parameters again, also of what was written down before a restart or an update.
//!
//! A parameter `technical` is a line of another program, for the small print: an error of the system, what a platform
//! answered. One called `why`, `right`, `how`, `asker` or
//! `fault` may be a sentence itself.
//!
//! | file | what |
//! | --- | --- |
//! | `desk` | cards, people, queues and sheets at the enrolment desk |
//! | `readers` | the desk's readers |
//! | `page` | sign-in, accounts, doors, and requests that cannot be understood |
//! | `journal` | details of events |
//! | `faults` | the kinds of faults |

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// A list of sentences, and for each a function that says it.
macro_rules! sentences {
    ($(#[$about:meta])* $list:ident { $($code:ident($($param:ident),*) = $text:literal;)* }) => {
        $(
            #[doc = concat!("`` ", $text, " ``")]
            #[must_use]
            pub fn $code($($param: impl std::fmt::Display),*) -> super::Said {
                super::Said(format!($text $(, $param = $param)*))
            }
        )*
        $(#[$about])*
        pub const $list: &[super::Sentence] = &[$(super::Sentence {
            code: stringify!($code),
            english: $text,
            params: &[$(stringify!($param)),*],
        }),*];
    };
}

pub mod desk;
pub mod faults;
pub mod journal;
pub mod page;
pub mod readers;

pub use desk::DESK;
pub use faults::{FAULTS, Fault};
pub use journal::JOURNAL;
pub use page::PAGE;
pub use readers::READERS;

/// Every list in which a sentence is looked for by [`Say::of`].
const SPOKEN: &[&[Sentence]] = &[DESK, READERS, PAGE];

/// Every sentence there is.
#[must_use]
pub const fn lists() -> &'static [&'static [Sentence]] {
    &[
        DESK,
        desk::ROWS,
        desk::FORMATS,
        READERS,
        PAGE,
        JOURNAL,
        journal::RIGHTS,
        journal::WAYS,
        journal::ASKERS,
    ]
}

/// A sentence of one of the lists, in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Said> for String {
    fn from(said: Said) -> Self {
        said.0
    }
}

impl AsRef<str> for Said {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// One that can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Its stable name: `card_is`.
    pub code: &'static str,
    /// In English, with `{name}` where something is filled in.
    pub english: &'static str,
    /// The names of what is filled in.
    pub params: &'static [&'static str],
}

/// What a sentence says, for whoever says it in another language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Say {
    /// The stable name of the sentence.
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    /// What is filled in, by name: text, or another sentence with `code` and `params`. `technical` is a line of another
    /// program.
    pub params: BTreeMap<String, Value>,
}

impl Say {
    /// What this text says, if it is a sentence of the gateway's.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::among(SPOKEN, text)
    }

    /// What the detail of an event says.
    #[must_use]
    pub fn of_detail(text: &str) -> Option<Self> {
        Self::among(&[JOURNAL], text)
    }

    /// What an outcome in a row of a sheet says.
    #[must_use]
    pub fn of_row(text: &str) -> Option<Self> {
        Self::among(&[DESK, desk::ROWS], text)
    }

    /// In which way a card is written, by its English name.
    #[must_use]
    pub fn of_format(text: &str) -> Option<Self> {
        Self::among(&[desk::FORMATS], text)
    }

    /// What a fault says, by the kind in its key. The text goes into the small print: it names the cause.
    #[must_use]
    pub fn of_fault(key: &str, text: &str) -> Option<Self> {
        let (kind, subject) = key.split_once(':').unwrap_or((key, ""));
        let fault = FAULTS.iter().find(|fault| fault.kind == kind)?;
        let mut params = BTreeMap::new();
        if let Some(name) = fault.about {
            params.insert(name.to_owned(), Value::from(subject));
        }
        if !text.is_empty() {
            params.insert(TECHNICAL.to_owned(), Value::from(text));
        }
        Some(Self {
            code: fault.kind.into(),
            params,
        })
    }

    /// Of the sentences that fit, the one with the most words of its own.
    fn among(lists: &[&[Sentence]], text: &str) -> Option<Self> {
        let all = lists.iter().flat_map(|list| list.iter());
        let fitting = all.filter_map(|sentence| Some((sentence, sentence.parts(text)?)));
        let (sentence, parts) = fitting.max_by_key(|(sentence, _)| sentence.own())?;
        let filled = parts.into_iter().map(|(name, part)| {
            let within = match name {
                "why" => Self::of(part).or_else(|| Self::of_detail(part)),
                "right" => Self::among(&[journal::RIGHTS], part),
                "how" => Self::among(&[journal::WAYS], part),
                "asker" => Self::among(&[journal::ASKERS], part),
                "fault" => Self::of_fault(part, ""),
                _ => None,
            };
            let value = within.map_or_else(|| Value::from(part), |it| serde_json::json!(it));
            (name.to_owned(), value)
        });
        Some(Self {
            code: sentence.code.into(),
            params: filled.collect(),
        })
    }
}

/// The parameter that is a line of another program.
const TECHNICAL: &str = "technical";

impl Sentence {
    /// Bytes of it that are not filled in.
    fn own(&self) -> usize {
        let filled: usize = self.params.iter().map(|name| name.len() + 2).sum();
        self.english.len().saturating_sub(filled)
    }

    /// What is filled in, if the text is this sentence. The first fit counts: what goes in may hold words of the sentence.
    fn parts<'a>(&self, text: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        let mut found = Vec::with_capacity(self.params.len());
        let mut pieces = self.english.split(['{', '}']);
        let mut rest = text.strip_prefix(pieces.next()?)?;
        while let (Some(name), Some(after)) = (pieces.next(), pieces.next()) {
            let last = pieces.clone().next().is_none();
            let (part, behind) = match (last, after) {
                (true, after) => (rest.strip_suffix(after)?, ""),
                (false, after) => rest.split_once(after)?,
            };
            let name = self.params.iter().find(|it| **it == name)?;
            found.push((*name, part));
            rest = behind;
        }
        rest.is_empty().then_some(found)
    }
}

#[cfg(test)]
mod tests;
