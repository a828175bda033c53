//! What comes from the cloud and goes to it, as people read it.

use super::{
    View,
    parts::{Row, bad, is, number, row, text, watch},
};
use crate::cli::out::plain;
use serde_json::Value;

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(super) fn sync(value: &Value, view: &View<'_>) -> Vec<Row> {
    let when = |key: &str| value.get(key).and_then(Value::as_i64).map(|at| view.when(at));
    let mut rows = Vec::new();
    if let Some(place) = text(value, "place") {
        rows.push(row("from", plain(place).into_owned()));
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) => {
            let fetched = when("taken_at")
                .map(|at| format!(", fetched {at}"))
                .unwrap_or_default();
            rows.push(row("in force", format!("version {version}{fetched}")));
            let [people, cards, grants] = ["people", "credentials", "grants"].map(|key| number(value, key));
            rows.push(row(
                "",
                [
                    counted(people, "person", "people"),
                    counted(cards, "card", "cards"),
                    counted(grants, "right", "rights"),
                ]
                .join(", "),
            ));
        }
        None => rows.push(row("in force", bad("nothing yet: every card is refused"))),
    }
    rows.push(row(
        "last contact",
        when("last_contact").unwrap_or("never".into()),
    ));
    if let Some(at) = when("last_refresh") {
        let (hints, refreshes) = (number(value, "hints"), number(value, "refreshes"));
        rows.push(row(
            "last hint followed",
            format!(
                "{at}; {}, {}",
                counted(hints, "hint", "hints"),
                counted(refreshes, "fetch", "fetches")
            ),
        ));
    }
    if let Some(skew) = value
        .get("skew")
        .and_then(Value::as_i64)
        .filter(|skew| skew.abs() >= 2_000)
    {
        let direction = if skew > 0 { "ahead of" } else { "behind" };
        let text = format!("{} s {direction} ours", skew.abs() / 1_000);
        rows.push(row(
            "its clock",
            if skew.abs() > 120_000 {
                bad(text)
            } else {
                text.into()
            },
        ));
    }
    if let Some(error) = text(value, "last_error") {
        let tries = number(value, "failures");
        rows.push(row(
            "last try",
            bad(format!("failed ({tries} in a row): {error}")),
        ));
    }
    if let Some(held) = value.get("held").filter(|held| held.is_object()) {
        let (version, grants) = (number(held, "version"), number(held, "grants"));
        let rights = counted(grants, "right", "rights");
        let why = text(held, "held_because").unwrap_or("it looks wrong");
        rows.push(row(
            "held back",
            bad(format!("version {version} with {rights}: {why}")),
        ));
        if !why.contains("sync accept") {
            rows.push(row("", watch("if it is meant: doorward sync accept")));
        }
    }
    let warnings = value.get("warnings").and_then(Value::as_array);
    for warning in warnings.into_iter().flatten().filter_map(Value::as_str) {
        rows.push(row("warning", watch(warning)));
    }
    rows.extend(still_in(value, view));
    rows
}

/// People who should perhaps not get in any more; the rest is counted.
const SHOWN_PEOPLE: usize = 20;

fn still_in(value: &Value, view: &View<'_>) -> Vec<Row> {
    let all = value.get("still_in").and_then(Value::as_array);
    let all = all.map(Vec::as_slice).unwrap_or_default();
    let mut rows: Vec<Row> = Vec::new();
    for person in all.iter().take(SHOWN_PEOPLE) {
        let since = person.get("since").and_then(Value::as_i64);
        let since = since.map_or_else(|| "without a date".into(), |at| view.when(at));
        let name = text(person, "name").unwrap_or_default();
        let plan = text(person, "plan").unwrap_or_default();
        rows.push(row(
            if rows.is_empty() {
                "cancelled, still gets in"
            } else {
                ""
            },
            watch(format!("{name}: {plan}, cancelled {since}")),
        ));
    }
    let more = all.len().saturating_sub(SHOWN_PEOPLE);
    if more > 0 {
        rows.push(row("", watch(format!("and {more} more (--json has all)"))));
    }
    if !rows.is_empty() {
        let text =
            "this platform takes nothing away by a cancellation; deactivate there whoever must not come in";
        rows.push(row("", text));
    }
    rows
}

/// Of each endpoint: how much of what the platform allows is used.
pub(super) fn budgets(value: &Value) -> Vec<Row> {
    let lanes = value.as_array().map(Vec::as_slice).unwrap_or_default();
    lanes
        .iter()
        .map(|lane| {
            let [used, of, per, total, throttled] =
                ["used", "of", "per_ms", "total", "throttled"].map(|key| number(lane, key));
            let per = match per {
                0..1_000 => format!("{per} ms"),
                1_000..=60_000 => format!("{} s", per / 1_000),
                _ => format!("{} min", per / 60_000),
            };
            let shown = format!("{used} of {of} in {per}, {total} since the start");
            let label = text(lane, "lane").unwrap_or_default();
            if throttled == 0 {
                return row(label, shown);
            }
            row(
                label,
                watch(format!(
                    "{shown}; asked for fewer {}",
                    counted(throttled, "time", "times")
                )),
            )
        })
        .collect()
}

/// The receiver of web hooks.
pub(super) fn hooks(value: &Value, view: &View<'_>) -> Vec<Row> {
    let when = |key: &str| value.get(key).and_then(Value::as_i64).map(|at| view.when(at));
    let mut rows = vec![match text(value, "listening") {
        Some(address) => {
            let tls = if is(value, "tls") {
                "with TLS"
            } else {
                "without TLS, behind a proxy of this machine"
            };
            row("listening", format!("{address} {tls}"))
        }
        None => row("listening", bad("no")),
    }];
    rows.extend(when("subscribed").map(|at| row("the platform was told", at)));
    let last = when("last_heard")
        .map(|at| format!(", the last {at}"))
        .unwrap_or_default();
    rows.push(row("heard", format!("{}{last}", number(value, "heard"))));
    for (key, label) in [
        ("refused", "refused"),
        ("replayed", "sent again, ignored"),
        ("strangers", "to no address of ours"),
        ("throttled", "too many, refused"),
        ("asked", "questions answered"),
    ] {
        let count = number(value, key);
        if count > 0 {
            let shown = count.to_string();
            rows.push(row(
                label,
                if key == "refused" {
                    watch(shown)
                } else {
                    shown.into()
                },
            ));
        }
    }
    rows
}

pub(super) fn check_ins(value: &Value) -> Vec<Row> {
    if value.get("delivered").is_none() {
        let why = text(value, "kept_here").unwrap_or("[checkins] is not configured");
        return vec![row(
            "delivered",
            format!("none, entries stay in the journal: {why}"),
        )];
    }
    let mut rows = vec![row(
        "delivered",
        format!("{} since the start", number(value, "delivered")),
    )];
    let refused = number(value, "refused");
    if refused > 0 {
        rows.push(row(
            "refused by the cloud",
            watch(format!("{refused} since the start")),
        ));
    }
    let late = number(value, "too_late");
    if late > 0 {
        let why = "too late: this platform counts an entry as of now or not at all";
        rows.push(row("not sent", watch(format!("{late} {why}"))));
    }
    let rejected = number(value, "rejected");
    if rejected > 0 {
        rows.push(row(
            "given up",
            bad(format!("{rejected} that the cloud can never take")),
        ));
    }
    rows.extend(text(value, "last_error").map(|error| row("last try", bad(error))));
    rows
}
