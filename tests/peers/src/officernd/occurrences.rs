//! `GET /bookings/occurrences`: bookings with their repeats expanded between two instants.

use super::{
    api::{Reply, Request},
    lists::{Line, page, wanted},
    state::{State, instant, millis, text},
};
use axum::http::StatusCode;
use serde_json::Value;

/// The longest span that may be asked for.
const YEAR_MS: i64 = 366 * 86_400_000;

pub(super) fn list(state: &State, request: &Request) -> Reply {
    let equal = ["resource", "company", "member", "location"];
    let wanted = match wanted(request, &equal, None, &["from", "to"]) {
        Ok(wanted) => wanted,
        Err(refused) => return refused,
    };
    let end = |name: &str| {
        let found = wanted.others.iter().find(|(key, _)| key == name);
        found.and_then(|(_, value)| millis(value))
    };
    let (Some(from), Some(to)) = (end("from"), end("to")) else {
        return Reply::refused(
            StatusCode::BAD_REQUEST,
            "from and to must be valid ISO 8601 date strings",
        );
    };
    if to <= from || to - from > YEAR_MS {
        return Reply::refused(StatusCode::BAD_REQUEST, "the period must be at most 1 year");
    }
    let mut rows = Vec::new();
    for booking in state.list("bookings") {
        let fits = wanted
            .equal
            .iter()
            .all(|(key, value)| text(booking, key) == value);
        if fits {
            rows.extend(expand(booking, from, to));
        }
    }
    rows.sort_by(|a: &Line<'_>, b| (a.times, text(a.row, "_id")).cmp(&(b.times, text(b.row, "_id"))));
    page(state, "bookings", rows, &wanted)
}

/// The occurrences of one booking that touch the span. `FREQ=DAILY` and `FREQ=WEEKLY` with a `COUNT` are enough here.
fn expand(booking: &Value, from: i64, to: i64) -> Vec<Line<'_>> {
    let (Some(start), Some(end)) = (millis(text(booking, "start")), millis(text(booking, "end"))) else {
        return Vec::new();
    };
    let rule = booking
        .pointer("/recurrence/rrule")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let step = if rule.contains("WEEKLY") { 7 } else { 1 } * 86_400_000;
    let count = rule
        .split("COUNT=")
        .nth(1)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    let left_out: Vec<&str> = booking
        .pointer("/recurrence/exdates")
        .and_then(Value::as_array)
        .map(|dates| dates.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let mut found = Vec::new();
    for number in 0..count {
        let (start, end) = (start + number * step, end + number * step);
        if end <= from || start >= to || left_out.contains(&instant(start).as_str()) {
            continue;
        }
        found.push(Line {
            row: booking,
            times: Some((start, end)),
        });
    }
    found
}
