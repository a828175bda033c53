//! What is wrong with a configuration, all of it at once, as a person wants to read it: where, what, what to do.

use anstyle::Style;
use serde::Serialize;
use std::{fmt, ops::Range, path::PathBuf};

/// One thing wrong, or not advisable, at one place of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{line}:{column}: {key}: {what}; {hint}")]
pub struct ConfigError {
    /// Line of the file, from 1; 0 when the file itself is the matter.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters of that line are meant; at least 1.
    #[serde(skip)]
    pub width: usize,
    /// The key as documented, `line.reader.address` say; empty when the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do next.
    pub hint: String,
}

/// Everything found in one file. No errors means that there is a configuration; warnings do not prevent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The file.
    pub file: PathBuf,
    /// What prevents its use, in the order of the file.
    pub errors: Vec<ConfigError>,
    /// What is allowed and not advisable.
    pub warnings: Vec<ConfigError>,
    pub(super) text: String,
}

/// Colours for [`Findings::render`]. The default is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Palette {
    /// The word "error" and its carets.
    pub error: Style,
    /// The word "warning" and its carets.
    pub warning: Style,
    /// The word "hint".
    pub hint: Style,
    /// Line numbers and bars.
    pub faint: Style,
}

impl Findings {
    /// Everything as text, warnings first and the count last, like a compiler's.
    #[must_use]
    pub fn render(&self, palette: &Palette) -> String {
        let mut text = String::new();
        for warning in &self.warnings {
            self.one(&mut text, "warning", palette.warning, palette, warning);
        }
        for error in &self.errors {
            self.one(&mut text, "error", palette.error, palette, error);
        }
        text
    }

    fn one(&self, text: &mut String, word: &str, style: Style, palette: &Palette, error: &ConfigError) {
        let (faint, hint) = (palette.faint, palette.hint);
        let number = error.line.to_string();
        let margin = " ".repeat(number.len());
        let file = self.file.display();
        text.push_str(&format!("{style}{word}{style:#}: {}\n", error.what));
        if error.line == 0 {
            text.push_str(&format!("{faint}{margin} -->{faint:#} {file}\n"));
        } else {
            let excerpt = self.excerpt(error.line);
            let before = " ".repeat(error.column.saturating_sub(1));
            let left = excerpt.chars().count().saturating_sub(before.len()).max(1);
            let carets = "^".repeat(error.width.clamp(1, left));
            text.push_str(&format!(
                "{faint}{margin}-->{faint:#} {file}:{}:{}\n{faint}{margin} |{faint:#}\n\
                 {faint}{number} |{faint:#} {excerpt}\n{faint}{margin} |{faint:#} {before}{style}{carets}{style:#}\n",
                error.line, error.column,
            ));
        }
        if !error.hint.is_empty() {
            text.push_str(&format!(
                "{faint}{margin} ={faint:#} {hint}hint{hint:#}: {}\n",
                error.hint
            ));
        }
        text.push('\n');
    }

    fn excerpt(&self, line: usize) -> String {
        let line = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        without_secrets(&line.replace('\t', " "))
    }
}

impl std::error::Error for Findings {}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(&Palette::default()).trim_end())
    }
}

/// The line with everything behind a secret's key blotted out, unless it is a reference (`{ file = … }`):
/// somebody may have written the secret itself, and messages end up in logs and tickets.
fn without_secrets(line: &str) -> String {
    /// What the names of such keys have in them: `client_secret`, `refresh_token`, and most slips of the pen as well.
    const SECRET: [&str; 3] = ["token", "password", "secret"];
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        SECRET.iter().any(|word| name.contains(word)) || name.rsplit('_').next() == Some("key")
    };
    for (at, _) in line.match_indices('=') {
        let (before, after) = line.split_at(at);
        let name = before
            .trim_end()
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .find(|word| !word.is_empty());
        let value = after.get(1..).unwrap_or_default();
        let is_reference = value.trim_start().starts_with('{') || value.trim().is_empty();
        if name.is_some_and(is_secret) && !is_reference {
            let blot: String = value
                .chars()
                .map(|c| if c.is_whitespace() { ' ' } else { '•' })
                .collect();
            return format!("{before}={blot}");
        }
    }
    line.to_owned()
}

/// Line and column (from 1, in characters) of a byte offset, and the number of characters of `span` on that line.
pub(super) fn locate(source: &str, span: &Range<usize>) -> (usize, usize, usize) {
    let start = floor_boundary(source, span.start);
    let end = floor_boundary(source, span.end.max(start));
    let before = source.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let inside = source.get(start..end).unwrap_or_default();
    let width = inside.lines().next().unwrap_or_default().chars().count();
    (line, column, width.max(1))
}

fn floor_boundary(source: &str, at: usize) -> usize {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let source = "a = 1\nñame = \"ü\"\n";
        let at = source.find("\"ü\"").unwrap();
        assert_eq!(locate(source, &(at..at + 4)), (2, 8, 3));
        assert_eq!(
            locate(source, &(0..source.len())),
            (1, 1, 5),
            "several lines: the first"
        );
        assert_eq!(
            locate(source, &(9_999..10_000)),
            (3, 1, 1),
            "beyond the end: the end"
        );
    }

    #[test]
    fn an_excerpt_never_shows_a_secret() {
        assert_eq!(without_secrets("token = \"hunter 2\""), "token = ••••••• ••");
        assert_eq!(
            without_secrets("{ id = \"a\", key = 'abc', x = 1 }"),
            "{ id = \"a\", key = •••••• • • • •"
        );
        assert_eq!(
            without_secrets("token = { file = \"/t\" }"),
            "token = { file = \"/t\" }"
        );
        for name in [
            "client_secret",
            "hook_secret",
            "path_secret",
            "refresh_token",
            "acs_token",
            "vault_key",
            "clientsecret",
            "Pasword_token",
        ] {
            let shown = without_secrets(&format!("{name} = \"hunter2\""));
            assert_eq!(shown, format!("{name} = •••••••••"));
        }
        for harmless in ["monkey = 1", "client_key_file = \"/k\"", "client_id = \"me\""] {
            assert_eq!(without_secrets(harmless), harmless);
        }
        assert_eq!(without_secrets("\"token\" = \"x\""), "\"token\" = •••");
    }
}
