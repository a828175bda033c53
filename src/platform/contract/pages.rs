//! Page after page of facts: all of one version, or nothing (invariant 4).

use crate::platform::{
    ErrorKind, Known, PlatformError,
    http::Http,
    wire::{Collections, Gathering},
};
use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use std::{collections::HashSet, ops::RangeInclusive};

/// Items asked for at once (section 2). A server may send fewer.
const PAGE_ITEMS: &str = "1000";
/// Items in all. Twice the largest site that the figures are measured for.
const MOST_ITEMS: usize = 4_000_000;

/// What reading page after page came to.
pub(super) enum Pages {
    /// 304: what is known still holds.
    Unchanged,
    /// The facts changed in the middle: begin anew.
    Moved,
    /// Everything.
    Whole {
        version: u64,
        etag: Option<String>,
        items: Gathering<'static>,
    },
}

/// What a version may be: `Version` of docs/contract/openapi.yaml, an int64. A greater one would make every later one go back.
const VERSIONS: RangeInclusive<u64> = 1..=i64::MAX as u64;

/// One page. Every page repeats the version; the last one, and only it, is marked complete and has no next.
#[derive(Deserialize)]
struct Page {
    version: u64,
    #[serde(default)]
    complete: bool,
    next: Option<String>,
    facts: Collections,
}

pub(super) async fn read(http: &Http, known: Option<&Known>) -> Result<Pages, PlatformError> {
    let mut url = http.url(&["v1", "facts"])?;
    url.query_pairs_mut().append_pair("limit", PAGE_ITEMS);
    let mut request = http.request(Method::GET, url.clone());
    let offered = known.and_then(|known| known.etag.as_deref());
    if let Some(etag) = offered {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    let first = http.send(request, "fetch the facts").await?;
    if first.status() == StatusCode::NOT_MODIFIED && offered.is_some() {
        return Ok(Pages::Unchanged);
    }
    if first.status() != StatusCode::OK {
        return Err(http.refusal(first, "fetch the facts").await);
    }
    let etag = first
        .headers()
        .get(header::ETAG)
        .and_then(|value| value.to_str().ok())
        .map(ToOwned::to_owned);
    let mut page: Page = http.json(first, "page 1 of the facts").await?;
    let version = page.version;
    if !VERSIONS.contains(&version) {
        let (least, most) = (VERSIONS.start(), VERSIONS.end());
        return Err(odd(
            http,
            1,
            format_args!("its version is {version}, and versions are {least} to {most}"),
        ));
    }
    let mut items = Gathering::new(None);
    let mut seen = HashSet::new();
    let mut number = 1_usize;
    loop {
        if page.version != version {
            return Ok(Pages::Moved);
        }
        items.add(page.facts);
        if items.len() > MOST_ITEMS {
            return Err(odd(
                http,
                number,
                format_args!("there are more than {MOST_ITEMS} items"),
            ));
        }
        let cursor = match (page.complete, page.next) {
            (true, None) => break,
            (false, Some(cursor)) if seen.insert(cursor.clone()) => cursor,
            (false, Some(_)) => {
                return Err(odd(
                    http,
                    number,
                    format_args!("its cursor leads back to an earlier page"),
                ));
            }
            (false, None) => {
                return Err(odd(
                    http,
                    number,
                    format_args!("it is neither complete nor leads to a next page"),
                ));
            }
            (true, Some(_)) => {
                return Err(odd(
                    http,
                    number,
                    format_args!("it is complete and still leads to a next page"),
                ));
            }
        };
        number += 1;
        let mut next = url.clone();
        next.query_pairs_mut().append_pair("cursor", &cursor);
        let answer = http
            .send(http.request(Method::GET, next), "fetch the facts")
            .await?;
        match answer.status() {
            StatusCode::OK => page = http.json(answer, &format!("page {number} of the facts")).await?,
            StatusCode::GONE => return Ok(Pages::Moved), // the cursor's version is no longer kept
            _ => return Err(http.refusal(answer, "fetch the facts").await),
        }
    }
    Ok(Pages::Whole { version, etag, items })
}

/// For [`crate::fuzzing`]: a page as it comes, down to facts that hold together.
pub(crate) fn fuzz(body: &[u8]) {
    if let Ok(page) = serde_json::from_slice::<Page>(body) {
        let (candidates, problems) = page.facts.read(None);
        let _ = crate::platform::check::check(candidates, page.version, problems);
    }
}

fn odd(http: &Http, number: usize, what: std::fmt::Arguments<'_>) -> PlatformError {
    PlatformError::new(
        ErrorKind::Malformed,
        format!(
            "page {number} of the facts from {} is not usable: {what}; nothing is taken from it, and the doors go on with the last complete facts; see docs/contract/README.md section 2",
            http.place()
        ),
    )
}
