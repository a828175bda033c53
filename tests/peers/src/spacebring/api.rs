//! The requests: who asks, what goes wrong today, and which list or object is meant.

use super::{
    lists::{self, Query},
    state::{Asked, CLIENT_ID, CLIENT_SECRET, Inner, Shared},
    wire,
};
use crate::cloud::server::NeverSent;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query as Pairs, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest body of a request.
const MOST_BODY: usize = 64 << 10;

/// A refusal: status, `type`, `message`.
pub(super) type Refused = (StatusCode, &'static str, String);

pub(super) fn refused<T>(status: StatusCode, kind: &'static str, text: &str) -> Result<T, Refused> {
    Err((status, kind, text.to_owned()))
}

pub(super) fn bad<T>(text: &str) -> Result<T, Refused> {
    refused(StatusCode::BAD_REQUEST, "validation_error", text)
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MOST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let method = parts.method.clone();
    let path = parts
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let now = shared.now();
    let slow = shared.lock().faults.slow;
    if let Some(slow) = slow {
        tokio::time::sleep(slow).await;
    }
    let pairs = Pairs::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let query = Query::new(pairs.map(|Pairs(pairs)| pairs).unwrap_or_default());
    let mut inner = shared.lock();
    inner.count += 1;
    let found = troubled(&inner).and_then(|()| {
        dispatch(
            &mut inner,
            &method,
            parts.uri.path(),
            query,
            &parts.headers,
            &body,
            now,
        )
    });
    let (status, text) = match &found {
        Ok(value) => (StatusCode::OK, value.to_string()),
        Err((status, kind, message)) => (*status, json!({ "message": message, "type": kind }).to_string()),
    };
    inner.asked.push(Asked {
        method: method.to_string(),
        path,
        status: status.as_u16(),
    });
    let half = inner.faults.half_a_page && method == Method::GET && found.is_ok();
    let lost = inner.faults.lose_answers_to_changes && method != Method::GET && found.is_ok();
    let retry_after = inner.faults.retry_after;
    drop(inner);
    let text = if half {
        text.chars().take(text.len() / 2).collect()
    } else {
        text
    };
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json; charset=utf-8"),
    );
    let date = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = header::HeaderValue::from_str(&date) {
        headers.insert(header::DATE, date);
    }
    if let (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) = (status, retry_after) {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if lost {
        answer.extensions_mut().insert(NeverSent);
    }
    answer
}

fn troubled(inner: &Inner) -> Result<(), Refused> {
    let every = |every: u64| every > 0 && inner.count.is_multiple_of(every);
    if every(inner.faults.error_every) {
        return refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "something went wrong",
        );
    }
    if every(inner.faults.throttle_every) {
        return refused(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_error",
            "too many requests",
        );
    }
    Ok(())
}

fn dispatch(
    inner: &mut Inner,
    method: &Method,
    path: &str,
    query: Query,
    headers: &HeaderMap,
    body: &Bytes,
    now: i64,
) -> Result<Value, Refused> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    if let ["oauth2", "token"] = segments.as_slice() {
        return token(inner, method, body, now);
    }
    authorised(inner, headers, now)?;
    if *method == Method::PUT
        && let ["community", "memberships", "v1", id] = segments.as_slice()
    {
        return update_membership(inner, id, body);
    }
    if *method != Method::GET {
        return refused(StatusCode::NOT_FOUND, "not_found", "there is no such operation");
    }
    lists::get(inner, &segments, query, now)
}

/// HTTP Basic with the client's id and secret, or a bearer token together with the network's id.
fn authorised(inner: &Inner, headers: &HeaderMap, now: i64) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let no = |text: &str| refused(StatusCode::UNAUTHORIZED, "authentication_error", text);
    match text("authorization").and_then(|value| value.split_once(' ')) {
        Some(("Basic", given)) if inner.tokens.basic => {
            if given == STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")) {
                return Ok(());
            }
            no("wrong client id or client secret")
        }
        Some(("Bearer", given)) => {
            let known = inner
                .tokens
                .access
                .as_ref()
                .is_some_and(|(token, until)| token == given && *until > now);
            if !known {
                return no("the access token is not valid");
            }
            if text("spacebring-network-id") != Some(inner.space.network.as_str()) {
                return bad("the header spacebring-network-id is missing or names another network");
            }
            Ok(())
        }
        _ => no("no credentials"),
    }
}

/// A refresh token for an access token and the next refresh token; the old one is spent.
fn token(inner: &mut Inner, method: &Method, body: &Bytes, now: i64) -> Result<Value, Refused> {
    if *method != Method::POST {
        return refused(StatusCode::NOT_FOUND, "not_found", "there is no such operation");
    }
    let text = std::str::from_utf8(body).unwrap_or_default();
    let uri = format!("/?{text}").parse().unwrap_or_default();
    let pairs = Pairs::<Vec<(String, String)>>::try_from_uri(&uri);
    let form = pairs.map(|Pairs(pairs)| pairs).unwrap_or_default();
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if (field("client_id"), field("client_secret")) != (Some(CLIENT_ID), Some(CLIENT_SECRET)) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client");
    }
    if field("grant_type") != Some("refresh_token") {
        return refused(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "not this grant type",
        );
    }
    if field("refresh_token") != Some(inner.tokens.refresh.as_str()) {
        return refused(
            StatusCode::BAD_REQUEST,
            "invalid_grant",
            "the refresh token is not valid",
        );
    }
    inner.tokens.given += 1;
    let number = inner.tokens.given;
    let access = format!("access-{number}");
    inner.tokens.access = Some((access.clone(), now.saturating_add(inner.tokens.lifetime)));
    inner.tokens.refresh = format!("refresh-{number}");
    Ok(json!({
        "access_token": access, "expires_in": inner.tokens.lifetime / 1_000,
        "refresh_token": inner.tokens.refresh, "scope": "community resources subscriptions plans locations transactions",
        "token_type": "Bearer"
    }))
}

fn update_membership(inner: &mut Inner, id: &str, body: &Bytes) -> Result<Value, Refused> {
    if inner.faults.revoked.contains("update membership") {
        return refused(
            StatusCode::FORBIDDEN,
            "permission_error",
            "insufficient permissions",
        );
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let (metadata, role) = (
        body.pointer("/membership/metadata"),
        body.pointer("/membership/role"),
    );
    let (Some(Value::Object(metadata)), Some(Value::String(role))) = (metadata, role) else {
        return bad("metadata and role are required");
    };
    if !matches!(role.as_str(), "member" | "admin") {
        return bad("role must be admin or member");
    }
    let Some(place) = inner.space.members.iter_mut().find(|member| member.id == id) else {
        return refused(StatusCode::NOT_FOUND, "not_found", "membership not found");
    };
    place.metadata = metadata.clone();
    let changed = place.clone();
    Ok(json!({ "membership": wire::member(&inner.space, &changed) }))
}
