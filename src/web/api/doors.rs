//! The doors: how they stand, opening once, lockdown.

use super::{
    Api,
    asked::{Named, Sent},
    status::Done,
};
use crate::{
    config::model::DoorConfig,
    domain::say::{journal as say_journal, page as say},
    web::{
        problem::Problem,
        signin::{Act, Who},
    },
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post, put},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/doors", get(doors))
        .route("/api/v1/doors/{id}/open", post(open))
        .route("/api/v1/doors/{id}/lockdown", put(lockdown))
}

/// A door as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Door {
    /// As the configuration has it.
    id: String,
    /// What people call it.
    name: String,
    /// `secured`, `released`, `open`, `held`, `forced`; null for a door that is not watched here.
    state: Option<String>,
    /// `open`, `closed` or `unknown`.
    contact: Option<String>,
    /// Whether it is locked down now.
    lockdown: bool,
    /// Whether the gateway can open it.
    opens: bool,
    /// Whether SALTO KS decides at it.
    ks: bool,
    /// Why it cannot be locked down, for people; null if it can.
    no_lockdown: Option<String>,
}

/// Whether lockdown is to be on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lockdown {
    on: bool,
}

/// All doors, in the order of the configuration.
pub(super) fn all(api: &Api) -> Vec<Door> {
    let config = api.gateway.config();
    let states = api.health.doc().sections.remove("doors").unwrap_or_default();
    let door = |door: &crate::domain::site::Door| {
        let state = states.get(door.id.as_str());
        let text = |key: &str| state?.get(key)?.as_str().map(str::to_owned);
        let wired = config.doors.iter().find(|it| it.id == door.id);
        Door {
            id: door.id.as_str().to_owned(),
            name: door.name.clone(),
            state: text("state"),
            contact: text("contact"),
            lockdown: state
                .and_then(|it| it.get("lockdown")?.as_bool())
                .unwrap_or(false),
            opens: wired.is_some_and(|it| it.release.is_some() || it.ks_lock.is_some()),
            ks: wired.is_some_and(|it| it.ks_lock.is_some()),
            // Connect API names no lockdown.
            no_lockdown: wired
                .is_some_and(|it| it.ks_lock.is_some())
                .then(|| say::door_ks().into()),
        }
    };
    config.site.doors.iter().map(door).collect()
}

/// The doors and how they stand
#[utoipa::path(get, path = "/api/v1/doors", tag = "doors", extensions(("x-scope" = json!("doors:read"))), responses(
    (status = 200, body = Vec<Door>), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn doors(State(api): State<Api>, who: Who) -> Result<Json<Vec<Door>>, Problem> {
    who.need(Act::ReadDoors)?;
    Ok(Json(all(&api)))
}

/// A door of the configuration.
fn ours(api: &Api, id: &str) -> Result<DoorConfig, Problem> {
    let config = api.gateway.config();
    let door = config.doors.iter().find(|door| door.id.as_str() == id);
    let door = door.ok_or_else(|| Problem::missing(say::no_such_door()))?;
    Ok(door.clone())
}

/// Open a door once
#[utoipa::path(post, path = "/api/v1/doors/{id}/open", tag = "doors", params(("id" = String, Path)),
    extensions(("x-scope" = json!("doors:open"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn open(State(api): State<Api>, who: Who, Named(id): Named) -> Result<Json<Done>, Problem> {
    let done = try_open(&api, &who, &id).await;
    told(&api, &who, "door.opened", &id, done).await
}

async fn try_open(api: &Api, who: &Who, id: &str) -> Result<String, Problem> {
    who.need(Act::OpenDoors)?;
    let door = ours(api, id)?;
    if door.release.is_none() && door.ks_lock.is_none() {
        return Err(Problem::conflict(say::door_not_ours()));
    }
    if all(api).iter().any(|it| it.id == id && it.lockdown) {
        return Err(Problem::conflict(say::door_locked_down()));
    }
    let asker = say_journal::asker_page(&who.name);
    let opened = api.gateway.open_once(&door.id, asker.as_ref()).await;
    opened.map_err(Problem::not_now)
}

/// Begin or end the lockdown of a door
#[utoipa::path(put, path = "/api/v1/doors/{id}/lockdown", tag = "doors", params(("id" = String, Path)),
    request_body = Lockdown, extensions(("x-scope" = json!("doors:lockdown"))), responses(
    (status = 200, body = Done), (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn lockdown(
    State(api): State<Api>,
    who: Who,
    Named(id): Named,
    Sent(sent): Sent<Lockdown>,
) -> Result<Json<Done>, Problem> {
    let done = try_lockdown(&api, &who, &id, sent.on).await;
    let action = if sent.on {
        "door.lockdown_began"
    } else {
        "door.lockdown_ended"
    };
    told(&api, &who, action, &id, done).await
}

async fn try_lockdown(api: &Api, who: &Who, id: &str, on: bool) -> Result<String, Problem> {
    who.need(Act::LockDown)?;
    let door = ours(api, id)?;
    if door.ks_lock.is_some() {
        return Err(Problem::conflict(say::door_ks()));
    }
    let done = api.gateway.lock_down(&door.id, on, &who.name).await;
    done.map_err(Problem::not_now)
}

async fn told(
    api: &Api,
    who: &Who,
    action: &str,
    door: &str,
    done: Result<String, Problem>,
) -> Result<Json<Done>, Problem> {
    let outcome = done.as_ref().err().map_or("done", |problem| problem.title);
    api.staff.audit(&who.actor(), action, door, outcome).await;
    done.map(|message| Json(Done { message }))
}
