//! JSON:API as API 2 speaks it: documents, pages, errors.

use axum::{
    extract::Query,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

pub(super) const TYPE: &str = "application/vnd.api+json";
const DEFAULT_SIZE: usize = 72;
const MOST_SIZE: usize = 200;

/// A query, decoded.
pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn pairs(uri: &Uri) -> Pairs {
    Query::<Pairs>::try_from_uri(uri)
        .map(|query| query.0)
        .unwrap_or_default()
}

pub(super) fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, TYPE)], body.to_string()).into_response()
}

pub(super) fn error(status: StatusCode, detail: &str) -> Response {
    answer(status, &json!({ "errors": [{ "detail": detail }] }))
}

/// A query parameter that is missing or no good.
pub(super) fn wrong(parameter: &str, detail: &str) -> Response {
    let error = json!({ "source": { "parameter": parameter }, "detail": detail });
    answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "errors": [error] }))
}

pub(super) fn link(kind: &str, id: &str) -> Value {
    json!({ "data": { "type": kind, "id": id } })
}

pub(super) fn optional_link(kind: &str, id: Option<&str>) -> Value {
    id.map_or(json!({ "data": null }), |id| link(kind, id))
}

/// Sets a field of an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(name.to_owned(), value);
    }
}

pub(super) fn price() -> Value {
    let taxes = json!([{ "name": "VAT", "rate": "21.0", "amount": "2.1" }]);
    json!({ "net": "10.0", "gross": "12.1", "currency": "EUR", "taxes": taxes })
}

/// What a page may suffer.
#[derive(Clone, Copy, Default)]
pub(super) struct Suffers {
    pub(super) repeats: bool,
    pub(super) circles: bool,
    pub(super) empty: bool,
}

/// One page of a list.
pub(super) fn page(
    path: &str,
    query: &Pairs,
    mut rows: Vec<Value>,
    meta: Value,
    suffers: Suffers,
) -> Response {
    let number = |name: &str, absent: usize| match value(query, name) {
        None => Some(absent),
        Some(text) => text.parse::<usize>().ok().filter(|it| *it > 0),
    };
    let (Some(size), Some(at)) = (number("page[size]", DEFAULT_SIZE), number("page[number]", 1)) else {
        return wrong("page[number]", "is not a number");
    };
    if size > MOST_SIZE {
        return wrong("page[size]", "must be less than or equal to 200");
    }
    if suffers.empty {
        rows.clear();
    }
    let pages = rows.len().div_ceil(size).max(1);
    let skipped = if suffers.repeats && at > 1 { at - 2 } else { at - 1 };
    let data: Vec<Value> = rows.into_iter().skip(skipped * size).take(size).collect();
    let filters: String = query
        .iter()
        .filter(|(key, _)| !key.starts_with("page["))
        .map(|(key, value)| format!("&{key}={value}"))
        .collect();
    let to = |number: usize| format!("{path}?page[size]={size}&page[number]={number}{filters}");
    let next = match (at < pages, suffers.circles) {
        (true, _) => json!(to(at + 1)),
        (false, true) => json!(to(1)),
        (false, false) => Value::Null,
    };
    let mut all = json!({ "totalPages": pages, "currentPage": at });
    if let (Value::Object(all), Value::Object(more)) = (&mut all, meta) {
        all.extend(more);
    }
    let previous = if at > 1 { json!(to(at - 1)) } else { Value::Null };
    answer(
        StatusCode::OK,
        &json!({
            "data": data,
            "meta": all,
            "links": { "self": to(at), "first": to(1), "prev": previous, "next": next, "last": to(pages) },
        }),
    )
}
