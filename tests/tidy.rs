//! The rules of the repository that no compiler knows: arrows between rooms, who may name what, file lengths,
//! links. Each failure lists every offence with what to do about it.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Which rooms each room may name (docs/architecture.md). Everything else is an arrow that points up.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &["domain"]),
    ("health", &["domain"]),
    ("memory", &[]),
    ("config", &["domain"]),
    ("access", &["domain"]),
    ("rules", &["domain", "config"]),
    ("store", &["domain", "health", "clock"]),
    ("platform", &["domain", "config", "health", "clock"]),
    ("readers", &["domain", "config", "health", "clock"]),
    ("building", &["domain", "config", "health", "clock"]),
    (
        "web",
        &[
            "desk", "salto", "access", "rules", "store", "platform", "domain", "config", "health", "clock",
        ],
    ),
    (
        "desk",
        &[
            "access", "rules", "store", "platform", "domain", "config", "health", "clock", "memory",
        ],
    ),
    (
        "salto",
        &[
            "rules", "store", "platform", "domain", "config", "health", "clock",
        ],
    ),
    (
        "doors",
        &["access", "store", "domain", "config", "health", "clock"],
    ),
    (
        "sync",
        &[
            "store", "rules", "platform", "access", "domain", "config", "health", "clock", "memory",
        ],
    ),
    ("fuzzing", &["desk", "readers", "salto", "store", "platform"]),
];
/// The rooms that put everything together: they may name every room.
const ASSEMBLY: &[&str] = &["daemon", "cli", "main", "lib"];

/// A word that only some files may use in code, and why.
struct Reserved {
    words: &'static [&'static str],
    only_in: &'static [&'static str],
    why: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        words: &["serialport"],
        only_in: &["readers/port", "desk/"],
        why: "src/readers/port is the one user of serialport at the doors, src/desk at the desk",
    },
    Reserved {
        words: &[
            "rusqlite",
            "SELECT ",
            "INSERT INTO",
            "DELETE FROM",
            "CREATE TABLE",
            "PRAGMA ",
        ],
        only_in: &["store/"],
        why: "SQL stays in src/store: give the store a method",
    },
    Reserved {
        words: &["rumqttc"],
        only_in: &["building/"],
        why: "MQTT stays in src/building",
    },
    Reserved {
        words: &["clippy::disallowed_methods"],
        only_in: &["clock.rs", "config/", "cli/demo/"],
        why: "time comes from the Clock and the environment from the configuration (invariant 5); the demo has a stopwatch",
    },
];

/// The rooms whose answers depend on their arguments alone, and what they must therefore never name.
const PURE_ROOMS: &[&str] = &["access", "rules", "domain"];
const IMPURE: &[&str] = &[
    "tokio",
    "async fn",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "::now(",
    ".now(",
    "tracing",
    "Mutex",
    "RwLock",
];

const LONGEST_FILE: usize = 600;
const LONG_FILE: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the repository below `dir`, without what is built or fetched.
fn files(dir: &Path) -> Vec<PathBuf> {
    const NOT_OURS: &[&str] = &[
        "target",
        ".git",
        ".venv",
        "__pycache__",
        ".hypothesis",
        ".schemathesis",
        "corpus",
        "artifacts",
    ];
    let mut found = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() || NOT_OURS.contains(&name) {
            continue;
        } else if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The code of a source file as shipped: without comments, and without the unit tests at its end.
fn code(path: &Path) -> Vec<(usize, String)> {
    let is_test = |path: &Path| {
        path.components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
    };
    if is_test(path.strip_prefix(root().join("src")).unwrap()) {
        return Vec::new();
    }
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .enumerate()
        .take_while(|(_, line)| *line != "#[cfg(test)]")
        .map(|(number, line)| (number + 1, uncommented(line).to_owned()))
        .collect()
}

/// The line up to its comment. A `//` after a colon is an address, not a comment.
fn uncommented(line: &str) -> &str {
    let mut from = 0;
    while let Some(at) = line[from..].find("//").map(|at| at + from) {
        if !line[..at].ends_with(':') {
            return &line[..at];
        }
        from = at + 2;
    }
    line
}

fn sources() -> Vec<(String, PathBuf)> {
    let src = root().join("src");
    files(&src)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
        .map(|path| (path.strip_prefix(&src).unwrap().display().to_string(), path))
        .collect()
}

fn room_of(relative: &str) -> &str {
    relative.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The rooms that a text names: after `crate::`, one name or the first names in a group of them.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '_')
            .collect()
    };
    let mut found = BTreeSet::new();
    for (at, word) in text.match_indices("crate::") {
        let rest = &text[at + word.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let (mut depth, mut item) = (1, String::new());
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => {
                    found.insert(name(item.trim()));
                    item.clear();
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
            item.push(c);
        }
        found.insert(name(item.trim()));
    }
    found.remove("");
    found
}

#[track_caller]
fn none(offences: &[String], rule: &str) {
    assert!(offences.is_empty(), "{rule}\n  {}\n", offences.join("\n  "));
}

#[test]
fn arrows_between_rooms_point_down() {
    let mut offences = Vec::new();
    for (relative, path) in sources() {
        let room = room_of(&relative);
        if ASSEMBLY.contains(&room) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            offences.push(format!(
                "src/{relative}: a room that ARROWS in tests/tidy.rs does not know"
            ));
            continue;
        };
        let code: String = code(&path).into_iter().map(|(_, line)| line + "\n").collect();
        for named in rooms_named(&code) {
            let is_room = ARROWS.iter().any(|(name, _)| *name == named) || ASSEMBLY.contains(&named.as_str());
            if is_room && named != room && !allowed.contains(&named.as_str()) {
                offences.push(format!("src/{relative} names crate::{named}"));
            }
        }
        if code.contains("super::super::") {
            offences.push(format!("src/{relative} climbs with super::super: say crate::"));
        }
    }
    none(
        &offences,
        "Arrows between rooms point down (docs/architecture.md); move what both need further down:",
    );
}

#[test]
fn reserved_words_stay_where_they_belong() {
    let mut offences = Vec::new();
    for (relative, path) in sources() {
        for (number, line) in code(&path) {
            for reserved in RESERVED {
                let here = reserved.only_in.iter().any(|prefix| relative.starts_with(prefix));
                if !here && reserved.words.iter().any(|word| line.contains(word)) {
                    offences.push(format!("src/{relative}:{number}: {}", reserved.why));
                }
            }
            let impure = IMPURE.iter().find(|word| line.contains(*word));
            if let (true, Some(word)) = (PURE_ROOMS.contains(&room_of(&relative)), impure) {
                offences.push(format!(
                    "src/{relative}:{number}: `{}` in a pure room",
                    word.trim()
                ));
            }
        }
    }
    none(&offences, "Some words belong to one place:");
}

#[test]
fn files_are_short() {
    let mut offences = Vec::new();
    for path in files(root()) {
        if path.extension().is_some_and(|ext| ext == "rs") {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            if lines > LONGEST_FILE {
                offences.push(format!("{} has {lines} lines", shown(&path)));
            } else if lines > LONG_FILE {
                println!(
                    "warning: {} has {lines} lines; {LONGEST_FILE} is the limit",
                    shown(&path)
                );
            }
        }
    }
    none(
        &offences,
        "No source file has more than 600 lines; split by what changes together:",
    );
}

#[test]
fn nothing_is_left_for_later_or_tied_to_one_machine() {
    // In two halves, so that this file passes.
    let refused = [
        (concat!("TO", "DO"), "do it, or file it as an issue"),
        (concat!("FIX", "ME"), "fix it, or file it as an issue"),
        (concat!("/wo", "rk/"), "a path of one machine"),
        (concat!("/ro", "ot/"), "a path of one machine"),
    ];
    let mut offences = Vec::new();
    for path in files(root()) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for (word, why) in refused.iter().filter(|(word, _)| line.contains(word)) {
                offences.push(format!("{}:{}: {word}: {why}", shown(&path), number + 1));
            }
        }
    }
    none(&offences, "These do not belong in the repository:");
}

#[test]
fn links_in_documents_resolve() {
    let mut offences = Vec::new();
    for path in files(root()) {
        if path.extension().is_none_or(|ext| ext != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            if !target.exists() {
                offences.push(format!("{}: {link}: no such file", shown(&path)));
            } else if !heading.is_empty()
                && !headings(&fs::read_to_string(&target).unwrap()).contains(heading)
            {
                offences.push(format!("{}: {link}: no such heading", shown(&path)));
            }
        }
    }
    none(&offences, "Links in documents resolve:");
}

#[test]
fn tests_that_the_architecture_names_exist() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let code: Vec<String> = [
        root().join("src"),
        root().join("tests"),
        root().join("firmware-bridge"),
    ]
    .iter()
    .flat_map(|dir| files(dir))
    .filter(|path| path.extension().is_some_and(|ext| ext == "rs"))
    .map(|path| fs::read_to_string(path).unwrap())
    .collect();
    let named = tests_named(&text);
    assert!(
        named.len() > 20,
        "the table of invariants names its tests: {named:?}"
    );
    let missing: Vec<_> = named
        .into_iter()
        .filter(|name| !code.iter().any(|text| text.contains(&format!("fn {name}("))))
        .map(|name| format!("docs/architecture.md: {name}: no such test; was it renamed?"))
        .collect();
    none(&missing, "Every invariant names the tests that guard it:");
}

/// What stands in backquotes and reads like the name of a test: at least three words joined by underscores.
fn tests_named(text: &str) -> BTreeSet<&str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.matches('_').count() >= 2
                && !word.contains(|c: char| c.is_whitespace() || "/:.=".contains(c))
        })
        .collect()
}

/// Targets of `[text](target)` that are files, outside code blocks.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

/// Names of the headings as links spell them.
fn headings(text: &str) -> BTreeSet<String> {
    let spelled = |heading: &str| -> String {
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
            .collect()
    };
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| spelled(line.trim_start_matches('#').trim()))
        .collect()
}

#[test]
fn scripts_run_and_decisions_are_numbered_once() {
    let mut offences = Vec::new();
    for path in files(&root().join("scripts"))
        .into_iter()
        .chain([root().join(".ci/run")])
    {
        let sourced = path.extension().is_some();
        let executable = fs::metadata(&path).unwrap().permissions().mode() & 0o111 == 0o111;
        if !sourced && !executable {
            offences.push(format!("{}: chmod +x", shown(&path)));
        }
        if !sourced && !fs::read_to_string(&path).unwrap().starts_with("#!") {
            offences.push(format!("{}: has no #! line", shown(&path)));
        }
    }
    let mut numbers = BTreeSet::new();
    for path in files(&root().join("docs/decisions")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !numbers.insert(name[..4].to_owned()) {
            offences.push(format!("{}: the number is taken", shown(&path)));
        }
    }
    none(
        &offences,
        "Scripts are executable, decisions have numbers of their own:",
    );
}

#[test]
fn the_rules_themselves_see_what_they_should() {
    let named =
        rooms_named("use crate::{access::Index, domain::{self, Reason},\n store};\n crate::sync::now()");
    assert_eq!(
        named.into_iter().collect::<Vec<_>>(),
        ["access", "domain", "store", "sync"]
    );
    assert_eq!(uncommented("let a = 1; // tokio"), "let a = 1; ");
    assert_eq!(uncommented("\"https://x\" // y"), "\"https://x\" ");
    assert_eq!(links("[a](b.md#c) `x` [d](https://e)"), ["b.md#c"]);
    assert!(headings("## A fob, and `more`").contains("a-fob-and-more"));
}
