//! Tokens: `POST /oauth/token` with client credentials, at most five requests a minute.

use super::{
    CLIENT, CLIENT_SECRET,
    api::Reply,
    state::{State, Token},
};
use axum::http::StatusCode;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How many requests a minute are answered.
const MOST_A_MINUTE: usize = 5;
/// How long a token lasts, seconds.
const LASTS: i64 = 3_600;

/// What a form says.
pub(super) fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = format!("/?{}", String::from_utf8_lossy(body));
    let uri = text.parse().unwrap_or_default();
    axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(&uri)
        .map(|pairs| pairs.0)
        .unwrap_or_default()
}

pub(super) fn token(state: &mut State, body: &[u8]) -> Reply {
    let now = state.server_now() / 1_000;
    state.token_calls.retain(|at| now - at < 60);
    if state.token_calls.len() >= MOST_A_MINUTE {
        let oldest = state.token_calls.first().copied().unwrap_or(now);
        return Reply::refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
            .with("retry-after", &(60 - (now - oldest)).to_string());
    }
    state.token_calls.push(now);
    let form = form(body);
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let oauth = |status, error: &str, description: &str| {
        Reply::json(status, &json!({"error": error, "error_description": description}))
    };
    if field("grant_type") != "client_credentials" {
        let text = "grant_type must be client_credentials";
        return oauth(StatusCode::BAD_REQUEST, "unsupported_grant_type", text);
    }
    if field("client_id") != CLIENT || field("client_secret") != CLIENT_SECRET {
        return oauth(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "Client authentication failed",
        );
    }
    let scopes: BTreeSet<String> = field("scope").split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() || !scopes.is_subset(&state.granted) {
        return oauth(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "The requested scope is invalid",
        );
    }
    let token = format!("at-{}", state.id());
    let until = now + LASTS;
    let answer = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": LASTS,
        "scope": field("scope"),
    });
    state.tokens.insert(token, Token { scopes, until });
    Reply::json(StatusCode::OK, &answer)
}
