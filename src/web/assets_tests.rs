//! What the compiler does not see of the page: words in every language, names of files, how heavy it is.

use super::*;
use crate::{
    domain::{
        EventKind, GrantKind, Reason,
        say::{self, FAULTS, Sentence},
    },
    web::signin::{Act, Role},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// First load over the wire, compressed (issue: below 150 KB).
const HEAVIEST: usize = 150_000;

fn text(name: &str) -> &'static str {
    FILES.iter().find(|(known, _)| *known == name).unwrap().1
}

fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().copied().filter(|(name, _)| name.ends_with(".js"))
}

fn words(language: &str) -> BTreeMap<String, Value> {
    serde_json::from_str(text(&format!("lang/{language}.json"))).unwrap()
}

/// The names in braces, in order, of a text or of each of its plurals.
fn placeholders(value: &Value) -> BTreeSet<Vec<&str>> {
    fn one(text: &str) -> Vec<&str> {
        let mut found: Vec<&str> = text
            .split('{')
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
    match value {
        Value::String(text) => BTreeSet::from([one(text)]),
        Value::Object(plurals) => plurals.values().map(|it| one(it.as_str().unwrap())).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn every_language_has_the_same_words() {
    let english = words("en");
    for language in ["es", "de"] {
        let other = words(language);
        let keys = |it: &BTreeMap<String, Value>| it.keys().cloned().collect::<BTreeSet<_>>();
        let apart: Vec<String> = keys(&english)
            .symmetric_difference(&keys(&other))
            .cloned()
            .collect();
        assert!(apart.is_empty(), "{language}: {apart:?}");
        for (key, value) in &english {
            let theirs = &other[key];
            assert_eq!(placeholders(value), placeholders(theirs), "{language}: {key}");
            assert_eq!(value.is_object(), theirs.is_object(), "{language}: {key}");
            if let Value::Object(plurals) = theirs {
                assert!(
                    plurals.contains_key("one") && plurals.contains_key("other"),
                    "{language}: {key}"
                );
            }
        }
    }
}

/// What stands between these two in the scripts.
fn between(open: &str, close: char) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, script) in scripts() {
        for rest in script.split(open).skip(1) {
            found.insert(rest.split(close).next().unwrap().to_owned());
        }
    }
    found
}

/// A key of the words: `room.name`.
fn looks_like_a_key(text: &str, rooms: &BTreeSet<&str>) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.:".contains(c);
    text.chars().all(plain)
        && text
            .split_once('.')
            .is_some_and(|(room, rest)| rooms.contains(room) && !rest.is_empty())
}

#[test]
fn every_word_that_a_script_asks_for_is_there_and_none_is_left_over() {
    let english = words("en");
    let rooms: BTreeSet<&str> = english.keys().map(|key| key.split('.').next().unwrap()).collect();
    let mut asked: BTreeSet<String> = between("\"", '"');
    asked.retain(|text| looks_like_a_key(text, &rooms));
    // Every quote is a beginning to `between`, so texts between two literals are in it as well; none looks like a key.
    let missing: Vec<&String> = asked.iter().filter(|key| !english.contains_key(*key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // `reason.${name}`: which there are is checked below, and in the other direction here.
    let mut made: BTreeSet<String> = between("`", '$');
    made.retain(|text| text.contains('.') && rooms.contains(text.split('.').next().unwrap()));
    let unused: Vec<&String> = english
        .keys()
        // The page of forms has these.
        .filter(|key| !key.starts_with("plain."))
        .filter(|key| !asked.contains(*key) && !made.iter().any(|begin| key.starts_with(begin.as_str())))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_stable_name_of_the_gateway_has_words() {
    let english = words("en");
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(Reason::ALL.iter().map(|it| format!("reason.{}", it.name())));
    wanted.extend(EventKind::ALL.iter().map(|it| format!("kind.{}", it.name())));
    wanted.extend(Act::ALL.iter().map(|it| format!("scope.{}", it.name())));
    for role in Role::ALL {
        wanted.extend([
            format!("role.{}", role.name()),
            format!("role_may.{}", role.name()),
        ]);
    }
    for state in ["secured", "released", "open", "held", "forced"] {
        wanted.push(format!("door_state.{state}"));
    }
    for state in ["open", "outside_hours", "not_yet", "void"] {
        wanted.push(format!("right.{state}"));
    }
    for kind in ["plan", "assignment", "booking", "pass", "direct"] {
        wanted.push(format!("because.{kind}"));
    }
    wanted.extend(GrantKind::ALL.iter().map(|it| format!("grant.{}", it.name())));
    for word in ["waiting", "told", "unseen", "refused", "kept_here", "agrees"] {
        wanted.push(format!("platform.{word}"));
    }
    for word in [
        "auto",
        "uid",
        "uid-reversed",
        "decimal",
        "decimal-reversed",
        "wiegand26",
        "ks",
        "token",
    ] {
        wanted.push(format!("format.{word}"));
    }
    wanted.extend(["platform", "desk", "guest"].map(|it| format!("place.{it}")));
    for kind in ["pcsc", "pn532", "wedge", "door", "page"] {
        wanted.push(format!("reader_kind.{kind}"));
    }
    wanted.extend(["retry", "keep_here", "undo"].map(|it| format!("conflict.done_{it}")));
    // Titles of problems, and what the sign-in puts in their place.
    for outcome in [
        "not signed in",
        "not allowed",
        "not found",
        "not understood",
        "not possible now",
        "too many attempts",
        "not done",
        "refused",
        "no role",
    ] {
        wanted.push(format!("outcome.{}", outcome.replace(' ', "_")));
    }
    wanted.extend(["assigned", "already_theirs", "bad"].map(|it| format!("import.{it}")));
    wanted.retain(|key| !english.contains_key(key));
    assert!(wanted.is_empty(), "{wanted:?}");
}

/// What can be said, with the names of what is filled in; small print is not.
fn said() -> BTreeMap<String, BTreeSet<&'static str>> {
    let of_sentence = |it: &Sentence| (it.code, it.params.to_vec());
    let sentences = say::lists().iter().copied().flatten().map(of_sentence);
    let faults = FAULTS.iter().map(|it| (it.kind, it.about.into_iter().collect()));
    sentences
        .chain(faults)
        .map(|(code, params)| (format!("say.{code}"), params.into_iter().collect()))
        .collect()
}

/// The other languages have the same keys and the same names in them: the test above compares.
#[test]
fn every_sentence_of_the_gateway_has_words_and_no_words_are_without_a_sentence() {
    let (english, said) = (words("en"), said());
    let silent: Vec<&String> = said.keys().filter(|code| !english.contains_key(*code)).collect();
    assert!(silent.is_empty(), "without words: {silent:?}");
    for (key, value) in english.iter().filter(|(key, _)| key.starts_with("say.")) {
        let params = said.get(key).unwrap_or_else(|| panic!("{key} is no sentence"));
        for name in placeholders(value).iter().flatten() {
            assert!(
                params.contains(name),
                "{key} has {{{name}}}, which is not filled in"
            );
        }
    }
}

/// Who raises a fault names its kind in a literal, a constant or a variable of its own: each must be one of the list, or
/// nobody could say it in another language.
#[test]
fn every_kind_of_fault_that_is_raised_is_known() {
    let mut files = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut sources = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("web/assets_tests.rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let production = text.split("#[cfg(test)]\nmod ").next().unwrap();
            sources.push(production.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    let literal = |text: &str| {
        let text = text.trim_start().trim_start_matches("&format!(").trim_start();
        let kind = text.strip_prefix('"')?.split(['"', ':', '{']).next()?;
        Some(kind.to_owned()).filter(|kind| !kind.is_empty())
    };
    let mut raised = BTreeSet::new();
    for source in &sources {
        for call in [".raise(", ".fault(", ".trouble(", "faults.insert(format!("] {
            for rest in source.split(call).skip(1) {
                raised.extend(literal(rest));
                let name = rest
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap();
                if !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                    let constant = format!("const {name}: &str = ");
                    let value = source.split(&constant).nth(1).unwrap_or_default();
                    raised.extend(literal(value));
                }
            }
        }
        let keys = ["let key = ", "let key = format!("];
        let held = keys
            .into_iter()
            .flat_map(|key| source.split(key).skip(1))
            .filter_map(literal);
        raised.extend(held.filter(|kind| kind.contains('_')));
    }
    // The store names the file that a fault is about.
    raised.retain(|kind| !["journal", "state"].contains(&kind.as_str()));
    assert!(raised.len() > 50, "they are found: {raised:?}");
    let unknown: Vec<_> = raised
        .iter()
        .filter(|kind| FAULTS.iter().all(|fault| fault.kind != kind.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_file_is_served_and_names_only_what_is_served() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/assets");
    let mut there = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                there.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    for beside in ["README.md", "index.html"] {
        assert!(there.remove(beside), "{beside}");
    }
    let served: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, served);
    for (name, script) in scripts() {
        let folder = std::path::Path::new(name).parent().unwrap();
        for rest in script.split("from \"").skip(1) {
            let wanted = rest.split('"').next().unwrap();
            let mut path: Vec<&str> = folder.iter().map(|it| it.to_str().unwrap()).collect();
            for step in wanted.split('/') {
                match step {
                    "." => {}
                    ".." => drop(path.pop()),
                    step => path.push(step),
                }
            }
            assert!(served.contains(&path.join("/")), "{name} names {wanted}");
        }
    }
}

#[test]
fn the_first_load_is_light_and_has_nothing_inside_that_the_policy_refuses() {
    let document = filled("Casa <Demo>", true, false);
    assert!(document.contains("data-site=\"Casa &lt;Demo&gt;\" data-first=\"true\" data-oidc=\"false\""));
    for refused in [
        "<style",
        "style=",
        " onclick",
        "javascript:",
        "http://",
        "https://",
    ] {
        assert!(!document.contains(refused), "{refused}");
    }
    assert_eq!(
        document.matches("<script").count(),
        document.matches("<script type=\"module\" src=\"/assets/").count()
    );
    // One language of the three is loaded.
    let files = FILES
        .iter()
        .filter(|(name, _)| !matches!(*name, "lang/en.json" | "lang/es.json"));
    let weight: usize = files.map(|(_, text)| packed(text).unwrap().len()).sum();
    let weight = weight + packed(&document).unwrap().len();
    println!("page_first_load {weight} bytes");
    assert!(weight < HEAVIEST, "{weight}");
    for (name, text) in FILES {
        assert!(
            name.ends_with(".json") || text.lines().count() < 400,
            "{name} wants to be two"
        );
        assert!(
            !name.ends_with(".js") || !text.contains("innerHTML"),
            "{name}: what others wrote would become elements"
        );
    }
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let asked = |pairs: &[(header::HeaderName, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
        answer(&headers, "text/css; charset=utf-8", "body {}", FOR_GOOD, "abc")
    };
    let plain = asked(&[]);
    assert_eq!(plain.headers()[header::ETAG], "W/\"abc\"");
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    let packed = asked(&[(header::ACCEPT_ENCODING, "br;q=1.0, gzip;q=0.8")]);
    assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
    assert!(
        !asked(&[(header::ACCEPT_ENCODING, "gzip;q=0")])
            .headers()
            .contains_key(header::CONTENT_ENCODING)
    );
    for known in ["W/\"abc\"", "\"x\", \"abc\""] {
        assert_eq!(
            asked(&[(header::IF_NONE_MATCH, known)]).status(),
            StatusCode::NOT_MODIFIED
        );
    }
    assert_eq!(
        asked(&[(header::IF_NONE_MATCH, "\"x\"")]).status(),
        StatusCode::OK
    );
}
