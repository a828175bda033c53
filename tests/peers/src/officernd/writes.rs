//! Members' properties, and where web hooks go.

use super::{
    api::{Reply, body},
    state::State,
};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// `PUT /members/{id}`: fields that are named replace those that are there, `properties` as a whole.
pub(super) fn member(state: &mut State, member: &str, bytes: &[u8]) -> Reply {
    let Value::Object(changes) = body(bytes) else {
        return Reply::refused(StatusCode::BAD_REQUEST, "the body must be an object");
    };
    if state.get("members", member).is_none() {
        return Reply::refused(StatusCode::NOT_FOUND, "Member not found");
    }
    state.update("members", member, |row| {
        if let Some(fields) = row.as_object_mut() {
            fields.extend(changes);
        }
    });
    match state.get("members", member) {
        Some(row) => Reply::json(StatusCode::OK, row),
        None => Reply::lost(),
    }
}

/// `POST /webhooks`: the answer is the only place where the secret stands.
pub(super) fn hook(state: &mut State, bytes: &[u8]) -> Reply {
    let body = body(bytes);
    if body.get("url").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Reply::refused(StatusCode::BAD_REQUEST, "url must be a URL address");
    }
    let mut row = body;
    let secret = format!("whsec-{}", state.id());
    if let Some(fields) = row.as_object_mut() {
        fields.insert("isEnabled".into(), json!(true));
        fields.insert("secret".into(), json!(secret));
    }
    let id = state.insert("webhooks", row);
    match state.get("webhooks", &id) {
        Some(row) => Reply::json(StatusCode::CREATED, row),
        None => Reply::lost(),
    }
}
