//! Errors of the JSON API as RFC 9457 has them: `application/problem+json`.

use crate::{
    desk::{DeskError, Look, Refusal},
    domain::{
        Say,
        say::{Said, page as say},
    },
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Stable name of the kind of problem, as a relative reference: `/problems/forbidden`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// What happened and what to do next.
    pub detail: String,
    /// The same, for whoever says it in another language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<Box<Say>>,
    /// Seconds to wait before the next attempt, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Why the desk did not do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Refusal>,
    /// What to do next, where `detail` does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
    /// The card as it is, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<Box<Look>>,
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(status: StatusCode, name: &str, title: &'static str, detail: Said) -> Self {
        Self {
            say: Say::of(detail.as_ref()).map(Box::new),
            kind: format!("/problems/{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            retry_after: None,
            code: None,
            hint: None,
            look: None,
        }
    }
    /// Nobody is signed in.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "not signed in",
            say::signed_out(),
        )
    }
    /// Whoever asks may not do it.
    #[must_use]
    pub fn forbidden(detail: Said) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "not allowed", detail)
    }
    /// There is no such thing.
    #[must_use]
    pub fn missing(detail: Said) -> Self {
        Self::new(StatusCode::NOT_FOUND, "missing", "not found", detail)
    }
    /// The request cannot be understood.
    #[must_use]
    pub fn invalid(detail: Said) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", "not understood", detail)
    }
    /// It does not fit what there is.
    #[must_use]
    pub fn conflict(detail: Said) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "not possible now", detail)
    }
    /// The same, in the words of another room.
    #[must_use]
    pub fn not_now(detail: String) -> Self {
        Self {
            say: Say::of(&detail).map(Box::new),
            detail,
            ..Self::conflict(say::gateway_ending())
        }
    }
    /// The gateway could not: its disk, mostly. The cause goes to the log, not to whoever asked.
    #[must_use]
    pub fn failed(cause: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%cause, "a request could not be answered");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "not possible now",
            say::unkept(),
        )
    }
    /// Too many attempts: again after so many seconds.
    #[must_use]
    pub fn slower(seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "slower",
                "too many attempts",
                say::too_many_attempts(seconds),
            )
        }
    }
}

impl From<DeskError> for Problem {
    /// 422 for what cannot be understood, 409 for everything else that the desk does not do.
    fn from(error: DeskError) -> Self {
        let hint = Some(error.hint()).filter(|hint| !hint.is_empty());
        match error {
            DeskError::Refused { code, message, look } => {
                let (status, title) = match code {
                    Refusal::BadInput | Refusal::BadEnd => {
                        (StatusCode::UNPROCESSABLE_ENTITY, "not understood")
                    }
                    _ => (StatusCode::CONFLICT, "not done"),
                };
                Self {
                    code: Some(code),
                    hint,
                    look,
                    say: Say::of(&message).map(Box::new),
                    detail: message,
                    ..Self::new(status, "desk", title, crate::domain::say::desk::not_done())
                }
            }
            DeskError::Failed(cause) => Self::failed(&cause),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = self.retry_after;
        let mut answer = (status, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = retry {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        answer
    }
}
