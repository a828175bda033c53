//! What messages, units and the README send people to stands in the package.

use std::{collections::BTreeSet, fs, path::Path};

const DOCS: &str = "usr/share/doc/doorward/";

/// Every path that the package puts on a machine, without the first slash.
fn installed() -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string("Cargo.toml").unwrap().parse().unwrap();
    let mut paths = BTreeSet::new();
    for asset in manifest["package"]["metadata"]["deb"]["assets"]
        .as_array()
        .unwrap()
    {
        let (from, to) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
        if !to.ends_with('/') {
            paths.insert(to.to_owned());
            continue;
        }
        let (folder, pattern) = from.rsplit_once('/').unwrap();
        let Some(ending) = pattern.strip_prefix('*') else {
            paths.insert(format!("{to}{pattern}"));
            continue;
        };
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if entry.path().is_file() && name.ends_with(ending) {
                paths.insert(format!("{to}{name}"));
            }
        }
    }
    paths
}

/// What stands behind each `start` in `text`, up to what can be no part of a path.
fn named<'t>(text: &'t str, start: &'t str) -> impl Iterator<Item = String> + 't {
    text.split(start).skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_./".contains(c)));
        rest[..end.unwrap_or(rest.len())].trim_end_matches('.').to_owned()
    })
}

fn texts(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, into);
        } else if let Ok(text) = fs::read_to_string(&path) {
            into.push_str(&text);
        }
    }
}

#[test]
fn documents_that_messages_and_units_name_are_in_the_package() {
    let installed = installed();
    let mut text = String::new();
    for folder in ["src/cli", "src/config", "src/daemon", "systemd"] {
        texts(Path::new(folder), &mut text);
    }
    let named: BTreeSet<String> = named(&text, DOCS).map(|path| format!("{DOCS}{path}")).collect();
    assert!(!named.is_empty());
    let missing: Vec<&String> = named.difference(&installed).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn documents_that_the_readme_links_are_beside_it_in_the_package() {
    let installed = installed();
    let readme = fs::read_to_string("README.md").unwrap();
    let linked: BTreeSet<String> = named(&readme, "](docs/")
        .map(|path| format!("docs/{path}"))
        .collect();
    assert!(linked.len() > 10, "{linked:?}");
    for link in linked {
        let file = match Path::new(&link).is_dir() {
            true => format!("{}/README.md", link.trim_end_matches('/')),
            false => link,
        };
        assert!(installed.contains(&format!("{DOCS}{file}")), "{file}");
    }
}
