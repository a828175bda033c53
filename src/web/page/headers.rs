//! What every answer of the page carries, and what every request must keep to.

use crate::{domain::say::page as say, web::problem::Problem};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::time::timeout;

/// The largest body: a list of a few thousand people as CSV is the largest thing that anybody sends.
const MOST_BYTES: usize = 256 << 10;
/// Of a body that is refused, so much is read all the same.
const MOST_PASSED_OVER: usize = 1 << 20;
/// For a body to arrive.
const BODY: Duration = Duration::from_secs(10);

/// Nothing but what the gateway itself serves, no script or style inside a page, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Of every answer, unless the handler said otherwise.
const ALWAYS: [(HeaderName, &str); 9] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(self)",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// A year, as RFC 6797 has it. Only with a certificate that browsers trust: an own one would lock them out for good the day
/// that it is made anew.
const REMEMBER: &str = "max-age=31536000";

/// Whether browsers are told to come back by TLS only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strict(pub(super) bool);

/// Puts the headers on.
pub(super) async fn secure(State(strict): State<Strict>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    put(answer.headers_mut(), strict);
    answer
}

fn put(headers: &mut HeaderMap, Strict(strict): Strict) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if strict {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static(REMEMBER));
    }
}

/// Reads some of a body that is too large and drops it: whoever is still writing when the connection ends never reads the
/// answer.
async fn pass_over(mut body: Body) {
    let mut left = MOST_PASSED_OVER;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len()));
            if left == 0 {
                return;
            }
        }
    };
    let _ = timeout(BODY, read).await;
}

/// Reads the body before anything looks at it: within a time, and no more of it than there may be.
pub(super) async fn bounded(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let told = head.headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > MOST_BYTES) {
        pass_over(body).await;
        return too_large();
    }
    match timeout(BODY, axum::body::to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(body)) => next.run(Request::from_parts(head, Body::from(body))).await,
        Ok(Err(_)) => too_large(),
        Err(_) => {
            let detail = say::body_late(BODY.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, "late", "too late", detail).into_response()
        }
    }
}

fn too_large() -> Response {
    let detail = say::body_too_large(MOST_BYTES >> 10);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "large", "too large", detail).into_response()
}
