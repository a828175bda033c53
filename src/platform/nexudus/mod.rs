//! The adapter for Nexudus' back-office interface (docs/platforms/nexudus.md; facts: platforms.md section 3).
//!
//! | file | what |
//! | --- | --- |
//! | `auth` | access and refresh tokens |
//! | `api` | one request, and whole lists page by page |
//! | `model` | records, the fields that matter |
//! | `times` | UTC and local twins |
//! | `hours` | hours of a kind of pass |
//! | `people` | several cards in one text field |
//! | `facts` | records to facts, pure |
//! | `fetch` | everything |
//! | `refresh` | what hints name, and the rest as it was |
//! | `survey` | each role tried, for the installer |
//! | `hooks` | signed web hooks and pushes to hints, pure |
//! | `acs` | the groups that Custom ACS pushes |
//! | `subscribe` | the web hooks that Nexudus shall send |
//! | `checkins` | entries, looked for before they are sent |
//! | `cards` | cards given and taken |
//! | `fuzz` | any answer, for the fuzzer |

mod acs;
mod api;
mod auth;
mod cards;
mod checkins;
mod facts;
#[cfg(test)]
mod facts_tests;
mod fetch;
mod fuzz;
mod hooks;
mod hours;
mod model;
mod people;
mod refresh;
mod subscribe;
mod survey;
mod times;

use super::{
    Around, Asked, BudgetStatus, Capabilities, CheckIn, CheckInOutcome, CheckIns, ErrorKind, Fetched, Heard,
    Hint, Hook, HookRefused, Known, Platform, PlatformError, Reply, Served, Survey, budget::Budget,
    http::Http, polled,
};
use crate::{
    clock::Clock,
    config::model::NexudusConfig,
    domain::{
        Credential, Millis, PersonId,
        facts::{Facts, Named},
    },
};
use api::Api;
use auth::Login;
use facts::{Setup, Space};
use jiff::tz::TimeZone;
use refresh::{Patch, Wanted};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

pub(crate) use fuzz::answer as fuzz_answer;

/// Nexudus, one location of it. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Nexudus {
    api: Api,
    space: Space,
    clock: Clock,
    /// Of the last whole fetch.
    setup: Mutex<Option<Setup>>,
    runs: checkins::Runs,
    turn: cards::Turn,
    senders: hooks::Senders,
    pushed: Arc<acs::Pushed>,
    left_out: polled::LeftOut,
    /// Groups that the site's `[map.groups]` names.
    own_groups: Vec<String>,
}

impl Nexudus {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] when no authority can be trusted, [`ErrorKind::Unsupported`] for an address that would send
    /// the password in the clear, or a zone that is not known.
    pub fn new(config: &NexudusConfig, around: &Around) -> Result<Self, PlatformError> {
        let zone = TimeZone::get(&around.zone).map_err(|_| {
            let text = format!("[site] zone {:?} is not a time zone", around.zone);
            PlatformError::new(ErrorKind::Unsupported, text)
        })?;
        let login = Login::new(
            config.user.clone(),
            config.password.clone(),
            around.vault.clone(),
            around.clock.clone(),
        );
        Ok(Self {
            api: Api {
                http: Http::new(&config.url, &config.reach, api::WORDS)?,
                budget: Budget::granted(api::LANES, config.allowance),
                login,
            },
            space: Space {
                business: config.business,
                zone,
                cards: config.cards,
            },
            clock: around.clock.clone(),
            setup: Mutex::new(None),
            runs: checkins::Runs::default(),
            turn: cards::Turn::default(),
            senders: hooks::Senders {
                hook_secret: config.hook_secret.clone(),
                acs_token: config.acs_token.clone(),
                business: config.business,
            },
            pushed: Arc::new(acs::Pushed::new(&around.vault)),
            left_out: polled::LeftOut::default(),
            own_groups: config.groups.clone(),
        })
    }

    fn setup(&self) -> Option<Setup> {
        let setup = self.setup.lock().unwrap_or_else(PoisonError::into_inner);
        setup.clone()
    }

    async fn whole(&self, known: Option<&Known>) -> Result<Fetched, PlatformError> {
        let now = self.clock.now().at;
        let mut whole = fetch::whole(&self.api, &self.space, now).await?;
        {
            let mut setup = self.setup.lock().unwrap_or_else(PoisonError::into_inner);
            *setup = Some(whole.setup);
        }
        self.push_groups(&mut whole.facts);
        self.left_out
            .whole(whole.facts, whole.problems, known, self.api.http.place())
    }

    /// The groups that can be linked to things at Nexudus: those that the site maps, and those that were pushed.
    fn groups(&self) -> Vec<String> {
        let mut groups = self.own_groups.clone();
        groups.extend(self.pushed.groups());
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// What Custom ACS pushed, where it is used.
    fn push_groups(&self, facts: &mut Facts) {
        if self.senders.acs_token.is_none() {
            return;
        }
        self.pushed.put(facts);
        for group in self.groups() {
            if !facts.catalogue.groups.iter().any(|known| known.id == group) {
                facts.catalogue.groups.push(Named {
                    name: group.clone().into(),
                    id: group.into(),
                });
            }
        }
    }

    async fn narrowed(&self, known: &Known, last: Facts, hints: &[Hint]) -> Result<Fetched, PlatformError> {
        self.take_pushes(hints).await;
        for hint in hints {
            if let Hint::Person(person) = hint {
                self.runs.forget(person);
            }
        }
        let Wanted::Some {
            people,
            bookings,
            all_bookings,
        } = refresh::wanted(hints)
        else {
            // The last facts are as large as the ones to come: not both at a time.
            drop(last);
            return self.whole(Some(known)).await;
        };
        // Without the setup of a whole fetch there is nothing to narrow with; pushes need none.
        let setup = match self.setup() {
            Some(setup) => setup,
            None if people.is_empty() && bookings.is_empty() && !all_bookings => Setup::default(),
            None => {
                drop(last);
                return self.whole(Some(known)).await;
            }
        };
        let mut patch = Patch {
            api: &self.api,
            space: &self.space,
            setup: &setup,
            now: self.clock.now().at,
            facts: last,
            problems: Vec::new(),
        };
        for person in people {
            if !patch.person(person).await? {
                drop(patch);
                return self.whole(Some(known)).await;
            }
        }
        if all_bookings {
            patch.all_bookings().await?;
        } else {
            patch.bookings(&bookings).await?;
        }
        let Patch {
            mut facts, problems, ..
        } = patch;
        self.push_groups(&mut facts);
        self.left_out
            .part(facts, problems, hints, known, self.api.http.place())
    }

    /// Keeps what hints bring, before anything can fail.
    async fn take_pushes(&self, hints: &[Hint]) {
        let texts = hints.iter().filter_map(|hint| match hint {
            Hint::Pushed(text) => Some(text.clone()),
            _ => None,
        });
        let texts: Vec<String> = texts.collect();
        if texts.is_empty() {
            return;
        }
        let pushed = Arc::clone(&self.pushed);
        let taken = tokio::task::spawn_blocking(move || pushed.take(texts.iter().map(String::as_str)));
        if taken.await.is_err() {
            tracing::warn!("a push of Nexudus was lost; its next one for the same customer puts it right");
        }
    }
}

impl Platform for Nexudus {
    fn place(&self) -> String {
        self.api.http.place().to_owned()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            hints: false,
            check_ins: CheckIns::Dated,
            cards: true,
        }
    }
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched> {
        Box::pin(self.whole(known))
    }
    fn refresh<'a>(&'a self, known: &'a Known, last: Facts, hints: &'a [Hint]) -> Reply<'a, Fetched> {
        Box::pin(self.narrowed(known, last, hints))
    }
    fn refreshes_parts(&self) -> bool {
        true
    }
    fn hook(&self, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
        hooks::hear(&self.senders, hook)
    }
    fn served(&self, asked: &Asked<'_>) -> Option<Served> {
        hooks::serve(&self.senders, asked, || self.groups())
    }
    fn subscribe<'a>(&'a self, address: &'a Url) -> Reply<'a, ()> {
        Box::pin(async {
            if self.senders.hook_secret.is_none() {
                return Ok(()); // what they would send could not be believed
            }
            subscribe::all(&self.api, &self.space, address).await
        })
    }
    fn server_time(&self) -> Option<Millis> {
        self.api.http.server_time()
    }
    fn survey(&self) -> Reply<'_, Survey> {
        Box::pin(survey::all(&self.api, &self.space, self.clock.now().at))
    }
    fn budgets(&self) -> Vec<BudgetStatus> {
        self.api.budget.status()
    }
    fn wait_hint(&self, _after: u64, _at_most: Duration) -> Reply<'_, bool> {
        Box::pin(async {
            let text = "Nexudus has nothing to wait for: it is asked, or sends web hooks";
            Err(PlatformError::new(ErrorKind::Unsupported, text))
        })
    }
    fn check_in<'a>(&'a self, check_in: &'a CheckIn) -> Reply<'a, CheckInOutcome> {
        Box::pin(async {
            let setup = self.setup();
            let now = self.clock.now().at;
            checkins::deliver(&self.api, &self.space, &self.runs, setup, check_in, now).await
        })
    }
    fn assign_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(cards::assign(
            &self.api,
            &self.space,
            &self.turn,
            person,
            credential,
        ))
    }
    fn remove_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()> {
        Box::pin(cards::remove(
            &self.api,
            &self.space,
            &self.turn,
            person,
            credential,
        ))
    }
}
