//! One request: the secret part of its address, limits, signature, replay, hints. Bodies and addresses are never
//! logged: the former are members' data, the latter hold the secret.

use super::{listen::Peer, receiver::Forward, replays::Replays, sources::Sources};
use crate::{
    clock::Clock,
    domain::{Millis, secret::Secret},
    platform::{Asked, Heard, Hint, Hook, HookRefused, Platform, Served},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Extension, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use ring::digest;
use serde::Serialize;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use subtle::ConstantTimeEq;
use tokio::time::timeout;

/// The largest body. Web hooks name one object; a list of a site's groups with their members is the largest.
const MOST_BYTES: usize = 1 << 20;
/// For a body to arrive.
const BODY: Duration = Duration::from_secs(10);

/// How the receiver does, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Web hooks that were understood.
    pub(super) heard: u64,
    /// The same delivery again: it did nothing.
    pub(super) replayed: u64,
    /// Not signed as they should be, too old, or not understood.
    pub(super) refused: u64,
    /// Requests that did not know the address.
    pub(super) strangers: u64,
    /// Requests beyond what one address may ask.
    pub(super) throttled: u64,
    /// Questions of the platform that were answered.
    pub(super) asked: u64,
    /// When the last one was understood, Unix milliseconds.
    pub(super) last_heard: Option<Millis>,
    /// Why the last one was refused, and when, Unix milliseconds.
    pub(super) last_refused: Option<(Millis, String)>,
}

/// What all requests share.
pub(super) struct Desk {
    platform: Arc<dyn Platform>,
    forward: Forward,
    clock: Clock,
    /// Of the secret part, so that every comparison takes the same time.
    secret: digest::Digest,
    sources: Mutex<Sources>,
    replays: Mutex<Replays>,
    counts: Mutex<Counts>,
}

impl Desk {
    pub(super) fn new(
        platform: Arc<dyn Platform>,
        forward: Forward,
        clock: Clock,
        secret: &Secret,
        replays: Replays,
    ) -> Self {
        Self {
            platform,
            forward,
            clock,
            secret: digest::digest(&digest::SHA256, secret.reveal().as_bytes()),
            sources: Mutex::default(),
            replays: Mutex::new(replays),
            counts: Mutex::default(),
        }
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, secret: &str) -> bool {
        let given = digest::digest(&digest::SHA256, secret.as_bytes());
        given.as_ref().ct_eq(self.secret.as_ref()).into()
    }

    /// A web hook: whether it is taken, and the hints of it.
    fn hear(&self, hook: &Hook<'_>) -> Result<Vec<Hint>, HookRefused> {
        let Heard {
            delivery,
            signed,
            hints,
        } = self.platform.hook(hook)?;
        // Where nothing is signed, nothing tells a replay from two changes of one object: both are hints to look.
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        if signed && !replays.is_new(&delivery) {
            self.counts().replayed += 1;
            return Ok(Vec::new());
        }
        let mut counts = self.counts();
        counts.heard += 1;
        counts.last_heard = Some(hook.now.at);
        Ok(hints)
    }

    fn refused(&self, why: HookRefused, now: Millis) -> StatusCode {
        let mut counts = self.counts();
        counts.refused += 1;
        counts.last_refused = Some((now, why.to_string()));
        match why {
            HookRefused::Unexpected => StatusCode::NOT_FOUND,
            HookRefused::Signature | HookRefused::Stale => StatusCode::UNAUTHORIZED,
            HookRefused::Body => StatusCode::BAD_REQUEST,
        }
    }
}

/// Everything that is not the secret address is the same 404.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new().fallback(request).with_state(desk)
}

async fn request(
    State(desk): State<Arc<Desk>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
) -> Response {
    let may = {
        let mut sources = desk.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.may(peer.ip(), desk.clock.monotonic())
    };
    if !may {
        desk.counts().throttled += 1;
        let wait = HeaderValue::from(super::sources::WINDOW.as_secs());
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait)]).into_response();
    }
    let (head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/hooks/").unwrap_or_default();
    let (secret, beyond) = path.split_once('/').unwrap_or((path, ""));
    if !desk.knows(secret) {
        desk.counts().strangers += 1;
        return StatusCode::NOT_FOUND.into_response();
    }
    let body = match timeout(BODY, whole(&head.headers, body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(status)) => return status.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let headers = plain(&head.headers);
    let hook = Hook {
        headers: &headers,
        body: &body,
        now: desk.clock.now(),
    };
    if head.method == Method::POST && beyond.is_empty() {
        return match desk.hear(&hook) {
            Ok(hints) => {
                (desk.forward)(hints);
                StatusCode::NO_CONTENT.into_response()
            }
            Err(why) => desk.refused(why, hook.now.at).into_response(),
        };
    }
    let asked = Asked {
        method: head.method.as_str(),
        path: beyond,
        query: head.uri.query().unwrap_or_default(),
        hook,
    };
    match desk.platform.served(&asked) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(Served {
            status,
            content_type,
            body,
            hints,
        }) => {
            desk.counts().asked += 1;
            (desk.forward)(hints);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
        }
    }
}

/// The body, if it is not too large.
async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, StatusCode> {
    let told = headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > MOST_BYTES) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    axum::body::to_bytes(body, MOST_BYTES)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
}

/// Names in lower case, as the HTTP library has them. A value that is no text says nothing.
fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}
