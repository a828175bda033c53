//! One request to a cloud: address, TLS, time limits, bounded answers, and failures in words. Who the gateway is
//! (token, login) each adapter adds to its own requests.

pub(crate) mod tls;

use super::{ErrorKind, PlatformError};
use crate::{
    config::model::Reach,
    domain::{Millis, secret::Secret},
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect};
use serde::de::DeserializeOwned;
use std::{
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use url::{Host, Url};

/// The largest answer, after decompression: a page of 1,000 items needs less than 1 MB.
const MOST_BYTES: usize = 32 << 20;
/// What is read of an error's body.
const MOST_ERROR_BYTES: usize = 64 << 10;
/// For the TCP and TLS handshake, where the whole request may take longer.
const CONNECT: Duration = Duration::from_secs(10);
/// A server that asks for more than this is asked again after this.
const LONGEST_RETRY: Duration = Duration::from_secs(3_600);

/// What differs by platform in requests and messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// The header `Accept`.
    pub(crate) accept: &'static str,
    /// What an answer should be like: "the contract".
    pub(crate) contract: &'static str,
    /// What to do about an answer that is not, as an instruction: "compare it with docs/contract/openapi.yaml".
    pub(crate) compare: &'static str,
    /// What the platform does not accept when it does not let the gateway in: "the token".
    pub(crate) credential: &'static str,
    /// What to do then, as an instruction: "put a valid one into the file that …".
    pub(crate) let_in: &'static str,
    /// The configuration's key of the address: "[cloud] url".
    pub(crate) address: &'static str,
}

/// A connection to one base address. Cheap to share.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    base: Url,
    place: String,
    token: Option<Secret>,
    timeout: Duration,
    words: Words,
    /// The server's time by its last answer, and when that came.
    heard: Mutex<Option<(Millis, Instant)>>,
}

impl Http {
    /// Prepares the connection; nothing is sent yet.
    pub(crate) fn new(base: &Url, reach: &Reach, words: Words) -> Result<Self, PlatformError> {
        let place = place(base);
        let mut builder = Client::builder()
            .user_agent(concat!("doorward/", env!("CARGO_PKG_VERSION")))
            .timeout(reach.timeout)
            .connect_timeout(CONNECT.min(reach.timeout))
            // A redirect could carry the token elsewhere; a proxy from the environment as well.
            .redirect(redirect::Policy::none())
            .no_proxy();
        builder = match base.scheme() {
            "https" => {
                builder.tls_backend_preconfigured(tls::client(reach.ca_file.as_deref(), words.address)?)
            }
            // Never used, and spares reading the system's authorities.
            "http" if is_loopback(base) => builder.tls_backend_preconfigured(tls::none()?),
            _ => {
                let text = format!(
                    "{place} would get secrets in the clear; {} must begin with https://",
                    words.address
                );
                return Err(PlatformError::new(ErrorKind::Unsupported, text));
            }
        };
        let client = builder.build().map_err(|error| {
            let text = format!("no connection to {place} can be prepared: {error}");
            PlatformError::new(ErrorKind::Tls, text)
        })?;
        Ok(Self {
            client,
            base: base.clone(),
            place,
            token: None,
            timeout: reach.timeout,
            words,
            heard: Mutex::default(),
        })
    }

    /// Every request carries this bearer token.
    pub(crate) fn bearing(self, token: Secret) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    /// The cloud's address, without a path or a login.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The address of a resource below the base; segments are encoded.
    pub(crate) fn url(&self, segments: &[&str]) -> Result<Url, PlatformError> {
        // "." and ".." would be taken for directions even when encoded.
        if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            let text = format!("{} names something without an id", self.place);
            return Err(PlatformError::malformed(text));
        }
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.path_segments_mut()
            .map_err(|()| PlatformError::malformed(format_args!("{} cannot have a path", self.place)))?
            .pop_if_empty()
            .extend(segments);
        Ok(url)
    }

    /// A request. Without [`Self::bearing`] it does not say yet who asks.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self
            .client
            .request(method, url)
            .header(header::ACCEPT, self.words.accept);
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    /// Sends; any HTTP status is an answer. `what` completes "could not …".
    pub(crate) async fn send(&self, request: RequestBuilder, what: &str) -> Result<Response, PlatformError> {
        let answer = request.send().await.map_err(|error| self.failure(&error, what))?;
        if let Some(date) = date(answer.headers()) {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
        }
        Ok(answer)
    }

    /// What the server's clock shows now, by the `Date` of its last answer, Unix milliseconds.
    pub(crate) fn server_time(&self) -> Option<Millis> {
        let (date, heard) = (*self.heard.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = Millis::try_from(heard.elapsed().as_millis()).unwrap_or(Millis::MAX);
        Some(date.saturating_add(since))
    }

    /// The body as JSON. `what` begins a sentence.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        answer: Response,
        what: &str,
    ) -> Result<T, PlatformError> {
        let body = self.body(answer, what, MOST_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let fault = if error.is_eof() {
                "is cut off".to_owned()
            } else {
                format!("is not as {} says", self.words.contract)
            };
            let error = without_values(&error.to_string());
            PlatformError::malformed(format_args!(
                "{what} from {} {fault} ({error}); nothing is taken from it; {}",
                self.place, self.words.compare
            ))
        })
    }

    /// At most `most` bytes of the body, after decompression.
    pub(crate) async fn body(
        &self,
        mut answer: Response,
        what: &str,
        most: usize,
    ) -> Result<Vec<u8>, PlatformError> {
        let mut body = Vec::new();
        let broken = |error: reqwest::Error| {
            if error.is_timeout() {
                return self.failure(&error, &format!("read {what}"));
            }
            self.failure(&error, what)
        };
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > most {
                return Err(PlatformError::malformed(format_args!(
                    "{what} from {} is larger than {} MB; send fewer items in a page",
                    self.place,
                    most >> 20
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The error of an answer that is not a success.
    pub(crate) async fn refusal(&self, answer: Response, what: &str) -> PlatformError {
        let status = answer.status();
        let retry_after = retry_after(answer.headers());
        let said = self
            .body(answer, what, MOST_ERROR_BYTES)
            .await
            .map(|body| said(&body));
        let said = said.unwrap_or_default();
        let place = &self.place;
        let (kind, text) = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
                ErrorKind::Unauthorised,
                format!(
                    "{place} does not accept {}, so this gateway could not {what}{said}; {}",
                    self.words.credential, self.words.let_in
                ),
            ),
            StatusCode::TOO_MANY_REQUESTS => (
                ErrorKind::Throttled { retry_after },
                format!(
                    "{place} asks for fewer requests, so this gateway could not {what}{said}; it tries again later by itself"
                ),
            ),
            StatusCode::NOT_IMPLEMENTED => (ErrorKind::Unsupported, format!("{place} cannot {what}{said}")),
            // A server that knows when it will be back is to be believed.
            StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => (
                ErrorKind::Throttled { retry_after },
                format!(
                    "{place} is out of service for a while, so this gateway could not {what}{said}; it tries again later by itself"
                ),
            ),
            status if status.is_server_error() => (
                ErrorKind::Unreachable,
                format!(
                    "{place} failed with status {}, so this gateway could not {what}{said}; it tries again by itself; if that goes on, ask whoever runs the cloud",
                    status.as_u16()
                ),
            ),
            status if status.is_client_error() => (
                ErrorKind::Rejected {
                    status: status.as_u16(),
                },
                format!(
                    "{place} refused with status {}, so this gateway could not {what}{said}",
                    status.as_u16()
                ),
            ),
            status => (
                ErrorKind::Malformed,
                format!(
                    "{place} answered with status {}, which {} does not have here, so this gateway could not {what}; check the address in {}",
                    status.as_u16(),
                    self.words.contract,
                    self.words.address
                ),
            ),
        };
        PlatformError::new(kind, text)
    }

    /// The error of a request that got no answer, or half of one.
    fn failure(&self, error: &reqwest::Error, what: &str) -> PlatformError {
        let place = &self.place;
        if let Some(cause) = tls::failure(error) {
            let text = format!(
                "{place} is not to be trusted: {}",
                tls::words(cause, self.words.address)
            );
            return PlatformError::new(ErrorKind::Tls, text);
        }
        let innermost = innermost(error);
        let (kind, text) = if error.is_timeout() {
            let seconds = self.timeout.as_secs();
            (
                ErrorKind::Unreachable,
                format!(
                    "{place} did not answer within {seconds} s, so this gateway could not {what}; check the network and that the cloud is up"
                ),
            )
        } else if error.is_connect() {
            (
                ErrorKind::Unreachable,
                format!(
                    "{place} cannot be reached ({innermost}), so this gateway could not {what}; check the network and the address in {}",
                    self.words.address
                ),
            )
        } else if error.is_body() || error.is_decode() {
            (
                ErrorKind::Malformed,
                format!("{what} from {place} broke off ({innermost}); nothing is taken from it"),
            )
        } else {
            (
                ErrorKind::Unreachable,
                format!(
                    "{place} ended the connection ({innermost}), so this gateway could not {what}; it tries again by itself"
                ),
            )
        };
        PlatformError::new(kind, text)
    }
}

fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or("an address without a host");
    url.port().map_or_else(
        || format!("{}://{host}", url.scheme()),
        |port| format!("{}://{host}:{port}", url.scheme()),
    )
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// `Date`, Unix milliseconds: whole seconds, so the middle of one. An answer out of a store on the way (`Age`) has the
/// date of long ago.
fn date(headers: &header::HeaderMap) -> Option<Millis> {
    if headers.contains_key(header::AGE) {
        return None;
    }
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(at.as_millisecond().saturating_add(500))
}

/// `Retry-After`, in seconds or as a date, which is compared with the server's own `Date`.
pub(crate) fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok();
    let after = text(header::RETRY_AFTER)?.trim();
    let seconds = match after.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let until = jiff::fmt::rfc2822::parse(after).ok()?.timestamp();
            let now = jiff::fmt::rfc2822::parse(text(header::DATE)?).ok()?.timestamp();
            u64::try_from(until.as_second() - now.as_second()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY))
}

/// A parser's message without the texts that it quotes: one of them could be a card number.
pub(crate) fn without_values(message: &str) -> String {
    let parts = message.split('"').enumerate();
    parts
        .map(|(index, part)| if index % 2 == 0 { part } else { "…" })
        .collect()
}

/// What a problem document (RFC 9457), the first error of a JSON:API document or a plain `message` says, as an
/// insertion: empty, or ` ("…")`.
fn said(body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |path: &str| {
        let text = problem.pointer(path).and_then(serde_json::Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let paths = [
        "/detail",
        "/title",
        "/errors/0/detail",
        "/errors/0/title",
        "/message",
    ];
    let words = paths.iter().find_map(|path| text(path)).unwrap_or_default();
    let words: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
    if words.is_empty() {
        words
    } else {
        format!(" (\"{words}\")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> header::HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_of_the_servers_own_clock() {
        let seconds = headers(&[(header::RETRY_AFTER, "7")]);
        assert_eq!(retry_after(&seconds), Some(Duration::from_secs(7)));
        let date = headers(&[
            (header::RETRY_AFTER, "Fri, 01 May 2026 10:01:30 GMT"),
            (header::DATE, "Fri, 01 May 2026 10:00:00 GMT"),
        ]);
        assert_eq!(retry_after(&date), Some(Duration::from_secs(90)));
        let absurd = headers(&[(header::RETRY_AFTER, "99999999999")]);
        assert_eq!(retry_after(&absurd), Some(LONGEST_RETRY));
        assert_eq!(retry_after(&headers(&[(header::RETRY_AFTER, "soon")])), None);
    }

    #[test]
    fn the_servers_time_is_its_date_unless_somebody_kept_the_answer() {
        let now = headers(&[(header::DATE, "Fri, 01 May 2026 10:00:00 GMT")]);
        assert_eq!(date(&now), Some(1_777_629_600_500));
        let kept = headers(&[
            (header::DATE, "Fri, 01 May 2026 10:00:00 GMT"),
            (header::AGE, "600"),
        ]);
        assert_eq!(date(&kept), None);
        assert_eq!(date(&headers(&[])), None);
    }

    #[test]
    fn a_parsers_message_does_not_repeat_values() {
        let error = serde_json::from_str::<Vec<u8>>("\"uid:04A2B3C4D5E680\"").unwrap_err();
        let shown = without_values(&error.to_string());
        assert_eq!(
            shown,
            "invalid type: string …, expected a sequence at line 1 column 20"
        );
    }

    #[test]
    fn what_a_problem_says_is_shown_short_and_without_control_characters() {
        assert_eq!(
            said(br#"{"title":"Held","detail":"by p7\u001b[2J"}"#),
            " (\"by p7[2J\")"
        );
        assert_eq!(said(br#"{"title":"Held"}"#), " (\"Held\")");
        assert_eq!(
            said(br#"{"errors":[{"detail":"too early"}]}"#),
            " (\"too early\")"
        );
        assert_eq!(said(b"<html>"), "");
    }
}
