//! API 1: `https://SUBDOMAIN.cobot.me/api`, plain JSON: check-in tokens, time passes, work sessions, web hooks.

use super::{
    desk,
    jsonapi::{pairs, put, value},
    state::{Inner, Shared},
    time,
    world::{Session, Subscription, TimePass, Token},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde_json::{Value, json};
use std::sync::Arc;

type App = State<Arc<Shared>>;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/memberships", get(memberships))
        .route("/api/memberships/{id}", get(membership))
        .route("/api/memberships/{id}/work_sessions", post(check_in))
        .route("/api/memberships/{id}/time_passes/unused", get(passes_of))
        .route("/api/time_passes/unused", get(passes))
        .route("/api/time_passes/{id}", get(pass))
        .route("/api/work_sessions", get(sessions))
        .route("/api/check_ins", get(today))
        .route("/api/check_in_tokens", get(tokens).post(add_token))
        .route("/api/check_in_tokens/{token}", get(token))
        .route("/api/subscriptions", get(subscriptions).post(subscribe))
        .route("/api/subscriptions/{id}", delete(unsubscribe))
}

fn refused(status: StatusCode, field: &str, text: &str) -> Response {
    (status, Json(json!({ "errors": { field: [text] } }))).into_response()
}
fn absent() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

fn member(inner: &Inner, id: &str) -> Option<Value> {
    let world = &inner.world;
    let member = world.member(id)?;
    let today = time::day(inner.now(), &world.zone);
    let plan = world.plan_on(id, &today);
    let plan = plan.map(|row| {
        let passes: Vec<Value> = world
            .needs(&row.name)
            .iter()
            .map(|name| json!({ "id": format!("kind-{name}"), "name": name }))
            .collect();
        json!({ "name": row.name, "canceled_to": row.canceled, "time_passes": passes })
    });
    let old_day = |day: &Option<String>| day.as_ref().map(|day| day.replace('-', "/"));
    Some(json!({
        "id": member.id, "name": member.name, "email": member.email, "plan": plan, "upcoming_plan": null,
        "confirmed_at": old_day(&member.confirmed).map(|day| format!("{day} 09:00:00 +0000")),
        "canceled_to": old_day(&member.canceled), "team_id": member.team,
    }))
}

async fn memberships(State(shared): App) -> Response {
    let inner = shared.lock();
    let ids = inner.world.members.iter().map(|it| it.id.clone());
    let all: Vec<Value> = ids.filter_map(|id| member(&inner, &id)).collect();
    Json(all).into_response()
}

async fn membership(State(shared): App, Path(id): Path<String>) -> Response {
    member(&shared.lock(), &id).map_or_else(absent, |found| Json(found).into_response())
}

async fn check_in(State(shared): App, Path(id): Path<String>) -> Response {
    let mut inner = shared.lock();
    let now = inner.now();
    if inner
        .world
        .sessions
        .iter()
        .any(|it| it.membership == id && it.until > now)
    {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "base", "is already checked in");
    }
    if inner.world.member(&id).is_none() {
        return absent();
    }
    match desk::check_in(&mut inner.world, &id, now) {
        Err(reason) => refused(StatusCode::UNPROCESSABLE_ENTITY, "base", &reason),
        Ok(new) => {
            let url = format!("{}/api/check_ins/{}", inner.address, new.id);
            shared
                .hooks
                .tell(&inner, "created_checkin", &json!({ "url": url }));
            (StatusCode::CREATED, Json(session(&inner, &new))).into_response()
        }
    }
}

fn time_pass(inner: &Inner, pass: &TimePass) -> Value {
    let kind = inner.world.pass_kinds.iter().find(|it| it.name == pass.kind);
    json!({
        "id": pass.id, "name": pass.kind, "created_at": "2026/01/01 00:00:00 +0000",
        "expires_at": pass.expires.map(time::old), "used_at": pass.used.map(time::old),
        "timespans": "", "parsed_timespans": kind.map_or(json!([]), |kind| kind.spans.clone()),
        "membership": { "id": pass.membership },
        "url": format!("{}/api/time_passes/{}", inner.address, pass.id),
    })
}

async fn passes(State(shared): App) -> Response {
    let inner = shared.lock();
    if inner.faults.empty && inner.faults.concern("/api/time_passes/unused") {
        return Json(json!([])).into_response();
    }
    let unused = inner.world.time_passes.iter().filter(|it| it.used.is_none());
    let all: Vec<Value> = unused.map(|it| time_pass(&inner, it)).collect();
    Json(all).into_response()
}

/// Without the membership: the address names it.
async fn passes_of(State(shared): App, Path(id): Path<String>) -> Response {
    let inner = shared.lock();
    if inner.world.member(&id).is_none() {
        return absent();
    }
    let fits = |it: &&TimePass| it.used.is_none() && it.membership == id;
    let unused = inner.world.time_passes.iter().filter(fits);
    let without = |mut pass: Value| {
        if let Value::Object(pass) = &mut pass {
            pass.remove("membership");
        }
        pass
    };
    let all: Vec<Value> = unused.map(|it| without(time_pass(&inner, it))).collect();
    Json(all).into_response()
}

async fn pass(State(shared): App, Path(id): Path<String>) -> Response {
    let inner = shared.lock();
    let found = inner.world.time_passes.iter().find(|it| it.id == id);
    found.map_or_else(absent, |found| Json(time_pass(&inner, found)).into_response())
}

fn session(inner: &Inner, it: &Session) -> Value {
    let name = inner.world.member(&it.membership).map(|it| it.name.clone());
    let mut row = json!({
        "id": it.id, "membership": { "id": it.membership, "name": name },
        "valid_from": time::old(it.from), "valid_until": time::old(it.until),
    });
    if let Some(pass) = &it.time_pass {
        put(&mut row, "time_pass", json!({ "id": pass }));
    }
    row
}

async fn sessions(State(shared): App, uri: Uri) -> Response {
    let inner = shared.lock();
    let query = pairs(&uri);
    let end = |name: &str| value(&query, name).and_then(time::read);
    let (Some(from), Some(to)) = (end("from"), end("to")) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "from", "and to are times");
    };
    let fits = |it: &&Session| it.from >= from && it.from <= to;
    let found = inner.world.sessions.iter().filter(fits);
    let all: Vec<Value> = found.map(|it| session(&inner, it)).collect();
    Json(all).into_response()
}

async fn today(State(shared): App) -> Response {
    let inner = shared.lock();
    let day = |at| time::day(at, &inner.world.zone);
    let today = day(inner.now());
    let found = inner.world.sessions.iter().filter(|it| day(it.from) == today);
    let all: Vec<Value> = found.map(|it| session(&inner, it)).collect();
    Json(all).into_response()
}

fn holder(inner: &Inner, token: &Token) -> Value {
    let name = inner.world.member(&token.membership).map(|it| it.name.clone());
    json!({ "token": token.token, "membership": { "id": token.membership, "name": name } })
}

async fn tokens(State(shared): App) -> Response {
    let inner = shared.lock();
    let all: Vec<Value> = inner.world.tokens.iter().map(|it| holder(&inner, it)).collect();
    Json(all).into_response()
}

async fn token(State(shared): App, Path(token): Path<String>) -> Response {
    let inner = shared.lock();
    let found = inner.world.tokens.iter().find(|it| it.token == token);
    // Not 404: a door controller that asks gets nothing, and stays locked.
    found.map_or_else(
        || StatusCode::NO_CONTENT.into_response(),
        |found| Json(holder(&inner, found)).into_response(),
    )
}

async fn add_token(State(shared): App, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let (Some(membership), Some(token)) = (text("membership_id"), text("token")) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "token", "can't be blank");
    };
    let mut inner = shared.lock();
    if inner.world.member(&membership).is_none() {
        return absent();
    }
    if inner.world.tokens.iter().any(|it| it.token == token) {
        return refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "token",
            "has already been taken",
        );
    }
    let new = Token { token, membership };
    let row = holder(&inner, &new);
    inner.world.tokens.push(new);
    let url = format!("{}/api/check_in_tokens", inner.address);
    shared
        .hooks
        .tell(&inner, "created_checkin_token", &json!({ "url": url }));
    (StatusCode::CREATED, Json(row)).into_response()
}

fn shown(inner: &Inner, it: &Subscription) -> Value {
    json!({
        "id": it.id, "event": it.event, "active": it.active, "callback_url": it.callback,
        "url": format!("{}/api/subscriptions/{}", inner.address, it.id),
    })
}

async fn subscriptions(State(shared): App) -> Response {
    let inner = shared.lock();
    let all: Vec<Value> = inner
        .world
        .subscriptions
        .iter()
        .map(|it| shown(&inner, it))
        .collect();
    Json(all).into_response()
}

async fn subscribe(State(shared): App, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let (Some(event), Some(callback)) = (text("event"), text("callback_url")) else {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "event", "can't be blank");
    };
    if !super::EVENTS.contains(&event.as_str()) {
        return refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            "event",
            "is not included in the list",
        );
    }
    let mut inner = shared.lock();
    let twin = |it: &Subscription| it.event == event && it.callback == callback;
    if inner.world.subscriptions.iter().any(twin) {
        return refused(StatusCode::CONFLICT, "event", "is subscribed to already");
    }
    let new = Subscription {
        id: inner.world.id("subscription"),
        event,
        callback,
        active: true,
    };
    let row = shown(&inner, &new);
    inner.world.subscriptions.push(new);
    (StatusCode::CREATED, Json(row)).into_response()
}

async fn unsubscribe(State(shared): App, Path(id): Path<String>) -> Response {
    let mut inner = shared.lock();
    let before = inner.world.subscriptions.len();
    inner.world.subscriptions.retain(|it| it.id != id);
    if inner.world.subscriptions.len() == before {
        return absent();
    }
    StatusCode::NO_CONTENT.into_response()
}
