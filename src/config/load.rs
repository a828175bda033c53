//! From a file to a configuration, or to everything that is wrong with it.

use super::{
    Config,
    cloud::{checkins, cloud, sync},
    env::Environment,
    error::{ConfigError, Findings},
    lines::lines,
    model::{ClockConfig, JournalConfig},
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
        Err((what, hint)) => {
            let error = ConfigError {
                line: 0,
                column: 0,
                width: 1,
                key: String::new(),
                what,
                hint: hint.into(),
            };
            let findings = Findings {
                file: file.to_owned(),
                errors: vec![error],
                warnings: Vec::new(),
                text: String::new(),
            };
            (None, findings)
        }
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

fn source(file: &Path) -> Result<String, (String, &'static str)> {
    let unreadable = |error: std::io::Error| {
        (
            format!("the configuration cannot be read: {}", plain(&error)),
            "name the file with --config; an example is /usr/share/doc/doorward/doorward.toml",
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
    String::from_utf8(bytes).map_err(|_| ("the file is not text in UTF-8".into(), "save it as UTF-8"))
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
    for mistake in &mistakes {
        let hint = "everything behind it may be misread, so mend this first";
        reading.error(&mistake.span().unwrap_or(0..0), "", mistake.message(), hint);
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

fn whole(top: &Section<'_>, keeper: &Keeper<'_>) -> Config {
    let (site_id, site_name, zone) = identity(top);
    let door_sections = top.tables("door", "door");
    let site = site(top, &door_sections, zone);
    let doors: Vec<_> = door_sections.iter().map(wiring::door).collect();
    let lines = lines(top, keeper);
    wiring::check(top, &lines, &doors);
    let paths = top.table_or_default("paths", "paths");
    let cloud = cloud(top, keeper);
    Config {
        site,
        site_name,
        state_dir: directory(&paths, "state"),
        runtime_dir: directory(&paths, "runtime"),
        clock: clock(top),
        journal: journal(top),
        sync: sync(top),
        rules: rules(top),
        checkins: checkins(top, &cloud),
        cloud,
        mqtt: mqtt(top, keeper, &site_id),
        site_id,
        lines: lines.into_iter().map(|line| line.config).collect(),
        doors: doors.into_iter().map(|door| door.config).collect(),
        warnings: Vec::new(),
    }
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
