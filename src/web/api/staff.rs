//! Accounts, tokens and the audit trail, for those who may see to them.

use super::{
    Api,
    asked::{Asked, Named, Sent},
    events::rfc3339,
};
use crate::{
    domain::say::page as say,
    store::AuditRecord,
    web::{
        problem::Problem,
        signin::{AccountDoc, Act, Role, SecretDoc, TokenDoc, Who},
    },
};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete, get, patch, post},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/staff", get(list).post(add))
        .route("/api/v1/staff/{name}", patch(role).delete(remove))
        .route("/api/v1/staff/{name}/password", post(reset))
        .route("/api/v1/staff/{name}/sessions", delete(sign_out))
        .route("/api/v1/tokens", get(tokens).post(add_token))
        .route("/api/v1/tokens/{name}", delete(remove_token))
        .route("/api/v1/audit", get(trail))
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    /// Letters, digits and . _ @ + -; an e-mail address say.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    role: Role,
}

/// Another role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    role: Role,
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// Letters, digits and . _ @ + -.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// What it may do.
    #[schema(min_items = 1)]
    scopes: Vec<Act>,
}

/// A record of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Record {
    /// 1, 2, 3 and so on.
    seq: u64,
    /// RFC 3339 in UTC.
    time: String,
    /// The account, `token:NAME`, `oidc:NAME`, `root` or `gateway`.
    actor: String,
    /// The role then.
    role: String,
    /// What was done: `staff.added`.
    action: String,
    /// To whom or what.
    subject: String,
    /// `done`, or why it was not.
    outcome: String,
    /// Where it came from.
    address: String,
}

/// A page of the trail.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trail {
    /// The newest first.
    records: Vec<Record>,
    /// For the next page; null at the end.
    next: Option<u64>,
}

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `next` of the page before.
    cursor: Option<u64>,
    /// Records on the page; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

impl From<AuditRecord> for Record {
    fn from(record: AuditRecord) -> Self {
        let what = record.what;
        Self {
            seq: record.seq,
            time: rfc3339(what.at),
            actor: what.actor,
            role: what.role,
            action: what.action,
            subject: what.subject,
            outcome: what.outcome,
            address: what.address,
        }
    }
}

/// Refused attempts stand in the trail as well.
async fn need(api: &Api, who: &Who, act: Act, action: &str, subject: &str) -> Result<(), Problem> {
    let need = who.need(act);
    if let Err(problem) = &need {
        api.staff
            .audit(&who.actor(), action, subject, problem.title)
            .await;
    }
    need
}

/// Accounts
#[utoipa::path(get, path = "/api/v1/staff", tag = "staff", extensions(("x-scope" = json!("staff:manage"))), responses(
    (status = 200, body = Vec<AccountDoc>),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(State(api): State<Api>, who: Who) -> Result<Json<Vec<AccountDoc>>, Problem> {
    who.need(Act::ManageStaff)?;
    Ok(Json(api.staff.list()))
}

/// Make an account; its password is shown once
#[utoipa::path(post, path = "/api/v1/staff", tag = "staff", request_body = NewAccount,
    extensions(("x-scope" = json!("staff:manage"))), responses(
    (status = 201, body = SecretDoc), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn add(
    State(api): State<Api>,
    who: Who,
    Sent(new): Sent<NewAccount>,
) -> Result<(StatusCode, Json<SecretDoc>), Problem> {
    need(&api, &who, Act::ManageStaff, "staff.added", &new.name).await?;
    let made = api.staff.add(&who.actor(), &new.name, new.role).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Give another role: they are signed out
#[utoipa::path(patch, path = "/api/v1/staff/{name}", tag = "staff", params(("name" = String, Path)),
    request_body = NewRole, extensions(("x-scope" = json!("staff:manage"))), responses(
    (status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn role(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
    Sent(new): Sent<NewRole>,
) -> Result<StatusCode, Problem> {
    need(&api, &who, Act::ManageStaff, "staff.role", &name).await?;
    api.staff.set_role(&who.actor(), &name, new.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove an account: it is signed out
#[utoipa::path(delete, path = "/api/v1/staff/{name}", tag = "staff", params(("name" = String, Path)),
    extensions(("x-scope" = json!("staff:manage"))), responses(
    (status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    need(&api, &who, Act::ManageStaff, "staff.removed", &name).await?;
    api.staff.remove(&who.actor(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a new password, shown once: they are signed out
#[utoipa::path(post, path = "/api/v1/staff/{name}/password", tag = "staff", params(("name" = String, Path)),
    extensions(("x-scope" = json!("staff:manage"))), responses(
    (status = 200, body = SecretDoc), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn reset(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
) -> Result<Json<SecretDoc>, Problem> {
    need(&api, &who, Act::ManageStaff, "staff.reset", &name).await?;
    api.staff.reset(&who.actor(), &name).await.map(Json)
}

/// Sign somebody out everywhere, also somebody of the identity provider
#[utoipa::path(delete, path = "/api/v1/staff/{name}/sessions", tag = "staff", params(("name" = String, Path)),
    extensions(("x-scope" = json!("staff:manage"))), responses(
    (status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn sign_out(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    need(&api, &who, Act::ManageStaff, "session.ended_everywhere", &name).await?;
    api.staff.sign_out_other(&who.actor(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tokens
#[utoipa::path(get, path = "/api/v1/tokens", tag = "staff", extensions(("x-scope" = json!("tokens:manage"))), responses(
    (status = 200, body = Vec<TokenDoc>),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn tokens(State(api): State<Api>, who: Who) -> Result<Json<Vec<TokenDoc>>, Problem> {
    who.need(Act::ManageTokens)?;
    Ok(Json(api.staff.tokens()))
}

/// Make a token; its secret is shown once
#[utoipa::path(post, path = "/api/v1/tokens", tag = "staff", request_body = NewToken,
    extensions(("x-scope" = json!("tokens:manage"))), responses(
    (status = 201, body = SecretDoc), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn add_token(
    State(api): State<Api>,
    who: Who,
    Sent(new): Sent<NewToken>,
) -> Result<(StatusCode, Json<SecretDoc>), Problem> {
    need(&api, &who, Act::ManageTokens, "token.added", &new.name).await?;
    let made = api.staff.add_token(&who.actor(), &new.name, &new.scopes).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Revoke a token
#[utoipa::path(delete, path = "/api/v1/tokens/{name}", tag = "staff", params(("name" = String, Path)),
    extensions(("x-scope" = json!("tokens:manage"))), responses(
    (status = 204), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove_token(
    State(api): State<Api>,
    who: Who,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    need(&api, &who, Act::ManageTokens, "token.removed", &name).await?;
    api.staff.remove_token(&who.actor(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who did what, the newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "staff", params(Which),
    extensions(("x-scope" = json!("audit:read"))), responses(
    (status = 200, body = Trail), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn trail(
    State(api): State<Api>,
    who: Who,
    Asked(which): Asked<Which>,
) -> Result<Json<Trail>, Problem> {
    who.need(Act::ReadAudit)?;
    let limit = which.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Problem::invalid(say::bad_limit()));
    }
    let records = api.ask(move |api| {
        let records = api
            .store
            .read()
            .audit_before(which.cursor.unwrap_or(u64::MAX), limit);
        records.map_err(|error| Problem::failed(&error))
    });
    let records: Vec<Record> = records.await?.into_iter().map(Record::from).collect();
    let next = records
        .last()
        .map(|record| record.seq)
        .filter(|seq| records.len() == limit && *seq > 1);
    Ok(Json(Trail { records, next }))
}
