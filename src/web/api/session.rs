//! Who am I; signing in and out.

use super::{Api, asked::Sent};
use crate::web::{
    problem::Problem,
    signin::{Act, Caller, Role, SignedIn, Who, with_session, without_session},
};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/session", get(me).post(sign_in).delete(sign_out))
        .route("/api/v1/session/first", post(first))
        .route("/api/v1/session/password", post(password))
        .route("/api/v1/sessions", axum::routing::delete(sign_out_everywhere))
}

/// Whoever asks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// The account, `oidc:NAME` or `token:NAME`.
    name: String,
    /// None for tokens.
    role: Option<Role>,
    /// What they may do.
    scopes: Vec<Act>,
    /// The password was made by somebody else: nothing else works until it is changed.
    must_change: bool,
}

impl Me {
    fn of(who: &Who) -> Self {
        Self {
            name: who.name.clone(),
            role: who.role,
            scopes: who.acts().to_vec(),
            must_change: who.must_change,
        }
    }
}

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// Upper or lower case.
    #[schema(max_length = 64)]
    name: String,
    #[schema(format = Password, max_length = 256)]
    password: String,
}

/// The first account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstAccount {
    /// As `sudo doorward report` shows it.
    code: String,
    /// Its name.
    #[schema(max_length = 64)]
    name: String,
    /// 12 characters and more.
    #[schema(format = Password, max_length = 256)]
    password: String,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Passwords {
    #[schema(format = Password, max_length = 256)]
    old: String,
    /// 12 characters and more.
    #[schema(format = Password, max_length = 256)]
    new: String,
}

/// How many sessions ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Ended {
    ended: usize,
}

fn begun(signed_in: &SignedIn) -> Response {
    with_session(Json(Me::of(&signed_in.who)).into_response(), signed_in)
}

/// Who am I
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, body = Me), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn me(who: Who) -> Json<Me> {
    Json(Me::of(&who))
}

/// Sign in: the answer sets the cookie
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn, security(()), responses(
    (status = 200, body = Me),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn sign_in(
    State(api): State<Api>,
    caller: Caller,
    Sent(sent): Sent<SignIn>,
) -> Result<Response, Problem> {
    let password = Zeroizing::new(sent.password);
    let signed_in = api.staff.sign_in(&sent.name, password, caller.address).await?;
    Ok(begun(&signed_in))
}

/// Make the first account, an installer's
#[utoipa::path(post, path = "/api/v1/session/first", tag = "session", request_body = FirstAccount, security(()),
    responses((status = 200, body = Me),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn first(
    State(api): State<Api>,
    caller: Caller,
    Sent(sent): Sent<FirstAccount>,
) -> Result<Response, Problem> {
    let (code, password) = (Zeroizing::new(sent.code), Zeroizing::new(sent.password));
    let done = api
        .staff
        .first(&code, &sent.name, password, caller.address)
        .await?;
    Ok(begun(&done))
}

/// Change one's own password: every session ends, and a new one begins
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session", request_body = Passwords, responses(
    (status = 200, body = Me),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn password(
    State(api): State<Api>,
    who: Who,
    Sent(sent): Sent<Passwords>,
) -> Result<Response, Problem> {
    let (old, new) = (Zeroizing::new(sent.old), Zeroizing::new(sent.new));
    Ok(begun(&api.staff.change_password(&who, old, new).await?))
}

/// Sign out
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn sign_out(State(api): State<Api>, who: Who) -> Response {
    api.staff.sign_out(&who).await;
    without_session(StatusCode::NO_CONTENT.into_response())
}

/// Sign out everywhere
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "session", responses(
    (status = 200, body = Ended), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn sign_out_everywhere(State(api): State<Api>, who: Who) -> Response {
    let ended = api.staff.sign_out_everywhere(&who.actor(), &who.name).await;
    without_session(Json(Ended { ended }).into_response())
}
