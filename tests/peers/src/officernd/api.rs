//! One request: who may, where it goes.

use super::{
    ORGANIZATION, checkins, identity, lists, occurrences,
    state::{Asked, State, instant},
    writes,
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

/// An answer, before it becomes bytes.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(String, String)>,
    /// The connection is cut after so many bytes of the body; 0 sends nothing at all.
    pub(super) cut: Option<usize>,
}

impl Reply {
    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self {
            status,
            body: body.to_string().into_bytes(),
            headers: Vec::new(),
            cut: None,
        }
    }
    /// `{statusCode, message, error}`, as the platform words its refusals.
    pub(super) fn refused(status: StatusCode, message: &str) -> Self {
        let error = status.canonical_reason().unwrap_or_default();
        let body = json!({"statusCode": status.as_u16(), "message": message, "error": error});
        Self::json(status, &body)
    }
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    /// The connection ends without an answer.
    pub(super) fn lost() -> Self {
        let mut reply = Self::json(StatusCode::OK, &Value::Null);
        reply.cut = Some(0);
        reply
    }
}

/// A request with everything that matters of it.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) token: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Query parameters in their order, decoded.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let uri = format!("/?{}", self.query).parse().unwrap_or_default();
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
            .map(|pairs| pairs.0)
            .unwrap_or_default()
    }
}

pub(super) fn answer(state: &mut State, request: &Request) -> Reply {
    let begins = format!("/api/v2/organizations/{ORGANIZATION}");
    let path = request.path.strip_prefix(&begins).unwrap_or(&request.path);
    let mut reply = if state.faults.away {
        Reply::lost()
    } else if request.path == "/oauth/token" {
        identity::token(state, &request.body)
    } else {
        within(state, request, path)
    };
    state.asked.push(Asked {
        method: request.method.to_string(),
        path: path.to_owned(),
        query: request.query.clone(),
        status: if reply.cut == Some(0) {
            0
        } else {
            reply.status.as_u16()
        },
    });
    let date = jiff::Timestamp::from_millisecond(state.server_now()).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    reply = reply.with("date", &date);
    reply
}

fn within(state: &mut State, request: &Request, path: &str) -> Reply {
    if state.faults.error_500.is_some_and(|part| path.contains(part)) {
        return Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error");
    }
    if let Some(seconds) = state.faults.throttle {
        return Reply::refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
            .with("retry-after", &seconds.to_string());
    }
    if path == request.path {
        // An organization that is not there is answered so; one would expect 404.
        return Reply::refused(StatusCode::INTERNAL_SERVER_ERROR, "Organization not found");
    }
    let now = state.server_now() / 1_000;
    let known = request.token.as_ref().and_then(|token| state.tokens.get(token));
    let Some(token) = known.filter(|token| token.until > now) else {
        return Reply::refused(StatusCode::UNAUTHORIZED, "Unauthorized access");
    };
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let collection = parts.first().copied().unwrap_or_default();
    let Some(scope) = scope(collection, &request.method) else {
        return Reply::refused(
            StatusCode::NOT_FOUND,
            &format!("Cannot {} {path}", request.method),
        );
    };
    if !token.scopes.contains(scope) || !state.granted.contains(scope) {
        let text = format!("Insufficient permissions: {scope} is required");
        return Reply::refused(StatusCode::FORBIDDEN, &text);
    }
    let reply = match (&request.method, parts.as_slice()) {
        (&Method::GET, ["bookings", "occurrences"]) => occurrences::list(state, request),
        (&Method::GET, [_]) => lists::list(state, collection, request),
        (&Method::GET, [_, id]) => lists::one(state, collection, id),
        (&Method::POST, ["checkins", member]) => checkins::check_in(state, member, &request.body),
        (&Method::PUT, ["members", member]) => writes::member(state, member, &request.body),
        (&Method::POST, ["webhooks"]) => writes::hook(state, &request.body),
        (method, _) => Reply::refused(StatusCode::NOT_FOUND, &format!("Cannot {method} {path}")),
    };
    budget(state, reply)
}

/// What is left of the minute and the day. The numbers are the organization's; nobody publishes them.
fn budget(state: &mut State, mut reply: Reply) -> Reply {
    let left = match &mut state.faults.reads_left {
        None => 399,
        Some(0) => {
            return Reply::refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
                .with("retry-after", "1");
        }
        Some(left) => {
            *left -= 1;
            *left
        }
    };
    for (name, value) in [
        ("x-ratelimit-limit-read-minute", 400),
        ("x-ratelimit-remaining-read-minute", left),
        ("x-ratelimit-reset-read-minute", 1),
        ("x-ratelimit-limit-read-day", 20_000),
        ("x-ratelimit-remaining-read-day", 19_999),
        ("x-ratelimit-reset-read-day", 43_200),
    ] {
        reply = reply.with(name, &value.to_string());
    }
    reply
}

/// The scope that a request needs.
fn scope(collection: &str, method: &Method) -> Option<&'static str> {
    Some(match (collection, method) {
        ("members", &Method::GET) => "flex.community.members.read",
        ("members", &Method::PUT) => "flex.community.members.update",
        ("companies", &Method::GET) => "flex.community.companies.read",
        ("memberships", &Method::GET) => "flex.community.memberships.read",
        ("visitors", &Method::GET) => "flex.community.visitors.read",
        ("checkins", &Method::GET) => "flex.community.checkins.read",
        ("checkins", &Method::POST) => "flex.community.checkins.create",
        ("bookings", &Method::GET) => "flex.space.bookings.read",
        ("resources", &Method::GET) => "flex.space.resources.read",
        ("assignments", &Method::GET) => "flex.space.assignments.read",
        ("floors", &Method::GET) => "flex.space.floors.read",
        ("locations", &Method::GET) => "flex.space.locations.read",
        ("passes", &Method::GET) => "flex.space.passes.read",
        ("plans", &Method::GET) => "flex.billing.plans.read",
        ("webhooks", &Method::GET) => "flex.settings.webhooks.read",
        ("webhooks", &Method::POST) => "flex.settings.webhooks.create",
        _ => return None,
    })
}

/// The body as JSON, and `instant` for what is written back.
pub(super) fn body(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

/// The end of the local day of an instant in the space's zone, as the platform writes it.
pub(super) fn midnight_after(at: i64) -> Option<String> {
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").ok()?;
    let day = jiff::Timestamp::from_millisecond(at).ok()?.to_zoned(zone).date();
    let next = day.tomorrow().ok()?.in_tz("Europe/Madrid").ok()?;
    Some(instant(next.timestamp().as_millisecond()))
}
