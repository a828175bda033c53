//! The requests of Nexudus: logins, lists, single records, several at once, and writes.

use super::{
    BUSINESS, PASSWORD, USER, check_in,
    state::{ACCESS_SECONDS, Request as Seen, Shared, State, utc},
    tables::{Asked, Entity},
};
use crate::cloud::server::NeverSent;
use axum::{
    Json, Router,
    extract::{Form, Path, Query, Request, State as Held},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

type App = Held<Arc<Shared>>;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let entity = get(search).post(create).put(update);
    Router::new()
        .route("/api/token", post(token))
        .route("/api/{module}/{entity}", entity.clone())
        .route("/api/{module}/{entity}/", entity)
        .route("/api/{module}/{entity}/{id}", get(one))
        .fallback(|| async { said(StatusCode::NOT_FOUND, "there is no such address") })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), gate))
        .with_state(shared)
}

fn said(status: StatusCode, words: &str) -> Response {
    let body = json!({ "Status": status.as_u16(), "Message": words, "Value": null, "WasSuccessful": false, "Errors": null });
    (status, Json(body)).into_response()
}

/// A write that was understood and failed: the status is 200 all the same (facts: platforms.md 3.4).
pub(super) fn failed(words: &str, property: Option<&str>) -> Response {
    let errors = property
        .map(|property| json!([{ "AttemptedValue": null, "Message": words, "PropertyName": property }]));
    Json(json!({ "Status": 500, "Message": words, "Value": null, "WasSuccessful": false, "Errors": errors }))
        .into_response()
}

fn done(words: &str, id: u64) -> Response {
    Json(json!({ "Status": 200, "Message": words, "Value": { "Id": id }, "WasSuccessful": true, "Errors": null }))
        .into_response()
}

/// Faults, throttling and the login, before anything else. Every request is written down.
async fn gate(Held(shared): App, request: Request, next: Next) -> Response {
    let seen = Seen {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        status: 0,
    };
    let (index, faults) = {
        let mut state = shared.lock();
        state.requests.push(seen);
        (state.requests.len(), state.faults.clone())
    };
    if faults.away {
        return never();
    }
    if let Some(slow) = faults.slow {
        tokio::time::sleep(slow).await;
    }
    let throttled = faults
        .throttle
        .filter(|(every, _)| u64::try_from(index).unwrap_or(0).is_multiple_of(*every));
    let mut answer = match throttled {
        Some((_, after)) => {
            let mut answer = StatusCode::CONFLICT.into_response();
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(after));
            answer
        }
        None if request.uri().path() == "/api/token" || let_in(&shared, request.headers()) => {
            next.run(request).await
        }
        None => said(
            StatusCode::UNAUTHORIZED,
            "Authorization has been denied for this request.",
        ),
    };
    let mut state = shared.lock();
    let lost = answer.extensions().get::<NeverSent>().is_some();
    if let Some(seen) = state.requests.get_mut(index - 1).filter(|_| !lost) {
        seen.status = answer.status().as_u16();
    }
    let now = jiff::Timestamp::from_millisecond(state.now() + state.faults.skew).unwrap_or_default();
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

/// An answer that must not leave.
fn never() -> Response {
    let mut answer = StatusCode::OK.into_response();
    answer.extensions_mut().insert(NeverSent);
    answer
}

fn let_in(shared: &Shared, headers: &HeaderMap) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let state = shared.lock();
    let now = state.now();
    state
        .logins
        .access
        .iter()
        .any(|(token, until)| Some(token.as_str()) == given && now < *until)
}

async fn token(Held(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let mut state = shared.lock();
    let now = state.now();
    let fine = match field("grant_type") {
        "password" => {
            state.logins.by_password += 1;
            field("username") == USER && field("password") == PASSWORD
        }
        "refresh_token" => state
            .logins
            .refresh
            .as_ref()
            .is_some_and(|(token, until)| token == field("refresh_token") && now < *until),
        _ => false,
    };
    if !fine {
        let body = json!({ "error": "invalid_grant", "error_description": "The user name or password is incorrect." });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let (access, refresh) = state.logins.give(now);
    Json(json!({
        "access_token": access,
        "token_type": "bearer",
        "expires_in": ACCESS_SECONDS,
        "refresh_token": refresh,
    }))
    .into_response()
}

/// The entity of an address, if the user has the role for it.
fn allowed(state: &State, module: &str, entity: &str, action: &str) -> Result<Entity, Box<Response>> {
    let path = format!("{module}/{entity}");
    let entity =
        Entity::at(&path).ok_or_else(|| Box::new(said(StatusCode::NOT_FOUND, "there is no such entity")))?;
    let role = format!("{}-{action}", entity.name);
    if state.faults.revoked.contains(&role.as_str()) {
        let words = format!("The role {role} is required.");
        return Err(Box::new(said(StatusCode::FORBIDDEN, &words)));
    }
    Ok(entity)
}

async fn search(
    Held(shared): App,
    Path((module, entity)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let state = shared.lock();
    if let Some((_, ids)) = query.iter().find(|(name, _)| name == "id") {
        return several(&state, &module, &entity, ids).unwrap_or_else(|refusal| *refusal);
    }
    let entity = match allowed(&state, &module, &entity, "List") {
        Ok(entity) => entity,
        Err(refusal) => return *refusal,
    };
    let mut asked = match Asked::read(&entity, &query) {
        Ok(asked) => asked,
        Err(words) => return said(StatusCode::BAD_REQUEST, &words),
    };
    let faults = &state.faults;
    if faults
        .error_500
        .is_some_and(|(path, from)| path == entity.path && asked.page >= from)
    {
        return said(StatusCode::INTERNAL_SERVER_ERROR, "a fault on request");
    }
    let page = state.page(&entity, &mut asked);
    if faults.half_page == Some(entity.path) {
        let whole = page.to_string();
        let half = whole.get(..whole.len() / 2).unwrap_or_default().to_owned();
        return ([(header::CONTENT_TYPE, "application/json")], half).into_response();
    }
    Json(page).into_response()
}

/// `?id=[1,2,3]`: an array of whole records.
fn several(state: &State, module: &str, entity: &str, ids: &str) -> Result<Response, Box<Response>> {
    let entity = allowed(state, module, entity, "Read")?;
    let ids: Vec<u64> = serde_json::from_str(ids).map_err(|_| {
        Box::new(said(
            StatusCode::BAD_REQUEST,
            "id is a list of numbers in square brackets",
        ))
    })?;
    let rows: Vec<Value> = ids
        .iter()
        .filter_map(|id| state.row(entity.path, *id))
        .map(|row| Value::Object(row.clone()))
        .collect();
    Ok(Json(rows).into_response())
}

async fn one(Held(shared): App, Path((module, entity, id)): Path<(String, String, u64)>) -> Response {
    let state = shared.lock();
    let entity = match allowed(&state, &module, &entity, "Read") {
        Ok(entity) => entity,
        Err(refusal) => return *refusal,
    };
    match state.row(entity.path, id) {
        Some(row) => Json(Value::Object(row.clone())).into_response(),
        None => said(StatusCode::NOT_FOUND, "there is no such record"),
    }
}

async fn create(
    Held(shared): App,
    Path((module, entity)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Response {
    let mut state = shared.lock();
    let entity = match allowed(&state, &module, &entity, "Create") {
        Ok(entity) => entity,
        Err(refusal) => return *refusal,
    };
    match entity.path {
        "spaces/checkins" => {
            let answer = match check_in::post(&mut state, &body) {
                Ok(id) => {
                    if let Some(row) = state.row("spaces/checkins", id) {
                        shared.hooks.tell(row);
                    }
                    done("Checkin was successfully created.", id)
                }
                Err((words, property)) => return failed(&words, property),
            };
            if state.faults.lose_check_in_answers > 0 {
                state.faults.lose_check_in_answers -= 1;
                return never();
            }
            answer
        }
        "sys/webhooks" => {
            let mut body = body;
            if body.get("BusinessId").and_then(Value::as_u64) != Some(BUSINESS) {
                return failed("Business is required", Some("Business"));
            }
            if let Some(hook) = body.as_object_mut() {
                hook.insert("Active".into(), json!(true));
                hook.insert("ErrorCount".into(), json!(0));
            }
            done(
                "WebHook was successfully created.",
                state.add("sys/webhooks", &body),
            )
        }
        _ => said(
            StatusCode::METHOD_NOT_ALLOWED,
            "the simulator does not create these",
        ),
    }
}

/// What a change of a coworker must name besides its id.
const REQUIRED: [&str; 4] = ["FullName", "Email", "CountryId", "SimpleTimeZoneId"];

/// A change replaces the whole record: a column that is left out becomes empty.
async fn update(
    Held(shared): App,
    Path((module, entity)): Path<(String, String)>,
    method: Method,
    Json(body): Json<Value>,
) -> Response {
    let mut state = shared.lock();
    let entity = match allowed(&state, &module, &entity, "Edit") {
        Ok(entity) if entity.path == "spaces/coworkers" && method == Method::PUT => entity,
        Ok(_) => {
            return said(
                StatusCode::METHOD_NOT_ALLOWED,
                "the simulator does not change these",
            );
        }
        Err(refusal) => return *refusal,
    };
    for property in REQUIRED {
        if body.get(property).is_none_or(Value::is_null) {
            return failed(&format!("{property} is required"), Some(property));
        }
    }
    let Some(id) = body
        .get("Id")
        .and_then(Value::as_u64)
        .filter(|id| state.row(entity.path, *id).is_some())
    else {
        return failed("there is no such record", Some("Id"));
    };
    let row = entity.fill(id, &utc(state.now()), &body);
    shared.hooks.tell(&row);
    state.tables.entry(entity.path).or_default().insert(id, row);
    done("Coworker was successfully updated.", id)
}
