//! One request to Nexudus: login, budget, and its way of saying no. Then whole lists, page by page.

use super::{
    auth::Login,
    model::{Numbered, Page, Written},
};
use crate::platform::{
    ErrorKind, PlatformError,
    budget::{Budget, LaneLimits, Limit},
    http::{Http, Words},
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashSet, time::Duration};

/// The lane of every request.
pub(super) const REQUESTS: &str = "requests";
/// The lane of those that change something.
pub(super) const WRITES: &str = "writes";

const fn limit(count: usize, per: Duration) -> Limit {
    Limit { count, per }
}

/// What Nexudus allows (facts: platforms.md 3.5).
pub(super) const LANES: &[LaneLimits] = &[
    (
        REQUESTS,
        &[
            limit(1, Duration::from_millis(100)),
            limit(120, Duration::from_secs(60)),
            limit(5_000, Duration::from_secs(3_600)),
            limit(200_000, Duration::from_secs(86_400)),
        ],
    ),
    (
        WRITES,
        &[
            limit(60, Duration::from_secs(60)),
            limit(5_000, Duration::from_secs(86_400)),
        ],
    ),
];

pub(super) const WORDS: Words = Words {
    accept: "application/json",
    contract: "Nexudus' documentation",
    compare: "if that goes on, tell whoever maintains this gateway",
    credential: "the gateway's login",
    let_in: "check [cloud.nexudus] user and password",
    address: "[cloud.nexudus] url",
};

/// Records asked for at once. The documentation names no largest page; a smaller one is followed all the same.
const PAGE: &str = "500";
/// Whole records asked for at once by their numbers: an address has to hold them.
const BATCH: usize = 100;
/// Records of one list. Twice the largest site that the figures are measured for.
const MOST_RECORDS: usize = 4_000_000;
/// Lists that are begun anew because they changed while they were read.
const RESTARTS: usize = 2;
/// The pause that a throttle answer asks for when it does not say.
const PAUSE: Duration = Duration::from_secs(1);

/// An entity: its address, its name in roles and filters, and what people call its records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entity {
    pub(super) module: &'static str,
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) what: &'static str,
}

macro_rules! entities {
    ($($constant:ident = $module:literal $path:literal $name:literal $what:literal;)*) => {$(
        pub(super) const $constant: Entity = Entity { module: $module, path: $path, name: $name, what: $what };
    )*};
}

entities! {
    COWORKERS = "spaces" "coworkers" "Coworker" "customers";
    CONTRACTS = "billing" "coworkercontracts" "CoworkerContract" "contracts";
    PAUSES = "billing" "contractpausedperiods" "ContractPausedPeriod" "pauses of contracts";
    TARIFFS = "billing" "tariffs" "Tariff" "plans";
    TARIFF_PASSES = "billing" "tarifftimepasses" "TariffTimePass" "passes of plans";
    TEAMS = "spaces" "teams" "Team" "teams";
    ITEMS = "sys" "floorplandesks" "FloorPlanDesk" "items of floor plans";
    RESOURCES = "spaces" "resources" "Resource" "resources";
    BOOKINGS = "spaces" "bookings" "Booking" "bookings";
    VISITORS = "spaces" "bookingvisitors" "BookingVisitor" "visitors of bookings";
    PASS_KINDS = "billing" "timepasses" "TimePass" "kinds of pass";
    SLOTS = "billing" "timepasstimeslots" "TimePassTimeSlot" "hours of passes";
    PASSES = "billing" "coworkertimepasses" "CoworkerTimePass" "passes";
    CHECK_INS = "spaces" "checkins" "Checkin" "check-ins";
    BUSINESSES = "sys" "businesses" "Business" "locations";
    HOOKS = "sys" "webhooks" "WebHook" "web hooks";
}

/// Filters of a list.
pub(super) type Query<'a> = [(&'a str, String)];

/// The connection.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) http: Http,
    pub(super) budget: Budget,
    pub(super) login: Login,
}

/// The error of an answer 409: here it is no conflict but a throttle (facts: platforms.md 3.5).
pub(super) fn throttled(http: &Http, budget: &Budget, answer: &Response, what: &str) -> PlatformError {
    let seconds = answer.headers().get(header::RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let after = seconds.map_or(PAUSE, |seconds: u64| Duration::from_secs(seconds.min(3_600)));
    budget.throttled(REQUESTS, after);
    let text = format!(
        "{} asks for fewer requests, so this gateway could not {what}; it tries again later by itself",
        http.place()
    );
    let retry_after = Some(after);
    PlatformError::new(ErrorKind::Throttled { retry_after }, text)
}

impl Api {
    /// Sends a request that `make` builds, once more after a new login when the first was not let in. `role` is
    /// what the gateway's user needs for it.
    async fn send(
        &self,
        lanes: &[&str],
        what: &str,
        role: &str,
        make: impl Fn() -> Result<RequestBuilder, PlatformError> + Send,
    ) -> Result<Response, PlatformError> {
        let mut refused = None;
        loop {
            let token = self
                .login
                .token(&self.http, &self.budget, refused.as_ref())
                .await?;
            self.budget.take(lanes).await;
            let request = make()?.bearer_auth(token.reveal());
            let answer = self.http.send(request, what).await?;
            match answer.status() {
                StatusCode::UNAUTHORIZED if refused.is_none() => refused = Some(token),
                StatusCode::CONFLICT => return Err(throttled(&self.http, &self.budget, &answer, what)),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    let text = format!(
                        "{} does not let the gateway's user {what}; give that user the role {role} there, and API access",
                        self.http.place()
                    );
                    return Err(PlatformError::new(ErrorKind::Unauthorised, text));
                }
                _ => return Ok(answer),
            }
        }
    }

    async fn get(
        &self,
        entity: Entity,
        tail: Option<&str>,
        query: &Query<'_>,
        role: &str,
    ) -> Result<Response, PlatformError> {
        let what = format!("read {}", entity.what);
        let answer = self
            .send(&[REQUESTS], &what, role, || {
                let mut path = vec!["api", entity.module, entity.path];
                path.extend(tail);
                let mut url = self.http.url(&path)?;
                if !query.is_empty() {
                    url.query_pairs_mut().extend_pairs(query);
                }
                Ok(self.http.request(Method::GET, url))
            })
            .await?;
        if answer.status() == StatusCode::OK {
            return Ok(answer);
        }
        Err(self.http.refusal(answer, &what).await)
    }

    /// A whole list, each record as `take` makes it. All of it or an error.
    pub(super) async fn all<T, R>(
        &self,
        entity: Entity,
        query: &Query<'_>,
        take: impl Fn(T) -> R + Send,
    ) -> Result<Vec<R>, PlatformError>
    where
        T: DeserializeOwned + Numbered + Send,
        R: Send,
    {
        for _ in 0..=RESTARTS {
            if let Some(records) = self.pages(entity, query, &take).await? {
                return Ok(records);
            }
        }
        Err(self.odd(
            entity,
            format_args!("they changed {} times while they were read", RESTARTS + 1),
        ))
    }

    /// `None`: the number of records changed in the middle, so one may be missing.
    async fn pages<T, R>(
        &self,
        entity: Entity,
        query: &Query<'_>,
        take: &(impl Fn(T) -> R + Send),
    ) -> Result<Option<Vec<R>>, PlatformError>
    where
        T: DeserializeOwned + Numbered + Send,
        R: Send,
    {
        let mut records = Vec::new();
        let mut seen = HashSet::new();
        let mut total = None;
        for number in 1.. {
            let page: Page<T> = self.page(entity, query, number).await?;
            if *total.get_or_insert(page.total_items) != page.total_items {
                return Ok(None);
            }
            if page.current_page != number {
                return Err(self.odd(
                    entity,
                    format_args!("page {} came for page {number}", page.current_page),
                ));
            }
            if page.has_next_page && page.records.is_empty() {
                return Err(self.odd(entity, format_args!("page {number} is empty and not the last")));
            }
            for record in page.records {
                if !seen.insert(record.number()) {
                    let twice = record.number();
                    return Err(self.odd(entity, format_args!("page {number} repeats record {twice}")));
                }
                records.push(take(record));
            }
            if records.len() > MOST_RECORDS {
                return Err(self.odd(entity, format_args!("there are more than {MOST_RECORDS}")));
            }
            if !page.has_next_page {
                break;
            }
        }
        let expected = total.unwrap_or(0);
        if records.len() != expected {
            let came = records.len();
            return Err(self.odd(
                entity,
                format_args!("{came} came where {expected} were announced"),
            ));
        }
        Ok(Some(records))
    }

    async fn page<T: DeserializeOwned>(
        &self,
        entity: Entity,
        query: &Query<'_>,
        number: usize,
    ) -> Result<Page<T>, PlatformError> {
        let mut asked = vec![
            ("page", number.to_string()),
            ("size", PAGE.to_owned()),
            ("orderBy", "Id".to_owned()),
            // Ascending in the newer documentation; whichever way, pages only have to stay the same.
            ("dir", "1".to_owned()),
        ];
        asked.extend_from_slice(query);
        let role = format!("{}-List", entity.name);
        let answer = self.get(entity, None, &asked, &role).await?;
        self.http
            .json(answer, &format!("page {number} of the {}", entity.what))
            .await
    }

    /// Whole records by their numbers, nested collections included. One that is gone is left out.
    pub(super) async fn several<T: DeserializeOwned>(
        &self,
        entity: Entity,
        ids: &[u64],
    ) -> Result<Vec<T>, PlatformError> {
        let role = format!("{}-Read", entity.name);
        let mut records = Vec::with_capacity(ids.len());
        for some in ids.chunks(BATCH) {
            let some: Vec<String> = some.iter().map(u64::to_string).collect();
            let query = [("id", format!("[{}]", some.join(",")))];
            let answer = self.get(entity, None, &query, &role).await?;
            let came: Vec<T> = self.http.json(answer, &format!("some {}", entity.what)).await?;
            records.extend(came);
        }
        Ok(records)
    }

    /// One whole record; `None` when there is none of this number.
    pub(super) async fn one<T: DeserializeOwned>(
        &self,
        entity: Entity,
        id: u64,
    ) -> Result<Option<T>, PlatformError> {
        let role = format!("{}-Read", entity.name);
        match self.get(entity, Some(&id.to_string()), &[], &role).await {
            Ok(answer) => {
                let what = format!("one of the {}", entity.what);
                Ok(Some(self.http.json(answer, &what).await?))
            }
            Err(error) if error.kind == (ErrorKind::Rejected { status: 404 }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many records a list has, by its first page.
    pub(super) async fn count(&self, entity: Entity, query: &Query<'_>) -> Result<usize, PlatformError> {
        let page: Page<serde::de::IgnoredAny> = self.page(entity, query, 1).await?;
        Ok(page.total_items)
    }

    /// Writes a record. What Nexudus made of it stands in the answer, whatever the status.
    pub(super) async fn write(
        &self,
        method: Method,
        entity: Entity,
        body: &(impl Serialize + Sync),
    ) -> Result<Written, PlatformError> {
        let (verb, action) = if method == Method::POST {
            ("add to", "Create")
        } else {
            ("change", "Edit")
        };
        let what = format!("{verb} {}", entity.what);
        let role = format!("{}-{action}", entity.name);
        let answer = self
            .send(&[REQUESTS, WRITES], &what, &role, || {
                let url = self.http.url(&["api", entity.module, entity.path])?;
                Ok(self.http.request(method.clone(), url).json(body))
            })
            .await?;
        match answer.status() {
            StatusCode::OK
            | StatusCode::CREATED
            | StatusCode::BAD_REQUEST
            | StatusCode::UNPROCESSABLE_ENTITY => {
                let what = format!("the answer to a change of {}", entity.what);
                self.http.json(answer, &what).await
            }
            _ => Err(self.http.refusal(answer, &what).await),
        }
    }

    fn odd(&self, entity: Entity, what: std::fmt::Arguments<'_>) -> PlatformError {
        PlatformError::malformed(format_args!(
            "the {} from {} are not usable: {what}; nothing is taken from them, and the doors go on with the last complete facts",
            entity.what,
            self.http.place()
        ))
    }
}
