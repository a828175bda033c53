//! Requests to KS Connect. Versions live side by side in the path and are not interchangeable, lists come as a bare array
//! or in pages, and what was made a moment ago may not be there yet: every caller gets one list, one object or one error.

use super::error::{KsError, KsKind, Said};
use crate::{
    config::model::KsConfig,
    domain::secret::Secret,
    platform::{
        ErrorKind, PlatformError,
        http::{Http, Words, retry_after},
    },
};
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use url::Url;

/// Version of the API for most things.
pub const V1_2: &str = "v1.2";
/// Version for entries, time schedules, locks of groups and tag registration: with the other they are refused (405).
pub const V1_1: &str = "v1.1";
/// The header by which the next page of entries is asked for.
const CONTINUATION: &str = "CLP-Continuation-Token";
/// Items of a page.
const PAGE: &str = "200";
/// Pages of one list: a site has no more people than this times a page.
const MOST_PAGES: usize = 1_000;
/// Of an answer.
const MOST_BYTES: usize = 32 << 20;
/// What may not have been spread yet is asked for again this often, for a minute in all.
const TOO_SOON: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(25),
];
/// A throttle that lasts longer is the caller's to wait for.
const SHORT_WAIT: Duration = Duration::from_secs(5);

const WORDS: Words = Words {
    accept: "application/json",
    contract: "KS Connect",
    compare: "a newer gateway may understand it",
    credential: "the login",
    let_in: "run `doorward ks connect`",
    address: "[ks] url",
};

/// A token, when it comes.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Secret, KsError>> + Send + 'a>>;

/// Who gives access tokens.
pub trait Bearer: Send + Sync + std::fmt::Debug {
    /// A token that is good now. `refused`: this one was not accepted, so another is needed.
    fn token<'a>(&'a self, refused: Option<&'a Secret>) -> TokenFuture<'a>;
}

/// The connection to one KS account. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct Connect {
    http: Arc<Http>,
    bearer: Arc<dyn Bearer>,
    requests: Arc<AtomicU64>,
}

impl Connect {
    /// Prepares it; nothing is sent yet.
    ///
    /// # Errors
    /// `Tls` when the certificates cannot be read.
    pub fn new(config: &KsConfig, bearer: Arc<dyn Bearer>) -> Result<Self, KsError> {
        let http = Http::new(&config.url, &config.reach, WORDS).map_err(|error| of_platform(&error))?;
        Ok(Self {
            http: Arc::new(http),
            bearer,
            requests: Arc::default(),
        })
    }

    /// The address, without a path.
    #[must_use]
    pub fn place(&self) -> &str {
        self.http.place()
    }

    /// What KS's clock shows now, by its last answer, Unix milliseconds.
    #[must_use]
    pub fn server_time(&self) -> Option<crate::domain::Millis> {
        self.http.server_time()
    }

    /// The same connection, which counts its requests anew: those of everybody else are not among them.
    #[must_use]
    pub fn counted(&self) -> Self {
        Self {
            requests: Arc::default(),
            ..self.clone()
        }
    }

    /// Requests sent since the start, or since [`Self::counted`].
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// A whole list: a bare array, or pages of `{items, next_page_link}`. `what` completes "could not …".
    ///
    /// # Errors
    /// As KS refuses, or `Malformed` for pages that go in circles.
    pub async fn list<T: DeserializeOwned>(
        &self,
        version: &str,
        path: &[&str],
        query: &[(&str, &str)],
        what: &str,
    ) -> Result<Vec<T>, KsError> {
        let mut url = self.url(version, path, query)?;
        if !query.iter().any(|(name, _)| *name == "$top") {
            url.query_pairs_mut().append_pair("$top", PAGE);
        }
        let (mut all, mut seen) = (Vec::new(), std::collections::HashSet::new());
        while seen.insert(url.clone()) {
            if seen.len() > MOST_PAGES {
                break;
            }
            let answer = self.send(Method::GET, &url, None, what).await?;
            let (items, next) = match self.parsed::<Page<T>>(answer, what).await? {
                Page::Bare(items) => (items, None),
                Page::Paged {
                    items,
                    next_page_link,
                } => (items, next_page_link.filter(|link| !link.is_empty())),
            };
            all.extend(items);
            let Some(next) = next else { return Ok(all) };
            url = self.next(&url, &next, what)?;
        }
        Err(self.malformed(format_args!(
            "the pages of an answer lead in circles, so this gateway could not {what}"
        )))
    }

    /// One object.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn get<T: DeserializeOwned>(
        &self,
        version: &str,
        path: &[&str],
        query: &[(&str, &str)],
        what: &str,
    ) -> Result<T, KsError> {
        let url = self.url(version, path, query)?;
        let answer = self.send(Method::GET, &url, None, what).await?;
        self.parsed(answer, what).await
    }

    /// One page of what is paged by a token: the header takes the token that the page before gave.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn continued(
        &self,
        version: &str,
        path: &[&str],
        query: &[(&str, &str)],
        token: Option<&str>,
        what: &str,
    ) -> Result<Value, KsError> {
        let url = self.url(version, path, query)?;
        let answer = self.send_with(Method::GET, &url, None, token, what).await?;
        self.parsed(answer, what).await
    }

    /// A token that is good now, for what is no request of this interface. `refused`: this one was not accepted.
    ///
    /// # Errors
    /// When there is none.
    pub async fn token(&self, refused: Option<&Secret>) -> Result<Secret, KsError> {
        self.bearer.token(refused).await
    }

    /// A change. The answer's body as JSON; `Null` for an empty one. With `patient`, what KS may not have spread yet is
    /// tried again for a minute.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn change(
        &self,
        method: Method,
        version: &str,
        path: &[&str],
        body: Option<&Value>,
        patient: bool,
        what: &str,
    ) -> Result<Value, KsError> {
        let url = self.url(version, path, &[])?;
        let mut pauses = TOO_SOON.iter().filter(|_| patient);
        loop {
            match self.send(method.clone(), &url, body, what).await {
                Ok(answer) => return self.parsed_or_null(answer, what).await,
                Err(error) if error.may_be_too_soon() => match pauses.next() {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends one request, again with another token or after a short throttle. Only a success is an answer.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Response, KsError> {
        self.send_with(method, url, body, None, what).await
    }

    async fn send_with(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        continuation: Option<&str>,
        what: &str,
    ) -> Result<Response, KsError> {
        let mut token = self.bearer.token(None).await?;
        let (mut renewed, mut throttled) = (false, false);
        loop {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let mut request = self
                .http
                .request(method.clone(), url.clone())
                .bearer_auth(token.reveal());
            if let Some(body) = body {
                request = request.json(body);
            }
            if let Some(continuation) = continuation {
                request = request.header(CONTINUATION, continuation);
            }
            let answer = self
                .http
                .send(request, what)
                .await
                .map_err(|error| of_platform(&error))?;
            match answer.status() {
                status if status.is_success() => return Ok(answer),
                StatusCode::UNAUTHORIZED if !renewed => {
                    renewed = true;
                    token = self.bearer.token(Some(&token)).await?;
                }
                StatusCode::TOO_MANY_REQUESTS if !throttled => {
                    throttled = true;
                    match retry_after(answer.headers()) {
                        Some(wait) if wait <= SHORT_WAIT => tokio::time::sleep(wait).await,
                        _ => return Err(self.refused(answer, what).await),
                    }
                }
                _ => return Err(self.refused(answer, what).await),
            }
        }
    }

    /// The address of a resource with a query.
    ///
    /// # Errors
    /// `Malformed` when a segment is empty.
    pub fn url(&self, version: &str, path: &[&str], query: &[(&str, &str)]) -> Result<Url, KsError> {
        let segments: Vec<&str> = std::iter::once(version).chain(path.iter().copied()).collect();
        let mut url = self.http.url(&segments).map_err(|error| of_platform(&error))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The next page: on the same host only, so that a token goes nowhere else.
    fn next(&self, url: &Url, link: &str, what: &str) -> Result<Url, KsError> {
        let next = url.join(link).ok().filter(|next| next.origin() == url.origin());
        next.ok_or_else(|| {
            self.malformed(format_args!(
                "the next page lies elsewhere, so this gateway could not {what}"
            ))
        })
    }

    async fn parsed<T: DeserializeOwned>(&self, answer: Response, what: &str) -> Result<T, KsError> {
        let what = format!("the answer to \"{what}\"");
        self.http
            .json(answer, &what)
            .await
            .map_err(|error| of_platform(&error))
    }

    async fn parsed_or_null(&self, answer: Response, what: &str) -> Result<Value, KsError> {
        let body = self
            .http
            .body(answer, what, MOST_BYTES)
            .await
            .map_err(|error| of_platform(&error))?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body)
            .map_err(|_| self.malformed(format_args!("the answer to \"{what}\" is no JSON")))
    }

    async fn refused(&self, answer: Response, what: &str) -> KsError {
        let status = answer.status();
        let retry_after = retry_after(answer.headers());
        let body = self.http.body(answer, what, 64 << 10).await.unwrap_or_default();
        let said: Said = serde_json::from_slice(&body).unwrap_or_default();
        let kind = match status {
            StatusCode::UNAUTHORIZED => KsKind::Unauthorised,
            StatusCode::FORBIDDEN => KsKind::Forbidden,
            StatusCode::NOT_FOUND => KsKind::NotFound,
            StatusCode::TOO_MANY_REQUESTS => KsKind::Throttled { retry_after },
            status if status.is_server_error() => KsKind::Unreachable,
            _ => KsKind::Rejected,
        };
        let code = said
            .code()
            .map(|code| format!(", code {code}"))
            .unwrap_or_default();
        let words = said.words().map(|words| format!(": {words}")).unwrap_or_default();
        let next = match kind {
            KsKind::Unauthorised => "; run `doorward ks connect`",
            KsKind::Forbidden => "; the gateway's user at KS must be a site administrator",
            KsKind::Throttled { .. } | KsKind::Unreachable => "; it tries again by itself",
            _ => "",
        };
        KsError {
            kind,
            status: Some(status.as_u16()),
            code: said.code(),
            text: format!(
                "{} refused with status {}{code}, so this gateway could not {what}{words}{next}",
                self.place(),
                status.as_u16()
            ),
        }
    }

    fn malformed(&self, words: std::fmt::Arguments<'_>) -> KsError {
        KsError::new(KsKind::Malformed, format!("{}: {words}", self.place()))
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Page<T> {
    Bare(Vec<T>),
    Paged {
        items: Vec<T>,
        #[serde(default)]
        next_page_link: Option<String>,
    },
}

/// A failure below HTTP's answers.
pub(super) fn of_platform(error: &PlatformError) -> KsError {
    let kind = match error.kind {
        ErrorKind::Tls | ErrorKind::Unsupported => KsKind::Tls,
        ErrorKind::Unauthorised => KsKind::Unauthorised,
        ErrorKind::Throttled { retry_after } => KsKind::Throttled { retry_after },
        ErrorKind::Rejected { .. } => KsKind::Rejected,
        ErrorKind::Malformed => KsKind::Malformed,
        ErrorKind::Unreachable => KsKind::Unreachable,
    };
    KsError::new(kind, error.text.clone())
}
