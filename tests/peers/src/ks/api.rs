//! One request at the Connect API: who may, where it goes, and what goes wrong with it.

use super::{
    entries,
    faults::Trap,
    groups, hardware,
    reply::{Answer, Refusal, Reply, Request},
    sites,
    state::State,
    users,
};
use axum::http::Method;

/// Versions of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1_1,
    V1_2,
}

/// One request.
pub(super) fn answer(state: &mut State, request: &Request) -> Reply {
    let changes = request.method != Method::GET;
    if let Some(reply) = trouble(state, request) {
        return reply;
    }
    let trap = state.faults.trap.filter(|_| changes);
    if changes {
        state.changes_since += 1;
    }
    let lost = lost(state);
    if changes && state.faults.revoke_at == Some(state.changes_since) {
        state.identity.tokens.clear();
        state.identity.refresh.clear();
        state.sprung = true;
    }
    let trapped = trap.filter(|trap| trap.nth == state.changes_since);
    if let Some(Trap { done: false, .. }) = trapped {
        state.sprung = true;
        return lost;
    }
    let mut reply = allowed(state, request);
    if trapped.is_some() {
        state.sprung = true;
        return lost;
    }
    if state
        .faults
        .half_answer
        .is_some_and(|part| request.path.contains(part))
    {
        reply.cut = Some((reply.body.len() / 2).max(1));
    }
    reply
}

/// No answer: the connection is cut, or nobody says anything.
fn lost(state: &State) -> Reply {
    if state.faults.silent {
        Reply::silent()
    } else {
        Reply::lost()
    }
}

/// What comes before anybody looks at the request.
fn trouble(state: &mut State, request: &Request) -> Option<Reply> {
    if state.sprung && state.faults.trap.is_some_and(|trap| trap.then_away) {
        return Some(lost(state));
    }
    let broken = state
        .faults
        .error_500
        .is_some_and(|part| request.path.contains(part));
    let nth = u64::try_from(state.asked.len()).unwrap_or(u64::MAX) + 1;
    if broken
        || state
            .faults
            .flaky
            .is_some_and(|every| nth.is_multiple_of(every.max(1)))
    {
        return Some(Reply::empty(500));
    }
    let mut throttle = state.faults.throttle;
    if let Some((seconds, left)) = &mut state.faults.throttle_some
        && *left > 0
    {
        *left -= 1;
        throttle = Some(*seconds);
    }
    throttle.map(|seconds| Reply::empty(429).with("retry-after", &seconds.to_string()))
}

fn allowed(state: &mut State, request: &Request) -> Reply {
    let token = request
        .authorization
        .as_deref()
        .and_then(|value| value.strip_prefix("Bearer "));
    if !token.is_some_and(|token| state.token_is_good(token)) {
        return Reply::empty(401).with("www-authenticate", "Bearer error=\"invalid_token\"");
    }
    let path = request.path.clone();
    let mut parts = path.trim_matches('/').split('/');
    let version = match parts.next() {
        Some("v1.1") => Version::V1_1,
        Some("v1.2") => Version::V1_2,
        Some("v2") => {
            let body = serde_json::json!({"type": "about:blank", "title": "Forbidden", "status": 403, "traceId": "00-0"});
            return Reply::json(403, &body);
        }
        _ => return Reply::empty(404),
    };
    let parts: Vec<&str> = parts.collect();
    match route(state, request, version, &parts) {
        Ok(reply) => reply,
        Err(refusal) => refusal.reply(state),
    }
}

fn route(state: &mut State, request: &Request, version: Version, parts: &[&str]) -> Answer {
    let get = request.method == Method::GET;
    match parts {
        ["sites"] if get => sites::list(state),
        ["me"] if get => sites::me(state),
        ["sites" | "me"] => Ok(Reply::empty(405)),
        ["sites", site, rest @ ..] => {
            sites::is_this(state, site)?;
            if state.faults.no_admin && !matches!(rest, [] | ["subscription" | "me"]) {
                return Err(Refusal::forbidden());
            }
            within(state, request, version, rest)
        }
        _ => Ok(Reply::empty(404)),
    }
}

/// Whether these things are of the older version only.
fn older_only(parts: &[&str]) -> bool {
    matches!(
        parts,
        ["entries", ..]
            | ["access_groups", _, "locks" | "time_schedules", ..]
            | ["locks", _, "tag_registration"]
    )
}

fn within(state: &mut State, request: &Request, version: Version, parts: &[&str]) -> Answer {
    if older_only(parts) && version != Version::V1_1 {
        return Ok(Reply::empty(405));
    }
    let method = request.method.as_str();
    match (method, parts) {
        ("GET", []) => sites::one(state),
        ("GET", ["subscription"]) => sites::subscription(state),
        ("GET", ["me"]) => users::me(state),
        ("GET", ["roles"]) => sites::roles(state, request),
        (_, ["users" | "guests" | "tags", ..]) => users::route(state, request, parts),
        (_, ["access_groups", ..]) => groups::route(state, request, parts),
        (_, ["locks" | "iqs", ..]) => hardware::route(state, request, parts),
        ("GET", ["entries"]) => entries::list(state, request),
        (_, [] | ["subscription" | "me" | "roles" | "entries"]) => Ok(Reply::empty(405)),
        _ => Ok(Reply::empty(404)),
    }
}
