//! One request to OfficeRnD: within its budget, with a token, and once more with a new one when the old is refused.

use super::auth::{Purpose, WHERE};
use crate::{
    config::model::OfficeRndConfig,
    domain::{Millis, secret::Secret},
    platform::{
        Around, ErrorKind, PlatformError,
        budget::{Budget, LaneLimits, Limit},
        http::{Http, Words},
        vault::Kept,
    },
};
use reqwest::{Method, Response, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Mutex as Turn;

/// Clients count about 400 reads a minute; the headers say how many are left, and the numbers are the organization's
/// (facts: platforms.md 4.1, 11). A quarter is left for others.
const LANES: &[LaneLimits] = &[
    (
        READS,
        &[Limit {
            count: 300,
            per: MINUTE,
        }],
    ),
    (
        WRITES,
        &[Limit {
            count: 60,
            per: MINUTE,
        }],
    ),
    (
        "tokens",
        &[Limit {
            count: 5,
            per: MINUTE,
        }],
    ),
];
const READS: &str = "reads";
const WRITES: &str = "writes";
const MINUTE: Duration = Duration::from_secs(60);
/// A day's limit that is used up is looked at again after this.
const HOUR: Duration = Duration::from_secs(3_600);
/// Requests a day, until a header says how many.
const USUAL_A_DAY: u64 = 20_000;

const WORDS: Words = Words {
    accept: "application/json",
    contract: "OfficeRnD's documentation",
    compare: "if that goes on, OfficeRnD has changed its interface: look for a newer Doorward",
    credential: "the token",
    let_in: "check [cloud.officernd] client_id and client_secret",
    address: "[cloud.officernd] url",
};

/// What the headers said about the budget.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    a_day: Option<u64>,
    /// No request before this, since the clock's start.
    closed_until: Duration,
}

/// The connection.
#[derive(Debug)]
pub(super) struct Client {
    config: OfficeRndConfig,
    around: Around,
    api: Http,
    identity: Http,
    budget: Budget,
    tokens: [Turn<Option<Kept>>; 4],
    told: Mutex<Told>,
}

impl Client {
    pub(super) fn new(config: &OfficeRndConfig, around: &Around) -> Result<Self, PlatformError> {
        let identity = Words {
            credential: "the client of this gateway",
            address: "[cloud.officernd] identity_url",
            ..WORDS
        };
        Ok(Self {
            api: Http::new(&config.url, &config.reach, WORDS)?,
            identity: Http::new(&config.identity_url, &config.reach, identity)?,
            budget: Budget::granted(LANES, config.allowance),
            tokens: Default::default(),
            told: Mutex::default(),
            config: config.clone(),
            around: around.clone(),
        })
    }

    pub(super) const fn config(&self) -> &OfficeRndConfig {
        &self.config
    }
    pub(super) const fn around(&self) -> &Around {
        &self.around
    }
    pub(super) const fn identity(&self) -> &Http {
        &self.identity
    }
    pub(super) const fn budget(&self) -> &Budget {
        &self.budget
    }
    pub(super) fn place(&self) -> &str {
        self.api.place()
    }
    /// What the platform's clock shows now.
    pub(super) fn server_time(&self) -> Option<Millis> {
        self.api.server_time()
    }
    pub(super) fn slot(&self, purpose: Purpose) -> &Turn<Option<Kept>> {
        let [read, check_ins, cards, hooks] = &self.tokens;
        match purpose {
            Purpose::Read => read,
            Purpose::CheckIns => check_ins,
            Purpose::Cards => cards,
            Purpose::Hooks => hooks,
        }
    }

    /// How many requests a day are allowed, as far as anybody knows.
    pub(super) fn a_day(&self) -> u64 {
        self.told(|told| told.a_day).unwrap_or(USUAL_A_DAY)
    }

    fn told<T>(&self, job: impl FnOnce(&mut Told) -> T) -> T {
        job(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the platform wants any request now.
    pub(super) fn open(&self) -> Result<(), PlatformError> {
        let closed_until = self.told(|told| told.closed_until);
        let left = closed_until.saturating_sub(self.around.clock.monotonic());
        if left.is_zero() {
            return Ok(());
        }
        let text = format!(
            "{} has no requests left for this gateway today; it looks again in {} minutes, and the doors go on with the last facts",
            self.place(),
            left.as_secs().div_ceil(60)
        );
        Err(PlatformError::new(
            ErrorKind::Throttled {
                retry_after: Some(left),
            },
            text,
        ))
    }

    /// A GET below the organization, as JSON, with the server's own time. `what` completes "could not …".
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        what: &str,
    ) -> Result<(T, Option<Millis>), PlatformError> {
        let answer = self
            .call(Purpose::Read, Method::GET, path, query, None, what)
            .await?;
        let date = server_date(answer.headers());
        Ok((self.api.json(answer, what).await?, date))
    }

    /// One object by its id; `None` when it is not there (any more).
    pub(super) async fn object(&self, collection: &str, id: &str) -> Result<Option<Value>, PlatformError> {
        let what = format!("read one of {collection} (GET /{collection}/…)");
        match self.get(&[collection, id], &[], &what).await {
            Ok((row, _)) => Ok(Some(row)),
            Err(error) if gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes, and reads the answer.
    pub(super) async fn write(
        &self,
        purpose: Purpose,
        method: Method,
        path: &[&str],
        body: &Value,
        what: &str,
    ) -> Result<Value, PlatformError> {
        let answer = self.call(purpose, method, path, &[], Some(body), what).await?;
        self.api.json(answer, what).await
    }

    /// A GET for another purpose than facts.
    pub(super) async fn get_for(
        &self,
        purpose: Purpose,
        path: &[&str],
        what: &str,
    ) -> Result<Value, PlatformError> {
        let answer = self.call(purpose, Method::GET, path, &[], None, what).await?;
        self.api.json(answer, what).await
    }

    async fn call(
        &self,
        purpose: Purpose,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
        what: &str,
    ) -> Result<Response, PlatformError> {
        let organization = self.config.organization.as_str();
        let mut whole = vec!["api", "v2", "organizations", organization];
        whole.extend_from_slice(path);
        let mut url = self.api.url(&whole)?;
        for (key, value) in query {
            url.query_pairs_mut().append_pair(key, value);
        }
        let lane = if method == Method::GET { READS } else { WRITES };
        let mut tried: Option<Secret> = None;
        loop {
            let token = self.token(purpose).await?;
            self.open()?;
            self.budget.take(&[lane]).await;
            let mut request = self
                .api
                .request(method.clone(), url.clone())
                .bearer_auth(token.reveal());
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = self.api.send(request, what).await?;
            self.hear(answer.headers());
            let status = answer.status();
            if status.is_success() {
                return Ok(answer);
            }
            if status == StatusCode::UNAUTHORIZED && tried.as_ref() != Some(&token) {
                // Ended early, or taken back: one new token, and then it is the client that is not accepted.
                self.disown(purpose, &token).await;
                if tried.replace(token).is_none() {
                    continue;
                }
            }
            let error = self.api.refusal(answer, what).await;
            if let ErrorKind::Throttled { retry_after } = error.kind {
                self.budget.throttled(lane, retry_after.unwrap_or(MINUTE));
            }
            return Err(self.in_words(error, status, purpose, path, what));
        }
    }

    /// A 403 with what to grant; an unknown organization, which is answered 500 (facts: platforms.md 1.1).
    fn in_words(
        &self,
        error: PlatformError,
        status: StatusCode,
        purpose: Purpose,
        path: &[&str],
        what: &str,
    ) -> PlatformError {
        let place = self.place();
        if status == StatusCode::FORBIDDEN {
            let scopes = purpose.scopes().iter();
            let collection = path.first().copied().unwrap_or_default();
            let needed: Vec<&str> = scopes
                .copied()
                .filter(|scope| scope.contains(&format!(".{collection}.")))
                .collect();
            let text = format!(
                "{place} does not let this gateway {what}; grant the scope {} {WHERE}",
                if needed.is_empty() {
                    purpose.scopes().join(", ")
                } else {
                    needed.join(", ")
                }
            );
            return PlatformError::new(ErrorKind::Unauthorised, text);
        }
        if status == StatusCode::INTERNAL_SERVER_ERROR && error.text.contains("Organization not found") {
            let text = format!(
                "{place} knows no organization {:?}, so this gateway could not {what}; check [cloud.officernd] organization: it is the name in the address after you sign in",
                self.config.organization
            );
            return PlatformError::new(ErrorKind::Unauthorised, text);
        }
        error
    }

    /// Reads what the headers say about the budget. With none left in the minute, requests wait; with none left in the day,
    /// they fail at once, so that nobody waits for an hour.
    fn hear(&self, headers: &HeaderMap) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        if let Some(a_day) = number("x-ratelimit-limit-read-day") {
            self.told(|told| told.a_day = u64::try_from(a_day).ok());
        }
        let reset = |name: &str, most: Duration| {
            let seconds = number(name).map_or(most, |reset| until_reset(reset, server_date(headers)));
            seconds.min(most)
        };
        if number("x-ratelimit-remaining-read-minute") == Some(0) {
            self.budget
                .throttled(READS, reset("x-ratelimit-reset-read-minute", MINUTE));
        }
        if number("x-ratelimit-remaining-read-day") == Some(0) {
            let wait = reset("x-ratelimit-reset-read-day", HOUR);
            let until = self.around.clock.monotonic() + wait;
            self.told(|told| told.closed_until = until);
        }
    }
}

/// Nobody says whether `reset` is a span or an instant: what is greater than a year of seconds is an instant, and what
/// is greater than that by a thousand is one in milliseconds.
fn until_reset(reset: i64, now: Option<Millis>) -> Duration {
    const YEAR: i64 = 366 * 86_400;
    let seconds = match reset {
        span if span <= YEAR => span,
        at => {
            let at = if at > YEAR * 1_000 { at / 1_000 } else { at };
            now.map_or(60, |now| at - now / 1_000)
        }
    };
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// The server's own time.
fn server_date(headers: &HeaderMap) -> Option<Millis> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond())
}

/// Whether an error says that an object is not there.
pub(super) fn gone(error: &PlatformError) -> bool {
    matches!(error.kind, ErrorKind::Rejected { status: 404 | 410 })
}

/// Whether an error says that the question is not understood.
pub(super) fn not_understood(error: &PlatformError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Rejected {
            status: 400 | 404 | 422
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_a_span_or_an_instant() {
        let now = Some(1_790_000_000_000);
        assert_eq!(until_reset(42, now), Duration::from_secs(42));
        assert_eq!(until_reset(1_790_000_030, now), Duration::from_secs(30));
        assert_eq!(until_reset(1_790_000_030_000, now), Duration::from_secs(30));
        assert_eq!(until_reset(1_789_999_000, now), Duration::ZERO);
    }
}
