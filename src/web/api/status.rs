//! How the gateway is, and its sync.

use super::Api;
use crate::{
    domain::Say,
    web::{
        problem::Problem,
        signin::{Act, Who},
    },
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/sync", get(sync))
        .route("/api/v1/sync/now", post(now))
        .route("/api/v1/sync/accept", post(accept))
}

/// A fault that stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Fault {
    /// Stable name; the part before the colon is the kind.
    key: String,
    /// What happened, where, and what to do next.
    text: String,
    /// What it is, for whoever says it in another language. The text is in its small print.
    say: Option<Say>,
    /// Unix milliseconds.
    since: i64,
}

/// How the gateway is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// Of the gateway.
    version: &'static str,
    /// `[site] id`.
    site: String,
    /// `[site] name`.
    name: String,
    /// IANA zone of the building.
    zone: String,
    /// For how long it has run.
    uptime_seconds: u64,
    /// The gateway's time, Unix milliseconds.
    now: i64,
    /// What a person should act on.
    faults: Vec<Fault>,
    /// The state of each part; what is in them may grow.
    #[schema(value_type = BTreeMap<String, Object>)]
    sections: BTreeMap<&'static str, serde_json::Value>,
}

/// What is known about the facts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sync {
    /// Null where no cloud is configured.
    #[schema(value_type = Option<Object>)]
    sync: Option<serde_json::Value>,
    /// Faults that have to do with it.
    faults: Vec<Fault>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// In words.
    pub(super) message: String,
}

pub(super) fn faults(api: &Api) -> Vec<Fault> {
    let faults = api.health.doc().faults.into_iter();
    faults
        .map(|fault| Fault {
            say: Say::of_fault(&fault.key, &fault.text),
            key: fault.key,
            text: fault.text,
            since: fault.since,
        })
        .collect()
}

/// How the gateway is: faults and each part
#[utoipa::path(get, path = "/api/v1/status", tag = "status", extensions(("x-scope" = json!("status:read"))), responses(
    (status = 200, body = Status), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn status(State(api): State<Api>, who: Who) -> Result<Json<Status>, Problem> {
    who.need(Act::ReadStatus)?;
    let config = api.gateway.config();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        site: config.site_id.clone(),
        name: config.site_name.clone(),
        zone: config.site.zone.clone(),
        uptime_seconds: api.gateway.uptime_seconds(),
        now: api.clock.now().at,
        faults: faults(&api),
        sections: api.health.doc().sections,
    }))
}

/// Which facts are in force, and how old they are
#[utoipa::path(get, path = "/api/v1/sync", tag = "sync", extensions(("x-scope" = json!("status:read"))), responses(
    (status = 200, body = Sync), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn sync(State(api): State<Api>, who: Who) -> Result<Json<Sync>, Problem> {
    who.need(Act::ReadStatus)?;
    const KINDS: [&str; 4] = ["cloud_", "snapshot_", "stale", "hook"];
    let mut faults = faults(&api);
    faults.retain(|fault| KINDS.iter().any(|kind| fault.key.starts_with(kind)));
    let sync = api.health.doc().sections.remove("sync");
    Ok(Json(Sync { sync, faults }))
}

/// Fetch the facts now, and wait for the outcome
#[utoipa::path(post, path = "/api/v1/sync/now", tag = "sync", extensions(("x-scope" = json!("sync:run"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn now(State(api): State<Api>, who: Who) -> Result<Json<Done>, Problem> {
    who.need(Act::RunSync)?;
    let done = api.gateway.sync_now().await;
    told(&api, &who, "sync.now", done).await
}

/// Put the snapshot that is held back into force
#[utoipa::path(post, path = "/api/v1/sync/accept", tag = "sync", extensions(("x-scope" = json!("sync:run"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn accept(State(api): State<Api>, who: Who) -> Result<Json<Done>, Problem> {
    who.need(Act::RunSync)?;
    let done = api.gateway.sync_accept().await;
    told(&api, &who, "sync.accept", done).await
}

async fn told(
    api: &Api,
    who: &Who,
    action: &str,
    done: Result<String, String>,
) -> Result<Json<Done>, Problem> {
    let outcome = if done.is_ok() { "done" } else { "not possible now" };
    api.staff.audit(&who.actor(), action, "", outcome).await;
    done.map(|message| Json(Done { message }))
        .map_err(Problem::not_now)
}
