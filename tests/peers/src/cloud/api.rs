//! The contract's requests.

use super::{
    server::NeverSent,
    state::{Card, CheckInBody, Delivery, Instead, Outcome, Shared},
};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use hyper::body::Frame;
use serde_json::{Map, Value, json};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

const DEFAULT_LIMIT: u64 = 200;
const MOST_LIMIT: u64 = 1_000;
const DEFAULT_WAIT: u64 = 30;
const MOST_WAIT: u64 = 60;

type App = State<Arc<Shared>>;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/facts", get(facts))
        .route("/v1/changes", get(changes))
        .route("/v1/check-ins", post(check_in))
        .route(
            "/v1/people/{person}/credentials/{credential}",
            put(assign).delete(remove),
        )
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "not-found", "there is no such address") })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), gate))
        .with_state(shared)
}

/// Token and faults, before anything else.
async fn gate(State(shared): App, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    if given != Some(shared.token()) {
        let mut answer = problem(
            StatusCode::UNAUTHORIZED,
            "unauthorised",
            "the bearer token is not known",
        );
        answer
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return answer;
    }
    let suffers = shared.begin();
    if let Some(slow) = suffers.slow {
        tokio::time::sleep(slow).await;
    }
    let answer = match suffers.instead {
        Some(Instead::Error500) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "a fault on request",
        ),
        Some(Instead::Throttled(seconds)) => {
            let mut answer = problem(StatusCode::TOO_MANY_REQUESTS, "throttled", "too many requests");
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            answer
        }
        Some(Instead::Redirect(to)) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        None => next.run(request).await,
    };
    let answer = dated(answer, shared.faults().clock_ahead);
    shared.end();
    answer
}

/// The server sets the right date by itself; a wrong one has to be said.
fn dated(mut answer: Response, ahead: u64) -> Response {
    let seconds = i64::try_from(super::hooks::now() + ahead).unwrap_or(i64::MAX);
    let date = jiff::Timestamp::from_second(seconds).ok();
    let date = date.map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(date) = date.filter(|_| ahead > 0).and_then(|date| date.parse().ok()) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

async fn facts(State(shared): App, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let faults = shared.faults();
    let (limit, cursor) = match page_wanted(query.as_deref()) {
        Ok(wanted) => wanted,
        Err(what) => return bad(&what),
    };
    let (version, offset, rows) = match cursor {
        None => {
            let (version, rows) = shared.freeze();
            if is_known(&headers, version) {
                return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag(version))]).into_response();
            }
            (version, 0, rows)
        }
        Some((version, offset)) => match shared.frozen(version).filter(|_| !faults.forgets_cursors) {
            Some(rows) => (version, offset, rows),
            None => return problem(StatusCode::GONE, "cursor-expired", "begin again without a cursor"),
        },
    };
    if faults.later_pages_fail && offset > 0 {
        return problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "a fault on request",
        );
    }
    let end = offset.saturating_add(limit).min(rows.len());
    let mut told = version.saturating_sub(faults.version_back);
    if faults.mixed_versions && offset > 0 {
        told += 1;
    }
    let mut page = Map::new();
    page.insert("version".into(), json!(told));
    page.insert("complete".into(), json!(end == rows.len()));
    if end < rows.len() {
        let next = if faults.repeats_page && offset > 0 {
            offset
        } else {
            end
        };
        page.insert("next".into(), json!(format!("{version}.{next}")));
    } else if faults.never_complete {
        page.insert("complete".into(), json!(false));
    }
    let mut collections: Map<String, Value> = Map::new();
    for (collection, row) in rows.get(offset..end).unwrap_or_default() {
        let list = collections.entry(*collection).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(row.clone());
        }
    }
    if shared.hits(faults.wrong_type) {
        collections.insert("people".into(), json!({ "card": "uid:04A2B3C4D5E680" }));
    }
    page.insert("facts".into(), Value::Object(collections));
    let body = Value::Object(page).to_string();
    let content = (header::CONTENT_TYPE, "application/json".to_owned());
    let tag = (header::ETAG, etag(told));
    if shared.hits(faults.cut_json) {
        let half = body.len() / 2;
        let cut: String = body.chars().take(half).collect();
        return ([content, tag], cut).into_response();
    }
    if shared.hits(faults.half_page) {
        let length = (header::CONTENT_LENGTH, body.len().to_string());
        return ([content, tag, length], Body::new(Half::Text(body))).into_response();
    }
    ([content, tag], body).into_response()
}

/// Half of a text, and then the connection breaks.
enum Half {
    Text(String),
    /// One turn without news, so that what stands before really leaves.
    Flush,
    Break,
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match std::mem::replace(&mut *self, Self::Break) {
            Self::Text(text) => {
                *self = Self::Flush;
                let mut bytes = Bytes::from(text);
                bytes.truncate(bytes.len() / 2);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Flush => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Break => Poll::Ready(Some(Err(io::Error::other("broken off on purpose")))),
        }
    }
}

fn etag(version: u64) -> String {
    format!("\"v{version}\"")
}

fn is_known(headers: &HeaderMap, version: u64) -> bool {
    let wanted = etag(version);
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == wanted
        })
}

/// Limit and cursor, or the answer that says what is wrong with them.
fn page_wanted(query: Option<&str>) -> Result<(usize, Option<(u64, usize)>), String> {
    let limit = number(query, "limit", DEFAULT_LIMIT, 1, MOST_LIMIT)?;
    let cursor = match parameter(query, "cursor") {
        None => None,
        Some(text) => {
            let parts = text.split_once('.');
            let parts =
                parts.and_then(|(version, offset)| Some((version.parse().ok()?, offset.parse().ok()?)));
            Some(parts.ok_or("cursor is none that this cloud gave")?)
        }
    };
    Ok((usize::try_from(limit).unwrap_or(usize::MAX), cursor))
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let query = axum::http::Uri::builder()
        .path_and_query(format!("/?{}", query?))
        .build()
        .ok()?;
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&query).ok()?;
    pairs
        .0
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

fn number(query: Option<&str>, name: &str, absent: u64, least: u64, most: u64) -> Result<u64, String> {
    let Some(text) = parameter(query, name) else {
        return Ok(absent);
    };
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text.parse::<u64>().ok().filter(|_| plain);
    value
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("{name} must be a number from {least} to {most}"))
}

fn bad(what: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, "bad-request", what)
}

async fn changes(State(shared): App, RawQuery(query): RawQuery) -> Response {
    if shared.faults().no_changes {
        return problem(
            StatusCode::NOT_IMPLEMENTED,
            "not-built",
            "this cloud gives no hints",
        );
    }
    let query = query.as_deref();
    if parameter(query, "after").is_none() {
        return bad("after is missing");
    }
    let wanted = number(query, "after", 0, 0, i64::MAX.unsigned_abs())
        .and_then(|after| Ok((after, number(query, "wait", DEFAULT_WAIT, 0, MOST_WAIT)?)));
    let (after, wait) = match wanted {
        Ok(wanted) => wanted,
        Err(what) => return bad(&what),
    };
    let mut versions = shared.watch();
    let newer = versions.wait_for(|version| *version > after);
    match tokio::time::timeout(Duration::from_secs(wait), newer).await {
        Ok(Ok(version)) => Json(json!({ "version": *version })).into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn check_in(State(shared): App, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok());
    let Some(key) =
        key.filter(|key| (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()))
    else {
        return bad("Idempotency-Key is missing, or not 1 to 128 visible ASCII characters");
    };
    let body: CheckInBody = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(error) => return bad(&format!("the body is no check-in: {error}")),
    };
    if body.event.is_empty() || body.door.is_empty() || !is_instant(&body.at) {
        return bad("the body needs an event, a door, and a time in RFC 3339");
    }
    if body.event != key {
        return problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "key-mismatch",
            "event and Idempotency-Key differ",
        );
    }
    if let Some(status) = shared.faults().check_ins_answered {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return problem(status, "on-request", "a fault on request");
    }
    let answer = match shared.deliver(key, &body) {
        Delivery::First(outcome) => taken(StatusCode::CREATED, &outcome),
        Delivery::Again(outcome) => taken(StatusCode::OK, &outcome),
        Delivery::OtherBody => problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "key-reused",
            "this Idempotency-Key came before with another person, door or time",
        ),
        Delivery::UnknownPerson => problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown-person",
            "there is no such person",
        ),
    };
    if shared.hits(shared.faults().lose_reply_after_commit) {
        let mut lost = answer;
        lost.extensions_mut().insert(NeverSent);
        return lost;
    }
    answer
}

fn taken(status: StatusCode, outcome: &Outcome) -> Response {
    (status, Json(outcome)).into_response()
}

/// RFC 3339 with a `T` and an offset, as the contract's pattern has it.
fn is_instant(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok() && text.as_bytes().get(10) == Some(&b'T') && !text.contains('[')
}

async fn assign(State(shared): App, Path((person, card)): Path<(String, String)>) -> Response {
    if !is_card(&card) {
        return bad("credential must be scheme:VALUE, uid:04A2B3C4D5E680 say");
    }
    card_answer(shared.assign(&person, &card))
}

async fn remove(State(shared): App, Path((person, card)): Path<(String, String)>) -> Response {
    if !is_card(&card) {
        return bad("credential must be scheme:VALUE, uid:04A2B3C4D5E680 say");
    }
    card_answer(shared.remove(&person, &card))
}

fn card_answer(card: Card) -> Response {
    match card {
        Card::Done => StatusCode::NO_CONTENT.into_response(),
        Card::UnknownPerson => problem(StatusCode::NOT_FOUND, "unknown-person", "there is no such person"),
        Card::HeldBy(person) => problem(
            StatusCode::CONFLICT,
            "card-held",
            &format!("person {person} holds this card"),
        ),
    }
}

/// `uid:` 8, 14 or 20 digits, `wiegandN:`, `ks:` 8 decimal digits, `token:` up to 20; hexadecimal upper case.
fn is_card(card: &str) -> bool {
    let Some((scheme, value)) = card.split_once(':') else {
        return false;
    };
    let hex = value
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    let even = value.len().is_multiple_of(2) && (2..=20).contains(&value.len());
    match scheme {
        "uid" => hex && matches!(value.len(), 8 | 14 | 20),
        "ks" => value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit()),
        "token" => hex && even,
        _ => scheme.strip_prefix("wiegand").is_some_and(|bits| {
            let bits = bits
                .parse::<usize>()
                .ok()
                .filter(|_| !bits.starts_with(['0', '+']));
            hex && even
                && bits.is_some_and(|bits| (1..=80).contains(&bits) && value.len() == bits.div_ceil(8) * 2)
        }),
    }
}

/// A problem document (RFC 9457).
fn problem(status: StatusCode, kind: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("urn:doorward:problem:{kind}"),
        "title": status.canonical_reason().unwrap_or("error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    let content = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, content, body.to_string()).into_response()
}
