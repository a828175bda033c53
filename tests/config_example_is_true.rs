//! The shipped `config/doorward.toml` is valid, names every key, and tells the defaults as they are.

use doorward::config::{
    Environment, Purpose,
    keys::{Absent, KEYS},
    parse,
};
use std::{collections::BTreeSet, path::Path};

const EXAMPLE: &str = include_str!("../config/doorward.toml");

#[test]
fn the_example_is_a_valid_site() {
    let (config, findings) = parse(
        Path::new("/etc/doorward/doorward.toml"),
        EXAMPLE.into(),
        Purpose::Run,
        &Environment::default(),
    );
    assert!(findings.errors.is_empty(), "{findings}");
    let config = config.unwrap();
    assert_eq!((config.site.doors.len(), config.lines.len()), (2, 1));
    assert_eq!(
        config.site.schedules[0].week[4][0].until,
        19 * 60,
        "Friday's own hours win"
    );
    // Two readers in install mode, and facts that are not there yet.
    assert_eq!(config.warnings.len(), 3, "{:#?}", config.warnings);
}

/// Prose begins with `# `; a key that is not set begins with `#` alone.
fn uncommented(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') && !rest.is_empty() => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Every `key = value` of the example: its documented path, its value, and what its line says about the default.
fn documented() -> Vec<(String, String, Option<String>)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in uncommented(EXAMPLE).lines() {
        if line.starts_with('[') {
            section = line
                .split('#')
                .next()
                .unwrap()
                .trim()
                .trim_matches(['[', ']'])
                .to_owned();
        } else if let Some((key, rest)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            let (value, default) = match rest.split_once(" # default: ") {
                Some((value, default)) => (value, Some(default.to_owned())),
                None => (rest, None),
            };
            let key = key.trim_matches('"');
            let path = if section.is_empty() {
                key.to_owned()
            } else {
                format!("{section}.{key}")
            };
            found.push((path, value.trim().to_owned(), default));
        }
    }
    found
}

#[test]
fn every_key_stands_in_the_example() {
    let mut here: BTreeSet<String> = documented().into_iter().map(|(path, ..)| path).collect();
    for (path, value, _) in documented() {
        // Inline tables, such as `release = { reader = …, output = … }`.
        for part in value
            .trim_matches(['{', '}'])
            .split(", ")
            .filter(|_| value.starts_with('{'))
        {
            if let Some((key, _)) = part.split_once('=') {
                here.insert(format!("{path}.{}", key.trim()));
                here.insert(format!("secret.{}", key.trim()));
            }
        }
        if let Some((map, _)) = path
            .rsplit_once('.')
            .filter(|(map, _)| KEYS.iter().any(|key| key.path.strip_suffix(".*") == Some(map)))
        {
            here.insert(format!("{map}.*"));
        }
    }
    let missing: Vec<_> = KEYS
        .iter()
        .map(|key| key.path)
        .filter(|path| !here.contains(*path) && *path != "secret.group_readable")
        .collect();
    assert!(missing.is_empty(), "not in config/doorward.toml: {missing:?}");
}

#[test]
fn every_default_stands_in_the_example_as_it_is() {
    let documented = documented();
    for key in KEYS {
        let Absent::Is(default) = key.absent else { continue };
        let all = documented.iter().filter(|(path, ..)| path == key.path);
        let by_line: Vec<_> = all
            .map(|(_, value, said)| said.as_deref().unwrap_or(value))
            .collect();
        if by_line.is_empty() || by_line.iter().any(|said| *said != default) {
            // Keys of inline tables and lists say it in the prose.
            let name = key.path.rsplit('.').next().unwrap();
            let said = [
                format!("`{name} = {default}`"),
                format!("Default: {default}"),
                format!("({default} when left out)"),
            ];
            assert!(
                said.iter().any(|said| EXAMPLE.contains(said)),
                "{}: the default is {default}, the example says {by_line:?}",
                key.path
            );
        }
    }
}

#[test]
fn every_key_that_is_not_set_is_one_that_is_known() {
    let (_, findings) = parse(
        Path::new("/etc/doorward/doorward.toml"),
        uncommented(EXAMPLE),
        Purpose::Inspect,
        &Environment::default(),
    );
    let unknown: Vec<_> = findings
        .errors
        .iter()
        .filter(|error| error.what.contains("unknown key") || error.key.is_empty())
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
