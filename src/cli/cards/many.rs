//! Many cards at once: lists, files, and what the platform did not take.

use super::{
    super::{
        desk::{Remote, at_platform},
        failure::{Failure, status},
        moment,
        out::{Cell, Out, Tone, plain},
    },
    now,
};
use crate::{
    daemon::desk_routes::Ask,
    desk::{
        Conflict, Hit, Resolution,
        answers::{Import, ImportOutcome, Known, Place},
        sheet,
    },
};
use std::{collections::HashSet, io::Read, path::Path};

/// What to do with a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Decision {
    /// Tells the platform again.
    Retry,
    /// Leaves it as it is at these doors.
    Keep,
    /// Takes it back: as the platform says.
    Undo,
}

impl From<Decision> for Resolution {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Retry => Self::Retry,
            Decision::Keep => Self::KeepHere,
            Decision::Undo => Self::Undo,
        }
    }
}

const fn place(place: Place) -> &'static str {
    match place {
        Place::Platform => "platform",
        Place::Desk => "desk",
        Place::Guest => "guest",
    }
}

pub(super) fn list(
    remote: &Remote,
    search: Option<&str>,
    reveal: bool,
    out: &mut Out,
) -> Result<u8, Failure> {
    let mut cards: Vec<Known> = remote.ask(&Ask::List { reveal })?;
    if let Some(query) = search {
        let query = query.to_owned();
        let found: Vec<Hit> = remote.ask(&Ask::Search { query, most: 1_000 })?;
        let found: HashSet<String> = found.into_iter().map(|hit| hit.id).collect();
        cards.retain(|card| found.contains(&card.person));
    }
    if out.is_json() {
        for card in &cards {
            out.json(card)?;
        }
        return Ok(status::OK);
    }
    if cards.is_empty() {
        out.line("no card is known")?;
        return Ok(status::OK);
    }
    let rows = cards.iter().map(|card| {
        let mut state: Vec<String> = Vec::new();
        if card.blocked {
            state.push("blocked".into());
        }
        if card.shared {
            state.push("of several people: opens for none".into());
        }
        if let Some(until) = card.until {
            state.push(format!(
                "until {}",
                moment::local(until, &remote.config.site.zone)
            ));
        }
        if let Some(platform) = card.platform.map(at_platform).filter(|words| !words.is_empty()) {
            state.push(platform.into());
        }
        let tone = if card.blocked || card.shared {
            Tone::Bad
        } else {
            Tone::Plain
        };
        vec![
            Cell::from(card.card.clone()),
            Cell::from(plain(&card.name).into_owned()),
            Cell::from(plain(&card.company).into_owned()),
            Cell(place(card.place).into(), Tone::Faint),
            Cell(state.join("; "), tone),
        ]
    });
    out.table(&["CARD", "NAME", "COMPANY", "FROM", ""], rows.collect())?;
    Ok(status::OK)
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        bytes = std::fs::read(file).map_err(|error| {
            Failure::new(
                status::FAILED,
                format!("{} cannot be read: {error}", file.display()),
                "",
            )
        })?;
    }
    // What a spreadsheet of the last century wrote is read as far as it goes: names with other letters are not found, and
    // their lines are named.
    Ok(sheet::decode(&bytes))
}

/// The text of a sheet, for a queue.
pub(in super::super) fn sheet(file: &Path) -> Result<String, Failure> {
    read(file)
}

pub(super) fn import(
    remote: &Remote,
    file: &Path,
    format: Option<&str>,
    dry_run: bool,
    out: &mut Out,
) -> Result<u8, Failure> {
    let import: Import = remote.ask(&Ask::Import {
        text: read(file)?,
        format: format.map(str::to_owned),
        dry_run,
        by: remote.by.clone(),
    })?;
    let ended = if import.bad > 0 {
        status::FAILED
    } else {
        status::OK
    };
    if out.is_json() {
        out.json(&import)?;
        return Ok(ended);
    }
    for row in import.rows.iter().filter(|row| row.outcome == ImportOutcome::Bad) {
        let text = out.paint(Tone::Bad, &format!("line {}", row.line));
        let who = [row.who.as_str(), row.card.as_str()].join(" ");
        out.line(&plain(&format!("{text}: {}: {}", who.trim(), row.words)))?;
    }
    let done = if dry_run { "would be given" } else { "given" };
    out.line(&format!(
        "{} cards {done}, {} were so already, {} rows cannot be done",
        import.assigned, import.already, import.bad
    ))?;
    Ok(ended)
}

pub(super) fn export(remote: &Remote, reveal: bool, out: &mut Out) -> Result<u8, Failure> {
    let cards: Vec<Known> = remote.ask(&Ask::List { reveal })?;
    if out.is_json() {
        out.json(&cards)?;
        return Ok(status::OK);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Failure::new(status::FAILED, error.to_string(), "");
    writer
        .write_record(["card", "id", "name", "email", "company", "from", "blocked"])
        .map_err(failed)?;
    for card in &cards {
        let blocked = if card.blocked { "yes" } else { "" };
        let fields = [
            &card.card,
            &card.person,
            &card.name,
            &card.email,
            &card.company,
            place(card.place),
            blocked,
        ];
        writer.write_record(fields.map(harmless)).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Failure::new(status::FAILED, error.to_string(), ""))?;
    out.line(String::from_utf8_lossy(&bytes).trim_end())?;
    Ok(status::OK)
}

/// A field that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{text}");
    }
    text.to_owned()
}

pub(super) fn conflicts(remote: &Remote, out: &mut Out) -> Result<u8, Failure> {
    let conflicts: Vec<Conflict> = remote.ask(&Ask::Conflicts {})?;
    if out.is_json() {
        for conflict in &conflicts {
            out.json(conflict)?;
        }
        return Ok(status::OK);
    }
    if conflicts.is_empty() {
        out.line("the platform took everything that it was told")?;
        return Ok(status::OK);
    }
    let now = now();
    let rows = conflicts.iter().map(|conflict| {
        let what = if conflict.give { "given to" } else { "taken from" };
        vec![
            Cell(conflict.id.clone(), Tone::Strong),
            Cell::from(conflict.card.clone()),
            Cell::from(plain(&format!("{what} {}", conflict.name)).into_owned()),
            Cell::from(plain(&format!("{}, {}", conflict.by, moment::age(conflict.at, now))).into_owned()),
            Cell(plain(&conflict.said).into_owned(), Tone::Bad),
        ]
    });
    out.table(&["", "CARD", "WHAT", "WHO", "THE PLATFORM SAID"], rows.collect())?;
    out.line("`doorward cards conflicts retry|keep|undo ID` decides one")?;
    Ok(status::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_formula_in_a_spreadsheet() {
        assert_eq!(harmless("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(harmless("Ana-Ruiz"), "Ana-Ruiz");
    }
}
