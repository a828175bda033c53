//! The adapter for any cloud that implements `docs/contract/openapi.yaml`. Section numbers below are of
//! `docs/contract/README.md`.
//!
//! | file | what |
//! | --- | --- |
//! | `hook` | signed web hooks |
//! | `pages` | page after page of facts, all of one version or nothing |

mod hook;
mod pages;

use super::{
    Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, Fetched, Heard, Hook, HookRefused, Known,
    Platform, PlatformError, Reply, check,
    http::{Http, Words},
};
use crate::{
    config::model::HttpConfig,
    domain::{Credential, Millis, PersonId, secret::Secret},
};
use pages::Pages;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whole reads that are begun anew because the facts changed meanwhile, before the caller is told (section 2).
const RESTARTS: usize = 3;
/// The longest that one request waits for a change (section 3: a server may answer earlier).
const LONGEST_WAIT: Duration = Duration::from_secs(60);

const WORDS: Words = Words {
    accept: "application/json, application/problem+json",
    contract: "the contract",
    compare: "compare it with docs/contract/openapi.yaml",
    credential: "the token",
    let_in: "put a valid one into the file that [cloud] token names",
    address: "[cloud] url",
};

/// A cloud that speaks the open contract. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct ContractCloud {
    http: Http,
    token: Secret,
}

impl ContractCloud {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] when `ca_file` cannot be used or no authority is known at all,
    /// [`ErrorKind::Unsupported`] for an address that would send the token in the clear.
    pub fn new(config: &HttpConfig) -> Result<Self, PlatformError> {
        Ok(Self {
            http: Http::new(&config.url, &config.reach, WORDS)?.bearing(config.token.clone()),
            token: config.token.clone(),
        })
    }

    async fn fetch_facts(&self, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        for _ in 0..=RESTARTS {
            match pages::read(&self.http, known).await? {
                Pages::Unchanged => return Ok(Fetched::Unchanged),
                Pages::Moved => {}
                Pages::Whole { version, etag, items } => {
                    let count = items.len();
                    let (candidates, problems) = items.finish();
                    let (facts, problems) = check::check(candidates, version, problems);
                    check::bearable(&problems, count, self.http.place())?;
                    return Ok(Fetched::Facts {
                        facts,
                        etag,
                        problems,
                    });
                }
            }
        }
        Err(PlatformError::malformed(format_args!(
            "the facts at {} changed {} times while they were being read; the doors go on with the last complete ones, and the next fetch tries again",
            self.http.place(),
            RESTARTS + 1
        )))
    }

    async fn wait(&self, after: u64, at_most: Duration) -> Result<bool, PlatformError> {
        let at_most = at_most.min(LONGEST_WAIT);
        let mut url = self.http.url(&["v1", "changes"])?;
        url.query_pairs_mut()
            .append_pair("after", &after.to_string())
            .append_pair("wait", &at_most.as_secs().to_string());
        let request = self
            .http
            .request(Method::GET, url)
            .timeout(self.http.timeout() + at_most);
        let answer = self.http.send(request, "wait for changes").await?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(false),
            StatusCode::OK => {
                let Change { version } = self.http.json(answer, "the change hint").await?;
                Ok(version > after)
            }
            _ => Err(self.http.refusal(answer, "wait for changes").await),
        }
    }

    async fn deliver(&self, check_in: &CheckIn) -> Result<CheckInOutcome, PlatformError> {
        let at = jiff::Timestamp::from_millisecond(check_in.at).map_err(|_| {
            let text = format!(
                "check-in {} has a time outside the calendar; it is not delivered",
                check_in.key
            );
            PlatformError::new(ErrorKind::Rejected { status: 422 }, text)
        })?;
        let body = CheckInBody {
            event: check_in.key.as_str(),
            person: check_in.person.as_str(),
            door: check_in.door.as_str(),
            at: at.to_string(),
            clock: check_in.clock,
            late: check_in.late,
        };
        let request = self
            .http
            .request(Method::POST, self.http.url(&["v1", "check-ins"])?)
            .header("Idempotency-Key", check_in.key.as_str())
            .json(&body);
        let what = "deliver a check-in";
        let answer = self.http.send(request, what).await?;
        if !matches!(answer.status(), StatusCode::OK | StatusCode::CREATED) {
            return Err(self.http.refusal(answer, what).await);
        }
        match self.http.json(answer, "the answer to a check-in").await? {
            OutcomeBody::Refused { reason } => Ok(CheckInOutcome::Refused { reason }),
            OutcomeBody::Accepted { running_until } => Ok(CheckInOutcome::Accepted {
                // A time that cannot be read takes nothing from a check-in that counts.
                running_until: running_until.and_then(|text| instant(&text)),
            }),
        }
    }

    async fn card(
        &self,
        method: Method,
        person: &PersonId,
        credential: &Credential,
        what: &str,
    ) -> Result<(), PlatformError> {
        let number = credential.reveal_in_full();
        let url = self
            .http
            .url(&["v1", "people", person.as_str(), "credentials", &number])?;
        let answer = self.http.send(self.http.request(method, url), what).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(self.http.refusal(answer, what).await)
    }
}

impl Platform for ContractCloud {
    fn place(&self) -> String {
        self.http.place().to_owned()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: true,
            check_ins: CheckIns::ByKey,
            cards: true,
        }
    }
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched> {
        Box::pin(self.fetch_facts(known))
    }
    fn hook(&self, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
        hook::heard(hook, &self.token)
    }
    fn server_time(&self) -> Option<Millis> {
        self.http.server_time()
    }
    fn refreshes_parts(&self) -> bool {
        false
    }
    fn wait_hint(&self, after: u64, at_most: Duration) -> Reply<'_, bool> {
        Box::pin(self.wait(after, at_most))
    }
    fn check_in<'a>(&'a self, check_in: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        Box::pin(self.deliver(check_in))
    }
    fn assign_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(self.card(Method::PUT, person, credential, "assign a card"))
    }
    fn remove_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(self.card(Method::DELETE, person, credential, "remove a card"))
    }
}

pub(crate) use pages::fuzz as fuzz_page;

fn instant(text: &str) -> Option<Millis> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

#[derive(Deserialize)]
struct Change {
    version: u64,
}

#[derive(Serialize)]
struct CheckInBody<'a> {
    event: &'a str,
    person: &'a str,
    door: &'a str,
    at: String,
    clock: crate::domain::ClockQuality,
    late: bool,
}

#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum OutcomeBody {
    Accepted { running_until: Option<String> },
    Refused { reason: String },
}
