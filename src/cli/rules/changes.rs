//! What changes, a person a row: gains, loses, because.

use crate::{
    cli::{
        failure::Failure,
        out::{Cell, Out, Tone, plain},
        people::words::Words,
    },
    domain::PersonId,
    rules::{Access, Change, State},
};

/// Everything that changes for one person.
pub(super) struct ForPerson<'a> {
    name: &'a str,
    changes: Vec<&'a Change>,
}

/// Changes of the same person together; they come sorted.
pub(super) fn by_person(changes: &[Change]) -> Vec<ForPerson<'_>> {
    let mut people: Vec<(&PersonId, ForPerson<'_>)> = Vec::new();
    for change in changes {
        match people.last_mut() {
            Some((id, person)) if *id == &change.person => person.changes.push(change),
            _ => people.push((
                &change.person,
                ForPerson {
                    name: &change.name,
                    changes: vec![change],
                },
            )),
        }
    }
    people.into_iter().map(|(_, person)| person).collect()
}

pub(super) fn table(out: &mut Out, words: &Words<'_>, people: &[ForPerson<'_>]) -> Result<(), Failure> {
    if people.is_empty() {
        return out.line("nothing");
    }
    let mut rows = Vec::new();
    for person in people {
        for (number, change) in person.changes.iter().enumerate() {
            let name = if number == 0 {
                plain(person.name).into_owned()
            } else {
                String::new()
            };
            rows.push(row(words, name, change));
        }
    }
    out.table(&["person", "gains", "loses", "because"], rows)
}

fn row(words: &Words<'_>, name: String, change: &Change) -> Vec<Cell> {
    let (gains, loses, because) = match (change.blocked, &change.before, &change.after) {
        (Some(true), ..) => (
            String::new(),
            "everything: blocked".to_owned(),
            "blocked or deactivated, R5".to_owned(),
        ),
        (Some(false), ..) => (
            "freed: blocked no more".to_owned(),
            String::new(),
            "no longer blocked, R5".to_owned(),
        ),
        (None, before, after) => {
            let source = after.as_ref().or(before.as_ref());
            let because = source.map(|it| words.because(it.kind, &it.source, it.rule));
            let side =
                |access: &Option<Access>| access.as_ref().map(|it| right(words, it)).unwrap_or_default();
            (side(after), side(before), because.unwrap_or_default())
        }
    };
    vec![
        name.into(),
        Cell(gains, Tone::Good),
        Cell(loses, Tone::Bad),
        because.into(),
    ]
}

/// A right in a few words: what, when, and how it stands if it is not open.
fn right(words: &Words<'_>, access: &Access) -> String {
    let mut text = words.target(&access.target);
    match (
        access.window.from.filter(|from| *from > words.at),
        access.window.until,
    ) {
        (None, None) => {}
        (None, Some(until)) => text.push_str(&format!(" until {}", words.time(until))),
        (Some(from), None) => text.push_str(&format!(" from {}", words.time(from))),
        (Some(from), Some(until)) => {
            text.push_str(&format!(" {} to {}", words.time(from), words.time(until)));
        }
    }
    if let Some(hours) = &access.hours {
        text.push_str(&format!(", in hours {hours}"));
    }
    if let State::Void(reason) = access.state {
        text.push_str(&format!(" (without effect: {})", reason.words()));
    }
    text
}
