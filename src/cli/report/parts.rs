//! The parts of a gateway as people read them: a heading and its rows. What a later version adds is shown as it comes.

use super::{View, cloud};
use crate::cli::out::{Cell, Tone, plain};
use serde_json::Value;

/// A row: a label, and what to know.
pub(super) type Row = Vec<Cell>;

/// Sections in the order in which people look, with their headings.
pub(super) const ORDER: [(&str, &str); 16] = [
    ("doors", "Doors"),
    ("lockdown", "Lockdown"),
    ("lines", "Lines and readers"),
    ("sync", "Facts from the cloud"),
    ("budgets", "Requests to the cloud"),
    ("hooks", "Web hooks"),
    ("check_ins", "Check-ins to the cloud"),
    ("mqtt", "Building network (MQTT)"),
    ("desk", "Cards given out here"),
    ("desk_readers", "Readers of the desk"),
    ("ks", "SALTO KS"),
    ("ks_locks", "Locks of SALTO KS"),
    ("ks_entries", "Entries at SALTO KS"),
    ("audit", "Who did what"),
    ("store", "Journal"),
    ("clock", "Clock"),
];

/// The rows of a section.
pub(super) fn rows(name: &str, value: &Value, view: &View<'_>) -> Vec<Row> {
    match name {
        "doors" => each(value, |id, door| vec![door_row(id, door)]),
        "lockdown" => lockdown(value, view),
        "lines" => each(value, line_rows),
        "sync" => cloud::sync(value, view),
        "budgets" => cloud::budgets(value),
        "hooks" => cloud::hooks(value, view),
        "check_ins" => cloud::check_ins(value),
        "mqtt" => mqtt(value, view),
        "store" => store(value),
        "clock" => clock(value),
        _ => super::flat::rows(value),
    }
}

fn each(value: &Value, rows: impl Fn(&str, &Value) -> Vec<Row>) -> Vec<Row> {
    let parts = value.as_object().into_iter().flatten();
    parts.flat_map(|(id, part)| rows(id, part)).collect()
}

pub(super) fn row(label: &str, text: impl Into<Cell>) -> Row {
    vec![format!("  {}", plain(label)).into(), text.into()]
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

pub(super) fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

pub(super) fn is(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn bad(text: impl Into<String>) -> Cell {
    Cell(plain(&text.into()).into_owned(), Tone::Bad)
}

pub(super) fn watch(text: impl Into<String>) -> Cell {
    Cell(plain(&text.into()).into_owned(), Tone::Watch)
}

fn door_row(id: &str, door: &Value) -> Row {
    let state = text(door, "state").unwrap_or("?").replace('_', " ");
    let contact = match text(door, "contact") {
        Some("open") => ", stands open",
        Some("closed") => ", closed",
        _ => "",
    };
    if is(door, "lockdown") {
        return row(id, bad(format!("LOCKED DOWN, {state}{contact}")));
    }
    let shown = format!("{state}{contact}");
    match state.as_str() {
        "held" | "forced" => row(id, bad(shown)),
        _ => row(id, shown),
    }
}

/// Who locked a door down, and when: it stands until somebody ends it, over restarts as well.
fn lockdown(value: &Value, view: &View<'_>) -> Vec<Row> {
    each(value, |door, begun| {
        let at = begun.get("at").and_then(Value::as_i64);
        let since = at
            .map(|at| format!(" since {}", view.when(at)))
            .unwrap_or_default();
        let by = text(begun, "by").unwrap_or("somebody");
        vec![row(
            door,
            bad(format!("locked down{since} by {by}: no card opens it")),
        )]
    })
}

fn line_rows(id: &str, line: &Value) -> Vec<Row> {
    let path = text(line, "path").unwrap_or_default();
    let shown = if is(line, "open") {
        format!("{path}, open").into()
    } else {
        bad(format!("{path}, not there"))
    };
    let mut rows = vec![row(id, shown)];
    let trouble = [
        ("noise", "bytes of noise"),
        ("bad_checks", "damaged frames"),
        ("strays", "stray frames"),
    ];
    let counted = trouble
        .iter()
        .filter_map(|(key, words)| {
            Some(number(line, key))
                .filter(|n| *n > 0)
                .map(|n| format!("{n} {words}"))
        })
        .collect::<Vec<_>>();
    if !counted.is_empty() {
        rows.push(row("", watch(counted.join(", "))));
    }
    let readers = line.get("readers").and_then(Value::as_object);
    rows.extend(
        readers
            .into_iter()
            .flatten()
            .map(|(id, reader)| reader_row(id, reader)),
    );
    rows
}

fn reader_row(id: &str, reader: &Value) -> Row {
    let label = format!("  {id}");
    if !is(reader, "online") {
        let mode = if is(reader, "install_mode") {
            ", INSTALL MODE"
        } else {
            ""
        };
        return row(&label, bad(format!("offline{mode}")));
    }
    let cards = number(reader, "presentations");
    let channel = match (is(reader, "install_mode"), is(reader, "secure")) {
        (true, _) => ", INSTALL MODE: set its key before members come",
        (false, true) => ", secure channel",
        (false, false) => "",
    };
    let shown = format!(
        "online{channel}, {cards} {} read",
        if cards == 1 { "card" } else { "cards" }
    );
    if is(reader, "install_mode") {
        return row(&label, watch(shown));
    }
    row(&label, shown)
}

fn mqtt(value: &Value, view: &View<'_>) -> Vec<Row> {
    let when = |key: &str| {
        let at: Option<jiff::Timestamp> = text(value, key)?.parse().ok();
        at.map(|at| view.when(at.as_millisecond()))
    };
    let since = when("since").map(|at| format!(" since {at}")).unwrap_or_default();
    let state = if is(value, "connected") {
        format!("connected{since}").into()
    } else {
        bad(format!("not connected{since}"))
    };
    let mut rows = vec![row("broker", state)];
    rows.push(row("waiting", format!("{} events", number(value, "pending"))));
    rows.extend(when("last_ack").map(|at| row("last delivered", at)));
    rows
}

fn store(value: &Value) -> Vec<Row> {
    let (events, most) = (number(value, "events"), number(value, "max_events"));
    let mut filled = format!("{events} events");
    if let Some(share) = events.saturating_mul(100).checked_div(most) {
        filled.push_str(&format!(" of {most} at most ({share} % full)"));
    }
    let mut rows = vec![row("kept", filled)];
    rows.extend(each(value.get("unsent").unwrap_or(&Value::Null), |id, count| {
        vec![row(&format!("not sent to {id}"), count.to_string())]
    }));
    if value.get("ring_survives").and_then(Value::as_bool) == Some(false) {
        rows.push(row(
            "ring",
            bad("an event may be lost if the process dies: look at the runtime directory"),
        ));
    }
    let lost = number(value, "lost");
    if lost > 0 {
        rows.push(row("lost", bad(format!("{lost} events since the start"))));
    }
    rows.extend(text(value, "last_error").map(|error| row("disk", bad(error))));
    rows
}

fn clock(value: &Value) -> Vec<Row> {
    if is(value, "trusted") {
        return vec![row("time", "trusted")];
    }
    vec![row(
        "time",
        watch("a guess: rights with hours or dates follow [clock] untrusted"),
    )]
}

/// How long each kind of right still holds without contact.
pub(super) fn staleness(view: &View<'_>, last_contact: Option<i64>) -> Vec<Row> {
    let limits = view.limits(last_contact);
    let kinds = crate::domain::GrantKind::ALL.iter();
    kinds
        .map(|kind| {
            let label = format!("rights by {}", kind.name());
            match (view.config.sync.max_age.get(kind), limits.stale_from(*kind)) {
                (None, _) => row(&label, "hold without contact, for as long as they are valid"),
                (Some(_), None) => row(&label, "nothing fetched yet"),
                (Some(_), Some(at)) if at <= view.now => {
                    row(&label, bad(format!("refused since {}", view.when(at))))
                }
                (Some(_), Some(at)) => row(&label, format!("hold without contact until {}", view.when(at))),
            }
        })
        .collect()
}

/// Warnings of the configuration.
pub(super) fn configuration(view: &View<'_>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for warning in &view.config.warnings {
        rows.push(row("warning", watch(warning.trim())));
    }
    if rows.is_empty() {
        rows.push(row("no warnings", ""));
    }
    rows
}
