//! From a file to a configuration, or to everything that is wrong with it.

use super::{
    Config,
    cloud::{checkins, cloud, sync},
    env::Environment,
    error::{ConfigError, Findings},
    lines::lines,
    model::{ClockConfig, CloudConfig, JournalConfig},
    mqtt::mqtt,
    reading::{At, Reading},
    rules::rules,
    secrets::{Keeper, Purpose, plain},
    section::Section,
    site::{identity, site},
    wiring,
};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// A configuration file is some kilobytes; this is to refuse a wrong path early.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Reads and checks a file. The second half is always there; the first exists exactly when it has no errors.
#[must_use]
pub fn read(file: &Path, purpose: Purpose, environment: &Environment) -> (Option<Config>, Findings) {
    match source(file) {
        Ok(source) => parse(file, source, purpose, environment),
        Err((what, hint)) => (None, no_file(file, what, hint)),
    }
}

/// Reads a file to run doors with. Warnings are in the configuration.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(file: &Path, environment: &Environment) -> Result<Config, Findings> {
    let (config, findings) = read(file, Purpose::Run, environment);
    config.ok_or(findings)
}

/// Reads what can be read of a file that may be wrong: enough to find a running gateway, which goes on by the last good
/// one. What is wrong has its default, or nothing. Never run doors by this. `None`: there is no such text.
#[must_use]
pub fn glance(file: &Path, environment: &Environment) -> Option<Config> {
    let source = source(file).ok()?;
    let reading = Reading::default();
    let (table, _) = DeTable::parse_recoverable(&source);
    let keeper = Keeper {
        purpose: Purpose::Inspect,
        environment,
        folder: file.parent().unwrap_or(Path::new("")),
    };
    Some(whole(&Section::top(&reading, table.get_ref()), &keeper))
}

/// A finding about the file as a whole.
fn no_file(file: &Path, what: String, hint: &str) -> Findings {
    let error = ConfigError {
        line: 0,
        column: 0,
        width: 1,
        key: String::new(),
        what,
        hint: hint.into(),
    };
    Findings {
        file: file.to_owned(),
        errors: vec![error],
        warnings: Vec::new(),
        text: String::new(),
    }
}

fn source(file: &Path) -> Result<String, (String, &'static str)> {
    let unreadable = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "run the command as root (sudo), or let the group doorward read the file (chgrp doorward, chmod 640)"
            }
            _ => "name the file with --config; an example is /usr/share/doc/doorward/examples/doorward.toml",
        };
        (
            format!("the configuration cannot be read: {}", plain(&error)),
            hint,
        )
    };
    let about = std::fs::metadata(file).map_err(unreadable)?;
    if !about.is_file() {
        return Err(("this is not a file".into(), "name the TOML file itself"));
    }
    if about.len() > LONGEST {
        return Err((
            "this is too long for a configuration".into(),
            "name the TOML file with --config",
        ));
    }
    let bytes = std::fs::read(file).map_err(unreadable)?;
    text(bytes)
}

/// The text of a file, or where it is none.
fn text(bytes: Vec<u8>) -> Result<String, (String, &'static str)> {
    let hint = "save it as UTF-8 (in the editor: encoding UTF-8)";
    if matches!(bytes.get(..2), Some([0xFF, 0xFE] | [0xFE, 0xFF])) {
        return Err(("the file is text in UTF-16, not in UTF-8".into(), hint));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count() + 1;
        (
            format!("the file is not text in UTF-8: line {line} has a character of another encoding"),
            hint,
        )
    })
}

/// Checks the text of a file. Relative paths in it start at the file's folder.
#[must_use]
pub fn parse(
    file: &Path,
    source: String,
    purpose: Purpose,
    environment: &Environment,
) -> (Option<Config>, Findings) {
    let reading = Reading::default();
    let (table, mistakes) = DeTable::parse_recoverable(&source);
    let mut told = None;
    for mistake in &mistakes {
        let span = mistake.span().unwrap_or(0..0);
        // One slip brings several complaints about its line: the first says it.
        let line = source
            .get(..span.start)
            .map(|before| before.matches('\n').count());
        if told.replace(line) == Some(line) {
            continue;
        }
        let hint = syntax_hint(mistake.message(), &source, span.start);
        reading.error(&span, "", mistake.message(), hint);
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    let keeper = Keeper {
        purpose,
        environment,
        folder,
    };
    // What the parser guessed behind a mistake would only bring complaints about the guess.
    let mut config = if mistakes.is_empty() {
        Some(whole(&Section::top(&reading, table.get_ref()), &keeper))
    } else {
        None
    };
    let (errors, warnings) = reading.finish(&source);
    if let Some(config) = &mut config {
        config.warnings = warnings
            .iter()
            .map(|w| format!("line {}: {} ({})", w.line, w.what, w.hint))
            .collect();
    }
    drop(table);
    let findings = Findings {
        file: file.to_owned(),
        errors,
        warnings,
        text: source,
    };
    (config.filter(|_| findings.errors.is_empty()), findings)
}

/// What to do about a mistake in the TOML itself: by what people write who do not know TOML.
fn syntax_hint(message: &str, source: &str, at: usize) -> String {
    let line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let (before, behind) = source.split_at_checked(at).unwrap_or((source, ""));
    let whole = format!(
        "{}{}",
        before.rsplit('\n').next().unwrap_or_default(),
        line(behind)
    );
    let value = whole.split_once('=').map_or("", |(_, value)| value.trim());
    let help = if message.contains("duplicate key") {
        "it stands there already: keep one of them. A second door, line, reader, group or schedule begins with [[…]] \
         on a line of its own"
    } else if value.contains(['“', '”', '„', '‘', '’']) {
        "these are typographic quotation marks: write plain \" ones"
    } else if matches!(
        value.to_lowercase().as_str(),
        "yes" | "on" | "no" | "off" | "true" | "false"
    ) {
        "write true or false"
    } else if value.starts_with(|c: char| c.is_ascii_digit()) && value.contains(',') {
        "write numbers without commas: 250000 or 250_000"
    } else if message.contains("must be quoted") || value.starts_with(char::is_alphabetic) {
        "put text in plain quotation marks: \"…\""
    } else if !whole.contains('=') && !whole.trim_start().starts_with(['[', '#']) {
        "every line is `key = value`, [table] or a # comment"
    } else {
        ""
    };
    let rest = "everything behind it may be misread, so mend this first";
    if help.is_empty() {
        return rest.to_owned();
    }
    format!("{help}; {rest}")
}

fn whole(top: &Section<'_>, keeper: &Keeper<'_>) -> Config {
    let (site_id, site_name, zone) = identity(top);
    let door_sections = top.tables("door", "door");
    let site = site(top, &door_sections, zone);
    let doors: Vec<_> = door_sections.iter().map(wiring::door).collect();
    let lines = lines(top, keeper);
    wiring::check(top, &lines, &doors);
    let configs: Vec<_> = doors.iter().map(|door| &door.config).collect();
    super::ks::check(top, &door_sections, &configs);
    let paths = top.table_or_default("paths", "paths");
    let rules = rules(top);
    let mut cloud = cloud(top, keeper);
    if let CloudConfig::Nexudus(nexudus) = &mut cloud {
        nexudus.groups = rules.groups.keys().cloned().collect();
    }
    Config {
        site,
        site_name,
        state_dir: directory(&paths, "state"),
        runtime_dir: directory(&paths, "runtime"),
        vault_key: vault_key(&paths, keeper),
        clock: clock(top),
        journal: journal(top),
        sync: sync(top),
        rules,
        hooks: super::hooks::hooks(top, keeper),
        checkins: checkins(top, &cloud),
        cloud,
        mqtt: mqtt(top, keeper, &site_id),
        ks: super::ks::ks(top, keeper),
        page: super::page::page(top, keeper),
        desk: super::desk::desk(top),
        site_id,
        lines: lines.into_iter().map(|line| line.config).collect(),
        doors: doors.into_iter().map(|door| door.config).collect(),
        warnings: Vec::new(),
    }
}

/// What seals tokens: nothing makes guessing it slow, so it has to be long. An empty one could not be read only now.
fn vault_key(paths: &Section<'_>, keeper: &Keeper<'_>) -> Option<crate::domain::secret::Secret> {
    let key = keeper.secret(paths, "vault_key")?;
    if (1..32).contains(&key.value.reveal().len()) {
        paths.reading.wrong(
            &key,
            "a key of fewer than 32 characters can be guessed",
            "make one with `openssl rand -base64 32`",
        );
    }
    Some(key.value)
}

/// A folder that outlives the working directory, so an absolute path.
fn directory(section: &Section<'_>, name: &str) -> PathBuf {
    let text: At<String> = section.text(name);
    if !text.value.starts_with('/') && !text.span.is_empty() {
        section
            .reading
            .wrong(&text, format!("`{name}` must be a whole path"), "begin it with /");
    }
    text.value.into()
}

fn clock(top: &Section<'_>) -> ClockConfig {
    let section = top.table_or_default("clock", "clock");
    let policy = section.word("untrusted", &[("refuse", false), ("allow", true)]);
    ClockConfig {
        rtc: section.flag("rtc").value,
        allow_windowed_when_untrusted: policy.is_some_and(|allow| allow.value),
    }
}

fn journal(top: &Section<'_>) -> JournalConfig {
    let section = top.table_or_default("journal", "journal");
    JournalConfig {
        max_events: section.number("max_events", 1_000, 50_000_000).value,
    }
}
