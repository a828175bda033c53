//! Requests to both interfaces, each within the budget, and lists page by page.

use super::model::{Meta, Page, Row};
use crate::{
    config::model::CobotConfig,
    platform::{
        ErrorKind, PlatformError,
        budget::{Budget, LaneLimits, Limit},
        http::{Http, Words},
    },
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use std::{collections::HashSet, time::Duration};
use url::Url;

/// The most items of a page (facts: platforms.md 1.1).
const PAGE_ITEMS: &str = "200";
/// More pages than this are no list of a space.
const MOST_PAGES: usize = 2_000;
/// What a throttling answer means that names no time.
const PATIENCE: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

/// The vendor allows 60 requests a minute (facts: platforms.md 1.1). Reading facts may take fifty of them: the rest is
/// for check-ins, which cannot wait.
pub(super) const LANES: &[LaneLimits] = &[
    (
        ALL,
        &[Limit {
            count: 60,
            per: MINUTE,
        }],
    ),
    (
        FACTS,
        &[Limit {
            count: 50,
            per: MINUTE,
        }],
    ),
];
const ALL: &str = "requests";
const FACTS: &str = "facts";

/// JSON:API.
pub(super) const JSON_API: &str = "application/vnd.api+json";

const API2: Words = Words {
    accept: JSON_API,
    contract: "Cobot's API 2",
    compare: "the next fetch tries again; see docs/platforms/cobot.md",
    credential: "the access token for this",
    let_in: "give it that scope, or put a valid one into the file that [cloud.cobot] token names",
    address: "[cloud.cobot] url",
};
const API1: Words = Words {
    accept: "application/json",
    contract: "Cobot's API 1",
    address: "[cloud.cobot] site_url",
    ..API2
};

/// What is asked for, in words, and the scope that it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct What {
    /// As the rest of "this gateway could not read …".
    pub(super) name: &'static str,
    /// The scope.
    pub(super) scope: &'static str,
    /// Whether it is read for facts, and so waits behind check-ins.
    pub(super) facts: bool,
}

impl What {
    fn words(&self) -> String {
        format!("read {} (scope {})", self.name, self.scope)
    }
    fn lanes(&self) -> &'static [&'static str] {
        if self.facts { &[ALL, FACTS] } else { &[ALL] }
    }
}

/// Query parameters.
pub(super) type Query<'a> = &'a [(&'a str, String)];

/// Both interfaces.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) new: Http,
    pub(super) old: Http,
    pub(super) budget: Budget,
}

impl Api {
    pub(super) fn new(config: &CobotConfig) -> Result<Self, PlatformError> {
        Ok(Self {
            new: Http::new(&config.url, &config.reach, API2)?.bearing(config.token.clone()),
            old: Http::new(&config.site_url, &config.reach, API1)?.bearing(config.token.clone()),
            budget: Budget::granted(LANES, config.allowance),
        })
    }

    /// A request to API 2, which may be sent once there is room for it.
    pub(super) fn request2(
        &self,
        method: Method,
        path: &[&str],
        query: Query<'_>,
    ) -> Result<RequestBuilder, PlatformError> {
        Ok(self.new.request(method, with(self.new.url(path)?, query)))
    }

    /// A request to API 1.
    pub(super) fn request1(
        &self,
        method: Method,
        path: &[&str],
        query: Query<'_>,
    ) -> Result<RequestBuilder, PlatformError> {
        Ok(self.old.request(method, with(self.old.url(path)?, query)))
    }

    /// Sends within the budget. Any status but "too many requests" is an answer.
    pub(super) async fn send(
        &self,
        http: &Http,
        request: RequestBuilder,
        lanes: &[&str],
        words: &str,
    ) -> Result<Response, PlatformError> {
        self.budget.take(lanes).await;
        let answer = http.send(request, words).await?;
        if answer.status() != StatusCode::TOO_MANY_REQUESTS {
            return Ok(answer);
        }
        let error = http.refusal(answer, words).await;
        if let ErrorKind::Throttled { retry_after } = error.kind {
            self.budget.throttled(ALL, retry_after.unwrap_or(PATIENCE));
        }
        Err(error)
    }

    /// Something that is not facts: a check-in, a card, a web hook.
    pub(super) async fn order(
        &self,
        http: &Http,
        request: RequestBuilder,
        words: &str,
    ) -> Result<Response, PlatformError> {
        self.send(http, request, &[ALL], words).await
    }

    /// One object of API 2; nothing where there is none of that id.
    pub(super) async fn object<T: DeserializeOwned>(
        &self,
        what: What,
        path: &[&str],
        query: Query<'_>,
    ) -> Result<Option<T>, PlatformError> {
        let request = self.request2(Method::GET, path, query)?;
        self.read(&self.new, request, what).await
    }

    /// Anything of API 1; nothing where there is none.
    pub(super) async fn old<T: DeserializeOwned>(
        &self,
        what: What,
        path: &[&str],
        query: Query<'_>,
    ) -> Result<Option<T>, PlatformError> {
        let request = self.request1(Method::GET, path, query)?;
        self.read(&self.old, request, what).await
    }

    /// A list of API 1, which has no pages.
    pub(super) async fn old_list<T: DeserializeOwned, O>(
        &self,
        what: What,
        path: &[&str],
        query: Query<'_>,
        row: impl FnMut(T) -> O,
    ) -> Result<Vec<O>, PlatformError> {
        let rows: Option<Vec<T>> = self.old(what, path, query).await?;
        let rows = rows.ok_or_else(|| self.absent(&self.old, what))?;
        Ok(rows.into_iter().map(row).collect())
    }

    async fn read<T: DeserializeOwned>(
        &self,
        http: &Http,
        request: RequestBuilder,
        what: What,
    ) -> Result<Option<T>, PlatformError> {
        let words = what.words();
        let answer = self.send(http, request, what.lanes(), &words).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(http.json(answer, what.name).await?)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(http.refusal(answer, &words).await),
        }
    }

    fn absent(&self, http: &Http, what: What) -> PlatformError {
        let text = format!(
            "{} has no {}; check the space and the addresses in [cloud.cobot]",
            http.place(),
            what.name
        );
        PlatformError::new(ErrorKind::Rejected { status: 404 }, text)
    }

    /// A whole list of API 2, page by page, each row made small as it comes. A list that is not whole is read once
    /// more, because something may have been added meanwhile, and then is an error.
    pub(super) async fn list<A, R, O>(
        &self,
        what: What,
        path: &[&str],
        query: Query<'_>,
        row: fn(Row<A, R>) -> O,
    ) -> Result<(Vec<O>, Meta), PlatformError>
    where
        A: DeserializeOwned,
        R: DeserializeOwned,
    {
        for last in [false, true] {
            match self.pages(what, path, query, row).await? {
                Ok(whole) => return Ok(whole),
                Err(why) if last => {
                    return Err(PlatformError::malformed(format_args!(
                        "{} from {} are not whole: {why}; nothing is taken, and the doors go on with the last complete facts",
                        what.name,
                        self.new.place()
                    )));
                }
                Err(_) => {}
            }
        }
        Err(self.absent(&self.new, what)) // never: the second turn returns
    }

    async fn pages<A, R, O>(
        &self,
        what: What,
        path: &[&str],
        query: Query<'_>,
        row: fn(Row<A, R>) -> O,
    ) -> Result<Result<(Vec<O>, Meta), String>, PlatformError>
    where
        A: DeserializeOwned,
        R: DeserializeOwned,
    {
        let (mut rows, mut seen) = (Vec::new(), HashSet::new());
        for number in 1..=MOST_PAGES {
            let mut query: Vec<(&str, String)> = query.to_vec();
            query.push(("page[size]", PAGE_ITEMS.to_owned()));
            query.push(("page[number]", number.to_string()));
            let page: Option<Page<A, R>> = self.object(what, path, &query).await?;
            let page = page.ok_or_else(|| self.absent(&self.new, what))?;
            for it in page.data {
                if !seen.insert(it.id.clone()) {
                    return Ok(Err(format!(
                        "page {number} brings something again that came before"
                    )));
                }
                rows.push(row(it));
            }
            let pages = page.meta.total_pages;
            let further = pages.map(|pages| whole(number) + 0.5 < pages);
            let next = page.links.map(|links| links.next.is_some());
            match (next, further) {
                (Some(true), Some(false)) => {
                    return Ok(Err(format!("page {number} is the last one and leads on")));
                }
                (Some(false), Some(true)) => {
                    return Ok(Err(format!(
                        "page {number} is not the last one and leads nowhere"
                    )));
                }
                (Some(true), _) | (None, Some(true)) => {}
                (Some(false), _) | (None, Some(false) | None) => return Ok(Ok((rows, page.meta))),
            }
        }
        Ok(Err(format!("there are more than {MOST_PAGES} pages")))
    }
}

/// A number of pages is small.
fn whole(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

fn with(mut url: Url, query: Query<'_>) -> Url {
    if !query.is_empty() {
        url.query_pairs_mut()
            .extend_pairs(query.iter().map(|(name, value)| (*name, value.as_str())));
    }
    url
}

/// A body for API 2, which insists on its own type.
pub(super) fn json_api(request: RequestBuilder, body: &serde_json::Value) -> RequestBuilder {
    request
        .header(header::CONTENT_TYPE, JSON_API)
        .body(body.to_string())
}
