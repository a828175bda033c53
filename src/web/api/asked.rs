//! What a request brings: refused as a problem, with what is wrong and never with what was sent.

use crate::{domain::say::page as say, web::problem::Problem};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

/// The query.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|_| Problem::invalid(say::bad_query()))
    }
}

/// What the path names.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name))
            .map_err(|_| Problem::invalid(say::bad_address()))
    }
}

/// The body, in JSON.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Problem::new(
                axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "not understood",
                say::bad_kind(),
            ));
        }
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|_| Problem::invalid(say::no_body()))?;
        let sent = Json::<T>::from_bytes(&body);
        // What serde says may quote what was sent, a password say.
        sent.map(|Json(sent)| Self(sent))
            .map_err(|_| Problem::invalid(say::bad_body()))
    }
}

/// Entries on a page, at most.
const LONGEST_PAGE: usize = 200;
/// The longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// Which people, or which people's cards, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Words that begin words of name, e-mail or company, all of them, whatever their accents; or an id.
    #[serde(default)]
    #[param(max_length = 200)]
    pub(super) q: String,
    /// `next` of the page before.
    #[serde(default)]
    pub(super) cursor: usize,
    /// Entries on the page; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

impl Which {
    /// Entries on the page.
    ///
    /// # Errors
    /// What was asked for is longer than it may be.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(50);
        if (1..=LONGEST_PAGE).contains(&limit) && self.q.chars().count() <= LONGEST_SEARCH {
            return Ok(limit);
        }
        Err(Problem::invalid(say::bad_search()))
    }
}
