//! Words for the page of forms, from the same files as those of the scripts.

use crate::domain::Say;
use axum::http::{HeaderMap, header};
use std::collections::HashMap;

const LANGUAGES: [(&str, &str); 3] = [
    ("en", include_str!("assets/lang/en.json")),
    ("es", include_str!("assets/lang/es.json")),
    ("de", include_str!("assets/lang/de.json")),
];

/// The words of one language.
#[derive(Debug)]
pub(super) struct Words {
    /// `en`, `es` or `de`.
    pub language: &'static str,
    words: HashMap<String, serde_json::Value>,
}

impl Words {
    /// In the language that the browser likes most, of those that there are; else in English. They are read for each
    /// request: it is a few hundred lines, and nobody without scripts asks often.
    #[must_use]
    pub(super) fn asked(headers: &HeaderMap) -> Self {
        let liked = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|it| it.to_str().ok());
        let language = preferred(liked.unwrap_or_default());
        let text = LANGUAGES.iter().find(|(name, _)| *name == language);
        let words = text.and_then(|(_, text)| serde_json::from_str(text).ok());
        Self {
            language,
            words: words.unwrap_or_default(),
        }
    }

    /// The words of a key; the key itself if there are none.
    #[must_use]
    pub(super) fn get<'a>(&'a self, key: &'a str) -> &'a str {
        let words = self.words.get(key);
        // Of one and many the many: what is counted here is seconds.
        let words = words.map(|it| it.get("other").unwrap_or(it));
        words.and_then(serde_json::Value::as_str).unwrap_or(key)
    }

    /// A sentence of the gateway's; `text` where there are no words for it.
    #[must_use]
    pub(super) fn said(&self, say: Option<&Say>, text: &str) -> String {
        let known = say.map(|say| (say, format!("say.{}", say.code)));
        let Some((say, key)) = known.filter(|(_, key)| self.words.contains_key(key)) else {
            return text.to_owned();
        };
        let values = say.params.iter().map(|(name, value)| {
            let text = value.as_str().unwrap_or_default();
            let called = match name.as_str() {
                "role" | "scope" | "grant" => self.get(&format!("{name}.{text}")).to_owned(),
                _ if value.is_object() => {
                    let within: Option<Say> = serde_json::from_value(value.clone()).ok();
                    self.said(within.as_ref(), text)
                }
                _ => text.to_owned(),
            };
            (name.as_str(), called)
        });
        let values: Vec<_> = values.collect();
        let values: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.with(&key, &values)
    }

    /// The same with `{name}` filled in. What goes in is shown as it is.
    #[must_use]
    pub(super) fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("{{{name}}}"), value);
        values.iter().fold(self.get(key).to_owned(), fill)
    }
}

/// The best of `Accept-Language` (RFC 9110, 12.5.4).
fn preferred(liked: &str) -> &'static str {
    let ranked = liked.split(',').filter_map(|part| {
        let mut words = part.split(';').map(str::trim);
        let tag = words.next()?.get(..2)?.to_ascii_lowercase();
        let quality = words
            .find_map(|it| it.strip_prefix("q="))
            .map_or(Ok(1.0), str::parse::<f32>);
        let known = LANGUAGES.iter().find(|(name, _)| *name == tag)?;
        Some((quality.ok().filter(|it| *it > 0.0)?, known.0))
    });
    // The first of those that are liked the same.
    let best = ranked.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map_or("en", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::say::page;

    #[test]
    fn the_language_that_is_liked_most_and_there_is_spoken() {
        for (liked, spoken) in [
            ("", "en"),
            ("fr-FR,fr;q=0.9", "en"),
            ("es-ES,es;q=0.9,en;q=0.8", "es"),
            ("en;q=0.5, DE-at", "de"),
            ("de;q=0, es;q=0.1", "es"),
            ("es,de", "es"),
            ("*, ü", "en"),
        ] {
            assert_eq!(preferred(liked), spoken, "{liked}");
        }
        let words = Words::asked(&HeaderMap::new());
        assert_eq!(words.get("nav.doors"), "Doors");
        assert_eq!(words.get("no.such"), "no.such");
        assert_eq!(words.with("desk.has", &[("name", "Ana")]), "Ana has this card");
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "de".parse().unwrap());
        let (german, why) = (Words::asked(&headers), page::role_needed("doors:open", "desk"));
        let say = Say::of(why.as_ref());
        let said = german.said(say.as_ref(), why.as_ref());
        assert!(
            said.contains("Empfang") && said.contains("Türen öffnen"),
            "{said}"
        );
        assert_eq!(german.said(None, "as it is"), "as it is");
        let say = Say::of_fault("stale:pass", "too long ago");
        assert!(german.said(say.as_ref(), "").contains("Pass"));
    }
}
