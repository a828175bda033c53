//! Requests: within the budget, signed, page by page, with failures that name the operation and what to grant.

use super::{WORDS, auth::Login};
use crate::{
    clock::Clock,
    domain::Millis,
    platform::{
        BudgetStatus, ErrorKind, PlatformError,
        budget::{Budget, LaneLimits, Limit},
        http::Http,
    },
};
use reqwest::{Method, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};
use url::Url;

const LANE: &str = "requests";
/// The vendor allows ten a second. Two of them are left to whatever else the space has connected.
const LANES: &[LaneLimits] = &[(
    LANE,
    &[Limit {
        count: 8,
        per: Duration::from_secs(1),
    }],
)];
/// The most items that a page has.
const PAGE_ITEMS: &str = "100";
/// Items of one list: five times the largest site that the figures are measured for.
const MOST_ITEMS: usize = 500_000;
/// A request that is refused for the rate is asked again so often, if the wait is short.
const TRIES: usize = 3;
/// Longer waits are the caller's.
const SHORT_WAIT: Duration = Duration::from_secs(5);
/// The window of the limit: when the platform does not say how long to wait.
const USUAL_WAIT: Duration = Duration::from_secs(1);

/// An operation for reading, and the permission that it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    /// The key of the list in the answer, and what it is called.
    pub(super) key: &'static str,
    pub(super) path: &'static [&'static str],
    /// OAuth2 scope.
    pub(super) scope: &'static str,
    /// Why the gateway needs it.
    pub(super) why: &'static str,
}

impl Operation {
    /// Completes "could not …".
    fn what(&self) -> String {
        format!("read {} (GET /{})", self.key, self.path.join("/"))
    }
}

pub(super) const LOCATIONS: Operation = Operation {
    key: "locations",
    path: &["locations", "v1"],
    scope: "locations.readonly",
    why: "to know the location and its zone",
};
pub(super) const PLANS: Operation = Operation {
    key: "plans",
    path: &["plans", "v1"],
    scope: "plans.readonly",
    why: "to name plans, for the mapping",
};
pub(super) const COMPANIES: Operation = Operation {
    key: "companies",
    path: &["community", "companies", "v1"],
    scope: "community.readonly",
    why: "to know teams",
};
pub(super) const MEMBERSHIPS: Operation = Operation {
    key: "memberships",
    path: &["community", "memberships", "v1"],
    scope: "community.readonly",
    why: "to know people and their cards",
};
pub(super) const RESOURCES: Operation = Operation {
    key: "resources",
    path: &["resources", "v1"],
    scope: "resources.readonly",
    why: "to know rooms, desks and offices with their hours",
};
pub(super) const SUBSCRIPTIONS: Operation = Operation {
    key: "subscriptions",
    path: &["subscriptions", "v1"],
    scope: "subscriptions.readonly",
    why: "to know who holds which plan, desk and office",
};
pub(super) const BOOKINGS: Operation = Operation {
    key: "bookings",
    path: &["resources", "bookings", "v1"],
    scope: "resources.readonly",
    why: "to open rooms and desks for those who booked them",
};
pub(super) const BALANCES: Operation = Operation {
    key: "balances",
    path: &["transactions", "v1", "balances"],
    scope: "transactions.readonly",
    why: "to know how long day passes last",
};

/// What tells a permission that is missing from a client that is not known.
pub(super) const FORBIDDEN: &str = "lets this client in and does not let it";

/// The connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: Http,
    login: Login,
    budget: Budget,
    clock: Clock,
    /// The server's clock minus this one, milliseconds, as of the last answer.
    ahead: AtomicI64,
}

impl Client {
    pub(super) fn new(http: Http, login: Login, clock: Clock, allowance: u16) -> Self {
        Self {
            http,
            login,
            budget: Budget::granted(LANES, allowance),
            clock,
            ahead: AtomicI64::new(0),
        }
    }

    pub(super) fn with_budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    pub(super) fn budgets(&self) -> Vec<BudgetStatus> {
        self.budget.status()
    }

    /// The time for windows in queries: this clock's, or the server's while this one is only a guess.
    pub(super) fn now(&self) -> Millis {
        let moment = self.clock.now();
        if moment.trusted {
            return moment.at;
        }
        moment.at.saturating_add(self.ahead())
    }

    /// The server's clock minus this one, milliseconds.
    pub(super) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Sends one request, again after a short throttle or an access token that has ended.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Response, PlatformError> {
        let mut refreshed = false;
        let mut tries = 0;
        loop {
            self.budget.take(&[LANE]).await;
            let mut request = self.http.request(method.clone(), url.clone());
            if let Some(body) = body {
                request = request.json(body);
            }
            let (request, token) = self.login.sign(&self.http, request).await?;
            let answer = self.http.send(request, what).await?;
            self.look_at_clock(&answer);
            match answer.status() {
                StatusCode::UNAUTHORIZED if self.login.renews() && !refreshed => {
                    refreshed = true;
                    self.login.token(&self.http, token.as_ref()).await?;
                }
                StatusCode::TOO_MANY_REQUESTS => {
                    let error = self.http.refusal(answer, what).await;
                    let wait = match error.kind {
                        ErrorKind::Throttled { retry_after } => retry_after.unwrap_or(USUAL_WAIT),
                        _ => USUAL_WAIT,
                    };
                    self.budget.throttled(LANE, wait);
                    tries += 1;
                    if tries >= TRIES || wait > SHORT_WAIT {
                        return Err(error);
                    }
                }
                _ => return Ok(answer),
            }
        }
    }

    fn look_at_clock(&self, answer: &Response) {
        let date = answer.headers().get(header::DATE);
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
        if let Some(date) = date {
            let ahead = date
                .timestamp()
                .as_millisecond()
                .saturating_sub(self.clock.now().at);
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }

    /// An answer that is no success, in words that say what to grant.
    async fn refused(&self, answer: Response, operation: &Operation, what: &str) -> PlatformError {
        let forbidden = answer.status() == StatusCode::FORBIDDEN;
        let error = self.http.refusal(answer, what).await;
        if !forbidden {
            return error;
        }
        let text = format!(
            "{} {FORBIDDEN} {what}; grant it {} there (OAuth2: authorise the gateway again with the scope \"{}\")",
            self.http.place(),
            operation.key,
            operation.scope
        );
        PlatformError::new(ErrorKind::Unauthorised, text)
    }

    fn address(
        &self,
        operation: &Operation,
        more: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Url, PlatformError> {
        let segments: Vec<&str> = operation.path.iter().chain(more).copied().collect();
        let mut url = self.http.url(&segments)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// One object below an operation's path; `None` when there is no such one.
    pub(super) async fn object<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        more: &[&str],
        key: Option<&str>,
    ) -> Result<Option<T>, PlatformError> {
        let url = self.address(operation, more, &[])?;
        let what = operation.what();
        let answer = self.send(Method::GET, &url, None, &what).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            _ => return Err(self.refused(answer, operation, &what).await),
        }
        let name = format!("one of the {}", operation.key);
        let mut body: Map<String, Value> = self.http.json(answer, &name).await?;
        let row = match key {
            Some(key) => body.remove(key).unwrap_or_default(),
            None => Value::Object(body),
        };
        match serde_json::from_value(row) {
            Ok(row) => Ok(Some(row)),
            Err(error) => {
                let error = crate::platform::http::without_values(&error.to_string());
                Err(PlatformError::malformed(format_args!(
                    "{name} from {} is not as {} says ({error}); nothing is taken from it; {}",
                    self.http.place(),
                    WORDS.contract,
                    WORDS.compare
                )))
            }
        }
    }

    /// Replaces an object below an operation's path.
    pub(super) async fn replace(
        &self,
        operation: &Operation,
        id: &str,
        body: &Value,
    ) -> Result<(), PlatformError> {
        let url = self.address(operation, &[id], &[])?;
        let what = format!(
            "change one of the {} (PUT /{}/…)",
            operation.key,
            operation.path.join("/")
        );
        let answer = self.send(Method::PUT, &url, Some(body), &what).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::FORBIDDEN => {
                let text = format!(
                    "{} does not let this client {what}; grant it changes of the community there (OAuth2: authorise the gateway again with the scope \"community\")",
                    self.http.place()
                );
                Err(PlatformError::new(ErrorKind::Unauthorised, text))
            }
            _ => Err(self.http.refusal(answer, &what).await),
        }
    }

    /// A whole list, row by row. Pages that lead back, repeat themselves or have nothing in the middle are refused.
    pub(super) async fn list(
        &self,
        operation: &Operation,
        query: &[(&str, &str)],
        mut each: impl FnMut(usize, Value) + Send,
    ) -> Result<usize, PlatformError> {
        let what = operation.what();
        let (mut tokens, mut ids) = (HashSet::new(), HashSet::new());
        let (mut count, mut number) = (0_usize, 1_usize);
        let mut next: Option<String> = None;
        loop {
            let mut pairs: Vec<(&str, &str)> = query.to_vec();
            pairs.push(("limit", PAGE_ITEMS));
            if let Some(token) = &next {
                pairs.push(("nextPageToken", token));
            }
            let url = self.address(operation, &[], &pairs)?;
            let answer = self.send(Method::GET, &url, None, &what).await?;
            if answer.status() != StatusCode::OK {
                return Err(self.refused(answer, operation, &what).await);
            }
            let name = format!("page {number} of the {}", operation.key);
            let mut page: Map<String, Value> = self.http.json(answer, &name).await?;
            let Some(Value::Array(rows)) = page.remove(operation.key) else {
                return Err(self.odd(operation, number, "it has no such list"));
            };
            let token = page.remove("nextPageToken");
            let token = token
                .as_ref()
                .and_then(Value::as_str)
                .filter(|token| !token.is_empty());
            if token.is_some() && rows.is_empty() {
                return Err(self.odd(operation, number, "it is empty and leads to a next page"));
            }
            for row in rows {
                let id = row.get("id").and_then(Value::as_str);
                if id.is_some_and(|id| !ids.insert(id.to_owned())) {
                    return Err(self.odd(operation, number, "it repeats what an earlier page had"));
                }
                each(count, row);
                count += 1;
            }
            if count > MOST_ITEMS {
                return Err(self.odd(operation, number, "there is no end to the list"));
            }
            match token {
                None => return Ok(count),
                Some(token) if tokens.insert(token.to_owned()) => next = Some(token.to_owned()),
                Some(_) => return Err(self.odd(operation, number, "it leads back to an earlier page")),
            }
            number += 1;
        }
    }

    fn odd(&self, operation: &Operation, number: usize, what: &str) -> PlatformError {
        PlatformError::malformed(format_args!(
            "page {number} of the {} from {} is not usable: {what}; nothing is taken from it, and the doors go on with the last complete facts",
            operation.key,
            self.http.place()
        ))
    }
}
