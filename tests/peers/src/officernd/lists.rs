//! Lists with cursors, and filters that are known or refused.

use super::{
    api::{Reply, Request},
    state::{State, instant, millis, text},
};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// The default, and the most.
const PAGE: usize = 50;

/// What a list may be filtered by, equality only.
fn filters(collection: &str) -> &'static [&'static str] {
    match collection {
        "members" => &["company", "status", "name", "email", "location"],
        "companies" => &["status", "name", "location"],
        "memberships" => &["company", "status", "member", "plan"],
        "passes" => &["company", "member"],
        "visitors" => &["member", "company", "type", "location"],
        "checkins" => &["member", "company", "location"],
        "bookings" => &["resource", "company", "member", "location"],
        "resources" => &["type", "location", "floor", "name"],
        "assignments" => &["resource", "membership"],
        "floors" => &["location", "name"],
        "locations" => &["name", "isOpen", "isPublic"],
        "plans" => &["name"],
        _ => &[],
    }
}

/// Which instant a list may be asked "since" by.
fn since(collection: &str) -> Option<&'static str> {
    match collection {
        "members" | "companies" | "memberships" | "passes" | "resources" | "bookings" => Some("modifiedAt"),
        "checkins" => Some("start"),
        _ => None,
    }
}

/// What was asked of a list.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) limit: usize,
    pub(super) cursor: Option<String>,
    pub(super) equal: Vec<(String, String)>,
    pub(super) since: Option<(String, i64)>,
    pub(super) others: Vec<(String, String)>,
}

/// Reads the query; the refusal names what is not known.
pub(super) fn wanted(
    request: &Request,
    equal: &[&str],
    since: Option<&str>,
    others: &[&str],
) -> Result<Wanted, Reply> {
    let refuse = |text: String| Err(Reply::refused(StatusCode::BAD_REQUEST, &text));
    let mut wanted = Wanted {
        limit: PAGE,
        ..Wanted::default()
    };
    for (key, value) in request.pairs() {
        let from = since.is_some_and(|field| key == format!("{field}[$gte]"));
        match key.as_str() {
            "$limit" => match value.parse() {
                Ok(limit @ 1..=PAGE) => wanted.limit = limit,
                _ => return refuse("$limit must not be greater than 50".into()),
            },
            "$cursorNext" => wanted.cursor = Some(value),
            "_id" => wanted.equal.push((key, value)),
            name if equal.contains(&name) => wanted.equal.push((key, value)),
            name if others.contains(&name) => wanted.others.push((key, value)),
            _ if from => match (since, millis(&value)) {
                (Some(field), Some(at)) => wanted.since = Some((field.to_owned(), at)),
                _ => return refuse(format!("{key} must be a valid ISO 8601 date string")),
            },
            _ => return refuse(format!("property {key} should not exist")),
        }
    }
    Ok(wanted)
}

/// `GET /{collection}`.
pub(super) fn list(state: &State, collection: &str, request: &Request) -> Reply {
    let since = since(collection).filter(|field| *field != "modifiedAt" || !state.faults.no_modified_at);
    let wanted = match wanted(request, filters(collection), since, &[]) {
        Ok(wanted) => wanted,
        Err(refused) => return refused,
    };
    if collection == "assignments" && state.faults.assignments_by_resource && wanted.equal.is_empty() {
        return Reply::refused(StatusCode::BAD_REQUEST, "resource or membership is required");
    }
    let rows = state.list(collection).iter().filter(|row| fits(row, &wanted));
    let mut rows: Vec<Line<'_>> = rows.map(|row| Line { row, times: None }).collect();
    rows.sort_by(|a, b| text(a.row, "_id").cmp(text(b.row, "_id")));
    page(state, collection, rows, &wanted)
}

/// A row of a list, before it is written: one of a series has times of its own.
pub(super) struct Line<'a> {
    pub(super) row: &'a Value,
    pub(super) times: Option<(i64, i64)>,
}

impl Line<'_> {
    /// What a cursor behind this row says. Occurrences of one booking share its id.
    fn place(&self) -> String {
        let id = text(self.row, "_id");
        self.times
            .map_or_else(|| id.to_owned(), |(start, _)| format!("{id}@{start}"))
    }

    fn stands_at(&self, place: &str) -> bool {
        place.starts_with(text(self.row, "_id")) && self.place() == place
    }

    fn written(&self) -> Value {
        let mut row = self.row.clone();
        if let (Some((start, end)), Some(fields)) = (self.times, row.as_object_mut()) {
            fields.insert("start".into(), json!(instant(start)));
            fields.insert("end".into(), json!(instant(end)));
        }
        row
    }
}

fn fits(row: &Value, wanted: &Wanted) -> bool {
    let equal = wanted.equal.iter().all(|(key, value)| match row.get(key) {
        Some(Value::Bool(flag)) => flag.to_string() == *value,
        _ => text(row, key) == value,
    });
    let since = wanted.since.as_ref();
    equal && since.is_none_or(|(field, at)| millis(text(row, field)).is_some_and(|when| when >= *at))
}

/// One page of rows that are in the order of their cursors.
pub(super) fn page(state: &State, collection: &str, mut rows: Vec<Line<'_>>, wanted: &Wanted) -> Reply {
    let faults = &state.faults;
    let is = |fault: Option<&str>| fault == Some(collection);
    if is(faults.empty) {
        rows.clear();
    }
    let mut begin = match &wanted.cursor {
        None => 0,
        // A cursor is a place behind a row, so rows that come or go before it move nothing.
        Some(cursor) => {
            let after = cursor.split('~').next().unwrap_or_default();
            match rows.iter().position(|row| row.stands_at(after)) {
                Some(index) => index + 1,
                None => return Reply::refused(StatusCode::BAD_REQUEST, "Invalid cursor"),
            }
        }
    };
    if is(faults.repeated_page) && wanted.cursor.is_some() {
        begin = wanted.limit;
    }
    let shown: Vec<&Line<'_>> = rows.iter().skip(begin).take(wanted.limit).collect();
    let end = begin + shown.len();
    let more = end < rows.len();
    let last = shown.last().map(|line| line.place());
    let mut next = last.clone().filter(|_| more);
    if is(faults.cursor_in_a_circle) && wanted.cursor.is_some() {
        next.clone_from(&wanted.cursor);
    }
    if is(faults.repeated_page) && wanted.cursor.is_some() {
        next = last.map(|place| format!("{place}~{}", state.asked.len()));
    }
    let mut results: Vec<Value> = shown.into_iter().map(Line::written).collect();
    if is(faults.short_page) {
        results.pop();
    }
    let mut reply = Reply::json(
        StatusCode::OK,
        &json!({
            "rangeStart": if end == begin { 0 } else { begin + 1 },
            "rangeEnd": end,
            "cursorNext": next,
            "cursorPrev": null,
            "results": results,
        }),
    );
    if is(faults.half_page) {
        reply.cut = Some(reply.body.len() / 2);
    }
    if is(faults.cut_json) {
        let half = reply.body.len() / 2;
        reply.body.truncate(half);
    }
    reply
}

/// `GET /{collection}/{id}`.
pub(super) fn one(state: &State, collection: &str, id: &str) -> Reply {
    match state.get(collection, id) {
        Some(row) => Reply::json(StatusCode::OK, row),
        None => Reply::refused(StatusCode::NOT_FOUND, "Not found"),
    }
}
